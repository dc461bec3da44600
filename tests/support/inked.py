"""Ink to find digits in: drawn in lines, or made of digits of MNIST."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core.common.arrays import Box, Ink
from mnist_core.drawing.photos.finding_digits import Digit, rows_of_digits
from mnist_core.drawing.photos.picture_files import ink_from_picture

ink_arrays = st_numpy.arrays(np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=50))

Line = list[tuple[int, int]]  # column, row
Predict = Callable[[Ink], NDArray[np.float32]]  # (n, 28, 28) to probabilities, (n, 10)

FIVE_BODY: Line = [(60, 60), (58, 110), (90, 105), (105, 130), (95, 160), (60, 165)]
FIVE_BAR: Line = [(64, 52), (104, 50)]


def drawn(lines: Sequence[Line], pen: int = 8, size: tuple[int, int] = (400, 220)) -> Ink:
    """Return ink of lines, (size[1], size[0])."""
    picture = Image.new("L", size)
    for line in lines:
        ImageDraw.Draw(picture).line(line, fill=255, width=pen, joint="curve")
    return np.asarray(picture)


def moved(line: Line, right: int, down: int = 0) -> Line:
    return [(column + right, row + down) for column, row in line]


def enlarged(digit: Ink, factor: int = 4) -> Ink:
    """Return a digit of MNIST larger and with soft edges, without the paper around it."""
    side = 28 * factor
    large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))
    rows, columns = (np.flatnonzero((large >= 128).any(axis=axis)) for axis in (1, 0))
    return large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def side_by_side(digits: Sequence[Ink], gap: int) -> tuple[Ink, list[slice]]:
    """Set digits so close that the shortest way between the ink of neighbours, along a row, is `gap` pixels.

    Return the ink and the columns of each digit's box.
    """
    height = max(digit.shape[0] for digit in digits) + 20
    paper = np.zeros((height, sum(digit.shape[1] for digit in digits) + 100 * len(digits)), np.uint8)
    ends = np.full(height, 10)
    columns = []
    for number, digit in enumerate(digits):
        top = (height - digit.shape[0]) // 2
        is_ink = digit >= 128
        rows = np.flatnonzero(is_ink.any(axis=1))
        starts, stops = is_ink.argmax(axis=1), digit.shape[1] - is_ink[:, ::-1].argmax(axis=1)
        left = max(ends[top + row] - starts[row] for row in rows) + (gap if number else 0)
        place = paper[top : top + digit.shape[0], left : left + digit.shape[1]]
        np.maximum(place, digit, out=place)
        ends[top + rows] = np.maximum(ends[top + rows], left + stops[rows])
        columns.append(slice(int(left), int(left) + digit.shape[1]))
    return paper, columns


def found_in(content: bytes) -> list[list[Digit]]:
    return rows_of_digits(ink_from_picture(content))


def boxes_in(ink: Ink) -> list[Box]:
    """Return the boxes of all digits in reading order."""
    return [digit.box for row in rows_of_digits(ink) for digit in row]
