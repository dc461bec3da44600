"""Figures on their way to a browser, against what Plotly's own encoder makes of them."""

from __future__ import annotations

import json
import math

import numpy as np
import plotly.graph_objects as go
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mnist_core.figures.style import merged, styled, with_layout
from tests.support.drawn import drawn
from ui.components.live_chart import as_json

TYPED = st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"])


@given(arrays.arrays(TYPED, arrays.array_shapes(max_dims=2, min_side=0)))
def test_arrays_travel_as_plotly_sends_them(values: np.ndarray) -> None:
    trace = {"type": "heatmap", "z": values} if values.ndim == 2 else {"type": "scatter", "y": values}
    expected = json.loads(go.Figure(trace).to_json())["data"][0]
    assert as_json({"data": [trace]}) == {"data": [expected]}


@given(arrays.arrays("int64", 5, elements=st.integers(-(2**62), 2**62)))
def test_whole_numbers_stay_exact_or_become_plain_numbers(values: np.ndarray) -> None:
    sent = as_json({"x": values})["x"]
    small = bool(((values >= -(2**31)) & (values < 2**31)).all())
    assert isinstance(sent, dict) == small
    if not small:
        assert sent == values.tolist()


def test_what_json_has_no_word_for() -> None:
    sent = as_json({"a": [math.nan, 1.5, -math.inf], "b": (np.float64(2), np.int64(3), np.bool_(True)), "c": None})
    assert sent == {"a": [None, 1.5, None], "b": [2.0, 3, True], "c": None}
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent
    assert as_json({"x": np.array(["x", "y"]), "y": np.array([[True], [False]]), "z": np.array(5.0)}) == {
        "x": ["x", "y"],
        "y": [[True], [False]],
        "z": 5.0,
    }


def test_a_figure_that_travelled_travels_again() -> None:
    sent = as_json(styled([{"type": "scatter", "y": np.arange(3.0)}], {}, height=100))
    assert as_json(sent) == sent


def test_a_layout_goes_before_the_style() -> None:
    figure = styled([], {"yaxis2": {"title": {"text": "right"}}, "title": {"x": 0.5}, "hovermode": "x"}, height=200)
    layout = drawn(figure).layout
    assert (layout.height, layout.title.x, layout.title.font.size, layout.hovermode) == (200, 0.5, 15, "x")
    assert layout.yaxis2.gridcolor == layout.yaxis.gridcolor == layout.xaxis.gridcolor is not None
    changed = drawn(with_layout(figure, {"margin": {"b": 1}})).layout.margin
    assert (changed.b, changed.l) == (1, layout.margin.l)
    assert drawn(figure).layout.margin.b == 48  # which has not changed


def test_parts_are_merged_and_neither_is_written_to() -> None:
    under, over = {"a": {"x": 1, "y": {"z": 2}}, "b": 3}, {"a": {"y": {"w": 4}}, "b": {"c": 5}}
    assert merged(under, over) == {"a": {"x": 1, "y": {"z": 2, "w": 4}}, "b": {"c": 5}}
    assert under == {"a": {"x": 1, "y": {"z": 2}}, "b": 3}
    assert over == {"a": {"y": {"w": 4}}, "b": {"c": 5}}
