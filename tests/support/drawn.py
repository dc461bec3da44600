"""Figures as Plotly's own classes take them: each value is checked, and parts have names."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import ParamSpec

import plotly.graph_objects as go

from mnist_core.common.server import PROJECT
from mnist_core.figures.style import Figure
from ui.components.live_chart import PLOTLY

Arguments = ParamSpec("Arguments")


def drawn(figure: Figure) -> go.Figure:
    """Return a figure with attributes. Raises `ValueError` if Plotly does not know a part of it, or not so."""
    unserved = {trace["type"] for trace in figure["data"]} - served_traces()
    if unserved:
        raise ValueError(f"Browsers get no script for {unserved}: see `.ci/plotly`.")
    return go.Figure(figure)


@cache
def served_traces() -> frozenset[str]:
    """Return the kinds of traces that the script in `static/` can draw."""
    script = (PROJECT / "static" / PLOTLY).read_text(encoding="utf-8")
    return frozenset(re.findall(r'moduleType:"trace",name:"(\w+)"', script))


def drawing(draw: Callable[Arguments, Figure]) -> Callable[Arguments, go.Figure]:
    """Return a function like `draw` whose figures are `drawn`."""

    def draw_and_check(*arguments: Arguments.args, **options: Arguments.kwargs) -> go.Figure:
        return drawn(draw(*arguments, **options))

    return draw_and_check
