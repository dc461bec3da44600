"""Similarity to training images: features against a second implementation, and what is like what."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as st_numpy

from mnist_core.common.arrays import Images
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.nearest_example import Examples, describe, learn_examples, similarity


@pytest.fixture(scope="module")
def examples(mnist: Mnist) -> Examples:
    return learn_examples(mnist.x_train[:3000], mnist.y_train[:3000])


def described_slowly(image: Images) -> list[float]:
    """Describe an image pixel by pixel, as the docstrings say it."""
    ink = np.pad(image / 255, 1)
    lines, amounts = np.zeros((4, 7, 7)), np.zeros((7, 7))
    for row in range(28):
        for column in range(28):
            across = ink[row + 1, column + 2] - ink[row + 1, column]
            down = ink[row + 2, column + 1] - ink[row, column + 1]
            place = math.atan2(down, across) % math.pi / (math.pi / 4)
            for i in range(7):
                for j in range(7):
                    near = max(0, 1 - abs(row - (4 * i + 1.5)) / 4) * max(0, 1 - abs(column - (4 * j + 1.5)) / 4)
                    amounts[i, j] += near * ink[row + 1, column + 1]
                    for direction in range(4):
                        apart = abs(place - direction)
                        share = max(0, 1 - min(apart, 4 - apart))
                        lines[direction, i, j] += near * share * math.hypot(across, down)
    lines, amounts = np.sqrt(lines), np.sqrt(amounts)
    weighted = math.sqrt(0.8) * lines / np.linalg.norm(lines), math.sqrt(0.2) * amounts / np.linalg.norm(amounts)
    return np.concatenate([each.ravel() for each in weighted]).tolist()


def test_features_are_what_the_docstring_says(mnist: Mnist) -> None:
    for image in mnist.x_test[:2]:
        assert describe(image[None])[0].tolist() == pytest.approx(described_slowly(image), abs=1e-5)


def test_features_do_not_depend_on_how_many_images_are_described(mnist: Mnist) -> None:
    together = describe(mnist.x_test[:600])
    assert together.shape == (600, 245) and together.dtype == np.float32
    for index in (0, 511, 512, 599):
        assert describe(mnist.x_test[index][None])[0] == pytest.approx(together[index], abs=1e-6)
    assert describe(mnist.x_test[:0]).shape == (0, 245)


@given(st_numpy.arrays(np.uint8, (1, 28, 28)))
def test_features_of_any_image_have_length_1(image: Images) -> None:
    length = np.linalg.norm(describe(image))
    if len(np.unique(image)) == 1 and not image.any():
        assert length == 0
    else:
        assert length == pytest.approx(1, abs=1e-5)


def test_an_example_is_entirely_like_itself(mnist: Mnist, examples: Examples) -> None:
    for index in (0, 3, 2997):  # every third is kept
        label = int(mnist.y_train[index])
        assert similarity(mnist.x_train[index], label, examples) == pytest.approx(1, abs=1e-5)
        others = [similarity(mnist.x_train[index], digit, examples) for digit in range(10) if digit != label]
        assert max(others) < 0.97


def test_similarity_is_the_largest_cosine_to_a_kept_example(mnist: Mnist, examples: Examples) -> None:
    image = mnist.x_test[1]
    kept, labels = mnist.x_train[:3000:3], mnist.y_train[:3000:3]
    features = describe(image[None])[0].astype(float)
    cosines = [float(features @ each) for each in describe(kept[labels == 2]).astype(float)]
    assert similarity(image, 2, examples) == pytest.approx(max(cosines), abs=1e-5)
    assert len(examples.features[2]) == len(cosines)


def test_test_digits_are_most_like_their_own_digit(mnist: Mnist, examples: Examples) -> None:
    found = [np.argmax([similarity(image, digit, examples) for digit in range(10)]) for image in mnist.x_test[:300]]
    assert np.mean(found == mnist.y_test[:300]) > 0.94


def test_a_seven_with_a_bar_and_a_one_with_an_upstroke_are_known(mnist: Mnist, examples: Examples) -> None:
    """MNIST has hardly any: without those added, both are less like it."""
    seven, one = np.zeros((2, 28, 28), np.uint8)
    seven[4:6, 8:20] = seven[13:15, 9:20] = 255
    one[4:24, 15:18] = 255
    for step in range(18):
        seven[6 + step, 17 - step // 2 : 20 - step // 2] = 255
    for step in range(8):
        one[4 + step, 14 - step : 17 - step] = 255
    for image, digit in ((seven, 7), (one, 1)):
        kept, labels = mnist.x_train[:3000:3], mnist.y_train[:3000:3]
        without = float((describe(kept[labels == digit]) @ describe(image[None])[0]).max())
        assert similarity(image, digit, examples) > without + 0.01


def test_every_digit_needs_examples(mnist: Mnist) -> None:
    others = mnist.y_train[:3000] != 4
    with pytest.raises(ValueError, match="all ten digits"):
        learn_examples(mnist.x_train[:3000][others], mnist.y_train[:3000][others])
