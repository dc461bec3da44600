"""The pages, their order and icons, and the guard that lets each of them be the first page of a fresh server."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from mnist_core.common.server import PROJECT
from ui.session.state import Keys

# What links name the pages by. Never as page objects: see `declare`.
HOME = "pages/home.py"
TRAIN = "pages/train.py"
EXPLORE = "pages/explore.py"
DRAW = "pages/draw.py"

_TITLES = {HOME: "Home", TRAIN: "Train", EXPLORE: "Explore", DRAW: "Draw"}

# The icons are not given to the pages: browsers would fetch them from Google to put them on their tabs.
_ICONS = {
    HOME: ":material/home:",
    TRAIN: ":material/model_training:",
    EXPLORE: ":material/search:",
    DRAW: ":material/draw:",
}


def declare() -> Page:
    """Declare the pages and return the one that the visitor asked for.

    The pages are made anew each time: Streamlit notes in a page object whether it may still be run, so visitors who
    shared one would now and then take that right from each other.
    """
    st.session_state[Keys.NAVIGATION_DECLARED] = True
    pages = [
        st.Page(PROJECT / path, title=title, url_path=Path(path).stem, default=path == HOME)
        for path, title in _TITLES.items()
    ]
    return st.navigation(pages, position="hidden")


def show_menu() -> None:
    """Show a link to each page; the current one is marked."""
    for path, title in _TITLES.items():
        st.page_link(path, label=title, icon=_ICONS[path], width="stretch")


def require_app() -> None:
    """Make sure that `app.py` runs around this page; every page calls it first.

    Beside a folder called `pages`, a fresh server runs the page of a deep link bare, until some script has called
    `st.navigation` once. So the page does that, and starts over.
    """
    if not st.session_state.get(Keys.NAVIGATION_DECLARED):
        declare()
        st.rerun()
