"""The drawing canvas, and what it holds as ink."""

from __future__ import annotations

import binascii

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_core import drawing, picture_files
from ui.state import Keys

_SIDE = 280


def canvas(brush: int) -> drawing.Ink | None:
    """Show the canvas and return its ink, (280, 280) uint8; None before the first stroke.

    The picture comes from the visitor's browser, so nothing about it is taken for granted. Raises `PictureError`.
    """
    number = st.session_state.setdefault(Keys.CANVAS_NUMBER, 0)
    try:
        result = st_canvas(
            stroke_width=brush,
            stroke_color="#ffffff",
            background_color="#000000",
            width=_SIDE,
            height=_SIDE,
            return_image_data=True,
            key=f"canvas-{number}",
        )
        png = result.image_bytes
    except (TypeError, ValueError, AttributeError, KeyError, binascii.Error) as error:
        raise picture_files.PictureError("The drawing could not be read. Clear it and draw again.") from error
    return None if png is None else picture_files.ink_from_canvas(png)


def clear() -> None:
    """Empty the canvas: a new key makes a new one."""
    st.session_state[Keys.CANVAS_NUMBER] = st.session_state.get(Keys.CANVAS_NUMBER, 0) + 1
