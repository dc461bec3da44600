"""Figures about the data itself: its classes, its grey levels, its ink, and the test set as a map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Indices, Labels
from mnist_core.data.dataset import CLASSES
from mnist_core.data.digit_map import Positions
from mnist_core.data.statistics import ClassBalance, PixelHistogram, Summary
from mnist_core.figures.style import (
    NO_COLOR,
    QUIET_COLOR,
    TRAINING_COLOR,
    VALIDATION_COLOR,
    Figure,
    Layout,
    Trace,
    styled,
    with_layout,
)

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
_UNTITLED = 28  # pixels below a figure whose x axis has no title
_LEGEND_ABOVE = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
_PADDING = 0.02  # around the dots of a map, in shares of its width and height


def balance_figure(train: ClassBalance, test: ClassBalance) -> Figure:
    """Draw, for each digit, its share of the training images beside its share of the test images."""
    bars = [
        {
            "type": "bar",
            "x": _DIGITS,
            "y": balance.shares.tolist(),
            "customdata": balance.counts.tolist(),
            "name": name,
            "marker": {"color": color},
            "hovertemplate": "%{x}: %{customdata:,} images, %{y:.2%}<extra>%{fullData.name}</extra>",
        }
        for name, balance, color in (("training", train, TRAINING_COLOR), ("test", test, VALIDATION_COLOR))
    ]
    layout = {
        "meta": {"name": "Share of each digit"},
        "xaxis": {"type": "category", "fixedrange": True},
        "yaxis": {"tickformat": ".0%", "fixedrange": True},
        "legend": _LEGEND_ABOVE,
        "bargap": 0.25,
    }
    return styled(bars, layout, height=_HEIGHT + 40, top=32, left=44, bottom=_UNTITLED)


def grey_level_figure(histogram: PixelHistogram) -> Figure:
    """Draw the share of the pixels that have each grey level, from 0 to 255, on a logarithmic axis."""
    bars = {
        "type": "bar",
        "x": np.arange(256),
        "y": histogram.counts / histogram.counts.sum(),
        "customdata": histogram.counts,
        "marker": {"color": TRAINING_COLOR, "line": {"width": 0}},
        "hovertemplate": "grey level %{x}: %{y:.2%}, %{customdata:,} pixels<extra></extra>",
    }
    title = {"text": "Grey level: 0 is paper, 255 full ink"}
    ticks = {"tickvals": [1e-4, 1e-3, 1e-2, 1e-1, 1], "ticktext": ["0.01%", "0.1%", "1%", "10%", "100%"]}
    layout = {
        "meta": {"name": "Share of the pixels, by grey level"},
        "xaxis": {"title": title, "tickvals": [0, 50, 100, 150, 200, 255]},
        "yaxis": {"type": "log", **ticks},
        "bargap": 0,
    }
    return styled([bars], layout, height=_HEIGHT, top=8)


def ink_figure(ink: Summary) -> Figure:
    """Draw a box for each digit: how much ink its images have, in percent.

    The box holds the middle half of the images, its line is the median; the whiskers reach to the least and the most.
    """
    boxes = {
        "type": "box",
        "x": _DIGITS,
        "q1": ink.lower_quartile,
        "median": ink.median,
        "q3": ink.upper_quartile,
        "lowerfence": ink.smallest,
        "upperfence": ink.largest,
        "marker": {"color": TRAINING_COLOR},
        "line": {"width": 1.5},
        "hoverinfo": "y",
    }
    layout = {
        "meta": {"name": "Ink of each digit, in percent"},
        "xaxis": {"type": "category", "fixedrange": True},
        "yaxis": {"ticksuffix": "%", "hoverformat": ".1f", "rangemode": "tozero", "fixedrange": True},
    }
    return styled([boxes], layout, height=_HEIGHT, top=8, left=44, bottom=_UNTITLED)


def map_by_class(positions: Positions, labels: Labels) -> Figure:
    """Draw a map of images, `positions` (n, 2), each as a dot in the colour of its digit; `labels` is (n,).

    `customdata` of a dot is the position of its image in the set. The name of each digit also stands where most of its
    images are: ten colours are many.
    """
    of_digits = {digit: np.flatnonzero(labels == digit) for digit in CLASSES}
    dots = [
        _dots(positions, chosen, str(digit), {"color": CLASS_COLORS[digit], "size": 4, "opacity": 0.75})
        for digit, chosen in of_digits.items()
    ]
    names = [
        _name(digit, *np.median(positions[chosen], axis=0).tolist())
        for digit, chosen in of_digits.items()
        if len(chosen)
    ]
    return with_layout(_map(positions, dots), {"annotations": names})


def map_by_answer(positions: Positions, labels: Labels, predicted: NDArray[np.integer[Any]]) -> Figure:
    """Draw a map of images, `positions` (n, 2), the misread ones large and on top of those that were read right.

    `labels` and `predicted`, both (n,), are the true digits and those that a network read. `customdata` of a dot is the
    position of its image in the set, `text` of a misread one says what it was read as.
    """
    right, wrong = np.flatnonzero(predicted == labels), np.flatnonzero(predicted != labels)
    quiet = {"color": QUIET_COLOR, "size": 3, "opacity": 0.6}
    loud = {"color": VALIDATION_COLOR, "size": 9, "line": {"color": "#ffffff", "width": 1}}
    read_right = _dots(positions, right, f"right: {len(right):,}", quiet)
    misread = _dots(positions, wrong, f"wrong: {len(wrong):,}", loud)
    misread["text"] = [f"predicted as {digit}" for digit in predicted[wrong]]
    words = f"Map of the images. Right: {len(right):,}; wrong: {len(wrong):,}."
    return with_layout(_map(positions, [read_right, misread]), {"meta": {"words": words}})


def _dots(positions: Positions, chosen: Indices, name: str, marker: dict[str, Any]) -> Trace:
    return {
        "type": "scattergl",
        "x": positions[chosen, 0],
        "y": positions[chosen, 1],
        "customdata": chosen.astype(np.int32),
        "mode": "markers",
        "marker": marker,
        "name": name,
        "hoverinfo": "none",  # the live chart shows the digit instead
    }


def _name(digit: int, x: float, y: float) -> Layout:
    return {
        "x": x,
        "y": y,
        "text": f"<b>{digit}</b>",
        "showarrow": False,
        "font": {"color": "#ffffff", "size": 14},
        "bgcolor": "#1b2a30",
        "bordercolor": CLASS_COLORS[digit],
        "borderwidth": 2,
        "borderpad": 2,
        "opacity": 0.9,
        "captureevents": False,
    }


def _map(positions: Positions, dots: Iterable[Trace]) -> Figure:
    """Return a map, both directions equally long, without axes: their numbers mean nothing."""
    lows, highs = positions.min(axis=0).tolist(), positions.max(axis=0).tolist()
    x_axis, y_axis = (
        {"visible": False, "range": [low - _PADDING * (high - low), high + _PADDING * (high - low)]}
        for low, high in zip(lows, highs, strict=True)
    )
    layout = {
        "xaxis": x_axis,
        "yaxis": {**y_axis, "scaleanchor": "x"},
        "legend": {**_LEGEND_ABOVE, "itemsizing": "constant"},
        "modebar": {"bgcolor": NO_COLOR, "color": QUIET_COLOR, "activecolor": TRAINING_COLOR},
        # No higher than it is wide: on a phone there would be nothing above and below the dots.
        "meta": {"name": "Map of the images", "most_height_per_width": 1},
    }
    return styled(dots, layout, height=520, top=32, left=0, right=0, bottom=0)
