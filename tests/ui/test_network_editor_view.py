"""What the network editor shows of a notation, and how it agrees with its visitor on the text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mnist_core.networks.layers import (
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    Pool,
    format_architecture,
)
from mnist_core.networks.notation import ACTIVATIONS, inspect_notation
from ui.components.network_editor import edited_text, view

PADDINGS = ["valid", "same"]


numbers = st.integers(1, 28)
layers = (
    st.builds(Conv, st.integers(1, 1024), numbers, numbers, st.sampled_from(PADDINGS), st.sampled_from(ACTIVATIONS))
    | st.builds(Pool, st.sampled_from(["max", "average"]), numbers, numbers, st.sampled_from(PADDINGS))
    | st.builds(Dropout, st.integers(1, 999_999).map(lambda millionths: millionths / 1_000_000))
    | st.builds(Dense, st.integers(1, 4096), st.sampled_from(ACTIVATIONS))
    | st.just(BatchNorm())
    | st.just(GlobalAveragePool())
)


def row_of(layer: Layer) -> dict[str, Any]:
    row: dict[str, Any] = view(f"{format_architecture(Architecture((layer,)))}-10")["rows"][0]
    return row


def written(fields: list[dict[str, Any]]) -> Layer | None:
    """The layer of a token that is put together from fields as `view` promises."""
    token = "".join(field["prefix"] + field["value"] for field in fields if field["value"] != field["omit"])
    return inspect_notation(f"{token}-10").tokens[0].layer


@given(layers)
def test_the_fields_of_a_layer_write_that_layer(layer: Layer) -> None:
    row = row_of(layer)
    if row["fields"]:
        assert written(row["fields"]) == layer
    assert inspect_notation(f"{row['token']}-10").tokens[0].layer == layer


@given(layers, st.data())
def test_a_changed_field_changes_just_that(layer: Any, data: st.DataObject) -> None:
    fields = row_of(layer)["fields"]
    assume(fields)
    field = data.draw(st.sampled_from(fields))
    column = field["column"]
    if column in ("padding", "activation"):
        fragment, word = data.draw(st.sampled_from(view("10")["choices"][column]))
        field["value"] = fragment
        expected = replace(layer, **{column: word})
    else:
        number: Any = 0.25 if field["label"] == "rate" else data.draw(numbers)
        field["value"] = str(number)
        name = {"kernel size": "size", "pool size": "size"}.get(field["label"], field["label"])
        expected = replace(layer, **{name: number})
        if isinstance(layer, Pool) and name == "size" and layer.stride == layer.size:
            expected = replace(expected, stride=number)  # a pool that does not overlap stays one
    assert written(fields) == expected


@given(st.text(max_size=450) | st.lists(layers).map(lambda some: "-".join(row_of(layer)["token"] for layer in some)))
def test_any_text_can_be_shown(text: str) -> None:
    shown = json.loads(json.dumps(view(text)))
    assert shown["text"] == text
    assert (shown["message"] is None) == (shown["marked"] is None)
    assert shown["marked"] is None or "".join(shown["marked"]) == text
    assert all(0 <= kind["fromEnd"] <= len(shown["rows"]) for kind in shown["kinds"])


@pytest.mark.parametrize(
    ("notation", "marked"),
    [
        ("32C3-64Q3-10", ["32C3-", "64Q3", "-10"]),
        ("P2--10", ["P2-", "-", "10"]),
        ("P2-10-", ["P2-10", "-", ""]),
        ("-10", ["", "-", "10"]),
        ("", ["", "", ""]),
    ],
)
def test_a_mistake_has_a_place_even_if_nothing_is_there(notation: str, marked: list[str]) -> None:
    assert list(view(notation)["marked"]) == marked


def test_only_what_was_typed_to_this_version_counts() -> None:
    assert edited_text({"text": "ab", "version": "4", "attempt": 2}, "4") == "ab"
    assert edited_text({"text": "", "version": "4"}, "4") == ""
    assert edited_text({"text": "ab", "version": "3"}, "4") is None  # typed before the text was replaced


@pytest.mark.parametrize(
    "edit",
    [
        None,
        [],
        "text",
        {},
        {"text": "x"},
        {"version": "0"},
        {"text": 5, "version": "0"},
        {"text": "x", "version": 0},
        {"text": "x" * 100_000, "version": "0"},
    ],
)
def test_nonsense_from_a_browser_is_no_edit(edit: object) -> None:
    assert edited_text(edit, "0") is None
