"""Figures about the data itself: its classes, its grey levels, its ink, and the test set as a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from mnist_core.dataset import CLASSES, Labels
from mnist_core.digit_map import Positions
from mnist_core.evaluation import Indices
from mnist_core.figures.style import QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR, styled
from mnist_core.image_statistics import ClassBalance, PixelHistogram, Summary

# Found by a search for ten colours that are far apart in Oklab, also as the colour-blind see them, and that stand out
# from white as from the dark theme. Classes that lie side by side on the map, such as 4, 7 and 9, differ most.
CLASS_COLORS = (
    "#a373fd",
    "#98949f",
    "#007580",
    "#ddaf02",
    "#8e5700",
    "#3956da",
    "#f85e11",
    "#ff8ede",
    "#c92167",
    "#18cd91",
)
_DIGITS = [str(digit) for digit in CLASSES]
_HEIGHT = 300
_PADDING = 0.02  # around the dots of a map, in shares of its width and height


def balance_figure(train: ClassBalance, test: ClassBalance) -> go.Figure:
    """Draw, for each digit, its share of the training images beside its share of the test images."""
    figure = go.Figure()
    for name, balance, color in (("training", train, TRAINING_COLOR), ("test", test, VALIDATION_COLOR)):
        figure.add_bar(
            x=_DIGITS,
            y=balance.shares.tolist(),
            customdata=balance.counts.tolist(),
            name=name,
            marker_color=color,
            hovertemplate="%{x}: %{customdata:,} images, %{y:.2%}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(legend=_legend_above(), bargap=0.25)
    figure.update_xaxes(type="category", fixedrange=True)
    figure.update_yaxes(tickformat=".0%", fixedrange=True)
    return _without_x_title(styled(figure, height=_HEIGHT + 40, top=32, left=44))


def grey_level_figure(histogram: PixelHistogram) -> go.Figure:
    """Draw the share of the pixels that have each grey level, from 0 to 255, on a logarithmic axis."""
    shares = histogram.counts / histogram.counts.sum()
    figure = go.Figure(
        go.Bar(
            x=np.arange(256),
            y=shares,
            customdata=histogram.counts,
            marker={"color": TRAINING_COLOR, "line_width": 0},
            hovertemplate="grey level %{x}: %{y:.2%}, %{customdata:,} pixels<extra></extra>",
        )
    )
    figure.update_layout(bargap=0)
    figure.update_xaxes(title_text="Grey level: 0 is paper, 255 full ink", tickvals=[0, 50, 100, 150, 200, 255])
    figure.update_yaxes(
        type="log", tickvals=[1e-4, 1e-3, 1e-2, 1e-1, 1], ticktext=["0.01%", "0.1%", "1%", "10%", "100%"]
    )
    return styled(figure, height=_HEIGHT, top=8)


def ink_figure(ink: Summary) -> go.Figure:
    """Draw a box for each digit: how much ink its images have, in percent.

    The box holds the middle half of the images, its line is the median; the whiskers reach to the least and the most.
    """
    figure = go.Figure(
        go.Box(
            x=_DIGITS,
            q1=ink.lower_quartile,
            median=ink.median,
            q3=ink.upper_quartile,
            lowerfence=ink.smallest,
            upperfence=ink.largest,
            marker_color=TRAINING_COLOR,
            line_width=1.5,
            hoverinfo="y",
        )
    )
    figure.update_xaxes(type="category", fixedrange=True)
    figure.update_yaxes(ticksuffix="%", hoverformat=".1f", rangemode="tozero", fixedrange=True)
    return _without_x_title(styled(figure, height=_HEIGHT, top=8, left=44))


def map_by_class(positions: Positions, labels: Labels) -> go.Figure:
    """Draw a map of images, `positions` (n, 2), each as a dot in the colour of its digit; `labels` is (n,).

    `customdata` of a dot is the position of its image in the set. The name of each digit also stands where most of its
    images are: ten colours are many.
    """
    figure = go.Figure()
    for digit in CLASSES:
        of_digit = np.flatnonzero(labels == digit)
        _add_dots(figure, positions, of_digit, str(digit), {"color": CLASS_COLORS[digit], "size": 4, "opacity": 0.75})
        if len(of_digit):
            x, y = np.median(positions[of_digit], axis=0)
            figure.add_annotation(
                x=float(x),
                y=float(y),
                text=f"<b>{digit}</b>",
                showarrow=False,
                font={"color": "#ffffff", "size": 14},
                bgcolor="#1b2a30",
                bordercolor=CLASS_COLORS[digit],
                borderwidth=2,
                borderpad=2,
                opacity=0.9,
                captureevents=False,
            )
    return _finished_map(figure, positions)


def map_by_answer(positions: Positions, labels: Labels, predicted: NDArray[np.integer[Any]]) -> go.Figure:
    """Draw a map of images, `positions` (n, 2), the misread ones large and on top of those that were read right.

    `labels` and `predicted`, both (n,), are the true digits and those that a network read. `customdata` of a dot is the
    position of its image in the set, `text` of a misread one says what it was read as.
    """
    figure = go.Figure()
    right, wrong = np.flatnonzero(predicted == labels), np.flatnonzero(predicted != labels)
    quiet = {"color": QUIET_COLOR, "size": 3, "opacity": 0.6}
    loud = {"color": VALIDATION_COLOR, "size": 9, "line": {"color": "#ffffff", "width": 1}}
    _add_dots(figure, positions, right, f"read right: {len(right):,}", quiet)
    _add_dots(
        figure, positions, wrong, f"misread: {len(wrong):,}", loud, [f"read as {digit}" for digit in predicted[wrong]]
    )
    return _finished_map(figure, positions)


def _add_dots(
    figure: go.Figure,
    positions: Positions,
    chosen: Indices,
    name: str,
    marker: dict[str, Any],
    text: list[str] | None = None,
) -> None:
    figure.add_scattergl(
        x=positions[chosen, 0],
        y=positions[chosen, 1],
        customdata=chosen.astype(np.int32),
        text=text,
        mode="markers",
        marker=marker,
        name=name,
        hoverinfo="none",  # the live chart shows the digit instead
    )


def _finished_map(figure: go.Figure, positions: Positions) -> go.Figure:
    """Make both directions of a map equally long, and leave out axes: their numbers mean nothing."""
    tools = {"bgcolor": "rgba(0,0,0,0)", "color": QUIET_COLOR, "activecolor": TRAINING_COLOR}
    figure.update_layout(legend=_legend_above() | {"itemsizing": "constant"}, modebar=tools)
    (left, bottom), (right, top) = positions.min(axis=0).tolist(), positions.max(axis=0).tolist()
    figure.update_xaxes(visible=False, range=[left - _PADDING * (right - left), right + _PADDING * (right - left)])
    figure.update_yaxes(
        visible=False,
        range=[bottom - _PADDING * (top - bottom), top + _PADDING * (top - bottom)],
        scaleanchor="x",
    )
    styled(figure, height=520, top=32, left=0)
    # No higher than it is wide: on a phone there would be nothing above and below the dots.
    return figure.update_layout(margin={"r": 0, "b": 0}, meta={"most_height_per_width": 1})


def _without_x_title(figure: go.Figure) -> go.Figure:
    return figure.update_layout(margin_b=28)


def _legend_above() -> dict[str, Any]:
    return {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
