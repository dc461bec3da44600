"""Figures of answers: of one network, and of several to one image."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.figures import answer_figures
from mnist_core.figures.style import QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR
from tests.support.drawn import drawn

ANSWERS = np.full((3, 10), 0.02, np.float32)
ANSWERS[[0, 1, 2], [8, 9, 8]] = 0.82


def test_the_reading_stands_out() -> None:
    (bars,) = drawn(answer_figures.probability_figure(ANSWERS[0])).data
    assert [color == TRAINING_COLOR for color in bars.marker.color] == [digit == 8 for digit in range(10)]
    assert list(bars.y) == pytest.approx(ANSWERS[0].tolist())


def test_each_network_has_its_row_and_right_differs_from_wrong() -> None:
    figure = drawn(answer_figures.answers_figure(["one", "two", "<b>three</b>"], ANSWERS, label=8))
    assert len(figure.data) == 3
    for row, bars in enumerate(figure.data):
        heights = np.array(bars.y)
        assert bars.base == -row
        assert heights.max() < 1  # never into the row above
        np.testing.assert_allclose(heights / heights.sum(), ANSWERS[row] / ANSWERS[row].sum(), rtol=1e-5)
        loud = [digit for digit, color in enumerate(bars.marker.color) if color != QUIET_COLOR]
        assert loud == [int(ANSWERS[row].argmax())]
    assert figure.data[0].marker.color[8] == TRAINING_COLOR
    assert figure.data[1].marker.color[9] == VALIDATION_COLOR
    words = [annotation.text for annotation in figure.layout.annotations]
    assert words == ["one: <b>8</b>, 82.0%", "two: <b>9</b>, 82.0%", "&lt;b&gt;three&lt;/b&gt;: <b>8</b>, 82.0%"]
    (band,) = (shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (band.x0, band.x1) == (7.5, 8.5)


def test_pixels_keep_their_values_and_stand_upright() -> None:
    image = np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8)
    figure = drawn(answer_figures.digit_figure(image))
    np.testing.assert_array_equal(figure.data[0].z, image)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 255)
    assert figure.layout.yaxis.autorange == "reversed"  # row 0 on top
