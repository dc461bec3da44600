"""The drawing of a network: to scale, in order, with every number where one points."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from mnist_core.figures.network_figure import layer_color, network_figure
from mnist_core.networks.layers import BatchNorm, Conv, Dense, Dropout, GlobalAveragePool, Pool, summarize
from mnist_core.networks.notation import parse_architecture
from mnist_core.training.presets import PRESETS
from tests.support.drawn import drawn
from ui.components.live_chart import as_json

DEEP = (
    "64C3:same-64C3:same-BN-P2-128C3:same-128C3:same-BN-P2-256C3:same-BN-A2S1-D0.3-"
    "512C1-GAP-D0.2-1024-256:tanh-BN-D0.5-10"
)
NETWORKS = [
    "10",
    "4096-1024-10",
    "1024C28-10",
    "32C3-P2-10",
    "6C5:same:tanh-A2-16C5:tanh-A2-120C5:tanh-84:tanh-10",
    "32C3-BN-32C3-BN-32C5S2:same-BN-D0.4-64C3-BN-64C3-BN-64C5S2:same-BN-D0.4-128C4-BN-D0.4-10",
    DEEP,
    *(preset.config.notation for preset in PRESETS.values()),
]

Face = tuple[int, str]
Corners = list[tuple[float, float]]


def drawn_network(notation: str) -> tuple[go.Figure, dict[Face, Corners]]:
    """Return the figure of a network and the corners of each face, by the layer that it belongs to (-1: the image)."""
    figure = drawn(network_figure(parse_architecture(notation)))
    faces = {
        (trace.meta["layer"], trace.meta["face"]): list(zip(trace.x, trace.y, strict=True))[:-1]
        for trace in figure.data
        if trace.fill == "toself"
    }
    return figure, faces


def extent(corners: Corners, axis: int) -> float:
    values = [corner[axis] for corner in corners]
    return max(values) - min(values)


def proportional(pairs: list[tuple[float, float]]) -> bool:
    """Tell whether all pairs have one ratio."""
    return all(a / b == pytest.approx(pairs[0][0] / pairs[0][1]) for a, b in pairs)


def maps(notation: str) -> dict[int, tuple[int, int, int]]:
    """Shapes of the layers that are drawn as blocks, the image included."""
    network = parse_architecture(notation)
    shapes = {
        place: summary.output_shape
        for place, (layer, summary) in enumerate(zip(network.layers, summarize(network), strict=True))
        if not isinstance(layer, Dropout | BatchNorm) and len(summary.output_shape) == 3
    }
    return {-1: (28, 28, 1), **shapes}


@pytest.mark.parametrize("notation", NETWORKS)
def test_blocks_are_to_scale(notation: str) -> None:
    _, faces = drawn_network(notation)
    shapes = maps(notation)
    assert proportional([(extent(faces[place, "front"], 1), shape[0]) for place, shape in shapes.items()])
    assert proportional([(extent(faces[place, "front"], 0), shape[1]) for place, shape in shapes.items()])
    depths = [(extent(faces[place, "top"], 1), math.log2(1 + shape[2])) for place, shape in shapes.items()]
    assert proportional(depths)


@pytest.mark.parametrize("notation", ["10", "32C3-P2-64C3-P2-D0.5-10", "32C3-P2-64C3-P2-64C3-64-10", "4096-1024-10"])
def test_the_image_of_a_small_network_is_a_square(notation: str) -> None:
    figure, faces = drawn_network(notation)
    assert extent(faces[-1, "front"], 0) == pytest.approx(extent(faces[-1, "front"], 1))
    assert figure.layout.yaxis.scaleanchor == "x"


@pytest.mark.parametrize("notation", NETWORKS)
def test_columns_are_as_high_as_the_logarithm_of_their_units(notation: str) -> None:
    _, faces = drawn_network(notation)
    network = parse_architecture(notation)
    columns = [
        (extent(faces[place, "front"], 1), math.log2(1 + summary.output_shape[0]))
        for place, (layer, summary) in enumerate(zip(network.layers, summarize(network), strict=True))
        if isinstance(layer, Dense | GlobalAveragePool)
    ]
    assert columns
    assert proportional(columns)


@pytest.mark.parametrize("notation", [DEEP, "32C3-BN-P2-D0.5-128-D0.5-BN-10"])
def test_layers_that_change_no_shape_are_thin_marks(notation: str) -> None:
    _, faces = drawn_network(notation)
    layers = parse_architecture(notation).layers
    marks = [place for place, layer in enumerate(layers) if isinstance(layer, Dropout | BatchNorm)]
    assert marks
    for place in marks:
        front, acted_on = faces[place, "front"], faces[place - 1, "front"]
        assert extent(front, 1) == pytest.approx(extent(acted_on, 1))
        assert extent(front, 0) < 0.05 * extent(faces[-1, "front"], 0)
        assert (place, "top") not in faces


@pytest.mark.parametrize("notation", NETWORKS)
def test_layers_stand_side_by_side_on_the_ground_of_the_figure(notation: str) -> None:
    figure, faces = drawn_network(notation)
    count = len(parse_architecture(notation).layers)
    assert {place for place, _ in faces} == set(range(-1, count))
    right = 0.0
    for place in range(-1, count):
        corners = [corner for (owner, _), face in faces.items() if owner == place for corner in face]
        assert min(x for x, _ in corners) >= right
        right = max(x for x, _ in corners)
        assert min(y for _, y in corners) == 0
        assert max(y for _, y in corners) <= figure.layout.yaxis.range[1]
    assert right <= figure.layout.xaxis.range[1]


@pytest.mark.parametrize("notation", NETWORKS)
def test_labels_under_the_layers_do_not_touch(notation: str) -> None:
    figure, _ = drawn_network(notation)
    shrunk = min(1, 680 / figure.layout.xaxis.range[1])  # in a column of 680 pixels
    labels = figure.layout.annotations
    ends = []
    for label in labels:
        longest = max(map(len, re.sub("</?b>", "", label.text).split("<br>")))
        half = longest * 0.5 * label.font.size / 2
        ends.append((label.x * shrunk - half, label.x * shrunk + half))
    assert [(left, right) for (_, left), (right, _) in pairwise(ends) if left > right] == []


def test_labels_give_token_and_shape() -> None:
    figure, _ = drawn_network("32C3:same:tanh-P2-D0.5-GAP-BN-10")
    labels = [re.sub("</?b>", "", label.text).split("<br>") for label in figure.layout.annotations]
    assert labels == [
        ["image", "28×28×1"],
        ["32C3", "28×28×32"],
        ["P2", "14×14×32"],
        ["D0.5"],
        ["GAP", "32"],
        ["BN"],
        ["10", "10"],
    ]


@pytest.mark.parametrize("notation", [DEEP, "32C3-P2-64C3-P2-D0.5-10"])
def test_pointing_at_any_face_tells_all_about_the_layer(notation: str) -> None:
    figure, _ = drawn_network(notation)
    summaries = summarize(parse_architecture(notation))
    for trace in figure.data:
        if trace.fill != "toself" or trace.meta["layer"] == -1:
            continue
        summary = summaries[trace.meta["layer"]]
        assert trace.hoveron == "fills"
        wanted = [summary.name, summary.token, f"{summary.parameters:,}", f"{summary.multiply_adds:,}"]
        assert [text for text in wanted if text not in trace.text] == []
        assert " × ".join(f"{size:,}" for size in summary.output_shape) in trace.text


def test_the_figure_fits_into_any_theme() -> None:
    figure, _ = drawn_network(DEEP)
    assert (figure.layout.paper_bgcolor, figure.layout.plot_bgcolor) == ("rgba(0,0,0,0)", "rgba(0,0,0,0)")
    assert not figure.layout.xaxis.visible
    assert not figure.layout.yaxis.visible
    assert figure.layout.height == 220
    for label in figure.layout.annotations:
        assert contrast(label.font.color, "#ffffff") > 4
        assert contrast(label.font.color, "#10181b") > 4


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, by the rules of WCAG 2."""

    def luminance(color: str) -> float:
        parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_kinds_of_layers_have_colours_of_their_own() -> None:
    colors = {layer_color(layer) for layer in (Conv(1, 1), Pool("max", 2, 2), Dense(1), Dropout(0.5))}
    assert len(colors) == 4
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in (*colors, layer_color(None)))


def test_the_figure_can_be_sent_to_a_browser() -> None:
    sent = as_json(network_figure(parse_architecture("BN-" * 39 + "10")))
    assert len(json.loads(json.dumps(sent))["layout"]["annotations"]) == 41
