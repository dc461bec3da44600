"""All settings of a run, with bounds and choices by hand, to test with."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from mnist_core.training.config import TrainingConfig

OPTIMIZERS = ["adam", "adamw", "nadam", "rmsprop", "sgd", "momentum", "nesterov", "adagrad", "adadelta"]
TRAINING_METRICS = ["training accuracy", "training loss"]
VALIDATION_METRICS = ["validation accuracy", "validation loss"]

# Lowest and highest accepted values.
WHOLE_NUMBERS = {
    "step_epochs": (1, 100),
    "batch_size": (1, 4096),
    "epochs": (1, 100),
    "train_size": (100, 60_000),
    "patience": (1, 100),
    "seed": (0, 2**31 - 1),
}
NUMBERS = {
    "learning_rate": (1e-6, 10.0),
    "momentum": (0.0, 0.999),
    "weight_decay": (0.0, 1.0),
    "warm_up_epochs": (0.0, 20.0),
    "step_factor": (0.01, 1.0),
    "validation_share": (0.01, 0.5),
    "rotation": (0.0, 45.0),
    "shift": (0.0, 6.0),
    "zoom": (0.0, 0.5),
    "shear": (0.0, 45.0),
    "elastic": (0.0, 4.0),
    "thickness": (0.0, 1.0),
    "continental": (0.0, 1.0),
    "l2": (0.0, 0.1),
    "label_smoothing": (0.0, 0.5),
    "stop_target": (0.0, 10.0),
}
CHOICES = {
    "scaling": ["0-1", "0-255"],
    "optimizer": OPTIMIZERS,
    "schedule": ["constant", "cosine", "step", "one-cycle"],
    "validation": ["last", "random", "test", "none"],
    "early_stopping": ["never", "target", "patience"],
    "stop_metric": [*TRAINING_METRICS, *VALIDATION_METRICS],
    "keep": ["last", "best"],
}
TEXTS = ["preset", "notation"]
HUGE = pytest.param(10**400, id="huge")  # beyond any float; named, since its digits would fill the report
ALL_SETTINGS = [*TEXTS, *CHOICES, *NUMBERS, *WHOLE_NUMBERS]


@st.composite
def configs(draw: st.DrawFn) -> TrainingConfig:
    """Draw any valid configuration."""
    values: dict[str, Any] = {
        "preset": draw(st.text(max_size=60)),
        "notation": draw(st.sampled_from(["10", "4C3-P2-10", " 32C3 - P2 - 10 ", "BN-D0.5-16:tanh-10"])),
    }
    values |= {name: draw(st.integers(*limits)) for name, limits in WHOLE_NUMBERS.items()}
    values |= {name: draw(st.floats(*limits)) for name, limits in NUMBERS.items()}
    values |= {name: draw(st.sampled_from(choices)) for name, choices in CHOICES.items()}
    if values["validation"] in ("test", "none"):
        values["keep"] = "last"
        if values["early_stopping"] != "never":
            values["stop_metric"] = draw(st.sampled_from(TRAINING_METRICS))
    return TrainingConfig(**values)
