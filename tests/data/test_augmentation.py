"""Changed training images, against Pillow, hand-made pictures and loops over pixels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from PIL import Image

from mnist_core.data.augmentation import Augmentation, augment
from mnist_core.data.dataset import Mnist

CENTRE = 13.5  # of 28 pixels, counted from 0
EVERYTHING = Augmentation(rotation=20, shift=3, zoom=0.3, shear=20, elastic=2, thickness=0.7)
ONE_EACH = {name: Augmentation(**{name: amount}) for name, amount in vars(EVERYTHING).items() if amount}
ALL_KINDS = [*(pytest.param(one, id=name) for name, one in ONE_EACH.items()), pytest.param(EVERYTHING, id="all")]


class Always:
    """A generator whose random numbers are all the same: 0 for all of an amount to one side, 1 to the other."""

    def __init__(self, number: float) -> None:
        self.number = number

    def random(self, size: tuple[int, ...], dtype: type = np.float64) -> NDArray[Any]:
        return np.full(size, self.number, dtype)


@pytest.fixture(scope="module")
def digits(mnist: Mnist) -> NDArray[np.uint8]:
    """Twenty digits within a frame of four black pixels, so that what is read beyond the border does not matter."""
    inner = np.zeros((28, 28), bool)
    inner[4:-4, 4:-4] = True
    images = mnist.x_train[:200]
    return images[(images * ~inner).max(axis=(1, 2)) == 0][:20]


def changed(images: NDArray[np.uint8], number: float, **amounts: float) -> NDArray[np.uint8]:
    """Change images by these amounts, or by minus these amounts if the random number is 0."""
    return augmented(images, Augmentation(**amounts), Always(number))  # type: ignore[arg-type]


def augmented(
    images: NDArray[np.uint8], augmentation: Augmentation, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Augment images as if they were zeros: only 1s and 7s depend on what they are."""
    return augment(images, np.zeros(len(images), np.uint8), augmentation, generator)


def dot(x: int = 13, y: int = 13) -> NDArray[np.uint8]:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, y, x] = 255
    return image


def centroids(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The centre of the ink of each image, (n, 2): x and y in pixels."""
    ink = images.sum(axis=(1, 2), dtype=np.float64)
    columns = (images.sum(axis=1) * np.arange(28)).sum(axis=1)
    rows = (images.sum(axis=2) * np.arange(28)).sum(axis=1)
    return np.stack([columns / ink, rows / ink], axis=1)


def difference(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.int32]:
    return np.abs(images.astype(np.int32) - others.astype(np.int32))


def by_pillow(images: NDArray[np.uint8], forward: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Move the ink of images by a 3 × 3 matrix over (x, y, 1), measured from their centre."""
    to_corner = np.array([[1, 0, 14], [0, 1, 14], [0, 0, 1]], np.float64)  # Pillow measures from the outer corner
    backward = np.linalg.inv(to_corner @ forward @ np.linalg.inv(to_corner))
    coefficients = tuple(backward[:2].ravel())
    pictures = [Image.fromarray(image).transform((28, 28), Image.Transform.AFFINE, coefficients, 2) for image in images]
    return np.stack([np.asarray(picture) for picture in pictures])


def assert_like(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> None:
    """The same but for rounding: Pillow cuts off what we round."""
    assert difference(images, others).max() <= 1


# Nothing, everything, and what always holds


def test_without_amounts_nothing_is_changed(digits: NDArray[np.uint8]) -> None:
    assert not Augmentation().active
    assert_array_equal(augmented(digits, Augmentation(), np.random.default_rng(0)), digits)


@pytest.mark.parametrize("augmentation", ALL_KINDS)
def test_each_amount_by_itself_changes_images(augmentation: Augmentation, digits: NDArray[np.uint8]) -> None:
    assert augmentation.active
    result = augmented(digits, augmentation, np.random.default_rng(0))
    assert (result != digits).any(axis=(1, 2)).all()


@pytest.mark.parametrize("augmentation", ALL_KINDS)
def test_the_middle_of_all_amounts_is_no_change(augmentation: Augmentation, digits: NDArray[np.uint8]) -> None:
    assert_array_equal(augmented(digits, augmentation, Always(0.5)), digits)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 7, 1024, 1025])
