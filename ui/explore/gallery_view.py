"""All digits: the images themselves, filtered and ordered in several ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_core.common.arrays import Indices
from mnist_core.data import index_lists, statistics
from mnist_core.data.dataset import Split
from mnist_core.evaluation import metrics
from ui.explore import pickers
from ui.explore.browse import browse
from ui.explore.selection import Selection
from ui.session import cached_reads, state
from ui.session.state import Params
from ui.wording import plain

_SPLIT_WORDS: dict[Split, str] = {"test": "10,000 test images", "train": "60,000 training images"}
_ORDERS = {
    "stored": "as stored",
    "random": "random",
    "ink-least": "least ink first",
    "ink-most": "most ink first",
    "typical": "most typical first",
    "untypical": "least typical first",
    "hardest": "hardest for a network first",
}
_HELP = (
    "Typical: close to the mean of all images with the same label, pixel by pixel (Euclidean distance). "
    "Hardest: by the loss of a network that you choose; there are predictions for the test images only."
)
_MOST_SEEDS = 9999


@dataclass(frozen=True)
class _Choices:
    split: state.Bound[Split]
    digit: state.Bound[str]
    order: state.Bound[str]
    seed: state.Bound[int]
    only: state.Bound[str]


def show() -> None:
    """Show the images of a split and class in some order; a click opens one."""
    choices = _choices()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Images", list(_SPLIT_WORDS), format_func=_SPLIT_WORDS.__getitem__, required=True, **choices.split.widget
        )
        pickers.show_digit("Digit", choices.digit)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        orders = _orders(choices.split.value)
        st.selectbox("Order", orders, format_func=_ORDERS.__getitem__, width=250, help=_HELP, **choices.order.widget)
        if choices.order.value == "random":
            st.number_input("Seed", 0, _MOST_SEEDS, width=130, **choices.seed.widget)
            st.button(
                "Shuffle again",
                icon=":material/shuffle:",
                on_click=state.choose,
                kwargs={"shuffle": (choices.seed.value + 1) % (_MOST_SEEDS + 1), "page": None},
            )
        if choices.order.value == "hardest":
            pickers.network()
        st.text_input(
            "Only these indices",
            placeholder="such as 8, 100-120",
            max_chars=index_lists.MAX_CHARACTERS,
            width=250,
            **choices.only.widget,
        )
    try:
        chosen = _select(choices)
    except index_lists.IndicesError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    browse(chosen, "digits")


def selection() -> Selection:
    """Return the images that the URL asks for; a list of indices that cannot be read is left aside."""
    choices = _choices()
    try:
        return _select(choices)
    except index_lists.IndicesError:
        return _select(choices, listed=False)


def _choices() -> _Choices:
    split = state.bound_choice(Params.SPLIT, list(_SPLIT_WORDS), "test")
    return _Choices(
        split,
        pickers.digit(Params.DIGIT),
        state.bound_choice(Params.ORDER, _orders(split.value), "stored"),
        state.bound_number(Params.SHUFFLE, 0, _MOST_SEEDS, 1),
        state.bound_text(Params.ONLY),
    )


def _orders(split: Split) -> list[str]:
    return [name for name in _ORDERS if split == "test" or name != "hardest"]


def _select(choices: _Choices, *, listed: bool = True) -> Selection:
    split, digit = choices.split.value, pickers.as_digit(choices.digit)
    _, labels = cached_reads.mnist().split(split)
    order = choices.order.value
    run = pickers.network_in_url() if order == "hardest" or (split == "test" and cached_reads.usable_runs()) else None
    if order == "hardest" and run is not None:
        ordered = np.argsort(-metrics.losses(labels, cached_reads.predictions(run)), kind="stable")
    else:
        ordered = _ordered(split, order, choices.seed.value)
    what = f"{'training' if split == 'train' else 'test'} images"
    if digit is not None:
        ordered, what = ordered[labels[ordered] == digit], f"{what} labelled {digit}"
    if listed and choices.only.value:
        only = index_lists.parse_indices(choices.only.value, len(labels))
        # As typed, unless another order was asked for.
        ordered = only[np.isin(only, ordered)] if order == "stored" else ordered[np.isin(ordered, only)]
        what = f"{what} in your list"
    return Selection(split, ordered, what, run)


def _ordered(split: Split, order: str, seed: int) -> Indices:
    if order == "random":
        return statistics.shuffled(len(cached_reads.mnist().split(split)[1]), seed)
    return _measured_order(split, order)


@st.cache_resource(show_spinner=False, max_entries=16)
def _measured_order(split: Split, order: str) -> Indices:
    order_found = _order_of(split, order)
    order_found.setflags(write=False)
    return order_found


def _order_of(split: Split, order: str) -> Indices:
    images, labels = cached_reads.mnist().split(split)
    if order.startswith("ink"):
        measure = statistics.ink(images)
        return np.argsort(-measure if order == "ink-most" else measure, kind="stable")
    if order in ("typical", "untypical"):
        distance = statistics.typicality(images, labels)
        return np.argsort(-distance if order == "untypical" else distance, kind="stable")
    return np.arange(len(labels))
