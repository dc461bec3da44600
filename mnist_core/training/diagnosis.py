"""What the curves of a run say about its training, in a sentence or two, by stated rules.

They are rules of thumb of practice, with limits chosen for the loss over ten classes. They look at whole epochs and, to
notice divergence soon, at the last batches. `RULES` states them for a page; the first that applies is the diagnosis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mnist_core.common.text import percent
from mnist_core.networks.layers import Dropout
from mnist_core.training.config import TrainingConfig, bounds
from mnist_core.training.curves import Curves, Values
from mnist_core.training.events import EpochDone

DiagnosisKind = Literal[
    "diverging",
    "too early",
    "hardly learning",
    "unsteady",
    "overfitting",
    "underfitting",
    "levelling off",
    "still learning",
]

_GUESSING = math.log(10)  # the loss of a network that finds all ten digits equally likely

_LEVEL_BATCHES, _LEVEL_IMAGES = 20, 2000  # the loss has one level for so many batches, and so many images, at least
_RISE_FACTOR, _RISE = 3, 0.5
_NO_BETTER_THAN_GUESSING = 0.97 * _GUESSING  # always giving the same answer comes a little below ln 10
_BETTER_THAN_GUESSING = 0.9 * _GUESSING
_JUMP, _JUMP_LEVELS = 1.5 * _GUESSING, 5

_HIGH_LOSS, _SLOW_FALL = 1.0, 0.2
_UNSTEADY_FACTOR, _UNSTEADY_RISE = 1.2, 0.02
_OVERFITTING_FACTOR = 1.05
_LEVEL_FALL = 0.02
_UNDERFITTING_LOSS, _UNDERFITTING_FALL = 0.2, 0.1
_GAP_FACTOR, _WIDE_GAP_FACTOR = 1.1, 2

RULES = f"""
The first of these that applies:

- **Diverging**: the loss of the last {_LEVEL_BATCHES} batches, of {_LEVEL_IMAGES:,} images at least, is {_RISE_FACTOR}
  times as high as it once was, and more than {_RISE:g} higher; or it is back at guessing ({_GUESSING:.1f}) after it had
  been better; or it jumped above {_JUMP:.1f} and never got better than guessing. Lower the learning rate.
- **Too early to say**: fewer than two whole epochs, or the learning rate has not yet risen to half of its highest.
- **Hardly learning**: the training loss is above {_HIGH_LOSS:g}, and no epoch lowered it by {percent(_SLOW_FALL, 0)}.
  Raise the learning rate.
- **Unsteady**: the training loss of the last epoch is {percent(_UNSTEADY_FACTOR - 1, 0)} above its lowest, and more
  than {_UNSTEADY_RISE:g}. Lower the learning rate.
- **Overfitting** since the epoch with the lowest validation loss: the last two epochs were both
  {percent(_OVERFITTING_FACTOR - 1, 0)} or more above it, while the training loss kept falling. Save the weights of that
  epoch; dropout and augmentation help.
- **Levelling off**: the last two epochs lowered the lowest validation loss by less than {percent(_LEVEL_FALL, 0)};
  **underfitting** if both losses are still above {_UNDERFITTING_LOSS:g}, and that of training fell by less than
  {percent(_UNDERFITTING_FALL, 0)} as well: a larger network could learn more.
- **Still learning** otherwise.

The two losses count as close if they are within {percent(_GAP_FACTOR - 1, 0)} of each other; the gap is wide if the
validation loss is more than {_WIDE_GAP_FACTOR} times the training loss. A higher training loss is not a fault:
augmentation and dropout make training harder, and it is a mean over the epoch, while the network still improves.

