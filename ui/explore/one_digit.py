"""One digit: its pixels, what every network reads in it, how that came about, and what it resembles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Images
from mnist_core.data import neighbours
from mnist_core.data.dataset import Split
from mnist_core.data.neighbours import Neighbour, Neighbours, Vote
from mnist_core.evaluation.disputed_labels import DISPUTED
from mnist_core.evaluation.epochs import EpochPredictions, Turn, turns
from mnist_core.figures import answer_figures, epoch_figures
from ui.components.digit_grid import Tile, digit_grid
from ui.components.live_chart import live_chart
from ui.explore.browse import called
from ui.explore.selection import Selection
from ui.explore.stepping import show_steps
from ui.insight import panel as insight_panel
from ui.pickers.runs import READER, chosen_run, name_of, no_network
from ui.session import cached_reads, state
from ui.session.bound import bound_toggle
from ui.session.state import Params
from ui.wording import count, plain

_NEIGHBOURS = 8
_MOST_ANSWERS = 10  # shown at once


def show(selection: Selection) -> None:
    """Show the image that the URL names, with the way to others of the selection that it was opened from."""
    images, labels = cached_reads.mnist().split(selection.split)
    index = state.read_number(Params.INDEX, 0, len(labels) - 1, default=0)
    if st.query_params.get(Params.INDEX) != str(index):
        st.warning(
            f"The link does not name an image of this set. Here is number {index:,} instead.",
            icon=":material/search_off:",
        )
    _way_on(selection, index)
    st.header(called(selection.split, labels, index), anchor=False)
    if selection.split == "test" and index in DISPUTED:
        st.warning(DISPUTED[index].sentence, icon=":material/how_to_vote:")
    left, right = st.columns([2, 3], gap="large")
    with left:
        live_chart(answer_figures.digit_figure(images[index]), tools="hover", key="pixels")
        st.caption("28 × 28 pixels; point at one to read its value, from 0 (paper) to 255 (ink).")
        if selection.split == "test" and selection.run is not None:
            _epoch_predictions(selection.run, index, int(labels[index]))
    with right:
        if selection.split == "test":
            _answers(index, int(labels[index]), selection.run)
        else:
            st.info(
                "Networks were trained on this image, or on others like it, so their predictions for it would say "
                "little. There are predictions for the test images only.",
                icon=":material/info:",
            )
    _looked_at(selection, images[index], int(labels[index]))
    _resembling(selection.split, index)


def _looked_at(selection: Selection, image: Images, label: int) -> None:
    """Offer a look inside the network: what speaks for each digit, and what each layer makes of the image."""
    inside = bound_toggle(Params.INSIDE, keeps_place=True)
    usable = {run.id: run for run in cached_reads.usable_runs()}
    run = selection.run or (usable[chosen_run(list(usable.values()), fallback=READER).value] if usable else None)
    if run is not None and st.toggle(f"Look inside {plain(name_of(run))}: what it looked at", **inside.widget):
        insight_panel.show(run, image, key="insight", labelled=label)


def _way_on(selection: Selection, index: int) -> None:
    position = selection.position(index)
    last = len(selection.indices) - 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Back to {selection.back}",
            icon=":material/grid_view:",
            shortcut="Esc",
            on_click=_back,
            args=(selection, position),
        )
        show_steps(
            partial(_move, selection, index, -1) if position is not None and position > 0 else None,
            partial(_move, selection, index, 1) if position is not None and position < last else None,
            key="digit",
        )
        if position is None:
            st.markdown(f"Not among the {len(selection.indices):,} {selection.what}", width="content")
        else:
            where = f"place **{position + 1:,}** of {len(selection.indices):,}"
            st.markdown(f"{selection.heading}: {where}", width="content")


def _move(selection: Selection, index: int, step: int) -> None:
    """Go on from the image that the visitor sees or has already asked for."""
    state.put_back()
    position = selection.position(state.read_number(Params.INDEX, 0, 10**9, default=index))
    if position is not None:
        place = min(max(position + step, 0), len(selection.indices) - 1)
        state.choose(**{Params.INDEX.value: int(selection.indices[place]), Params.ASKED.value: None})


def _back(selection: Selection, position: int | None) -> None:
    """Go back to that page of the list on which the image is."""
    page = None if position is None else position // int(selection.size.value) + 1
    state.choose(**{Params.INDEX.value: None, Params.ASKED.value: None, Params.PAGE.value: page})


def _answers(index: int, label: int, chosen: runs.Run | None) -> None:
    """Show what every network reads in a test image, the chosen one first."""
    everyone = cached_reads.all_answers(include=chosen)
    everyone.show_notes()
    if not everyone.probabilities:
        no_network()
        return
    order = sorted(everyone.probabilities, key=lambda run_id: chosen is None or run_id != chosen.id)
    answers = np.stack([everyone.probabilities[run_id][index] for run_id in order])
    right = int((answers.argmax(axis=1) == label).sum())
    st.markdown(f"**{right} of {count(len(order), 'network')}** predict its label, {label}.")
    names = [name_of(everyone.by_id[run_id]) for run_id in order]
    further = len(order) - _MOST_ANSWERS
    shown = _MOST_ANSWERS
    if further > 0 and st.toggle(f"Show {count(further, 'further network')}", key="all-answers"):
        shown = len(order)
    figure = answer_figures.answers_figure(names[:shown], answers[:shown], label)
    live_chart(figure, tools="hover", key="answers")


def _epoch_predictions(run: runs.Run, index: int, label: int) -> None:
    """Show how the answer of a network to one image changed from epoch to epoch."""
    history = cached_reads.epoch_predictions_of(run)
    if len(history) < 2:
        return
    st.subheader(f"How {plain(name_of(run))} learned it", anchor=False)
    st.markdown(turns_in_words(history, turns(cached_reads.mnist().y_test, history, index)))
    figure = epoch_figures.one_image_figure(history.epochs, history.probabilities[:, index], label)
    live_chart(figure, tools="hover", key="one-image")


def turns_in_words(history: EpochPredictions, turns: Sequence[Turn]) -> str:
    """Return a sentence such as “Learned in epoch 2, forgotten in 4, learned again in 5.”."""
    if not turns:
        return "Not right after any epoch."
    parts = []
    for number, turn in enumerate(turns):
        again = " again" if number >= 2 else ""
        when = "by" if turn.epoch - 1 in history.missing else "in"
        parts.append(f"{turn.kind}{again} {when} {'epoch ' if number == 0 else ''}{turn.epoch}")
    sentence = ", ".join(parts)
    stayed = " and right ever since" if len(turns) == 1 and turns[0].epoch != history.epochs[-1] else ""
    return sentence[0].upper() + sentence[1:] + stayed + "."


def _resembling(split: Split, index: int) -> None:
    """Show the training images that are nearest to an image, and what a vote of the nearest would say."""
    found, vote = _neighbours(split, index)
    st.subheader("Its nearest neighbours, pixel by pixel", anchor=False)
    label = int(cached_reads.mnist().split(split)[1][index])
    right = "right" if vote.digit == label else "wrong"
    st.caption(
        "The nearest of the 60,000 training images, by the distance between their pixels (Euclidean, each pixel from "
        "0 to "
        f"1). A vote of the {neighbours.VOTERS} nearest, with no network at all, would read **{vote.digit}**, which "
        f"is {right}."
    )
    for title, nearest, key in (
        (f"The nearest labelled {label}", found.same, "same"),
        ("The nearest with another label", found.other, "other"),
    ):
        st.markdown(title)
        _row(nearest, key)


def _row(nearest: Sequence[Neighbour], key: str) -> None:
    data = cached_reads.mnist()
    tiles = [
        Tile(each.index, called("train", data.y_train, each.index), (f"{each.label}", f"{each.distance:.2f} away"))
        for each in nearest
    ]
    images = data.x_train[[each.index for each in nearest]]
    digit_grid(images, tiles, _open_training_image, width=76, key=f"neighbours-{key}")


def _open_training_image(index: int) -> None:
    state.go(view="digits", split="train", index=index)


@st.cache_resource(show_spinner=False, max_entries=256)
def _neighbours(split: Split, index: int) -> tuple[Neighbours, Vote]:
    data = cached_reads.mnist()
    images, labels = data.split(split)
    own = index if split == "train" else None
    found = neighbours.nearest(
        images[index], int(labels[index]), data.x_train, data.y_train, _NEIGHBOURS, leave_out=own
    )
    return found, neighbours.vote(found)
