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

Ink = NDArray[np.uint8]  # (height, width), 0 = paper, 255 = ink

IMAGE_SIZE = 28
DIGIT_SIZE = 20
CENTRE = 14  # the pixel, counted from 0, where MNIST has the centre of mass

PAPER_LEVEL = 32  # fainter traces are shadows and soft edges, not ink that says where a digit ends


class NoInkError(ValueError):
    """There is nothing to read."""

    def __init__(self) -> None:
        super().__init__("There is no ink yet: draw a digit first.")


def prepare(ink: Ink) -> Ink:
    """Return the drawing as MNIST would hold it: (height, width) uint8 to (28, 28) uint8, white ink on black.

    Raises `NoInkError` if there is no ink, and `ValueError` if `ink` is not a two-dimensional uint8 array.
    """
    if ink.ndim != 2 or ink.dtype != np.uint8:
        raise ValueError(f"Ink must be (height, width) uint8, not {ink.shape} {ink.dtype}.")
    fitted = fit(crop(ink))
    if not fitted.any():
        raise NoInkError
    return centre(fitted)


def crop(ink: Ink) -> Ink:
    """Cut away the paper around the ink. Raises `NoInkError` if there is none."""
    if not ink.size or ink.max() < PAPER_LEVEL:
        raise NoInkError
    is_ink = ink >= PAPER_LEVEL
    rows = np.flatnonzero(is_ink.any(axis=1))
    columns = np.flatnonzero(is_ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: Ink) -> Ink:
    """Scale to 20 pixels on the longer side, keeping the proportions; grey levels come from averaging."""
    height, width = ink.shape
    scale = DIGIT_SIZE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(
        Image.fromarray(ink).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
    )


def centre(ink: Ink) -> Ink:
    """Place ink of at most 20 × 20 on 28 × 28 pixels of paper, with its centre of mass at row 14, column 14."""
    weights = ink.astype(np.float64)
    canvas = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    start = []
    for axis in (0, 1):
        length = ink.shape[axis]
        mass = weights.sum(axis=1 - axis)
        position = float(mass @ np.arange(length)) / max(float(mass.sum()), 1e-9)
        # A digit with nearly all its ink at one end would leave the picture; it stops at the border.
        start.append(min(max(round(CENTRE - position), 0), IMAGE_SIZE - length))
    canvas[start[0] : start[0] + ink.shape[0], start[1] : start[1] + ink.shape[1]] = ink
    return canvas
