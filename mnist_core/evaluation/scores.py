"""Scores of a classifier beyond its accuracy: class by class, and whether its confidence can be believed.

By hand: `sklearn.metrics` takes 150 MB and 2.5 s in the server; the tests compare with it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Labels, Probabilities
from mnist_core.common.text import percent
from mnist_core.evaluation.statistics import wilson_interval

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Averages:
    """Precision, recall and F1 averaged over the classes, shares from 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ClassificationReport:
    """How well each class is read; arrays are (classes,), shares from 0 to 1. See `classification_report`."""

    precision: Values  # of what is read as this digit, the share that is one
    recall: Values  # of these digits, the share that is read as one
    f1: Values  # the harmonic mean of both
    support: NDArray[np.int64]  # images with this label
    accuracy: float  # of all images, the share that is read right
    macro: Averages  # every class counts the same
    weighted: Averages  # every class counts by its support


class ReportRow(NamedTuple):
    """A line of a classification report; the line of the accuracy has neither precision nor recall of its own."""

    name: str
    precision: float | None
    recall: float | None
    f1: float
    support: int


@dataclass(frozen=True)
class Calibration:
    """Confidence against accuracy, bin by bin; arrays are (bins,). See `calibration`."""

    edges: Values  # (bins + 1,), from 0 to 1; a bin holds its upper edge, not its lower one
    count: NDArray[np.int64]  # images whose answer is as confident as that
    confidence: Values  # their mean confidence, NaN in an empty bin
    accuracy: Values  # the share of them that is read right, NaN in an empty bin
    expected_error: float  # mean of |accuracy - confidence| over the bins, weighted by count
    maximum_error: float  # the largest of them

    @property
    def bins(self) -> int:
        """The number of bins."""
        return len(self.count)


def classification_report(matrix: NDArray[np.int64]) -> ClassificationReport:
    """Return the scores of each class from a confusion matrix, (classes, classes): rows true digits, columns readings.

    What is undefined is 0, as scikit-learn has it by default: the precision of a digit that was never read, the recall
    of one without images, an F1 of which both are 0, and all of them without any image.
    """
    right = matrix.diagonal()
    read, support = matrix.sum(axis=0), matrix.sum(axis=1)
    precision, recall = _share(right, read), _share(right, support)
    f1 = _share(2 * right, read + support)
    macro = Averages(*(float(values.mean()) for values in (precision, recall, f1)))
    weights = _share(support, support.sum())
    weighted = Averages(*(float(values @ weights) for values in (precision, recall, f1)))
    accuracy = float(_share(right.sum(), support.sum()))
    return ClassificationReport(precision, recall, f1, support, accuracy, macro, weighted)


def report_rows(report: ClassificationReport) -> list[ReportRow]:
    """Return a report line by line, in the order and with the names of scikit-learn's: its accuracy stands under F1."""
    columns = (report.precision.tolist(), report.recall.tolist(), report.f1.tolist(), report.support.tolist())
    images = int(report.support.sum())
    macro, weighted = report.macro, report.weighted
    return [
        *(ReportRow(str(digit), *values) for digit, values in enumerate(zip(*columns, strict=True))),
        ReportRow("accuracy", None, None, report.accuracy, images),
        ReportRow("macro avg", macro.precision, macro.recall, macro.f1, images),
        ReportRow("weighted avg", weighted.precision, weighted.recall, weighted.f1, images),
    ]


def report_csv(report: ClassificationReport) -> str:
    """Return a report as CSV, shares from 0 to 1 with six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["", "precision", "recall", "f1-score", "support"])
    for name, *shares, support in report_rows(report):
        writer.writerow([name, *("" if share is None else f"{share:.6f}" for share in shares), support])
    return text.getvalue()


def calibration(labels: Labels, probabilities: Probabilities, bins: int = 10) -> Calibration:
    """Sort answers by confidence, the probability of the digit that is read, into `bins` bins of equal width.

    A network is well calibrated if, of all answers given with 80% confidence, 80% are right. The expected calibration
    error says by how much it is not, in [0, 1]. It depends on the number of bins, so that belongs beside it.

    `labels` is (n,), `probabilities` (n, 10). Raises `ValueError` without images or bins.

    Sources: M. P. Naeini, G. F. Cooper and M. Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using
    Bayesian Binning", AAAI; C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), "On Calibration of Modern Neural
    Networks", ICML, whose bins these are: (0, 1/bins], (1/bins, 2/bins], …
    """
    if bins < 1 or not len(labels):
        raise ValueError("Calibration needs one image and one bin at least.")
    sure = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    places = np.searchsorted(edges[1:-1], sure)
    count = np.bincount(places, minlength=bins)
    confidence, accuracy = (
        np.divide(np.bincount(places, values, bins), count, out=np.full(bins, np.nan), where=count > 0)
        for values in (sure, right)
    )
    gaps = np.nan_to_num(np.abs(accuracy - confidence))
    return Calibration(edges, count, confidence, accuracy, float(gaps @ count / count.sum()), float(gaps.max()))


def calibration_verdict(result: Calibration) -> str:
    """Say in two sentences how far the confidence of a network can be believed: in the fullest bin, and elsewhere.

    It counts as too sure, or not sure enough, where its mean confidence is outside the 95% interval of its accuracy.
    """
    fullest = int(result.count.argmax())
    low, high = (f"{100 * edge:.3g}%" for edge in result.edges[fullest : fullest + 2])
    said = (
        f"Where its confidence is {low} to {high}, as on {result.count[fullest]:,} images, it is right "
        f"{percent(result.accuracy[fullest], 1)} of the time."
    )
    others = np.arange(result.bins) != fullest
    count = result.count[others]
    images = int(count.sum())
    if not images:
        return said
    right = round(float(np.nansum(result.accuracy[others] * count)))
    confidence = float(np.nansum(result.confidence[others] * count)) / images
    least, most = wilson_interval(right, images)
    verdict = "overconfident" if confidence > most else "underconfident" if confidence < least else "well calibrated"
    rest = "the other image" if images == 1 else f"the other {images:,}"
    return (
        f"{said} On {rest}, its confidence is {percent(confidence, 1)} on average, and it is right "
        f"{percent(right / images, 1)} of the time: {verdict}."
    )


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Values:
    """Return part / whole, 0 where whole is 0."""
    shares: Values = np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)
    return shares
