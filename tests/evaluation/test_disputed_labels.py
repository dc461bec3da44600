"""The fifteen disputed labels: as they were published, and what leaving them out does to an accuracy."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.disputed_labels import DISPUTED, MAJORITY, PEOPLE, accuracy_without_disputed
from mnist_core.runs import BUNDLED_RUNS
from mnist_core.runs.results import read_predictions

# Index (given label; votes for it / for the suggested digit for that digit / for neither), as the list is written.
PUBLISHED = """
    947 (8; 0/5 for 9/0), 1621 (0; 2/3 for 6/0), 1901 (9; 2/3 for 4/0), 2130 (4; 2/2 for 9/1), 2462 (2; 0/4 for 0/1),
    2597 (5; 0/4 for 3/1), 2654 (6; 0/2 for 1/3), 3520 (6; 2/0 for 4/3), 3558 (5; 1/4 for 0/0), 5937 (5; 1/3 for 3/1),
    6651 (0; 0/5 for 6/0), 6783 (1; 2/3 for 6/0), 8527 (4; 2/2 for 9/1), 9679 (6; 2/0 for 3/3), 9729 (5; 2/3 for 6/0)
"""


def test_the_list_is_the_published_one() -> None:
    published = [tuple(map(int, re.findall(r"\d+", entry))) for entry in PUBLISHED.split("),")]
    ours = [
        (each.index, each.label, each.label_votes, each.suggested_votes, each.suggested, each.neither_votes)
        for each in DISPUTED.values()
    ]
    assert ours == published
    assert len(ours) == 15
    assert list(DISPUTED) == sorted(DISPUTED)
    assert all(index == each.index for index, each in DISPUTED.items())


def test_labels_are_those_of_the_data(mnist: Mnist) -> None:
    assert [each.label for each in DISPUTED.values()] == mnist.y_test[list(DISPUTED)].tolist()


@pytest.mark.parametrize("disputed", DISPUTED.values(), ids=str)
def test_five_people_voted_and_fewer_than_three_kept_the_label(disputed) -> None:
    assert disputed.label_votes + disputed.suggested_votes + disputed.neither_votes == PEOPLE == 5
    assert disputed.label_votes < MAJORITY == 3
    assert disputed.suggested != disputed.label
    assert {disputed.label, disputed.suggested} <= set(range(10))


def test_what_people_said_in_a_sentence() -> None:
    assert DISPUTED[947].sentence == "Disputed label: 0 of 5 people agreed with 8, 5 said 9."
    assert DISPUTED[2130].sentence == "Disputed label: 2 of 5 people agreed with 4, 2 said 9, 1 said neither 4 nor 9."
    assert DISPUTED[3520].sentence == "Disputed label: 2 of 5 people agreed with 6, 3 said neither 6 nor 4."


def test_who_said_the_same() -> None:
    disputed = DISPUTED[2654]  # 0 for 6, 2 for 1, 3 for neither
    assert [disputed.votes_for(reading) for reading in (6, 1, 4, 0, None)] == [0, 2, 3, 3, 3]


def test_nothing_changes_the_list() -> None:
    disputed: Any = DISPUTED[947]
    with pytest.raises(FrozenInstanceError):
        disputed.label = 9


def test_accuracy_without_the_disputed_images(mnist: Mnist) -> None:
    probabilities = read_predictions(BUNDLED_RUNS / "nehlr")
    right = [
        int(row.argmax()) == label
        for index, (row, label) in enumerate(zip(probabilities, mnist.y_test.tolist(), strict=True))
        if index not in DISPUTED
    ]
    assert len(right) == 9985
    assert accuracy_without_disputed(mnist.y_test, probabilities) == pytest.approx(sum(right) / 9985)

    certain = np.eye(10, dtype=np.float32)[mnist.y_test]
    certain[list(DISPUTED)] = np.eye(10, dtype=np.float32)[[each.suggested for each in DISPUTED.values()]]
    assert accuracy_without_disputed(mnist.y_test, certain) == 1
