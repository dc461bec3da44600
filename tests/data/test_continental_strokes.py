"""Ones with an upstroke and sevens with a bar: which, where, and what stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from mnist_core.data.continental_strokes import NUMBERS, write_continental
from mnist_core.data.dataset import Mnist

Floats = NDArray[np.float32]


def numbers(count: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((count, NUMBERS), dtype=np.float32)


def some(mnist: Mnist, digit: int, count: int = 100) -> Floats:
    return mnist.x_train[mnist.y_train == digit][:count].astype(np.float32)


def labels(digit: int, count: int = 100) -> NDArray[np.uint8]:
    return np.full(count, digit, np.uint8)


def stem() -> Floats:
    """A 1 as MNIST has it: an upright line, two pixels wide, rows 4 to 23."""
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 4:24, 13:15] = 255
    return image


def centre(image: Floats) -> tuple[float, float]:
    """Row and column of the centre of mass, by a loop."""
    total = row = column = 0.0
    for (y, x), level in np.ndenumerate(image.astype(float)):
        total, row, column = total + level, row + y * level, column + x * level
    return row / total, column / total


@pytest.mark.parametrize("digit", [0, 2, 3, 4, 5, 6, 8, 9])
def test_other_digits_stay_as_they_are(mnist: Mnist, digit: int) -> None:
    images = some(mnist, digit)
    assert_array_equal(write_continental(images, labels(digit), numbers(100), 1.0), images)


@pytest.mark.parametrize("digit", [1, 7])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_about_the_share_is_changed(mnist: Mnist, digit: int, share: float) -> None:
    images = some(mnist, digit, 1000)
    changed = (write_continental(images, labels(digit, 1000), numbers(1000), share) != images).any(axis=(1, 2))
    assert abs(changed.mean() - share) < 0.05
    if share in (0.0, 1.0):
        assert changed.mean() == share


@pytest.mark.parametrize("digit", [1, 7])
def test_changed_digits_have_more_ink_and_stay_centred(mnist: Mnist, digit: int) -> None:
    images = some(mnist, digit)
    before = images.copy()
    written = write_continental(images, labels(digit), numbers(100), 1.0)
    assert_array_equal(images, before)
    assert written.dtype == np.float32
    assert written.min() >= 0
    assert written.max() <= 255
    assert (written.sum(axis=(1, 2)) > images.sum(axis=(1, 2))).all()
    for old, new in zip(images, written, strict=True):
        assert np.abs(np.subtract(centre(old), centre(new))).max() <= 0.51


def test_the_upstroke_starts_at_the_top_and_falls_to_the_left() -> None:
    middle = np.full((1, NUMBERS), 0.5, np.float32)  # 40 degrees, half of the height, no foot
    changed = write_continental(stem(), labels(1, 1), middle, 1.0)[0]
    rows, columns = np.nonzero(changed > 128)
    left = columns.min()
    end_row = rows[columns == left].mean()
    top, bottom = rows.min(), rows.max()
    height = bottom - top
    assert 0.25 * height < end_row - top < 0.6 * height  # cos 40° of half the height below the top
    right = columns.max()
    assert 0.2 * height < right - left < 0.5 * height  # sin 40°, and the stem
    lower = changed[bottom - 5 : bottom + 1]
    assert ((lower > 128).sum(axis=1) == 2).all()  # below, it is the stem alone


def test_the_bar_crosses_the_stem_of_a_seven() -> None:
    seven = np.zeros((1, 28, 28), np.float32)
    seven[0, 4:6, 8:20] = 255
    seven[0, 4:24, 18:20] = 255
    flat = np.array([[0, 0.5, 0.5, 1 / 3, 0, 0]], np.float32)  # halfway, 4 pixels to each side, level
    changed = write_continental(seven, labels(7, 1), flat, 1.0)[0]
    widths = (changed > 128).sum(axis=1)
    bar = np.flatnonzero(widths > 2)
    below_top = bar[bar > np.flatnonzero(widths).min() + 3]
    assert 2 <= len(below_top) <= 4
    assert abs(below_top.mean() - (np.flatnonzero(widths).min() + 0.55 * 19)) <= 1.5
    crossing = np.flatnonzero(changed[below_top[0]] > 128)
    stem_column = np.flatnonzero(changed[-6] > 128).mean()
    assert crossing.min() < stem_column - 2
    assert crossing.max() > stem_column + 2


@settings(max_examples=100, deadline=None)
@given(
    images=st_numpy.arrays(np.uint8, st.tuples(st.integers(0, 5), st.just(28), st.just(28))),
    digit=st.sampled_from([1, 7]),
    seed=st.integers(0, 100),
)
def test_any_image_stays_an_image(images: NDArray[np.uint8], digit: int, seed: int) -> None:
    written = write_continental(images.astype(np.float32), labels(digit, len(images)), numbers(len(images), seed), 1.0)
    assert written.shape == images.shape
    assert np.isfinite(written).all()
    assert written.size == 0 or (written.min() >= 0 and written.max() <= 255)