def test_images_stay_images(count: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (count, 28, 28)).astype(np.uint8)
    before = images.copy()
    result = augmented(images, EVERYTHING, np.random.default_rng(0))
    assert (result.shape, result.dtype) == (images.shape, np.uint8)
    assert_array_equal(images, before)  # the originals are left alone


@pytest.mark.parametrize("value", [0, 255])
def test_the_darkest_and_the_brightest_do_not_wrap_around(value: int) -> None:
    images = np.full((50, 28, 28), value, np.uint8)
    result = augmented(images, EVERYTHING, np.random.default_rng(0))
    assert (result[:, 12:16, 12:16] == value).all()  # a wrapped-around 256 would be black
    if value == 0:
        assert result.max() == 0


def test_one_seed_gives_the_same_images_and_another_gives_others(digits: NDArray[np.uint8]) -> None:
    first, again, other = (augmented(digits, EVERYTHING, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()


def test_each_image_has_its_own_random_numbers(digits: NDArray[np.uint8]) -> None:
    same = np.repeat(digits[:1], 50, axis=0)
    result = augmented(same, EVERYTHING, np.random.default_rng(0))
    assert len(np.unique(result.reshape(50, -1), axis=0)) == 50


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 2500), max_size=8), st.sampled_from([*ONE_EACH.values(), EVERYTHING]))
def test_images_do_not_depend_on_how_calls_divide_them(cuts: list[int], augmentation: Augmentation) -> None:
    images = np.random.default_rng(1).integers(0, 256, (2500, 28, 28)).astype(np.uint8)
    augmentation = replace(augmentation, continental=0.5)
    labels = np.random.default_rng(2).integers(0, 10, 2500).astype(np.uint8)
    at_once = augment(images, labels, augmentation, np.random.default_rng(5))
    generator = np.random.default_rng(5)
    divided = zip(np.split(images, sorted(cuts)), np.split(labels, sorted(cuts)), strict=True)
    parts = [augment(part, its_labels, augmentation, generator) for part, its_labels in divided]
    assert_array_equal(np.concatenate(parts), at_once)


# Each change by itself


@pytest.mark.parametrize("degrees", [1, 10, 20, 45])
@pytest.mark.parametrize("number", [0.0, 1.0])
def test_a_rotation_is_that_of_pillow(degrees: float, number: float, digits: NDArray[np.uint8]) -> None:
    turned = -degrees if number else degrees  # Pillow turns to the left
    expected = [np.asarray(Image.fromarray(image).rotate(turned, Image.Resampling.BILINEAR)) for image in digits]
    assert_like(changed(digits, number, rotation=degrees), np.stack(expected))


@pytest.mark.parametrize("zoom", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("number", [0.0, 1.0])
def test_a_zoom_is_that_of_pillow(zoom: float, number: float, digits: NDArray[np.uint8]) -> None:
    size = 1 + zoom if number else 1 - zoom
    assert_like(changed(digits, number, zoom=zoom), by_pillow(digits, np.diag([size, size, 1])))


def test_a_zoom_makes_larger_or_smaller() -> None:
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 9:19, 9:19] = 255  # 100 pixels around the centre
    assert changed(square, 1.0, zoom=0.4).sum() / 255 == pytest.approx(14**2, rel=0.02)
    assert changed(square, 0.0, zoom=0.4).sum() / 255 == pytest.approx(6**2, rel=0.02)


@pytest.mark.parametrize("pixels", [1, 2, 3, 6])
def test_a_shift_by_whole_pixels_is_exact(pixels: int) -> None:
    images = np.random.default_rng(2).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    right_and_down = np.zeros_like(images)
    right_and_down[:, pixels:, pixels:] = images[:, :-pixels, :-pixels]
    assert_array_equal(changed(images, 1.0, shift=pixels), right_and_down)
    left_and_up = np.zeros_like(images)
    left_and_up[:, :-pixels, :-pixels] = images[:, pixels:, pixels:]
    assert_array_equal(changed(images, 0.0, shift=pixels), left_and_up)


