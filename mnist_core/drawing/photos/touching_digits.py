"""Digits that touch, cut apart where a line from top to bottom crosses least ink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Ink
from mnist_core.drawing import connected_components
from mnist_core.drawing.photos.binarisation import INK_LEVEL
from mnist_core.drawing.preparation import resized

_HEIGHT = 64  # of the small picture on which the cut is looked for
_LEAST_WIDTH = 0.8  # of the height: what is narrower is one digit
_GREATEST_WIDTH = 40.0  # of the height: what is wider is a line on the paper, even if digits stand on it
_MOST_CUTS = 50  # looked at closely: a long line has hundreds; of digits that touch, one of the first thirty is good
_STROKES = 1.6  # that a cut may cross, in widths of the stroke
_LEAST_HEIGHT = 0.62  # of each part, as a share of the whole: bars and tails are no digits
_LEAST_INK = 0.2  # of each part, as a share of the whole
_STEP_COST = 0.1  # of going aside by one pixel, in pixels of ink


def cut_apart(ink: Ink) -> list[Ink]:
    """Return the digits of a connected piece of ink from left to right, each (height, width) as `ink`; often only one.

    A cut goes from top to bottom, by at most one column aside from row to row, where it crosses the least ink. It is
    made only if that is about one stroke, and if both parts are nearly as tall as the whole.
    """
    height, width = ink.shape
    if not _LEAST_WIDTH * height <= width <= _GREATEST_WIDTH * height:
        return [ink]
    small = resized(ink, _HEIGHT, max(2, round(width * _HEIGHT / height))) >= INK_LEVEL
    seam = _cut(small)
    if seam is None:
        return [ink]
    rows = (np.arange(height) + 0.5) * _HEIGHT / height - 0.5
    columns = np.interp(rows, np.arange(_HEIGHT), seam) * width / small.shape[1]
    is_left = np.arange(width) < columns[:, None]
    sides = [np.where(side, ink, 0).astype(np.uint8) for side in (is_left, ~is_left)]
    if not all((side >= INK_LEVEL).any() for side in sides):  # too small to be cut
        return [ink]
    return [part for side in sides for part in _again(side)]


def _again(side: Ink) -> list[Ink]:
    """Cut a part again if it is wide, in its own box."""
    columns = np.flatnonzero(side.any(axis=0))
    own = slice(int(columns[0]), int(columns[-1]) + 1)
    parts = []
    for part in cut_apart(side[:, own]):
        whole = np.zeros_like(side)
        whole[:, own] = part
        parts.append(whole)
    return parts


def _cut(is_ink: NDArray[np.bool_]) -> NDArray[np.intp] | None:
    """Return the first column right of the best cut, row by row, or None if there is no good one."""
    width = is_ink.shape[1]
    for seam in _likely_cuts(is_ink):
        is_left = np.arange(width) < seam[:, None]
        if all(_is_digit(is_ink & side, int(is_ink.sum())) for side in (is_left, ~is_left)):
            return seam
    return None


def _likely_cuts(is_ink: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the cheapest cuts with enough ink on both sides, each of another division of the ink, the best first."""
    height = len(is_ink)
    costs, steps = _cheapest_ends(is_ink)
    ways = _ways(steps)
    up_to = np.pad(is_ink.cumsum(axis=1), ((0, 0), (1, 0)))
    left = np.take_along_axis(up_to, ways, axis=1)  # ink on the left side of each way, row by row
    sides = np.stack([left, up_to[:, -1:] - left])
    heights = height - (sides > 0).argmax(axis=1) - (sides > 0)[:, ::-1].argmax(axis=1)
    is_large = (heights >= _LEAST_HEIGHT * height) & (sides.sum(axis=1) >= _LEAST_INK * is_ink.sum())
    ends = np.argsort(costs, kind="stable")
    ends = ends[(is_large.all(axis=0) & (costs <= _STROKES * stroke_width(is_ink)))[ends]]
    first = np.unique(left[:, ends], axis=1, return_index=True)[1]  # many ways differ on the paper only
    return [ways[:, end] for end in ends[np.sort(first)[:_MOST_CUTS]]]


def _is_digit(is_ink: NDArray[np.bool_], whole: int) -> bool:
    """Whether a part may be a digit: its largest connected piece is tall, and not a sliver of the whole ink."""
    labelled, count = connected_components.label(is_ink)
    if not count:
        return False
    largest = labelled == 1 + np.bincount(labelled.ravel())[1:].argmax()
    rows = np.flatnonzero(largest.any(axis=1))
    return bool(rows[-1] - rows[0] + 1 >= _LEAST_HEIGHT * len(is_ink) and largest.sum() >= _LEAST_INK * whole)


def _cheapest_ends(is_ink: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Return the cost of the cheapest way from the top to each column of the bottom row, and all steps, by rows."""
    height, width = is_ink.shape
    costs = is_ink[0].astype(np.float64)
    steps = np.zeros((height, width), np.int8)
    for row in range(1, height):
        framed = np.pad(costs, 1, constant_values=np.inf)
        ways = np.stack([framed[1:-1], framed[:-2] + _STEP_COST, framed[2:] + _STEP_COST])
        best = ways.argmin(axis=0)
        steps[row] = np.array([0, -1, 1], np.int8)[best]
        costs = ways[best, np.arange(width)] + is_ink[row]
    return costs, steps


def _ways(steps: NDArray[np.int8]) -> NDArray[np.intp]:
    """Return the columns, from top to bottom, of the way to each column of the bottom row, (height, width)."""
    ways = np.empty(steps.shape, np.intp)
    ways[-1] = np.arange(steps.shape[1])
    for row in range(len(steps) - 1, 0, -1):
        ways[row - 1] = ways[row] + steps[row, ways[row]]
    return ways


def stroke_width(is_ink: NDArray[np.bool_]) -> float:
    """Return the mean width of the strokes of a mask, (height, width), in pixels: twice their area over their edge.

    The edge is counted in steps along rows and columns, which is 4 / π times too long on the average of all directions.
    """
    framed = np.pad(is_ink, 1).astype(np.int8)
    edge = np.abs(np.diff(framed, axis=0)).sum() + np.abs(np.diff(framed, axis=1)).sum()
    return float(2 * is_ink.sum() / max(float(edge) * np.pi / 4, 1))
