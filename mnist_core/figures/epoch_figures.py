"""What networks read after each epoch, as Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mnist_core.figures.style import GRID_COLOR, TRAINING_COLOR, VALIDATION_COLOR, Figure, Layout, styled


def accuracy_figure(epochs: Sequence[int], accuracies: NDArray[np.float64], epoch: int) -> Figure:
    """Draw the share of test images that are right after each epoch, (epochs,); one of the epochs is marked."""
    line = {
        "type": "scatter",
        "x": list(epochs),
        "y": accuracies.tolist(),
        "mode": "lines+markers",
        "line": {"color": TRAINING_COLOR},
        "marker": {"size": [13 if each == epoch else 6 for each in epochs], "line": {"width": 0}},
        "hovertemplate": "epoch %{x}: %{y:.2%}<extra></extra>",
    }
    mark = {
        "type": "line",
        "x0": epoch,
        "x1": epoch,
        "yref": "y domain",
        "y0": 0,
        "y1": 1,
        "line": {"color": GRID_COLOR},
    }
    layout = {
        "meta": {"name": "Test accuracy, by epoch"},
        "xaxis": _epoch_axis(epochs),
        "yaxis": {"tickformat": ".1%", "nticks": 5, "fixedrange": True},
        "shapes": [mark],
    }
    return styled([line], layout, height=210, top=8)


def one_image_figure(epochs: Sequence[int], probabilities: NDArray[np.floating], label: int) -> Figure:
    """Draw how sure a network was of one image after each epoch: of its label, and of the likeliest other digit.

    `probabilities` is (epochs, 10).
    """
    others = probabilities.astype(np.float64)
    others[:, label] = -1
    of_label = {
        "type": "scatter",
        "x": list(epochs),
        "y": probabilities[:, label].astype(float).tolist(),
        "name": f"its label, {label}",
        "mode": "lines+markers",
        "line": {"color": TRAINING_COLOR},
        "hovertemplate": f"{label}: %{{y:.1%}}<extra></extra>",
    }
    of_rival = {
        "type": "scatter",
        "x": list(epochs),
        "y": others.max(axis=1).tolist(),
        "name": "the most probable other digit",
        "mode": "lines+markers+text",
        "text": [str(digit) for digit in others.argmax(axis=1)],
        "textposition": "top center",
        "line": {"color": VALIDATION_COLOR, "dash": "dot"},
        "hovertemplate": "%{text}: %{y:.1%}<extra></extra>",
    }
    layout = {
        "meta": {"name": "Probability, by epoch"},
        "xaxis": _epoch_axis(epochs),
        "yaxis": {"tickformat": ".0%", "range": [-0.03, 1.14], "tickvals": [0, 0.5, 1], "fixedrange": True},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    }
    return styled([of_label, of_rival], layout, height=240, top=34)


def _epoch_axis(epochs: Sequence[int]) -> Layout:
    return {
        "title": {"text": "Epoch"},
        "range": [0.5, max(epochs) + 0.5],
        "tickformat": "d",
        "fixedrange": True,
        "nticks": 10,
    }
