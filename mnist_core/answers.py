"""Which answers of a network to look at, and in which order. Pure functions over arrays."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mnist_core.dataset import CLASSES, Labels
from mnist_core.evaluation import Indices, Probabilities, losses

Kind = Literal["mistakes", "unsure", "all"]
Order = Literal["confidence", "loss", "index"]

KINDS: tuple[Kind, ...] = ("mistakes", "unsure", "all")
UNSURE_BELOW = 0.9  # a right answer with less confidence than this counts as unsure


@dataclass(frozen=True)
class AnswerFilter:
    """What answers must be like. Confidence is the probability of the digit that was read, in whole percent."""

    kind: Kind = "mistakes"  # "unsure": right, with a confidence below `UNSURE_BELOW`
    true: int | None = None
    read: int | None = None
    low: int = 0
    high: int = 100
    order: Order = "confidence"


def select(labels: Labels, probabilities: Probabilities, wanted: AnswerFilter) -> Indices:
    """Return the indices of the answers that pass a filter, the most telling first.

    By confidence, wrong answers begin with the surest and right ones with the least sure; by loss, the worst come
    first.
    `labels` is (n,), `probabilities` (n, 10).
    """
    reading = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1).clip(0, 1)  # rounding can make a certainty a little more than 1
    right = reading == labels
    passed = (confidence >= wanted.low / 100) & (confidence <= wanted.high / 100)
    if wanted.kind == "mistakes":
        passed &= ~right
    elif wanted.kind == "unsure":
        passed &= right & (confidence < UNSURE_BELOW)
    if wanted.true is not None:
        passed &= labels == wanted.true
    if wanted.read is not None:
        passed &= reading == wanted.read
    found = np.flatnonzero(passed)
    if wanted.order == "confidence":
        # Wrong answers come before right ones: theirs are the negative numbers.
        return found[np.argsort(np.where(right, confidence, -confidence)[found], kind="stable")]
    if wanted.order == "loss":
        return found[np.argsort(-losses(labels, probabilities)[found], kind="stable")]
    return found


def percent(share: float, decimals: int | None = None) -> str:
    """Return a proportion, 0 to 1, in percent with so many decimals, as all text writes it: “99.09%” with two.

    Without `decimals` it is a probability, which is never rounded to certainty: “98.2%”, “over 99.9%”, “under 0.1%”.
    """
    if decimals is not None:
        return f"{share:.{decimals}%}"
    if share > 0.999:
        return "over 99.9%"
    return f"{share:.1%}" if share >= 0.001 else "under 0.1%"


def to_csv(labels: Labels, probabilities: Probabilities, indices: Indices) -> str:
    """Return answers as CSV, one a line: index, label, reading, confidence, loss, and ten probabilities."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["index", "label", "read", "confidence", "loss", *(f"probability_{digit}" for digit in CLASSES)])
    loss = losses(labels, probabilities)
    for index in indices.tolist():
        answer = probabilities[index]
        shares = [f"{share:.6f}" for share in answer.tolist()]
        reading = int(answer.argmax())
        writer.writerow([index, labels[index], reading, shares[reading], f"{loss[index]:.6f}", *shares])
    return text.getvalue()
