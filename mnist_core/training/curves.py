"""A run's history as arrays, by batch and by epoch, and how to thin and smooth them for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, EpochDone, Event
from mnist_core.training.schedules import learning_rates

Values = NDArray[np.float64]

POINTS = 400  # about as many as a chart has pixels to show them apart
_MOST_SMOOTHING = 0.99


@dataclass(frozen=True)
class Curves:
    """A run's history by batch, with NaN for what was not measured, and the epochs as they were reported.

    Epochs are fractional: 1.5 is half-way through the second. Accuracies are shares.
    """

    batch_epoch: Values  # (batches,), when each batch was done
    batch_loss: Values
    batch_accuracy: Values
    batch_gradient_norm: Values
    batch_learning_rate: Values
    epochs: tuple[EpochDone, ...]
    planned_learning_rate: Values  # (planned batches,)
    planned_epochs: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return len(self.planned_learning_rate) // self.planned_epochs


@dataclass(frozen=True)
class EpochCurves:
    """A run's history by epoch; all arrays are (epochs,), with NaN for what was not measured.

    Training values are means over the batches of an epoch, while the network changes. They tell of the network as it
    was half an epoch before its validation, and so belong to the middle of the epoch: drawn at its end, training
    would seem worse than it is, and a gap to validation smaller. (A. Géron, "Hands-On Machine Learning", chapter 10.)
    """

    number: NDArray[np.int64]  # counted from 1
    middle: Values  # where the training values belong, in epochs
    end: Values  # where the validation values belong
    loss: Values
    accuracy: Values
    gradient_norm: Values
    learning_rate: Values
    validation_loss: Values
    validation_accuracy: Values


def curves(events: Sequence[Event], config: TrainingConfig) -> Curves:
    """Collect the curves of a run from its events, as `event_log` reads them: without what a continuation made void."""
    batches = [event for event in events if isinstance(event, BatchesDone)]
    steps = _joined([np.arange(event.step - len(event.loss), event.step, dtype=np.float64) + 1 for event in batches])
    planned = learning_rates(config)
    return Curves(
        batch_epoch=steps / config.steps_per_epoch,
        batch_loss=_joined([np.array(event.loss) for event in batches]),
        batch_accuracy=_joined([_padded(event.accuracy, len(event.loss)) for event in batches]),
        batch_gradient_norm=_joined([_padded(event.gradient_norm, len(event.loss)) for event in batches]),
        batch_learning_rate=planned[np.clip(steps.astype(np.int64), 1, len(planned)) - 1],
        epochs=tuple(event for event in events if isinstance(event, EpochDone)),
        planned_learning_rate=planned,
        planned_epochs=config.epochs,
    )


def by_epoch(history: Curves) -> EpochCurves:
    """Return the history by epoch. One that was broken off counts as far as it went."""
    number = np.array([event.epoch for event in history.epochs], np.int64)
    end = np.array([event.step for event in history.epochs], np.float64) / history.steps_per_epoch
    parts = list(
        zip(
            np.searchsorted(history.batch_epoch, number - 1, side="right").tolist(),
            np.searchsorted(history.batch_epoch, end, side="right").tolist(),
            strict=True,
        )
    )
    return EpochCurves(
        number=number,
        middle=(number - 1 + end) / 2,
        end=end,
        loss=_measured([event.loss for event in history.epochs]),
        accuracy=_measured([event.accuracy for event in history.epochs]),
        gradient_norm=_means(history.batch_gradient_norm, parts),
        learning_rate=_means(history.batch_learning_rate, parts),
        validation_loss=_measured([event.validation_loss for event in history.epochs]),
        validation_accuracy=_measured([event.validation_accuracy for event in history.epochs]),
    )


def thin(values: Values, points: int = POINTS) -> Values:
    """Return the means of groups of 1, 2, 4, 8 … neighbours, as few as make at most `points` groups.

    As a run grows, groups stay what they are until their size doubles, so that a live curve does not flicker.
    The last group may be smaller.
    """
    size = 1
    while len(values) > points * size:
        size *= 2
    starts = np.arange(0, len(values), size)
    return np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values))) if size > 1 else values


def smooth(values: Values, amount: float) -> Values:
    """Return the exponential moving average of values, (n,), freed of its bias towards the start; NaN stays NaN.

    `amount`, 0 to 0.99, is the weight of the average so far against that of a new value: at 0.9, a value counts for
    half after 7 more. Infinite values count as not measured.

    Source: TensorBoard (`resmoothDataset` in its vz_line_chart2), which corrects the bias as D. P. Kingma and J. Ba,
    "Adam" (2015), section 3, do.
    """
    weight = min(max(amount, 0.0), _MOST_SMOOTHING)
    known = np.isfinite(values)
    sums = values[known]
    reach = 1
    while reach < len(sums):  # each sum holds the last `reach` values, and so reaches twice as far with another like it
        sums[reach:] += weight**reach * sums[:-reach]
        reach *= 2
    smoothed = np.full(len(values), np.nan)
    # The weights of n values sum to (1 - weight^n) / (1 - weight): divided by that, the sums are means.
    smoothed[known] = sums * (1 - weight) / (1 - weight ** np.arange(1, len(sums) + 1))
    return smoothed


def _joined(parts: list[Values]) -> Values:
    return np.concatenate([np.empty(0), *parts])


def _padded(values: Sequence[float], count: int) -> Values:
    """Return `count` values, NaN for those that are missing at the end."""
    return np.array([*values[:count], *[np.nan] * (count - len(values))], np.float64)


def _measured(values: Sequence[float | None]) -> Values:
    return np.array(values, np.float64)  # None becomes NaN


def _means(values: Values, parts: list[tuple[int, int]]) -> Values:
    return np.array([values[start:end].mean() if end > start else np.nan for start, end in parts], np.float64)
