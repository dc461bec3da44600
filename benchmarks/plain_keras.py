"""The plain Keras script of a preset, as its author published it: float images, one-hot labels, `model.fit`.

Importing this module loads TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Labels
from mnist_core.evaluation import metrics
from mnist_core.networks.keras_model import build_model
from mnist_core.training.config import TrainingConfig
from mnist_core.training.optimizers import build_optimizer


class PlainScript:
    """A compiled model that takes pixels as floats, scaled beforehand."""

    def __init__(self, config: TrainingConfig) -> None:
        self._config = config
        keras.utils.set_random_seed(config.seed)
        layers = build_model(config.architecture, config.scaling).layers[1:]  # without our scaling layer
        self.model = keras.Sequential([keras.Input((28, 28, 1)), *layers])
        self.model.compile(loss="categorical_crossentropy", optimizer=build_optimizer(config), metrics=["accuracy"])

    def fit(
        self,
        images: Images,
        labels: Labels,
        epochs: int,
        validation_split: float = 0.0,
        enough: Callable[[], bool] = lambda: False,
    ) -> list[float]:
        """Train, and return how many seconds of `fit` had passed at the end of each epoch.

        `enough` is asked after each epoch whether to end there; what that takes is not among the seconds.
        """
        marks: list[float] = []
        asking = 0.0

        def look(epoch: int, logs: object) -> None:
            nonlocal asking
            now = time.perf_counter()
            marks.append(now - started - asking)
            self.model.stop_training = enough()
            asking += time.perf_counter() - now

        inputs, targets = self._floats(images), keras.utils.to_categorical(labels, 10)
        started = time.perf_counter()
        self.model.fit(
            inputs,
            targets,
            batch_size=self._config.batch_size,
            epochs=epochs,
            validation_split=validation_split,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=look)],
        )
        return marks

    def accuracy(self, images: Images, labels: Labels) -> float:
        """Return the share of images, (n, 28, 28) uint8, that are read as labelled."""
        parts = [self.model.predict_on_batch(self._floats(part)) for part in np.split(images, len(images) // 1000)]
        return metrics.accuracy(labels, np.concatenate(parts))

    def _floats(self, images: Images) -> NDArray[np.float32]:
        floats = images[..., np.newaxis].astype(np.float32)
        if self._config.scaling == "0-1":
            floats /= 255
        return floats
