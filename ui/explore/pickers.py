"""What several views of the Explore page let a visitor choose."""

from __future__ import annotations

import streamlit as st

from mnist_core import runs
from mnist_core.data.dataset import CLASSES
from ui.components.confusion_matrix import Picked
from ui.pickers.runs import chosen_run, pick_run
from ui.session import cached_reads, state
from ui.session.bound import Bound, bound_choice
from ui.session.state import Params

_ALL = "all"


def network() -> runs.Run:
    """Let the visitor choose a network whose answers are stored; end the page, with a way on, if there is none."""
    run = pick_run("Network", cached_reads.usable_runs())
    if run is None:
        st.stop()
    return run


def network_in_url() -> runs.Run:
    """Return the network that `network` would offer first, without showing a widget."""
    usable = cached_reads.usable_runs()
    if not usable:
        return network()  # says that there is none
    run_id = chosen_run(usable).value
    return next(run for run in usable if run.id == run_id)


def digit(name: Params) -> Bound[str]:
    """Return the class that the URL names, or all of them, for `show_digit` and `as_digit`."""
    return bound_choice(name, [_ALL, *map(str, CLASSES)], _ALL)


def as_digit(chosen: Bound[str]) -> int | None:
    """Return the class that was chosen; None stands for all."""
    return None if chosen.value == _ALL else int(chosen.value)


def show_digit(label: str, chosen: Bound[str], *, compact: bool = False) -> None:
    """Show the widget for a class, as a row of buttons or, if `compact`, as a list."""
    options = [_ALL, *map(str, CLASSES)]
    if compact:
        st.selectbox(label, options, format_func=str.capitalize, width=120, **chosen.widget)
    else:
        st.segmented_control(label, options, format_func=str.capitalize, required=True, wrap=True, **chosen.widget)


def cell() -> Picked:
    """Return the cell, row or column of a confusion matrix that the URL names."""
    return as_digit(digit(Params.DIGIT)), as_digit(digit(Params.READ))


def pick_cell(picked: Picked) -> None:
    """Put a cell, row or column of a confusion matrix into the URL, in a callback."""
    true, read = picked
    state.choose(**{Params.DIGIT.value: true, Params.READ.value: read, Params.PAGE.value: None})


def open_image(index: int) -> None:
    """Open an image of the list that is shown, in a callback."""
    state.choose(**{Params.INDEX.value: index})