Without validation images, the training loss stands in for theirs, and overfitting cannot be seen. Label smoothing keeps
the loss from reaching 0: its limits are counted from the lowest value that it can reach.
""".strip()


@dataclass(frozen=True)
class Diagnosis:
    """What the curves say. `since_epoch` is the best epoch of a network that has been overfitting since, or None."""

    kind: DiagnosisKind
    sentence: str
    since_epoch: int | None = None


def diagnose(history: Curves, config: TrainingConfig) -> Diagnosis:
    """Judge a run, finished or not, by its curves so far, as `RULES` state."""
    diverging = _diverging(history.batch_loss, config.batch_size)
    if diverging:
        return Diagnosis("diverging", f"Diverging: {diverging}. {_change_rate('Lower', config, 1 / 3)}")
    epochs = [event for event in history.epochs if event.complete and math.isfinite(event.loss)]
    if len(epochs) < 2:
        return Diagnosis("too early", "Too early to say: two whole epochs will tell more.")
    planned = history.planned_learning_rate
    if planned[: max(epochs[-1].step, 1)].max() < planned.max() / 2:
        return Diagnosis("too early", "Too early to say: the learning rate is still rising.")

    # Label smoothing asks for an answer that leaves the label 1 - 0.9 × its share.
    lowest_possible = -math.log(1 - 0.9 * config.label_smoothing)
    training = [event.loss for event in epochs]
    if training[-1] - lowest_possible > _HIGH_LOSS and max(map(_fall, [_GUESSING, *training], training)) < _SLOW_FALL:
        fall = _fall(training[-2], training[-1])
        fell = f"fell by only {percent(fall, 0)}" if fall > 0.005 else "did not fall"
        or_else = " Or use less augmentation." if config.augmentation.active else ""
        return Diagnosis(
            "hardly learning",
            f"Hardly learning: the training loss is {_loss(training[-1])} and {fell} in the last epoch. "
            f"{_change_rate('Raise', config, 10)}{or_else}",
        )
    if training[-1] > _UNSTEADY_FACTOR * min(training) and training[-1] - min(training) > _UNSTEADY_RISE:
        return Diagnosis(
            "unsteady",
            f"Unsteady: the training loss rose from {_loss(min(training))} to {_loss(training[-1])}. "
            f"{_change_rate('Lower', config, 1 / 3)}",
        )
    return _by_validation(epochs, config, lowest_possible)


def _by_validation(epochs: Sequence[EpochDone], config: TrainingConfig, lowest_possible: float) -> Diagnosis:
    training = [event.loss for event in epochs]
    measured = [event.validation_loss for event in epochs]
    validation = [loss for loss in measured if loss is not None and math.isfinite(loss)]
    validated = len(validation) == len(epochs)
    losses, name = (validation, "validation loss") if validated else (training, "training loss")
    best = losses.index(min(losses))
    if validated and _overfits(training, losses, best):
        rise, fall = -_fall(losses[best], losses[-1]), _fall(training[best], training[-1])
        sentence = (
            f"Overfitting since epoch {epochs[best].epoch}: the validation loss has risen by {percent(rise, 0)}, "
            f"while the training loss fell by {percent(fall, 0)}."
        )
        return Diagnosis("overfitting", sentence, epochs[best].epoch)

    gap = "Without validation images, overfitting cannot be seen."
    if validated:
        gap = _gap(training[-1], losses[-1], config)
    recent = min(2, len(losses) - 1)
    fall = _fall_of_lowest(losses, recent)
    time = "the last epoch" if recent == 1 else "the last two epochs"
    if fall >= _LEVEL_FALL:
        sentence = f"Still learning: the lowest {name} fell by {percent(fall, 0)} over {time}. {gap}"
        return Diagnosis("still learning", sentence)
    high = min(training[-1], losses[-1]) - lowest_possible > _UNDERFITTING_LOSS
    if high and _fall_of_lowest(training, recent) < _UNDERFITTING_FALL:
        sentence = f"Underfitting: the {name} levels off at {_loss(losses[-1])}. A larger network could learn more."
        return Diagnosis("underfitting", sentence)
    little = f"lowered the {name} by only {percent(fall, 1)}" if fall > 0 else f"did not lower the {name}"
    return Diagnosis("levelling off", f"Levelling off: {time} {little}. {gap}")


def _diverging(batch_loss: Values, batch_size: int) -> str:
    """Say how the loss of the last batches shows divergence; nothing if it does not.

    Levels are medians, so that a few hard batches count for nothing.
    """
    size = max(_LEVEL_BATCHES, math.ceil(_LEVEL_IMAGES / batch_size))
    count = len(batch_loss) // size
    if count < 2:
        return ""
    levels = np.median(batch_loss[len(batch_loss) - count * size :].reshape(count, size), axis=1)
    now, lowest = float(levels[-1]), float(levels[:-1].min())
    if now > max(_RISE_FACTOR * lowest, lowest + _RISE):
        return f"the loss has risen from {_loss(lowest)} to {_loss(now)}"
    fell_back = lowest < _BETTER_THAN_GUESSING and now > _NO_BETTER_THAN_GUESSING
    jumped = (
        count >= _JUMP_LEVELS
        and batch_loss.max() > _JUMP
        and levels.min() > _NO_BETTER_THAN_GUESSING
        and (now < 1.1 * _GUESSING or now > batch_loss[0])  # a high loss that falls is a hard start, no more
    )
    return f"the loss is {_loss(now)}, no better than guessing" if fell_back or jumped else ""


def _overfits(training: Sequence[float], validation: Sequence[float], best: int) -> bool:
    return (
        best <= len(validation) - 3
        and min(validation[-2:]) >= _OVERFITTING_FACTOR * validation[best]
        and training[-1] < min(training[best], validation[-1])
    )


def _gap(training: float, validation: float, config: TrainingConfig) -> str:
    """Put the distance between the two losses of the last epoch into words."""
    if training > _GAP_FACTOR * validation:
        harder = [
            *(["augmentation"] if config.augmentation.active else []),
            *(["dropout"] if any(isinstance(layer, Dropout) for layer in config.architecture.layers) else []),
        ]
        reason = "it is a mean over the epoch, while the network still improves"
        if harder:
            makes = "makes" if len(harder) == 1 else "make"
            reason = f"{' and '.join(harder)} {makes} training harder, and {reason}"
        return f"The training loss is higher: {reason}. That is fine."
    if validation > _WIDE_GAP_FACTOR * training:
        losses = f"{_loss(training)} on training images against {_loss(validation)}"
        return f"The gap is wide, {losses}: more images, augmentation or dropout narrow it."
    if validation > _GAP_FACTOR * training:
        return f"On training images it is lower: {_loss(training)} against {_loss(validation)}."
    return "Training and validation are close together."


def _fall(before: float, after: float) -> float:
    """Return by what share a loss has fallen; negative if it has risen."""
    return 1 - after / before if before > 0 else 0.0


def _fall_of_lowest(losses: Sequence[float], recent: int) -> float:
    """Return by what share the last `recent` losses brought down the lowest."""
    return _fall(min(losses[:-recent]), min(losses[-recent:]))


def _change_rate(verb: Literal["Lower", "Raise"], config: TrainingConfig, factor: float) -> str:
    low, high = bounds("learning_rate")
    rate = min(max(float(f"{config.learning_rate * factor:.1g}"), low or 0), high or math.inf)
    return f"{verb} the learning rate, from {config.learning_rate:g} to {rate:g} say."


def _loss(value: float) -> str:
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.4f}"
