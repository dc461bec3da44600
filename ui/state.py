"""What the session and the URL hold, declared in one place."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import streamlit as st

_CATCHING_UP_SECONDS = 1.5

Choice = TypeVar("Choice", bound=str)


class Keys(StrEnum):
    """Keys of `st.session_state`. A run itself is never kept here, only in its directory."""

    NAVIGATION_DECLARED = "navigation_declared"
    DRAFT = "draft"
    VISITOR = "visitor"
    CANVAS_NUMBER = "canvas_number"
    LAST_STARTED = "last_started"
    TABLE_NUMBER = "table_number"
    DELETED = "deleted"
    PROBLEM = "problem"
    WENT = "went"


class Params(StrEnum):
    """Names in the URL. Missing ones take defaults, wrong ones are ignored."""

    RUN = "run"
    VIEW = "view"
    SPLIT = "split"
    DIGIT = "digit"
    PAGE = "page"
    GHOSTS = "ghosts"
    COMPARE = "compare"


@dataclass(frozen=True)
class _Written:
    """A choice that was put into the URL: what stood there before, what does now, and since when."""

    before: str | None
    value: str
    moment: float


@dataclass(frozen=True)
class BoundChoice(Generic[Choice]):
    """A choice that the URL holds, and the arguments of the widget that shows and changes it."""

    value: Choice
    widget: dict[str, Any]


def bound_choice(name: Params, options: Sequence[Choice], default: Choice) -> BoundChoice[Choice]:
    """Return the option that the URL names, or the default, bound to a widget.

    The URL is the only truth: the widget follows it, also when the visitor goes back, and writes to it when it changes.
    """
    text = _not_outdated(name, st.query_params.get(name))
    value = next((option for option in options if option == text), default)
    key = f"choice-{name}"
    st.session_state[key] = value
    return BoundChoice(value, {"key": key, "on_change": _write_choice, "args": (name, key, tuple(options))})


def _not_outdated(name: Params, text: str | None) -> str | None:
    """Return what the URL says of a choice, or what was chosen if the browser has not caught up with that.

    Of two quick clicks, the second is sent with the URL from before the first.
    """
    written: _Written | None = st.session_state.get(f"written-{name}")
    if written is None or text != written.before or time.monotonic() - written.moment > _CATCHING_UP_SECONDS:
        return text
    write(**{name.value: written.value})
    return written.value


def bound_view(options: Sequence[Choice], default: Choice) -> BoundChoice[Choice]:
    """Return the view of a page that the URL names, bound to a widget that keeps nothing else of it but the run."""
    chosen = bound_choice(Params.VIEW, options, default)
    return BoundChoice(chosen.value, {**chosen.widget, "on_change": _write_view, "args": ()})


def _write_view() -> None:
    kept = {"run": st.query_params[Params.RUN]} if Params.RUN in st.query_params else {}
    st.query_params.from_dict({"view": st.session_state[f"choice-{Params.VIEW}"], **kept})


def _write_choice(name: Params, key: str, options: tuple[str, ...]) -> None:
    if st.session_state[key] not in options:  # a label that has changed meanwhile: Streamlit hands it over as it is
        return
    written = _Written(st.query_params.get(name), st.session_state[key], time.monotonic())
    st.session_state[f"written-{name}"] = written
    write(**{name.value: st.session_state[key], Params.PAGE.value: None})


def read_number(name: Params, low: int, high: int, default: int) -> int:
    """Return the whole number in the URL, clamped to its bounds, or the default."""
    text = st.query_params.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return default
    return min(max(int(text), low), high)


def read_runs(name: Params, known: Collection[str], most: int) -> list[str]:
    """Return the run ids of a comma-separated list in the URL: those that are known, each once, `most` at most."""
    named = dict.fromkeys(st.query_params.get(name, "")[:2000].split(","))
    return [run_id for run_id in named if run_id in known][:most]


def go(**values: object) -> None:
    """Replace all that the URL holds; the page follows, even if a fragment of it asked for that."""
    st.query_params.from_dict({name: str(value) for name, value in values.items()})
    st.session_state[Keys.WENT] = True


def went() -> bool:
    """Whether `go` was called since this was asked last. A fragment then lets the whole page run again."""
    return bool(st.session_state.pop(Keys.WENT, False))


def write(**values: object) -> None:
    """Put values into the URL; None takes one out. Only what changed is sent."""
    for name, value in values.items():
        if value is None:
            if name in st.query_params:
                del st.query_params[name]
        elif st.query_params.get(name) != str(value):
            st.query_params[name] = str(value)
