"""A drawing dragged, shrunk, turned or thickened: the same digit, as if it had been drawn otherwise."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from mnist_core.common.arrays import Ink
from mnist_core.drawing.preparation import bounds


def changed(
    ink: Ink, right: float = 0, down: float = 0, scale: float = 1, rotation: float = 0, thickness: int = 0
) -> Ink:
    """Return the drawing on a canvas of the same size, each stroke thickened, then scaled and turned, then moved.

    `right` and `down` are pixels of the canvas; `scale`, above 0, and `rotation`, degrees clockwise, leave the middle
    of the digit's box where it is; `thickness` is the pixels that each edge of a stroke gains, or loses if negative.
    Ink that leaves the canvas is lost. If nothing is to change, it is `ink` itself; else raises `NoInkError` if there
    is none to begin with.
    """
    if (right, down, scale, rotation, thickness) == (0, 0, 1, 0, 0):
        return ink
    rows, columns = bounds(ink)
    pixels = _thickened(ink, thickness)
    if (right, down, scale, rotation) == (0, 0, 1, 0):
        return pixels
    middle_x, middle_y = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
    # Pillow asks where each pixel of the result comes from: the way back,
    # in coordinates that count from the outer corner.
    cosine, sine = math.cos(math.radians(rotation)) / scale, math.sin(math.radians(rotation)) / scale
    x, y = middle_x + right, middle_y + down
    first_row = (cosine, sine, middle_x - cosine * x - sine * y)
    second_row = (-sine, cosine, middle_y + sine * x - cosine * y)
    picture = Image.fromarray(pixels)
    moved = picture.transform(
        picture.size, Image.Transform.AFFINE, (*first_row, *second_row), Image.Resampling.BILINEAR
    )
    return np.asarray(moved)


def _thickened(ink: Ink, thickness: int) -> Ink:
    """Move every edge outwards, or inwards if negative, by so many pixels.

    By turns, a pixel takes the largest level among its four neighbours and among its eight: a circle would be exact, an
    octagon is near enough.
    """
    pixels = ink if thickness >= 0 else ~ink  # to thin the ink is to thicken the paper
    for step in range(abs(thickness)):
        framed = np.pad(pixels, 1, mode="edge")
        across = np.maximum.reduce([framed[:, :-2], framed[:, 1:-1], framed[:, 2:]])
        beside = across if step % 2 else framed[:, 1:-1]
        pixels = np.maximum.reduce([beside[:-2], across[1:-1], beside[2:]])
    return pixels if thickness >= 0 else ~pixels
