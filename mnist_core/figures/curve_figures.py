"""Figures of a run while it trains: loss, accuracy, learning rate and gradient norm, with earlier runs behind them.

They are made to be updated in place: what a viewer zoomed into or hid stays so. Traces of a figure come always in the
same order, empty if need be, earlier runs after them; the range of epochs never changes, and that of values is left to
Plotly. Only a change between a straight and a logarithmic axis gives up a zoom into values.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_core.figures.style import (
    TRAINING_COLOR,
    VALIDATION_COLOR,
    Figure,
    Layout,
    Trace,
    with_layout,
    with_legend_below,
)
from mnist_core.training.curves import Curves, EpochCurves, Values, by_epoch, smooth, thin
from mnist_core.training.early_stopping import best_epoch

MOST_GHOSTS = 4


@dataclass(frozen=True)
class CurveOptions:
    """How curves are drawn. `smoothing`, 0 to 0.99, is for training by batch alone; see `curves.smooth`.

    It smooths the points that are drawn, at most 400: what it does to a curve does not depend on the length of the run.
    """

    by: Literal["batch", "epoch"] = "batch"
    logarithmic: bool = False
    smoothing: float = 0.0


@dataclass(frozen=True)
class Ghost:
    """An earlier run behind the one that is shown."""

    name: str
    curves: Curves


@dataclass(frozen=True)
class _Quantity:
    """What a figure shows, and how."""

    field: Literal["loss", "accuracy", "learning_rate", "gradient_norm"]  # its name in `Curves` and `EpochCurves`
    title: str
    hover_format: str
    tick_format: str
    validated: bool = False  # whether there are validation values of it
    smoothed: bool = True
    complement: bool = False  # whether 1 minus the value is drawn

    def of(self, source: Curves | EpochCurves, prefix: str) -> Values:
        """Return the values to draw."""
        values: Values = getattr(source, prefix + self.field)
        return np.maximum(1 - values, _NO_MISTAKES) if self.complement else values


_LOSS = _Quantity("loss", "Loss (lower is better)", ".4f", "~g", validated=True)
_ACCURACY = _Quantity("accuracy", "Accuracy (higher is better)", ".2%", ".3~%", validated=True)
# On a logarithmic axis, accuracies would all lie close to 100%; shares of mistakes spread out.
_ERROR_RATE = _Quantity("accuracy", "Error rate (lower is better)", ".2%", ".3~%", validated=True, complement=True)
_LEARNING_RATE = _Quantity("learning_rate", "Learning rate", ".3~g", "~g", smoothed=False)
_GRADIENT_NORM = _Quantity("gradient_norm", "Gradient norm", ".3~g", "~g")

_DEFAULT = CurveOptions()
_NO_MISTAKES = 1e-4  # where a logarithmic axis would draw 0: below its end
_LEAST = {"loss": 1e-3, "accuracy": 5e-4}  # logarithmic axes go no deeper by themselves
_GHOST_LOOKS = (("#5f87b8", "dash"), ("#b5708a", "dot"), ("#8a8a45", "dashdot"), ("#8a72be", "longdash"))
_GHOST_SMOOTHING = 0.9  # at least: ghosts of single batches would hide each other
_GAP_COLOR = "rgba(148, 163, 184, 0.28)"
_LABEL_COLOR = "#c2670a"  # validation's, darker: its contrast is 4 : 1 with white and with the dark background
_NOTE_COLOR = "#71808c"  # likewise


class _Points(NamedTuple):
    """Points to draw; `epochs` are the numbers of those that they stand for, unless they stand for batches."""

    x: Values = np.empty(0)
    y: Values = np.empty(0)
    epochs: NDArray[np.int64] | None = None

    def where(self, chosen: NDArray[np.bool_]) -> _Points:
        return _Points(self.x[chosen], self.y[chosen], None if self.epochs is None else self.epochs[chosen])


def loss_figure(history: Curves, options: CurveOptions = _DEFAULT, ghosts: Sequence[Ghost] = ()) -> Figure:
    """Draw the loss: training by batch or epoch, validation by epoch, the gap between them, and the best epoch."""
    return _figure(_LOSS, history, options, ghosts)


def accuracy_figure(history: Curves, options: CurveOptions = _DEFAULT, ghosts: Sequence[Ghost] = ()) -> Figure:
    """Draw the accuracy as `loss_figure` does the loss; over a logarithmic axis, the error rate instead."""
    return _figure(_ERROR_RATE if options.logarithmic else _ACCURACY, history, options, ghosts)


def learning_rate_figure(history: Curves, options: CurveOptions = _DEFAULT, ghosts: Sequence[Ghost] = ()) -> Figure:
    """Draw the learning rate so far, and as it is planned; without batches, the plan alone."""
    return _figure(_LEARNING_RATE, history, options, ghosts)


def gradient_norm_figure(history: Curves, options: CurveOptions = _DEFAULT, ghosts: Sequence[Ghost] = ()) -> Figure:
    """Draw the length of all gradients as one vector; of a run that did not measure it, the figure says so."""
    figure = _figure(_GRADIENT_NORM, history, options, ghosts)
    if len(history.batch_epoch) and not np.isfinite(history.batch_gradient_norm).any():
        place = {"xref": "x domain", "x": 0.5, "yref": "y domain", "y": 0.5, "showarrow": False}
        note = {"text": "Not measured in this run", "font": {"color": _NOTE_COLOR}, **place}
        return with_layout(figure, {"annotations": [note]})
    return figure


def _figure(quantity: _Quantity, history: Curves, options: CurveOptions, ghosts: Sequence[Ghost]) -> Figure:
    if len(ghosts) > MOST_GHOSTS:
        raise ValueError(f"A figure can show {MOST_GHOSTS} earlier runs; these are {len(ghosts)}.")
    traces = _training_traces(quantity, history, options)
    layout: Layout = {}
    if quantity.validated:
        best = _best(quantity, history)
        layout = _best_line(best, at_bottom=quantity is _ACCURACY, end=history.planned_epochs)
        traces = [_gap_trace(quantity, history, options), *traces, *_validation_traces(quantity, history, best)]
    if quantity is _LEARNING_RATE:
        traces = [_plan_trace(history), *traces]
    behind = [
        trace
        for slot, ghost in enumerate(ghosts)
        for trace in _ghost_traces(quantity, ghost, slot, options, history.planned_epochs)
    ]
    if options.logarithmic:
        axis = _logarithmic_axis(quantity, _extent([*traces, *behind], quantity, above=0))
    else:
        axis = _straight_axis(quantity, _extent(traces, quantity) or _extent(behind, quantity))
    layout["title"] = {"text": quantity.title}
    layout["xaxis"] = {"title": {"text": "Epoch"}, "range": [0, history.planned_epochs * 1.02]}
    layout["yaxis"] = {"tickformat": quantity.tick_format, **axis}
    names = [ghost.name for ghost in ghosts]
    return with_legend_below([*traces, *behind], layout, names, entries=2 + len(names), height=310, top=44, bottom=52)


def _training_traces(quantity: _Quantity, history: Curves, options: CurveOptions) -> list[Trace]:
    """Return the values that were measured, pale, and the smoothed ones; the first is empty if there is one line."""
    by_batch = options.by == "batch"
    smoothing = options.smoothing if by_batch and quantity.smoothed else 0.0
    measured = _training(quantity, history, "batch") if smoothing else _Points()
    pale = {"line": {"color": TRAINING_COLOR, "width": 1}, "opacity": 0.35, "showlegend": False}
    width = 1.5 if by_batch and not smoothing else 2
    full = {"line": {"color": TRAINING_COLOR, "width": width}, "marker": {"size": _mark_size(history)}}
    style = {"mode": "lines" if by_batch else "lines+markers", "legendgroup": "training"}
    name = f"training, by {options.by}" if quantity.smoothed else "so far"
    training = _training(quantity, history, options.by, smoothing)
    return [
        _trace(quantity, measured, "training, not smoothed", name="not smoothed", **pale, **style),
        _trace(quantity, training, "training", name=name, **full, **style),
    ]


def _validation_traces(quantity: _Quantity, history: Curves, best: _Points) -> list[Trace]:
    """Return validation by epoch, and a ring around the best."""
    style = {"legendgroup": "validation", "cliponaxis": False}  # marks at the edge stay whole
    line = {"color": VALIDATION_COLOR, "width": 2}
    full = {"mode": "lines+markers", "line": line, "marker": {"size": _mark_size(history)}}
    ring = {"size": 13, "symbol": "circle-open", "color": _LABEL_COLOR, "line": {"width": 2}}
    return [
        _trace(quantity, _validation(quantity, history), "validation", name="validation, by epoch", **full, **style),
        _trace(quantity, best, "lowest validation loss", mode="markers", marker=ring, showlegend=False, **style),
    ]


def _gap_trace(quantity: _Quantity, history: Curves, options: CurveOptions) -> Trace:
    """Return the area between the training that is drawn and validation, from the first validated epoch to the last."""
    training, validation = _training(quantity, history, options.by, options.smoothing), _validation(quantity, history)
    training, validation = (points.where(np.isfinite(points.y)) for points in (training, validation))
    around = _Points()
    if len(training.x) and len(validation.x):
        start, end = validation.x[[0, -1]]
        x = np.array([start, *training.x[(training.x > start) & (training.x < end)], end])
        y = np.interp(x, training.x, training.y)
        around = _Points(np.append(x, validation.x[::-1]), np.append(y, validation.y[::-1]))
    style = {"mode": "lines", "fill": "toself", "fillcolor": _GAP_COLOR, "line": {"width": 0}, "hoverinfo": "skip"}
    return _trace(quantity, around, "gap", legendgroup="validation", showlegend=False, **style)


def _plan_trace(history: Curves) -> Trace:
    """Return the learning rate of all batches, done or not."""
    steps = np.arange(1, len(history.planned_learning_rate) + 1)
    plan = _Points(thin(steps / history.steps_per_epoch), thin(history.planned_learning_rate))
    line = {"color": TRAINING_COLOR, "width": 1.5, "dash": "dot"}
    return _trace(_LEARNING_RATE, plan, "planned", name="planned", mode="lines", line=line)


def _ghost_traces(quantity: _Quantity, ghost: Ghost, slot: int, options: CurveOptions, end: float) -> list[Trace]:
    """Return an earlier run as far as the axis goes; its validation has marks."""
    color, dash = _GHOST_LOOKS[slot]
    name = html.escape(ghost.name, quote=False)
    style = {
        "name": name,
        "legendgroup": f"ghost {slot}",
        "line": {"color": color, "dash": dash, "width": 1.5},
        "zorder": -1,
    }
    training = _training(quantity, ghost.curves, options.by, max(options.smoothing, _GHOST_SMOOTHING))
    traces = [_trace(quantity, training.where(training.x <= end), f"{name}, training", mode="lines", **style)]
    if quantity.validated:
        validation = _validation(quantity, ghost.curves)
        style |= {"mode": "lines+markers", "marker": {"size": 5}, "showlegend": False}
        traces += [_trace(quantity, validation.where(validation.x <= end), f"{name}, validation", **style)]
    return traces


def _best(quantity: _Quantity, history: Curves) -> _Points:
    """Return the epoch with the lowest validation loss so far, once there are two to choose from; else no point."""
    best = best_epoch(history.epochs)
    if best is None or len(history.epochs) < 2:
        return _Points()
    return _validation(quantity, history).where(by_epoch(history).number == best.epoch)


def _best_line(best: _Points, *, at_bottom: bool, end: float) -> Layout:
    """Return, as parts of a layout, a line at the best epoch and its label, where curves leave room for it."""
    if best.epochs is None:
        return {}
    x = float(best.x[0])
    place = {"x": x, "xanchor": "right" if x > end / 2 else "left", "yref": "y domain"}
    place |= {"y": 0, "yanchor": "bottom"} if at_bottom else {"y": 1, "yanchor": "top"}
    label = {"text": f"best: epoch {best.epochs[0]}", "showarrow": False, "font": {"color": _LABEL_COLOR, "size": 12}}
    line = {"color": _LABEL_COLOR, "width": 1, "dash": "dot"}
    return {
        "shapes": [{"type": "line", "x0": x, "x1": x, "yref": "y domain", "y0": 0, "y1": 1, "line": line}],
        "annotations": [place | label],
    }


def _training(quantity: _Quantity, history: Curves, by: Literal["batch", "epoch"], smoothing: float = 0.0) -> _Points:
    if by == "epoch":
        epochs = by_epoch(history)
        return _Points(epochs.middle, quantity.of(epochs, ""), epochs.number)
    y = thin(quantity.of(history, "batch_"))
    return _Points(thin(history.batch_epoch), smooth(y, smoothing) if quantity.smoothed else y)


def _validation(quantity: _Quantity, history: Curves) -> _Points:
    epochs = by_epoch(history)
    return _Points(epochs.end, quantity.of(epochs, "validation_"), epochs.number)


def _trace(quantity: _Quantity, points: _Points, what: str, **style: Any) -> Trace:
    """Return a trace. One without any value is empty, and so has no entry in the legend."""
    known = np.isfinite(points.y)
    if not known.any():
        points, known = _Points(), np.empty(0, bool)
    y = points.y.astype(np.float32)
    trace: Trace = {
        "type": "scatter",
        "name": what,
        "x": points.x.astype(np.float32),
        "y": y if known.all() else [float(value) if np.isfinite(value) else None for value in y],
        **style,
    }
    if style.get("hoverinfo") != "skip":
        when = "epoch %{x:.2f}" if points.epochs is None else "epoch %{customdata}"
        trace["hovertemplate"] = f"{when}: %{{y:{quantity.hover_format}}}<extra>{what}</extra>"
    if points.epochs is not None:
        trace["customdata"] = points.epochs
    return trace


def _mark_size(history: Curves) -> int:
    return 7 if history.planned_epochs <= 30 else 4


def _straight_axis(quantity: _Quantity, extent: tuple[float, float] | None) -> Layout:
    """Return a straight axis. A few bad batches, or a bad run behind, would flatten all else: they stay outside."""
    axis = {"rangemode": "normal" if quantity is _ACCURACY else "tozero", "uirevision": "straight"}
    if extent is None:
        return {**axis, "showticklabels": False}
    low, high = extent
    limits = {"clipmax": 1.1 * high} if high else {}
    if quantity is _ACCURACY:
        limits = {"clipmin": max(low - 0.1 * (1 - low), 0), "clipmax": 1 + 0.04 * (1 - low)}
    return {**axis, "autorangeoptions": limits}


def _logarithmic_axis(quantity: _Quantity, extent: tuple[float, float] | None) -> Layout:
    """Return a logarithmic axis. High values have room; single batches without a mistake leave it at the bottom."""
    axis = {"type": "log", "uirevision": "logarithmic"}
    if extent is None:
        return {**axis, "showticklabels": False}
    low, high = extent
    least = low / 1.2 if quantity.smoothed else high / 2000  # schedules may end at practically nothing
    ticks = 3 if high < 50 * low else 5  # or fewer: left alone, Plotly crowds up to nine into a decade
    return {**axis, "nticks": ticks, "autorangeoptions": {"clipmin": max(least, _LEAST.get(quantity.field, 0))}}


def _extent(traces: Sequence[Trace], quantity: _Quantity, above: float = -math.inf) -> tuple[float, float] | None:
    """Return least and largest of the values drawn. Of those by batch, 2% at each end do not count."""
    ends: list[float] = []
    for trace in traces:
        values = np.array(trace["y"], np.float64)
        values = values[np.isfinite(values) & (values > above)]
        if len(values) and "fill" not in trace:
            aside = 2 if trace["mode"] == "lines" and quantity.smoothed else 0
            ends += np.percentile(values, [aside, 100 - aside]).tolist()
    return (min(ends), max(ends)) if ends else None
