"""The steps of training: as in plain Keras, as worked out by hand, at the rate of the schedule, by each optimizer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mnist_core.data.dataset import Mnist
from mnist_core.networks.keras_model import build_model, predict
from mnist_core.networks.notation import parse_architecture
from mnist_core.training.checkpoints import Checkpoint
from mnist_core.training.config import Optimizer
from mnist_core.training.events import Event
from mnist_core.training.loop import train
from mnist_core.training.optimizers import build_optimizer
from mnist_core.training.schedules import learning_rates
from tests.support.training_on_few import MakeConfig, assert_same_weights, batches, epochs, first_images, first_weights

# Rates that let each optimizer learn within 20 batches.
RATES: dict[str, float] = {
    "adam": 0.01,
    "adamw": 0.01,
    "nadam": 0.01,
    "rmsprop": 0.01,
    "sgd": 0.1,
    "momentum": 0.02,
    "nesterov": 0.02,
    "adagrad": 0.05,
    "adadelta": 1.0,
}


@pytest.fixture(scope="module")
def small(mnist: Mnist) -> Mnist:
    """Few images to train on and to test with."""
    return first_images(mnist)


def test_the_seed_draws_the_first_weights(small: Mnist, tiny_config: MakeConfig) -> None:
    first, again, other = (first_weights(tiny_config(seed=seed), small) for seed in (5, 5, 6))
    for a, b in zip(first, again, strict=True):
        assert_array_equal(a, b)
    assert (first[0] != other[0]).any()


AGREEING: dict[str, tuple[dict[str, Any], Callable[[], keras.optimizers.Optimizer]]] = {
    "plain": ({"optimizer": "sgd"}, lambda: keras.optimizers.SGD(0.02)),
    "momentum": (
        {"optimizer": "nesterov", "momentum": 0.8},
        lambda: keras.optimizers.SGD(0.02, momentum=0.8, nesterov=True),
    ),
    "penalties": ({"optimizer": "sgd", "l2": 0.05, "label_smoothing": 0.2}, lambda: keras.optimizers.SGD(0.02)),
    "decay": ({"optimizer": "adamw", "weight_decay": 0.5}, lambda: keras.optimizers.AdamW(0.02, weight_decay=0.5)),
}


@pytest.mark.parametrize("kind", AGREEING)
def test_training_agrees_with_plain_keras_fit(kind: str, small: Mnist, tiny_config: MakeConfig) -> None:
    # One batch of all images an epoch, so that the order of images does not matter; batch normalization has state.
    settings, optimizer = AGREEING[kind]
    config = tiny_config(
        notation="4C3-BN-P2-10",
        learning_rate=0.02,
        train_size=200,
        batch_size=200,
        epochs=3,
        validation="none",
        **settings,
    )
    events: list[Event] = []
    ours = train(config, small, events.append).model

    initial = first_weights(config, small)
    penalty = keras.regularizers.L2(config.l2)
    reference = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", kernel_regularizer=penalty),
            keras.layers.BatchNormalization(),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax", kernel_regularizer=penalty),
        ]
    )
    reference.set_weights(initial)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    cross_entropy_alone = keras.metrics.CategoricalCrossentropy(name="cross_entropy")
    reference.compile(optimizer(), loss, metrics=["accuracy", cross_entropy_alone])
    x, y = small.x_train[:200, ..., np.newaxis] / np.float32(255), keras.utils.to_categorical(small.y_train[:200], 10)
    history = reference.fit(x, y, batch_size=200, epochs=3, verbose=0).history

    for weights, expected in zip(ours.get_weights(), reference.get_weights(), strict=True):
        assert_allclose(weights, expected, atol=1e-4)
    assert np.abs(initial[0] - reference.get_weights()[0]).max() > 1e-3  # there was something to learn
    # What is reported is the cross-entropy alone, whatever else was lowered.
    assert_allclose([event.loss for event in epochs(events)], history["cross_entropy"], atol=1e-4)
    assert_allclose([event.accuracy for event in epochs(events)], history["accuracy"], atol=1e-6)
    if config.l2:
        assert (np.array(history["loss"]) > np.array(history["cross_entropy"]) + 0.1).all()


def test_small_last_batches_train_at_their_own_rate_as_in_keras(small: Mnist, tiny_config: MakeConfig) -> None:
    # All images are the same one, so that only the number and the sizes of the batches matter.
    same = replace(small, x_train=small.x_train[[0] * 250], y_train=small.y_train[[0] * 250])
    config = tiny_config(
        optimizer="momentum",
        schedule="cosine",
        learning_rate=0.01,
        train_size=250,
        batch_size=100,
        epochs=2,
        validation="none",
    )
    ours = train(config, same).model
    keras.utils.set_random_seed(config.seed)
    reference = build_model(config.architecture, config.scaling)
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    reference.compile(optimizer, "sparse_categorical_crossentropy")
    for step in range(6):
        optimizer.learning_rate = 0.01 * (1 + math.cos(math.pi * step / 6)) / 2
        count = 50 if step % 3 == 2 else 100
        reference.train_on_batch(same.x_train[:count, ..., np.newaxis], same.y_train[:count])
    for weights, expected in zip(ours.get_weights(), reference.get_weights(), strict=True):
        assert_allclose(weights, expected, atol=1e-5)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step", "one-cycle"])
def test_each_step_has_the_rate_of_its_schedule(schedule: str, small: Mnist, tiny_config: MakeConfig) -> None:
    """A step of plain gradient descent is as long as the gradient times the rate."""
    config = tiny_config(
        notation="10",
        optimizer="sgd",
        learning_rate=0.05,
        schedule=schedule,
        warm_up_epochs=2,
        step_epochs=2,
        train_size=100,
        batch_size=100,
        epochs=8,
        validation="none",
    )
    events: list[Event] = []
    after = [first_weights(config, small)]
    train(config, small, events.append, on_checkpoint=lambda model, _: after.append(model.get_weights()))
    lengths = [
        math.sqrt(sum(((b - a).astype(np.float64) ** 2).sum() for a, b in zip(one, next_one, strict=True)))
        for one, next_one in itertools.pairwise(after)
    ]
    norms = [event.gradient_norm[0] for event in batches(events)]
    assert_allclose(np.divide(lengths, norms), learning_rates(config), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(("l2", "smoothing"), [(0.0, 0.0), (0.01, 0.0), (0.0, 0.3), (0.1, 0.5)])
def test_a_step_without_hidden_layers_is_softmax_regression(
    l2: float, smoothing: float, small: Mnist, tiny_config: MakeConfig
) -> None:
    """The gradient of the cross-entropy of a softmax is (probabilities - targets) times the inputs."""
    config = tiny_config(
        notation="10",
        optimizer="sgd",
        learning_rate=0.5,
        l2=l2,
        label_smoothing=smoothing,
        train_size=100,
        batch_size=100,
        epochs=1,
        validation="none",
    )
    kernel, bias = (weights.astype(np.float64) for weights in first_weights(config, small))
    pixels = small.x_train[:100].reshape(100, 784) / 255
    exponentials = np.exp(pixels @ kernel + bias)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    digits = np.eye(10)[small.y_train[:100]]
    errors = probabilities - (digits * (1 - smoothing) + smoothing / 10)
    of_kernel = pixels.T @ errors / 100 + 2 * l2 * kernel
    of_bias = errors.mean(axis=0)

    events: list[Event] = []
    trained_kernel, trained_bias = train(config, small, events.append).model.get_weights()
    assert_allclose(trained_kernel, kernel - 0.5 * of_kernel, atol=1e-5)
    assert_allclose(trained_bias, bias - 0.5 * of_bias, atol=1e-5)
    (event,) = batches(events)
    assert event.gradient_norm[0] == pytest.approx(math.sqrt((of_kernel**2).sum() + (of_bias**2).sum()), rel=1e-4)
    assert event.loss[0] == pytest.approx(-np.log((probabilities * digits).sum(axis=1)).mean(), rel=1e-4)
    assert event.accuracy[0] == (probabilities.argmax(axis=1) == small.y_train[:100]).mean()


def test_only_kernels_are_held_small() -> None:
    model = build_model(parse_architecture("4C3-BN-P2-16-10"), "0-1", l2=0.03)
    kernels = [weights for weights in model.get_weights() if weights.ndim > 1]
    assert len(kernels) == 3
    penalty = sum(float(loss) for loss in model.losses)
    assert penalty == pytest.approx(0.03 * sum((kernel**2).sum() for kernel in kernels), rel=1e-5)
    assert build_model(parse_architecture("4C3-10"), "0-1").losses == []


def test_every_optimizer_has_a_rate_here() -> None:
    assert set(RATES) == set(get_args(Optimizer))


@pytest.mark.parametrize("optimizer", RATES)
def test_every_optimizer_is_as_named_and_learns_and_can_go_on(
    optimizer: str, small: Mnist, tiny_config: MakeConfig
) -> None:
    config = tiny_config(optimizer=optimizer, learning_rate=RATES[optimizer], validation="none")
    built = build_optimizer(config)
    is_sgd = optimizer in ("sgd", "momentum", "nesterov")
    assert type(built).__name__.lower() == ("sgd" if is_sgd else optimizer)
    assert float(built.learning_rate) == pytest.approx(config.learning_rate)
    if is_sgd:
        assert (built.momentum, built.nesterov) == (0.0 if optimizer == "sgd" else 0.9, optimizer == "nesterov")
    events: list[Event] = []
    given: list[Checkpoint] = []
    result = train(config, small, events.append, on_checkpoint=lambda model, checkpoint: given.append(checkpoint))
    assert epochs(events)[-1].loss < 0.95 * batches(events)[0].loss[0]
    # All of its state is in a checkpoint.
    assert_same_weights(result.model, train(config, small, start=given[0]).model)


@pytest.mark.parametrize("scaling", ["0-1", "0-255"])
def test_the_network_takes_pixels_and_survives_being_saved(
    scaling: str, small: Mnist, tiny_config: MakeConfig, tmp_path: Path
) -> None:
    config = tiny_config(scaling=scaling, learning_rate=0.001, epochs=1, train_size=200, validation="none")
    model = train(config, small).model
    assert model.input_shape == (None, 28, 28, 1)
    assert model.count_params() == config.architecture.parameters
    probabilities = predict(model, small.x_test)
    assert (probabilities.shape, probabilities.dtype) == ((500, 10), np.float32)
    assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)

    pixels = small.x_test[..., np.newaxis].astype(np.float32)  # (500, 28, 28, 1), 0-255
    unscaled = keras.Sequential([keras.Input((28, 28, 1)), *model.layers[1:]])
    scaled = pixels / 255 if scaling == "0-1" else pixels
    assert_allclose(unscaled.predict_on_batch(scaled), probabilities, atol=1e-5)

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert_array_equal(predict(loaded, small.x_test), probabilities)
    assert predict(loaded, small.x_test[:0]).shape == (0, 10)
