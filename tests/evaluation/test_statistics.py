"""Intervals, accuracies of classes and McNemar's test: held against published numbers, sums and loops."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import accuracy
from mnist_core.evaluation.statistics import McNemar, class_accuracies, mcnemar, wilson_interval
from mnist_core.runs import BUNDLED_RUNS
from mnist_core.runs.results import read_predictions
from tests.support.answers import CONFIDENCE, LABELS, READ, answers, random_answers


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
