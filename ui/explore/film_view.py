"""Epochs: what a network read after each epoch of its training, as a film."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from mnist_core import answers, evaluation, film, runs
from mnist_core.answers import AnswerFilter
from mnist_core.figures import film_figures
from mnist_core.film import Film
from ui import readers, state
from ui.confusion_table import Picked, confusion_table
from ui.explore import mistakes_view, pickers
from ui.explore.browse import browse
from ui.explore.map_chart import map_chart
from ui.explore.selection import Selection
from ui.state import Keys, Params
from ui.wording import count

_KINDS = {
    "mistakes": "Mistakes",
    "learned": "Just learned",
    "forgotten": "Just forgotten",
    "unsettled": "Back and forth",
}
_FRAME_SECONDS = 0.8


@dataclass(frozen=True)
class _Choices:
    position: int  # in the film, from 0, of the epoch that is shown
    epoch: state.Bound[str]
    kind: state.Bound[str]
    picked: Picked
    playing: bool


def show() -> None:
    """Show a run after one of its epochs; a slider, or *Play*, goes through them."""
    run = pickers.network()
    history = readers.film_of(run)
    if not len(history):
        st.info(
            "This run has no film: it was trained before Digit Lab kept its answers after each epoch, or it ended "
            "before "
            "its first epoch was done. Train it again to see one.",
            icon=":material/movie:",
        )
        return
    choices = _choices(history)
    if len(history) > 1:
        _slider(history, choices)
    _figures(history, choices.position)
    left, right = st.columns([5, 6], gap="large")
    with left:
        matrix = evaluation.confusion_matrix(readers.mnist().y_test, history.frame(choices.position))
        confusion_table(matrix, choices.picked, _pick, diagonal=False, key="film-confusion")
        map_chart("neighbours", history.readings[choices.position], _open, key="film-map")
    with right:
        st.segmented_control(
            "Images", list(_KINDS), format_func=_KINDS.__getitem__, required=True, **choices.kind.widget
        )
        browse(_select(run, history, choices), "film", default_size="25")
    if choices.playing:
        _next_frame(history, choices.position)


def selection() -> Selection:
    """Return the images that the URL asks for."""
    run = pickers.network_in_url()
    history = readers.film_of(run)
    if not len(history):
        return Selection("test", np.empty(0, np.intp), "test images", run)
    return _select(run, history, _choices(history))


def _choices(history: Film) -> _Choices:
    epochs = [str(epoch) for epoch in history.epochs]
    epoch = state.bound_choice(Params.EPOCH, epochs, epochs[-1])
    kind = state.bound_choice(Params.KIND, list(_KINDS), "mistakes")
    picked = pickers.as_digit(pickers.digit(Params.DIGIT)), pickers.as_digit(pickers.digit(Params.READ))
    playing = st.session_state.get(Keys.PLAYING)
    return _Choices(epochs.index(playing if playing in epochs else epoch.value), epoch, kind, picked, playing in epochs)


def _slider(history: Film, choices: _Choices) -> None:
    epochs = [str(epoch) for epoch in history.epochs]
    now = epochs[choices.position]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if choices.playing:
            st.button("Stop", icon=":material/stop:", on_click=_stop, args=(now,), key="stop-film")
            # While it plays, the URL stays: each epoch would be a step in the browser's history.
            st.select_slider("After epoch", epochs, now, disabled=True, key=f"playing-{now}")
        else:
            start = epochs[0] if choices.position == len(epochs) - 1 else now
            st.button("Play", icon=":material/play_arrow:", on_click=_play, args=(start,), key="play-film")
            st.select_slider("After epoch", epochs, **choices.epoch.widget)


def _play(start: str) -> None:
    st.session_state[Keys.PLAYING] = start


def _stop(epoch: str) -> None:
    st.session_state.pop(Keys.PLAYING, None)
    state.choose(**{Params.EPOCH.value: epoch, Params.PAGE.value: None})


def _next_frame(history: Film, position: int) -> None:
    """Wait a moment, then show the next epoch; after the last one the film stops."""
    time.sleep(_FRAME_SECONDS)
    if position + 1 < len(history):
        st.session_state[Keys.PLAYING] = str(history.epochs[position + 1])
    else:
        _stop(str(history.epochs[position]))
    st.rerun()


def _figures(history: Film, position: int) -> None:
    labels = readers.mnist().y_test
    accuracies = film.accuracies(labels, history)
    wrong = int((history.readings[position] != labels).sum())
    change = f"{100 * (accuracies[position] - accuracies[position - 1]):+.2f} points" if position else None
    left, right = st.columns([3, 4], gap="large", vertical_alignment="center")
    with left, st.container(horizontal=True):
        st.metric("Test accuracy", f"{accuracies[position]:.2%}", change, width="content")
        st.metric("Mistakes", f"{wrong:,}", width="content")
        if position:
            before = history.epochs[position - 1]
            st.metric(
                f"Since epoch {before}",
                f"+{len(film.turned(labels, history, position, 'learned')):,} "
                f"−{len(film.turned(labels, history, position, 'forgotten')):,}",
                help="Images that this epoch made right (+) and images that it made wrong (−).",
                width="content",
            )
    with right:
        figure = film_figures.accuracy_figure(history.epochs, accuracies, history.epochs[position])
        st.plotly_chart(figure, config={"displayModeBar": False}, key="film-accuracy")


def _open(index: int) -> None:
    state.choose(**{Params.INDEX.value: index})


def _pick(picked: Picked) -> None:
    true, read = picked
    state.choose(**{Params.DIGIT.value: true, Params.READ.value: read, Params.PAGE.value: None})


def _select(run: runs.Run, history: Film, choices: _Choices) -> Selection:
    labels = readers.mnist().y_test
    probabilities = history.frame(choices.position)
    caption = mistakes_view.caption_of(probabilities)
    kind = choices.kind.value
    true, read = choices.picked
    epoch = history.epochs[choices.position]
    if kind == "mistakes":
        wanted = AnswerFilter(true=true, read=read, order="loss")
        found = answers.select(labels, probabilities, wanted)
        return Selection("test", found, f"{mistakes_view.describe(wanted)} after epoch {epoch}", run, caption)
    words = {
        "learned": f"images that epoch {epoch} made right",
        "forgotten": f"images that epoch {epoch} made wrong",
        "unsettled": "images that were right once and then wrong again",
    }[kind]
    if kind == "unsettled":
        found, turns = film.unsettled(labels, history)
        answer = caption

        def caption(index: int) -> tuple[str, ...]:
            return answer(index)[0], count(int(turns[index]), "turn")
    else:
        found = film.turned(labels, history, choices.position, cast(film.Kind, kind))
    if choices.picked != (None, None):
        passed = answers.select(labels, probabilities, AnswerFilter(kind="all", true=true, read=read))
        found = found[np.isin(found, passed)]
        words += mistakes_view.describe(AnswerFilter(kind="all", true=true, read=read)).removeprefix("test images")
    return Selection("test", found, words, run, caption)
