"""Figures of several runs: what they draw and where, names that stay names, colours that all can tell apart."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.statistics import ClassAccuracies, class_accuracies, wilson_interval
from mnist_core.figures.comparison_figures import (
    PALETTE,
    SYMBOLS,
    band_figure,
    class_accuracy_figure,
    overlay_figure,
    scatter_figure,
)
from mnist_core.runs import BUNDLED_RUNS, list_runs
from mnist_core.runs.event_log import read_events
from mnist_core.runs.results import Report, read_predictions
from mnist_core.training.events import EpochDone
from tests.support.drawn import drawn
from ui.components.live_chart import as_json

BACKGROUNDS = ("#ffffff", "#10181b")
FIELDS = ("loss", "accuracy", "validation_loss", "validation_accuracy")


def history(*rows: tuple[float, float, float | None, float | None]) -> list[EpochDone]:
    """Make whole epochs of loss, accuracy, validation loss and validation accuracy."""
    return [
        EpochDone(number, 100 * number, True, **dict(zip(FIELDS, row, strict=True)), seconds=1.0)
        for number, row in enumerate(rows, start=1)
    ]


LONG = history((0.4, 0.9, 0.2, 0.95), (0.2, 0.95, 0.1, 0.98), (0.1, 0.97, 0.05, 0.99))
SHORT = history((0.5, 0.8, 0.3, 0.9), (0.3, 0.9, 0.2, 0.94))
UNCHECKED = history((0.5, 0.85, None, None), (0.3, 0.92, None, None))


@pytest.fixture(scope="module")
def report() -> Report:
    """The report of a run that ships with the project."""
    reports = [run.report for run in list_runs(BUNDLED_RUNS) if run.report is not None]
    assert reports
    return reports[0]


def trace(figure: go.Figure, **wanted: Any) -> Any:
    """Return the only trace with these properties, such as line_color."""
    found = [one for one in figure.data if all(one[name] == value for name, value in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def accuracy_at_tick(label: str) -> float:
    return float(label.removesuffix("%")) / 100


def test_runs_are_drawn_over_each_other() -> None:
    figure = drawn(overlay_figure([LONG, SHORT], "accuracy", ["long", "short"]))
    assert len(figure.data) == 4
    validation, training = (trace(figure, name="long", line_dash=dash) for dash in (None, "dash"))
    assert list(validation.x) == list(training.x) == [1, 2, 3]
    assert list(validation.customdata) == [0.95, 0.98, 0.99]
    assert list(training.customdata) == [0.9, 0.95, 0.97]
    assert list(trace(figure, name="short", line_dash=None).customdata) == [0.9, 0.94]
    assert validation.line.color == training.line.color == PALETTE[0]
    assert trace(figure, name="short", line_dash="dash").line.color == PALETTE[1]


def test_accuracies_stand_at_their_mistakes_the_best_on_top() -> None:
    figure = drawn(overlay_figure([LONG, SHORT], "accuracy", ["long", "short"]))
    axis = figure.layout.yaxis
    assert list(trace(figure, name="long", line_dash=None).y) == pytest.approx([0.05, 0.02, 0.01])
    assert (axis.type, axis.autorange, axis.range) == ("log", "reversed", None)
    assert [accuracy_at_tick(label) for label in axis.ticktext] == pytest.approx([1 - tick for tick in axis.tickvals])
    assert {"90%", "95%", "98%", "99%"} <= set(axis.ticktext)


def test_losses_stand_at_themselves() -> None:
    figure = drawn(overlay_figure([LONG, SHORT], "loss", ["long", "short"]))
    axis = figure.layout.yaxis
    assert list(trace(figure, name="long", line_dash=None).y) == [0.2, 0.1, 0.05]
    assert list(trace(figure, name="long", line_dash="dash").y) == [0.4, 0.2, 0.1]
    assert (axis.type, axis.autorange, axis.range) == ("log", True, None)
    assert [float(label) for label in axis.ticktext] == pytest.approx(axis.tickvals)


@pytest.mark.parametrize("histories", [[LONG, SHORT], [LONG, UNCHECKED], [UNCHECKED, UNCHECKED], [LONG] * 8])
def test_every_run_is_in_the_legend_once_and_hides_as_a_whole(histories: list[list[EpochDone]]) -> None:
    names = [f"run {number}" for number in range(len(histories))]
    figure = drawn(overlay_figure(histories, "accuracy", names))
    assert [one.name for one in figure.data if one.showlegend is not False] == names
    groups = [{one.legendgroup for one in figure.data if one.name == name} for name in names]
    assert all(len(group) == 1 for group in groups)
    assert len(set.union(*groups)) == len(names)
    assert figure.layout.showlegend


def test_runs_of_one_name_are_still_hidden_one_by_one() -> None:
    figure = drawn(overlay_figure([LONG, SHORT], "accuracy", ["same", "same"]))
    assert len({one.legendgroup for one in figure.data}) == 2


def test_epochs_that_were_broken_off_are_not_drawn() -> None:
    stopped = [*LONG[:2], replace(LONG[2], complete=False)]
    figure = drawn(overlay_figure([stopped], "accuracy", ["stopped"]))
    assert [list(one.x) for one in figure.data] == [[1, 2], [1, 2]]
    at_once = drawn(overlay_figure([[replace(LONG[0], complete=False)], SHORT], "accuracy", ["stopped", "short"]))
    assert {len(one.x) for one in at_once.data if one.name == "stopped"} == {0}


def test_a_perfect_score_has_a_place_on_the_axis() -> None:
    perfect = history((0.0, 1.0, 0.0, 1.0))
    for value in ("accuracy", "loss"):
        heights = [y for one in drawn(overlay_figure([perfect, LONG], value, ["perfect", "long"])).data for y in one.y]
        assert 0 < min(heights) <= 0.0001
    assert trace(drawn(overlay_figure([perfect], "accuracy", ["perfect"])), line_dash=None).customdata[0] == 1.0


@pytest.mark.parametrize(
    "accuracies", [(0.1, 0.9995), (0.05, 0.06), (0.989, 0.991), (0.9, 0.98), (0.8, 0.8), (0.0, 1.0)]
)
def test_axes_of_accuracies_have_ticks_and_none_out_of_range(accuracies: tuple[float, ...]) -> None:
    rows = [(0.1, accuracy, None, None) for accuracy in accuracies]
    axis = drawn(overlay_figure([history(*rows)], "accuracy", ["run"])).layout.yaxis
    shown = [accuracy_at_tick(label) for label in axis.ticktext]
    assert 2 <= len(shown) <= 16
    assert len(set(shown)) == len(shown)
    assert 0 <= min(shown) < max(shown) < 1
    assert shown == pytest.approx([1 - tick for tick in axis.tickvals], abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 25, 100])
def test_epochs_are_counted_in_whole_numbers(count: int) -> None:
    axis = drawn(overlay_figure([history(*[(0.1, 0.9, 0.1, 0.9)] * count)], "accuracy", ["run"])).layout.xaxis
    assert axis.dtick == int(axis.dtick) >= 1
    assert count / axis.dtick <= 10
    low, high = axis.range
    assert 0 < low < 1
    assert count < high < count + 1


def test_names_are_shown_as_they_are_written() -> None:
    """Plotly reads some HTML in names, and placeholders in hover texts."""
    figure = drawn(overlay_figure([LONG], "accuracy", ["<b>a</b> & %{x}"]))
    for one in figure.data:
        assert one.name == "&lt;b&gt;a&lt;/b&gt; &amp; %{x}"
        assert "&lt;" not in one.hovertemplate
        assert "%{fullData.name}" in one.hovertemplate


def test_more_runs_than_colours_are_refused_as_are_none() -> None:
    for count in (0, 9):
        with pytest.raises(ValueError, match=f"1 to 8 runs; these are {count}"):
            overlay_figure([LONG] * count, "accuracy", ["run"] * count)
    with pytest.raises(ValueError, match="1 to 2 runs"):
        overlay_figure([LONG] * 3, "accuracy", ["run"] * 3, ["#111111", "#222222"])
    with pytest.raises(ValueError):
        overlay_figure([LONG], "accuracy", ["one", "two"])


def test_colours_can_be_chosen() -> None:
    figure = drawn(band_figure([[LONG, LONG]], "loss", ["run"], ["#123456"]))
    assert {one.line.color for one in figure.data if one.fill is None} == {"#123456"}


def test_long_names_stand_in_one_column_and_short_ones_in_two() -> None:
    short = drawn(overlay_figure([LONG] * 6, "accuracy", ["short"] * 6)).layout
    long = drawn(overlay_figure([LONG] * 6, "accuracy", ["short"] * 5 + ["a name of many, many letters"])).layout
    assert short.legend.entrywidth < 0.5 < long.legend.entrywidth < 1
    assert long.height - short.height == long.margin.b - short.margin.b > 0
    alone = drawn(overlay_figure([LONG], "accuracy", ["short"])).layout
    assert alone.showlegend is False
    assert alone.height < short.height


def test_a_band_is_drawn_around_the_mean_of_the_runs() -> None:
    other = history((0.4, 0.9, 0.2, 0.97), (0.2, 0.95, 0.1, 0.99))
    figure = drawn(band_figure([[LONG, other]], "validation_accuracy", ["group"]))
    mean = trace(figure, fill=None, line_width=2.5)
    assert list(mean.x) == [1, 2]
    assert list(mean.y) == pytest.approx([0.04, 0.015])
    deviations = [math.sqrt(2) * 0.01, math.sqrt(2) * 0.005]  # of two values x ± d
    assert np.array(mean.customdata).tolist() == [
        pytest.approx([0.96, deviations[0], 2]),
        pytest.approx([0.985, deviations[1], 2]),
    ]
    band = trace(figure, fill="toself")
    assert list(band.x) == [1, 2, 2, 1]
    expected = [0.04 + deviations[0], 0.015 + deviations[1], 0.015 - deviations[1], 0.04 - deviations[0]]
    assert list(band.y) == pytest.approx(expected)
    singles = [one for one in figure.data if one.line.width == 1]
    assert [list(one.customdata) for one in singles] == [[0.95, 0.98, 0.99], [0.97, 0.99]]
    assert [one.name for one in figure.data if one.showlegend is not False] == ["group"]


def test_a_group_of_one_run_has_no_band_but_a_name() -> None:
    figure = drawn(band_figure([[LONG], [LONG, SHORT]], "loss", ["one", "two"]))
    named = [one for one in figure.data if one.showlegend is not False and len(one.x)]
    assert [one.name for one in named] == ["one", "two"]
    assert [one.line.width for one in named] == [1, 2.5]


@pytest.mark.parametrize("value", FIELDS)
def test_bands_say_what_they_are_about(value: Any) -> None:
    title = drawn(band_figure([[LONG, SHORT]], value, ["group"])).layout.title.text
    assert title.startswith("Validation " if value.startswith("validation") else "Training ")
    assert "higher is better" in title if value.endswith("accuracy") else "lower is better" in title


def test_dots_show_accuracy_and_parameters_with_wilson_intervals(report: Report) -> None:
    reports = [
        replace(report, test_correct=9900, parameters=1000, training_seconds=60.0),
        replace(report, test_correct=8000, parameters=100_000, training_seconds=30.0),
    ]
    figure = drawn(scatter_figure(reports, ["small", "large"]))
    assert figure.layout.xaxis.type == "log"
    for one, correct, parameters in zip(figure.data, (9900, 8000), (1000, 100_000), strict=True):
        low, high = wilson_interval(correct, 10_000)
        assert (one.x[0], one.y[0]) == (parameters, pytest.approx(1 - correct / 10_000))
        assert one.y[0] + one.error_y.array[0] == pytest.approx(1 - low)
        assert one.y[0] - one.error_y.arrayminus[0] == pytest.approx(1 - high)
        assert list(one.customdata[0]) == pytest.approx([correct / 10_000, low, high])
    start, end = figure.layout.yaxis.range
    assert end < math.log10(0.01) < math.log10(0.2) < start  # the best on top

    seconds = drawn(scatter_figure(reports, ["small", "large"], "training_seconds"))
    assert [one.x[0] for one in seconds.data] == [60.0, 30.0]
    assert seconds.layout.xaxis.type != "log"
    assert seconds.layout.xaxis.range[0] == 0


def test_dots_far_apart_carry_names_and_crowded_ones_a_legend(report: Report) -> None:
    apart = [replace(report, test_correct=9000 + 300 * k, parameters=1000 * 10**k) for k in range(3)]
    figure = drawn(scatter_figure(apart, ["a", "b", "c"]))
    assert [one.text[0] for one in figure.data if "text" in one.mode] == ["a", "b", "c"]
    assert figure.layout.showlegend is False

    crowded = drawn(scatter_figure([report] * 4, ["a name", "another name", "a third name", "a fourth name"]))
    assert {one.mode for one in crowded.data} == {"markers"}
    assert crowded.layout.showlegend is True


def test_names_stay_within_the_plot(report: Report) -> None:
    apart = [replace(report, parameters=1000), replace(report, parameters=10_000)]
    places = [one.textposition for one in drawn(scatter_figure(apart, ["a long name", "a long name"])).data]
    assert places == ["middle right", "middle left"]


def test_names_keep_clear_of_other_dots(report: Report) -> None:
    """The first name would run into the second dot, unless it stands on the left."""
    reports = [replace(report, parameters=parameters) for parameters in (10_000, 14_000, 1_000, 100_000)]
    places = [one.textposition for one in drawn(scatter_figure(reports, ["a name", "other", "x", "y"])).data]
    assert places[:2] == ["middle left", "middle right"]


@pytest.mark.parametrize("x", ["parameters", "training_seconds"])
@pytest.mark.parametrize("correct", [0, 5000, 10_000])
def test_a_lone_dot_is_drawn_whatever_its_accuracy(report: Report, x: Any, correct: int) -> None:
    figure = scatter_figure([replace(report, test_correct=correct, training_seconds=0.0)], ["run"], x)
    sent = as_json(figure)
    assert all(accuracy_at_tick(label) >= 0 for label in drawn(figure).layout.yaxis.ticktext)
    assert "null" not in json.dumps([sent["data"][0]["x"], sent["data"][0]["y"], sent["layout"]["yaxis"]])


def test_bars_are_the_shares_of_each_digit_with_their_intervals(mnist: Mnist) -> None:
    result = class_accuracies(mnist.y_test, read_predictions(BUNDLED_RUNS / "chollet"))
    figure = drawn(class_accuracy_figure([result], ["chollet"]))
    (bars,) = figure.data
    assert list(bars.x) == list("0123456789")
    assert list(bars.y) == result.share.tolist()
    assert (np.array(bars.y) + bars.error_y.array).tolist() == pytest.approx(result.high.tolist())
    assert (np.array(bars.y) - bars.error_y.arrayminus).tolist() == pytest.approx(result.low.tolist())
    assert [row[1] for row in bars.customdata] == np.bincount(mnist.y_test).tolist()


def classes(lowest: float) -> ClassAccuracies:
    low = np.linspace(lowest, min(1.0, lowest + 0.05), 10)
    return ClassAccuracies(np.full(10, 100), np.full(10, 90), low, low, low)


@pytest.mark.parametrize(
    ("lowest", "start"),
    [(0.987, 0.98), (0.97, 0.96), (0.9502, 0.94), (0.86, 0.8), (0.61, 0.5), (0.11, 0.0), (0.0, 0.0)],
)
def test_the_axis_of_bars_starts_below_all_intervals_and_says_so(lowest: float, start: float) -> None:
    layout = drawn(class_accuracy_figure([classes(0.99), classes(lowest)], ["good", "other"])).layout
    assert list(layout.yaxis.range) == [pytest.approx(start), 1]
    said = re.search(r"starts at (\d+)%, not at zero", layout.title.subtitle.text)
    assert (said is None) if start == 0 else (said is not None and int(said[1]) == round(start * 100))


def linear(color: str) -> NDArray[np.float64]:
    """Return the linear light of an sRGB colour, (3,)."""
    channels = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of the Web Content Accessibility Guidelines 2."""
    dark, light = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIELAB coordinates for D65 of linear sRGB, (3,)."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ light / [0.9505, 1.0, 1.089])  # all colours here are bright enough for the root
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes (2009), severity 1.0, rows of a matrix over linear sRGB.
SIGHTS = {
    "full": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def nearest(colors: Sequence[str], sight: str) -> float:
    """Return the distance in CIELAB of the two colours that are most alike to this kind of sight."""
    seen = [lab(np.clip(np.array(SIGHTS[sight]) @ linear(color), 0.001, 1)) for color in colors]
    return min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(seen, 2))


