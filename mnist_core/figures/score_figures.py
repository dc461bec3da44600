"""Scores as Plotly figures."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mnist_core.figures.style import QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR, styled
from mnist_core.scores import Calibration

_MODEST_COLOR = "#5086fb"
_MOST_LEVEL_BINS = 10  # with more, counts are written upwards: else they would touch on a phone
_COUNT_TICKS = {1: "1", 10: "10", 100: "100", 1000: "1,000", 10_000: "10,000"}


def reliability_figure(result: Calibration) -> go.Figure:
    """Draw a reliability diagram: above, the accuracy of each bin against the diagonal; below, its number of images.

    The gap between accuracy and mean confidence stands out, by its colour in its direction. Counts stand on a
    logarithmic axis: of a good network, one bin holds nearly all images.
    """
    filled = np.flatnonzero(result.count)
    low, high = 100 * result.edges[filled], 100 * result.edges[filled + 1]
    count, confidence, accuracy = result.count[filled], 100 * result.confidence[filled], 100 * result.accuracy[filled]
    bar = {"x": (low + high) / 2, "width": (high - low) * 0.92}
    said = np.stack([low, high, count, confidence, accuracy], axis=-1)
    hover = (
        "%{customdata[0]:.3~g} to %{customdata[1]:.3~g} % sure: %{customdata[2]:,} images<br>"
        "sure %{customdata[3]:.1f} % on average, right %{customdata[4]:.1f} %<extra></extra>"
    )
    gap = confidence - accuracy

    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.06)
    figure.add_bar(
        **bar, y=accuracy, customdata=said, hovertemplate=hover, name="right", marker_color=TRAINING_COLOR, row=1, col=1
    )
    for name, side, color in (
        ("too sure", gap > 0, VALIDATION_COLOR),
        ("not sure enough", gap < 0, _MODEST_COLOR),
    ):
        figure.add_bar(
            x=bar["x"][side],
            width=bar["width"][side],
            y=np.abs(gap)[side],
            base=np.minimum(accuracy, confidence)[side],
            customdata=said[side],
            hovertemplate=hover,
            name=name,
            marker_color=color,
            showlegend=True,
            row=1,
            col=1,
        )
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"color": QUIET_COLOR, "dash": "dash"},
        name="ideal",
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_bar(
        **bar,
        y=count,
        text=[f"{images:,}" for images in count.tolist()],
        textposition="outside",
        textangle=0 if result.bins <= _MOST_LEVEL_BINS else -90,
        textfont_size=10,
        constraintext="none",
        cliponaxis=False,
        customdata=said,
        hovertemplate=hover,
        marker_color=QUIET_COLOR,
        showlegend=False,
        row=2,
        col=1,
    )
    figure.update_xaxes(range=[0, 100], fixedrange=True)
    figure.update_xaxes(title_text="How sure it is, %", row=2, col=1)
    figure.update_yaxes(fixedrange=True)
    figure.update_yaxes(title_text="Right, %", range=[0, 102], row=1, col=1)
    figure.update_yaxes(
        title_text="Images",
        type="log",
        range=[np.log10(0.6), np.log10(max(1, result.count.max())) + 1.1],
        tickvals=list(_COUNT_TICKS),
        ticktext=list(_COUNT_TICKS.values()),
        row=2,
        col=1,
    )
    styled(figure, height=480, top=56)
    figure.update_layout(
        barmode="overlay", legend={"orientation": "h", "x": 0, "yref": "container", "y": 1, "yanchor": "top"}
    )
    return figure
