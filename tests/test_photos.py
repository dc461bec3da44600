"""Digits found in ink and in photos: how many, where, in which order, and what becomes of pieces that are no digits."""

from __future__ import annotations

import io
import itertools
import time
import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray
from photographed import Scene, photo
from PIL import Image, ImageDraw

from mnist_core.dataset import Mnist
from mnist_core.drawing import Box, Ink, prepare
from mnist_core.photos import finding_digits, marking
from mnist_core.photos.finding_digits import MOST_DIGITS, Digit, rows_of_digits
from mnist_core.photos.picture_files import ink_from_picture, read_picture
from mnist_core.photos.reading_digits import as_mnist, read, thickened
from mnist_core.photos.touching_digits import cut_apart, stroke_width

ink_arrays = st_numpy.arrays(np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=50))
Line = list[tuple[int, int]]  # column, row

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


Predict = Callable[[Ink], NDArray[np.float32]]


@pytest.fixture(scope="module")
def by_likeness(mnist: Mnist) -> Predict:
    """A reader without a network: the label of the nearest of 6,000 training images, by cosine."""
    known = mnist.x_train[:6000].reshape(6000, -1).astype(np.float32)
    known /= np.linalg.norm(known, axis=1, keepdims=True)

    def predict(images: Ink) -> NDArray[np.float32]:
        asked = images.reshape(len(images), -1).astype(np.float32)
        nearest = (asked @ known.T).argmax(axis=1)
        return np.eye(10, dtype=np.float32)[mnist.y_train[:6000][nearest]]

    return predict


# Photos, made up of test digits


