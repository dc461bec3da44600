"""Arrays to Plotly figures, in one style. Backgrounds are transparent: a page's theme shows through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from mnist_core.dataset import CLASSES
from mnist_core.evaluation import Probabilities
from mnist_core.events import BatchesDone, EpochDone, Event

TRAINING_COLOR = "#0d9488"
VALIDATION_COLOR = "#d97706"
QUIET_COLOR = "#94a3b8"
DIAGONAL_COLOR = "#a7d8d2"
GRID_COLOR = "rgba(128, 140, 150, 0.25)"

_CURVE_POINTS = 400
_HIGH_LOSS = 2.5  # guessing among ten digits has a loss of ln 10 = 2.3


@dataclass(frozen=True)
class Curves:
    """A run's history. Epochs are fractional: 1.5 is half-way through the second. Accuracies are shares."""

    batch_epoch: NDArray[np.float64]  # (batches,)
    batch_loss: NDArray[np.float64]
    batch_accuracy: NDArray[np.float64]
    epochs: tuple[EpochDone, ...]


def curves(events: Sequence[Event], steps_per_epoch: int) -> Curves:
    """Collect the curves of a run from its events."""
    batches = [event for event in events if isinstance(event, BatchesDone)]
    steps = [np.arange(event.step - len(event.loss), event.step) + 1 for event in batches]
    return Curves(
        np.concatenate([np.empty(0), *steps]) / steps_per_epoch,
        np.concatenate([np.empty(0), *(event.loss for event in batches)]),
        np.concatenate([np.empty(0), *(event.accuracy for event in batches)]),
        tuple(event for event in events if isinstance(event, EpochDone)),
    )


def thin(values: NDArray[np.float64], points: int = _CURVE_POINTS) -> NDArray[np.float64]:
    """Return the means of at most `points` neighbouring groups of nearly equal size, (points,)."""
    if len(values) <= points:
        return values
    starts = np.linspace(0, len(values), points, endpoint=False).astype(int)
    return np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values)))


def loss_figure(history: Curves, epochs: int, steps_per_epoch: int) -> go.Figure:
    """Draw the loss: training by batch, validation by epoch, over an axis of all planned epochs."""
    validation = [event.validation_loss for event in history.epochs]
    figure = _curve_figure(history, history.batch_loss, validation, epochs, steps_per_epoch, "%{y:.3f}")
    figure.update_layout(title_text="Loss (lower is better)", yaxis={"rangemode": "tozero"})
    if len(history.batch_loss) and history.batch_loss.max() > _HIGH_LOSS > history.batch_loss[-1]:
        figure.update_yaxes(range=[0, _HIGH_LOSS])  # a bad start would flatten all that follows
    return figure


def accuracy_figure(history: Curves, epochs: int, steps_per_epoch: int) -> go.Figure:
    """Draw the accuracy: training by batch, validation by epoch, over an axis of all planned epochs."""
    validation = [event.validation_accuracy for event in history.epochs]
    figure = _curve_figure(history, history.batch_accuracy, validation, epochs, steps_per_epoch, "%{y:.1%}")
    figure.update_layout(title_text="Accuracy (higher is better)", yaxis={"tickformat": ".0%"})
    return figure


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
    return _styled(figure, height=240, left=16)


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
    return _styled(figure, height=460)


def _curve_figure(
    history: Curves,
    training: NDArray[np.float64],
    validation: Sequence[float | None],
    epochs: int,
    steps_per_epoch: int,
    value_format: str,
) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=thin(history.batch_epoch).tolist(),
        y=thin(training).tolist(),
        name="training, by batch",
        mode="lines",
        line={"color": TRAINING_COLOR, "width": 1.5},
        hovertemplate=f"epoch %{{x:.2f}}: {value_format}<extra>training</extra>",
    )
    if any(value is not None for value in validation) or not history.epochs:
        figure.add_scatter(
            x=[event.step / steps_per_epoch for event in history.epochs],
            y=list(validation),
            name="validation, by epoch",
            mode="lines+markers",
            line={"color": VALIDATION_COLOR, "width": 2},
            marker={"size": 8},
            hovertemplate=f"epoch %{{x:.2f}}: {value_format}<extra>validation</extra>",
        )
    figure.update_xaxes(title_text="Epoch", range=[0, epochs * 1.02])
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, title_y=0.98)
    return _styled(figure, height=330, top=72)


def _styled(figure: go.Figure, *, height: int, top: int = 24, left: int = 56) -> go.Figure:
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
