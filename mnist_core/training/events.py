"""What training reports while it runs. No TensorFlow, so that whoever watches can read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mnist_core.common.errors import DigitLabError

EndReason = Literal["all epochs done", "target reached", "no more improvement", "stopped"]

LONGEST_SEQUENCE = 64  # batches that are trained, and told of, at once


@dataclass(frozen=True, slots=True)
class BatchesDone:
    """Some batches were trained. `loss` and others hold one value for each; `seconds` is training time so far.

    `loss` is the cross-entropy alone, without the penalty of L2 or label smoothing, so that runs can be compared.
    `gradient_norm` is the length of all gradients as one vector; runs of before it was measured have none.
    """

    epoch: int  # counted from 1
    step: int  # batches done since the start, these included
    images: int  # images trained on since the start, these included
    loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    seconds: float
    gradient_norm: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch was finished, or broken off by a stop. Training figures are means over its images, as they came."""

    epoch: int
    step: int
    complete: bool
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Continued:
    """Training went on from the weights after batch `step`: what was reported of later ones is void."""

    step: int


Event = BatchesDone | EpochDone | Continued


@dataclass
class Progress:
    """What has been trained so far. `seconds` count training only, neither validation nor saving."""

    epochs_completed: int = 0
    steps: int = 0
    images: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class KeptWeights:
    """Which weights a trained model holds: those after batch `step` of `epoch`, and by which rule."""

    epoch: int
    step: int
    rule: Literal["last", "lowest validation loss"]


def recent_speed(batches: Sequence[BatchesDone], seconds: float = 5.0) -> tuple[float, float]:
    """Return images and batches per second of training, over about the last `seconds`; needs one event at least.

    The first sequence of batches also compiles, so the mean since the start would promise too little for long.
    """
    last = batches[-1]
    first = next((event for event in reversed(batches) if event.seconds <= last.seconds - seconds), batches[0])
    if first is last:
        return last.images / last.seconds, last.step / last.seconds
    elapsed = last.seconds - first.seconds
    return (last.images - first.images) / elapsed, (last.step - first.step) / elapsed


class TrainingDivergedError(DigitLabError):
    """The loss became infinite or not a number; the message says what to try."""
