"""Digits found in ink: how many, where, and what becomes of pieces that are no digits."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mnist_core.common.arrays import Ink
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.photos import finding_digits
from mnist_core.drawing.photos.finding_digits import MOST_DIGITS, rows_of_digits
from mnist_core.drawing.photos.reading_digits import as_mnist
from tests.support.inked import FIVE_BAR, FIVE_BODY, Line, boxes_in, drawn, enlarged, ink_arrays, moved, side_by_side


def test_boxes_are_where_the_digits_are(mnist: Mnist) -> None:
    digits = [enlarged(digit) for digit in mnist.x_test[:8]]
    ink, columns = side_by_side(digits, gap=25)
    boxes = boxes_in(ink)
    assert len(boxes) == 8
    for (rows, found), digit, expected in zip(boxes, digits, columns, strict=True):
        assert abs(found.start - expected.start) <= 2
        assert abs(found.stop - expected.stop) <= 2
        assert abs((rows.stop - rows.start) - digit.shape[0]) <= 4


def test_nearly_every_test_digit_is_one(mnist: Mnist) -> None:
    counts = [len(boxes_in(np.pad(enlarged(digit), 20))) for digit in mnist.x_test[:500]]
    assert np.mean(np.array(counts) == 1) >= 0.995


def test_a_digit_has_its_own_ink_only(mnist: Mnist) -> None:
    """The tail of a slanted neighbour reaches over a digit, into its box."""
    stem: Line = [(100, 40), (70, 180)]
    ink = drawn([stem, moved(stem, 25)])
    (row,) = rows_of_digits(ink)
    assert len(row) == 2
    assert row[0].box[1].stop > row[1].box[1].start
    for digit, alone in zip(row, (drawn([stem]), drawn([moved(stem, 25)])), strict=True):
        assert np.array_equal(digit.ink, alone[digit.box])


@pytest.mark.parametrize("gap", [2, 6, 12])
def test_the_bar_of_a_five_belongs_to_it(gap: int) -> None:
    lines = [FIVE_BODY, moved(FIVE_BAR, 0, -gap)]
    assert len(boxes_in(drawn(lines))) == 1
    assert len(boxes_in(drawn([*lines, *(moved(line, 90) for line in lines)]))) == 2


def test_a_bar_that_sticks_out_to_the_right_belongs_to_its_five() -> None:
    lines = [FIVE_BODY, [(72, 60), (112, 52)]]
    (row,) = rows_of_digits(drawn([*lines, *(moved(line, 100) for line in lines)]))
    assert len(row) == 2
    assert all(digit.ink.max() == 255 and digit.box[0].start < 55 for digit in row)


def test_the_stem_of_a_four_belongs_to_it() -> None:
    assert len(boxes_in(drawn([[(60, 50), (50, 110), (85, 110)], [(94, 60), (94, 170)]]))) == 1


def test_an_eight_of_two_rings_is_one_digit() -> None:
    picture = Image.new("L", (200, 260))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 30, 120, 95), outline=255, width=8)
    pen.ellipse((55, 103, 125, 180), outline=255, width=8)
    assert len(boxes_in(np.asarray(picture))) == 1


def test_two_ones_are_two_digits() -> None:
    stem: Line = [(60, 40), (60, 160)]
    for distance in (20, 40, 80):
        assert len(boxes_in(drawn([stem, moved(stem, distance)]))) == 2


def test_specks_dots_and_dashes_are_no_digits(mnist: Mnist) -> None:
    digits = [enlarged(digit) for digit in mnist.x_test[:4]]
    ink, _ = side_by_side(digits, gap=60)
    ink = np.pad(ink, 60)
    expected = boxes_in(ink)
    generator = np.random.default_rng(0)
    dirty = ink.copy()
    for _ in range(60):
        row, column = generator.integers(0, np.array(ink.shape) - 4)
        dirty[row : row + 3, column : column + 3] = 255
    last = expected[-1]
    dirty[last[0].stop - 8 : last[0].stop, last[1].stop + 25 : last[1].stop + 33] = 255  # a full stop
    assert len(boxes_in(dirty)) == len(expected) == 4
    dash = np.zeros_like(ink)
    dash[100:108, 5:45] = 255
    assert len(boxes_in(np.maximum(ink, dash))) == 4


def test_the_edge_of_a_sheet_is_no_digit(mnist: Mnist) -> None:
    ink, _ = side_by_side([enlarged(digit) for digit in mnist.x_test[:4]], gap=40)
    framed = np.pad(ink, 60)
    framed[:, :12] = 255
    framed[-9:] = 255
    assert len(boxes_in(framed)) == 4


def test_a_digit_that_fills_its_picture_is_found(mnist: Mnist) -> None:
    assert [len(boxes_in(enlarged(digit))) for digit in mnist.x_test[:20]] == [1] * 20


def test_no_ink_no_digits() -> None:
    for ink in (np.zeros((0, 0), np.uint8), np.zeros((30, 40), np.uint8), np.full((30, 40), 100, np.uint8)):
        assert boxes_in(ink) == []
        assert rows_of_digits(ink) == []


@pytest.mark.public(id="may-draw")
def test_there_is_an_end_to_digits() -> None:
    page = np.zeros((600, 600), np.uint8)
    for row, column in itertools.product(range(10, 590, 20), range(10, 590, 12)):
        page[row : row + 12, column : column + 3] = 255
    boxes = boxes_in(page)
    assert len(boxes) == MOST_DIGITS


def test_of_too_many_digits_the_largest_are_found() -> None:
    page = np.zeros((600, 600), np.uint8)
    places = list(itertools.product(range(10, 590, 20), range(10, 590, 12)))
    for row, column in places:
        page[row : row + 12, column : column + 3] = 255
    large = places[:: len(places) // (MOST_DIGITS - 1)][: MOST_DIGITS - 1]
    for row, column in large:
        page[row : row + 16, column : column + 3] = 255
    heights = sorted(rows.stop - rows.start for rows, _ in boxes_in(page))
    assert heights == [12, *[16] * len(large)]


def test_hundreds_of_pieces_that_all_join_take_no_time() -> None:
    specks = [finding_digits._Piece((place,), 0, 60, 3 * place, 3 * place + 50) for place in range(600)]
    started = time.process_time()
    (whole,) = finding_digits._joined(specks, usual=60)
    assert time.process_time() - started < 2  # it takes 0.1 s; comparing all pairs again after each join took 28
    assert sorted(whole.numbers) == list(range(600))
    assert whole.box == (slice(0, 60), slice(0, 3 * 599 + 50))


def joined_one_by_one(pieces: list[finding_digits._Piece], usual: float) -> list[finding_digits._Piece]:
    """Join the nearest two that belong together, again and again, as plainly as it can be said."""

    def gap(one: finding_digits._Piece, other: finding_digits._Piece) -> int | None:
        across = min(one.right, other.right) - max(one.left, other.left)
        down = min(one.bottom, other.bottom) - max(one.top, other.top)
        narrower, lower = min(one.width, other.width), min(one.height, other.height)
        wide = max(one.right, other.right) - min(one.left, other.left)
        if lower >= 0.7 * usual and down >= 0.5 * lower:
            together = across >= 0.8 * narrower
        elif across >= 0.5 * narrower:
            together = -down <= 0.2 * usual
        else:
            beside = lower < 0.7 * usual and down >= min(0.5 * lower, 1)
            together = beside and -across <= 0.12 * usual and wide <= 1.2 * usual
        return max(-across, 0) + max(-down, 0) if together else None

    pieces = list(pieces)
    while True:
        pairs = itertools.combinations(range(len(pieces)), 2)
        gaps = [(gap(pieces[one], pieces[other]), one, other) for one, other in pairs]
        near = [(distance, one, other) for distance, one, other in gaps if distance is not None]
        if not near:
            return pieces
        _, one, other = min(near)
        pieces[one] = pieces[one].joined(pieces.pop(other))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.sampled_from([60, 150, 400]), st.floats(5, 80))
def test_pieces_are_joined_as_one_by_one(seed: int, count: int, side: int, usual: float) -> None:
    generator = np.random.default_rng(seed)
    starts = generator.integers(0, side, (count, 2)).tolist()
    sizes = generator.integers(1, generator.choice([6, 40, 120]), (count, 2)).tolist()
    pieces = [
        finding_digits._Piece((number,), top, top + height, left, left + width)
        for number, ((top, left), (height, width)) in enumerate(zip(starts, sizes, strict=True))
    ]
    assert finding_digits._joined(pieces, usual) == joined_one_by_one(pieces, usual)


@settings(max_examples=200, deadline=None)
@given(ink_arrays)
def test_any_ink_has_boxes_within_it(ink: Ink) -> None:
    for row in rows_of_digits(ink):
        for digit in (each for whole in row for each in (whole, *whole.parts)):
            rows, columns = digit.box
            assert 0 <= rows.start < rows.stop <= ink.shape[0]
            assert 0 <= columns.start < columns.stop <= ink.shape[1]
            assert digit.ink.shape == (rows.stop - rows.start, columns.stop - columns.start)
            assert (digit.ink <= ink[digit.box]).all()
            assert as_mnist(digit.ink).shape == (28, 28)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.integers(0, 60), st.integers(0, 60))
def test_place_makes_no_difference(mnist: Mnist, index: int, down: int, right: int) -> None:
    ink = np.pad(enlarged(mnist.x_test[index]), 30)
    there = np.pad(ink, ((down, 0), (right, 0)))
    shifted = [
        (slice(rows.start + down, rows.stop + down), slice(columns.start + right, columns.stop + right))
        for rows, columns in boxes_in(ink)
    ]
    assert boxes_in(there) == shifted
