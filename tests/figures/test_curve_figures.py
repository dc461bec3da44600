"""What the figures of a run hold: every trace against the events it came from."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.testing import assert_allclose

from mnist_core.figures import curve_figures
from mnist_core.figures.curve_figures import CurveOptions, Ghost
from mnist_core.figures.style import Figure
from mnist_core.training.config import TrainingConfig
from mnist_core.training.curves import Curves, curves
from mnist_core.training.events import BatchesDone, EpochDone, Event
from tests.support.drawn import drawing
from ui.components.live_chart import as_json

FUNCTIONS = (
    curve_figures.loss_figure,
    curve_figures.accuracy_figure,
    curve_figures.learning_rate_figure,
    curve_figures.gradient_norm_figure,
)
FIGURES = loss_figure, accuracy_figure, learning_rate_figure, gradient_norm_figure = tuple(map(drawing, FUNCTIONS))
EVERY_OPTION = [
    CurveOptions(by, logarithmic, smoothing)
    for by in ("batch", "epoch")
    for logarithmic in (False, True)
    for smoothing in (0.0, 0.9)
]
CONFIG = TrainingConfig(train_size=1000, validation="test", batch_size=100, epochs=4, learning_rate=0.8)  # 40 batches


def history(
    epochs: float,
    config: TrainingConfig = CONFIG,
    *,
    validation: tuple[float | None, ...] = (0.5, 0.3, 0.2, 0.25),
    norms: bool = True,
    seed: int = 0,
) -> Curves:
    """Make a run of so many epochs, with noise in its batches; validation accuracies are 1 - loss / 10."""
    generator = np.random.default_rng(seed)
    steps = config.steps_per_epoch
    events: list[Event] = []
    for step in range(1, round(epochs * steps) + 1):
        loss = 2.3 / (1 + step / 10) * float(generator.lognormal(0, 0.2))
        norm = (float(generator.lognormal(0, 1)),) if norms else ()
        events.append(
            BatchesDone(-(-step // steps), step, 100 * step, (loss,), (max(0.0, 1 - loss / 3),), float(step), norm)
        )
        if step % steps == 0:
            number = step // steps
            measured = validation[(number - 1) % len(validation)]
            accuracy = None if measured is None else 1 - measured / 10
            events.append(EpochDone(number, step, True, 1 / number, 1 - 0.1 / number, measured, accuracy, float(step)))
    return curves(events, config)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def numbers(figure: Figure) -> list[Any]:
    """All values of x and y as they travel to the browser, with None where there is none."""
    values: list[Any] = []
    for trace in as_json(figure)["data"]:
        for axis in (trace["x"], trace["y"]):
            if isinstance(axis, dict):
                values += np.frombuffer(base64.b64decode(axis["bdata"]), np.dtype(axis["dtype"])).tolist()
            else:
                values += axis
    return values


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize("options", EVERY_OPTION)
def test_traces_and_range_of_epochs_stay_while_a_run_grows(draw: Any, options: CurveOptions) -> None:
    ghosts = [Ghost("old", history(4, seed=1))]
    figures = [draw(history(epochs), options, ghosts) for epochs in (0, 0.1, 1, 2.5, 4)]
    assert len({tuple((trace.name, trace.legendgroup, trace.mode) for trace in figure.data) for figure in figures}) == 1
    assert {tuple(figure.layout.xaxis.range) for figure in figures} == {(0, 4 * 1.02)}
    assert {figure.layout.yaxis.range for figure in figures} == {None}
    assert len({(figure.layout.uirevision, figure.layout.yaxis.uirevision) for figure in figures}) == 1


@pytest.mark.parametrize("draw", FIGURES)
def test_only_a_change_of_scale_gives_up_the_zoom(draw: Any) -> None:
    run = history(2)
    figures = {options: draw(run, options) for options in EVERY_OPTION}
    assert len({figure.layout.uirevision for figure in figures.values()}) == 1
    revisions = {(options.logarithmic, figure.layout.yaxis.uirevision) for options, figure in figures.items()}
    assert len(revisions) == 2
    assert all((figure.layout.yaxis.type == "log") == options.logarithmic for options, figure in figures.items())


@pytest.mark.parametrize("draw", FIGURES)
def test_earlier_runs_come_after_and_behind(draw: Any) -> None:
    alone = draw(history(2))
    figure = draw(history(2), ghosts=[Ghost("one", history(4, seed=1)), Ghost("two", history(4, seed=2))])
    own, ghosts = figure.data[: len(alone.data)], figure.data[len(alone.data) :]
    assert [trace.name for trace in own] == [trace.name for trace in alone.data]
    assert {trace.name for trace in ghosts} == {"one", "two"}
    assert all(trace.zorder == -1 for trace in ghosts)
    assert len({(trace.line.color, trace.line.dash) for trace in ghosts}) == 2
    assert sum(trace.showlegend is not False for trace in ghosts) == 2
    assert all(f"<extra>{trace.name}, " in trace.hovertemplate for trace in ghosts)


def test_at_most_four_earlier_runs() -> None:
    ghosts = [Ghost("x", history(1))] * 4
    loss_figure(history(1), ghosts=ghosts)
    with pytest.raises(ValueError, match="4 earlier runs; these are 5"):
        loss_figure(history(1), ghosts=[*ghosts, ghosts[0]])


def test_earlier_runs_of_one_name_have_legend_groups_each() -> None:
    figure = loss_figure(history(1), ghosts=[Ghost("x", history(1)), Ghost("x", history(1))])
    assert len({trace.legendgroup for trace in figure.data if trace.name == "x"}) == 2


def test_an_earlier_run_ends_where_the_axis_does() -> None:
    long = history(20, replace(CONFIG, epochs=20))
    for options in (CurveOptions(), CurveOptions(by="epoch")):
        for draw in FIGURES:
            ghosts = [trace for trace in draw(history(1), options, [Ghost("long", long)]).data if trace.name == "long"]
            assert ghosts
            assert all(0 < max(trace.x) <= 4 for trace in ghosts)


def test_names_are_text_not_markup() -> None:
    figure = loss_figure(history(1), ghosts=[Ghost("<b>a</b>", history(1))])
    assert figure.data[-1].name == "&lt;b&gt;a&lt;/b&gt;"


def test_an_earlier_run_does_not_scale_a_straight_axis() -> None:
    bad = replace(history(4), batch_loss=np.full(40, 50.0))
    alone, beside = loss_figure(history(4)), loss_figure(history(4), ghosts=[Ghost("bad", bad)])
    assert beside.layout.yaxis.autorangeoptions == alone.layout.yaxis.autorangeoptions
    assert loss_figure(history(0), ghosts=[Ghost("bad", bad)]).layout.yaxis.autorangeoptions.clipmax > 50


def test_batches_and_epochs_stand_where_they_belong() -> None:
    run = history(3.5)
    by_batch = trace(loss_figure(run), "training, by batch")
    assert_allclose(by_batch.x, np.arange(1, 36) / 10, rtol=1e-6)
    assert_allclose(by_batch.y, run.batch_loss, rtol=1e-6)
    by_epoch = trace(loss_figure(run, CurveOptions(by="epoch")), "training, by epoch")
    assert_allclose(by_epoch.x, [0.5, 1.5, 2.5])  # a mean over the epoch belongs to its middle
    assert_allclose(by_epoch.y, [1, 1 / 2, 1 / 3], rtol=1e-6)
    assert by_epoch.customdata.tolist() == [1, 2, 3]
    for options in (CurveOptions(), CurveOptions(by="epoch")):
        validation = trace(loss_figure(run, options), "validation, by epoch")
        assert_allclose(validation.x, [1, 2, 3])
        assert_allclose(validation.y, [0.5, 0.3, 0.2], rtol=1e-6)
        accuracies = trace(accuracy_figure(run, options), "validation, by epoch")
        assert_allclose(accuracies.y, [0.95, 0.97, 0.98], rtol=1e-6)


def test_smoothing_puts_a_pale_line_behind() -> None:
    run = history(2)
    figure = loss_figure(run, CurveOptions(smoothing=0.5))
    assert_allclose(trace(figure, "not smoothed").y, run.batch_loss, rtol=1e-6)
    total = weights = 0.0
    for shown, value in zip(trace(figure, "training, by batch").y, run.batch_loss, strict=True):
        total, weights = total / 2 + value, weights / 2 + 1
        assert shown == pytest.approx(total / weights, rel=1e-5)
    names = [each.name for each in figure.data]
    assert names.index("not smoothed") < names.index("training, by batch")
    for options in (CurveOptions(), CurveOptions(by="epoch", smoothing=0.5)):
        assert len(trace(loss_figure(run, options), "not smoothed").x) == 0


def test_the_learning_rate_is_never_smoothed() -> None:
    config = replace(CONFIG, schedule="step", step_epochs=1, step_factor=0.5)
    figure = learning_rate_figure(history(1.5, config), CurveOptions(smoothing=0.9))
    assert_allclose(trace(figure, "so far").y, [0.8] * 10 + [0.4] * 5, rtol=1e-6)
    assert len(trace(figure, "not smoothed").x) == 0


def test_the_plan_of_the_learning_rate_needs_no_run() -> None:
    config = replace(CONFIG, schedule="step", step_epochs=2, step_factor=0.5)
    plan = trace(learning_rate_figure(curves([], config)), "planned")
    assert_allclose(plan.x, np.arange(1, 41) / 10, rtol=1e-6)
    assert_allclose(plan.y, [0.8] * 20 + [0.4] * 20, rtol=1e-6)


def test_a_logarithmic_accuracy_is_the_error_rate() -> None:
    run = history(3)
    figure = accuracy_figure(run, CurveOptions(logarithmic=True))
    assert "Error rate" in figure.layout.title.text
    assert_allclose(trace(figure, "validation, by epoch").y, [0.05, 0.03, 0.02], rtol=1e-5)
    assert_allclose(trace(figure, "training, by batch").y, 1 - run.batch_accuracy, rtol=1e-5)
    perfect = accuracy_figure(replace(run, batch_accuracy=np.ones(30)), CurveOptions(logarithmic=True))
    assert (np.array(trace(perfect, "training, by batch").y) > 0).all()  # 0 has no logarithm
    assert perfect.layout.yaxis.autorangeoptions.clipmin > max(trace(perfect, "training, by batch").y)


@pytest.mark.parametrize(("draw", "value"), [(loss_figure, 0.2), (accuracy_figure, 0.98)])
@pytest.mark.parametrize("options", [option for option in EVERY_OPTION if not option.logarithmic])
def test_the_best_epoch_has_the_lowest_validation_loss(draw: Any, value: float, options: CurveOptions) -> None:
    figure = draw(history(4), options)
    ring = trace(figure, "lowest validation loss")
    assert (list(ring.x), list(ring.customdata)) == ([3], [3])
    assert_allclose(ring.y, [value], rtol=1e-6)
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1, line.yref) == (3, 3, "y domain")
    (label,) = figure.layout.annotations
    assert label.text == "best: epoch 3"


@pytest.mark.parametrize(("best", "side"), [(1, "left"), (2, "left"), (3, "right"), (4, "right")])
def test_the_label_of_the_best_epoch_stays_within_the_figure(best: int, side: str) -> None:
    losses = tuple(0.2 if epoch == best else 0.4 for epoch in range(1, 5))
    (label,) = loss_figure(history(4, validation=losses)).layout.annotations
    assert (label.text, label.x, label.xanchor) == (f"best: epoch {best}", best, side)


def test_no_epoch_is_best_without_another_or_without_validation() -> None:
    for run in (history(0.5), history(1), history(3, validation=(None,))):
        figure = loss_figure(run)
        assert (len(figure.layout.shapes), len(trace(figure, "lowest validation loss").x)) == (0, 0)


def area(trace: go.Scatter) -> float:
    """The area inside a polygon, by the shoelace formula."""
    x, y = np.array(trace.x, np.float64), np.array(trace.y, np.float64)
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2


@pytest.mark.parametrize("by", ["batch", "epoch"])
def test_the_gap_lies_between_training_and_validation(by: Any) -> None:
    run = history(4, validation=(0.2,))
    flat = replace(run, batch_loss=np.full(40, 0.5), epochs=tuple(replace(event, loss=0.5) for event in run.epochs))
    gap = trace(loss_figure(flat, CurveOptions(by=by)), "gap")
    assert area(gap) == pytest.approx(3 * 0.3)  # from the first validated epoch to the fourth
    assert gap.fill == "toself"
    assert (min(gap.x), max(gap.x)) == (1, 4)


def test_no_validation_leaves_no_gap_and_no_legend_entry() -> None:
    figure = loss_figure(history(3, validation=(None,)))
    assert len(trace(figure, "gap").x) == len(trace(figure, "validation, by epoch").x) == 0
    # A single one missing leaves a gap in the line.
    figure = loss_figure(history(3, validation=(0.5, None, 0.2)))
    assert trace(figure, "validation, by epoch").y[1] is None


def test_gradients_that_were_not_measured_are_said_to_be() -> None:
    note = "Not measured in this run"
    assert [label.text for label in gradient_norm_figure(history(1, norms=False)).layout.annotations] == [note]
    assert not gradient_norm_figure(history(1)).layout.annotations
    assert not gradient_norm_figure(history(0)).layout.annotations


@pytest.mark.parametrize("draw", FUNCTIONS)
@pytest.mark.parametrize("options", EVERY_OPTION)
def test_nothing_but_finite_numbers_reaches_the_browser(draw: Any, options: CurveOptions) -> None:
    run = history(2, validation=(math.nan, None))
    broken = run.batch_loss.copy()
    broken[[3, 7]] = math.nan, math.inf
    run = replace(run, batch_loss=broken, batch_gradient_norm=broken, batch_accuracy=broken)
    values = numbers(draw(run, options, [Ghost("a", run), Ghost("b", history(1, norms=False))]))
    assert values
    assert all(value is None or math.isfinite(value) for value in values)


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize("options", EVERY_OPTION)
def test_limits_of_axes_are_usable_whatever_the_values(draw: Any, options: CurveOptions) -> None:
    for level in (0.0, 1.0, 1e-9, 1e9):
        run = history(2)
        flat = np.full(20, level)
        run = replace(run, batch_loss=flat, batch_accuracy=np.minimum(flat, 1), batch_gradient_norm=flat, epochs=())
        limits = draw(run, options).layout.yaxis.autorangeoptions
        ends = [end for end in (limits.clipmin, limits.clipmax) if end is not None]
        assert all(math.isfinite(end) for end in ends)
        if options.logarithmic:
            assert all(end > 0 for end in ends)
        if draw is not accuracy_figure and limits.clipmax is not None:
            assert limits.clipmax > 0


def test_a_bad_start_does_not_flatten_what_follows() -> None:
    config = replace(CONFIG, epochs=20)
    run = history(20, config)
    loss = np.full(200, 0.1)
    loss[0] = 31.0
    axis = loss_figure(replace(run, batch_loss=loss, epochs=())).layout.yaxis
    assert axis.autorangeoptions.clipmax == pytest.approx(0.11)
    assert axis.rangemode == "tozero"
    assert (
        loss_figure(replace(run, batch_loss=loss), CurveOptions(logarithmic=True)).layout.yaxis.autorangeoptions.clipmax
        is None
    )


@pytest.mark.parametrize("draw", FUNCTIONS)
def test_a_long_run_with_four_behind_stays_small(draw: Any) -> None:
    config = replace(CONFIG, train_size=60_000, epochs=10)
    runs = [history(10, config, seed=seed) for seed in range(5)]
    ghosts = [Ghost(f"run {index}", run) for index, run in enumerate(runs[1:])]
    figure = draw(runs[0], CurveOptions(smoothing=0.9), ghosts)
    assert len(json.dumps(as_json(figure))) < 75_000
    assert all(len(trace["x"]) <= 400 for trace in figure["data"] if trace["name"] != "gap")
