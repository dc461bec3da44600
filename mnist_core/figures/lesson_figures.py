"""The small figures beside the words, in the style of `figures`, for a width of about 340 pixels.

All words stand on ticks, in titles and in legends, which the live chart gives the colour of the theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from mnist_core.dataset import CLASSES
from mnist_core.figures.style import GRID_COLOR, QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR, styled
from mnist_core.lessons import Chain, Fit, Values, Windows, height

_INK = [[0, "#000000"], [1, "#ffffff"]]
_SIGNED = [[0, "#fbbf24"], [0.5, "#000000"], [1, "#2dd4bf"]]  # black is nothing, as in the digits
_OUTLINE = {"line_color": "#f43f5e", "line_width": 2.5}
_NAN_COLOR = "#92520b"
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


def pictures_figure(pictures: Sequence[Picture], frames: Sequence[Frame] = ()) -> go.Figure:
    """Draw pictures side by side, each with its name below."""
    figure = go.Figure()
    lefts, left, top = [], 0.0, max(_tallness(picture) for picture in pictures) / 2
    for picture in pictures:
        cell = picture.width / picture.values.shape[1]
        signed = float(np.nanmin(picture.values)) < 0
        reach = float(np.nanmax(np.abs(picture.values))) or 1.0
        figure.add_heatmap(
            z=picture.values[::-1].round(3).tolist(),
            x0=left + cell / 2,
            dx=cell,
            y0=(cell - _tallness(picture)) / 2,
            dy=cell,
            zmin=-reach if signed else 0,
            zmax=reach,
            colorscale=_SIGNED if signed else _INK,
            showscale=False,
            text=[[_number(value) for value in row] for row in picture.values[::-1]] if picture.numbered else None,
            texttemplate="%{text}" if picture.numbered else None,
            hovertemplate=f"%{{z:.2f}}<extra>{picture.name.split('<br>')[0]}</extra>",
        )
        if np.isnan(picture.values).any():
            _square(figure, left, -_tallness(picture) / 2, picture.width, fillcolor=_NAN_COLOR, layer="below")
        lefts.append(left)
        left += picture.width + _GAP
    for frame in frames:
        picture, start = pictures[frame.picture], lefts[frame.picture]
        cell = picture.width / picture.values.shape[1]
        upper = _tallness(picture) / 2 - frame.row * cell
        _square(figure, start + frame.column * cell, upper - frame.side * cell, frame.side * cell, **_OUTLINE)
    figure.update_xaxes(
        range=[-0.5, left - _GAP + 0.5],
        tickvals=[start + picture.width / 2 for start, picture in zip(lefts, pictures, strict=True)],
        ticktext=[picture.name for picture in pictures],
        constrain="domain",
    )
    figure.update_yaxes(range=[-top - 0.5, top + 0.5])
    return _pictorial(figure, size=round(34 + _WIDTH * 2 * top / left))


def windows_figure(digit: Values, places: Windows) -> go.Figure:
    """Draw a digit (28, 28) with its padding, the centre of every place of the window, and the first window."""
    side = len(digit)
    framed = np.full((side + places.before + places.after,) * 2, 0.28)  # padding is zero too, but must be told apart
    framed[places.before : places.before + side, places.before : places.before + side] = digit
    figure = go.Figure(
        go.Heatmap(
            z=framed.tolist(),
            x0=-places.before,
            y0=-places.before,
            zmin=0,
            zmax=1,
            colorscale=_INK,
            showscale=False,
            hoverinfo="skip",
        )
    )
    centres = np.arange(places.output) * places.stride - places.before + (places.size - 1) / 2
    x, y = np.meshgrid(centres, centres)
    figure.add_scatter(
        x=x.ravel().tolist(),
        y=y.ravel().tolist(),
        mode="markers",
        marker={"color": "#2dd4bf", "size": 3},
        hoverinfo="skip",
    )
    corner = -places.before - 0.5
    _square(figure, corner, corner, places.size, **_OUTLINE)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(autorange="reversed")
    return _pictorial(figure, size=212, bottom=4)


def bars_figure(
    values: Values, chosen: int | None = None, *, top: float = 1.0, level: float | None = None
) -> go.Figure:
    """Draw a bar for each digit, (10,), its share below it; one stands out, and a dashed line marks a level."""
    colors = [TRAINING_COLOR if digit == chosen else QUIET_COLOR for digit in CLASSES]
    figure = go.Figure(
        go.Bar(
            x=list(CLASSES),
            y=values.tolist(),
            marker_color=colors,
            hovertemplate="%{x}: %{y:.2%}<extra></extra>",
        )
    )
    if level is not None:
        figure.add_hline(level, line={"color": VALIDATION_COLOR, "dash": "dot", "width": 1.5})
    shares = [f"<b>{digit}</b><br>{value * 100:.0f} %" for digit, value in zip(CLASSES, values.tolist(), strict=True)]
    figure.update_xaxes(tickvals=list(CLASSES), ticktext=shares, tickangle=0, tickfont_size=11)
    figure.update_yaxes(range=[0, top], showticklabels=False)
    return _small(figure, size=190, left=4, bottom=40)


def vector_figure(values: Values) -> go.Figure:
    """Draw ten numbers from 0 to 1, (10,), as lamps in a row: the brighter, the nearer to 1."""
    figure = go.Figure(
        go.Heatmap(
            z=[values.tolist()],
            zmin=0,
            zmax=1,
            text=[[f"{value:.2f}".rstrip("0").rstrip(".") for value in values.tolist()]],
            texttemplate="%{text}",
            textfont={"color": "#ffffff", "size": 13},
            colorscale=[[0, "#334155"], [1, TRAINING_COLOR]],
            showscale=False,
            xgap=2,
            hovertemplate="%{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(tickvals=list(CLASSES), showgrid=False)
    figure.update_yaxes(visible=False)
    return _small(figure, size=84, left=4, bottom=28)


def lines_figure(
    lines: Sequence[Line], x_title: str, y_title: str, place: tuple[float, float] | None = None
) -> go.Figure:
    """Draw lines and, if given, one marked place. Lines with names get a legend."""
    figure = go.Figure()
    for line in lines:
        figure.add_scatter(
            x=line.x.tolist(),
            y=line.y.tolist(),
            name=line.name,
            showlegend=bool(line.name),
            mode="markers" if line.dots else "lines",
            line={"color": line.color, "width": 2.5 if line.dash == "solid" else 1.5, "dash": line.dash},
            marker={"color": line.color, "size": 8},
        )
    if place is not None:
        figure.add_scatter(
            x=[place[0]], y=[place[1]], mode="markers", showlegend=False, marker=_marker(VALIDATION_COLOR)
        )
    figure.update_xaxes(title={"text": x_title, "standoff": 6})
    figure.update_yaxes(title={"text": y_title, "standoff": 4})
    has_legend = any(line.name for line in lines)
    return _small(figure, top=34 if has_legend else 8, size=220 if has_legend else 200)


def chain_figure(before: Chain, after: Chain, weights: Values, losses: Values) -> go.Figure:
    """Draw the loss over the weight, its slope where the weight is, and where one step leads."""
    reach = np.array([-2.0, 2.0])
    lines = (
        Line(weights, losses),
        Line(before.weight + reach, before.loss + reach * before.slope, "slope", VALIDATION_COLOR, dash="dash"),
    )
    figure = lines_figure(lines, "weight", "loss", (before.weight, before.loss))
    figure.data[2].update(name="now", showlegend=True)
    figure.add_scatter(
        x=[after.weight],
        y=[after.loss],
        name="after the step",
        mode="markers",
        marker={"color": "rgba(0,0,0,0)", "size": 11, "line": {"color": VALIDATION_COLOR, "width": 2}},
    )
    figure.update_yaxes(range=[0, max(losses) * 1.05])
    figure.update_xaxes(range=[weights[0], weights[-1]])
    return figure


def descent_figure(path: Values) -> go.Figure:
    """Draw the valley from above, and a way through it, (n, 2)."""
    x, y = np.linspace(-11, 11, 67), np.linspace(-4.4, 4.4, 45)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    figure = go.Figure(
        go.Contour(
            x=x.tolist(),
            y=y.tolist(),
            z=np.sqrt(height(places)).reshape(len(y), len(x)).round(3).tolist(),  # the root spaces the lines evenly
            contours={"coloring": "lines", "start": 1, "end": 12, "size": 1.5},
            colorscale=[[0, GRID_COLOR], [1, GRID_COLOR]],
            line_width=1.5,
            showscale=False,
            hoverinfo="skip",
        )
    )
    near = path[np.abs(path).max(axis=1) < 50]  # what lies further out cannot be seen
    figure.add_scatter(
        x=near[:, 0].tolist(),
        y=near[:, 1].tolist(),
        mode="lines+markers",
        line={"color": TRAINING_COLOR, "width": 1.5},
        marker={"size": 5},
        hoverinfo="skip",
        name="steps",
    )
    for name, (at_x, at_y), symbol in (("start", path[0], "circle"), ("lowest place", (0, 0), "star")):
        marker = {**_marker(VALIDATION_COLOR), "symbol": symbol}
        figure.add_scatter(x=[at_x], y=[at_y], mode="markers", name=name, marker=marker, hoverinfo="skip")
    figure.update_xaxes(range=[-11, 11], visible=False)
    figure.update_yaxes(range=[-4.4, 4.4], visible=False)
    return _small(figure, size=210, top=34, left=4, bottom=4)


def fit_figure(fit: Fit) -> go.Figure:
    """Draw a fitted curve, the points that it was fitted to, and those that were held out."""
    lines = (
        Line(fit.curve_x, fit.curve_y),
        Line(fit.x, fit.y, "fitted", dots=True),
        Line(fit.held_out_x, fit.held_out_y, "held out", VALIDATION_COLOR, dots=True),
    )
    figure = lines_figure(lines, "", "")
    figure.update_xaxes(showticklabels=False)
    figure.update_yaxes(range=[-2, 2], showticklabels=False)
    return figure.update_layout(margin={"l": 4, "b": 8})


def spread_figure(before: Values, after: Values) -> go.Figure:
    """Draw how often values occur before and after, both (n,), on one axis."""
    edges = np.linspace(-8, 8, 65)
    figure = go.Figure()
    for name, values, color in (("before", before, VALIDATION_COLOR), ("after", after, TRAINING_COLOR)):
        counts, _ = np.histogram(np.clip(values, -8, 8), edges)
        centres = (edges[1:] + edges[:-1]) / 2
        figure.add_bar(x=centres.tolist(), y=counts.tolist(), name=name, marker_color=color, opacity=0.7)
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_traces(hovertemplate="around %{x:.1f}: %{y} digits")
    figure.update_xaxes(title={"text": "what one unit gives", "standoff": 6}, range=[-8, 8])
    figure.update_yaxes(showticklabels=False)
    return _small(figure, size=220, top=34, left=4)


def split_figure(training: int, validation: int, test: int) -> go.Figure:
    """Draw how many images are for what, as one bar."""
    figure = go.Figure()
    for name, count, color in (
        ("training", training, TRAINING_COLOR),
        ("validation", validation, VALIDATION_COLOR),
        ("test", test, QUIET_COLOR),
    ):
        figure.add_bar(
            x=[count],
            y=[0],
            orientation="h",
            name=name,
            marker_color=color,
            hovertemplate="%{x:,} images",
        )
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return _small(figure, size=80, top=34, left=4, bottom=4)


def _tallness(picture: Picture) -> float:
    return picture.width * len(picture.values) / len(picture.values[0])


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def _marker(color: str) -> dict[str, object]:
    return {"color": color, "size": 12}


def _square(figure: go.Figure, left: float, lower: float, side: float, **style: object) -> None:
    figure.add_shape(type="rect", x0=left, y0=lower, x1=left + side, y1=lower + side, **{"line_width": 0, **style})


def _pictorial(figure: go.Figure, *, size: int, bottom: int = 30) -> go.Figure:
    """Make pixels square, and leave out what axes show."""
    figure.update_xaxes(showgrid=False, ticklen=0)
    figure.update_yaxes(scaleanchor="x", constrain="domain", visible=False)
    return _small(figure, size=size, top=4, left=4, bottom=bottom)


def _small(figure: go.Figure, *, size: int, top: int = 8, left: int = 52, bottom: int = 40) -> go.Figure:
    """Style a figure of `size` pixels in height that cannot be zoomed: it has a slider for that."""
    styled(figure, height=size, top=top, left=left)
    figure.update_layout(
        margin={"l": left, "r": 8, "t": top, "b": bottom},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        dragmode=False,
        modebar_remove=["toImage", "sendChartToCloud"],
        bargap=0.15 if figure.layout.bargap is None else figure.layout.bargap,
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure
