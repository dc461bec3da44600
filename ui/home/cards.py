"""The three cards of the home page. Their pictures are made from the data and from a run that ships."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from mnist_core import runs
from mnist_core.common import pictures
from mnist_core.evaluation.selection import AnswerFilter, select
from mnist_core.figures import answer_figures, curve_figures
from mnist_core.figures.style import Figure, Layout, with_layout
from mnist_core.training.curves import curves
from ui.components.live_chart import live_chart
from ui.pickers.runs import DEFAULT_RUN
from ui.session import cached_reads, navigation

_HEIGHT = 190
_TEST_IMAGE = 5997  # a 5 that could be a 9


def train_card() -> None:
    """Show the curves of a real run and lead to Train."""
    run = _shown_run()
    if run is not None:
        history = curves(cached_reads.events(run), run.config)
        figure = curve_figures.accuracy_figure(history, curve_figures.CurveOptions(smoothing=0.6))
        layout = {"title": {"text": ""}, "showlegend": False, "yaxis": {"range": [0.9, 1.0]}}
        _show(figure, layout, key="card-train")
    st.markdown("**Train** a published network, or your own, and watch it learn batch by batch.")
    st.page_link(navigation.TRAIN, label="Train a network", icon=":material/model_training:")


def explore_card() -> None:
    """Show digits that a real network misread and lead to Explore."""
    data = cached_reads.mnist()
    run = _shown_run()
    chosen = np.arange(48)
    with cached_reads.show_errors():
        if run is not None:
            chosen = select(data.y_test, cached_reads.predictions(run), AnswerFilter("mistakes"))[:48]
    digits = pictures.enlarged(pictures.montage(data.x_test[chosen], columns=8), 2)
    st.image(  # PNG: a fifth of what Streamlit would choose, JPEG
        digits, alt="Handwritten digits that a network misread", width="stretch", output_format="PNG"
    )
    st.markdown("**Explore** 70,000 digits, and the very images that a network gets wrong.")
    st.page_link(navigation.EXPLORE, label="Explore the digits", icon=":material/search:")


def draw_card() -> None:
    """Show the answer of a real network and lead to Draw."""
    run = _shown_run()
    with cached_reads.show_errors():
        if run is not None:
            figure = answer_figures.probability_figure(cached_reads.predictions(run)[_TEST_IMAGE])
            digit = pictures.enlarged(cached_reads.mnist().x_test[_TEST_IMAGE], 4)
            place = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 0.32, "sizey": 1}
            image = {"source": pictures.data_uri(pictures.png(digit)), **place}
            _show(figure, {"images": [image], "xaxis": {"domain": [0.36, 1]}}, key="card-draw", left=0)
    st.markdown("**Draw** a digit with a mouse, a pen or a finger, and see at once what a network reads.")
    st.page_link(navigation.DRAW, label="Draw a digit", icon=":material/draw:")


CARDS: tuple[Callable[[], None], ...] = (train_card, explore_card, draw_card)


def _shown_run() -> runs.Run | None:
    by_id = {run.id: run for run in cached_reads.bundled_runs()}
    return by_id.get(DEFAULT_RUN)


def _show(figure: Figure, layout: Layout, *, key: str, left: int = 40) -> None:
    size = {"height": _HEIGHT, "margin": {"l": left, "r": 8, "t": 8, "b": 36}}
    live_chart(with_layout(figure, {**layout, **size}), tools="none", key=key, patient=True)
