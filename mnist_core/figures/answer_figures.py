"""What networks answered, as Plotly figures."""

from __future__ import annotations

import html
from collections.abc import Sequence

from mnist_core.common.arrays import Images, Probabilities
from mnist_core.common.text import percent
from mnist_core.data.dataset import CLASSES
from mnist_core.figures.description import plain
from mnist_core.figures.style import (
    GRID_COLOR,
    QUIET_COLOR,
    TRAINING_COLOR,
    VALIDATION_COLOR,
    Figure,
    Layout,
    Trace,
    styled,
)

_BAR_SHARE = 0.68  # of a row's height; the rest is for its name
_ROW_HEIGHT = 62  # pixels


def probability_figure(probabilities: Probabilities) -> Figure:
    """Draw ten bars in fixed order for one answer, (10,); the most probable digit stands out."""
    reading = int(probabilities.argmax())
    bars = {
        "type": "bar",
        "x": [str(digit) for digit in CLASSES],
        "y": probabilities.tolist(),
        "text": [percent(value, 0) if value >= 0.005 else "" for value in probabilities.tolist()],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [TRAINING_COLOR if digit == reading else QUIET_COLOR for digit in CLASSES]},
        "hovertemplate": "%{x}: %{y:.2%}<extra></extra>",
    }
    layout = {
        "meta": {"name": "Probability of each digit"},
        "xaxis": {"type": "category", "dtick": 1, "title": {"text": "Digit"}, "fixedrange": True},
        "yaxis": {"range": [0, 1.08], "visible": False, "fixedrange": True},
    }
    return styled([bars], layout, height=240, left=16)


def answers_figure(names: Sequence[str], probabilities: Probabilities, label: int) -> Figure:
    """Draw the answers of several networks to one image, (n, 10), as ten bars each, one network below the other.

    The digit that a network reads is green if it is the label and amber if not; a band marks the label.
    """
    rows = [(row, *named) for row, named in enumerate(zip(names, probabilities, strict=True))]
    ground = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": {"color": GRID_COLOR, "width": 1}}
    band = {"type": "rect", "x0": label - 0.5, "x1": label + 0.5, "yref": "paper", "y0": 0, "y1": 1}
    band |= {"fillcolor": TRAINING_COLOR, "opacity": 0.1, "line": {"width": 0}}
    names_above = [_name_above(row, name, answer) for row, name, answer in rows]
    layout = {
        "meta": {"words": f"Predictions: {'; '.join(plain(name['text']) for name in names_above)}."},
        "xaxis": {"tickvals": list(CLASSES), "range": [-0.6, 9.6], "fixedrange": True, "showgrid": False},
        "yaxis": {"visible": False, "range": [0.98 - len(rows), 1.05], "fixedrange": True},
        "barmode": "overlay",
        "bargap": 0.25,
        "shapes": [*({**ground, "y0": -row, "y1": -row} for row, _, _ in rows), band],
        "annotations": names_above,
    }
    bars = [_bars(row, name, answer, label) for row, name, answer in rows]
    return styled(bars, layout, height=_ROW_HEIGHT * len(rows) + 44, top=4, left=4, bottom=34)


def digit_figure(image: Images) -> Figure:
    """Draw the 28 × 28 pixels of an image, (28, 28) uint8, each with its place and value on hover."""
    pixels = {
        "type": "heatmap",
        "z": image,
        "zmin": 0,
        "zmax": 255,
        "colorscale": [[0, "#000000"], [1, "#ffffff"]],
        "showscale": False,
        "hovertemplate": "row %{y}, column %{x}: <b>%{z}</b><extra></extra>",
    }
    axis = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout = {
        "meta": {"words": "The image: 28 × 28 pixels, white ink on black."},
        "xaxis": axis,
        "yaxis": {**axis, "autorange": "reversed", "scaleanchor": "x"},
    }
    return styled([pixels], layout, height=320, top=0, left=0, right=0, bottom=0)


def _bars(row: int, name: str, answer: Probabilities, label: int) -> Trace:
    reading = int(answer.argmax())
    color = TRAINING_COLOR if reading == label else VALIDATION_COLOR
    return {
        "type": "bar",
        "x": list(CLASSES),
        "y": (_BAR_SHARE * answer).tolist(),
        "base": -row,
        "name": html.escape(name),
        "marker": {"color": [color if digit == reading else QUIET_COLOR for digit in CLASSES]},
        "customdata": answer.tolist(),
        "hovertemplate": "%{x}: %{customdata:.2%}<extra>%{fullData.name}</extra>",
        "showlegend": False,
    }


def _name_above(row: int, name: str, answer: Probabilities) -> Layout:
    reading = int(answer.argmax())
    return {
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": -row + 0.86,
        "yanchor": "middle",
        "text": f"{html.escape(name)}: <b>{reading}</b>, {percent(float(answer[reading]))}",
        "showarrow": False,
        "align": "left",
    }
