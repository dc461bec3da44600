"""Training on a few images, and what came of it."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from mnist_core.data.dataset import Mnist
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, EpochDone, Event
from mnist_core.training.loop import train

MakeConfig = Callable[..., TrainingConfig]


def first_images(mnist: Mnist) -> Mnist:
    """The first images of MNIST only, so that validating on the test set is quick."""
    return Mnist(mnist.x_train[:2000], mnist.y_train[:2000], mnist.x_test[:500], mnist.y_test[:500])


def batches(events: list[Event]) -> list[BatchesDone]:
    return [event for event in events if isinstance(event, BatchesDone)]


def epochs(events: list[Event]) -> list[EpochDone]:
    return [event for event in events if isinstance(event, EpochDone)]


def assert_same_weights(one: keras.Model, other: keras.Model) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert_array_equal(a, b)


def differ(one: keras.Model, other: keras.Model) -> bool:
    return any((a != b).any() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def first_weights(config: TrainingConfig, data: Mnist) -> list[NDArray[np.float32]]:
    """The weights before the first batch."""
    return train(config, data, should_stop=lambda: True).model.get_weights()
