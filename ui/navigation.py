"""The pages, their order and icons, and the guard that lets each of them be the first page of a fresh server."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from ui.state import Keys

_FOLDER = Path(__file__).resolve().parent.parent / "pages"

HOME = st.Page(_FOLDER / "home.py", title="Home", url_path="home", default=True)
TRAIN = st.Page(_FOLDER / "train.py", title="Train", url_path="train")
EXPLORE = st.Page(_FOLDER / "explore.py", title="Explore", url_path="explore")
DRAW = st.Page(_FOLDER / "draw.py", title="Draw", url_path="draw")

# The icons are not given to the pages: browsers would fetch them from Google to put them on their tabs.
ICONS = {
    HOME: ":material/home:",
    TRAIN: ":material/model_training:",
    EXPLORE: ":material/search:",
    DRAW: ":material/draw:",
}


def declare() -> Page:
    """Declare the pages and return the one that the visitor asked for."""
    st.session_state[Keys.NAVIGATION_DECLARED] = True
    return st.navigation(list(ICONS), position="hidden")


def show_menu() -> None:
    """Show a link to each page; the current one is marked."""
    for page, icon in ICONS.items():
        st.page_link(page, icon=icon, width="stretch")


def require_app() -> None:
    """Make sure that `app.py` runs around this page; every page calls it first.

    Beside a folder called `pages`, a fresh server runs the page of a deep link bare, until some script has called
    `st.navigation` once. So the page does that, and starts over.
    """
    if not st.session_state.get(Keys.NAVIGATION_DECLARED):
        declare()
        st.rerun()
