"""Training on a few hundred real images: what is counted, what is kept, and that it equals what Keras does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mnist_core import runs, training, worker
from mnist_core.config import Optimizer, TrainingConfig
from mnist_core.dataset import Mnist
from mnist_core.evaluation import cross_entropy
from mnist_core.events import BatchesDone, EpochDone, Event, TrainingDivergedError
from mnist_core.network import build_model, build_optimizer, predict
from mnist_core.training import TrainingResult, train

MakeConfig = Callable[..., TrainingConfig]
# Rates that let each optimizer learn within 20 batches.
RATES: dict[str, float] = {
    "adam": 0.01,
    "adamw": 0.01,
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


def scramble(model: keras.Model) -> None:
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
            assert len(event.loss) == len(event.accuracy) > 0
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
    result = train(tiny_config(epochs=20, stop_above_accuracy=0.75), small, events.append)
    done = epochs(events)
    assert result.end_reason == "training accuracy reached"
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

    def spoil(model: keras.Model) -> None:
        scramble(model)
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


def test_checkpoints_are_given_for_every_epoch_or_for_better_ones_only(small: Mnist, tiny_config: MakeConfig) -> None:
    config = tiny_config(train_size=300, epochs=3)
    calls: list[keras.Model] = []
    train(config, small, on_checkpoint=calls.append)
    assert len(calls) == 3

    better: list[keras.Model] = []

    def spoil(model: keras.Model) -> None:
        better.append(model)
        scramble(model)

    train(replace(config, keep="best"), small, on_checkpoint=spoil)
    assert len(better) == 1


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
    first, again, other = (train(tiny_config(seed=seed), small, should_stop=lambda: True).model for seed in (5, 5, 6))
    assert_same_weights(first, again)
    assert differ(first, other)


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov"])
def test_training_agrees_with_plain_keras_fit(optimizer: str, small: Mnist, tiny_config: MakeConfig) -> None:
    # One batch of all images an epoch, so that the order of images does not matter; batch normalization has state.
    config = tiny_config(
        architecture="4C3-BN-P2-10",
        optimizer=optimizer,
        learning_rate=0.02,
        train_size=200,
        batch_size=200,
        epochs=3,
        validation="none",
    )
    events: list[Event] = []
    ours = train(config, small, events.append).model

    keras.utils.set_random_seed(config.seed)
    reference = build_model(config.network, config.scaling)
    initial = reference.get_weights()
    momentum = {"momentum": 0.9, "nesterov": True} if optimizer == "nesterov" else {}
    reference.compile(keras.optimizers.SGD(0.02, **momentum), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = small.x_train[:200, ..., np.newaxis], small.y_train[:200]
    history = reference.fit(x, y, batch_size=200, epochs=3, verbose=0).history

    for weights, expected in zip(ours.get_weights(), reference.get_weights(), strict=True):
        assert_allclose(weights, expected, atol=1e-4)
    assert np.abs(initial[0] - reference.get_weights()[0]).max() > 1e-3  # there was something to learn
    assert_allclose([event.loss for event in epochs(events)], history["loss"], atol=1e-4)
    assert_allclose([event.accuracy for event in epochs(events)], history["accuracy"], atol=1e-6)


def test_small_last_batches_train_as_in_plain_keras(small: Mnist, tiny_config: MakeConfig) -> None:
    # All images are the same one, so that only the number and the sizes of the batches matter.
    same = replace(small, x_train=small.x_train[[0] * 250], y_train=small.y_train[[0] * 250])
    config = tiny_config(optimizer="momentum", train_size=250, batch_size=100, epochs=2, validation="none")
    ours = train(config, same).model
    keras.utils.set_random_seed(config.seed)
    reference = build_model(config.network, config.scaling)
    reference.compile(keras.optimizers.SGD(config.learning_rate, momentum=0.9), "sparse_categorical_crossentropy")
    reference.fit(same.x_train[..., np.newaxis], same.y_train, batch_size=100, epochs=2, verbose=0)
    for weights, expected in zip(ours.get_weights(), reference.get_weights(), strict=True):
        assert_allclose(weights, expected, atol=1e-4)


def test_every_optimizer_has_a_rate_here() -> None:
    assert set(RATES) == set(get_args(Optimizer))


@pytest.mark.parametrize("optimizer", RATES)
def test_every_optimizer_is_built_as_named_and_lowers_the_loss(
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
    train(config, small, events.append)
    assert epochs(events)[-1].loss < 0.95 * batches(events)[0].loss[0]


def test_a_loss_that_is_no_number_ends_training_with_advice(small: Mnist, tiny_config: MakeConfig) -> None:
    events: list[Event] = []
    with pytest.raises(TrainingDivergedError, match="lower learning rate"):
        train(tiny_config(**EXPLODING, epochs=5), small, events.append)
    assert all(np.isfinite(event.loss).all() for event in batches(events))
    assert len(epochs(events)) < 5


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
    result = train(config, small, lambda event: (events.append(event), wait(event)), on_checkpoint=wait)
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
