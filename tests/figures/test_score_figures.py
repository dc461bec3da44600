"""The reliability diagram: what it draws, and that a single image can be seen beside ten thousand."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
import pytest

from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.scores import Calibration, calibration
from mnist_core.figures.score_figures import reliability_figure
from mnist_core.runs import BUNDLED_RUNS
from mnist_core.runs.results import read_predictions
from tests.support.drawn import drawn

RESULT = Calibration(
    edges=np.array([0, 0.25, 0.5, 0.75, 1]),
    count=np.array([0, 1, 40, 9000]),
    confidence=np.array([np.nan, 0.4, 0.6, 0.99]),
    accuracy=np.array([np.nan, 0.0, 0.8, 0.97]),
    expected_error=0.02,
    maximum_error=0.4,
)


def traces(figure: go.Figure) -> dict[str | None, go.Bar]:
    return {trace.name: trace for trace in figure.data}


def test_bars_show_the_accuracy_and_gaps_reach_the_confidence() -> None:
    found = traces(drawn(reliability_figure(RESULT)))
    assert list(found["accuracy"].x) == [37.5, 62.5, 87.5]  # the empty bin is not drawn
    assert list(found["accuracy"].y) == pytest.approx([0, 80, 97])
    above, below = found["overconfident"], found["underconfident"]
    assert list(zip(above.x, above.base, above.y, strict=True)) == [
        (37.5, pytest.approx(0), pytest.approx(40)),
        (87.5, pytest.approx(97), pytest.approx(2)),
    ]
    assert list(zip(below.x, below.base, below.y, strict=True)) == [(62.5, pytest.approx(60), pytest.approx(20))]
    assert list(found["ideal"].x) == list(found["ideal"].y) == [0, 100]


def test_a_single_image_can_be_seen_beside_thousands() -> None:
    figure = drawn(reliability_figure(RESULT))
    counts = traces(figure)[None]
    assert list(counts.y) == [1, 40, 9000]
    assert list(counts.text) == ["1", "40", "9,000"]
    axis = figure.layout.yaxis2
    assert axis.type == "log"
    low, high = axis.range
    assert (0 - low) / (high - low) > 0.03  # a bar of one image, as a share of the panel
    assert math.log10(9000) < high - 0.8  # and the count above the highest bar has room


def test_both_halves_share_the_axis_of_confidence() -> None:
    figure = drawn(reliability_figure(RESULT))
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range == (0, 100)
    assert figure.layout.xaxis.matches == "x2"
    assert set(traces(figure)[None].x) == set(traces(figure)["accuracy"].x)


def test_hover_tells_a_bin_in_words() -> None:
    bars = traces(drawn(reliability_figure(RESULT)))["accuracy"]
    assert list(bars.customdata[1]) == pytest.approx([50, 75, 40, 60, 80])
    assert "customdata[2]" in bars.hovertemplate


@pytest.mark.parametrize("bins", [10, 15, 20])
def test_the_runs_that_ship_can_be_drawn(bins: int, mnist: Mnist) -> None:
    result = calibration(mnist.y_test, read_predictions(BUNDLED_RUNS / "nehlr"), bins)
    figure = drawn(reliability_figure(result))
    counts = traces(figure)[None]
    assert sum(counts.y) == 10_000
    # Counts of narrow bars are written upwards, so that they do not touch.
    assert (counts.textangle == 0) == (bins == 10)
    assert np.all(np.diff(counts.x) > max(counts.width))
