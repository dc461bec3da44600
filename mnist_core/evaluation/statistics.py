"""How sure a figure is: the interval of an accuracy, and whether two networks differ by more than chance.

By hand: `scipy.stats` takes 69 MB and 0.7 s in the server; statsmodels is built on it.

Throughout, `labels` is (n,) of the true digits and `probabilities` is (n, 10), each row a network's prediction.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Labels, Probabilities
from mnist_core.evaluation.metrics import confusion_matrix


@dataclass(frozen=True)
class McNemar:
    """How two networks, a and b, read the same images: counts of images, and McNemar's exact p-value, in (0, 1]."""

    both_right: int
    only_a_right: int
    only_b_right: int
    both_wrong: int
    p_value: float


@dataclass(frozen=True)
class ClassAccuracies:
    """How well each digit is read; all arrays are (10,). `low` and `high` bound the share by its Wilson interval."""

    images: NDArray[np.int64]
    right: NDArray[np.int64]
    share: NDArray[np.float64]  # right / images, NaN for a digit without images
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion; 95% by default. (0, 1) without trials.

    Source: E. B. Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    denominator = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / denominator
    half_width = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / denominator
    return max(0.0, centre - half_width), min(1.0, centre + half_width)


def class_accuracies(labels: Labels, probabilities: Probabilities) -> ClassAccuracies:
    """Return how many images of each true digit are read right, and their share (the recall of the class)."""
    matrix = confusion_matrix(labels, probabilities)
    images, right = matrix.sum(axis=1), matrix.diagonal().copy()
    share = np.divide(right, images, out=np.full(10, np.nan), where=images > 0)
    low, high = np.array([wilson_interval(*counts) for counts in zip(right.tolist(), images.tolist(), strict=True)]).T
    return ClassAccuracies(images, right, share, low, high)


def mcnemar(labels: Labels, probabilities_a: Probabilities, probabilities_b: Probabilities) -> McNemar:
    """Compare two networks on the same images by McNemar's test, in its exact form.

    Only the images that one network alone reads right tell the two apart. If both were equally good, each of these
    would fall to either with probability 1/2; the p-value is how often a split at least as uneven would come about,
    a two-sided binomial test, at most 1.

    Source: Q. McNemar (1947), Psychometrika 12, 153-157, whose chi-squared approximation this does without.
    Raises `ValueError` unless all three are about the same number of images.
    """
    if not len(labels) == len(probabilities_a) == len(probabilities_b):
        raise ValueError("McNemar's test needs the answers of both networks to the same images.")
    a_right = probabilities_a.argmax(axis=1) == labels
    b_right = probabilities_b.argmax(axis=1) == labels
    only_a, only_b = int(np.sum(a_right & ~b_right)), int(np.sum(b_right & ~a_right))
    return McNemar(
        both_right=int(np.sum(a_right & b_right)),
        only_a_right=only_a,
        only_b_right=only_b,
        both_wrong=int(np.sum(~a_right & ~b_right)),
        p_value=_two_sided_binomial(only_a, only_b),
    )


def _two_sided_binomial(a: int, b: int) -> float:
    """Return the probability that a + b tosses of a fair coin split at least as unevenly as a to b.

    The largest probability of the tail is a quotient of exact integers, the others follow by P(k - 1) = P(k) k /
    (n - k + 1): a relative error below 1e-12. What is too small for a float comes as the smallest normal one, not as 0.
    """
    fewer, tosses = min(a, b), a + b
    tail = probability = math.comb(tosses, fewer) / (1 << tosses)
    for k in range(fewer, 0, -1):
        probability *= k / (tosses - k + 1)
        tail += probability
    return min(1.0, max(2 * tail, sys.float_info.min))
