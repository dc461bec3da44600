"""One drawing of a class set: its pixels, the strokes that it came from, and what networks read in it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import streamlit as st

from mnist_core.drawing.class_sets.drawings import KeptDrawing
from mnist_core.figures import answer_figures
from mnist_core.processes.inference import InferenceError
from mnist_core.runs import Run
from ui.components.live_chart import live_chart
from ui.explore.stepping import show_steps
from ui.pickers.runs import name_of, no_network
from ui.session import state
from ui.session.picture_answers import Pictures
from ui.session.state import Params
from ui.wording import count, plain

_MOST_ANSWERS = 10


def show(
    drawing: KeptDrawing, drawings: Sequence[KeptDrawing], networks: Sequence[Run], on_delete: Callable[[], None] | None
) -> None:
    """Show a drawing, with the way to the others of its set, and what the first of the networks read in it.

    `on_delete` deletes it, None if the visitor may not.
    """
    place = next(place for place, each in enumerate(drawings) if each.id == drawing.id)
    _way_on(place, drawings, on_delete)
    st.header(f"Number {place + 1:,}, meant as {drawing.label}", anchor=False)
    left, right = st.columns([2, 3], gap="large")
    with left:
        live_chart(answer_figures.digit_figure(drawing.image), tools="hover", key="drawing-pixels")
        st.caption("What networks are given: 28 × 28 pixels.")
        if drawing.drawn.strokes:
            picture = base64.b64encode(_strokes_as_svg(drawing).encode()).decode()
            st.html(
                f'<img src="data:image/svg+xml;base64,{picture}" alt="The strokes of the pen" '
                'style="display: block; width: 50%; max-width: 200px; border-radius: 6px">'
            )
            st.caption(f"As it was drawn, in {count(len(drawing.drawn.strokes), 'stroke')}.")
    with right:
        _answers(drawing, networks)


def _way_on(place: int, drawings: Sequence[KeptDrawing], on_delete: Callable[[], None] | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Back to the set",
            icon=":material/grid_view:",
            shortcut="Esc",
            on_click=state.choose,
            kwargs={Params.DRAWING.value: None},
        )
        # The newest stand first in the list.
        before, after = (
            partial(state.choose, **{Params.DRAWING.value: drawings[other].id}) if 0 <= other < len(drawings) else None
            for other in (place + 1, place - 1)
        )
        show_steps(before, after, key="drawing")
        if on_delete is not None:
            st.button("Delete it", icon=":material/delete:", on_click=on_delete, key="delete-drawing")


def _answers(drawing: KeptDrawing, networks: Sequence[Run]) -> None:
    """Show what networks read in a drawing; further ones are asked only if the visitor wants to see them."""
    verdict = st.empty()
    further = len(networks) - _MOST_ANSWERS
    if further > 0 and not st.toggle(f"Ask {count(further, 'further network')}", key="all-answers"):
        networks = networks[:_MOST_ANSWERS]
    pictures = Pictures(drawing.image[None])
    answers, names = [], []
    for run in networks:
        try:
            answers.append(pictures.answers_of(run)[0])
            names.append(name_of(run))
        except InferenceError as error:
            st.caption(f":material/info: {plain(str(error))}")
    if not answers:
        no_network()
        return
    right = sum(int(answer.argmax()) == drawing.label for answer in answers)
    verdict.markdown(f"**{right} of {count(len(answers), 'network')}** predict what was meant, {drawing.label}.")
    figure = answer_figures.answers_figure(names, np.stack(answers), drawing.label)
    live_chart(figure, tools="hover", key="drawing-answers")


def _strokes_as_svg(drawing: KeptDrawing) -> str:
    """Return the strokes as a picture that the browser draws: a file may hold so many that it would keep us busy."""
    side = drawing.canvas
    lines = "".join(
        # A stroke of one point is a dot: a line to itself with a round end.
        f'<polyline stroke-width="{width}" '
        f'points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in [*stroke.tolist(), stroke[-1].tolist()])}"/>'
        for stroke, width in zip(drawing.drawn.strokes, drawing.drawn.widths, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" fill="#000"/>'
        '<g fill="none" stroke="#fff" stroke-linecap="round" stroke-linejoin="round">'
        f"{lines}</g></svg>"
    )
