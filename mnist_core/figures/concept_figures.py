"""The small figures beside the words, in the style of `figures`, for a width of about 340 pixels.

All words stand on ticks, in titles and in legends, which the live chart gives the colour of the theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from mnist_core.common.text import percent
from mnist_core.data.dataset import CLASSES
from mnist_core.figures.concepts import Chain, Fit, Values, height
from mnist_core.figures.style import (
    GRID_COLOR,
    NO_COLOR,
    QUIET_COLOR,
    TRAINING_COLOR,
    VALIDATION_COLOR,
    Figure,
    Layout,
    Trace,
    merged,
    styled,
    with_layout,
)
from mnist_core.networks.layers import Windows

_INK = [[0, "#000000"], [1, "#ffffff"]]
_SIGNED = [[0, "#fbbf24"], [0.5, "#000000"], [1, "#2dd4bf"]]  # black is nothing, as in the digits
_OUTLINE = {"line": {"color": "#f43f5e", "width": 2.5}}
_NAN = {"fillcolor": "#92520b", "layer": "below", "line": {"width": 0}}
_WIDTH = 345  # pixels that pictures side by side have
_GAP = 3  # pixels of a digit, between two pictures


@dataclass(frozen=True)
class Picture:
    """Values (h, w) as a picture: grey from black if none is negative, else amber, black, teal. NaN is brown."""

    values: Values
    name: str
    width: float  # in pixels of a digit, so that pictures side by side are to scale or made equal at will
    numbered: bool = False  # whether each value is written into its cell


@dataclass(frozen=True)
class Frame:
    """A square drawn on picture number `picture`: its first row and column, and its side, all in cells."""

    picture: int
    row: int
    column: int
    side: int


@dataclass(frozen=True)
class Line:
    """A line through points (n,) and (n,), or, with `dots`, the points alone."""

    x: Values
    y: Values
    name: str = ""  # for the legend
    color: str = TRAINING_COLOR
    dots: bool = False
    dash: str = "solid"


def pictures_figure(pictures: Sequence[Picture], frames: Sequence[Frame] = ()) -> Figure:
    """Draw pictures side by side, each with its name below."""
    *lefts, end = accumulate((picture.width + _GAP for picture in pictures), initial=0.0)
    placed = list(zip(pictures, lefts, strict=True))
    top = max(_tallness(picture) for picture in pictures) / 2
    missing = [
        _square(left, -_tallness(picture) / 2, picture.width, _NAN)
        for picture, left in placed
        if np.isnan(picture.values).any()
    ]
    layout = {
        "xaxis": {
            "range": [-0.5, end - _GAP + 0.5],
            "tickvals": [left + picture.width / 2 for picture, left in placed],
            "ticktext": [picture.name for picture in pictures],
        },
        "yaxis": {"range": [-top - 0.5, top + 0.5]},
        "shapes": [*missing, *(_outline(frame, *placed[frame.picture]) for frame in frames)],
    }
    traces = [_picture_trace(picture, left) for picture, left in placed]
    return _pictorial(traces, layout, size=round(34 + _WIDTH * 2 * top / end))


def windows_figure(digit: Values, places: Windows) -> Figure:
    """Draw a digit (28, 28) with its padding, the centre of every place of the window, and the first window."""
    side = len(digit)
    framed = np.full((side + places.before + places.after,) * 2, 0.28)  # padding is zero too, but must be told apart
    framed[places.before : places.before + side, places.before : places.before + side] = digit
    image = _heatmap(framed, x0=-places.before, y0=-places.before, zmax=1, colorscale=_INK, hoverinfo="skip")
    centres = np.arange(places.output) * places.stride - places.before + (places.size - 1) / 2
    x, y = np.meshgrid(centres, centres)
    dots = _scatter(x.ravel(), y.ravel(), "markers", marker={"color": "#2dd4bf", "size": 3}, hoverinfo="skip")
    corner = -places.before - 0.5
    first = _square(corner, corner, places.size, _OUTLINE)
    layout = {
        "meta": {"words": f"A digit, and {places.output} × {places.output} places of the window."},
        "xaxis": {"visible": False},
        "yaxis": {"autorange": "reversed"},
        "shapes": [first],
    }
    return _pictorial([image, dots], layout, size=212, bottom=4)


def bars_figure(values: Values, chosen: int | None = None, *, top: float = 1.0, level: float | None = None) -> Figure:
    """Draw a bar for each digit, (10,), its share below it; one stands out, and a dashed line marks a level."""
    bars = {
        "type": "bar",
        "x": list(CLASSES),
        "y": values.tolist(),
        "marker": {"color": [TRAINING_COLOR if digit == chosen else QUIET_COLOR for digit in CLASSES]},
        "hovertemplate": "%{x}: %{y:.2%}<extra></extra>",
    }
    shares = [f"<b>{digit}</b><br>{percent(value, 0)}" for digit, value in zip(CLASSES, values.tolist(), strict=True)]
    layout: Layout = {
        "meta": {"name": "Share of each digit"},
        "xaxis": {"tickvals": list(CLASSES), "ticktext": shares, "tickangle": 0, "tickfont": {"size": 11}},
        "yaxis": {"range": [0, top], "showticklabels": False},
    }
    if level is not None:
        across = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": level, "y1": level}
        layout["shapes"] = [{**across, "line": {"color": VALIDATION_COLOR, "dash": "dot", "width": 1.5}}]
    return _small([bars], layout, size=190, left=4, bottom=40)


def vector_figure(values: Values) -> Figure:
    """Draw ten numbers from 0 to 1, (10,), as lamps in a row: the brighter, the nearer to 1."""
    lamps = _heatmap(
        values[None],
        zmax=1,
        colorscale=[[0, "#334155"], [1, TRAINING_COLOR]],
        xgap=2,
        textfont={"color": "#ffffff", "size": 13},
        hovertemplate="%{x}: %{z:.3f}<extra></extra>",
        **_numbers(values[None]),
    )
    layout = {
        "meta": {"name": "A number for each digit"},
        "xaxis": {"tickvals": list(CLASSES), "showgrid": False},
        "yaxis": {"visible": False},
    }
    return _small([lamps], layout, size=84, left=4, bottom=28)


def lines_figure(lines: Sequence[Line], x_title: str, y_title: str, place: tuple[float, float] | None = None) -> Figure:
    """Draw lines and, if given, one marked place. Lines with names get a legend."""
    traces = [
        _scatter(
            line.x,
            line.y,
            "markers" if line.dots else "lines",
            name=line.name,
            showlegend=bool(line.name),
            line={"color": line.color, "width": 2.5 if line.dash == "solid" else 1.5, "dash": line.dash},
            marker={"color": line.color, "size": 8},
        )
        for line in lines
    ]
    if place is not None:
        traces.append(_mark(*place, showlegend=False))
    layout = {
        "xaxis": {"title": {"text": x_title, "standoff": 6}},
        "yaxis": {"title": {"text": y_title, "standoff": 4}},
    }
    has_legend = any(line.name for line in lines)
    return _small(traces, layout, top=34 if has_legend else 8, size=220 if has_legend else 200)


def chain_figure(before: Chain, after: Chain, weights: Values, losses: Values) -> Figure:
    """Draw the loss over the weight, its slope where the weight is, and where one step leads."""
    reach = np.array([-2.0, 2.0])
    lines = (
        Line(weights, losses),
        Line(before.weight + reach, before.loss + reach * before.slope, "slope", VALIDATION_COLOR, dash="dash"),
    )
    ring = {"color": NO_COLOR, "size": 11, "line": {"color": VALIDATION_COLOR, "width": 2}}
    marks = (
        _mark(before.weight, before.loss, name="now", showlegend=True),
        _mark(after.weight, after.loss, name="after the step", marker=ring),
    )
    figure = lines_figure(lines, "weight", "loss")
    ranges = {"xaxis": {"range": [weights[0], weights[-1]]}, "yaxis": {"range": [0, max(losses) * 1.05]}}
    return with_layout({**figure, "data": [*figure["data"], *marks]}, ranges)


def descent_figure(path: Values) -> Figure:
    """Draw the valley from above, and a way through it, (n, 2)."""
    x, y = np.linspace(-11, 11, 67), np.linspace(-4.4, 4.4, 45)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    valley = {
        "type": "contour",
        "x": x.tolist(),
        "y": y.tolist(),
        "z": np.sqrt(height(places)).reshape(len(y), len(x)).round(3).tolist(),  # the root spaces the lines evenly
        "contours": {"coloring": "lines", "start": 1, "end": 12, "size": 1.5},
        "colorscale": [[0, GRID_COLOR], [1, GRID_COLOR]],
        "line": {"width": 1.5},
        "showscale": False,
        "hoverinfo": "skip",
    }
    near = path[np.abs(path).max(axis=1) < 50]  # what lies further out cannot be seen
    look = {"line": {"color": TRAINING_COLOR, "width": 1.5}, "marker": {"size": 5}}
    steps = _scatter(near[:, 0], near[:, 1], "lines+markers", name="steps", hoverinfo="skip", **look)
    start = _mark(*path[0], name="start", marker={"symbol": "circle"}, hoverinfo="skip")
    lowest = _mark(0, 0, name="lowest place", marker={"symbol": "star"}, hoverinfo="skip")
    layout = {
        "meta": {"words": f"A valley from above, and a way of {len(path) - 1} steps through it."},
        "xaxis": {"range": [-11, 11], "visible": False},
        "yaxis": {"range": [-4.4, 4.4], "visible": False},
    }
    return _small([valley, steps, start, lowest], layout, size=210, top=34, left=4, bottom=4)


def fit_figure(fit: Fit) -> Figure:
    """Draw a fitted curve, the points that it was fitted to, and those that were held out."""
    lines = (
        Line(fit.curve_x, fit.curve_y),
        Line(fit.x, fit.y, "fitted", dots=True),
        Line(fit.held_out_x, fit.held_out_y, "held out", VALIDATION_COLOR, dots=True),
    )
    layout = {
        "meta": {"name": "A fitted curve"},
        "xaxis": {"showticklabels": False},
        "yaxis": {"range": [-2, 2], "showticklabels": False},
        "margin": {"l": 4, "b": 8},
    }
    return with_layout(lines_figure(lines, "", ""), layout)


def spread_figure(before: Values, after: Values) -> Figure:
    """Draw how often values occur before and after, both (n,), on one axis."""
    edges = np.linspace(-8, 8, 65)
    traces = [
        {
            "type": "bar",
            "x": ((edges[1:] + edges[:-1]) / 2).tolist(),
            "y": np.histogram(np.clip(values, -8, 8), edges)[0].tolist(),
            "name": name,
            "marker": {"color": color},
            "opacity": 0.7,
            "hovertemplate": "around %{x:.1f}: %{y} digits",
        }
        for name, values, color in (("before", before, VALIDATION_COLOR), ("after", after, TRAINING_COLOR))
    ]
    layout = {
        "meta": {"name": "How often each output occurs"},
        "barmode": "overlay",
        "bargap": 0,
        "xaxis": {"title": {"text": "output of one unit", "standoff": 6}, "range": [-8, 8]},
        "yaxis": {"showticklabels": False},
    }
    return _small(traces, layout, size=220, top=34, left=4)


def split_figure(training: int, validation: int, test: int) -> Figure:
    """Draw how many images are for what, as one bar."""
    parts = (
        ("training", training, TRAINING_COLOR),
        ("validation", validation, VALIDATION_COLOR),
        ("test", test, QUIET_COLOR),
    )
    bar = {"type": "bar", "y": [0], "orientation": "h", "hovertemplate": "%{x:,} images"}
    traces = [{**bar, "x": [count], "name": name, "marker": {"color": color}} for name, count, color in parts]
    hidden = {"visible": False}
    legend = {"traceorder": "normal"}
    layout = {"meta": {"name": "Images"}, "barmode": "stack", "legend": legend, "xaxis": hidden, "yaxis": hidden}
    return _small(traces, layout, size=80, top=34, left=4, bottom=4)


def _picture_trace(picture: Picture, left: float) -> Trace:
    cell, upwards = _cell(picture), picture.values[::-1]
    signed = float(np.nanmin(upwards)) < 0
    reach = float(np.nanmax(np.abs(upwards))) or 1.0
    return _heatmap(
        upwards.round(3),
        x0=left + cell / 2,
        dx=cell,
        y0=(cell - _tallness(picture)) / 2,
        dy=cell,
        zmin=-reach if signed else 0,
        zmax=reach,
        colorscale=_SIGNED if signed else _INK,
        name=picture.name,
        hovertemplate=f"%{{z:.2f}}<extra>{picture.name.split('<br>')[0]}</extra>",
        **(_numbers(upwards) if picture.numbered else {}),
    )


def _outline(frame: Frame, picture: Picture, left: float) -> Layout:
    cell = _cell(picture)
    upper = _tallness(picture) / 2 - frame.row * cell
    return _square(left + frame.column * cell, upper - frame.side * cell, frame.side * cell, _OUTLINE)


def _cell(picture: Picture) -> float:
    return picture.width / len(picture.values[0])


def _tallness(picture: Picture) -> float:
    return picture.width * len(picture.values) / len(picture.values[0])


def _numbers(values: Values) -> Trace:
    """Return, as part of a heatmap, what writes values (h, w) into its cells."""
    return {"text": [[_number(value) for value in row] for row in values], "texttemplate": "%{text}"}


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def _heatmap(values: Values, **style: Any) -> Trace:
    return {"type": "heatmap", "z": values.tolist(), "zmin": 0, "showscale": False, **style}


def _scatter(x: Values, y: Values, mode: str, **style: Any) -> Trace:
    return {"type": "scatter", "x": x.tolist(), "y": y.tolist(), "mode": mode, **style}


def _mark(x: float, y: float, **style: Any) -> Trace:
    """Return a place that stands out."""
    mark = {"type": "scatter", "x": [x], "y": [y], "mode": "markers", "marker": {"color": VALIDATION_COLOR, "size": 12}}
    return merged(mark, style)


def _square(left: float, lower: float, side: float, style: Layout) -> Layout:
    return {"type": "rect", "x0": left, "y0": lower, "x1": left + side, "y1": lower + side, **style}


def _pictorial(traces: Sequence[Trace], layout: Layout, *, size: int, bottom: int = 30) -> Figure:
    """Return a figure whose pixels are square, without what axes show."""
    pictorial = {
        "xaxis": {"showgrid": False, "ticklen": 0, "constrain": "domain"},
        "yaxis": {"scaleanchor": "x", "constrain": "domain", "visible": False},
    }
    return _small(traces, merged(pictorial, layout), size=size, top=4, left=4, bottom=bottom)


def _small(
    traces: Sequence[Trace], layout: Layout, *, size: int, top: int = 8, left: int = 52, bottom: int = 40
) -> Figure:
    """Return a figure of `size` pixels in height that cannot be zoomed: it has a slider for that."""
    small = {
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "dragmode": False,
        "modebar": {"remove": ["toImage", "sendChartToCloud"]},
        "bargap": 0.15,
        "xaxis": {"fixedrange": True},
        "yaxis": {"fixedrange": True},
    }
    return styled(traces, merged(small, layout), height=size, top=top, left=left, right=8, bottom=bottom)
