"""What is computed from stored predictions, held against Keras, against loops, and against published numbers."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import (
    accuracy,
    confusion_matrix,
    cross_entropy,
    losses,
    most_confused,
    ranking,
)
from mnist_core.evaluation.statistics import McNemar, class_accuracies, mcnemar, wilson_interval
from mnist_core.figures.style import shades
from mnist_core.runs import BUNDLED_RUNS
from mnist_core.runs.results import read_predictions

LABELS = np.array([0, 1, 2, 3, 3, 9], np.uint8)
READ = [0, 7, 2, 3, 5, 9]
CONFIDENCE = [0.9, 0.6, 0.5, 0.99, 0.8, 0.4]


def answers(digits: list[int], confidences: list[float]) -> NDArray[np.float32]:
    """Make rows of probabilities: the digit gets its confidence, the other nine share the rest."""
    rows = np.repeat((1 - np.array(confidences))[:, None] / 9, 10, axis=1)
    rows[np.arange(len(digits)), digits] = confidences
    return rows.astype(np.float32)


def random_answers(count: int, seed: int, sharpness: float = 3) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Make labels and softmax probabilities that are right about half of the time."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, count).astype(np.uint8)
    logits = generator.normal(size=(count, 10)) * sharpness
    logits[np.arange(count), labels] += 1.5 * sharpness
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return labels, (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


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


def test_shades_follow_the_square_root_without_the_diagonal() -> None:
    matrix = np.diag(np.full(10, 1000))
    matrix[4, 9], matrix[7, 2], matrix[0, 6] = 100, 25, 1
    shade = shades(matrix)
    assert (shade[4, 9], shade[7, 2], shade[0, 6]) == (1.0, 0.5, pytest.approx(0.1))
    assert shade.sum() == pytest.approx(1.6)
    by_share = shades(matrix / matrix.sum(axis=1, keepdims=True))
    assert by_share[7, 2] == pytest.approx(math.sqrt((25 / 1025) / (100 / 1100)))


def test_shades_of_a_network_without_mistakes() -> None:
    matrix = np.diag(np.full(10, 1000))
    assert not shades(matrix).any()


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


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (1, 1, 0.2065, 1.0),
        (0, 1, 0.0, 0.7935),
        # R. G. Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_as_published(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_the_wilson_interval_of_a_test_accuracy() -> None:
    """9,900 of n = 10,000: (0.99 + z²/2n ± z √(0.99 · 0.01 / n + z²/4n²)) / (1 + z²/n), worked out by hand."""
    assert wilson_interval(9900, 10_000) == pytest.approx((0.987853, 0.991771), abs=1e-6)


def test_without_trials_anything_is_possible() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_wilson_intervals_end_where_the_score_test_just_rejects(data: st.DataObject) -> None:
    """The interval solves |share - p| = z sqrt(p (1 - p) / n) for p: put its ends back into that equation."""
    trials = data.draw(st.integers(1, 100_000))
    successes = data.draw(st.integers(0, trials))
    z = data.draw(st.sampled_from([1.0, 1.644854, 1.959964, 2.575829]))
    share = successes / trials
    low, high = wilson_interval(successes, trials, z)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    for end in (low, high):
        assert (share - end) ** 2 == pytest.approx(z * z * end * (1 - end) / trials, rel=1e-6, abs=1e-12)
    # As many failures as successes before: the mirror image.
    assert wilson_interval(trials - successes, trials, z) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_class_accuracies_worked_out_by_hand() -> None:
    result = class_accuracies(LABELS, answers(READ, CONFIDENCE))
    assert result.images.tolist() == [1, 1, 1, 2, 0, 0, 0, 0, 0, 1]
    assert result.right.tolist() == [1, 0, 1, 1, 0, 0, 0, 0, 0, 1]
    assert result.share[[0, 1, 2, 3, 9]].tolist() == [1, 0, 1, 0.5, 1]
    assert np.isnan(result.share[4:9]).all()
    assert result.low[4:9].tolist() == [0] * 5
    assert result.high[4:9].tolist() == [1] * 5
    assert (result.low[1], result.high[1]) == pytest.approx((0, 0.7935), abs=5e-5)  # 0 of 1, as published above


@pytest.mark.parametrize("seed", range(3))
def test_class_accuracies_are_the_accuracies_of_each_class_alone(seed: int) -> None:
    labels, probabilities = random_answers(3000, seed)
    result = class_accuracies(labels, probabilities)
    for digit in range(10):
        own = labels == digit
        assert result.images[digit] == own.sum()
        assert result.share[digit] == pytest.approx(accuracy(labels[own], probabilities[own]))
        assert result.low[digit] < result.share[digit] < result.high[digit]
    assert result.right.sum() / 3000 == accuracy(labels, probabilities)


def network_pair(
    both_right: int, only_a: int, only_b: int, both_wrong: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Make labels and the answers of two networks that agree with them as often as asked, in a mixed order."""
    counts = (both_right, only_a, only_b, both_wrong)
    a_right = np.repeat([True, True, False, False], counts)
    b_right = np.repeat([True, False, True, False], counts)
    order = np.random.default_rng(0).permutation(len(a_right))
    labels = (np.arange(len(order)) % 10).astype(np.uint8)
    certain = np.eye(10, dtype=np.float32)
    a = certain[np.where(a_right[order], labels, (labels + 1) % 10)]
    b = certain[np.where(b_right[order], labels, (labels + 2) % 10)]
    return labels, a, b


