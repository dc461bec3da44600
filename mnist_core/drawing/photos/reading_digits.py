"""Digits that were found in a picture, each prepared as MNIST was made and read by a network.

Where digits may touch, the network decides: it reads the whole and its parts, see `read`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Box, Ink, Probabilities
from mnist_core.drawing.ink_changes import changed
from mnist_core.drawing.photos.binarisation import INK_LEVEL
from mnist_core.drawing.photos.finding_digits import Digit
from mnist_core.drawing.photos.touching_digits import stroke_width
from mnist_core.drawing.preparation import DIGIT_SIZE, prepare, resized

_STROKE_WIDTH = 2.0  # pixels of MNIST's 28
_FINE = 4  # times MNIST's pixels, while a line is made thicker


@dataclass(frozen=True)
class Reading:
    """What a network reads in a digit: its 28 × 28 pixels as MNIST would have them, and ten probabilities."""

    box: Box
    image: Ink
    probabilities: NDArray[np.float32]
    was_cut: bool  # from another digit that touches it
    is_like: bool = True  # some digit that networks learn from

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """The probability of the most probable digit, 0 to 1."""
        return float(self.probabilities.max())


def read(rows: Sequence[Sequence[Digit]], predict: Callable[[Ink], Probabilities]) -> list[list[Reading]]:
    """Return what a network reads in each row, asking `predict`, (n, 28, 28) uint8 to (n, 10), once for all digits.

    Where digits may touch, the network decides: they are cut apart if it is surer of every part than of the whole.
    """
    candidates = [each for row in rows for digit in row for each in (digit, *digit.parts)]
    if not candidates:
        return []
    images = np.stack([as_mnist(each.ink) for each in candidates])
    answers = iter(zip(images, predict(images), strict=True))
    return [[reading for digit in row for reading in _settled(digit, answers)] for row in rows]


def compare(
    rows: Sequence[Sequence[Reading]], resemble: Callable[[Ink, list[int]], NDArray[np.bool_]]
) -> list[list[Reading]]:
    """Return readings that know whether they are like digits that networks learn from.

    `resemble`, images (n, 28, 28) uint8 and their digits to (n,) bool, is asked once for all.
    """
    readings = [reading for row in rows for reading in row]
    if not readings:
        return []
    answers = resemble(np.stack([each.image for each in readings]), [each.digit for each in readings])
    known = iter(answers.tolist())
    return [[replace(reading, is_like=next(known)) for reading in row] for row in rows]


def _settled(digit: Digit, answers: Iterator[tuple[Ink, NDArray[np.float32]]]) -> list[Reading]:
    """Take the answers to a digit and to its parts; return the whole or the parts."""
    whole = Reading(digit.box, *next(answers), was_cut=False)
    parts = [Reading(part.box, *next(answers), was_cut=True) for part in digit.parts]
    return parts if parts and min(part.confidence for part in parts) > whole.confidence else [whole]


def as_mnist(ink: Ink) -> Ink:
    """Return the ink of one digit, (height, width) uint8, as MNIST would hold it, (28, 28) uint8, white on black.

    A line that is thin beside the digit's size, as a ball pen's is, is first made as thick as those of MNIST are.
    """
    return prepare(thickened(ink))


def thickened(ink: Ink) -> Ink:
    """Return the ink of a digit, (height, width) uint8 of its box, with strokes that are not thinner than MNIST's."""
    scale = _FINE * DIGIT_SIZE / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    fine = _as_dark(resized(ink, height, width), ink)
    missing = _FINE * _STROKE_WIDTH - stroke_width(fine >= INK_LEVEL)
    edge = round(missing / 2)
    return changed(np.pad(fine, edge), thickness=edge) if edge > 0 else ink


def _as_dark(fine: Ink, ink: Ink) -> Ink:
    """Return scaled ink as dark as it was: averaged with the paper beside them, thin lines may fade to nothing."""
    factor = float(ink.max()) / max(int(fine.max()), 1)
    return (fine * factor).round().clip(0, 255).astype(np.uint8) if factor > 1 else fine
