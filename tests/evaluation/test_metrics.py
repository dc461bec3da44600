"""What is computed from stored predictions, held against Keras and against loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_core.evaluation.metrics import (
    accuracy,
    confusion_matrix,
    cross_entropy,
    losses,
    most_confused,
    ranking,
)
from tests.support.answers import CONFIDENCE, LABELS, READ, answers, random_answers


def most_probable(row: NDArray[np.float32]) -> int:
    """Find the first largest of ten values by going through them."""
    best = 0
    for digit in range(10):
        if row[digit] > row[best]:
            best = digit
    return best


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert accuracy(LABELS, answers(READ, CONFIDENCE)) == pytest.approx(4 / 6)
    assert accuracy(LABELS, answers([0, 1, 2, 3, 3, 9], [0.5] * 6)) == 1
    assert accuracy(LABELS, answers([1, 2, 3, 4, 4, 0], [0.5] * 6)) == 0


def test_accuracy_is_as_counted_in_a_loop() -> None:
    labels, probabilities = random_answers(1000, seed=0)
    hits = sum(most_probable(row) == label for label, row in zip(labels, probabilities, strict=True))
    assert 0 < hits < 1000
    assert accuracy(labels, probabilities) == hits / 1000


def test_of_equal_probabilities_the_smaller_digit_is_the_answer() -> None:
    undecided = np.full((1, 10), 0.1, np.float32)
    assert accuracy(np.array([0], np.uint8), undecided) == 1
    assert confusion_matrix(np.array([4], np.uint8), undecided)[4, 0] == 1
    assert ranking(undecided[0])[0][0] == 0


def test_cross_entropy_is_the_mean_surprise_in_nats() -> None:
    labels = np.array([3, 3], np.uint8)
    assert cross_entropy(labels, answers([3, 3], [0.5, 0.25])) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert cross_entropy(labels, answers([3, 3], [1.0, 1.0])) == pytest.approx(0, abs=1e-6)
    assert cross_entropy(labels, np.full((2, 10), 0.1, np.float32)) == pytest.approx(math.log(10))


def test_cross_entropy_of_a_certain_mistake_is_large_and_finite() -> None:
    assert cross_entropy(np.array([3], np.uint8), answers([5], [1.0])) == pytest.approx(-math.log(1e-7), rel=1e-4)


@pytest.mark.parametrize("sharpness", [0.1, 1, 3, 10, 40])
def test_cross_entropy_is_the_loss_of_keras(sharpness: float) -> None:
    """Keras computes in float32 and clips at both ends, hence the tolerance."""
    import keras

    labels, probabilities = random_answers(2000, seed=1, sharpness=sharpness)
    losses = keras.losses.sparse_categorical_crossentropy(labels.astype(np.int32), probabilities)
    assert cross_entropy(labels, probabilities) == pytest.approx(float(np.mean(losses)), rel=1e-5, abs=2e-6)


def test_cross_entropy_of_many_answers_does_not_lose_digits() -> None:
    labels = np.zeros(60_000, np.uint8)
    probabilities = answers([0], [0.9]).repeat(60_000, axis=0)
    assert cross_entropy(labels, probabilities) == pytest.approx(-math.log(np.float32(0.9)), rel=1e-9)


def test_a_confusion_matrix_worked_out_by_hand() -> None:
    expected = np.zeros((10, 10), int)
    expected[0, 0] = 1  # row: true digit, column: digit read
    expected[1, 7] = 1
    expected[2, 2] = 1
    expected[3, 3] = 1
    expected[3, 5] = 1
    expected[9, 9] = 1
    matrix = confusion_matrix(LABELS, answers(READ, CONFIDENCE))
    assert matrix.tolist() == expected.tolist()
    assert matrix.shape == (10, 10)
    assert matrix.dtype == np.int64


@pytest.mark.parametrize("seed", range(5))
def test_a_confusion_matrix_is_as_counted_in_a_loop(seed: int) -> None:
    labels, probabilities = random_answers(2000, seed)
    expected = [[0] * 10 for _ in range(10)]
    for label, row in zip(labels, probabilities, strict=True):
        expected[int(label)][most_probable(row)] += 1
    matrix = confusion_matrix(labels, probabilities)
    assert matrix.tolist() == expected
    assert matrix.sum(axis=1).tolist() == np.bincount(labels, minlength=10).tolist()
    assert np.trace(matrix) / 2000 == accuracy(labels, probabilities)


def test_a_confusion_matrix_counts_far_beyond_a_byte() -> None:
    labels = np.full(70_000, 9, np.uint8)
    assert confusion_matrix(labels, answers([9], [0.9]).repeat(70_000, axis=0))[9, 9] == 70_000


def test_a_confusion_matrix_without_images_is_empty() -> None:
    matrix = confusion_matrix(np.zeros(0, np.uint8), np.zeros((0, 10), np.float32))
    assert matrix.tolist() == np.zeros((10, 10), int).tolist()


def test_a_loss_for_each_image() -> None:
    probabilities = np.full((3, 10), 0.05, np.float32)
    probabilities[[0, 1, 2], [4, 5, 6]] = [0.55, 0.05, 0.0]
    found = losses(np.array([4, 5, 6], np.uint8), probabilities)
    np.testing.assert_allclose(found, [-math.log(0.55), -math.log(0.05), -math.log(1e-7)], rtol=1e-6)


def test_most_confused_are_the_largest_cells_beside_the_diagonal() -> None:
    matrix = np.zeros((10, 10), np.int64)
    np.fill_diagonal(matrix, 100)
    matrix[4, 9], matrix[9, 4], matrix[7, 2], matrix[0, 6] = 7, 3, 5, 1
    assert most_confused(matrix) == [(4, 9, 7), (7, 2, 5), (9, 4, 3), (0, 6, 1)]
    assert most_confused(matrix, 2) == [(4, 9, 7), (7, 2, 5)]
    assert np.diag(matrix).tolist() == [100] * 10  # the matrix itself is left alone


def test_a_perfect_network_confuses_nothing() -> None:
    assert most_confused(np.diag(np.full(10, 100))) == []


def test_ranking_gives_the_most_probable_digits() -> None:
    probabilities = np.array([0.01, 0.02, 0.5, 0.03, 0.04, 0.05, 0.05, 0.2, 0.06, 0.04], np.float32)
    best = ranking(probabilities)
    assert [digit for digit, _ in best] == [2, 7, 8]
    assert [probability for _, probability in best] == pytest.approx([0.5, 0.2, 0.06])
    assert ranking(probabilities, 1) == best[:1]
    assert [digit for digit, _ in ranking(probabilities, 10)] == [2, 7, 8, 5, 6, 4, 9, 3, 1, 0]


def test_ranking_gives_plain_numbers_for_json() -> None:
    digit, probability = ranking(answers([4], [0.8])[0])[0]
    assert type(digit) is int
    assert type(probability) is float


@pytest.mark.parametrize("seed", range(3))
def test_ranking_is_as_sorted_by_hand(seed: int) -> None:
    _, probabilities = random_answers(100, seed)
    for row in probabilities:
        expected = sorted(((digit, float(row[digit])) for digit in range(10)), key=lambda pair: (-pair[1], pair[0]))
        assert ranking(row, 10) == expected
