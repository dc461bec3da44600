"""The steps of the preparation, with and without each: against `prepare`, and against pictures made by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from mnist_core.common.arrays import Ink
from mnist_core.drawing.preparation import NoInkError, prepare
from mnist_core.drawing.preparation_steps import ALL, NONE, Switches, steps

EVERY_WAY = [Switches(*on) for on in itertools.product([True, False], repeat=3)]
inks = st_numpy.arrays(
    np.uint8,
    st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70),
    elements=st.sampled_from([0, 0, 0, 20, 90, 255]),
)


def corner() -> Ink:
    """A block of 70 × 35 in the lower right of a canvas of 280 × 280, in whole cells of 10 × 10 but for 5 columns."""
    ink = np.zeros((280, 280), np.uint8)
    ink[200:270, 240:275] = 255
    return ink


@settings(max_examples=300, deadline=None)
@given(inks)
def test_all_steps_are_what_prepare_does(ink: Ink) -> None:
    try:
        expected = prepare(ink)
    except NoInkError:
        with pytest.raises(NoInkError):
            steps(ink)
        return
    made = steps(ink, ALL)
    assert np.array_equal(made[-1].picture, expected)
    assert np.array_equal(made[0].picture, ink)


@settings(max_examples=200, deadline=None)
@given(inks, st.sampled_from(EVERY_WAY))
def test_whatever_is_left_out_a_network_can_be_given_the_result(ink: Ink, switches: Switches) -> None:
    try:
        made = steps(ink, switches)
    except NoInkError:
        return
    assert made[-1].picture.shape == (28, 28)
    assert all(step.picture.dtype == np.uint8 for step in made)
    assert made[-1].picture.any()
    assert made[-1].picture.sum() == made[-2].picture.sum()  # placing neither adds nor loses ink


def test_without_any_step_the_canvas_is_squeezed() -> None:
    squeezed = corner().reshape(28, 10, 28, 10).mean(axis=(1, 3))
    drawn, cropped, fitted, last = (step.picture for step in steps(corner(), NONE))
    assert np.array_equal(cropped, drawn)
    assert np.abs(fitted - squeezed).max() <= 0.5
    assert np.array_equal(last, fitted)


def test_without_cropping_the_paper_is_fitted_too() -> None:
    fitted = steps(corner(), Switches(crop=False))[2].picture
    assert fitted.shape == (20, 20)
    rows, columns = np.nonzero(fitted)  # 14 pixels of the canvas become one
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (14, 19, 17, 19)


def test_without_fitting_the_digit_is_squeezed_out_of_proportion() -> None:
    last = steps(corner(), Switches(fit=False))[-1].picture
    assert (last == 255).all()  # twice as high as wide, and yet it fills the square


def test_without_centring_the_frame_is_in_the_middle() -> None:
    ink = corner()
    ink[200:210, 100:275] = 255  # an L upside down: its mass is not in its middle
    last = steps(ink, Switches(centre=False))[-1].picture
    rows, columns = np.nonzero(last)
    assert (columns.min(), columns.max()) == (4, 23)
    assert (rows.min(), rows.max()) == (10, 17)
    assert not np.array_equal(last, prepare(ink))


def test_a_squeezed_canvas_can_be_centred() -> None:
    last = steps(corner(), Switches(crop=False, fit=False))[-1].picture
    rows, columns = np.nonzero(last)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(14, abs=0.5)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(14, abs=0.6)


def test_each_step_says_whether_it_was_taken() -> None:
    titles = [step.title for step in steps(corner())]
    assert titles == ["Drawn", "Cropped", "Fitted", "Centred"]
    for place, name in enumerate(("crop", "fit", "centre"), start=1):
        left_out = steps(corner(), Switches(**{name: False}))
        assert left_out[place].title == f"Not {titles[place].lower()}"
        assert left_out[place].line != steps(corner())[place].line
        assert [step.title for step in left_out if step.title.startswith("Not")] == [left_out[place].title]


@pytest.mark.parametrize("switches", EVERY_WAY)
def test_paper_is_refused_whatever_is_left_out(switches: Switches) -> None:
    with pytest.raises(NoInkError):
        steps(np.full((280, 280), 20, np.uint8), switches)


@pytest.mark.parametrize("switches", EVERY_WAY)
def test_what_is_no_ink_is_refused_whatever_is_left_out(switches: Switches) -> None:
    with pytest.raises(ValueError, match=r"Ink must be \(height, width\) uint8"):
        steps(np.ones((28, 28), np.float32), switches)


@pytest.mark.parametrize("switches", [Switches(centre=False), NONE, Switches(crop=False)])
def test_specks_that_vanish_are_no_ink(switches: Switches) -> None:
    ink = np.zeros((4000, 4000), np.uint8)
    ink[0, 0] = ink[-1, -1] = 255
    with pytest.raises(NoInkError):
        steps(ink, switches)