def test_a_shift_by_half_a_pixel_spreads_a_dot_evenly() -> None:
    expected = np.zeros((1, 28, 28), np.uint8)
    expected[0, 13:15, 13:15] = 64  # a quarter of 255, rounded
    assert_array_equal(changed(dot(), 1.0, shift=0.5), expected)


def test_shifts_are_drawn_evenly_and_for_each_direction_alone() -> None:
    moved = centroids(augmented(np.repeat(dot(), 2000, axis=0), Augmentation(shift=4), np.random.default_rng(0))) - 13
    assert np.abs(moved).max() <= 4.1
    for quarter in np.histogram(moved, bins=[-4.1, -2, 0, 2, 4.1])[0]:
        assert quarter == pytest.approx(1000, rel=0.1)
    assert abs(np.asarray(np.corrcoef(moved.T))[0, 1]) < 0.1


@pytest.mark.parametrize("degrees", [5, 20, 45])
@pytest.mark.parametrize("number", [0.0, 1.0])
def test_a_shear_is_that_of_pillow(degrees: float, number: float, digits: NDArray[np.uint8]) -> None:
    lean = math.tan(math.radians(degrees if number else -degrees))
    forward = np.array([[1, -lean, 0], [0, 1, 0], [0, 0, 1]])  # rows are counted downwards
    assert_like(changed(digits, number, shear=degrees), by_pillow(digits, forward))


def test_a_shear_leans_an_upright_stroke_by_its_angle() -> None:
    stroke = np.zeros((1, 28, 28), np.uint8)
    stroke[0, 4:24, 13:15] = 255
    for number, direction in ((1.0, 1), (0.0, -1)):
        leaning = changed(stroke, number, shear=30)[0].astype(np.float64)
        middles = (leaning * np.arange(28)).sum(axis=1)[4:24] / leaning.sum(axis=1)[4:24]
        # The top is 19 rows above the bottom: to the right of it for a positive angle.
        assert middles[0] - middles[-1] == pytest.approx(direction * 19 * math.tan(math.radians(30)), abs=0.1)
        assert middles.mean() == pytest.approx(CENTRE, abs=0.05)


@pytest.mark.parametrize("number", [0.0, 0.2, 0.7, 1.0])
def test_changes_together_are_one_movement(number: float, digits: NDArray[np.uint8]) -> None:
    amount = 2 * number - 1
    angle, lean, size = math.radians(15 * amount), math.tan(math.radians(10 * amount)), 1 + 0.2 * amount
    shear = np.array([[1, -lean, 0], [0, 1, 0], [0, 0, 1]])
    zoom = np.diag([size, size, 1])
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    shift = np.array([[1, 0, 1.5 * amount], [0, 1, 1.5 * amount], [0, 0, 1]])
    result = changed(digits, number, rotation=15, shear=10, zoom=0.2, shift=1.5)
    assert_like(result, by_pillow(digits, shift @ turn @ zoom @ shear))


