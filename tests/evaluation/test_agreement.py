"""Networks side by side, image by image: worked out by hand, and counted again in loops."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.common.arrays import Probabilities
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.agreement import (
    Contradictions,
    compare_pair,
    contradict,
    failures,
    hard_for_all,
    misread_by_all,
)
from mnist_core.runs import BUNDLED_RUNS
from mnist_core.runs.results import read_predictions

LABELS = np.array([0, 1, 2, 3, 4, 5], np.uint8)


def answers(*readings: tuple[int, float]) -> Probabilities:
    """Make rows of probabilities: the digit gets its confidence, the other nine share the rest."""
    rows = np.array(
        [[confidence if k == digit else (1 - confidence) / 9 for k in range(10)] for digit, confidence in readings]
    )
    return rows.astype(np.float32)


#           label:  0         1         2         3         4         5
A = answers((0, 0.9), (7, 0.5), (2, 0.9), (8, 0.6), (9, 0.5), (6, 0.8))
B = answers((0, 0.8), (1, 0.7), (0, 0.6), (8, 0.7), (7, 0.9), (5, 0.9))


@pytest.fixture(scope="module")
def shipped() -> dict[str, Probabilities]:
    return {path.name: read_predictions(path) for path in sorted(BUNDLED_RUNS.iterdir())}


def test_two_networks_by_hand() -> None:
    pair = compare_pair(LABELS, A, B)
    assert pair.only_a_misreads.tolist() == [5, 1]  # surer of 5
    assert pair.only_b_misreads.tolist() == [2]
    assert pair.both_misread.tolist() == [4, 3]  # 0.5 + 0.9 before 0.6 + 0.7
    assert pair.disagree.tolist() == [5, 2, 4, 1]  # 1.7, 1.5, 1.4, 1.2


def test_two_networks_that_are_one() -> None:
    pair = compare_pair(LABELS, A, A)
    assert not len(pair.only_a_misreads) + len(pair.only_b_misreads) + len(pair.disagree)
    assert sorted(pair.both_misread.tolist()) == [1, 3, 4, 5]


@pytest.mark.parametrize(("first", "second"), [("chollet", "nehlr"), ("garcia", "fast")])
def test_two_networks_as_counted_in_a_loop(first: str, second: str, mnist: Mnist, shipped) -> None:
    expected: dict[str, set[int]] = {"only_a_misreads": set(), "only_b_misreads": set(), "both_misread": set()}
    disagree = set()
    for index, label in enumerate(mnist.y_test.tolist()):
        a, b = int(shipped[first][index].argmax()), int(shipped[second][index].argmax())
        if a != b:
            disagree.add(index)
        if a != label or b != label:
            kind = (
                "both_misread" if a != label and b != label else "only_a_misreads" if a != label else "only_b_misreads"
            )
            expected[kind].add(index)
    pair = compare_pair(mnist.y_test, shipped[first], shipped[second])
    for kind, indices in {**expected, "disagree": disagree}.items():
        found = getattr(pair, kind)
        assert len(found) == len(indices) > 0
        assert set(found.tolist()) == indices
    # The other way round, a and b change places.
    turned = compare_pair(mnist.y_test, shipped[second], shipped[first])
    assert turned.only_a_misreads.tolist() == pair.only_b_misreads.tolist()
    assert turned.disagree.tolist() == pair.disagree.tolist()


def test_how_many_fail() -> None:
    assert failures(LABELS, [A, B]).tolist() == [0, 1, 1, 2, 2, 1]
    assert failures(LABELS, [A]).tolist() == [0, 1, 0, 1, 1, 1]
    assert failures(LABELS, []).tolist() == [0] * 6


def test_what_all_misread_and_what_is_hard() -> None:
    failed = np.array([0, 3, 1, 4, 2, 4, 3])
    assert misread_by_all(failed, 4).tolist() == [3, 5]
    assert hard_for_all(failed, 4).tolist() == [3, 5, 1, 6, 4]
    assert hard_for_all(failed, 7).tolist() == [3, 5]  # of seven, three are less than half
    assert misread_by_all(failed, 7).tolist() == []


def test_without_networks_nothing_is_hard() -> None:
    nobody = failures(LABELS, [])
    assert not len(misread_by_all(nobody, 0))
    assert not len(hard_for_all(nobody, 0))


def test_of_the_runs_that_ship_the_hard_ones_come_first(mnist: Mnist, shipped) -> None:
    failed = failures(mnist.y_test, list(shipped.values()))
    hard = hard_for_all(failed, len(shipped)).tolist()
    every = misread_by_all(failed, len(shipped)).tolist()
    wrong = [{i for i in range(10_000) if p[i].argmax() != mnist.y_test[i]} for p in shipped.values()]
    assert set(every) == set.intersection(*wrong) != set()
    assert hard[: len(every)] == every
    assert len(hard) == sum(sum(i in some for some in wrong) * 2 >= len(wrong) for i in range(10_000))
    assert failed.sum() == sum(map(len, wrong))


def test_contradiction_by_hand() -> None:
    labels = np.array([8, 8, 8, 8], np.uint8)
    sure = answers((9, 1.0), (8, 1.0), (9, 1.0), (9, 0.7))
    other = answers((9, 1.0), (8, 1.0), (3, 1.0), (8, 0.7))
    both = contradict(labels, [sure, other])
    assert both.strength == pytest.approx([1, -1, 0.5, 0], abs=1e-6)  # sure of different digits: half of it
    assert both.strength.dtype == np.float64
    assert both.digit[[0, 2, 3]].tolist() == [9, 3, 9]
    # 0.7 for the 8, the nine others share 0.3
    assert contradict(labels[:1], [answers((8, 0.7))]).strength == pytest.approx([0.3 / 9 - 0.7])


def test_contradiction_of_many_is_that_of_their_mean(mnist: Mnist, shipped) -> None:
    mean = np.mean([probabilities.astype(np.float64) for probabilities in shipped.values()], axis=0)
    found = contradict(mnist.y_test, list(shipped.values())).strength
    assert found.shape == (10_000,)
    assert -1 <= found.min() < found.max() <= 1
    for index in range(0, 10_000, 97):
        label = int(mnist.y_test[index])
        others = [mean[index, digit] for digit in range(10) if digit != label]
        assert found[index] == pytest.approx(max(others) - mean[index, label], abs=1e-9)
    # It is above 0 just where the mean of the networks misreads the image.
    assert np.array_equal(found > 0, mean.argmax(axis=1) != mnist.y_test)


def test_answers_are_not_written_to(shipped) -> None:
    frozen = A.copy()
    frozen.setflags(write=False)
    contradict(LABELS, [frozen, frozen])
    failures(LABELS, [frozen])


def test_the_strongest_contradiction_comes_first() -> None:
    strength = np.array([0.1, -0.5, 0.9, 0.0, 0.9])
    assert Contradictions(strength, np.zeros(5, np.intp)).ranking().tolist() == [2, 4, 0]


def test_without_networks_nothing_contradicts() -> None:
    with pytest.raises(ValueError, match="Without a network"):
        contradict(LABELS, [])
