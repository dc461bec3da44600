"""Lists of indices as people type them, and orders against slow and simple computations."""

import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.data import statistics
from mnist_core.data.dataset import Mnist
from mnist_core.data.index_lists import IndicesError, parse_indices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ,\n; ", []),
        ("5, 17, 100-103 947", [5, 17, 100, 101, 102, 103, 947]),
        ("9\n8\t7;6", [9, 8, 7, 6]),
        ("3–5", [3, 4, 5]),
        ("3 - 5", [3, 4, 5]),
        ("4-4", [4]),
        ("007", [7]),
        ("6, 5-8, 5, 0, 7-9", [6, 5, 7, 8, 0, 9]),  # once each, where they first come
        ("0-999", list(range(1000))),
    ],
)
def test_indices_are_read_in_their_order(text: str, expected: list[int]) -> None:
    indices = parse_indices(text, 1000)
    assert indices.tolist() == expected
    assert indices.dtype == np.intp


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1, two, 3", "“two” is no index. Give numbers from 0 to 999 and ranges such as 100-120."),
        ("1.5", "“1.5” is no index"),
        ("²", "“²” is no index"),
        ("-3", "“-3” is no index"),
        ("1-2-3", "“1-2-3” is no index"),
        ("5-", "“5-” is no index"),
        ("0 1000", "“1000” is too large: indices go from 0 to 999."),
        ("990-1000", "“990-1000” is too large"),
        ("9" * 1500, f"“{'9' * 24}…” is too large"),
        ("20-10", "“20-10” runs backwards: the smaller number of a range comes first, 10-20."),
        ("1 " * 5001, "The list has 10,002 characters, 2,000 are allowed."),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(IndicesError, match=re.escape(message)):
        parse_indices(text, 1000)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))), st.sampled_from([",", " ", "\n", ", "]))
def test_ranges_read_as_a_loop_would(ranges: list[tuple[int, int]], between: str) -> None:
    text = between.join(f"{min(pair)}-{max(pair)}" for pair in ranges)
    expected = dict.fromkeys(index for pair in ranges for index in range(min(pair), max(pair) + 1))
    assert parse_indices(text, 61).tolist() == list(expected)


def test_the_worst_list_is_read_quickly() -> None:
    start = time.process_time()
    assert len(parse_indices("0-59999," * 250, 60_000)) == 60_000
    assert time.process_time() - start < 1


def test_ink_is_the_mean_of_the_pixels_in_percent(mnist: Mnist) -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    images[1] = 255
    images[2, :14] = 51  # a fifth of full ink on half the picture
    assert statistics.ink(images).tolist() == [0, 100, pytest.approx(10)]
    np.testing.assert_allclose(
        statistics.ink(mnist.x_test[:50]), [image.mean(dtype=float) / 2.55 for image in mnist.x_test[:50]]
    )


def test_typicality_is_the_distance_to_the_mean_of_the_class(mnist: Mnist) -> None:
    images, labels = mnist.x_train[:700] / 255, mnist.y_train[:700]  # more than one chunk, and not a multiple of it
    means = [images[labels == digit].mean(axis=0) for digit in range(10)]
    expected = [np.linalg.norm(images[index] - means[labels[index]]) for index in range(700)]
    np.testing.assert_allclose(statistics.typicality(mnist.x_train[:700], labels), expected, rtol=1e-5)


def test_the_most_typical_image_is_the_mean_itself() -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    images[1], images[2] = 100, 50
    assert statistics.typicality(images, np.array([3, 3, 3], np.uint8)).argmin() == 2
    alone = statistics.typicality(images, np.array([1, 2, 3], np.uint8))  # each is its own mean
    assert alone.tolist() == [0, 0, 0]


def test_all_training_images_take_a_moment(mnist: Mnist) -> None:
    start = time.process_time()
    statistics.typicality(mnist.x_train, mnist.y_train)
    assert time.process_time() - start < 1  # 0.1 s on a machine at rest


def test_a_seed_is_an_order() -> None:
    order = statistics.shuffled(1000, 7)
    assert sorted(order) == list(range(1000))
    assert order.tolist() == statistics.shuffled(1000, 7).tolist()
    assert order.tolist() != statistics.shuffled(1000, 8).tolist()
    assert order.tolist() != sorted(order)
