"""The steps that prepare a drawing, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.common.arrays import Ink
from mnist_core.drawing import preparation
from mnist_core.drawing.preparation import NoInkError, bounds, centre, crop, placed, prepare, resized


def test_the_box_holds_what_counts_as_ink_and_no_more() -> None:
    ink = np.zeros((12, 15), np.uint8)
    ink[3, 4] = ink[7, 9] = 32
    ink[10, 14] = 31  # a shadow
    assert bounds(ink) == (slice(3, 8), slice(4, 10))
    assert np.array_equal(crop(ink), ink[3:8, 4:10])


def test_the_centre_of_mass_weighs_levels() -> None:
    ink = np.zeros((4, 5), np.uint8)
    ink[1, 1], ink[3, 1], ink[1, 4] = 100, 100, 200
    assert preparation.centre_of_mass(ink) == pytest.approx((1.5, 2.5))  # (1·300 + 3·100) / 400, (1·200 + 4·200) / 400


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 499), st.integers(-4, 4), st.integers(-4, 4))
def test_centring_does_not_mind_paper_around_the_ink(test_digits: Ink, index: int, down: int, right: int) -> None:
    """A digit moved within its 28 × 28 pixels, as far as there is paper, is put back to the same place."""
    digit = prepare(test_digits[index])
    rows, columns = np.nonzero(digit)
    down = int(np.clip(down, -rows.min(), 27 - rows.max()))
    right = int(np.clip(right, -columns.min(), 27 - columns.max()))
    moved = np.roll(digit, (down, right), (0, 1))
    assert np.array_equal(centre(moved), centre(digit))


def test_paper_cannot_be_centred() -> None:
    with pytest.raises(NoInkError):
        centre(np.zeros((28, 28), np.uint8))


def test_ink_is_placed_where_it_is_said() -> None:
    ink = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    expected = np.zeros((28, 28), np.uint8)
    expected[5:7, 20:23] = ink
    assert np.array_equal(placed(ink, 5, 20), expected)


def test_smaller_pictures_are_averages_and_larger_ones_smooth() -> None:
    ink = np.array([[0, 100], [200, 100]], np.uint8).repeat(3, axis=1)  # (2, 6)
    assert resized(ink, 1, 2).tolist() == [[100, 100]]
    assert resized(ink, 2, 6).tolist() == ink.tolist()
    larger = resized(ink, 20, 60)
    assert larger.shape == (20, 60)
    assert len(np.unique(larger)) > 10
