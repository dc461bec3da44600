"""Epochs: what a network predicts after each epoch of its training, one by one or played."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from mnist_core import runs
from mnist_core.common.text import percent
from mnist_core.evaluation import metrics
from mnist_core.evaluation.epochs import EpochPredictions, TurnKind, accuracies, turned, unsettled
from mnist_core.evaluation.selection import AnswerFilter, select
from mnist_core.figures import epoch_figures
from ui.components.confusion_matrix import Picked, confusion_matrix
from ui.components.live_chart import live_chart
from ui.explore import answer_words, pickers
from ui.explore.browse import browse
from ui.explore.map_chart import map_chart
from ui.explore.selection import Selection
from ui.session import cached_reads, state
from ui.session.bound import Bound, bound_choice
from ui.session.state import Params
from ui.wording import count

_KINDS = {
    "mistakes": "Mistakes",
    "learned": "Just learned",
    "forgotten": "Just forgotten",
    "unsettled": "Back and forth",
}
_STEP_SECONDS = 1.0
_PAGE_SIZE = 25


@dataclass(frozen=True)
class _Choices:
    epochs: list[str]  # that can be shown
    position: int  # among them, of the epoch that is shown
    epoch: Bound[str]
    kind: Bound[str]
    picked: Picked


def show() -> None:
    """Show a run after one of its epochs; a slider, or *Play*, goes through them."""
    run = pickers.network()
    history = cached_reads.epoch_predictions_of(run)
    if not len(history):
        st.info(
            "This run has no predictions for each epoch: it was trained before Digit Lab saved them, or it ended "
            "before its first epoch was done. Run it again to see them.",
            icon=":material/history:",
        )
        return
    playing = _playing(run, history)
    choices = _choices(run, history, playing)
    if len(history) > 1:
        _slider(run, choices, plays=playing is not None)
    _about_kept_weights(run, history)
    _figures(history, choices.position)
    left, right = st.columns([5, 6], gap="large")
    with left:
        matrix = metrics.confusion_matrix(cached_reads.mnist().y_test, history.at(choices.position))
        confusion_matrix(matrix, choices.picked, pickers.pick_cell, diagonal=False, key="epochs-confusion")
        map_chart("neighbours", history.readings[choices.position], pickers.open_image, key="epochs-map")
    with right:
        kinds = list(_KINDS)
        st.segmented_control("Images", kinds, format_func=_KINDS.__getitem__, required=True, **choices.kind.widget)
        browse(_select(run, history, choices), "epochs")
    if playing is not None:
        state.play(run.id, playing)  # shown from now on
        st.fragment(_next_epoch, run_every=_STEP_SECONDS)(run.id, choices.epochs, choices.position)


def selection() -> Selection:
    """Return the images that the URL asks for."""
    run = pickers.network_in_url()
    history = cached_reads.epoch_predictions_of(run)
    if not len(history):
        return Selection("test", np.empty(0, np.intp), "test images", run)
    return _select(run, history, _choices(run, history, playing=None))


def _choices(run: runs.Run, history: EpochPredictions, playing: str | None) -> _Choices:
    epochs = [str(epoch) for epoch in history.epochs]
    epoch = bound_choice(Params.EPOCH, epochs, str(_kept_epoch(run, history) or epochs[-1]))
    kind = bound_choice(Params.KIND, list(_KINDS), "mistakes")
    return _Choices(epochs, epochs.index(playing or epoch.value), epoch, kind, pickers.cell())


def _kept_epoch(run: runs.Run, history: EpochPredictions) -> int | None:
    """Return the epoch whose weights the network of all other views has; None if its predictions are missing."""
    if run.report is None or run.report.kept_epoch > run.report.epochs_completed:  # broken off within that epoch
        return None
    return run.report.kept_epoch if run.report.kept_epoch in history.epochs else None


def _about_kept_weights(run: runs.Run, history: EpochPredictions) -> None:
    """Say what is not as one would expect: other weights kept than the last ones, epochs that are missing."""
    kept = _kept_epoch(run, history)
    if run.report is not None and run.report.kept_epoch > run.report.epochs_completed:
        st.caption("The saved weights are from the middle of an epoch, which is not shown here.")
    elif kept is not None and kept != history.epochs[-1]:
        st.caption(f"The saved weights, which all other views use, are those after epoch {kept}.")
    if history.missing:
        missing = ", ".join(map(str, history.missing))
        st.caption(
            f"The predictions after epoch {missing} are missing or damaged: what changed there shows one epoch later."
        )


# Playing


def _playing(run: runs.Run, history: EpochPredictions) -> str | None:
    """Return the epoch that is shown while this run is played, if it is."""
    playing = state.now_playing()
    if playing is None or playing.run_id != run.id or int(playing.epoch) not in history.epochs:
        return None
    return playing.epoch


def _slider(run: runs.Run, choices: _Choices, *, plays: bool) -> None:
    epochs, now = choices.epochs, choices.epochs[choices.position]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if plays:
            st.button("Stop", icon=":material/stop:", on_click=state.choose, key="stop-epochs")
            # While it plays, the URL stays: each epoch would be a step in the browser's history.
            st.select_slider("After epoch", epochs, now, disabled=True, key=f"playing-{now}")
        else:
            start = epochs[0] if choices.position == len(epochs) - 1 else now
            st.button(
                "Play", icon=":material/play_arrow:", on_click=state.play, args=(run.id, start), key="play-epochs"
            )
            st.select_slider("After epoch", epochs, **choices.epoch.widget)


def _next_epoch(run_id: str, epochs: list[str], position: int) -> None:
    """Go on to the next epoch when this one was shown for a while; after the last one it stops.

    The page itself never waits: what an earlier epoch showed goes away only when the page has run to its end.
    """
    playing = state.now_playing()
    if playing is None or time.monotonic() - playing.moment < _STEP_SECONDS / 2:
        return
    if position + 1 < len(epochs):
        state.play(run_id, epochs[position + 1])
    else:
        state.choose()
    st.rerun()


# What is shown


def _figures(history: EpochPredictions, position: int) -> None:
    labels = cached_reads.mnist().y_test
    accuracy = accuracies(labels, history)
    wrong = int((history.readings[position] != labels).sum())
    change = f"{100 * (accuracy[position] - accuracy[position - 1]):+.2f} points" if position else None
    left, right = st.columns([3, 4], gap="large", vertical_alignment="center")
    with left, st.container(horizontal=True):
        st.metric("Test accuracy", percent(accuracy[position], 2), change, width="content")
        st.metric("Mistakes", f"{wrong:,}", width="content")
        if position:
            before = history.epochs[position - 1]
            st.metric(
                f"Since epoch {before}",
                f"+{len(turned(labels, history, position, 'learned')):,} "
                f"−{len(turned(labels, history, position, 'forgotten')):,}",
                help="Images that the network learned to read (+) and images that it forgot (−).",
                width="content",
            )
    with right:
        figure = epoch_figures.accuracy_figure(history.epochs, accuracy, history.epochs[position])
        live_chart(figure, tools="hover", key="epochs-accuracy")


def _select(run: runs.Run, history: EpochPredictions, choices: _Choices) -> Selection:
    labels = cached_reads.mnist().y_test
    probabilities = history.at(choices.position)
    caption = answer_words.caption_of(probabilities)
    kind, epoch = choices.kind.value, history.epochs[choices.position]
    true, read = choices.picked
    in_cell = AnswerFilter(kind="all", true=true, read=read)
    if kind == "mistakes":
        wanted = AnswerFilter(true=true, read=read, order="loss")
        found = select(labels, probabilities, wanted)
        words = f"{answer_words.describe(wanted)} after epoch {epoch}"
        return Selection("test", found, words, run, caption, page_size=_PAGE_SIZE)
    if kind == "unsettled":
        found, turns = unsettled(labels, history)
        of_answer = caption

        def caption(index: int) -> tuple[str, ...]:
            return of_answer(index)[0], count(int(turns[index]), "change")
    else:
        found = turned(labels, history, choices.position, cast(TurnKind, kind))
    found = found[np.isin(found, select(labels, probabilities, in_cell))]
    words = {
        "learned": f"images{answer_words.restrictions(in_cell)} that were learned in epoch {epoch}",
        "forgotten": f"images{answer_words.restrictions(in_cell)} that were forgotten in epoch {epoch}",
        "unsettled": f"images{answer_words.restrictions(in_cell)} that were learned and then forgotten again",
    }[kind]
    return Selection("test", found, words, run, caption, page_size=_PAGE_SIZE)
