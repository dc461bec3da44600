"""The connection to the server, which may be lost for a while: what is shown afterwards is what counts.

While it is lost, the page pauses and says so. When it is back, the page runs once more, and its fields tell what they
show; a session that has ended meanwhile starts anew with what the address holds, and says what it cannot know any more.
"""

from __future__ import annotations

import secrets

import streamlit as st

from ui.components import source
from ui.session.state import Keys

_component = st.components.v2.component(
    "digit_lab_connection",
    html='<p class="connection" role="status"></p>',
    css=source("connection.css"),
    js=source("connection.js"),
)


def watch() -> None:
    """Pause the page while the connection is lost; `app.py` calls it on every page."""
    session = st.session_state.setdefault(Keys.SESSION, secrets.token_hex(8))
    back = _component(key="connection", data={"session": session}, on_back_change=lambda: None).get("back")
    if back not in (None, session):
        st.toast(
            "The server has forgotten your visit. What you see now is what counts; hand in photos and files again.",
            icon=":material/wifi_off:",
            duration="infinite",
        )
