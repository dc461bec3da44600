"""Digits that touch, cut apart; what is asked of a network about them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_core.common.arrays import Ink
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.photos.finding_digits import rows_of_digits
from mnist_core.drawing.photos.reading_digits import as_mnist, read
from mnist_core.drawing.photos.touching_digits import cut_apart
from tests.support.inked import Line, Predict, drawn, enlarged, side_by_side


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
