"""A Keras optimizer from the settings of a run. Importing this module loads TensorFlow."""

from __future__ import annotations

import keras

from mnist_core.training.config import Optimizer, TrainingConfig


def build_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Return the optimizer with Keras's defaults for everything that has no setting."""
    rate = config.learning_rate
    constructors: dict[Optimizer, type[keras.optimizers.Optimizer]] = {
        "adam": keras.optimizers.Adam,
        "nadam": keras.optimizers.Nadam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
        "adagrad": keras.optimizers.Adagrad,
        "adadelta": keras.optimizers.Adadelta,
    }
    if config.optimizer in ("momentum", "nesterov"):
        return keras.optimizers.SGD(rate, momentum=config.momentum, nesterov=config.optimizer == "nesterov")
    if config.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    return constructors[config.optimizer](rate)