def thickened_by_loop(image: NDArray[np.uint8], amount: float) -> NDArray[np.float64]:
    result = np.zeros((28, 28))
    for y in range(28):
        for x in range(28):
            around = [(y, x), (y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            values = [int(image[place]) if min(place) >= 0 and max(place) < 28 else 0 for place in around]
            whole = max(values) if amount > 0 else min(values)
            result[y, x] = image[y, x] + abs(amount) * (whole - int(image[y, x]))
    return result


@pytest.mark.parametrize("thickness", [0.25, 1.0])
@pytest.mark.parametrize("number", [0.0, 1.0])
def test_thickness_grows_and_shrinks_ink_by_up_to_a_pixel(thickness: float, number: float) -> None:
    images = np.random.default_rng(3).integers(0, 256, (2, 28, 28)).astype(np.uint8)  # up to the border
    expected = np.stack([thickened_by_loop(image, thickness if number else -thickness) for image in images])
    assert np.abs(changed(images, number, thickness=thickness) - expected).max() <= 0.5


def test_a_stroke_gets_thicker_and_thinner_on_each_side() -> None:
    stroke = np.zeros((1, 28, 28), np.uint8)
    stroke[0, 4:24, 12:16] = 255
    row = [0, 0, 255, 255, 255, 255, 0, 0]
    assert stroke[0, 14, 10:18].tolist() == row
    assert changed(stroke, 1.0, thickness=1)[0, 14, 10:18].tolist() == [0, 255, 255, 255, 255, 255, 255, 0]
    assert changed(stroke, 1.0, thickness=0.4)[0, 14, 10:18].tolist() == [0, 102, 255, 255, 255, 255, 102, 0]
    assert changed(stroke, 0.0, thickness=1)[0, 14, 10:18].tolist() == [0, 0, 0, 255, 255, 0, 0, 0]
    assert changed(stroke, 0.0, thickness=0.4)[0, 14, 10:18].tolist() == [0, 0, 153, 255, 255, 153, 0, 0]


def test_an_elastic_distortion_moves_ink_by_its_amount_at_most() -> None:
    for x, y in ((3, 3), (13, 13), (24, 10)):
        moved = augmented(np.repeat(dot(x, y), 300, axis=0), Augmentation(elastic=2), np.random.default_rng(0))
        seen = moved.max(axis=0)  # wherever the dot went
        rows, columns = np.nonzero(seen)
        assert max(np.abs(rows - y).max(), np.abs(columns - x).max()) <= 3  # two, and one that bilinear reading adds
        assert max(np.abs(rows - y).max(), np.abs(columns - x).max()) >= 2


def test_an_elastic_distortion_with_all_points_alike_is_a_shift() -> None:
    image = np.random.default_rng(4).integers(0, 256, (1, 28, 28)).astype(np.uint8)
    assert difference(changed(image, 1.0, elastic=3), changed(image, 0.0, shift=3)).max() <= 1
    assert difference(changed(image, 0.0, elastic=3), changed(image, 1.0, shift=3)).max() <= 1


def test_an_elastic_distortion_moves_ink_across_and_down_apart() -> None:
    moved = augmented(np.repeat(dot(), 300, axis=0), Augmentation(elastic=3), np.random.default_rng(0))
    across, down = (centroids(moved) - 13).T
    assert min(across.std(), down.std()) > 0.3
    assert abs(np.corrcoef(across, down)[0, 1]) < 0.2


def test_an_elastic_distortion_is_no_shift_and_keeps_the_ink(mnist: Mnist) -> None:
    images = mnist.x_train[:300]
    result = augmented(images, Augmentation(elastic=2), np.random.default_rng(0))
    before, after = (one.sum(axis=(1, 2), dtype=np.float64) for one in (images, result))
    assert after.sum() == pytest.approx(before.sum(), rel=0.02)
    assert np.abs(after / before - 1).max() < 0.4
    assert np.abs((centroids(result) - centroids(images)).mean(axis=0)).max() < 0.15  # to no side in particular
    # No shift of an image undoes it.
    shifts = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    unlike = [difference(np.roll(result, shift, (1, 2)), images).mean(axis=(1, 2)) for shift in shifts]
    assert np.min(unlike, axis=0).mean() > 5


# Still digits


@pytest.mark.parametrize(
    ("augmentation", "least"),
    [
        (Augmentation(rotation=10, shift=1, zoom=0.1, shear=10, elastic=1, thickness=0.4), 0.85),
        (Augmentation(thickness=1), 0.8),
        (Augmentation(elastic=1.5), 0.85),
    ],
)
def test_changed_digits_can_still_be_read(augmentation: Augmentation, least: float, mnist: Mnist) -> None:
    """The nearest of 8,000 other images has the same label, nearly as often as for unchanged ones (0.94)."""
    known = mnist.x_train[2000:10_000].reshape(8000, -1).astype(np.float32)
    asked = augmented(mnist.x_train[:500], augmentation, np.random.default_rng(0)).reshape(500, -1).astype(np.float32)
    distances = (known**2).sum(axis=1)[None] - 2 * asked @ known.T  # but for what is the same for all of `known`
    nearest = mnist.y_train[2000:10_000][distances.argmin(axis=1)]
    assert (nearest == mnist.y_train[:500]).mean() > least
