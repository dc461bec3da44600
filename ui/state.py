"""What the session and the URL hold, declared in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import streamlit as st

Choice = TypeVar("Choice", bound=str)


class Keys(StrEnum):
    """Keys of `st.session_state`. A run itself is never kept here, only in its directory."""

    NAVIGATION_DECLARED = "navigation_declared"
    PRESET = "preset"
    CANVAS_NUMBER = "canvas_number"
    LAST_STARTED = "last_started"


class Params(StrEnum):
    """Names in the URL. Missing ones take defaults, wrong ones are ignored."""

    RUN = "run"
    VIEW = "view"
    SPLIT = "split"
    DIGIT = "digit"
    PAGE = "page"


@dataclass(frozen=True)
class BoundChoice(Generic[Choice]):
    """A choice that the URL holds, and the arguments of the widget that shows and changes it."""

    value: Choice
    widget: dict[str, Any]


def bound_choice(name: Params, options: Sequence[Choice], default: Choice) -> BoundChoice[Choice]:
    """Return the option that the URL names, or the default, bound to a widget.

    The URL is the only truth: the widget follows it, also when the visitor goes back, and writes to it when it changes.
    """
    text = st.query_params.get(name)
    value = next((option for option in options if option == text), default)
    key = f"choice-{name}"
    st.session_state[key] = value
    return BoundChoice(value, {"key": key, "on_change": _write_choice, "args": (name, key)})


def _write_choice(name: Params, key: str) -> None:
    write(**{name.value: st.session_state[key], Params.PAGE.value: None})


def read_number(name: Params, low: int, high: int, default: int) -> int:
    """Return the whole number in the URL, clamped to its bounds, or the default."""
    text = st.query_params.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return default
    return min(max(int(text), low), high)


def write(**values: object) -> None:
    """Put values into the URL; None takes one out. Only what changed is sent."""
    for name, value in values.items():
        if value is None:
            if name in st.query_params:
                del st.query_params[name]
        elif st.query_params.get(name) != str(value):
            st.query_params[name] = str(value)
