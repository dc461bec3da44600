"""Figures that set training runs side by side, in the style of `figures`.

Losses stand on a logarithmic axis, accuracies on one that is logarithmic in the share of mistakes: a straight axis that
holds a network of 80% would show 98.4 and 99.2% as one dot.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.text import percent
from mnist_core.data.dataset import CLASSES, TEST_IMAGES
from mnist_core.evaluation.statistics import ClassAccuracies, wilson_interval
from mnist_core.figures.name_places import name_places
from mnist_core.figures.style import TRAINING_COLOR, VALIDATION_COLOR, Figure, Layout, Trace, with_legend_below
from mnist_core.runs.comparison import EpochValue, History, epoch_band
from mnist_core.runs.results import Report

# After M. Okabe and K. Ito, "Color Universal Design" (2008), moved until each has a contrast of 3 : 1 with white and
# with the dark theme, and any two stay apart in the three kinds of colour blindness. Marks differ as well.
PALETTE = (TRAINING_COLOR, VALIDATION_COLOR, "#5086fb", "#b4391d", "#d765c8", "#7635f8", "#929966", "#55648b")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "x")

ACCURACY_AXIS_NOTE = (
    "The axis of accuracies is finer towards 100%: from 98% to 99% is as far as from 80% to 90%, since both halve the "
    "mistakes."
)

_LEAST = 0.5 / TEST_IMAGES  # where a logarithmic axis draws zero

# Round numbers between 1 and 10 on a logarithmic axis: the first row that gives ticks enough is taken.
_TICK_STEPS: tuple[tuple[float, ...], ...] = (
    (1,),
    (1, 2, 5),
    (1, 1.5, 2, 3, 5, 7),
    tuple(range(1, 10)),
    tuple(half / 2 for half in range(2, 20)),
    tuple(tenth / 10 for tenth in range(10, 100)),
)

Values = NDArray[np.float64]


class _Look(NamedTuple):
    name: str  # as Plotly takes it, with &lt; for <
    color: str
    symbol: str


def overlay_figure(
    histories: Sequence[History],
    value: Literal["accuracy", "loss"],
    names: Sequence[str],
    colors: Sequence[str] = PALETTE,
) -> Figure:
    """Draw the epochs of up to 8 runs over each other: validation solid, training dashed.

    Only whole epochs are drawn. A click on a name in the legend hides both curves of its run.
    """
    validation_value: EpochValue = "validation_accuracy" if value == "accuracy" else "validation_loss"
    traces: list[Trace] = []
    for history, look in zip(histories, _looks(names, colors), strict=True):
        validated = any(event.complete and getattr(event, validation_value) is not None for event in history)
        line = {"color": look.color, "width": 1.5, "dash": "dash"}
        marker = {"symbol": f"{look.symbol}-open", "size": 4}
        style = {"line": line, "marker": marker, "showlegend": not validated}
        traces.append(_epochs_trace(history, value, look, "training", style))
        if validated:
            style = {"line": {"color": look.color}, "marker": {"symbol": look.symbol, "size": 8}}
            traces.append(_epochs_trace(history, validation_value, look, "validation", style))
    title = _title(value, value.capitalize(), "Solid: validation. Dashed: training.")
    return _finished(traces, {**title, **_epoch_axes(traces, value)}, names)


def band_figure(
    groups: Sequence[Sequence[History]],
    value: EpochValue,
    names: Sequence[str],
    colors: Sequence[str] = PALETTE,
) -> Figure:
    """Draw, for each group of runs, their mean, one standard deviation to either side as a band, and each run.

    Where fewer than two runs of a group completed an epoch, there is neither mean nor band.
    """
    shown = _format(value)
    traces: list[Trace] = []
    for histories, look in zip(groups, _looks(names, colors), strict=True):
        band = epoch_band(histories, value)
        thin = {"mode": "lines", "line": {"color": look.color, "width": 1}, "opacity": 0.5}
        for index, history in enumerate(histories):
            stands_alone = index == 0 and not len(band.epochs)  # then nothing else names the group
            traces.append(_epochs_trace(history, value, look, "one run", {**thin, "showlegend": stands_alone}))
        edges = [*(band.mean - band.standard_deviation), *(band.mean + band.standard_deviation)[::-1]]
        filled = {"mode": "lines", "fill": "toself", "fillcolor": f"{look.color}4d", "line": {"width": 0}}
        area = {
            "type": "scatter",
            **filled,
            "x": [*band.epochs.tolist(), *band.epochs[::-1].tolist()],
            "y": _positions(np.array(edges), value).tolist(),
            "hoverinfo": "skip",
            "legendgroup": look.symbol,
            "showlegend": False,
        }
        mean = {
            "type": "scatter",
            "x": band.epochs.tolist(),
            "y": _positions(band.mean, value).tolist(),
            "customdata": np.stack([band.mean, band.standard_deviation, band.count], axis=-1).tolist(),
            "hovertemplate": f"epoch %{{x}}: %{{customdata[0]:{shown}}} ± %{{customdata[1]:{shown}}}"
            "<br>mean of %{customdata[2]} runs<extra>%{fullData.name}</extra>",
            "line": {"color": look.color, "width": 2.5},
            "marker": {"symbol": look.symbol, "size": 8},
            "name": look.name,
            "legendgroup": look.symbol,
        }
        traces += [area, mean]
    subject = value.replace("_", " ") if value.startswith("validation") else f"training {value}"
    title = _title(value, subject.capitalize(), "Line: the mean. Band: ± one standard deviation.")
    return _finished(traces, {**title, **_epoch_axes(traces, value)}, names)


def scatter_figure(
    reports: Sequence[Report],
    names: Sequence[str],
    x: Literal["parameters", "training_seconds"] = "parameters",
    colors: Sequence[str] = PALETTE,
) -> Figure:
    """Draw a dot for each run: test accuracy with its 95% Wilson interval, over parameters or training time.

    Names stand beside the dots; in a legend, should one have no room beside its dot on a phone.
    """
    looks = _looks(names, colors)
    right = [report.test_correct for report in reports]
    bounds = np.array([wilson_interval(count, TEST_IMAGES) for count in right])
    middle = _positions(np.array(right) / TEST_IMAGES, "accuracy")
    most, least = _positions(bounds, "accuracy").T  # shares of mistakes
    across = np.array([getattr(report, x) for report in reports], np.float64)

    if x == "parameters":
        over = "parameters"
        x_axis = {"title": {"text": "Parameters"}, **_log_axis(across.min() / 1.4, across.max() * 1.4)}
    else:
        over = "s of training"
        x_axis = {"title": {"text": "Seconds of training"}, "range": [0, max(1.0, across.max()) * 1.1]}
    y_axis = _accuracy_axis(least.min() / 1.1, most.max() * 1.1)
    heights = [_shares_of_axis(ys, y_axis) for ys in (middle, most, least)]
    places = name_places(names, _shares_of_axis(across, x_axis), *heights)
    traces = [
        {
            "type": "scatter",
            "x": [across[index]],
            "y": [middle[index]],
            "error_y": {
                "array": [most[index] - middle[index]],
                "arrayminus": [middle[index] - least[index]],
                "color": f"{look.color}99",
                "thickness": 1.5,
                "width": 4,
            },
            **({"mode": "markers+text", "textposition": places[index]} if places else {"mode": "markers"}),
            "marker": {"color": look.color, "symbol": look.symbol, "size": 11},
            "text": [look.name],
            "cliponaxis": False,
            "name": look.name,
            "customdata": [[right[index] / TEST_IMAGES, *bounds[index]]],
            "hovertemplate": f"%{{x:,.0f}} {over}<br>%{{customdata[0]:.2%}} right, 95% interval: "
            "%{customdata[1]:.2%} to %{customdata[2]:.2%}<extra>%{fullData.name}</extra>",
        }
        for index, look in enumerate(looks)
    ]
    title = _title("accuracy", "Test accuracy", "Lines: 95% intervals.")
    return _finished(traces, {**title, "xaxis": x_axis, "yaxis": y_axis}, names, legend=places is None)


def class_accuracy_figure(
    classes: Sequence[ClassAccuracies], names: Sequence[str], colors: Sequence[str] = PALETTE
) -> Figure:
    """Draw ten bars for each run: the share of each digit that it reads right, with the 95% Wilson interval.

    The axis starts below the lowest interval, and the figure says where: from zero, all bars would look alike.
    """
    traces = [
        {
            "type": "bar",
            "x": [str(digit) for digit in CLASSES],
            "y": result.share.tolist(),
            "error_y": {
                "array": (result.high - result.share).tolist(),
                "arrayminus": (result.share - result.low).tolist(),
                "color": look.color,
                "thickness": 2,
                "width": 3,
            },
            "marker": {"color": f"{look.color}60", "line": {"color": look.color, "width": 1}},
            "name": look.name,
            "customdata": np.stack([result.right, result.images, result.low, result.high], axis=-1).tolist(),
            "hovertemplate": "%{x}: %{customdata[0]:,} of %{customdata[1]:,} images right, %{y:.2%}"
            "<br>95% interval: %{customdata[2]:.2%} to %{customdata[3]:.2%}<extra>%{fullData.name}</extra>",
        }
        for result, look in zip(classes, _looks(names, colors), strict=True)
    ]
    start = _bar_start(min(float(result.low.min()) for result in classes))
    subtitle = "Lines: 95% intervals." + (f" The axis starts at {percent(start, 0)}, not at zero." if start else "")
    title = _title("accuracy", "Accuracy for each digit", subtitle)
    x_axis = {"title": {"text": "True digit"}, "type": "category", "dtick": 1, "fixedrange": True, "showgrid": False}
    y_axis = {"range": [start, 1], "tickformat": ".4~p", "fixedrange": True}
    return _finished(traces, {**title, "xaxis": x_axis, "yaxis": y_axis}, names)


def _looks(names: Sequence[str], colors: Sequence[str]) -> list[_Look]:
    """Return name, colour and mark of each run. Raises `ValueError` for more than can be told apart, and for none."""
    most = min(len(colors), len(SYMBOLS))
    if not 1 <= len(names) <= most:
        raise ValueError(f"A figure can show 1 to {most} runs; these are {len(names)}.")
    escaped = [html.escape(name, quote=False) for name in names]
    return [_Look(*look) for look in zip(escaped, colors, SYMBOLS, strict=False)]


def _epochs_trace(history: History, value: EpochValue, look: _Look, what: str, style: Trace) -> Trace:
    """Return a curve over the whole epochs of a run; unless told, Plotly marks the epochs if they are fewer than 20."""
    epochs = [event for event in history if event.complete]
    values = np.array([getattr(event, value) for event in epochs], np.float64)  # None becomes NaN: a gap
    return {
        "type": "scatter",
        "x": [event.epoch for event in epochs],
        "y": _positions(values, value).tolist(),
        "customdata": values.tolist(),
        "hovertemplate": f"epoch %{{x}}: %{{customdata:{_format(value)}}}<extra>%{{fullData.name}}, {what}</extra>",
        "name": look.name,
        "legendgroup": look.symbol,
        **style,
    }


def _format(value: EpochValue) -> str:
    return ".2%" if value.endswith("accuracy") else ".4f"


def _title(value: EpochValue, subject: str, subtitle: str) -> Layout:
    better = "higher" if value.endswith("accuracy") else "lower"
    return {"title": {"text": f"{subject} ({better} is better)", "subtitle": {"text": subtitle}}}


def _positions(values: Values, value: EpochValue) -> Values:
    """Return where values stand on their logarithmic axis: accuracies at their shares of mistakes."""
    return np.maximum(1 - values if value.endswith("accuracy") else values, _LEAST)


def _epoch_axes(traces: Sequence[Trace], value: EpochValue) -> Layout:
    """Return axes over epochs. Plotly chooses the range of values itself, so that it follows when runs are hidden."""
    drawn = np.array([y for trace in traces for y in trace["y"]])
    drawn = drawn[np.isfinite(drawn)]
    low, high = (float(drawn.min()) / 1.2, float(drawn.max()) * 1.2) if len(drawn) else (0.01, 1.0)
    scale = _accuracy_axis(low, high) if value.endswith("accuracy") else _log_axis(low, high)
    ticks = {name: part for name, part in scale.items() if name != "range"}
    y_axis = {**ticks, "autorange": "reversed" if value.endswith("accuracy") else True}
    last = max((epoch for trace in traces for epoch in trace["x"]), default=1)
    spacing = math.ceil(last / 10)
    x_axis = {"title": {"text": "Epoch"}, "range": [0.7, last + 0.3], "tick0": spacing, "dtick": spacing}
    return {"xaxis": x_axis, "yaxis": y_axis}


def _log_axis(low: float, high: float) -> Layout:
    """Return a logarithmic axis from `low` to `high` with four ticks or more, at round numbers."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in _TICK_STEPS:
        ticks = [tick for decade in decades for step in steps if low <= (tick := step * 10.0**decade) <= high]
        if len(ticks) >= 4:
            break
    labels = [_short_number(tick) for tick in ticks]
    return {"type": "log", "range": [math.log10(low), math.log10(high)], "tickvals": ticks, "ticktext": labels}


