"""Values that the URL holds, bound to the widgets that show and change them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ui.session.state import Keys, Params, choose, open_view, read_number

Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=str)


# What belongs to one list of images only: it is left behind when another list is chosen.
_OF_ONE_LIST = (Params.PAGE, Params.INDEX)


@dataclass(frozen=True)
class Bound(Generic[Value]):
    """A value that the URL holds, and the arguments of the widget that shows and changes it."""

    value: Value
    widget: dict[str, Any]


def bound_choice(name: Params, options: Sequence[Choice], default: Choice) -> Bound[Choice]:
    """Return the option that the URL names, or the default, bound to a widget.

    The URL is the only truth: the widget follows it, also when the visitor goes back, and writes to it when it changes.
    """
    text = st.query_params.get(name)
    value = next((option for option in options if option == text), default)
    # A label that has changed meanwhile is handed over by Streamlit as it is: that is no option.
    return _bound(name, value, lambda chosen: {name: chosen} if chosen in options else {})


def bound_view(options: Sequence[Choice], default: Choice) -> Bound[Choice]:
    """Return the view of a page that the URL names, bound to a widget that keeps only what all views share."""
    chosen = bound_choice(Params.VIEW, options, default)
    key = chosen.widget["key"]
    return Bound(chosen.value, {**chosen.widget, "on_change": lambda: open_view(view=st.session_state[key])})


def bound_number(name: Params, low: int, high: int, default: int) -> Bound[int]:
    """Return the whole number that the URL holds, within its bounds, bound to a slider or a number field."""
    return _bound(
        name, read_number(name, low, high, default), lambda number: {name: None if number == default else number}
    )


def bound_range(low_name: Params, high_name: Params, low: int, high: int) -> Bound[tuple[int, int]]:
    """Return the two whole numbers that the URL holds, in order and within their bounds, bound to a slider for both."""
    first, second = read_number(low_name, low, high, low), read_number(high_name, low, high, high)
    value = (min(first, second), max(first, second))

    def write_both(chosen: tuple[int, int]) -> dict[Params, object]:
        return {
            low_name: None if chosen[0] == low else chosen[0],
            high_name: None if chosen[1] == high else chosen[1],
        }

    return _bound(low_name, value, write_both)


def bound_text(name: Params) -> Bound[str]:
    """Return the text that the URL holds, bound to a text field. It can be of any length and hold anything."""
    return _bound(name, st.query_params.get(name, ""), lambda text: {name: text.strip() or None})


def bound_toggle(name: Params, *, keeps_place: bool = False) -> Bound[bool]:
    """Return whether the URL switches something on, bound to a toggle or checkbox.

    With `keeps_place` it is no filter: the image that is open stays open.
    """
    on = st.query_params.get(name) == "yes"
    return _bound(name, on, lambda on: {name: "yes" if on else None}, keeps_place=keeps_place)


def _bound(
    name: Params, value: Value, to_params: Callable[[Value], dict[Params, object]], *, keeps_place: bool = False
) -> Bound[Value]:
    key = _key(name)
    with suppress(StreamlitAPIException):  # its widget is on the page already, with this very value
        st.session_state[key] = value  # also if it is no other: its label may be

    def on_change() -> None:
        changed = to_params(st.session_state[key])
        left_behind = () if keeps_place else _OF_ONE_LIST
        if changed:
            choose(**{str(each): None for each in left_behind}, **{str(each): new for each, new in changed.items()})

    return Bound(value, {"key": key, "on_change": on_change})


def _key(name: Params) -> str:
    """Return the key of the widget for a value, another one whenever the page went elsewhere.

    A busy browser goes on telling for a while what a widget showed before, and that would count as a change: only a
    widget that is gone can say what it likes.
    """
    return f"choice-{name}-{st.session_state.get(Keys.TIMES_GONE, 0)}"
