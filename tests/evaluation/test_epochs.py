"""What the answers after each epoch say: when an image was learned, and when it was forgotten."""

from __future__ import annotations

import numpy as np

from mnist_core.evaluation.epochs import EpochPredictions, Turn, accuracies, turned, turns, unsettled


def epoch_predictions_of(*rows: str) -> tuple[np.ndarray, EpochPredictions]:
    """Labels, and predictions in which each row is an epoch and each letter an image: `r` right, `w` wrong."""
    labels = np.arange(len(rows[0]), dtype=np.uint8) % 10
    probabilities = np.zeros((len(rows), len(labels), 10), np.float16)
    for epoch, row in enumerate(rows):
        for image, letter in enumerate(row):
            digit = labels[image] if letter == "r" else (labels[image] + 1) % 10
            probabilities[epoch, image, digit] = 1
    return labels, EpochPredictions(tuple(range(1, len(rows) + 1)), probabilities)


def test_what_an_epoch_learned_and_forgot() -> None:
    labels, history = epoch_predictions_of("rwwrw", "rrwww", "wrwrw")
    np.testing.assert_allclose(accuracies(labels, history), [0.4, 0.4, 0.4])
    assert turned(labels, history, 0, "learned").tolist() == [0, 3]
    assert turned(labels, history, 0, "forgotten").tolist() == []
    assert turned(labels, history, 1, "learned").tolist() == [1]
    assert turned(labels, history, 1, "forgotten").tolist() == [3]
    assert turned(labels, history, 2, "learned").tolist() == [3]
    assert turned(labels, history, 2, "forgotten").tolist() == [0]


def test_the_turns_of_one_image() -> None:
    labels, history = epoch_predictions_of("rwww", "wrww", "rrwr")
    assert turns(labels, history, 0) == [Turn(1, "learned"), Turn(2, "forgotten"), Turn(3, "learned")]
    assert turns(labels, history, 1) == [Turn(2, "learned")]
    assert turns(labels, history, 2) == []
    assert turns(labels, history, 3) == [Turn(3, "learned")]


def test_unsettled_images_were_once_forgotten_and_come_by_turns() -> None:
    labels, history = epoch_predictions_of("rwrwr", "wwrrr", "rwrww", "wwrwr")
    found, count = unsettled(labels, history)
    assert found.tolist() == [0, 4, 3]
    assert count.tolist() == [4, 0, 1, 2, 3]
    for image in range(len(labels)):
        assert count[image] == len(turns(labels, history, image))
