"""Digits in a picture with several of them: found, and put in reading order.

A digit is made of the connected pieces of ink that belong together: specks are left out, a bar or a part that a broken
stroke cut off is joined to its digit, and digits that touch in one place are cut apart there.

What this cannot do: two digits that touch in several places or overlap stay one, the two halves of a digit broken from
top to bottom stay two, and whatever is as tall as a digit, a letter or a spot, is taken for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Box, Ink
from mnist_core.drawing import connected_components
from mnist_core.drawing.photos.binarisation import INK_LEVEL
from mnist_core.drawing.photos.touching_digits import cut_apart
from mnist_core.drawing.preparation import bounds

MOST_DIGITS = 100  # of one picture; the largest ones
_MOST_PIECES = 600  # looked at; the largest ones

# Shares of the height of a usual digit of the picture, found by trying them on rows of MNIST training digits.
_SPECK = 0.12  # less in both directions is dust
_LEAST_HEIGHT = 0.4  # of a digit; less is a dot, a comma or a dash
_GREATEST_HEIGHT = 3.0  # more is the edge of a sheet
_PART_HEIGHT = 0.7  # a piece that is not as tall as this may be a part of the digit beside it
_GAP_ABOVE = 0.2  # between parts that lie one above the other
_GAP_BESIDE = 0.12  # between a part and what it lies beside

_ALONG_AN_EDGE = 0.3  # of an edge of the picture that one piece covers: the table beside the sheet
_SAME_ROW = 0.4  # of the lower digit's height that it must share with its neighbour


@dataclass(frozen=True)
class Digit:
    """A digit of a picture: where it is, its own ink, (height, width) of the box, and what it might be cut into."""

    box: Box
    ink: Ink
    parts: tuple[Digit, ...] = ()  # from left to right, if these may be several that touch


def rows_of_digits(ink: Ink) -> list[list[Digit]]:
    """Return the digits in (height, width) uint8 ink, at most `MOST_DIGITS`: rows downwards, each from left to right.

    What is at least as dark as `INK_LEVEL` is a line; what is lighter only softens its edges.
    """
    labelled, _ = connected_components.label(ink >= INK_LEVEL)
    pieces = _without_edges(_pieces(labelled), labelled.shape)
    if not pieces:
        return []
    usual = _usual_height(pieces)
    pieces = _joined([piece for piece in pieces if max(piece.height, piece.width) >= _SPECK * usual], usual)
    usual = _usual_height(pieces)
    pieces = [piece for piece in pieces if _LEAST_HEIGHT * usual <= piece.height <= _GREATEST_HEIGHT * usual]
    pieces = sorted(pieces, key=lambda piece: piece.height * piece.width)[-MOST_DIGITS:]
    return [[_digit(piece, labelled, ink) for piece in row] for row in _rows(pieces)]


@dataclass(frozen=True)
class _Piece:
    """Ink that belongs together: the numbers of its connected components, and the box around all of them."""

    numbers: tuple[int, ...]
    top: int
    bottom: int  # the first row below
    left: int
    right: int  # the first column to the right

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def box(self) -> Box:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def joined(self, other: _Piece) -> _Piece:
        return _Piece(
            self.numbers + other.numbers,
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )


def _pieces(labelled: connected_components.Labelled) -> list[_Piece]:
    """Return the connected components, the largest ones only if there are many."""
    rows, columns = np.nonzero(labelled)
    numbers = labelled[rows, columns]
    count = int(numbers.max(initial=0)) + 1
    low, high = np.full((2, count), max(labelled.shape), np.intp), np.full((2, count), -1, np.intp)
    for axis, places in enumerate((rows, columns)):
        np.minimum.at(low[axis], numbers, places)
        np.maximum.at(high[axis], numbers, places)
    sizes = (high - low).max(axis=0)
    largest = 1 + np.argsort(-sizes[1:], kind="stable")[:_MOST_PIECES]
    return [
        _Piece((int(n),), int(low[0, n]), int(high[0, n]) + 1, int(low[1, n]), int(high[1, n]) + 1) for n in largest
    ]


def _without_edges(pieces: list[_Piece], shape: tuple[int, ...]) -> list[_Piece]:
    """Leave out what runs along an edge of the picture, unless there is nothing else."""
    height, width = shape
    inside = [
        piece
        for piece in pieces
        if not (
            (piece.height > _ALONG_AN_EDGE * height and (piece.left == 0 or piece.right == width))
            or (piece.width > _ALONG_AN_EDGE * width and (piece.top == 0 or piece.bottom == height))
        )
    ]
    return inside or pieces


def _usual_height(pieces: Sequence[_Piece]) -> float:
    """Return the median height, where a piece counts as often as its size squared: dust counts for nothing."""
    heights = np.array([piece.height for piece in pieces], float)
    weights = np.array([max(piece.height, piece.width) for piece in pieces], float) ** 2
    order = np.argsort(heights)
    middle = np.searchsorted(weights[order].cumsum(), weights.sum() / 2)
    return float(heights[order][middle])


def _joined(pieces: list[_Piece], usual: float) -> list[_Piece]:
    """Join what belongs together, the nearest first; of pairs equally near, the first in the list."""
    joined = list(pieces)
    corners = np.array([_corners(piece) for piece in pieces])
    gaps = _gaps(corners[:, None], corners, usual)  # of all pairs; infinite: not to be joined
    np.fill_diagonal(gaps, np.inf)
    is_left = np.ones(len(pieces), bool)
    while np.isfinite(gaps.min(initial=np.inf)):
        first, second = divmod(int(gaps.argmin()), len(pieces))
        joined[first] = joined[first].joined(joined[second])
        corners[first] = _corners(joined[first])
        is_left[second] = False
        gaps[second] = gaps[:, second] = np.inf
        gaps[first] = gaps[:, first] = np.where(is_left, _gaps(corners[first], corners, usual), np.inf)
        gaps[first, first] = np.inf
    return [piece for piece, stays in zip(joined, is_left, strict=True) if stays]


def _corners(piece: _Piece) -> tuple[int, int, int, int]:
    return piece.top, piece.left, piece.bottom, piece.right


def _gaps(one: NDArray[np.intp], other: NDArray[np.intp], usual: float) -> NDArray[np.float64]:
    """Return how far pieces are from each other in pixels, and infinity for those that do not belong together.

    `one` and `other` hold corners, (…, 4), and are broadcast against each other.
    """
    tops, lefts, bottoms, rights = ((one[..., side], other[..., side]) for side in range(4))
    across = np.minimum(*rights) - np.maximum(*lefts)  # columns that both have; less than 0: a gap
    down = np.minimum(*bottoms) - np.maximum(*tops)
    narrower = np.minimum(rights[0] - lefts[0], rights[1] - lefts[1])
    lower = np.minimum(bottoms[0] - tops[0], bottoms[1] - tops[1])
    wide = np.maximum(*rights) - np.minimum(*lefts)
    is_part = lower < _PART_HEIGHT * usual
    beside = is_part & (down >= np.minimum(0.5 * lower, 1)) & (-across <= _GAP_BESIDE * usual) & (wide <= 1.2 * usual)
    digits_side_by_side = ~is_part & (down >= 0.5 * lower)
    one_above_the_other = across >= 0.5 * narrower
    together = np.select(
        [digits_side_by_side, one_above_the_other], [across >= 0.8 * narrower, -down <= _GAP_ABOVE * usual], beside
    )
    return np.where(together, np.maximum(-across, 0) + np.maximum(-down, 0), np.inf)


def _digit(piece: _Piece, labelled: connected_components.Labelled, ink: Ink) -> Digit:
    rows, columns = piece.box
    around = slice(max(rows.start - 1, 0), rows.stop + 1), slice(max(columns.start - 1, 0), columns.stop + 1)
    numbers = labelled[around]
    own = np.isin(numbers, piece.numbers)
    soft_edge = _grown(own) & (numbers == 0)
    pixels = np.where(own | soft_edge, ink[around], 0).astype(np.uint8)
    parts = cut_apart(pixels)
    cut = tuple(_cropped(part, around) for part in parts) if len(parts) > 1 else ()
    return replace(_cropped(pixels, around), parts=cut)


def _cropped(ink: Ink, place: Box) -> Digit:
    """Return the ink of a place of the picture without the paper around it."""
    rows, columns = bounds(ink)
    top, left = place[0].start, place[1].start
    box = slice(top + rows.start, top + rows.stop), slice(left + columns.start, left + columns.stop)
    return Digit(box, ink[rows, columns])


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask and all pixels beside it, also at a corner."""
    framed = np.pad(mask, 1)
    across = framed[:, :-2] | framed[:, 1:-1] | framed[:, 2:]
    return across[:-2] | across[1:-1] | across[2:]


def _rows(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Return the pieces row by row: each belongs to the row whose last piece is beside it. Rows may slope."""
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.left + piece.right):
        shared = [_shared_height(row[-1], piece) for row in rows]
        if shared and max(shared) >= _SAME_ROW:
            rows[shared.index(max(shared))].append(piece)
        else:
            rows.append([piece])
    return sorted(rows, key=lambda row: float(np.mean([piece.top + piece.bottom for piece in row])))


def _shared_height(one: _Piece, other: _Piece) -> float:
    """Return how much of the lower one's height both have in common, 0 to 1."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(shared, 0) / min(one.height, other.height)
