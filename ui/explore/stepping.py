"""The way to what stands before and after in a list, by a button or an arrow key."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def show_steps(to_previous: Callable[[], None] | None, to_next: Callable[[], None] | None, *, key: str) -> None:
    """Show a button for each direction; None where there is nothing."""
    for label, icon, shortcut, step in (
        ("Previous", ":material/chevron_left:", "Left", to_previous),
        ("Next", ":material/chevron_right:", "Right", to_next),
    ):
        st.button(label, icon=icon, shortcut=shortcut, disabled=step is None, on_click=step, key=f"{key}-{label}")
