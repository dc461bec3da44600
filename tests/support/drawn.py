"""Figures as Plotly's own classes take them: each value is checked, and parts have names."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

import plotly.graph_objects as go

from mnist_core.figures.style import Figure

Arguments = ParamSpec("Arguments")


def drawn(figure: Figure) -> go.Figure:
    """Return a figure with attributes. Raises `ValueError` if Plotly does not know a part of it, or not so."""
    return go.Figure(figure)


def drawing(draw: Callable[Arguments, Figure]) -> Callable[Arguments, go.Figure]:
    """Return a function like `draw` whose figures are `drawn`."""

    def draw_and_check(*arguments: Arguments.args, **options: Arguments.kwargs) -> go.Figure:
        return drawn(draw(*arguments, **options))

    return draw_and_check
