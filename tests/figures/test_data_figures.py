"""Figures of the data: what they draw and where, and ten colours that can be told apart."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from mnist_core.data.statistics import ClassBalance, PixelHistogram, summary_by_class
from mnist_core.figures import data_figures
from mnist_core.figures.data_figures import CLASS_COLORS
from mnist_core.figures.style import VALIDATION_COLOR
from tests.support.drawn import drawn
from ui.components.live_chart import as_json

BACKGROUNDS = ("#ffffff", "#10181b")


def linear(color: str) -> np.ndarray:
    shares = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """As in the Web Content Accessibility Guidelines."""
    dark, light = sorted(linear(color) @ [0.2126, 0.7152, 0.0722] for color in (first, second))
    return float((light + 0.05) / (dark + 0.05))


def oklab(color: str) -> np.ndarray:
    """B. Ottosson (2020), A perceptual color space for image processing."""
    cones = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    cones.append([0.0883024619, 0.2817188376, 0.6299787005])
    axes = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099]]
    axes.append([0.0259040371, 0.7827717662, -0.8086757660])
    return axes @ np.cbrt(cones @ linear(color))


def test_the_ten_colours_stand_out_and_differ() -> None:
    assert len(CLASS_COLORS) == 10
    for color in CLASS_COLORS:
        assert all(contrast(color, background) >= 2 for background in BACKGROUNDS), color
    for first, second in itertools.combinations(CLASS_COLORS, 2):
        assert np.linalg.norm(oklab(first) - oklab(second)) > 0.15, (first, second)


def test_balance_draws_the_shares_of_both_sets() -> None:
    counts = np.array([10, 30, 5, 5, 10, 10, 10, 10, 5, 5])
    train, test = ClassBalance(counts, counts / 100), ClassBalance(counts[::-1], counts[::-1] / 100)
    bars = drawn(data_figures.balance_figure(train, test)).data
    assert [(bar.name, bar.y[1], bar.customdata[1]) for bar in bars] == [("training", 0.3, 30), ("test", 0.05, 5)]


def test_grey_levels_stand_on_a_logarithmic_axis() -> None:
    counts = np.ones(256, np.int64)
    counts[0] = 745
    figure = drawn(data_figures.grey_level_figure(PixelHistogram(counts)))
    assert figure.layout.yaxis.type == "log"
    assert figure.data[0].y[0] == pytest.approx(0.745)
    assert sum(figure.data[0].y) == pytest.approx(1)


def test_boxes_are_those_of_the_summary() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 5)
    values = np.tile([1.0, 2.0, 4.0, 8.0, 16.0], 10) + labels.astype(float)
    box = drawn(data_figures.ink_figure(summary_by_class(values, labels))).data[0]
    parts = (box.lowerfence, box.q1, box.median, box.q3, box.upperfence)
    assert [part[3] for part in parts] == [4, 5, 7, 11, 19]


POSITIONS = np.array([[0, 0], [1, 5], [2, 1], [10, 3], [4, 4]], np.float32)
LABELS = np.array([7, 7, 3, 7, 3], np.uint8)


def test_the_map_shows_each_image_in_the_colour_of_its_class() -> None:
    figure = drawn(data_figures.map_by_class(POSITIONS, LABELS))
    seen: dict[int, tuple[float, ...]] = {}
    for trace, color in zip(figure.data, CLASS_COLORS, strict=True):
        assert trace.type == "scattergl"
        assert trace.hoverinfo == "none"
        assert trace.marker.color == color
        seen |= {index: (int(trace.name), x, y) for index, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)}
    assert seen == {index: (LABELS[index], *POSITIONS[index]) for index in range(5)}
    assert [(name.text, name.x, name.y) for name in figure.layout.annotations] == [
        ("<b>3</b>", 3, 2.5),
        ("<b>7</b>", 1, 3),
    ]
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.xaxis.range[0] < 0 < 10 < figure.layout.xaxis.range[1]


def test_misread_images_lie_on_top_and_say_what_they_are_read_as() -> None:
    right, wrong = drawn(data_figures.map_by_answer(POSITIONS, LABELS, np.array([7, 1, 3, 9, 3]))).data
    assert (right.name, wrong.name) == ("right: 3", "wrong: 2")
    assert right.customdata.tolist() == [0, 2, 4]
    assert wrong.customdata.tolist() == [1, 3]
    assert list(wrong.text) == ["predicted as 1", "predicted as 9"]
    assert wrong.marker.color == VALIDATION_COLOR
    assert wrong.marker.size > 2 * right.marker.size


def test_a_flawless_network_has_an_empty_layer_of_mistakes() -> None:
    right, wrong = drawn(data_figures.map_by_answer(POSITIONS, LABELS, LABELS)).data
    assert len(right.x) == 5
    assert len(wrong.x) == 0


def test_a_map_of_the_test_set_is_small_enough_to_send() -> None:
    positions = np.random.default_rng(0).normal(size=(10_000, 2)).astype(np.float32)
    labels = np.arange(10_000, dtype=np.uint8) % 10
    sent = as_json(data_figures.map_by_class(positions, labels))
    assert len(json.dumps(sent)) < 250_000
    assert sum(len(trace["name"]) for trace in sent["data"]) == 10
