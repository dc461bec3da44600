"""The views of a page: each has a name in the URL, and a button in a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from ui.session.bound import bound_view


@dataclass(frozen=True)
class View:
    """A view: what it is called, and what shows it."""

    label: str
    show: Callable[[], None]


AnyView = TypeVar("AnyView", bound=View)


def choose(views: Mapping[str, AnyView], default: str) -> AnyView:
    """Let the visitor choose one of the views, by their names in the URL; return the one that is chosen."""
    name = bound_view(list(views), default)
    st.segmented_control(
        "View",
        list(views),
        format_func=lambda name: views[name].label,
        required=True,
        label_visibility="collapsed",
        **name.widget,
    )
    return views[name.value]
