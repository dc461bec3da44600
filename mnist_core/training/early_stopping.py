"""When to end training before all epochs are done, judged after each epoch from what was reported so far.

By hand: Keras's `EarlyStopping` belongs to `fit`, stops at no target, and cannot be asked about epochs of the past.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from mnist_core.training.config import Metric, TrainingConfig
from mnist_core.training.events import EndReason, EpochDone


def reason_to_stop(config: TrainingConfig, epochs: Sequence[EpochDone]) -> EndReason | None:
    """Return why training should end after these epochs, or None.

    `target` ends it once the watched metric passes `stop_target`: above for an accuracy, below for a loss. `patience`
    ends it once that many epochs in a row brought no new best value.
    """
    values = [metric_value(config.stop_metric, epoch) for epoch in epochs]
    if config.early_stopping == "never" or not values or values[-1] is None:
        return None
    # Turned so that higher is better.
    scores = [value if config.stop_metric.endswith("accuracy") else -value for value in values if value is not None]
    if config.early_stopping == "target":
        target = config.stop_target if config.stop_metric.endswith("accuracy") else -config.stop_target
        return "target reached" if scores[-1] > target else None
    since_best = len(scores) - 1 - scores.index(max(scores))
    return "no more improvement" if since_best >= config.patience else None


def metric_value(metric: Metric, epoch: EpochDone) -> float | None:
    """Return a metric of an epoch; None if it was not measured."""
    return {
        "training accuracy": epoch.accuracy,
        "training loss": epoch.loss,
        "validation accuracy": epoch.validation_accuracy,
        "validation loss": epoch.validation_loss,
    }[metric]


def best_epoch(epochs: Sequence[EpochDone]) -> EpochDone | None:
    """Return the epoch with the lowest validation loss, the first of equals; None if there was no validation."""
    losses = [(epoch.validation_loss, index) for index, epoch in enumerate(epochs) if _is_known(epoch.validation_loss)]
    return epochs[min(losses)[1]] if losses else None


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
