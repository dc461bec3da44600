"""The one style of all Plotly figures. Backgrounds are transparent: a page's theme shows through."""

from __future__ import annotations

import plotly.graph_objects as go

TRAINING_COLOR = "#0d9488"
VALIDATION_COLOR = "#d97706"
QUIET_COLOR = "#94a3b8"
DIAGONAL_COLOR = "#a7d8d2"
GRID_COLOR = "rgba(128, 140, 150, 0.25)"


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
