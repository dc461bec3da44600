"""Several networks on the same images: where they differ, what is hard for all, where all contradict the label.

Throughout, `labels` is (n,) of the given digits, and each network's answers are (n, 10) probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Indices, Labels, Probabilities


@dataclass(frozen=True)
class PairOfNetworks:
    """Indices of the images that networks a and b read differently or wrongly; each the surest answers first."""

    only_a_misreads: Indices
    only_b_misreads: Indices
    both_misread: Indices
    disagree: Indices  # they read different digits, one of which may be right


@dataclass(frozen=True)
class Contradictions:
    """How strongly networks contradict each label, and with which digit; see `contradict`."""

    strength: NDArray[np.float64]  # (n,) in [-1, 1]
    digit: NDArray[np.intp]  # (n,), the most probable one beside the label

    def ranking(self) -> Indices:
        """Return the indices of all images whose label is contradicted, above 0, the strongest first."""
        return _descending(self.strength > 0, self.strength)


def compare_pair(labels: Labels, a: Probabilities, b: Probabilities) -> PairOfNetworks:
    """Sort images by which of two networks misreads them.

    Those that one alone misreads come by its confidence, the others by the sum of both confidences, the largest first.
    """
    read_a, read_b = a.argmax(axis=1), b.argmax(axis=1)
    wrong_a, wrong_b = read_a != labels, read_b != labels
    sure_a, sure_b = a.max(axis=1), b.max(axis=1)
    return PairOfNetworks(
        only_a_misreads=_descending(wrong_a & ~wrong_b, sure_a),
        only_b_misreads=_descending(wrong_b & ~wrong_a, sure_b),
        both_misread=_descending(wrong_a & wrong_b, sure_a + sure_b),
        disagree=_descending(read_a != read_b, sure_a + sure_b),
    )


def failures(labels: Labels, answers: Sequence[Probabilities]) -> NDArray[np.int64]:
    """Return how many of the networks misread each image, (n,), from 0 to their number."""
    counts = np.zeros(len(labels), np.int64)
    for probabilities in answers:
        counts += probabilities.argmax(axis=1) != labels
    return counts


def misread_by_all(failed: NDArray[np.int64], networks: int) -> Indices:
    """Return the indices of the images that every network gets wrong, ascending; `failed` is as `failures` gives it."""
    return np.flatnonzero(failed >= max(1, networks))


def hard_for_all(failed: NDArray[np.int64], networks: int) -> Indices:
    """Return the indices of the images that at least half of the networks misread, those that most misread first.

    `failed` is as `failures` gives it. Images that equally many misread come in stored order.
    """
    return _descending((2 * failed >= networks) & (failed > 0), failed)


def contradict(labels: Labels, answers: Sequence[Probabilities]) -> Contradictions:
    """Return how strongly all networks together contradict each label.

    The probabilities are averaged over the networks; then it is that of the most probable other digit less that of the
    label: 1 if all are certain of one and the same other digit, -1 if all are certain of the label, above 0 if together
    they would rather read another one. Raises `ValueError` without networks.
    """
    if not answers:
        raise ValueError("Without a network nothing contradicts a label.")
    mean = np.zeros(answers[0].shape)
    for probabilities in answers:
        mean += probabilities
    mean /= len(answers)
    rows = np.arange(len(labels))
    of_label = mean[rows, labels]
    mean[rows, labels] = -1
    return Contradictions(mean.max(axis=1) - of_label, mean.argmax(axis=1))


def _descending(
    chosen: NDArray[np.bool_], values: NDArray[np.float32] | NDArray[np.float64] | NDArray[np.int64]
) -> Indices:
    """Return the indices of what is chosen, the largest value first, equal ones in stored order."""
    indices = np.flatnonzero(chosen)
    return indices[np.argsort(-values[indices], kind="stable")]
