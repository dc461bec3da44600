"""Changed drawings, against NumPy's own moves, shapes whose size is known, and digits that stay what they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.common.arrays import Ink
from mnist_core.drawing.ink_changes import changed
from mnist_core.drawing.preparation import NoInkError, bounds, centre_of_mass

SIDE = 120
MIDDLE = (slice(45, 75), slice(40, 80))  # 30 high, 40 wide, about row 60, column 60


def block(rows: slice = MIDDLE[0], columns: slice = MIDDLE[1]) -> Ink:
    ink = np.zeros((SIDE, SIDE), np.uint8)
    ink[rows, columns] = 255
    return ink


def disc(radius: float) -> Ink:
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return np.where(np.hypot(rows, columns) <= radius, 255, 0).astype(np.uint8)


def size(ink: Ink) -> tuple[int, int]:
    rows, columns = bounds(ink)
    return rows.stop - rows.start, columns.stop - columns.start


def test_nothing_changes_unless_asked() -> None:
    ink = np.random.default_rng(0).integers(0, 256, (30, 50), np.uint8)
    assert np.array_equal(changed(ink), ink)


def test_the_given_ink_is_left_alone() -> None:
    ink = block()
    ink.setflags(write=False)
    for thickness in (0, 3, -3):
        changed(ink, 5, 5, 0.5, 10, thickness)
    assert np.array_equal(ink, block())


@settings(max_examples=50, deadline=None)
@given(st.integers(-39, 39), st.integers(-44, 44))
def test_dragging_moves_each_pixel(right: int, down: int) -> None:
    ink = block() // 255 * np.random.default_rng(1).integers(40, 256, (SIDE, SIDE), np.uint8)
    assert np.array_equal(changed(ink, right=right, down=down), np.roll(ink, (down, right), (0, 1)))


def test_dragging_by_half_a_pixel_blends_two() -> None:
    moved = changed(block(), right=0.5)
    assert set(moved[60, [40, 80]].tolist()) <= {127, 128}
    assert moved[60, 60] == 255


def test_what_leaves_the_canvas_is_lost() -> None:
    assert size(changed(block(), right=60)) == (30, 20)
    assert not changed(block(), right=SIDE).any()
    assert changed(block(), right=SIDE).shape == (SIDE, SIDE)


@pytest.mark.parametrize(("scale", "expected"), [(0.5, (15, 20)), (1.5, (45, 60)), (0.3, (9, 12)), (2, (60, 80))])
def test_scaling_keeps_the_middle_and_the_proportions(scale: float, expected: tuple[int, int]) -> None:
    scaled = changed(block(), scale=scale)
    assert np.abs(np.subtract(size(scaled), expected)).max() <= 2  # soft edges
    assert centre_of_mass(scaled) == pytest.approx(centre_of_mass(block()), abs=0.1)
    assert scaled.sum() == pytest.approx(block().sum() * scale**2, rel=0.06)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_quarter_turns_are_those_of_numpy(rotation: int) -> None:
    ink = block() // 255 * np.random.default_rng(2).integers(100, 256, (SIDE, SIDE), np.uint8)
    turned = changed(ink, rotation=rotation).astype(int)
    expected = np.rot90(ink, -rotation // 90).astype(int)  # NumPy turns the other way
    assert np.abs(turned - expected).max() <= 1


def test_a_turn_is_clockwise() -> None:
    upright = block(slice(30, 90), slice(55, 65))
    turned = changed(upright, rotation=20)
    top, bottom = centre_of_mass(turned[:60])[1], centre_of_mass(turned[60:])[1]
    assert top > 60 > bottom
    # Half of the stroke has its middle 15 pixels up, and there it went sin 20° of that to the right.
    assert top - 59.5 == pytest.approx(15 * np.sin(np.radians(20)), abs=1)


@pytest.mark.parametrize("rotation", [7, 45, -30])
def test_a_turned_disc_stays_as_it_is(rotation: int) -> None:
    turned = changed(disc(30), rotation=rotation)
    assert turned.sum() == pytest.approx(disc(30).sum(), rel=0.01)
    assert np.mean(np.abs(turned.astype(int) - disc(30)) > 128) < 0.01


@pytest.mark.parametrize("thickness", [1, 2, 5, 8, -1, -2, -5, -8])
def test_edges_move_by_the_thickness(thickness: int) -> None:
    assert size(changed(block(), thickness=thickness)) == (30 + 2 * thickness, 40 + 2 * thickness)
    assert centre_of_mass(changed(block(), thickness=thickness)) == centre_of_mass(block())


@pytest.mark.parametrize("thickness", [2, 6, 10, -2, -6, -10])
def test_edges_move_about_equally_in_all_directions(thickness: int) -> None:
    pixels = int((changed(disc(30), thickness=thickness) > 127).sum())
    radius = np.sqrt(pixels / np.pi)
    assert radius - 30 == pytest.approx(thickness, abs=0.13 * abs(thickness) + 0.2)  # an octagon is no circle


def test_strokes_thinner_than_what_they_lose_vanish() -> None:
    assert not changed(block(slice(50, 56), slice(20, 100)), thickness=-3).any()


def test_thickness_comes_before_size() -> None:
    assert size(changed(block(), scale=0.5, thickness=10)) == pytest.approx((25, 30), abs=1)


def test_all_at_once() -> None:
    together = changed(block(), right=20, down=-10, scale=0.5, rotation=90, thickness=5)
    assert size(together) == pytest.approx((25, 20), abs=2)
    assert centre_of_mass(together) == pytest.approx((49.5, 79.5), abs=0.1)


@settings(max_examples=100, deadline=None)
@given(st.floats(-200, 200), st.floats(-200, 200), st.floats(0.1, 3), st.floats(-180, 180), st.integers(-12, 12))
def test_whatever_is_asked_the_canvas_keeps_its_size(
    right: float, down: float, scale: float, rotation: float, thickness: int
) -> None:
    result = changed(block(), right, down, scale, rotation, thickness)
    assert result.shape == (SIDE, SIDE)
    assert result.dtype == np.uint8


def test_paper_cannot_be_changed() -> None:
    with pytest.raises(NoInkError):
        changed(np.zeros((SIDE, SIDE), np.uint8), right=5)