def exact_p_value(only_a: int, only_b: int) -> Fraction:
    """Add up the probabilities of all splits as uneven as this one, or more, on both sides."""
    tosses, gap = only_a + only_b, abs(only_a - only_b)
    ways, uneven = 1, 0  # to get this many heads
    for heads in range(tosses + 1):
        uneven += ways if abs(tosses - 2 * heads) >= gap else 0
        ways = ways * (tosses - heads) // (heads + 1)
    return Fraction(uneven, 2**tosses)


def test_mcnemar_counts_who_read_what_right() -> None:
    result = mcnemar(*network_pair(700, 38, 21, 11))
    assert (result.both_right, result.only_a_right, result.only_b_right, result.both_wrong) == (700, 38, 21, 11)
    assert result.p_value == pytest.approx(0.0363, abs=5e-5)
    assert all(type(count) is int for count in (result.both_right, result.only_a_right, result.both_wrong))


@pytest.mark.parametrize("only_a", [0, 1, 2, 3, 5, 8, 13, 40])
@pytest.mark.parametrize("only_b", [0, 1, 2, 4, 7, 12, 39, 60])
def test_p_values_are_exact_sums_of_binomial_probabilities(only_a: int, only_b: int) -> None:
    found = mcnemar(*network_pair(5, only_a, only_b, 3)).p_value
    assert found == pytest.approx(float(exact_p_value(only_a, only_b)), rel=1e-13)
    assert 0 < found <= 1


@pytest.mark.parametrize(("only_a", "only_b"), [(4800, 5200), (5100, 4900), (5000, 5000), (4999, 5001), (700, 900)])
def test_p_values_of_many_images_are_exact_too(only_a: int, only_b: int) -> None:
    found = mcnemar(*network_pair(0, only_a, only_b, 0)).p_value
    assert found == pytest.approx(float(exact_p_value(only_a, only_b)), rel=1e-12)


def test_a_p_value_is_never_zero() -> None:
    assert 0 < mcnemar(*network_pair(0, 10_000, 0, 0)).p_value < 1e-300


def test_mcnemar_of_a_network_with_itself_finds_nothing() -> None:
    labels, probabilities = random_answers(1000, seed=0)
    right = round(accuracy(labels, probabilities) * 1000)
    assert mcnemar(labels, probabilities, probabilities) == McNemar(right, 0, 0, 1000 - right, 1.0)


def test_mcnemar_takes_ten_thousand_disagreements_in_its_stride() -> None:
    pair = network_pair(0, 5000, 5000, 0)
    times = []
    for _ in range(5):
        start = time.process_time()
        mcnemar(*pair)
        times.append(time.process_time() - start)
    assert min(times) < 0.01


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_mcnemar_treats_both_networks_alike(counts: list[int]) -> None:
    labels, a, b = network_pair(*counts)
    one, other = mcnemar(labels, a, b), mcnemar(labels, b, a)
    assert (one.only_a_right, one.only_b_right) == (other.only_b_right, other.only_a_right)
    assert one.p_value == other.p_value


def test_mcnemar_wants_answers_to_the_same_images() -> None:
    labels, a, b = network_pair(5, 3, 2, 1)
    with pytest.raises(ValueError, match="same images"):
        mcnemar(labels, a, b[:-1])
    with pytest.raises(ValueError, match="same images"):
        mcnemar(labels[:1], a, b)


def test_mcnemar_of_networks_that_ship_with_the_project(mnist: Mnist) -> None:
    chollet, garcia, keras_steps = (
        read_predictions(BUNDLED_RUNS / name) for name in ("chollet", "garcia", "keras-steps")
    )
    unlike = mcnemar(mnist.y_test, chollet, garcia)
    assert unlike.p_value < 1e-100
    alike = mcnemar(mnist.y_test, chollet, keras_steps)
    assert alike.p_value > 0.05
    for result in (unlike, alike):
        counts = (result.both_right, result.only_a_right, result.only_b_right, result.both_wrong)
        assert sum(counts) == 10_000
        assert (result.both_right + result.only_a_right) / 10_000 == accuracy(mnist.y_test, chollet)
    assert (unlike.both_right + unlike.only_b_right) / 10_000 == accuracy(mnist.y_test, garcia)
