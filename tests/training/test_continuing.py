"""Runs that were stopped go on as if they had not been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from numpy.testing import assert_array_equal

from mnist_core.data.dataset import Mnist
from mnist_core.training import checkpoints, loop
from mnist_core.training.checkpoints import BestWeights, Checkpoint, CheckpointError
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import Continued, Event
from mnist_core.training.loop import TrainingResult, train
from tests.support.training_on_few import MakeConfig, assert_same_weights, batches, epochs, first_images, first_weights


@pytest.fixture(scope="module")
def small(mnist: Mnist) -> Mnist:
    """Few images to train on and to test with."""
    return first_images(mnist)


def without_seconds(event: Event) -> Event:
    return event if isinstance(event, Continued) else replace(event, seconds=0.0)


def stop_in_epoch(number: int, events: list[Event]) -> Callable[[], bool]:
    """Say yes once two sequences of batches of that epoch were reported."""
    return lambda: sum(event.epoch == number for event in batches(events)) >= 2


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
    "notation": "4C3-BN-P2-D0.3-16-BN-D0.2-10",
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "schedule": "one-cycle",
    "l2": 0.001,
    "label_smoothing": 0.1,
    "rotation": 10,
    "shift": 2,
    "elastic": 1,
    "thickness": 0.3,
    "continental": 0.4,
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
    monkeypatch.setattr(loop, "_SEQUENCE_SECONDS", 0.0)  # and with its batches grouped in another way
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
    others: list[dict[str, Any]] = [{"notation": "10"}, {"optimizer": "sgd"}]
    for changes in others:
        with pytest.raises(CheckpointError, match="another network or optimizer"):
            train(replace(config, **changes), small, start=given[0])
