"""A confusion matrix of which each cell, row and column can be clicked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core.common.text import percent
from mnist_core.data.dataset import CLASSES
from mnist_core.figures.style import shades
from ui.components import source

_component = st.components.v2.component(
    "digit_lab_confusion_matrix",
    html='<div class="confusion"><table aria-label="Confusion matrix: true digits by predicted digits"></table></div>',
    css=source("confusion_matrix.css"),
    js=source("tab_stop.js", "confusion_matrix.js"),
)

Picked = tuple[int | None, int | None]  # true digit and digit read; None stands for all of them


def confusion_matrix(
    matrix: NDArray[np.int64],
    picked: Picked,
    on_pick: Callable[[Picked], Any],
    *,
    as_percent: bool = False,
    diagonal: bool = True,
    key: str,
) -> None:
    """Show counts (10, 10), rows true digits and columns readings, or percent of each row.

    `picked` is marked; a click on a cell, a row's or a column's digit calls `on_pick` before the page runs again. A
    second click on the same lets go of it: `(None, None)`.
    """

    def tell() -> None:
        on_pick(_parse(st.session_state[key].get("picked")))

    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    strengths = shades(shares if as_percent else matrix)
    cells = [
        [_cell(matrix, shares, strengths, row, column, as_percent=as_percent, diagonal=diagonal) for column in CLASSES]
        for row in CLASSES
    ]
    shown = matrix if diagonal else np.where(np.eye(len(CLASSES), dtype=bool), 0, matrix)
    what = "images" if diagonal else "mistakes"
    _component(
        key=key,
        data={
            "cells": cells,
            "rows": [f"All {total:,} {what} labelled {row}" for row, total in enumerate(shown.sum(axis=1))],
            "columns": [f"All {total:,} {what} predicted as {place}" for place, total in enumerate(shown.sum(axis=0))],
            "row": picked[0],
            "column": picked[1],
        },
        on_picked_change=tell,
    )


def _cell(
    matrix: NDArray[np.int64],
    shares: NDArray[np.float64],
    strengths: NDArray[np.float64],
    row: int,
    column: int,
    *,
    as_percent: bool,
    diagonal: bool,
) -> dict[str, object]:
    count, share = int(matrix[row, column]), float(shares[row, column])
    if not count or (row == column and not diagonal):
        return {"text": ""}
    text = f"{100 * share:.1f}" if as_percent else f"{count:,}"
    images = f"{count:,} image{'' if count == 1 else 's'} labelled {row}, predicted as {column}"
    return {
        "text": text,
        # What can be seen comes first, so that who says it to the computer is understood.
        "label": f"{text}%: {images}" if as_percent else f"{images}: {percent(share, 2)} of that digit",
        "shade": float(strengths[row, column]),
    }


def _parse(text: object) -> Picked:
    """Return what was clicked; it comes from the browser, so it could be anything."""
    digits = str(text).split(",") if isinstance(text, str) else []
    if len(digits) != 2 or any(digit not in ("", *map(str, CLASSES)) for digit in digits):
        return None, None
    row, column = (int(digit) if digit else None for digit in digits)
    return row, column
