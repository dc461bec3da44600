"""Pages that a browser translates go on working."""

from __future__ import annotations

import streamlit as st

from ui.components import source

_guard = st.components.v2.component("digit_lab_translation", html="<span hidden></span>", js=source("translation.js"))


def allow() -> None:
    """Let a translator put its words in place of the page's; `app.py` calls it on every page."""
    _guard(key="translation")
