"""Answers of networks made up: probabilities in rows, one for each image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Six answers, for what can be worked out by hand: four of them are right.
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