def _short_number(number: float) -> str:
    """Return a number of few digits as an axis shows it: 0.02, 50k, 1.2M."""
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def _accuracy_axis(least: float, most: float) -> Layout:
    """Return an axis for shares of mistakes from `least` to `most`, labelled with accuracies, the best at the top."""
    axis = _log_axis(least, min(most, 1.0))
    labels = [percent(1 - tick, 4).rstrip("%").rstrip("0").rstrip(".") + "%" for tick in axis["tickvals"]]
    return {**axis, "range": axis["range"][::-1], "ticktext": labels}


def _shares_of_axis(values: Values, axis: Layout) -> Values:
    """Return where values stand on an axis with a range: 0 at its start, 1 at its end."""
    start, end = axis["range"]
    shares: Values = ((np.log10(values) if axis.get("type") == "log" else values) - start) / (end - start)
    return shares


def _bar_start(lowest: float) -> float:
    """Return where an axis of shares starts to hold all from `lowest`: at a round per cent below it."""
    step = 0.01 if lowest > 0.9 else 0.1
    return max(0.0, round((math.floor(lowest / step - 0.2)) * step, 2))


def _finished(traces: Sequence[Trace], layout: Layout, names: Sequence[str], *, legend: bool | None = None) -> Figure:
    """Return a figure with a legend of its runs below, unless there is only one."""
    with_legend = len(names) > 1 if legend is None else legend
    entries = len(names) if with_legend else 0
    return with_legend_below(traces, layout, names, entries=entries, height=384, top=72, bottom=56)
