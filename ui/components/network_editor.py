"""A network as text and as a table of layers, both of which can be changed. Python alone reads the notation.

How browser, server and caller agree on the text:

- The browser is always right about what was typed. It sends the state `edit`, `{"text", "version", "attempt"}`, shortly
  after the last key; it never takes its text back from an answer of the same version: slow answers cannot disturb it.
- The caller owns the text, and its version: another one whenever the caller sets the text itself, to a preset say. Then
  the browser shows the caller's text, and edits that were made to another version are ignored.
- Answers are about the caller's text and name it, so the browser knows whether they are about what it shows. If none
  is, it sends its text again: of edits that follow each other quickly, Streamlit may run the last but one last, and it
  may end a run before `on_change` has stored anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from mnist_core.figures.network_figure import layer_color
from mnist_core.networks.layers import (
    OUTPUT,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    Pool,
)
from mnist_core.networks.notation import (
    ACTIVATIONS,
    MAX_CHARACTERS,
    MAX_FILTERS,
    MAX_UNITS,
    MAX_WINDOW,
    InspectedToken,
    inspect_notation,
)
from ui.components import source

_component = st.components.v2.component(
    "digit_lab_network_editor",
    html='<div class="network-editor"></div>',
    css=source("network_editor.css"),
    js=source("tab_stop.js", "network_editor.js"),
)

_LONGEST_TEXT = 2000  # that is taken from a browser; rows can make a text that is too long to be read
_NEW_LAYERS: tuple[Layer, ...] = (
    Conv(32, 3),
    Pool("max", 2, 2),
    Pool("average", 2, 2),
    GlobalAveragePool(),
    Dropout(0.5),
    BatchNorm(),
    Dense(128),
)
_PADDINGS = {"": "valid", ":same": "same"}
_ACTIVATIONS = {"" if name == "relu" else f":{name}": name for name in ACTIVATIONS}


def network_editor(
    notation: str,
    version: str,
    *,
    key: str,
    on_change: Callable[[str], None],
    current_version: Callable[[], str],
    skip_to: tuple[str, str] | None = None,
) -> None:
    """Show `notation` as a text field and as a table of layers.

    The table has many stops of the Tab key: `skip_to` offers a way past it to a button of the page, which has a name
    and a key.

    `on_change` gets the visitor's text, faulty or not, before the script runs, and is to store it. `version` is to be
    another one if the text was set by anything else. `current_version` is to say which one holds when a text comes:
    Streamlit calls back buttons and selects of the same run first, and what they have set stays.
    """

    def tell() -> None:
        text = typed_text(key, current_version())
        if text is not None:
            on_change(text)

    _component(key=key, data={**view(notation), "version": version, "skipTo": skip_to}, on_edit_change=tell)


def typed_text(key: str, version: str) -> str | None:
    """Return the text that the browser told last; None if it has told none of this version.

    A run may be ended before `on_change` has stored anything: whoever acts upon the text asks for it once more.
    """
    sent = st.session_state.get(key)
    return edited_text(sent.get("edit") if isinstance(sent, dict) else None, version)


def edited_text(edit: object, version: str) -> str | None:
    """Return the text of `edit`, as a browser sent it; None if it is of another version or cannot be used."""
    match edit:
        case {"text": str(text), "version": str(of)} if of == version and len(text) <= _LONGEST_TEXT:
            return text
    return None


def view(notation: str) -> dict[str, Any]:
    """Return what the browser shows of a notation, as JSON values.

    The token of a row is its fields in order, each as its `prefix` and its value, but for those whose value is `omit`.
    So the browser can write notation without knowing it.
    """
    inspection = inspect_notation(notation)
    tokens = inspection.tokens if notation.strip() else ()
    error = inspection.error
    summaries = [token.summary for token in tokens if token.summary is not None]
    return {
        "text": notation,
        "maxLength": MAX_CHARACTERS,
        "rows": [_row(token) for token in tokens],
        "message": error and str(error),
        "marked": error and _cut_out(notation, error.start, len(error.token)),
        "parameters": "?" if error else f"{sum(summary.parameters for summary in summaries):,}",
        "multiplyAdds": "?" if error else f"{sum(summary.multiply_adds for summary in summaries):,}",
        "kinds": _kinds(tokens),
        "choices": {"padding": list(_PADDINGS.items()), "activation": list(_ACTIVATIONS.items())},
    }


def _cut_out(text: str, start: int, length: int) -> tuple[str, str, str]:
    """Return the text before a token, the token, and the text after it. An empty token takes a hyphen beside it."""
    end = start + length
    if not length:
        start, end = (start, start + 1) if start < len(text) else (max(0, start - 1), start)
    return text[:start], text[start:end], text[end:]


def _kinds(tokens: tuple[InspectedToken, ...]) -> list[dict[str, Any]]:
    """Return the layers that can be added, as rows, and how many rows from the end each is likely to fit."""
    ends_with_output = bool(tokens) and tokens[-1].layer == OUTPUT
    end = len(tokens) - ends_with_output
    flat = (place for place, token in enumerate(tokens) if isinstance(token.layer, Dense | GlobalAveragePool))
    end_of_maps = next(flat, end)
    return [
        {
            **_row(InspectedToken(str(Architecture((layer,))), 0, layer)),
            "fromEnd": len(tokens) - (end_of_maps if isinstance(layer, Conv | Pool | GlobalAveragePool) else end),
        }
        for layer in (_NEW_LAYERS if ends_with_output else (*_NEW_LAYERS, OUTPUT))
    ]


def _row(token: InspectedToken) -> dict[str, Any]:
    row = {
        "token": token.text,
        "kind": _kind(token.layer),
        "color": layer_color(token.layer),
        "fields": _fields(token),
        "error": token.error,
    }
    if token.summary is None:
        return {**row, "output": "?", "parameters": "?", "arithmetic": "", "multiplyAdds": "?"}
    arithmetic, _, parameters = token.summary.arithmetic.rpartition(" = ")
    return {
        **row,
        "output": " × ".join(f"{size:,}" for size in token.summary.output_shape),
        "parameters": parameters,
        "arithmetic": arithmetic,
        "multiplyAdds": f"{token.summary.multiply_adds:,}",
    }


def _kind(layer: Layer | None) -> str | None:
    match layer:
        case Conv():
            return "Convolution"
        case Pool():
            return "Max pooling" if layer.kind == "max" else "Average pooling"
        case GlobalAveragePool():
            return "Global average pooling"
        case Dropout():
            return "Dropout"
        case BatchNorm():
            return "Batch normalization"
        case Dense():
            return "Output" if layer == OUTPUT else "Dense"
    return None


def _fields(token: InspectedToken) -> list[dict[str, Any]]:
    """Return the fields of a row, each with the column of the table that it stands in."""
    match layer := token.layer:
        case Conv():
            return [
                _number("amount", "filters", "", layer.filters, MAX_FILTERS),
                _number("size", "kernel size", "C", layer.size, MAX_WINDOW),
                _number("stride", "stride", "S", layer.stride, MAX_WINDOW, omit="1"),
                _choice("padding", layer.padding, _PADDINGS),
                _choice("activation", layer.activation, _ACTIVATIONS),
            ]
        case Pool():
            return [
                _number("size", "pool size", "P" if layer.kind == "max" else "A", layer.size, MAX_WINDOW),
                _number("stride", "stride", "S", layer.stride, MAX_WINDOW, omit=str(layer.size)),
                _choice("padding", layer.padding, _PADDINGS),
            ]
        case Dropout():
            rate = f"{layer.rate:.6f}".rstrip("0").rstrip(".")
            return [{**_number("amount", "rate", "D", rate, 0.95), "min": 0.05, "step": 0.05, "digits": 8}]
        case Dense() if layer == OUTPUT:
            return [_fixed("amount", "units", str(layer.units)), _fixed("activation", "activation", layer.activation)]
        case Dense():
            return [
                _number("amount", "units", "", layer.units, MAX_UNITS),
                _choice("activation", layer.activation, _ACTIVATIONS),
            ]
        case None:
            return [_fixed("unread", "token", token.text)]
    return []


def _number(
    column: str, label: str, prefix: str, value: object, high: float, omit: str | None = None
) -> dict[str, Any]:
    bounds = {"min": 1, "max": high, "step": 1, "digits": 6}
    return {"column": column, "label": label, "prefix": prefix, "value": str(value), "omit": omit, **bounds}


def _choice(column: str, word: str, choices: Mapping[str, str]) -> dict[str, Any]:
    fragment = next(fragment for fragment, choice in choices.items() if choice == word)
    return {"column": column, "label": column, "prefix": "", "value": fragment, "omit": None}


def _fixed(column: str, label: str, text: str) -> dict[str, Any]:
    return {"column": column, "label": label, "text": text}
