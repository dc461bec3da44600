"""The address bar: shows what a page shows, without a step in the browser's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from ui.components import source

_component = st.components.v2.component("digit_lab_address", html="<span hidden></span>", js=source("address_bar.js"))


def show(query: Mapping[str, str], names: Sequence[str]) -> None:
    """Put values into the query of the address; of all `names`, those without a value are taken out."""
    _component(key="address", data={"query": dict(query), "names": list(names)})
