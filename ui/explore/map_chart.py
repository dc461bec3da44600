"""The test images as a map: a dot for each, near to those that are like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core.common.text import percent
from mnist_core.data.digit_map import DigitMap, DigitMapError, Positions, load_digit_map
from mnist_core.figures import data_figures
from mnist_core.figures.style import Figure
from ui.components.live_chart import DigitSheet, as_json, digit_sheet, live_chart
from ui.session import cached_reads

KINDS = {"neighbours": "Neighbours", "pca": "Principal components"}


def map_chart(
    kind: str, predicted: NDArray[np.integer[Any]] | None, on_click: Callable[[int], Any], *, key: str
) -> None:
    """Show the map `kind` of `KINDS`, in the colours of the digits or, with `predicted`, (10000,), of right and wrong.

    Pointing at a dot shows its digit; a click on it calls `on_click` with its index before the page runs again.
    """
    try:
        digit_map = _digit_map()
    except DigitMapError as error:
        st.error(str(error), icon=":material/broken_image:")
        return
    if predicted is None:
        figure = _map_by_class(kind)
    else:
        figure = as_json(data_figures.map_by_answer(_positions(kind), cached_reads.mnist().y_test, predicted))
    live_chart(figure, key=key, digits=_test_digits(), on_click=on_click)
    how = (
        "Images with similar pixels are neighbours (t-SNE); how far apart two groups are means little."
        if kind == "neighbours"
        else "The two directions in which the pixels of all images differ most (PCA); they hold "
        f"{percent(sum(digit_map.pca_variance), 0)} of the variance."
    )
    st.caption(f"Each dot is a test image: point at it to see the image, click to open it. {how}")


def _positions(kind: str) -> Positions:
    return _digit_map().pca if kind == "pca" else _digit_map().tsne


@st.cache_resource(show_spinner=False)
def _digit_map() -> DigitMap:
    return load_digit_map()


@st.cache_resource(show_spinner=False)
def _map_by_class(kind: str) -> Figure:
    return as_json(data_figures.map_by_class(_positions(kind), cached_reads.mnist().y_test))


@st.cache_resource(show_spinner=False)
def _test_digits() -> DigitSheet | None:
    data = cached_reads.mnist()
    return digit_sheet("test-digits", data.x_test, data.y_test)
