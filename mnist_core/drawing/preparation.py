"""From ink to 28 × 28 pixels as MNIST was made.

The makers of MNIST fitted each digit into 20 × 20 pixels, keeping its proportions, and moved it so that its centre of
mass lies in the middle of 28 × 28 pixels (Y. LeCun, C. Cortes, C. J. C. Burges, http://yann.lecun.com/exdb/mnist/). In
the files this is exact: every digit is 20 pixels long on one side, and its centre of mass lies within half a pixel of
row 14, column 14, counted from 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.common.arrays import Box, Ink
from mnist_core.common.errors import DigitLabError

IMAGE_SIZE = 28
DIGIT_SIZE = 20
CENTRE = 14  # the pixel, counted from 0, where MNIST has the centre of mass

PAPER_LEVEL = 32  # fainter traces are shadows and soft edges, not ink that says where a digit ends


class NoInkError(DigitLabError, ValueError):
    """There is nothing to read."""

    def __init__(self) -> None:
        super().__init__("There is no ink yet: draw a digit first.")


def prepare(ink: Ink) -> Ink:
    """Return the drawing as MNIST would hold it: (height, width) uint8 to (28, 28) uint8, white ink on black.

    Raises `NoInkError` if there is no ink, and `ValueError` if `ink` is not a two-dimensional uint8 array.
    """
    return prepare_cropped(crop(ink))


def prepare_cropped(ink: Ink) -> Ink:
    """Return what `prepare` does, of ink that has been cropped."""
    return centre(fit(ink))


def crop(ink: Ink) -> Ink:
    """Cut away the paper around the ink. Raises what `bounds` raises."""
    return ink[bounds(ink)]


def bounds(ink: Ink) -> Box:
    """Return the smallest box that holds all that counts as ink, from `PAPER_LEVEL` on.

    Raises `NoInkError` if there is no ink, and `ValueError` if `ink` is not a two-dimensional uint8 array.
    """
    if ink.ndim != 2 or ink.dtype != np.uint8:
        raise ValueError(f"Ink must be (height, width) uint8, not {ink.shape} {ink.dtype}.")
    return _box(ink >= PAPER_LEVEL)


def fit(ink: Ink) -> Ink:
    """Scale to 20 pixels on the longer side, keeping the proportions."""
    scale = DIGIT_SIZE / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    return resized(ink, height, width)


def resized(ink: Ink, height: int, width: int) -> Ink:
    """Scale to (height, width); grey levels of a smaller picture come from averaging."""
    method = Image.Resampling.BOX if height * width < ink.size else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(ink).resize((width, height), method))


def centre(ink: Ink) -> Ink:
    """Move the ink of at most 28 × 28 pixels so that its centre of mass lies at row 14, column 14, of 28 × 28.

    A digit with nearly all its ink at one end would leave the picture; it stops at the border. Raises `NoInkError` if
    all is paper.
    """
    box = _box(ink > 0)
    start = []
    for position, lines in zip(centre_of_mass(ink), box, strict=True):
        moved = round(CENTRE - position) + lines.start
        start.append(min(max(moved, 0), IMAGE_SIZE - (lines.stop - lines.start)))
    return placed(ink[box], *start)


def centre_of_mass(ink: Ink) -> tuple[float, float]:
    """Return the mean row and column, counted from 0, of the pixels, each weighted by its level; not of mere paper."""
    weights = ink.astype(np.float64)
    rows, columns = weights.sum(axis=1), weights.sum(axis=0)
    return float(rows @ np.arange(len(rows)) / rows.sum()), float(columns @ np.arange(len(columns)) / columns.sum())


def placed(ink: Ink, row: int, column: int) -> Ink:
    """Return 28 × 28 pixels of paper with the ink on it, its top left corner at (row, column)."""
    paper = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    paper[row : row + ink.shape[0], column : column + ink.shape[1]] = ink
    return paper


def _box(is_ink: NDArray[np.bool_]) -> Box:
    rows, columns = (np.flatnonzero(is_ink.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise NoInkError
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
