"""Training on a few hundred real images: what is counted, what is kept, and that it equals what Keras does."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from mnist_core import checkpoints, runs, training, worker
from mnist_core.architecture import parse_architecture
from mnist_core.checkpoints import BestWeights, Checkpoint, CheckpointError
from mnist_core.config import Optimizer, TrainingConfig
from mnist_core.dataset import Mnist
from mnist_core.evaluation import cross_entropy
from mnist_core.events import BatchesDone, Continued, EpochDone, Event, TrainingDivergedError
from mnist_core.network import build_model, build_optimizer, predict
from mnist_core.schedules import learning_rates
from mnist_core.training import TrainingResult, split, train

MakeConfig = Callable[..., TrainingConfig]
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
# Three linear layers, raw pixels and a rate of 10: the loss is 10^2, 10^15 and then no number any more.
EXPLODING = {
    "architecture": "16:linear-16:linear-16:linear-10",
    "scaling": "0-255",
    "optimizer": "sgd",
    "learning_rate": 10.0,
    "train_size": 100,
    "batch_size": 100,
    "validation": "none",
}


@pytest.fixture(scope="module")
def small(mnist: Mnist) -> Mnist:
    """The first images of MNIST only, so that validating on the test set is quick."""
    return Mnist(mnist.x_train[:2000], mnist.y_train[:2000], mnist.x_test[:500], mnist.y_test[:500])


@pytest.fixture(scope="module")
def plain(small: Mnist, tiny_config: MakeConfig) -> tuple[TrainingConfig, TrainingResult, list[Event]]:
    """Three epochs with a last batch of 45 after seven of 65, validated on 50 images, with dropout."""
    config = tiny_config(
        architecture="4C3-P2-D0.2-10", train_size=550, validation_share=0.0909, batch_size=65, epochs=3
    )
    events: list[Event] = []
    return config, train(config, small, events.append), events


def batches(events: list[Event]) -> list[BatchesDone]:
    return [event for event in events if isinstance(event, BatchesDone)]


def epochs(events: list[Event]) -> list[EpochDone]:
    return [event for event in events if isinstance(event, EpochDone)]


def assert_same_weights(one: keras.Model, other: keras.Model) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert_array_equal(a, b)


def differ(one: keras.Model, other: keras.Model) -> bool:
    return any((a != b).any() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def without_seconds(event: Event) -> Event:
    return event if isinstance(event, Continued) else replace(event, seconds=0.0)


def first_weights(config: TrainingConfig, data: Mnist) -> list[NDArray[np.float32]]:
    """The weights before the first batch."""
    return train(config, data, should_stop=lambda: True).model.get_weights()


def scramble(model: keras.Model, _: Checkpoint) -> None:
    """Give a model weights that read digits far worse than chance."""
    noise = np.random.default_rng(0)
    model.set_weights([noise.normal(0, 3, weights.shape).astype(np.float32) for weights in model.get_weights()])


def stop_in_epoch(number: int, events: list[Event]) -> Callable[[], bool]:
    """Say yes once two sequences of batches of that epoch were reported."""
    return lambda: sum(event.epoch == number for event in batches(events)) >= 2


def test_the_loss_falls_and_the_accuracy_rises(
    plain: tuple[TrainingConfig, TrainingResult, list[Event]],
) -> None:
    _, _, events = plain
    first, second, third = epochs(events)
    assert first.loss > second.loss > third.loss
    assert first.accuracy < third.accuracy
    assert third.accuracy > 0.7
    assert first.validation_loss > third.validation_loss


def test_every_batch_and_image_is_counted_the_last_small_batch_included(
    plain: tuple[TrainingConfig, TrainingResult, list[Event]],
) -> None:
    config, result, events = plain
    assert config.validation_size == 50
    assert config.steps_per_epoch == 8
    assert (result.progress.epochs_completed, result.progress.steps, result.progress.images) == (3, 24, 1500)
    assert result.end_reason == "all epochs done"
    for number, done in enumerate(epochs(events), start=1):
        of_epoch = [event for event in batches(events) if event.epoch == number]
        assert sum(len(event.loss) for event in of_epoch) == 8
        assert (of_epoch[-1].step, of_epoch[-1].images) == (8 * number, 500 * number)
        assert (done.epoch, done.step, done.complete) == (number, 8 * number, True)


def test_events_come_in_order_and_agree_with_each_other(
    plain: tuple[TrainingConfig, TrainingResult, list[Event]],
) -> None:
    config, result, events = plain
    step = images = 0
    for event in events:
        if isinstance(event, BatchesDone):
            assert len(event.loss) == len(event.accuracy) == len(event.gradient_norm) > 0
            step += len(event.loss)
            at_end_of_epoch = event.step % config.steps_per_epoch == 0
            images += config.batch_size * len(event.loss) if not at_end_of_epoch else event.images - images
        assert event.step == step
    assert images == result.progress.images
    assert [event.epoch for event in events] == sorted(event.epoch for event in events)
    assert [event.seconds for event in events] == sorted(event.seconds for event in events)
    last_of_each_epoch = [max(i for i, event in enumerate(events) if event.epoch == n) for n in (1, 2, 3)]
    assert [events.index(done) for done in epochs(events)] == last_of_each_epoch


def test_an_epoch_reports_the_mean_over_its_images_not_over_its_batches(
    plain: tuple[TrainingConfig, TrainingResult, list[Event]],
) -> None:
    _, _, events = plain
    sizes = np.array([65] * 7 + [45])
    for done in epochs(events):
        of_epoch = [event for event in batches(events) if event.epoch == done.epoch]
        losses = np.concatenate([event.loss for event in of_epoch])
        hits = np.concatenate([event.accuracy for event in of_epoch]) * sizes
        assert done.loss == pytest.approx(np.average(losses, weights=sizes), rel=1e-6)
        assert_allclose(hits, hits.round(), atol=1e-4)  # a share of a batch is a whole number of images
        assert done.accuracy == pytest.approx(hits.sum() / 500, rel=1e-6)


def test_the_last_share_validates_and_is_never_trained_on(small: Mnist, tiny_config: MakeConfig) -> None:
    config = tiny_config(train_size=400, validation_share=0.25)
    events: list[Event] = []
    result = train(config, small, events.append)
    assert result.progress.images == 2 * 300
    held_out = cross_entropy(small.y_train[300:400], predict(result.model, small.x_train[300:400]))
    assert epochs(events)[-1].validation_loss == pytest.approx(held_out, rel=1e-5)

    images, labels = small.x_train.copy(), small.y_train.copy()
    images[300:], labels[300:] = 255 - images[300:], 9 - labels[300:]
    spoilt_events: list[Event] = []
    spoilt = train(config, replace(small, x_train=images, y_train=labels), spoilt_events.append)
    assert_same_weights(result.model, spoilt.model)
    assert epochs(spoilt_events)[-1].validation_loss != epochs(events)[-1].validation_loss

    images[299] = 255 - images[299]  # the last image that is trained on: the test above can fail
    assert differ(result.model, train(config, replace(small, x_train=images), on_event=lambda event: None).model)


def test_the_test_set_can_validate_and_is_never_trained_on(small: Mnist, tiny_config: MakeConfig) -> None:
    config = tiny_config(train_size=300, validation="test", epochs=1)
    events: list[Event] = []
    result = train(config, small, events.append)
    assert result.progress.images == 300
    loss = cross_entropy(small.y_test, predict(result.model, small.x_test))
    assert epochs(events)[0].validation_loss == pytest.approx(loss, rel=1e-5)
    without = train(replace(config, validation="none"), small, events.append)
    assert_same_weights(result.model, without.model)
    assert epochs(events)[1].validation_loss is None
    assert epochs(events)[1].validation_accuracy is None


def test_training_ends_after_the_epoch_that_passes_the_accuracy_asked_for(
    small: Mnist, tiny_config: MakeConfig
) -> None:
    events: list[Event] = []
    config = tiny_config(epochs=20, early_stopping="target", stop_metric="training accuracy", stop_target=0.75)
    result = train(config, small, events.append)
    done = epochs(events)
    assert result.end_reason == "target reached"
    assert 1 < len(done) < 20
    assert done[-1].accuracy > 0.75
    assert all(event.accuracy <= 0.75 for event in done[:-1])
    assert done[-1].complete


def test_a_stop_ends_the_epoch_at_once_and_says_that_it_is_incomplete(small: Mnist, tiny_config: MakeConfig) -> None:
    events: list[Event] = []
    config = tiny_config(train_size=2000, batch_size=10)
    result = train(config, small, events.append, stop_in_epoch(1, events))
    assert len(batches(events)) == 2  # nothing was trained after the answer
    assert events[-1] == epochs(events)[0]
    assert not epochs(events)[0].complete
    assert 0 < result.progress.steps < config.steps_per_epoch
    assert result.progress.epochs_completed == 0
    assert result.end_reason == "stopped"
    assert (result.kept.epoch, result.kept.step) == (1, result.progress.steps)
    losses = np.concatenate([event.loss for event in batches(events)])
    assert epochs(events)[0].loss == pytest.approx(losses.mean(), rel=1e-6)


def test_a_stop_before_the_first_batch_trains_nothing(small: Mnist, tiny_config: MakeConfig) -> None:
    events: list[Event] = []
    result = train(tiny_config(), small, events.append, lambda: True)
    assert events == []
    assert result.end_reason == "stopped"
    assert result.progress.steps == 0


def test_a_stopped_run_keeps_the_weights_with_the_lowest_loss_on_held_out_images(
    small: Mnist, tiny_config: MakeConfig
) -> None:
    events: list[Event] = []
    config = tiny_config(train_size=2000, batch_size=10, epochs=5)
    # After the first epoch the weights are spoilt, so that the first epoch is the best one for sure.
    result = train(config, small, events.append, stop_in_epoch(2, events), scramble)
    first, second = epochs(events)
    assert not second.complete
    assert second.validation_loss > first.validation_loss
    held_out = cross_entropy(small.y_train[1800:], predict(result.model, small.x_train[1800:]))
    assert held_out == pytest.approx(first.validation_loss, rel=1e-5)
    assert (result.kept.epoch, result.kept.step, result.kept.rule) == (1, first.step, "lowest validation loss")


@pytest.mark.parametrize("validation", ["test", "none"])
def test_a_stopped_run_without_held_out_images_keeps_its_current_weights(
    validation: str, small: Mnist, tiny_config: MakeConfig
) -> None:
    events: list[Event] = []
    models: list[keras.Model] = []
    current: list[np.ndarray] = []
    config = tiny_config(train_size=2000, batch_size=10, epochs=5, validation=validation)

    def spoil(model: keras.Model, checkpoint: Checkpoint) -> None:
        scramble(model, checkpoint)
        models.append(model)

    def note(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochDone) and not event.complete:
            current.extend(models[0].get_weights())

    # After the first epoch the weights are spoilt, so that the current ones are not the best ones.
    result = train(config, small, note, stop_in_epoch(2, events), spoil)
    assert (result.kept.epoch, result.kept.step, result.kept.rule) == (2, result.progress.steps, "last")
    for weights, expected in zip(result.model.get_weights(), current, strict=True):
        assert_array_equal(weights, expected)
    if validation == "test":
        first, second = epochs(events)
        assert second.validation_loss > first.validation_loss
        loss = cross_entropy(small.y_test, predict(result.model, small.x_test))
        assert loss == pytest.approx(second.validation_loss, rel=1e-5)


def test_keep_best_returns_the_epoch_with_the_lowest_loss_and_keep_last_the_last(
    small: Mnist, tiny_config: MakeConfig
) -> None:
    config = tiny_config(train_size=1000, keep="best")
    kept = {}
    for keep in ("best", "last"):
        events: list[Event] = []
        result = train(replace(config, keep=keep), small, events.append, on_checkpoint=scramble)
        losses = [event.validation_loss for event in epochs(events)]
        assert losses[0] < losses[1]
        kept[keep] = result.kept.epoch
        held_out = cross_entropy(small.y_train[900:1000], predict(result.model, small.x_train[900:1000]))
        if keep == "best":
            assert held_out == pytest.approx(losses[0], rel=1e-5)
    assert kept == {"best": 1, "last": 2}


def test_there_is_a_checkpoint_after_every_whole_epoch(small: Mnist, tiny_config: MakeConfig) -> None:
    events: list[Event] = []
    given: list[Checkpoint] = []
    config = tiny_config(train_size=2000, batch_size=10, epochs=5)
    train(config, small, events.append, stop_in_epoch(3, events), lambda model, checkpoint: given.append(checkpoint))
    assert [epoch.complete for epoch in epochs(events)] == [True, True, False]
    assert [checkpoint.progress.epochs_completed for checkpoint in given] == [1, 2]
    assert [checkpoint.progress.steps for checkpoint in given] == [180, 360]
    assert [checkpoint.epochs for checkpoint in given] == [tuple(epochs(events)[:1]), tuple(epochs(events)[:2])]
    # Each holds the state of its time: later training must not reach into it.
    assert any((a != b).any() for a, b in zip(given[0].variables, given[1].variables, strict=True))
    lowest = min(epochs(events)[:2], key=lambda epoch: epoch.validation_loss)
    assert given[1].best is not None
    assert (given[1].best.epoch, given[1].best.step) == (lowest.epoch, lowest.step)


CONTINUED = {
    "architecture": "4C3-BN-P2-D0.3-16-BN-D0.2-10",
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "schedule": "one-cycle",
    "l2": 0.001,
    "label_smoothing": 0.1,
    "rotation": 10,
    "shift": 2,
    "elastic": 1,
    "thickness": 0.3,
    "train_size": 330,
    "batch_size": 40,
    "epochs": 3,
    "validation": "random",
}


@pytest.fixture(scope="module")
def uninterrupted(
    small: Mnist, tiny_config: MakeConfig
) -> tuple[TrainingConfig, TrainingResult, list[Event], list[Checkpoint]]:
    """A run with all that is random or has a state, and its checkpoints."""
    config = tiny_config(**CONTINUED)
    events: list[Event] = []
    given: list[Checkpoint] = []
    result = train(config, small, events.append, on_checkpoint=lambda model, checkpoint: given.append(checkpoint))
    return config, result, events, given


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_continued_run_ends_with_the_weights_it_would_have_had(
    after: int,
    uninterrupted: tuple[TrainingConfig, TrainingResult, list[Event], list[Checkpoint]],
    small: Mnist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, result, events, given = uninterrupted
    checkpoints.write_checkpoint(tmp_path, given[after - 1])
    monkeypatch.setattr(training, "_SEQUENCE_SECONDS", 0.0)  # and with its batches grouped in another way
    again_events: list[Event] = []
    again = train(config, small, again_events.append, start=checkpoints.read_checkpoint(tmp_path))

    assert_same_weights(result.model, again.model)
    assert again_events[0] == Continued(given[after - 1].progress.steps)
    assert [without_seconds(event) for event in epochs(again_events)] == [
        without_seconds(event) for event in epochs(events)[after:]
    ]
    for name in ("loss", "accuracy", "gradient_norm"):
        before = [value for event in batches(events) if event.epoch > after for value in getattr(event, name)]
        assert [value for event in batches(again_events) for value in getattr(event, name)] == before
    assert again.kept == result.kept
    assert replace(again.progress, seconds=0) == replace(result.progress, seconds=0)
    assert again.progress.seconds >= given[after - 1].progress.seconds


def test_a_continued_run_remembers_the_best_weights_from_before(
    uninterrupted: tuple[TrainingConfig, TrainingResult, list[Event], list[Checkpoint]], small: Mnist
) -> None:
    config, _, _, given = uninterrupted
    best = BestWeights(1, given[0].progress.steps, tuple(first_weights(config, small)))
    unbeatable = (replace(given[1].epochs[0], validation_loss=0.0), given[1].epochs[1])
    result = train(replace(config, keep="best"), small, start=replace(given[1], epochs=unbeatable, best=best))
    assert (result.kept.epoch, result.kept.step, result.kept.rule) == (1, best.step, "lowest validation loss")
    for weights, expected in zip(result.model.get_weights(), best.weights, strict=True):
        assert_array_equal(weights, expected)


def test_a_run_that_had_reached_its_target_trains_no_further(
    uninterrupted: tuple[TrainingConfig, TrainingResult, list[Event], list[Checkpoint]], small: Mnist
) -> None:
    config, _, _, given = uninterrupted
    ended = replace(config, early_stopping="target", stop_metric="training loss", stop_target=10.0)
    events: list[Event] = []
    result = train(ended, small, events.append, start=given[0])
    assert events == [Continued(given[0].progress.steps)]
    assert result.end_reason == "target reached"
    assert result.progress.epochs_completed == 1


def test_a_checkpoint_of_another_network_is_refused(
    uninterrupted: tuple[TrainingConfig, TrainingResult, list[Event], list[Checkpoint]], small: Mnist
) -> None:
    config, _, _, given = uninterrupted
    for changes in ({"architecture": "10"}, {"optimizer": "sgd"}):
        with pytest.raises(CheckpointError, match="another network or optimizer"):
            train(replace(config, **changes), small, start=given[0])


def test_one_seed_gives_the_same_weights_bit_for_bit_however_batches_are_grouped(
    plain: tuple[TrainingConfig, TrainingResult, list[Event]], small: Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, result, _ = plain
    events: list[Event] = []
    monkeypatch.setattr(training, "_SEQUENCE_SECONDS", 0.0)  # as on a very slow machine: batch by batch
    again = train(config, small, events.append)
    assert all(len(event.loss) == 1 for event in batches(events))
    assert_same_weights(result.model, again.model)
    assert differ(result.model, train(replace(config, seed=config.seed + 1), small).model)


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
        architecture="4C3-BN-P2-10",
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


def test_small_last_batches_train_as_in_plain_keras_each_at_its_own_rate(small: Mnist, tiny_config: MakeConfig) -> None:
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
    reference = build_model(config.network, config.scaling)
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
        architecture="10",
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
def test_a_step_without_hidden_layers_is_that_of_softmax_regression(
    l2: float, smoothing: float, small: Mnist, tiny_config: MakeConfig
) -> None:
    """The gradient of the cross-entropy of a softmax is (probabilities - targets) times the inputs."""
    config = tiny_config(
        architecture="10",
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


def numbered(count: int) -> Mnist:
    """Images that hold their own number, with labels that follow from it."""
    numbers = np.arange(count)
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = numbers % 256, numbers // 256
    labels = (numbers * 7 % 10).astype(np.uint8)
    return Mnist(images, labels, images[:50] + 1, labels[:50])


def numbers_of(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    return images[:, 0, 0].astype(np.int64) + 256 * images[:, 0, 1].astype(np.int64)


def test_a_random_share_is_held_out_by_the_seed() -> None:
    data = numbered(1200)
    held_out = []
    for seed in (1, 1, 2):
        config = TrainingConfig(train_size=1000, validation="random", validation_share=0.15, seed=seed)
        images, labels, validation = split(config, data)
        assert validation is not None
        assert (len(images), len(validation[0])) == (850, 150)
        assert sorted([*numbers_of(images), *numbers_of(validation[0])]) == list(range(1000))
        assert_array_equal(labels, numbers_of(images) * 7 % 10)
        assert_array_equal(validation[1], numbers_of(validation[0]) * 7 % 10)
        held_out.append(set(numbers_of(validation[0]).tolist()))
    assert held_out[0] == held_out[1] != held_out[2]
    assert len(held_out[0] & held_out[2]) < 60  # two random shares have about 22 in common
    thirds = np.histogram(list(held_out[0]), bins=3, range=(0, 1000))[0]
    assert thirds.min() > 30  # from everywhere


def test_what_else_is_validated_on() -> None:
    data = numbered(1200)
    images, labels, validation = split(TrainingConfig(train_size=1000, validation="last", validation_share=0.15), data)
    assert_array_equal(numbers_of(images), np.arange(850))
    assert_array_equal(labels, data.y_train[:850])
    assert validation is not None
    assert_array_equal(numbers_of(validation[0]), np.arange(850, 1000))
    assert_array_equal(validation[1], data.y_train[850:1000])
    for kind, expected in (("test", (data.x_test, data.y_test)), ("none", None)):
        images, labels, validation = split(TrainingConfig(train_size=1000, validation=kind), data)
        assert_array_equal(numbers_of(images), np.arange(1000))
        assert validation is None if expected is None else validation == expected


def test_a_random_share_is_never_trained_on(small: Mnist, tiny_config: MakeConfig) -> None:
    config = tiny_config(train_size=300, validation="random", validation_share=0.3, epochs=1)
    events: list[Event] = []
    result = train(config, small, events.append)
    _, _, validation = split(config, small)
    assert validation is not None
    loss = cross_entropy(validation[1], predict(result.model, validation[0]))
    assert epochs(events)[0].validation_loss == pytest.approx(loss, rel=1e-5)

    spoilt = small.x_train.copy()
    held_out = {image.tobytes() for image in validation[0]}
    for number in range(300):
        if small.x_train[number].tobytes() in held_out:
            spoilt[number] = 255 - spoilt[number]
    assert_same_weights(result.model, train(config, replace(small, x_train=spoilt)).model)


def test_augmentation_gives_other_training_images_in_every_epoch_and_leaves_validation_alone(
    small: Mnist, tiny_config: MakeConfig
) -> None:
    # So slow that weights hardly move, and all images the same one: losses differ by how it is changed only.
    same = replace(small, x_train=small.x_train[[0] * 300], y_train=small.y_train[[0] * 300])
    still = {"architecture": "10", "optimizer": "sgd", "learning_rate": 1e-6, "train_size": 300, "epochs": 2}
    losses, held_out = {}, {}
    for shift in (0, 6):
        events: list[Event] = []
        train(tiny_config(**still, shift=shift), same, events.append)
        losses[shift] = [epoch.loss for epoch in epochs(events)]
        held_out[shift] = [epoch.validation_loss for epoch in epochs(events)]
    assert losses[0][0] == pytest.approx(losses[0][1], abs=1e-3)
    assert abs(losses[6][0] - losses[0][0]) > 1e-2
    assert abs(losses[6][0] - losses[6][1]) > 1e-2
    assert held_out[6] == pytest.approx(held_out[0], abs=1e-3)


def test_patience_ends_training(small: Mnist, tiny_config: MakeConfig) -> None:
    # So slow that no image is read differently: there is no better epoch than the first.
    config = tiny_config(
        optimizer="sgd",
        learning_rate=1e-6,
        train_size=200,
        epochs=10,
        early_stopping="patience",
        patience=2,
        stop_metric="validation accuracy",
    )
    events: list[Event] = []
    result = train(config, small, events.append)
    assert len({epoch.validation_accuracy for epoch in epochs(events)}) == 1
    assert result.end_reason == "no more improvement"
    assert result.progress.epochs_completed == len(epochs(events)) == 3
    assert (result.kept.epoch, result.kept.rule) == (3, "last")


def test_every_optimizer_has_a_rate_here() -> None:
    assert set(RATES) == set(get_args(Optimizer))


@pytest.mark.parametrize("optimizer", RATES)
def test_every_optimizer_is_built_as_named_and_lowers_the_loss_and_can_be_continued(
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


def test_a_loss_that_is_no_number_ends_training_with_advice(small: Mnist, tiny_config: MakeConfig) -> None:
    events: list[Event] = []
    with pytest.raises(TrainingDivergedError, match="lower learning rate"):
        train(tiny_config(**EXPLODING, epochs=5), small, events.append)
    assert all(np.isfinite(event.loss).all() for event in batches(events))
    assert len(epochs(events)) < 5


def test_validation_that_is_no_number_ends_training_too(small: Mnist, tiny_config: MakeConfig) -> None:
    # The loss of the only step is finite, but leaves weights that give no probabilities.
    config = tiny_config(**{**EXPLODING, "validation": "test", "epochs": 2})
    events: list[Event] = []
    with pytest.raises(TrainingDivergedError, match="lower learning rate"):
        train(config, small, events.append)
    assert len(batches(events)) == 2
    assert all(np.isfinite(epoch.validation_loss) for epoch in epochs(events))


def test_a_run_that_diverges_says_so_in_its_status(tmp_path: Path, tiny_config: MakeConfig) -> None:
    run = worker.carry_out(runs.create_run(tmp_path, tiny_config(**EXPLODING, epochs=5)))
    assert run.status.state == "failed"
    assert "lower learning rate" in run.status.message


def test_a_network_that_exploded_in_its_very_last_step_is_no_finished_run(
    tmp_path: Path, tiny_config: MakeConfig
) -> None:
    # The losses of both steps are finite, but the second step leaves weights that give no probabilities.
    run = worker.carry_out(runs.create_run(tmp_path, tiny_config(**EXPLODING, epochs=2)))
    assert run.status.state == "failed"
    assert "lower learning rate" in run.status.message
    assert run.report is None


def test_seconds_count_training_only(small: Mnist, tiny_config: MakeConfig) -> None:
    waited = 0.0

    def wait(_: object) -> None:
        nonlocal waited
        started = time.perf_counter()
        time.sleep(0.2)
        waited += time.perf_counter() - started

    events: list[Event] = []
    started = time.perf_counter()
    config = tiny_config(train_size=200, validation="test", epochs=3)
    result = train(
        config, small, lambda event: (events.append(event), wait(event)), on_checkpoint=lambda model, _: wait(model)
    )
    elapsed = time.perf_counter() - started
    assert waited >= 0.2 * (len(events) + 3)
    assert 0 < result.progress.seconds <= elapsed - waited


@pytest.mark.parametrize("scaling", ["0-1", "0-255"])
def test_the_network_takes_pixels_and_survives_being_saved(
    scaling: str, small: Mnist, tiny_config: MakeConfig, tmp_path: Path
) -> None:
    config = tiny_config(scaling=scaling, learning_rate=0.001, epochs=1, train_size=200, validation="none")
    model = train(config, small).model
    assert model.input_shape == (None, 28, 28, 1)
    assert model.count_params() == config.network.parameters
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
