"""The drawing canvas and its tools, and what is drawn on it as strokes."""

from __future__ import annotations

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_core.drawing import strokes
from mnist_core.drawing.strokes import Drawing
from ui.components import source
from ui.session.state import Keys

_tools = st.components.v2.component(
    "digit_lab_canvas_tools",
    html="""
<div class="canvas-tools" role="group" aria-label="Drawing" hidden>
  <button type="button" title="Undo the last stroke (Ctrl Z)">Undo</button>
  <button type="button" title="Redo the stroke (Ctrl Y)">Redo</button>
  <button type="button" title="Clear the canvas">Clear</button>
</div>
""",
    css=source("canvas_tools.css"),
    js=source("canvas_tools.js"),
)


def show() -> Drawing:
    """Show the canvas, its tools and the brush, and return what is drawn on it.

    The drawing comes from the visitor's browser, so nothing about it is taken for granted. It is remembered, so that it
    is still there when the visitor comes back from another page.
    """
    with st.container(key="drawing"):
        st.html(f"<style>{source('canvas.css')}</style>")
        place = st.container()
        tools = st.container()
        brush = st.slider("Brush width", 10, 48, strokes.BRUSH_WIDTH, format="%d px")
        with place:
            drawing = _canvas(brush)
        with tools:
            restored = st.session_state[Keys.CANVAS_START] is not None
            _tools(key="canvas-tools", data={"restored": restored}, on_cleared_change=_forget_start)
        _tell_what_is_left_out(drawing)
        return drawing


def _forget_start() -> None:
    """Let the canvas start empty: that empties it."""
    st.session_state[Keys.CANVAS_START] = None


def _tell_what_is_left_out(drawing: Drawing) -> None:
    """Say so if the canvas shows more strokes than are read."""
    payload = st.session_state[Keys.DRAWING]
    shown = payload.get("objects") if isinstance(payload, dict) else None
    if isinstance(shown, list) and len(shown) > len(drawing.strokes):
        st.warning(
            f"Not all of this is read: a drawing has at most {strokes.MOST_STROKES} strokes with "
            f"{strokes.MOST_POINTS:,} points in all, and no stroke that leads far off the canvas.",
            icon=":material/gesture:",
        )


def _canvas(brush: int) -> Drawing:
    if "canvas" not in st.session_state:  # it is new on this page: it starts with what was drawn before
        last = st.session_state.get(Keys.DRAWING)
        st.session_state[Keys.CANVAS_START] = last if strokes.from_canvas(last).strokes else None
    try:
        payload = st_canvas(
            stroke_width=brush,
            stroke_color="#ffffff",
            background_color="#000000",
            width=strokes.CANVAS_SIDE,
            height=strokes.CANVAS_SIDE,
            initial_drawing=st.session_state[Keys.CANVAS_START],
            key="canvas",
        ).json_data
    except (TypeError, ValueError, AttributeError, KeyError):  # something else than the canvas has answered
        payload = None
    st.session_state[Keys.DRAWING] = payload
    return strokes.from_canvas(payload)
