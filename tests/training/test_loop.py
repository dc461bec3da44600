"""Training on a few hundred real images: what is counted and told, when it ends, and what it keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mnist_core import runs
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import cross_entropy
from mnist_core.networks.keras_model import predict
from mnist_core.processes import worker
from mnist_core.training import loop
from mnist_core.training.checkpoints import Checkpoint
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, Continued, EpochDone, Event, TrainingDivergedError
from mnist_core.training.loop import TrainingResult, train
from tests.support.training_on_few import MakeConfig, assert_same_weights, batches, differ, epochs, first_images

# Three linear layers, raw pixels and a rate of 10: the loss is 10^2, 10^15 and then no number any more.
EXPLODING = {
    "notation": "16:linear-16:linear-16:linear-10",
    "scaling": "0-255",
    "optimizer": "sgd",
    "learning_rate": 10.0,
    "train_size": 100,
    "batch_size": 100,
    "validation": "none",
}


@pytest.fixture(scope="module")
def small(mnist: Mnist) -> Mnist:
    """Few images to train on and to test with."""
    return first_images(mnist)


@pytest.fixture(scope="module")
def plain(small: Mnist, tiny_config: MakeConfig) -> tuple[TrainingConfig, TrainingResult, list[Event]]:
    """Three epochs with a last batch of 45 after seven of 65, validated on 50 images, with dropout."""
    config = tiny_config(notation="4C3-P2-D0.2-10", train_size=550, validation_share=0.0909, batch_size=65, epochs=3)
    events: list[Event] = []
    return config, train(config, small, events.append), events


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


def test_every_batch_and_image_is_counted_also_of_the_last_batch(
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
    config, result, told = plain
    events = [event for event in told if not isinstance(event, Continued)]
    assert events == told
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
    assert [told.index(done) for done in epochs(told)] == last_of_each_epoch


def test_an_epoch_reports_the_mean_over_images_not_over_batches(
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


def test_training_ends_after_the_epoch_that_passes_the_target(small: Mnist, tiny_config: MakeConfig) -> None:
    events: list[Event] = []
    config = tiny_config(epochs=20, early_stopping="target", stop_metric="training accuracy", stop_target=0.75)
    result = train(config, small, events.append)
    done = epochs(events)
    assert result.end_reason == "target reached"
    assert 1 < len(done) < 20
    assert done[-1].accuracy > 0.75
    assert all(event.accuracy <= 0.75 for event in done[:-1])
    assert done[-1].complete


def test_a_stop_ends_the_epoch_at_once_and_calls_it_incomplete(small: Mnist, tiny_config: MakeConfig) -> None:
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


def test_a_stop_keeps_the_weights_of_lowest_held_out_loss(small: Mnist, tiny_config: MakeConfig) -> None:
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
def test_a_stop_without_held_out_images_keeps_current_weights(
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


def test_best_keeps_the_epoch_of_lowest_loss_and_last_the_last(small: Mnist, tiny_config: MakeConfig) -> None:
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


def test_one_seed_gives_the_same_weights_in_groups_of_any_size(
    plain: tuple[TrainingConfig, TrainingResult, list[Event]], small: Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, result, _ = plain
    events: list[Event] = []
    monkeypatch.setattr(loop, "_SEQUENCE_SECONDS", 0.0)  # as on a very slow machine: batch by batch
    again = train(config, small, events.append)
    assert all(len(event.loss) == 1 for event in batches(events))
    assert_same_weights(result.model, again.model)
    assert differ(result.model, train(replace(config, seed=config.seed + 1), small).model)


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
    run = worker.execute(runs.create_run(tmp_path, tiny_config(**EXPLODING, epochs=5)))
    assert run.status.state == "failed"
    assert "lower learning rate" in run.status.message


def test_a_network_that_exploded_in_its_last_step_has_failed(tmp_path: Path, tiny_config: MakeConfig) -> None:
    # The losses of both steps are finite, but the second step leaves weights that give no probabilities.
    run = worker.execute(runs.create_run(tmp_path, tiny_config(**EXPLODING, epochs=2)))
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

    def note(event: Event) -> None:
        events.append(event)
        wait(event)

    started = time.perf_counter()
    config = tiny_config(train_size=200, validation="test", epochs=3)
    result = train(config, small, note, on_checkpoint=lambda model, _: wait(model))
    elapsed = time.perf_counter() - started
    assert waited >= 0.2 * (len(events) + 3)
    assert 0 < result.progress.seconds <= elapsed - waited
