"""Learning-rate schedules: the rate of every single step, known before training begins.

| schedule    | the rate                                                                                          |
|-------------|---------------------------------------------------------------------------------------------------|
| `constant`  | stays                                                                                             |
| `cosine`    | falls to zero along half a cosine (Loshchilov and Hutter, 2016, without restarts)                 |
| `step`      | is multiplied by a factor after every so many epochs                                              |
| `one-cycle` | rises from 1/25 of the given rate to all of it over the first 30% of steps, then falls nearly to |
|             | zero, both along half a cosine (Smith and Topin, 2017; figures as in PyTorch's `OneCycleLR`)      |

Before the first three, the rate may rise evenly from zero for some epochs: the warm-up. One that is longer than
training takes all of it.

By hand: `keras.optimizers.schedules` would load TensorFlow in the server, which shows them, and has no one-cycle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnist_core.training.config import TrainingConfig

_RISE = 0.3
_START = 1 / 25
_END = 1 / 250_000


def learning_rates(config: TrainingConfig) -> NDArray[np.float64]:
    """Return the learning rate of each step of training, (config.steps,)."""
    steps = np.arange(config.steps, dtype=np.float64)
    if config.schedule == "one-cycle":
        return config.learning_rate * _one_cycle(steps)
    warm_up = min(round(config.warm_up_epochs * config.steps_per_epoch), config.steps)
    after = np.maximum(steps - warm_up, 0)
    shares = np.ones(len(steps))
    if config.schedule == "cosine":
        shares = _half_cosine(after / max(config.steps - warm_up, 1), 1.0, 0.0)
    elif config.schedule == "step":
        shares = config.step_factor ** (after // (config.step_epochs * config.steps_per_epoch))
    return config.learning_rate * np.where(steps < warm_up, (steps + 1) / max(warm_up, 1), shares)


def _one_cycle(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    last = max(len(steps) - 1, 1)
    peak = max(_RISE * len(steps) - 1, 1e-9)
    rise = _half_cosine(np.minimum(steps / peak, 1), _START, 1.0)
    fall = _half_cosine(np.clip((steps - peak) / max(last - peak, 1e-9), 0, 1), 1.0, _END)
    return np.where(steps <= peak, rise, fall)


def _half_cosine(progress: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    """Go from `start` at progress 0 to `end` at 1, gently at both ends."""
    return end + (start - end) * (1 + np.cos(np.pi * progress)) / 2
