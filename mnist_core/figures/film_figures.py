"""What networks read after each epoch, as Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from mnist_core.figures.style import GRID_COLOR, TRAINING_COLOR, VALIDATION_COLOR, styled


def accuracy_figure(epochs: Sequence[int], accuracies: NDArray[np.float64], epoch: int) -> go.Figure:
    """Draw the share of test images that are right after each epoch, (epochs,); one of the epochs is marked."""
    figure = go.Figure(
        go.Scatter(
            x=list(epochs),
            y=accuracies.tolist(),
            mode="lines+markers",
            line_color=TRAINING_COLOR,
            marker_size=[13 if each == epoch else 6 for each in epochs],
            hovertemplate="epoch %{x}: %{y:.2%}<extra></extra>",
        )
    )
    figure.add_vline(x=epoch, line_color=GRID_COLOR)
    figure.update_xaxes(title_text="Epoch", range=[0.5, max(epochs) + 0.5], tickformat="d", fixedrange=True, nticks=10)
    figure.update_yaxes(tickformat=".1%", nticks=5, fixedrange=True)
    return styled(figure, height=210, top=8)


def one_image_figure(epochs: Sequence[int], probabilities: NDArray[np.floating], label: int) -> go.Figure:
    """Draw how sure a network was of one image after each epoch: of its label, and of the likeliest other digit.

    `probabilities` is (epochs, 10).
    """
    others = probabilities.astype(np.float64)
    others[:, label] = -1
    rival = others.argmax(axis=1)
    figure = go.Figure()
    figure.add_scatter(
        x=list(epochs),
        y=probabilities[:, label].astype(float).tolist(),
        name=f"its label, {label}",
        mode="lines+markers",
        line_color=TRAINING_COLOR,
        hovertemplate=f"{label}: %{{y:.1%}}<extra></extra>",
    )
    figure.add_scatter(
        x=list(epochs),
        y=others.max(axis=1).tolist(),
        name="the likeliest other digit",
        mode="lines+markers+text",
        text=[str(digit) for digit in rival],
        textposition="top center",
        line={"color": VALIDATION_COLOR, "dash": "dot"},
        hovertemplate="%{text}: %{y:.1%}<extra></extra>",
    )
    figure.update_xaxes(title_text="Epoch", range=[0.5, max(epochs) + 0.5], tickformat="d", fixedrange=True, nticks=10)
    figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.14], tickvals=[0, 0.5, 1], fixedrange=True)
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return styled(figure, height=240, top=34)
