"""What networks answered, as Plotly figures."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from mnist_core.dataset import CLASSES
from mnist_core.evaluation import Probabilities
from mnist_core.figures.style import DIAGONAL_COLOR, QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR, styled


def probability_figure(probabilities: Probabilities) -> go.Figure:
    """Draw ten bars in fixed order for one answer, (10,); the most probable digit stands out."""
    reading = int(probabilities.argmax())
    figure = go.Figure(
        go.Bar(
            x=[str(digit) for digit in CLASSES],
            y=probabilities.tolist(),
            text=[f"{value:.0%}" if value >= 0.005 else "" for value in probabilities.tolist()],
            textposition="outside",
            cliponaxis=False,
            marker_color=[TRAINING_COLOR if digit == reading else QUIET_COLOR for digit in CLASSES],
            hovertemplate="%{x}: %{y:.2%}<extra></extra>",
        )
    )
    figure.update_yaxes(range=[0, 1.08], visible=False, fixedrange=True)
    figure.update_xaxes(type="category", dtick=1, title_text="Digit", fixedrange=True)
    return styled(figure, height=240, left=16)


def confusion_figure(matrix: NDArray[np.int64]) -> go.Figure:
    """Draw a confusion matrix, (10, 10): rows true digits, columns readings. Colour is scaled to the mistakes alone."""
    on_diagonal = np.eye(len(CLASSES), dtype=bool)
    figure = go.Figure()
    for cells, colors in (
        (on_diagonal, [DIAGONAL_COLOR, DIAGONAL_COLOR]),
        (~on_diagonal & (matrix > 0), ["#fdeccf", VALIDATION_COLOR]),
    ):
        figure.add_heatmap(
            x=[str(digit) for digit in CLASSES],
            y=[str(digit) for digit in CLASSES],
            z=np.where(cells, matrix, np.nan),
            text=np.where(cells, matrix.astype(str), ""),
            texttemplate="%{text}",
            hovertemplate="True %{y}, read as %{x}: %{z} images<extra></extra>",
            hoverongaps=False,
            colorscale=[[0, colors[0]], [1, colors[1]]],
            showscale=False,
            xgap=2,
            ygap=2,
        )
    figure.update_xaxes(title_text="Read as", side="top", type="category", fixedrange=True, showgrid=False)
    figure.update_yaxes(title_text="True digit", autorange="reversed", type="category", fixedrange=True, showgrid=False)
    return styled(figure, height=460)
