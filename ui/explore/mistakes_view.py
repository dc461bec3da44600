"""Mistakes: every image that a network misread, and those that it only just got right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import streamlit as st

from mnist_core import answers, evaluation, runs
from mnist_core.answers import AnswerFilter
from mnist_core.evaluation import Probabilities
from ui import readers, state
from ui.explore import pickers
from ui.explore.browse import browse
from ui.explore.selection import Selection
from ui.state import Params

_KINDS = {"mistakes": "Mistakes", "unsure": "Right but unsure"}
_ORDERS = {"confidence": "confidence", "loss": "loss", "index": "index"}


@dataclass(frozen=True)
class _Choices:
    kind: state.Bound[str]
    true: state.Bound[str]
    read: state.Bound[str]
    order: state.Bound[str]
    confidence: state.Bound[tuple[int, int]]

    @property
    def wanted(self) -> AnswerFilter:
        low, high = self.confidence.value
        return AnswerFilter(
            kind=cast(answers.Kind, self.kind.value),
            true=pickers.as_digit(self.true),
            read=pickers.as_digit(self.read),
            low=low,
            high=high,
            order=cast(answers.Order, self.order.value),
        )


def show() -> None:
    """Show a network's mistakes, filtered and ordered as one likes."""
    run = pickers.network()
    choices = _choices()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("Show", list(_KINDS), format_func=_KINDS.__getitem__, required=True, **choices.kind.widget)
        pickers.show_digit("True digit", choices.true, compact=True)
        pickers.show_digit("Read as", choices.read, compact=True)
        st.selectbox(
            "Order by",
            list(_ORDERS),
            format_func=_ORDERS.__getitem__,
            width=150,
            help="Confidence: the surest mistakes first, or the least sure right answers. Loss: the least probability "
            "for the true digit first. Index: as stored.",
            **choices.order.widget,
        )
        st.slider("Confidence in %", 0, 100, width=180, **choices.confidence.widget)
        st.download_button(
            "CSV",
            lambda: answers.to_csv(readers.mnist().y_test, readers.predictions(run), _select(run, choices).indices),
            f"{run.id}-{choices.kind.value}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="All images that are chosen here, on all pages, with their ten probabilities.",
            key="answers-csv",
        )
    chosen = _select(run, choices)
    st.caption(_counts(readers.predictions(run)))
    browse(chosen, "mistakes")


def selection() -> Selection:
    """Return the images that the URL asks for."""
    return _select(pickers.network_in_url(), _choices())


def caption_of(probabilities: Probabilities) -> Callable[[int], tuple[str, ...]]:
    """Return a function that says, below an image, what was read, how surely, and what came next."""
    labels = readers.mnist().y_test

    def caption(index: int) -> tuple[str, ...]:
        (reading, confidence), *others = evaluation.ranking(probabilities[index])
        runners_up = ", ".join(f"{digit}: {share:.0%}" for digit, share in others)
        return f"{labels[index]} → {reading}", sureness(confidence), runners_up

    return caption


def sureness(confidence: float) -> str:
    """Return how sure an answer is, from 0 to 1, in words that never round a doubt away."""
    return "over 99.9%" if confidence > 0.999 else f"{confidence:.1%}"


def _choices() -> _Choices:
    return _Choices(
        state.bound_choice(Params.KIND, list(_KINDS), "mistakes"),
        pickers.digit(Params.DIGIT),
        pickers.digit(Params.READ),
        state.bound_choice(Params.ORDER, list(_ORDERS), "confidence"),
        state.bound_range(Params.LOW, Params.HIGH, 0, 100),
    )


def _select(run: runs.Run, choices: _Choices) -> Selection:
    probabilities = readers.predictions(run)
    wanted = choices.wanted
    found = answers.select(readers.mnist().y_test, probabilities, wanted)
    return Selection("test", found, describe(wanted), run, caption_of(probabilities))


def describe(wanted: AnswerFilter) -> str:
    """Return what passes a filter, in words that follow a count."""
    parts = [{"mistakes": "mistakes", "unsure": "right but unsure answers", "all": "test images"}[wanted.kind]]
    if wanted.true is not None:
        parts.append(f"labelled {wanted.true}")
    if wanted.read is not None:
        parts.append(f"read as {wanted.read}")
    if (wanted.low, wanted.high) != (0, 100):
        parts.append(f"with {wanted.low} to {wanted.high} % confidence")
    return " ".join(parts)


def _counts(probabilities: Probabilities) -> str:
    labels = readers.mnist().y_test
    wrong = len(answers.select(labels, probabilities, AnswerFilter()))
    unsure = len(answers.select(labels, probabilities, AnswerFilter(kind="unsure")))
    return (
        f"Of {len(labels):,} test images it reads {len(labels) - wrong:,} right and {wrong:,} wrong; "
        f"{unsure:,} are right with less than {answers.UNSURE_BELOW:.0%} confidence. "
        "Below each image: true digit → what was read and how surely, then what came next."
    )
