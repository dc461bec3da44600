"""Scores held against scikit-learn and against numbers worked out by hand."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_core.common.arrays import Probabilities
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import confusion_matrix
from mnist_core.evaluation.scores import (
    Averages,
    calibration,
    calibration_verdict,
    classification_report,
    report_csv,
    report_rows,
)
from mnist_core.runs import BUNDLED_RUNS
from mnist_core.runs.results import read_predictions

SHIPPED = ("chollet", "five-layer", "garcia", "nehlr")


def random_answers(count: int, seed: int, sharpness: float = 3) -> tuple[NDArray[np.uint8], Probabilities]:
    """Make labels and softmax probabilities that are right about half of the time."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, count).astype(np.uint8)
    logits = generator.normal(size=(count, 10)) * sharpness
    logits[np.arange(count), labels] += sharpness
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return labels, (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def with_confidences(confidences: list[float], right: list[bool]) -> tuple[NDArray[np.uint8], Probabilities]:
    """Make answers that read a 3 with these confidences, of which some are right."""
    rows = np.repeat((1 - np.array(confidences))[:, None] / 9, 10, axis=1)
    rows[:, 3] = confidences
    return np.where(right, 3, 5).astype(np.uint8), rows.astype(np.float32)


def assert_as_scikit_learn(labels: NDArray[np.uint8], probabilities: Probabilities) -> None:
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    report = classification_report(confusion_matrix(labels, probabilities))
    reading = probabilities.argmax(axis=1)
    options = {"labels": range(10), "zero_division": 0}
    expected = precision_recall_fscore_support(labels, reading, **options)
    for ours, theirs in zip((report.precision, report.recall, report.f1, report.support), expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-12)
    for average in ("macro", "weighted"):
        *wanted, _ = precision_recall_fscore_support(labels, reading, average=average, **options)
        found: Averages = getattr(report, average)
        assert (found.precision, found.recall, found.f1) == pytest.approx(wanted, abs=1e-12)
    assert report.accuracy == pytest.approx(accuracy_score(labels, reading))


@pytest.mark.parametrize("run", SHIPPED)
def test_reports_of_the_runs_that_ship_are_those_of_scikit_learn(run: str, mnist: Mnist) -> None:
    assert_as_scikit_learn(mnist.y_test, read_predictions(BUNDLED_RUNS / run))


@pytest.mark.parametrize(("count", "seed"), [(1, 0), (7, 1), (40, 2), (3000, 3)])
def test_reports_of_few_images_are_those_of_scikit_learn(count: int, seed: int) -> None:
    """Of seven images, some digits are not there and some are never read."""
    assert_as_scikit_learn(*random_answers(count, seed))


def test_a_report_worked_out_by_hand() -> None:
    matrix = np.zeros((10, 10), np.int64)
    matrix[0, 0], matrix[0, 1], matrix[1, 1] = 6, 2, 4
    report = classification_report(matrix)
    assert report.precision[:2] == pytest.approx([1, 4 / 6])
    assert report.recall[:2] == pytest.approx([6 / 8, 1])
    assert report.f1[:2] == pytest.approx([2 * 0.75 / 1.75, 0.8])
    assert report.support.tolist() == [8, 4, 0, 0, 0, 0, 0, 0, 0, 0]
    assert report.accuracy == pytest.approx(10 / 12)
    assert report.macro.recall == pytest.approx(1.75 / 10)  # eight digits without images count as 0
    assert report.weighted.recall == pytest.approx(10 / 12)


def test_a_digit_that_is_never_read_has_precision_zero() -> None:
    matrix = np.diag(np.full(10, 5))
    matrix[4, 4], matrix[4, 9] = 0, 5
    report = classification_report(matrix)
    assert (report.precision[4], report.recall[4], report.f1[4]) == (0, 0, 0)
    assert report.precision[9] == 0.5
    assert np.isfinite(report.precision).all()


def test_the_lines_of_a_report_are_those_of_scikit_learn(mnist: Mnist) -> None:
    from sklearn.metrics import classification_report as report_of_scikit_learn

    probabilities = read_predictions(BUNDLED_RUNS / "nehlr")
    printed = report_of_scikit_learn(mnist.y_test, probabilities.argmax(axis=1), digits=4)
    expected = [line.split("  ") for line in printed.splitlines()[1:] if line.strip()]
    expected = [[word.strip() for word in line if word.strip()] for line in expected]
    rows = report_rows(classification_report(confusion_matrix(mnist.y_test, probabilities)))
    ours = [[row.name, *(f"{share:.4f}" for share in row[1:4] if share is not None), str(row.support)] for row in rows]
    assert ours == expected
    read = list(
        csv.reader(io.StringIO(report_csv(classification_report(confusion_matrix(mnist.y_test, probabilities)))))
    )
    assert read[0] == ["", "precision", "recall", "f1-score", "support"]
    assert len(read) == 14
    assert [float(share) for share in read[8][1:4]] == pytest.approx(rows[7][1:4], abs=1e-6)
    assert read[11][:3] == ["accuracy", "", ""]


def test_a_report_without_images_is_zero() -> None:
    report = classification_report(np.zeros((10, 10), np.int64))
    assert report.accuracy == 0
    assert report.macro == report.weighted == Averages(0, 0, 0)


@pytest.mark.parametrize("bins", [10, 15, 20])
@pytest.mark.parametrize("run", SHIPPED)
def test_calibration_is_that_of_scikit_learn(run: str, bins: int, mnist: Mnist) -> None:
    from sklearn.calibration import calibration_curve

    probabilities = read_predictions(BUNDLED_RUNS / run)
    result = calibration(mnist.y_test, probabilities, bins)
    right = probabilities.argmax(axis=1) == mnist.y_test
    sure = np.minimum(probabilities.max(axis=1).astype(np.float64), 1)
    share, confidence = calibration_curve(right, sure, n_bins=bins)
    filled = result.count > 0
    assert result.accuracy[filled] == pytest.approx(share)
    assert result.confidence[filled] == pytest.approx(confidence)
    assert np.isnan(result.accuracy[~filled]).all()
    assert np.isnan(result.confidence[~filled]).all()
    assert result.bins == bins
    assert result.count.sum() == 10_000


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_errors_are_as_computed_in_a_loop(bins: int) -> None:
    labels, probabilities = random_answers(1500, seed=4)
    groups: dict[int, list[tuple[float, bool]]] = {}
    for label, row in zip(labels.tolist(), probabilities.astype(np.float64).tolist(), strict=True):
        confidence = max(row)
        place = next(k for k in range(bins) if confidence <= (k + 1) / bins or k == bins - 1)
        groups.setdefault(place, []).append((confidence, row.index(confidence) == label))
    gaps = {
        place: abs(sum(right for _, right in group) - sum(sure for sure, _ in group)) / len(group)
        for place, group in groups.items()
    }
    result = calibration(labels, probabilities, bins)
    assert result.expected_error == pytest.approx(sum(gaps[k] * len(groups[k]) for k in groups) / 1500)
    assert result.maximum_error == pytest.approx(max(gaps.values()))


def test_calibration_worked_out_by_hand() -> None:
    labels, probabilities = with_confidences([0.25, 0.75, 0.75, 0.75, 1.0], [False, True, True, False, True])
    result = calibration(labels, probabilities, 4)
    assert result.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert result.count.tolist() == [1, 0, 3, 1]  # what lies on an edge belongs to the bin below it
    assert result.accuracy[[0, 2, 3]] == pytest.approx([0, 2 / 3, 1])
    assert result.confidence[[0, 2, 3]] == pytest.approx([0.25, 0.75, 1])
    assert np.isnan(result.accuracy[1])
    assert np.isnan(result.confidence[1])
    assert result.expected_error == pytest.approx((0.25 + 3 * (0.75 - 2 / 3)) / 5)
    assert result.maximum_error == pytest.approx(0.25)


def test_a_confidence_just_above_one_falls_into_the_last_bin() -> None:
    """A softmax in single precision gives 1.0000001 now and then."""
    labels, probabilities = with_confidences([1.0], [True])
    probabilities[0, 3] = np.nextafter(np.float32(1), np.float32(2))
    assert calibration(labels, probabilities, 10).count.tolist() == [0] * 9 + [1]


@pytest.mark.parametrize(("images", "bins"), [(0, 10), (1, 0)])
def test_calibration_needs_images_and_bins(images: int, bins: int) -> None:
    with pytest.raises(ValueError, match="one image and one bin"):
        calibration(np.zeros(images, np.uint8), np.zeros((images, 10), np.float32), bins)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (
            [True] * 7 + [False] * 3,
            "On the other 10, its confidence is 70.0% on average, and it is right 70.0% of the time: well",
        ),
        ([True] + [False] * 9, "right 10.0% of the time: overconfident."),
        ([True] * 8, "right 100.0% of the time: well calibrated."),  # eight images cannot tell 70% from 100%
        ([True] * 40, "right 100.0% of the time: underconfident."),
        ([False], "On the other image, its confidence is 70.0%"),
        ([], "right 99.0% of the time."),
    ],
)
def test_what_calibration_comes_to_in_words(others: list[bool], expected: str) -> None:
    labels, probabilities = with_confidences([0.95] * 100 + [0.7] * len(others), [True] * 99 + [False, *others])
    said = calibration_verdict(calibration(labels, probabilities, 10))
    assert said.startswith("Where its confidence is 90% to 100%, as on 100 images, it is right 99.0% of the time.")
    assert expected in said


def test_odd_bins_are_named_without_many_digits() -> None:
    said = calibration_verdict(calibration(*with_confidences([0.95], [True]), 15))
    assert said.startswith("Where its confidence is 93.3% to 100%")
