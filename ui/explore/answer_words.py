"""Answers of networks in words: below an image, and as the heading of a list."""

from __future__ import annotations

from collections.abc import Callable

from mnist_core.common.arrays import Probabilities
from mnist_core.common.text import percent
from mnist_core.evaluation import metrics
from mnist_core.evaluation.selection import AnswerFilter
from ui.session import cached_reads

_WHAT = {"mistakes": "mistakes", "unsure": "right but uncertain predictions", "all": "test images"}


def describe(wanted: AnswerFilter) -> str:
    """Return what passes a filter, in the plural: “mistakes labelled 4 and predicted as 9”."""
    return _WHAT[wanted.kind] + restrictions(wanted)


def restrictions(wanted: AnswerFilter) -> str:
    """Return what a filter asks of labels, readings and confidence, to stand behind a plural; it may be nothing."""
    words = ""
    if wanted.true is not None:
        words += f" labelled {wanted.true}"
    if wanted.read is not None:
        words += f"{' and' if words else ''} predicted as {wanted.read}"
    if (wanted.low, wanted.high) != (0, 100):
        words += f" with {wanted.low}% to {wanted.high}% confidence"
    return words


def caption_of(probabilities: Probabilities) -> Callable[[int], tuple[str, ...]]:
    """Return a function that says, below an image, what was read, how surely, and what came next."""
    labels = cached_reads.mnist().y_test

    def caption(index: int) -> tuple[str, ...]:
        (reading, confidence), *others = metrics.ranking(probabilities[index])
        runners_up = ", ".join(f"{digit}: {percent(share, 0) if share >= 0.005 else '<1%'}" for digit, share in others)
        return f"{labels[index]} → {reading}", percent(confidence), runners_up

    return caption
