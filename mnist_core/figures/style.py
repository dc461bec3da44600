"""What a figure is, and the one style of all of them. Backgrounds are transparent: a page's theme shows through.

A figure is a dictionary of traces and layout, as Plotly's script takes it. Plotly's own classes for them check each
value that they are given: for the curves of a run that takes ten times as long as all else, too long for a server with
a class of visitors. Tests let them check every figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_core.figures.description import describe

TRAINING_COLOR = "#0d9488"
VALIDATION_COLOR = "#d97706"
QUIET_COLOR = "#94a3b8"
DIAGONAL_COLOR = "#a7d8d2"
GRID_COLOR = "rgba(128, 140, 150, 0.25)"
NO_COLOR = "rgba(0,0,0,0)"

Trace = dict[str, Any]  # or a part of one
Layout = dict[str, Any]  # or a part of one
Figure = dict[str, Any]  # {"data": list[Trace], "layout": Layout}; arrays in it may be NumPy's

_LEGEND_ROW = 21  # pixels
_SHORT_NAME = 20  # characters; two such names stand side by side on a phone


def styled(
    traces: Iterable[Trace],
    layout: Layout,
    *,
    height: int,
    top: int = 24,
    left: int = 56,
    right: int = 16,
    bottom: int = 48,
) -> Figure:
    """Return a figure in the style of all figures: height and margins in pixels, quiet grid, no background.

    What `layout` says itself goes before the style. In its `meta`, `words` say what the figure shows.
    """
    traces = list(traces)
    axis = {"gridcolor": GRID_COLOR, "zeroline": False}
    axes = {"xaxis", "yaxis", *(name for name in layout if name.startswith(("xaxis", "yaxis")))}
    style: Layout = {
        "height": height,
        "margin": {"l": left, "r": right, "t": top, "b": bottom},
        "paper_bgcolor": NO_COLOR,
        "plot_bgcolor": NO_COLOR,
        "title": {"font": {"size": 15}, "x": 0},
        "uirevision": "keep",  # zoom and hidden traces outlive an update
        "hovermode": "closest",
        "dragmode": "zoom",
        "meta": {"words": describe(traces, layout)},
        **{name: dict(axis) for name in axes},
    }
    return {"data": traces, "layout": merged(style, layout)}


def with_legend_below(
    traces: Iterable[Trace],
    layout: Layout,
    names: Sequence[str],
    *,
    entries: int,
    height: int,
    top: int,
    bottom: int,
) -> Figure:
    """Return a figure in the style of all figures, with a legend below: in two columns if all `names` are short.

    `entries` is the length of the legend, which may hold more than `names`; 0 stands for none. `height`, `top` and
    `bottom` are height and margins without the legend, in pixels.
    """
    columns = 2 if all(len(name) <= _SHORT_NAME for name in names) else 1
    legend_height = math.ceil(entries / columns) * _LEGEND_ROW
    legend = {
        "orientation": "h",
        "x": 0,
        "yref": "container",
        "y": 0,
        "yanchor": "bottom",
        "entrywidthmode": "fraction",
        "entrywidth": 0.94 / columns,
        "tracegroupgap": 0,
    }
    below = {"title": {"y": 0.98, "yanchor": "top"}, "showlegend": entries > 0, "legend": legend}
    return styled(traces, merged(layout, below), height=height + legend_height, top=top, bottom=bottom + legend_height)


def with_layout(figure: Figure, layout: Layout) -> Figure:
    """Return the same figure with parts of its layout changed."""
    return {**figure, "layout": merged(figure["layout"], layout)}


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both say, part by part; where they differ, what `over` says."""
    both = {name: merged(under[name], over[name]) for name in over if _are_parts(under.get(name), over[name])}
    return {**under, **over, **both}


def _are_parts(under: object, over: object) -> bool:
    return isinstance(under, Mapping) and isinstance(over, Mapping)


def shades(cells: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how strongly to colour each cell of a confusion matrix, 0 to 1, by the mistakes alone.

    `cells`, (10, 10), are counts or shares. The square root of a cell's part of the largest one beside the diagonal:
    one a hundredth as large still gets a tenth of the colour. The diagonal, which would outshine the rest, gets 0.
    """
    beside = np.where(np.eye(len(cells), dtype=bool), 0, cells)
    largest = beside.max()
    strength: NDArray[np.float64] = np.sqrt(beside / largest) if largest else np.zeros(cells.shape)
    return strength
