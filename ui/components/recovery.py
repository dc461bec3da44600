"""A page that Streamlit's own script has lost comes back.

On a busy machine, rarely, an update reaches the browser for a place that has changed meanwhile: Streamlit's
script then fails (“'setIn' cannot be called on an ElementNode”), and the page is blank.
"""

from __future__ import annotations

import streamlit as st

from ui.components import source

_component = st.components.v2.component("digit_lab_recovery", html="<span hidden></span>", js=source("recovery.js"))


def watch() -> None:
    """Load the page again if it goes blank; `app.py` calls it on every page."""
    _component(key="recovery")
