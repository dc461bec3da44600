"""Mistakes: every image that a network misread, and those that it only just got right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Probabilities
from mnist_core.common.text import percent
from mnist_core.evaluation.selection import UNSURE_BELOW, AnswerFilter, AnswerKind, Order, select, to_csv
from ui.explore import answer_words, pickers
from ui.explore.browse import browse
from ui.explore.selection import Selection
from ui.session import cached_reads, state
from ui.session.state import Params

_KINDS = {"mistakes": "Mistakes", "unsure": "Right but uncertain"}
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
            kind=cast(AnswerKind, self.kind.value),
            true=pickers.as_digit(self.true),
            read=pickers.as_digit(self.read),
            low=low,
            high=high,
            order=cast(Order, self.order.value),
        )


def show() -> None:
    """Show a network's mistakes, filtered and ordered as one likes."""
    run = pickers.network()
    choices = _choices()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("Show", list(_KINDS), format_func=_KINDS.__getitem__, required=True, **choices.kind.widget)
        pickers.show_digit("True digit", choices.true, compact=True)
        pickers.show_digit("Predicted digit", choices.read, compact=True)
        st.selectbox(
            "Order by",
            list(_ORDERS),
            format_func=_ORDERS.__getitem__,
            width=150,
            help="Confidence: the most confident mistakes first, or the least confident right predictions. Loss: the "
            "lowest probability for the true digit first. Index: as stored.",
            **choices.order.widget,
        )
        st.slider("Confidence in %", 0, 100, width=180, **choices.confidence.widget)
        st.download_button(
            "CSV",
            lambda: to_csv(cached_reads.mnist().y_test, cached_reads.predictions(run), _select(run, choices).indices),
            f"{run.id}-{choices.kind.value}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="All the images that are selected here, on all pages, with their ten probabilities.",
            key="answers-csv",
        )
    chosen = _select(run, choices)
    st.caption(_counts(cached_reads.predictions(run)))
    wanted = choices.wanted
    if wanted.kind == "mistakes" and wanted.true is not None and wanted.true == wanted.read:
        st.info(f"{wanted.true} predicted as {wanted.read} is right, so it is not a mistake.", icon=":material/info:")
        return
    browse(chosen, "mistakes")


def selection() -> Selection:
    """Return the images that the URL asks for."""
    return _select(pickers.network_in_url(), _choices())


def _choices() -> _Choices:
    return _Choices(
        state.bound_choice(Params.KIND, list(_KINDS), "mistakes"),
        pickers.digit(Params.DIGIT),
        pickers.digit(Params.READ),
        state.bound_choice(Params.ORDER, list(_ORDERS), "confidence"),
        state.bound_range(Params.LOW, Params.HIGH, 0, 100),
    )


def _select(run: runs.Run, choices: _Choices) -> Selection:
    probabilities = cached_reads.predictions(run)
    wanted = choices.wanted
    found = select(cached_reads.mnist().y_test, probabilities, wanted)
    return Selection("test", found, answer_words.describe(wanted), run, answer_words.caption_of(probabilities))


def _counts(probabilities: Probabilities) -> str:
    labels = cached_reads.mnist().y_test
    wrong = len(select(labels, probabilities, AnswerFilter()))
    unsure = len(select(labels, probabilities, AnswerFilter(kind="unsure")))
    return (
        f"Of {len(labels):,} test images, it gets {len(labels) - wrong:,} right and {wrong:,} wrong; "
        f"{unsure:,} are right with less than {percent(UNSURE_BELOW, 0)} confidence. "
        "Below each image: true digit → prediction and its confidence, then what came next."
    )
