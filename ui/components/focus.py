"""Where the focus goes when what had it is gone, for those who use the keyboard or a screen reader."""

from __future__ import annotations

import streamlit as st

from ui.components import source
from ui.session.state import Params

_component = st.components.v2.component("digit_lab_focus", html="<span hidden></span>", js=source("focus.js"))

RUN = "shown-run"  # the key of what stands at the top of a run


def follow(page: str) -> None:
    """Tell the browser which place of a page is shown: if that is another one, the focus goes to its heading.

    What still has the focus keeps it, such as the button that goes on to the next image.
    """
    query = st.query_params
    opened = query.get(Params.INDEX) or query.get(Params.DRAWING) or ""
    run = query.get(Params.RUN, "") if page == "train" else ""
    place = "/".join((page, query.get(Params.VIEW, ""), opened, run))
    target = "h2" if opened else f".st-key-{RUN}" if run else "h1"
    _component(key="focus", data={"place": place, "opened": opened, "target": target})
