"""Filters and orders of answers, against loops that do the same one answer at a time."""

from __future__ import annotations

import csv
import io
import math
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.evaluation import metrics
from mnist_core.evaluation.selection import KINDS, UNSURE_BELOW, AnswerFilter, Order, select, to_csv

LABELS = np.random.default_rng(1).integers(0, 10, 400).astype(np.uint8)


def some_answers() -> np.ndarray:
    """400 answers, most of them right and sure, some wrong, some with equal confidence."""
    generator = np.random.default_rng(2)
    logits = generator.normal(size=(400, 10))
    logits[np.arange(400), LABELS] += 3
    shares = np.exp(2 * logits)
    probabilities = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    probabilities[350:] = probabilities[300:350]
    return probabilities


PROBABILITIES = some_answers()
FILTERS = st.builds(
    AnswerFilter,
    kind=st.sampled_from(KINDS),
    true=st.none() | st.integers(0, 9),
    read=st.none() | st.integers(0, 9),
    low=st.integers(0, 100),
    high=st.integers(0, 100),
    order=st.sampled_from(["confidence", "loss", "index"]),
)


def passes(label: int, answer: list[float], wanted: AnswerFilter) -> bool:
    reading = answer.index(max(answer))
    right, sure = reading == label, answer[reading]
    of_kind = {"all": True, "mistakes": not right, "unsure": right and sure < UNSURE_BELOW}
    return (
        of_kind[wanted.kind]
        and wanted.true in (None, label)
        and wanted.read in (None, reading)
        and wanted.low <= 100 * sure <= wanted.high
    )


@given(FILTERS)
@settings(max_examples=200, deadline=None)
def test_exactly_the_answers_that_pass_are_found(wanted: AnswerFilter) -> None:
    found = select(LABELS, PROBABILITIES, wanted)
    expected = [
        index
        for index, (label, answer) in enumerate(zip(LABELS.tolist(), PROBABILITIES.tolist(), strict=True))
        if passes(label, answer, wanted)
    ]
    assert sorted(found.tolist()) == expected
    if wanted.order == "index":
        assert found.tolist() == expected


def test_without_a_filter_all_mistakes_are_found() -> None:
    found = select(LABELS, PROBABILITIES, AnswerFilter())
    assert len(found) == len(LABELS) - round(len(LABELS) * metrics.accuracy(LABELS, PROBABILITIES))
    assert select(LABELS, np.eye(10, dtype=np.float32)[LABELS], AnswerFilter()).tolist() == []


def test_orders() -> None:
    by_confidence = select(LABELS, PROBABILITIES, AnswerFilter("all"))
    right = PROBABILITIES.argmax(axis=1) == LABELS
    wrong_first = right[by_confidence].tolist()
    assert wrong_first == sorted(wrong_first)
    confidence = PROBABILITIES.max(axis=1)[by_confidence]
    mistakes = int((~right).sum())
    assert (np.diff(confidence[:mistakes]) <= 0).all()  # the surest mistakes first
    assert (np.diff(confidence[mistakes:]) >= 0).all()  # the least sure right answers first
    by_loss = select(LABELS, PROBABILITIES, AnswerFilter("all", order="loss"))
    losses = [-math.log(max(float(PROBABILITIES[index, LABELS[index]]), 1e-7)) for index in by_loss]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("order", ["confidence", "loss"])
def test_equal_answers_stay_in_their_order(order: str) -> None:
    found = select(LABELS, PROBABILITIES, AnswerFilter("all", order=cast(Order, order))).tolist()
    place = {index: position for position, index in enumerate(found)}
    alike = [index for index in range(300, 350) if LABELS[index] == LABELS[index + 50]]
    assert alike
    assert all(place[index] < place[index + 50] for index in alike)


def test_csv_holds_every_answer_with_its_probabilities() -> None:
    indices = np.array([7, 3, 399])
    rows = list(csv.DictReader(io.StringIO(to_csv(LABELS, PROBABILITIES, indices))))
    assert [int(row["index"]) for row in rows] == [7, 3, 399]
    for row, index in zip(rows, indices.tolist(), strict=True):
        answer = PROBABILITIES[index]
        assert int(row["label"]) == LABELS[index]
        assert int(row["read"]) == answer.argmax()
        assert float(row["confidence"]) == pytest.approx(answer.max(), abs=1e-6)
        assert float(row["loss"]) == pytest.approx(-math.log(answer[LABELS[index]]), abs=1e-5)
        shares = [float(row[f"probability_{digit}"]) for digit in range(10)]
        np.testing.assert_allclose(shares, answer, atol=1e-6)
