"""What networks answered, as Plotly figures."""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from mnist_core.answers import percent
from mnist_core.dataset import CLASSES, Images
from mnist_core.evaluation import Probabilities
from mnist_core.figures.style import GRID_COLOR, QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR, styled

_BAR_SHARE = 0.68  # of a row's height; the rest is for its name
_ROW_HEIGHT = 62  # pixels


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


def answers_figure(names: Sequence[str], probabilities: Probabilities, label: int) -> go.Figure:
    """Draw the answers of several networks to one image, (n, 10), as ten bars each, one network below the other.

    The digit that a network reads is green if it is the label and amber if not; a band marks the label.
    """
    bars, shapes, names_above = [], [], []  # added all at once: Plotly checks the whole figure at each addition
    for row, (name, answer) in enumerate(zip(names, probabilities, strict=True)):
        reading = int(answer.argmax())
        color = TRAINING_COLOR if reading == label else VALIDATION_COLOR
        bars.append(
            go.Bar(
                x=list(CLASSES),
                y=(_BAR_SHARE * answer).tolist(),
                base=-row,
                name=html.escape(name),
                marker_color=[color if digit == reading else QUIET_COLOR for digit in CLASSES],
                customdata=answer.tolist(),
                hovertemplate="%{x}: %{customdata:.2%}<extra>%{fullData.name}</extra>",
                showlegend=False,
            )
        )
        names_above.append(
            {
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": -row + 0.86,
                "yanchor": "middle",
                "text": f"{html.escape(name)}: <b>{reading}</b>, {percent(float(answer[reading]))}",
                "showarrow": False,
                "align": "left",
            }
        )
        line = {"color": GRID_COLOR, "width": 1}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": -row, "y1": -row, "line": line})
    band = {"fillcolor": TRAINING_COLOR, "opacity": 0.1, "line": {"width": 0}}
    shapes.append({"type": "rect", "x0": label - 0.5, "x1": label + 0.5, "yref": "paper", "y0": 0, "y1": 1, **band})
    figure = go.Figure(bars, {"shapes": shapes, "annotations": names_above})
    figure.update_layout(barmode="overlay", bargap=0.25)
    figure.update_xaxes(tickvals=list(CLASSES), range=[-0.6, 9.6], fixedrange=True, showgrid=False)
    figure.update_yaxes(visible=False, range=[0.98 - len(names), 1.05], fixedrange=True)
    return styled(figure, height=_ROW_HEIGHT * len(names) + 44, top=4, left=4).update_layout(margin_b=34)


def digit_figure(image: Images) -> go.Figure:
    """Draw the 28 × 28 pixels of an image, (28, 28) uint8, each with its place and value on hover."""
    figure = go.Figure(
        go.Heatmap(
            z=image,
            zmin=0,
            zmax=255,
            colorscale=[[0, "#000000"], [1, "#ffffff"]],
            showscale=False,
            hovertemplate="row %{y}, column %{x}: <b>%{z}</b><extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, fixedrange=True, constrain="domain")
    figure.update_yaxes(visible=False, fixedrange=True, autorange="reversed", scaleanchor="x", constrain="domain")
    return styled(figure, height=320, top=0, left=0).update_layout(margin_b=0, margin_r=0)
