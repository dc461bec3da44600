"""What the predictions after each epoch say: what was learned, what forgotten. Pure functions over arrays.

Throughout, `labels` is (n,) of the true digits of the test images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Indices, Labels, Probabilities

HalfProbabilities = NDArray[np.float16]
TurnKind = Literal["learned", "forgotten"]


@dataclass(frozen=True)
class EpochPredictions:
    """The answers after some epochs, in order; epochs whose file is missing or damaged are left out."""

    epochs: tuple[int, ...]  # counted from 1
    probabilities: HalfProbabilities  # (epochs, 10000, 10)

    def __len__(self) -> int:
        """Return the number of epochs that can be shown."""
        return len(self.epochs)

    def at(self, position: int) -> Probabilities:
        """Return the answers after one epoch, (10000, 10) float32; `position` counts from 0."""
        probabilities: Probabilities = self.probabilities[position].astype(np.float32)
        return probabilities

    @property
    def missing(self) -> tuple[int, ...]:
        """The epochs before the last one whose answers are missing."""
        return tuple(epoch for epoch in range(1, max(self.epochs, default=0)) if epoch not in self.epochs)

    @cached_property
    def readings(self) -> NDArray[np.uint8]:
        """The most probable digit of each image after each epoch, (epochs, 10000)."""
        readings: NDArray[np.uint8] = self.probabilities.argmax(axis=2).astype(np.uint8)
        return readings


@dataclass(frozen=True)
class Turn:
    """An epoch in which a network's answer to one image changed from wrong to right, or back."""

    epoch: int
    kind: TurnKind


def accuracies(labels: Labels, predictions: EpochPredictions) -> NDArray[np.float64]:
    """Return the share of test images that are right after each epoch, (epochs,)."""
    shares: NDArray[np.float64] = np.mean(predictions.readings == labels, axis=1)
    return shares


def turned(labels: Labels, predictions: EpochPredictions, position: int, kind: TurnKind) -> Indices:
    """Return the images that the epoch at `position` made right (learned) or wrong (forgotten), by index.

    The first epoch has learned what is right after it: before it, nothing counts as right.
    """
    right = predictions.readings[position] == labels
    before = predictions.readings[position - 1] == labels if position else np.zeros(len(labels), bool)
    return np.flatnonzero(right & ~before if kind == "learned" else before & ~right)


def turns(labels: Labels, predictions: EpochPredictions, index: int) -> list[Turn]:
    """Return when the answer to one image became right or wrong; it counts as wrong before the first epoch."""
    right = predictions.readings[:, index] == labels[index]
    before = np.concatenate([[False], right[:-1]])
    return [
        Turn(epoch, "learned" if now else "forgotten")
        for epoch, now, then in zip(predictions.epochs, right.tolist(), before.tolist(), strict=True)
        if now != then
    ]


def unsettled(labels: Labels, predictions: EpochPredictions) -> tuple[Indices, NDArray[np.int64]]:
    """Return the images that were forgotten at least once, those with the most turns first, and the turns of all.

    Indices are (k,), turns (10000,): how often the answer became right or wrong, as `turns` counts.
    """
    right = predictions.readings == labels
    before = np.concatenate([np.zeros((1, len(labels)), bool), right[:-1]])
    count = (right != before).sum(axis=0)
    forgotten = np.flatnonzero((before & ~right).any(axis=0))
    return forgotten[np.argsort(-count[forgotten], kind="stable")], count
