"""How a drawing is prepared: step by step, with what the network reads if a step is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mnist_core.common.arrays import Box, Ink, Probabilities
from mnist_core.common.text import percent
from mnist_core.drawing import ink_changes, preparation, preparation_steps
from mnist_core.drawing.preparation_steps import ALL, NONE, Step, Switches
from mnist_core.drawing.strokes import CANVAS_SIDE
from mnist_core.processes.inference import InferenceError
from ui.components.answer_bars import Answer, answer_bars
from ui.draw.preparation_pictures import (
    centred_html,
    cropped_html,
    drawn_html,
    fitted_html,
    given_html,
    head_html,
    without_html,
)

Predict = Callable[[Ink], Probabilities]  # images (n, 28, 28) to probabilities (n, 10)

_STYLE = Path(__file__).with_name("preparation.css")
_LEFT_OUT = (Switches(crop=False), Switches(fit=False), Switches(centre=False))
_MUCH_LESS_SURE = 0.1


@dataclass(frozen=True)
class _Slider:
    """A slider that changes the drawing; `default` leaves it as it is."""

    name: str
    label: str
    low: int
    high: int
    step: int
    unit: str
    default: int = 0

    @property
    def key(self) -> str:
        return f"preparation-{self.name}"


_FURTHEST = CANVAS_SIDE // 2
_SLIDERS = (
    _Slider("right", "Shift to the right", -_FURTHEST, _FURTHEST, 1, " px"),
    _Slider("down", "Shift down", -_FURTHEST, _FURTHEST, 1, " px"),
    _Slider("size", "Size", 30, 130, 5, "%%", default=100),
    _Slider("rotation", "Rotation", -45, 45, 5, "°"),
    _Slider("thickness", "Stroke thickness", -10, 14, 1, " px"),
)


@dataclass(frozen=True)
class _Variant:
    """The drawing prepared in one way, and the probabilities, (10,), that the network gives for the result."""

    switches: Switches
    steps: tuple[Step, ...]
    probabilities: Probabilities

    @property
    def title(self) -> str:
        return {ALL: "With all steps", NONE: "Without any step"}.get(self.switches, "With your choice of steps")

    @property
    def reading(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> str:
        return percent(float(self.probabilities.max()))

    def much_less_sure_than(self, other: _Variant) -> bool:
        return float(other.probabilities.max() - self.probabilities.max()) > _MUCH_LESS_SURE


@st.fragment
def show(ink: Ink, box: Box, predict: Predict) -> None:
    """Show the four steps that turn the ink into 28 × 28 pixels, each with a switch, and what is read with and without.

    Sliders change the drawing before that. `box` is the `bounds` of the ink. `predict` is asked once for all that is
    shown; if it raises `InferenceError`, or no ink is left, the panel says so.
    """
    st.html(_STYLE)
    steps_place = st.container(key="preparation-steps")
    answers_place, sliders_place = st.columns([3, 2], gap="large")
    with sliders_place:
        changed = _changed(ink, box)
    with steps_place:
        columns = st.columns(4, gap="medium")
        switches = _switches(columns)
    try:
        asked = [ALL, switches if switches != ALL else NONE, *_LEFT_OUT]
        box = box if changed is ink else preparation.bounds(changed)
        all_steps, other, *left_out = _ask(changed, box, asked, predict)
    except preparation.NoInkError:
        answers_place.info("No ink is left on the canvas. Shift it back, or reset the sliders.")
        return
    except InferenceError as error:
        answers_place.error(str(error), icon=":material/error:")
        return
    _show_steps(columns, all_steps if switches == ALL else other, box, all_steps, left_out)
    with answers_place:
        st.markdown(_verdict(all_steps, other))
        _show_answers(all_steps, other)


def _switches(columns: Sequence[DeltaGenerator]) -> Switches:
    """Show what each step is called, with a switch for those that can be left out."""
    columns[0].html(head_html())
    names = ("Crop", "Fit into 20 × 20", "Centre by mass")
    on = [column.toggle(name, True, key=f"preparation-{name}") for column, name in zip(columns[1:], names, strict=True)]
    return Switches(*on)


def _changed(ink: Ink, box: Box) -> Ink:
    """Show the sliders; return the ink as they change it."""
    nothing = {slider.name: slider.default for slider in _SLIDERS}
    with st.container(horizontal=True):
        corner = {**nothing, **_to_corner(ink, box)}
        st.button("Small, in a corner", icon=":material/south_east:", on_click=_set, kwargs=corner)
        st.button("Reset", icon=":material/restart_alt:", on_click=_set, kwargs=nothing)
    for slider in _SLIDERS:  # set each time: a slider that comes back would otherwise stand at its low end
        st.session_state[slider.key] = st.session_state.get(slider.key, slider.default)
    right, down, size, rotation, thickness = (
        st.slider(each.label, each.low, each.high, step=each.step, format=f"%d{each.unit}", key=each.key)
        for each in _SLIDERS
    )
    return ink_changes.changed(ink, right, down, size / 100, rotation, thickness)


def _set(**values: int) -> None:
    for slider in _SLIDERS:
        st.session_state[slider.key] = values[slider.name]


def _to_corner(ink: Ink, box: Box) -> dict[str, int]:
    """Return what shrinks a drawing and drags its middle towards the lower right corner."""
    down, right = (
        round(length * 3 / 4 - (lines.start + lines.stop) / 2) for length, lines in zip(ink.shape, box, strict=True)
    )
    return {"right": _within(right), "down": _within(down), "size": 40}


def _within(pixels: int) -> int:
    return min(max(pixels, -_FURTHEST), _FURTHEST)


def _ask(ink: Ink, box: Box, variants: Sequence[Switches], predict: Predict) -> list[_Variant]:
    """Return the drawing prepared in each way; the network is asked once for all. Raises what `steps` and it raise."""
    made = [preparation_steps.steps(ink, variant, box) for variant in variants]
    probabilities = predict(np.stack([steps[-1].picture for steps in made]))
    return [_Variant(*each) for each in zip(variants, made, probabilities, strict=True)]


def _show_steps(
    columns: Sequence[DeltaGenerator],
    shown: _Variant,
    box: Box,
    all_steps: _Variant,
    left_out: Sequence[_Variant],
) -> None:
    drawn, cropped, fitted, centred = shown.steps
    frame = box if shown.switches.crop else None
    figures = (
        drawn_html(drawn, frame),
        cropped_html(cropped, drawn.picture),
        fitted_html(fitted),
        centred_html(centred),
    )
    lines = [_without(each, all_steps) for each in left_out]
    for column, figure, line in zip(columns, figures, ["", *lines], strict=True):
        column.html(figure + line)


def _without(left_out: _Variant, all_steps: _Variant) -> str:
    """Return a line on what is read without one step."""
    if left_out.reading != all_steps.reading:
        return without_html(f"read as {left_out.reading}, {left_out.confidence}", worse=True)
    if left_out.much_less_sure_than(all_steps):
        return without_html(f"still {left_out.reading}, but only {left_out.confidence}", worse=True)
    return without_html(f"still {left_out.reading}, {left_out.confidence}", worse=False)


def _show_answers(all_steps: _Variant, other: _Variant) -> None:
    """Show side by side what the network is given, and what it reads."""
    with st.container(key="preparation-answers"):
        for place, column, each in zip(("with", "without"), st.columns(2), (all_steps, other), strict=True):
            how = ", ".join(step.title for step in each.steps[1:]).capitalize()
            kind = "clear" if each.reading == all_steps.reading else "differs"
            with column.container(border=True):
                st.html(given_html(each.title, how, each.steps[-1].picture))
                answer = Answer(kind, str(each.reading), each.confidence)
                answer_bars(answer, each.probabilities, key=f"preparation-{place}", small=True)


def _verdict(all_steps: _Variant, other: _Variant) -> str:
    """Return in a sentence or two what the steps change for this drawing."""
    if other.reading != all_steps.reading:
        return (
            f"With all steps, it is read as **{all_steps.reading}**; {other.title.lower()}, as **{other.reading}**. "
            "The network learned from digits that were all cropped, fitted and centred, or nearly so: it does not know "
            "any others."
        )
    if other.much_less_sure_than(all_steps):
        return (
            f"Read as **{all_steps.reading}** both times, but {other.title.lower()} the network is much less "
            f"confident: {other.confidence} instead of {all_steps.confidence}."
        )
    if other.switches != NONE:
        return f"Read as **{all_steps.reading}** both times: for this drawing, what you left out makes no difference."
    return (
        f"Read as **{all_steps.reading}** both times: this drawing is much like MNIST as it is. "
        "Make it small, shift it to a corner, and look again."
    )
