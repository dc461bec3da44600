"""What stored predictions say about a network. Pure functions over arrays.

Throughout, `labels` is (n,) of the true digits and `probabilities` is (n, 10), each row a network's answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Labels, Probabilities

_EPSILON = 1e-7  # Keras clips probabilities here before taking logarithms


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Return the share of images whose most probable digit is the label, 0 to 1."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean of -log(probability of the label), in nats: the loss that training lowers."""
    return float(losses(labels, probabilities).mean())


def losses(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """Return -log(probability of the label) of each image, (n,), in nats: how wrong an answer is."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return -np.log(np.clip(of_label, _EPSILON, 1.0))


def confusion_matrix(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Return (10, 10) counts: row = true digit, column = digit that the network read."""
    cells = labels.astype(np.int64) * 10 + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=100).reshape(10, 10)


def ranking(probabilities: NDArray[np.float32], count: int = 3) -> list[tuple[int, float]]:
    """Return the `count` most probable digits of one answer, (10,), as `(digit, probability)`."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [(int(digit), float(probabilities[digit])) for digit in order]


def most_confused(matrix: NDArray[np.int64], count: int = 5) -> list[tuple[int, int, int]]:
    """Return the `count` largest cells beside the diagonal of a confusion matrix, as `(true, read, images)`."""
    beside = matrix.copy()
    np.fill_diagonal(beside, 0)
    order = np.argsort(-beside, axis=None, kind="stable")[:count]
    cells = [(int(cell) // 10, int(cell) % 10) for cell in order]
    return [(true, read, int(beside[true, read])) for true, read in cells if beside[true, read]]
