"""A digit drawn on the canvas: read after each stroke, and what is behind the reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Box, Images, Ink, Probabilities
from mnist_core.drawing.preparation import NoInkError, bounds, prepare_cropped
from mnist_core.processes import inference
from ui.components import canvas
from ui.draw import keeping, networks, preparation, reading
from ui.insight import panel as insight_panel
from ui.pickers.runs import READER, pick_run
from ui.session import cached_reads, state
from ui.session.bound import bound_choice
from ui.session.state import Params


@dataclass(frozen=True, eq=False)
class _DigitOnCanvas:
    """A drawing that has ink: as it is on the canvas, where it is, and as networks are given it, (28, 28)."""

    ink: Ink
    box: Box  # of the ink
    digit: Ink
    run: runs.Run
    choices: Sequence[runs.Run]  # of networks, `run` among them

    def predict(self, images: Images) -> Probabilities:
        """Return what the chosen network answers to images (n, 28, 28): (n, 10). Raises `InferenceError`."""
        return inference.predict(self.run.model_file, images)


@st.fragment
def show() -> None:
    """Show the canvas, what the chosen network reads, and what explains it."""
    state.catch_up_in_fragment()
    left, right = st.columns([2, 3], gap="medium")
    with left:
        drawing = canvas.show()
    with right:
        answer = st.container(key="answer")
        choices = cached_reads.usable_runs()
        run = pick_run("Network", choices, fallback=READER)
    if run is None:
        return
    ink = drawing.ink()
    try:
        box = bounds(ink)
    except NoInkError:
        with answer:
            reading.show_empty()
        return
    cropped = ink[box]
    digit_on_canvas = _DigitOnCanvas(ink, box, prepare_cropped(cropped), run, choices)
    with answer:
        digit = reading.show(run, cropped, digit_on_canvas.digit)
    with right:
        keeping.show(digit_on_canvas.digit, drawing, digit)
    st.divider()
    _panels(digit_on_canvas)


def _panels(digit_on_canvas: _DigitOnCanvas) -> None:
    panel = bound_choice(Params.PANEL, list(_PANELS), "preparation")
    st.segmented_control(
        "More about it",
        list(_PANELS),
        format_func=lambda name: _PANELS[name][0],
        required=True,
        label_visibility="collapsed",
        **panel.widget,
    )
    _PANELS[panel.value][1](digit_on_canvas)


def _preparation(digit_on_canvas: _DigitOnCanvas) -> None:
    preparation.show(digit_on_canvas.ink, digit_on_canvas.box, digit_on_canvas.predict)


def _networks(digit_on_canvas: _DigitOnCanvas) -> None:
    networks.show(digit_on_canvas.run, digit_on_canvas.choices, digit_on_canvas.digit)


def _insight(digit_on_canvas: _DigitOnCanvas) -> None:
    insight_panel.show(digit_on_canvas.run, digit_on_canvas.digit, key="insight")


_PANELS: dict[str, tuple[str, Callable[[_DigitOnCanvas], None]]] = {
    "preparation": ("How it was preprocessed", _preparation),
    "networks": ("What other networks predict", _networks),
    "insight": ("What the network looked at", _insight),
}