SCENES = {
    "even light": Scene(),
    "uneven light": Scene(darker=0.5),
    "a shadow with a soft edge": Scene(shadow=0.5),
    "a shadow with a hard edge": Scene(shadow=0.5, softness=3),
    "grain and noise": Scene(grain=0.03, noise=0.03),
    "out of focus": Scene(blur=3),
    "strongly compressed": Scene(quality=30),
    "pencil": Scene(pen=0.6),
    "chalk on a board": Scene(paper=0.2, pen=0.8),
    "chalk in uneven light": Scene(paper=0.25, pen=0.8, darker=0.5, grain=0.03),
    "rows that slope": Scene(degrees=5),
    "small digits": Scene(height=40),
    "close together": Scene(gap=0.12),
    "squared paper": Scene(squares=0.3),
    "a sheet on a table": Scene(table=True),
    "camera to the left": Scene(orientation=8),
    "camera upside down": Scene(orientation=3),
    "everything at once": Scene(
        pen=0.3, darker=0.4, shadow=0.35, grain=0.02, noise=0.02, degrees=-4, blur=1.5, quality=60
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_all_digits_of_a_photo_are_found_and_read_in_order(mnist: Mnist, by_likeness: Predict, name: str) -> None:
    right = total = 0
    for seed, row in enumerate(mnist.x_test[:12].reshape(2, 6, 28, 28)):
        labels = mnist.y_test[6 * seed : 6 * seed + 6]
        rows = found_in(photo([row], SCENES[name], seed))
        assert [len(each) for each in rows] == [6]
        (readings,) = read(rows, by_likeness)
        assert not any(reading.was_cut for reading in readings)
        right += sum(reading.digit == label for reading, label in zip(readings, labels, strict=True))
        total += 6
    # The reader, no network, reads 95 % of test images. Digits in any other order would come out 10 % right.
    assert right / total >= 0.8


@pytest.mark.parametrize("degrees", [0, 4, -4])
def test_rows_are_read_downwards_each_from_left_to_right(mnist: Mnist, by_likeness: Predict, degrees: float) -> None:
    rows = found_in(photo([mnist.x_test[:6], mnist.x_test[6:9], mnist.x_test[9:16]], Scene(degrees=degrees)))
    assert [len(row) for row in rows] == [6, 3, 7]
    labels = [reading.digit for row in read(rows, by_likeness) for reading in row]
    assert np.mean(np.array(labels) == mnist.y_test[:16]) >= 0.8


# Ink


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


def test_there_is_an_end_to_digits() -> None:
    page = np.zeros((600, 600), np.uint8)
    for row, column in itertools.product(range(10, 590, 20), range(10, 590, 12)):
        page[row : row + 12, column : column + 3] = 255
    boxes = boxes_in(page)
    assert len(boxes) == MOST_DIGITS


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


# Digits that touch


def test_touching_digits_are_cut_where_they_touch(mnist: Mnist) -> None:
    """Each part must be one of the two digits, but for a stroke's width of ink."""
    pairs = [(mnist.x_test[number], mnist.x_test[number + 1]) for number in range(0, 200, 2)]
    good = 0
    for pair in pairs:
        one, other = (enlarged(digit) for digit in pair)
        ink, columns = side_by_side([one, other], gap=0)
        parts = cut_apart(ink)
        if len(parts) != 2:
            continue
        assert np.array_equal(np.maximum(*parts), ink)
        assert not np.minimum(*parts).any()
        wholes = (one, other)
        kept = [
            (part[:, place] >= 128).sum() / (whole >= 128).sum()
            for part, place, whole in zip(parts, columns, wholes, strict=True)
        ]
        good += min(kept) > 0.93
    assert good / len(pairs) >= 0.6


@pytest.mark.parametrize("length", [1400, 1700])
def test_a_one_on_a_ruled_line_takes_no_time(length: int) -> None:
    ink = np.zeros((40, length), np.uint8)
    ink[-6:] = 255
    ink[:, length // 2 : length // 2 + 6] = 255
    started = time.process_time()
    (part,) = cut_apart(ink)
    assert time.process_time() - started < 1  # it takes 0.02 s; trying to cut at each column took ten
    assert part is ink


def test_digits_on_a_ruled_line_are_cut_apart(mnist: Mnist) -> None:
    digits = [enlarged(digit) for digit in mnist.x_test[:6]]
    ink, columns = side_by_side(digits, gap=20)
    ink[-14:-9] = 255
    ink = ink[:, : columns[-1].stop + 100]
    parts = cut_apart(ink)
    assert len(parts) >= 6
    assert np.array_equal(np.max(parts, axis=0), ink)


def test_the_network_decides_where_digits_may_touch() -> None:
    """A piece that might be cut is, if the parts are read with more confidence than the whole."""
    zero: Line = [(60, 60), (90, 60), (90, 150), (60, 150), (60, 60)]
    stem: Line = [(130, 60), (130, 150)]
    ink = drawn([zero, stem, [(90, 150), (130, 150)]])
    (row,) = rows_of_digits(ink)
    (digit,) = row
    assert len(digit.parts) == 2
    assert digit.parts[0].box[1].start == digit.box[1].start
    assert digit.parts[1].box[1].stop == digit.box[1].stop

    def answering(*confidences: float) -> Predict:
        def predict(images: Ink) -> NDArray[np.float32]:
            assert images.shape == (len(confidences), 28, 28)
            answers = np.zeros((len(confidences), 10), np.float32)
            answers[np.arange(len(confidences)), [8, 0, 1]] = confidences
            return answers

        return predict

    for confidences, digits in (((0.7, 0.9, 0.8), [0, 1]), ((0.9, 0.99, 0.8), [8]), ((0.8, 0.8, 0.8), [8])):
        ((*readings,),) = read([row], answering(*confidences))
        assert [reading.digit for reading in readings] == digits
        assert [reading.was_cut for reading in readings] == [len(digits) == 2] * len(digits)
        assert readings[0].confidence == pytest.approx(confidences[0 if digits == [8] else 1])


def test_reading_asks_once_and_not_at_all_for_nothing(mnist: Mnist) -> None:
    asked = []

    def predict(images: Ink) -> NDArray[np.float32]:
        asked.append(len(images))
        return np.eye(10, dtype=np.float32)[np.arange(len(images)) % 10]

    assert read([], predict) == []
    assert not asked
    ink, _ = side_by_side([enlarged(digit) for digit in mnist.x_test[:5]], gap=30)
    (row,) = rows_of_digits(ink)
    readings = read([row], predict)
    assert len(asked) == 1
    assert [len(each) for each in readings] == [5]
    for reading, digit in zip(readings[0], row, strict=True):
        assert reading.box == digit.box
        assert np.array_equal(reading.image, as_mnist(digit.ink))


# As MNIST would hold them


def test_the_width_of_strokes_is_measured() -> None:
    for width in (3, 6, 12, 21):
        assert stroke_width(drawn([[(40, 100), (360, 100)]], width) > 0) == pytest.approx(width, rel=0.35)
        slanted = drawn([[(40, 40), (300, 180)], [(60, 180), (200, 30)]], width) > 0
        assert stroke_width(slanted) == pytest.approx(width, rel=0.25)


@pytest.mark.parametrize("pen", [3, 5, 8])
def test_a_thin_pen_becomes_as_thick_as_mnists(pen: int) -> None:
    body = drawn([FIVE_BODY, moved(FIVE_BAR, 0, 6)], pen)
    image = as_mnist(body[40:180, 40:120])
    # In MNIST, strokes are 2.4 pixels wide on the average, in the darkest pixels 255.
    large = np.asarray(Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC))
    assert 1.6 <= stroke_width(large >= 128) / 10 <= 2.6
    assert image.max() > 240


@pytest.mark.parametrize("side", [400, 1600])
@pytest.mark.parametrize("points", [[(0.05, 0.05), (0.95, 0.95)], [(0.5, 0.05), (0.95, 0.5), (0.5, 0.95), (0.05, 0.5)]])
def test_a_hairline_across_a_large_picture_is_no_less_ink(points: list[tuple[float, float]], side: int) -> None:
    """Averaged with the paper beside it, it would fade to nothing."""
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).line([(side * x, side * y) for x, y in points], fill=255, width=2)
    image = as_mnist(np.asarray(picture))
    assert image.max() > 240
    assert len(np.flatnonzero((image > 128).any(axis=1))) >= 18  # of 20 rows


def test_a_thick_pen_stays_as_it_is(mnist: Mnist) -> None:
    for digit in mnist.x_test[:50]:
        large = enlarged(digit)
        if stroke_width(large >= 128) >= 9:
            assert thickened(large) is large
            assert np.array_equal(as_mnist(large), prepare(large))


# Files


def test_a_large_picture_of_16_bits_takes_little_memory() -> None:
    levels = np.full((5000, 5000), 60_000, np.uint16)
    levels[1000:4000, 2400:2600] = 9_000
    content = io.BytesIO()
    Image.fromarray(levels).save(content, "PNG")
    del levels
    tracemalloc.start()
    try:
        picture = read_picture(content.getvalue())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 150_000_000
    assert picture[800, 100].tolist() == [255] * 3
    assert picture[800, 800].tolist() == [round(255 * 9_000 / 60_000)] * 3


# Boxes on a picture


@pytest.mark.parametrize(("is_sure", "colour"), [(True, (15, 118, 110)), (False, (180, 83, 9))])
def test_a_box_is_drawn_around_a_digit(is_sure: bool, colour: tuple[int, int, int]) -> None:
    picture = np.full((400, 600, 3), 230, np.uint8)
    box = slice(150, 250), slice(200, 260)
    shown = marking.marked(picture, [marking.Mark(box, "7", is_sure)], 600)
    assert shown.shape == picture.shape
    assert (picture == 230).all()  # the given one is not drawn on
    assert (shown[box] == 230).all()  # nor is the digit drawn over
    coloured = np.argwhere((shown == colour).all(axis=2))
    assert (coloured.min(axis=0) < [150, 200]).all()
    assert (coloured.max(axis=0) >= [250, 260]).all()
    beyond = shown.copy()
    beyond[90:270, 180:280] = 230
    assert (beyond == 230).all()


def test_pictures_are_sent_small_and_their_boxes_with_them() -> None:
    picture = np.full((1000, 2000, 3), 90, np.uint8)
    box = slice(0, 1000), slice(0, 400)  # the tag has no room above
    shown = marking.marked(picture, [marking.Mark(box, "4", True)], 500)
    assert shown.shape == (250, 500, 3)
    assert (shown[125, 110:] == 90).all()
    assert (shown[125, 98:110] != 90).any()
