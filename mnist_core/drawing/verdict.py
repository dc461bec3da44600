"""The verdict: whether what somebody drew can be called a digit at all.

A network names a digit for anything. These rules, in this order, decide what the page says of a drawing:

1. blank: there is no ink.
2. several: a straight line of bare paper parts the ink into two pieces that are both as large as digits.
3. no digit: the ink is in more pieces than digits are, or no training image of the digit that was read is like it.
4. unsure: the network is less than 90% sure of the digit, or no longer sure when it is turned, slanted or squeezed a
   little, or most of the other networks that were asked are sure of another one.
5. clear: none of these.

The numbers were chosen on MNIST training images, recorded pen strokes, letters and scribbles; `benchmarks/verdict.py`
shows what they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.common.arrays import Images, Ink, Probabilities
from mnist_core.common.text import percent
from mnist_core.drawing import connected_components
from mnist_core.drawing.nearest_example import Examples, similarity
from mnist_core.drawing.preparation import CENTRE, PAPER_LEVEL, NoInkError
from mnist_core.evaluation.metrics import ranking
from mnist_core.evaluation.selection import UNSURE_BELOW

VerdictKind = Literal["clear", "unsure", "no digit", "several", "blank"]
KINDS: tuple[VerdictKind, ...] = ("clear", "unsure", "no digit", "several", "blank")

CERTAIN = 0.6  # a clear digit has at least this probability, on average over `variants`
# How like an example of its digit a drawing must be, for 0 to 9: some digits are written in more ways than others.
LIKE = (0.946, 0.914, 0.918, 0.924, 0.91, 0.922, 0.944, 0.926, 0.931, 0.88)

# Turn in degrees, slant as a share of the height, and the part of its width and height that is kept.
_CHANGES = ((-12, 0, 1, 1), (12, 0, 1, 1), (0, -0.3, 1, 1), (0, 0.3, 1, 1), (0, 0, 0.75, 1), (0, 0, 1, 0.75))

_MOST_PIECES = 3  # of 3,000 digits of MNIST two have more, of 1,500 recorded pen strokes none; a smiling face has four
_FINE = 96  # the longer side of the ink, in points, when pieces are looked for
_SLANTS = np.tan(np.radians(np.arange(-24, 25, 4)))  # of lines that may part two digits
_TALL = 0.5  # of the height of all ink: what is as tall as this beside other ink may be a digit
_STACKED = 0.35  # the same for ink above other ink


@dataclass(frozen=True)
class Verdict:
    """What can honestly be said of a drawing: the kind, and a sentence for the page."""

    kind: VerdictKind
    sentence: str


def variants(digit: Images) -> Images:
    """Return the digit, (28, 28) uint8, and how it looks turned, slanted and squeezed a little: (7, 28, 28)."""
    picture = Image.fromarray(digit)
    changed = [
        picture.transform(digit.shape, Image.Transform.AFFINE, sources, Image.Resampling.BILINEAR)
        for sources in _SOURCES
    ]
    return np.stack([digit, *map(np.asarray, changed)])


def judge(ink: Ink, digit: Images | None, answers: Sequence[Probabilities], examples: Examples) -> Verdict:
    """Say what a drawing is, by the rules above.

    `ink` is the drawing, cropped, (height, width) uint8, and `digit` what `preparation` made of it, (28, 28) uint8, or
    None if there is no ink. `answers` has the probabilities, (7, 10), that each network gives for `variants(digit)`:
    first that whose reading is shown, then any others that were asked, for which (1, 10), of the digit alone, will do.
    """
    points = coarse(ink)
    if not points.any():
        return Verdict("blank", str(NoInkError()))
    if has_several_digits(points):
        return Verdict(
            "several", "These look like several digits, and a network reads one. Draw a single digit, large."
        )
    if digit is None or not answers:
        raise ValueError("A drawing with ink is judged by the answers of at least one network.")
    reading = int(answers[0][0].argmax())
    pieces = count_pieces(points)
    if pieces > _MOST_PIECES:
        return Verdict(
            "no digit",
            f"It would read {reading}, but no digit is made of {pieces} pieces. Perhaps it is something else.",
        )
    if not is_like(digit, reading, examples):
        return Verdict(
            "no digit",
            f"It would read {reading}, but no {reading} that it learned from looks like this. Perhaps it is not a "
            "digit.",
        )
    mean, *others = (answer.mean(axis=0) for answer in answers)
    if mean[reading] < CERTAIN:
        second = next(other for other, _ in ranking(mean, 2) if other != reading)
        return Verdict("unsure", f"Uncertain: turned or squeezed a little, this {reading} is also read as {second}.")
    certainty = float(answers[0][0][reading])
    if certainty < UNSURE_BELOW:
        second = next(other for other, _ in ranking(answers[0][0], 2) if other != reading)
        return Verdict("unsure", f"Uncertain: {percent(certainty)} is not much, and it may be {_a(second)}.")
    against = [other for other in others if other.argmax() != reading and other.max() >= CERTAIN]
    if 2 * len(against) > len(others):
        who = "the other network is" if len(others) == 1 else "most of the other networks are"
        return Verdict("unsure", f"Uncertain: {who} sure that this is not {_a(reading)}.")
    return Verdict("clear", f"A clear {reading}: it stays one when turned, slanted or squeezed a little.")


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def is_like(digit: Images, reading: int, examples: Examples) -> bool:
    """Whether some training image of the digit `reading` is like an image, (28, 28) uint8."""
    return similarity(digit, reading, examples) >= LIKE[reading]


def count_pieces(points: NDArray[np.bool_]) -> int:
    """Return of how many pieces that do not touch the points of ink, (height, width), are made."""
    return connected_components.label(points)[1]


def has_several_digits(points: NDArray[np.bool_]) -> bool:
    """Return whether a straight line of paper parts points of ink, (height, width), into two pieces as large as digits.

    Beside each other, both must be at least half as tall as all the ink, and the line may lean by up to 24 degrees;
    above each other, both must have 35% of its height. Digits that touch are not told apart.
    """
    y, x = np.nonzero(points)
    return _is_parted(y, y, _STACKED) or any(_is_parted(x + slant * y, y, _TALL) for slant in _SLANTS)


def coarse(ink: Ink) -> NDArray[np.bool_]:
    """Return where cropped ink, (height, width) uint8, is no paper, in some 100 to 200 points along its longer side."""
    step = max(1, max(ink.shape) // _FINE)
    rows, columns = (np.arange(0, length, step) for length in ink.shape)
    return np.maximum.reduceat(np.maximum.reduceat(ink, rows, axis=0), columns, axis=1) >= PAPER_LEVEL


def _is_parted(places: NDArray[np.number], y: NDArray[np.intp], share: float) -> bool:
    """Return whether a gap in the places of points parts them into two lots that both have this share of their height.

    `places` and `y` are (n,). A gap is two points wide, since slanted neighbours can be up to 1.5 apart.
    """
    counts = np.bincount(np.floor(places - places.min()).astype(np.intp))
    empty = np.flatnonzero(counts == 0)
    for gap in empty[:-1][np.diff(empty) == 1]:
        before = places - places.min() < gap
        if min(np.ptp(y[before]), np.ptp(y[~before])) + 1 >= share * (np.ptp(y) + 1):
            return True
    return False


def _source(turn: float, slant: float, width: float, height: float) -> tuple[float, ...]:
    """Return (a, b, c, d, e, f): Pillow takes pixel (x, y) of a changed picture from (ax + by + c, dx + ey + f)."""
    angle = np.radians(turn)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.array([[1, slant], [0, 1]]) @ np.diag([1 / width, 1 / height]) @ rotation
    middle = np.full(2, CENTRE + 0.5)
    (a, b), (d, e) = matrix.tolist()
    c, f = (middle - matrix @ middle).tolist()
    return a, b, c, d, e, f


_SOURCES = tuple(_source(*change) for change in _CHANGES)
