"""The one style of all Plotly figures. Backgrounds are transparent: a page's theme shows through."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

TRAINING_COLOR = "#0d9488"
VALIDATION_COLOR = "#d97706"
QUIET_COLOR = "#94a3b8"
DIAGONAL_COLOR = "#a7d8d2"
GRID_COLOR = "rgba(128, 140, 150, 0.25)"

_LEGEND_ROW = 21  # pixels
_SHORT_NAME = 20  # characters; two such names stand side by side on a phone


def styled(figure: go.Figure, *, height: int, top: int = 24, left: int = 56) -> go.Figure:
    """Give a figure the style of all figures: height and margins in pixels, quiet grid, no background. Return it."""
    figure.update_layout(
        height=height,
        margin={"l": left, "r": 16, "t": top, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        title_font_size=15,
        title_x=0,
        uirevision="keep",  # zoom and hidden traces outlive an update
        hovermode="closest",
        dragmode="zoom",
    )
    figure.update_xaxes(gridcolor=GRID_COLOR, zeroline=False)
    figure.update_yaxes(gridcolor=GRID_COLOR, zeroline=False)
    return figure


def with_legend_below(
    figure: go.Figure, names: Sequence[str], *, entries: int, height: int, top: int, bottom: int
) -> go.Figure:
    """Give a figure the style of all figures, and a legend below: in two columns if all `names` are short. Return it.

    `entries` is the length of the legend, which may hold more than `names`; 0 stands for none. `height`, `top` and
    `bottom` are height and margins without the legend, in pixels.
    """
    columns = 2 if all(len(name) <= _SHORT_NAME for name in names) else 1
    legend_height = math.ceil(entries / columns) * _LEGEND_ROW
    styled(figure, height=height + legend_height, top=top)
    figure.update_layout(
        title={"y": 0.98, "yanchor": "top"},
        margin_b=bottom + legend_height,
        showlegend=entries > 0,
        legend={
            "orientation": "h",
            "x": 0,
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "entrywidthmode": "fraction",
            "entrywidth": 0.94 / columns,
            "tracegroupgap": 0,
        },
    )
    return figure