def test_the_measures_of_colour_are_right() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # as web tools give it
    assert lab(linear("#ff0000")) == pytest.approx([53.2, 80.1, 67.2], abs=0.2)
    assert nearest(["#ff0000", "#5d5200"], "full") > 60
    assert nearest(["#ff0000", "#5d5200"], "protanopia") < 25


@pytest.mark.parametrize("color", PALETTE)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_colours_stand_out_from_both_backgrounds(color: str, background: str) -> None:
    assert contrast(color, background) >= 3


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_can_be_told_apart_by_everybody(sight: str) -> None:
    assert nearest(PALETTE, sight) > 15  # 2.3 is a just noticeable difference


def test_there_are_as_many_marks_as_colours() -> None:
    assert len(set(PALETTE)) == len(PALETTE) == len(set(SYMBOLS)) == len(SYMBOLS) == 8


@pytest.mark.parametrize("value", ["accuracy", "loss"])
def test_runs_that_ship_with_the_project_can_be_drawn(value: Literal["accuracy", "loss"]) -> None:
    bundled = list_runs(BUNDLED_RUNS)
    histories = [[event for event in read_events(run.path) if isinstance(event, EpochDone)] for run in bundled]
    figure = drawn(overlay_figure(histories, value, [run.id for run in bundled]))
    assert len(figure.data) >= 2 * 5
    assert all(np.isfinite(one.y).all() for one in figure.data)
