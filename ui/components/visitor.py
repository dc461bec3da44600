"""Who a visitor is: nobody in particular, but the same one as before.

A browser keeps a random secret of its own and tells it to the server; a run holds its hash. That is asked for on public
servers only, where nobody may stop or delete the run of another.
"""

from __future__ import annotations

import re
import secrets

import streamlit as st

from mnist_core.common.server import is_public, owner_hash
from ui.components import source
from ui.session.state import Keys

_SECRET = re.compile(r"[0-9a-f]{32}")

_component = st.components.v2.component("digit_lab_visitor", html="<span hidden></span>", js=source("visitor.js"))


def recognise() -> None:
    """Learn the secret of the visitor's browser; `app.py` calls it on every page."""
    if is_public():
        payload = _component(key="browser-secret", on_secret_change=lambda: None).get("secret")
        if isinstance(payload, str) and _SECRET.fullmatch(payload):
            st.session_state[Keys.VISITOR] = payload


def owner() -> str:
    """Return what a run's directory may say of this visitor; empty where it does not matter."""
    if not is_public():
        return ""
    return owner_hash(st.session_state.setdefault(Keys.VISITOR, secrets.token_hex(16)))
