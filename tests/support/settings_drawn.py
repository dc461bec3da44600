"""Settings of runs whose code and settings are exported: with everything there is, and drawn at random."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np

from mnist_core.training.config import ConfigError, TrainingConfig, bounds, options

EVERYTHING = TrainingConfig(
    notation="8C3:same-BN-P2-D0.2-16C3S2:tanh-32:gelu-10",
    optimizer="adamw",
    learning_rate=0.1,
    schedule="one-cycle",
    batch_size=128,
    epochs=3,
    train_size=1000,
    validation="random",
    validation_share=0.2,
    rotation=10,
    shift=2,
    zoom=0.1,
    shear=10,
    elastic=1,
    thickness=0.5,
    continental=0.5,
    l2=0.001,
    label_smoothing=0.1,
    early_stopping="patience",
    stop_metric="validation loss",
    patience=1,
    keep="best",
    seed=7,
)


def drawn(generator: np.random.Generator) -> TrainingConfig:
    """Draw a configuration: each setting has its default or anything that is accepted."""
    while True:
        values: dict[str, Any] = {}
        for setting in fields(TrainingConfig):
            low, high = bounds(setting.name)
            if generator.random() < 0.5:
                continue
            if options(setting.name):
                values[setting.name] = str(generator.choice(options(setting.name)))
            elif isinstance(setting.default, int):
                values[setting.name] = int(generator.integers(int(low or 0), int(high or 0) + 1))
            elif isinstance(setting.default, float):
                assert high is not None
                values[setting.name] = float(generator.choice([low, high, generator.uniform(low, high)]))
        architectures = ["10", "1024C28S28:same:sigmoid-10", "8C3S2:same:tanh-BN-A2S1-P3:same-D0.25-GAP-16:silu-10"]
        try:
            return TrainingConfig(notation=str(generator.choice(architectures)), **values)
        except ConfigError:
            continue


@cache
def drawn_configs() -> list[TrainingConfig]:
    """Draw settings of all kinds, the same in every session."""
    generator = np.random.default_rng(1)
    return [drawn(generator) for _ in range(150)]
