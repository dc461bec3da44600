"""The parts of the code that is exported of a run, each held against what Digit Lab does itself."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, get_args

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from mnist_core.data.augmentation import Augmentation, augment
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import cross_entropy
from mnist_core.networks.keras_model import build_model
from mnist_core.training.config import Metric, Optimizer, Schedule, TrainingConfig
from mnist_core.training.early_stopping import reason_to_stop
from mnist_core.training.events import EpochDone
from mnist_core.training.export.keras_code import sections
from mnist_core.training.optimizers import build_optimizer
from mnist_core.training.schedules import learning_rates


def code_of(config: TrainingConfig, title: str) -> str:
    return next(section.code for section in sections(config, "None") if section.title == title)


LAYERS = ["8C3S2:same:tanh-BN-A2S1-P3:same-P2S1-D0.25-GAP-16:gelu-BN-10", "4C5:linear-A3-8:elu-10", "10"]


@pytest.mark.parametrize("architecture", LAYERS)
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_the_network_is_the_one_that_digit_lab_builds(architecture: str, l2: float) -> None:
    config = TrainingConfig(notation=architecture, l2=l2, scaling="0-255" if l2 else "0-1")
    names: dict[str, Any] = {"keras": keras, "layers": keras.layers, "SEED": 1, "LEARNING_RATE": 1.0}
    exec(code_of(config, "Network"), names)
    expected = build_model(config.architecture, config.scaling, l2)
    assert len(names["model"].layers) == len(expected.layers)
    for layer, other in zip(names["model"].layers, expected.layers, strict=True):
        assert type(layer) is type(other)
        assert layer.output.shape == other.output.shape
        settings_of = [{**each.get_config(), "name": "", "seed": None} for each in (layer, other)]
        assert settings_of[0] == settings_of[1]


@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_the_optimizer_is_the_one_that_digit_lab_builds(optimizer: Optimizer) -> None:
    config = TrainingConfig(notation="10", optimizer=optimizer, learning_rate=0.02, momentum=0.7, weight_decay=0.3)
    names: dict[str, Any] = {"keras": keras, "layers": keras.layers, "SEED": 1, "LEARNING_RATE": 0.02}
    exec(code_of(config, "Network"), names)
    built, expected = names["model"].optimizer, build_optimizer(config)
    assert type(built) is type(expected)
    assert {**built.get_config(), "name": ""} == {**expected.get_config(), "name": ""}


class Recorder:
    """Stands for `model` and for the parts of Keras that the code of the section Training uses."""

    def __init__(self) -> None:
        self.callbacks = SimpleNamespace(
            Callback=object,
            EarlyStopping=lambda **settings: settings,
            LearningRateScheduler=lambda rate: {"rate": rate},
        )
        self.optimizer = SimpleNamespace(iterations=0, learning_rate=None)
        self.stop_training = False

    def fit(self, batches: Any, **arguments: Any) -> None:
        self.batches, self.arguments = batches, arguments


def recorded(config: TrainingConfig, **data: Any) -> Recorder:
    """Carry out the code of the section Training without training."""
    count = config.train_size - config.validation_size
    model = Recorder()
    names = {
        **{"np": np, "keras": model, "model": model, "x_train": np.arange(count), "y_train": np.arange(count) % 10},
        **{"x_val": "x_val", "y_val": "y_val", "x_test": "x_test", "y_test": "y_test", "augment": lambda x, _: x},
        **{"SEED": config.seed, "EPOCHS": config.epochs, "BATCH_SIZE": config.batch_size},
        **{"LEARNING_RATE": config.learning_rate, **data},
    }
    exec(code_of(config, "Training"), names)
    return model


@given(
    schedule=st.sampled_from(get_args(Schedule)),
    warm_up_epochs=st.sampled_from([0.0, 0.01, 0.5, 1.0, 3.0, 20.0]),
    epochs=st.integers(1, 6),
    step_epochs=st.integers(1, 4),
    batch_size=st.sampled_from([32, 50, 200, 4096]),
    learning_rate=st.floats(1e-6, 10),
    step_factor=st.floats(0.01, 1),
)
@settings(max_examples=150, deadline=None)
def test_every_step_gets_the_learning_rate_of_digit_lab(**values: Any) -> None:
    config = TrainingConfig(**values, train_size=200, validation="none")
    model = recorded(config)
    rates = []
    for step in range(config.steps):
        rate: Any = config.learning_rate
        for callback in model.arguments.get("callbacks", []):
            if isinstance(callback, dict):
                rate = callback["rate"](step // config.steps_per_epoch, rate)
            else:
                callback.model = model
                model.optimizer.iterations = step
                callback.on_train_batch_begin(step % config.steps_per_epoch)
                rate = model.optimizer.learning_rate
        rates.append(rate)
    assert_array_equal(np.array(rates).astype(np.float32), learning_rates(config).astype(np.float32))
    assert (config.schedule == "constant" and not config.warm_up_epochs) <= ("callbacks" not in model.arguments)


def test_batches_hold_each_image_once_in_the_order_of_digit_lab() -> None:
    config = TrainingConfig(train_size=250, validation_share=0.2, batch_size=64, epochs=2, seed=5, rotation=1)
    model = recorded(config)
    assert (model.arguments["steps_per_epoch"], model.arguments["epochs"], model.arguments["shuffle"]) == (4, 2, False)
    batches = list(model.batches)
    assert [len(images) for images, _ in batches] == [64, 64, 64, 8] * 2
    for epoch in (1, 2):
        order = np.concatenate([images for images, _ in batches[4 * epoch - 4 : 4 * epoch]])
        assert_array_equal(order, np.random.default_rng([5, epoch]).permutation(200))
    assert all((labels == images % 10).all() for images, labels in batches)


EPOCH = EpochDone(1, 4, True, 0.5, 0.8, 0.4, 0.9, 1.0)


@pytest.mark.parametrize(
    ("metric", "target", "stops", "goes_on"),
    [
        ("training accuracy", 0.99, 53_461 / 54_000, 53_460 / 54_000),  # exactly the target is not above it
        ("validation accuracy", 0.9, 181 / 200, 180 / 200),
        ("training loss", 0.25, 0.24, 0.25),
        ("validation loss", 0.25, 0.24, 0.26),
    ],
)
@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_the_target_stops_as_in_digit_lab(
    metric: Metric, target: float, stops: float, goes_on: float, l2: float, label_smoothing: float
) -> None:
    config = TrainingConfig(
        early_stopping="target", stop_metric=metric, stop_target=target, l2=l2, label_smoothing=label_smoothing
    )
    model = recorded(config)
    *others, callback = model.arguments["callbacks"]
    assert [type(other).__name__ for other in others] == (["ValidationLoss"] if metric == "validation loss" else [])
    callback.model = model
    part, measure = metric.split()
    field = f"validation_{measure}" if part == "validation" else measure
    name = {"accuracy": "accuracy", "validation_accuracy": "val_accuracy", "validation_loss": "val_cross_entropy"}.get(
        field, "categorical_crossentropy" if label_smoothing else "sparse_categorical_crossentropy" if l2 else "loss"
    )
    for value, expected in ((goes_on, False), (stops, True)):
        changed: dict[str, Any] = {field: value}
        assert (reason_to_stop(config, [replace(EPOCH, **changed)]) is not None) == expected
        # Keras measures in 32 bits and reports a Python float.
        callback.on_epoch_end(0, {name: float(np.float32(value))})
        assert model.stop_training == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"early_stopping": "patience"}, [("val_cross_entropy", "min", 3, False)]),
        ({"early_stopping": "patience", "keep": "best"}, [("val_cross_entropy", "min", 3, True)]),
        ({"keep": "best", "l2": 0.1}, [("val_cross_entropy", "min", 5, True)]),
        (
            {"early_stopping": "patience", "stop_metric": "training accuracy", "patience": 1, "keep": "best"},
            [("accuracy", "max", 1, False), ("val_cross_entropy", "min", 5, True)],
        ),
        ({"early_stopping": "patience", "stop_metric": "training loss"}, [("loss", "min", 3, False)]),
    ],
)
def test_patience_and_best_weights_are_keras_early_stopping(
    values: dict[str, Any], expected: list[tuple[str, str, int, bool]]
) -> None:
    callbacks = [each for each in recorded(TrainingConfig(**values)).arguments["callbacks"] if isinstance(each, dict)]
    names = ("monitor", "mode", "patience")
    assert [
        (*(each[name] for name in names), each.get("restore_best_weights", False)) for each in callbacks
    ] == expected


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_the_validation_loss_that_decides_is_that_of_digit_lab(label_smoothing: float) -> None:
    probabilities = np.random.default_rng(1).dirichlet(np.full(10, 0.02), 200).astype(np.float32)
    labels = np.arange(200, dtype=np.uint8) % 10
    assert (probabilities[np.arange(200), labels] < 1e-12).any()
    config = TrainingConfig(keep="best", label_smoothing=label_smoothing, l2=0.1)
    y_val = keras.utils.to_categorical(labels, 10) if label_smoothing else labels
    callback = recorded(config, y_val=y_val, x_val=probabilities).arguments["callbacks"]
    logs = {"val_loss": 0.0}
    callback[0].model = SimpleNamespace(predict=lambda x, batch_size, verbose: x)
    callback[0].on_epoch_end(0, logs)
    assert logs["val_cross_entropy"] == pytest.approx(cross_entropy(labels, probabilities), rel=1e-6)


AMOUNTS = st.sampled_from([0.0, 0.0, 0.3, 1.0])


@given(
    augmentation=st.builds(
        Augmentation,
        rotation=AMOUNTS.map(lambda amount: 45 * amount),
        shift=AMOUNTS.map(lambda amount: 6 * amount),
        zoom=AMOUNTS.map(lambda amount: amount / 2),
        shear=AMOUNTS.map(lambda amount: 45 * amount),
        elastic=AMOUNTS.map(lambda amount: 4 * amount),
        thickness=AMOUNTS,
        continental=AMOUNTS,
    ).filter(lambda augmentation: augmentation.active),
    seed=st.integers(0, 1000),
)
@settings(max_examples=80, deadline=None)
def test_augmentation_gives_the_same_pixels(mnist: Mnist, augmentation: Augmentation, seed: int) -> None:
    config = TrainingConfig(**vars(augmentation))
    names: dict[str, Any] = {"np": np}
    exec(code_of(config, "Augmentation"), names)
    noise = np.random.default_rng(seed).integers(0, 256, (3, 28, 28), np.uint8)  # has ink at its margin, too
    images = np.concatenate([mnist.x_train[seed : seed + 4], noise])
    generators = [np.random.default_rng(seed) for _ in range(2)]
    labels = np.concatenate([mnist.y_train[seed : seed + 4], np.array([1, 7, 3], np.uint8)])
    for part in (slice(5), slice(5, None)):
        batch = images[part]
        known = [labels[part]] if augmentation.continental else []
        changed = names["augment"](batch[..., np.newaxis], *known, generators[0])
        assert (changed.shape, changed.dtype) == ((len(batch), 28, 28, 1), np.uint8)
        assert_array_equal(changed[..., 0], augment(batch, labels[part], augmentation, generators[1]))
