"""What stored predictions say about a network. Pure functions over arrays.

Throughout, `labels` is (n,) of the true digits and `probabilities` is (n, 10), each row a network's answer.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mnist_core.dataset import Labels

Probabilities = NDArray[np.float32]
Indices = NDArray[np.intp]

_EPSILON = 1e-7  # Keras clips probabilities here before taking logarithms


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Return the share of images whose most probable digit is the label, 0 to 1."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean of -log(probability of the label), in nats: the loss that training lowers."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(of_label, _EPSILON, 1.0)).mean())


def confusion_matrix(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Return (10, 10) counts: row = true digit, column = digit that the network read."""
    cells = labels.astype(np.int64) * 10 + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=100).reshape(10, 10)


def mistakes(labels: Labels, probabilities: Probabilities) -> Indices:
    """Return the indices of misread images, the most confident mistake first."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    confidence = probabilities[wrong, predicted[wrong]]
    return wrong[np.argsort(-confidence, kind="stable")]


def ranking(probabilities: NDArray[np.float32], count: int = 3) -> list[tuple[int, float]]:
    """Return the `count` most probable digits of one answer, (10,), as `(digit, probability)`."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [(int(digit), float(probabilities[digit])) for digit in order]


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion; 95 % by default. (0, 1) without trials.

    Source: E. B. Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    denominator = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / denominator
    half_width = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / denominator
    return max(0.0, centre - half_width), min(1.0, centre + half_width)


def of_class(labels: Labels, digit: int | None) -> Indices:
    """Return the indices of all images of a class, in stored order; of all images for None."""
    return np.arange(len(labels)) if digit is None else np.flatnonzero(labels == digit)


def most_confused(matrix: NDArray[np.int64], count: int = 5) -> list[tuple[int, int, int]]:
    """Return the `count` largest cells beside the diagonal of a confusion matrix, as `(true, read, images)`."""
    beside = matrix.copy()
    np.fill_diagonal(beside, 0)
    order = np.argsort(-beside, axis=None, kind="stable")[:count]
    cells = [(int(cell) // 10, int(cell) % 10) for cell in order]
    return [(true, read, int(beside[true, read])) for true, read in cells if beside[true, read]]
