"""Fifteen test images whose label is disputed, and what people said who were asked.

Source: C. G. Northcutt, A. Athalye and J. Mueller (2021), "Pervasive Label Errors in Test Sets Destabilize Machine
Learning Benchmarks", NeurIPS Datasets and Benchmarks. For each image that a network found suspicious, five people were
shown the given label and the digit that the network suggested, and said which of the two it is, or neither. Listed are
the images whose label fewer than three of the five kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mnist_core.common.arrays import Labels, Probabilities
from mnist_core.evaluation.metrics import accuracy

PEOPLE = 5  # who were asked about each image
MAJORITY = 3  # of them


@dataclass(frozen=True)
class DisputedLabel:
    """A test image, its given label, the digit suggested instead, and how many of the five people chose which."""

    index: int
    label: int
    suggested: int
    label_votes: int
    suggested_votes: int
    neither_votes: int

    def votes_for(self, reading: int | None) -> int:
        """Return how many of the five people said the same as `reading`.

        Any other digit than the two that they were shown, or None for one who cannot tell, counts as neither.
        """
        return {self.label: self.label_votes, self.suggested: self.suggested_votes}.get(
            -1 if reading is None else reading, self.neither_votes
        )

    @property
    def sentence(self) -> str:
        """What the five people said: "Disputed label: 0 of 5 people kept the 8, 5 said 9."."""
        others = [
            said
            for votes, said in (
                (self.suggested_votes, f"{self.suggested_votes} said {self.suggested}"),
                (self.neither_votes, f"{self.neither_votes} said neither {self.label} nor {self.suggested}"),
            )
            if votes
        ]
        return f"Disputed label: {self.label_votes} of {PEOPLE} people agreed with {self.label}, {', '.join(others)}."


_LISTED = (
    DisputedLabel(947, 8, 9, 0, 5, 0),
    DisputedLabel(1621, 0, 6, 2, 3, 0),
    DisputedLabel(1901, 9, 4, 2, 3, 0),
    DisputedLabel(2130, 4, 9, 2, 2, 1),
    DisputedLabel(2462, 2, 0, 0, 4, 1),
    DisputedLabel(2597, 5, 3, 0, 4, 1),
    DisputedLabel(2654, 6, 1, 0, 2, 3),
    DisputedLabel(3520, 6, 4, 2, 0, 3),
    DisputedLabel(3558, 5, 0, 1, 4, 0),
    DisputedLabel(5937, 5, 3, 1, 3, 1),
    DisputedLabel(6651, 0, 6, 0, 5, 0),
    DisputedLabel(6783, 1, 6, 2, 3, 0),
    DisputedLabel(8527, 4, 9, 2, 2, 1),
    DisputedLabel(9679, 6, 3, 2, 0, 3),
    DisputedLabel(9729, 5, 6, 2, 3, 0),
)

DISPUTED: dict[int, DisputedLabel] = {disputed.index: disputed for disputed in _LISTED}  # by index, ascending


def accuracy_without_disputed(labels: Labels, probabilities: Probabilities) -> float:
    """Return the share of test images read right, 0 to 1, with the disputed ones left out.

    `labels` is (10000,) of all test images in stored order, `probabilities` (10000, 10).
    """
    kept = np.ones(len(labels), dtype=bool)
    kept[list(DISPUTED)] = False
    return accuracy(labels[kept], probabilities[kept])
