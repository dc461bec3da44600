"""The small figures beside the words, in the style of `figures`, for a width of about 340 pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mnist_core.dataset import CLASSES
from mnist_core.figures import QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR, styled
from mnist_core.lessons import BOWL, Fit, Values

_HEIGHT = 210
_SIGNED = [[0, VALIDATION_COLOR], [0.5, "#ffffff"], [1, TRAINING_COLOR]]


def images_figure(pictures: Sequence[tuple[str, Values]]) -> go.Figure:
    """Draw small images (h, w) side by side: grey from black if nothing is negative, else amber, white, teal."""
    figure = make_subplots(1, len(pictures), subplot_titles=[name for name, _ in pictures], horizontal_spacing=0.04)
    for column, (_, values) in enumerate(pictures, start=1):
        signed = values.min() < 0
        reach = float(np.abs(values).max()) or 1.0
        figure.add_heatmap(
            z=values[::-1].tolist(),
            zmin=-reach if signed else 0,
            zmax=reach,
            colorscale=_SIGNED if signed else "gray",
            showscale=False,
            hovertemplate="%{z:.2f}<extra></extra>",
            row=1,
            col=column,
        )
        axis = "" if column == 1 else str(column)
        figure.update_layout({f"yaxis{axis}": {"scaleanchor": f"x{axis}", "constrain": "domain"}})
        figure.update_layout({f"xaxis{axis}": {"constrain": "domain"}})
    figure.update_annotations(font_size=12)
    _without_axes(figure)
    return _small(figure, height=165, left=4)


def curve_figure(
    x: Values, y: Values, x_title: str, y_title: str, mark: tuple[float, float, str] | None = None
) -> go.Figure:
    """Draw a curve and, if given, one marked place on it with a label."""
    figure = go.Figure(
        go.Scatter(x=x.tolist(), y=y.tolist(), mode="lines", line={"color": TRAINING_COLOR, "width": 2.5})
    )
    if mark is not None:
        figure.add_scatter(
            x=[mark[0]],
            y=[mark[1]],
            text=[mark[2]],
            mode="markers+text",
            textposition="top right" if mark[0] < (x.min() + x.max()) / 2 else "top left",
            marker={"color": VALIDATION_COLOR, "size": 11},
        )
    figure.update_xaxes(title_text=x_title)
    figure.update_yaxes(title_text=y_title)
    return _small(figure)


def bars_figure(values: Values, labels: Sequence[str] | None = None, chosen: int | None = None) -> go.Figure:
    """Draw bars of shares, by default for the ten digits; the chosen one stands out."""
    names = [str(digit) for digit in CLASSES] if labels is None else list(labels)
    colors = [TRAINING_COLOR if place == chosen else QUIET_COLOR for place in range(len(values))]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=values.tolist(),
            marker_color=colors,
            text=[f"{value:.2g}" if value >= 0.005 else "0" for value in values.tolist()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:.4f}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(range=[0, 1.15], visible=False)
    return _small(figure, left=8)


def descent_figure(path: Values) -> go.Figure:
    """Draw the valley from above, and the way down it, (steps + 1, 2)."""
    x, y = np.linspace(-12, 12, 60), np.linspace(-4, 4, 40)
    heights = (BOWL[0] * x[None] ** 2 + BOWL[1] * y[:, None] ** 2) / 2
    figure = go.Figure(
        go.Contour(
            x=x.tolist(),
            y=y.tolist(),
            z=np.sqrt(heights).tolist(),
            contours_coloring="lines",
            colorscale=[[0, QUIET_COLOR], [1, QUIET_COLOR]],
            showscale=False,
            hoverinfo="skip",
        )
    )
    figure.add_scatter(
        x=path[:, 0].tolist(),
        y=path[:, 1].tolist(),
        mode="lines+markers",
        line={"color": TRAINING_COLOR, "width": 1.5},
        marker={"size": 5},
        hoverinfo="skip",
    )
    figure.add_scatter(x=[0], y=[0], mode="markers", marker={"color": VALIDATION_COLOR, "symbol": "star", "size": 12})
    figure.update_xaxes(range=[-12, 12], visible=False)
    figure.update_yaxes(range=[-4, 4], visible=False)
    return _small(figure, left=4)


def fit_figure(fit: Fit) -> go.Figure:
    """Draw a fitted curve, the points that it was fitted to, and those that were held out."""
    figure = go.Figure(
        go.Scatter(x=fit.line_x.tolist(), y=fit.line_y.tolist(), name="fitted", line_color=TRAINING_COLOR)
    )
    for name, x, y, color in (
        ("learned", fit.x, fit.y, TRAINING_COLOR),
        ("held out", fit.new_x, fit.new_y, VALIDATION_COLOR),
    ):
        figure.add_scatter(x=x.tolist(), y=y.tolist(), mode="markers", name=name, marker={"color": color, "size": 8})
    figure.update_yaxes(range=[-2.2, 2.2])
    _small(figure)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return figure


def histogram_figure(values: Values, title: str) -> go.Figure:
    """Draw how often values occur."""
    counts, edges = np.histogram(values, bins=24)
    figure = go.Figure(
        go.Bar(x=((edges[1:] + edges[:-1]) / 2).tolist(), y=counts.tolist(), marker_color=TRAINING_COLOR)
    )
    figure.update_layout(bargap=0.05)
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(visible=False)
    return _small(figure, left=8)


def _without_axes(figure: go.Figure) -> None:
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)


def _small(figure: go.Figure, *, height: int = _HEIGHT, left: int = 48) -> go.Figure:
    styled(figure, height=height, left=left)
    figure.update_layout(showlegend=False, dragmode=False, margin={"r": 8, "b": 40 if height == _HEIGHT else 8})
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure
