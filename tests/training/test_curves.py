"""Histories as arrays, held against loops over the events and against TensorBoard's smoothing written out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from mnist_core import runs
from mnist_core.runs import event_log
from mnist_core.training.config import TrainingConfig
from mnist_core.training.curves import by_epoch, curves, smooth, thin
from mnist_core.training.events import BatchesDone, Continued, EpochDone, Event

# Ten batches an epoch; the rate halves after each epoch.
CONFIG = TrainingConfig(
    train_size=1000,
    validation="none",
    batch_size=100,
    epochs=3,
    schedule="step",
    step_epochs=1,
    step_factor=0.5,
    learning_rate=0.8,
)
NAN = math.nan


def batches(last_step: int, loss: list[float], norms: list[float] | None = None) -> BatchesDone:
    """Report the batches up to `last_step`; accuracies are 1 - loss."""
    return BatchesDone(
        epoch=(last_step - 1) // 10 + 1,
        step=last_step,
        images=100 * last_step,
        loss=tuple(loss),
        accuracy=tuple(1 - value for value in loss),
        seconds=float(last_step),
        gradient_norm=tuple(norms or ()),
    )


def epoch(number: int, step: int, *, validation: float | None = None, complete: bool = True) -> EpochDone:
    return EpochDone(number, step, complete, 0.5, 0.6, validation, validation, float(step))


def tensorboards_smoothing(values: list[float], weight: float) -> list[float]:
    """The loop that TensorBoard runs in the browser."""
    last, count, smoothed = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            smoothed.append(NAN)
            continue
        last = last * weight + (1 - weight) * value
        count += 1
        smoothed.append(last / (1 - weight**count) if weight else last)
    return smoothed


def test_batches_become_arrays_of_one_length() -> None:
    events: list[Event] = [
        batches(2, [0.9, 0.8]),  # of before gradients were measured
        batches(3, [0.7], [5.0]),
        Continued(3),
        batches(6, [0.6, 0.5, 0.4], [4.0]),  # a damaged line
        epoch(1, 6, complete=False),
    ]
    history = curves(events, CONFIG)
    assert_allclose(history.batch_epoch, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert_allclose(history.batch_loss, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert_allclose(history.batch_accuracy, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert_allclose(history.batch_gradient_norm, [NAN, NAN, 5, 4, NAN, NAN])
    assert history.epochs == (events[-1],)
    assert (history.steps_per_epoch, history.planned_epochs) == (10, 3)


def test_each_batch_has_the_learning_rate_of_its_step() -> None:
    history = curves([batches(12, [0.5] * 5)], CONFIG)
    assert_allclose(history.batch_learning_rate, [0.8, 0.8, 0.8, 0.4, 0.4])
    assert_allclose(history.planned_learning_rate, [0.8] * 10 + [0.4] * 10 + [0.2] * 10)


def test_no_events_make_empty_arrays() -> None:
    history = curves([], CONFIG)
    assert history.batch_epoch.shape == history.batch_learning_rate.shape == history.batch_gradient_norm.shape == (0,)
    epochs = by_epoch(history)
    assert epochs.number.shape == epochs.middle.shape == epochs.gradient_norm.shape == (0,)


def test_steps_beyond_the_plan_do_not_fail() -> None:
    assert_allclose(curves([batches(40, [0.1, 0.2])], CONFIG).batch_learning_rate, [0.2, 0.2])


def test_epochs_are_means_over_their_own_batches() -> None:
    events: list[Event] = [
        batches(10, [0.5] * 10, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]),
        epoch(1, 10, validation=0.25),
        batches(14, [0.5] * 4, [20.0, 30.0, 40.0, 50.0]),
        epoch(2, 14, complete=False),
    ]
    epochs = by_epoch(curves(events, CONFIG))
    assert epochs.number.tolist() == [1, 2]
    assert_allclose(epochs.middle, [0.5, 1.2])
    assert_allclose(epochs.end, [1.0, 1.4])
    assert_allclose(epochs.gradient_norm, [5.5, 35.0])
    assert_allclose(epochs.learning_rate, [0.8, 0.4])
    assert_allclose(epochs.loss, [0.5, 0.5])
    assert_allclose(epochs.accuracy, [0.6, 0.6])
    assert_allclose(epochs.validation_loss, [0.25, NAN])
    assert_allclose(epochs.validation_accuracy, [0.25, NAN])


def test_an_epoch_without_its_batches_has_no_gradient_norm() -> None:
    assert_allclose(by_epoch(curves([epoch(1, 10)], CONFIG)).gradient_norm, [NAN])


@pytest.mark.parametrize("name", ["chollet", "five-layer", "garcia", "keras-steps", "nehlr"])
def test_batches_of_a_real_run_average_to_its_epochs(name: str) -> None:
    run = runs.find_run(name, runs.BUNDLED_RUNS)
    history = curves(event_log.read_events(run.path), run.config)
    images = run.config.train_size - run.config.validation_size
    sizes = np.full(history.steps_per_epoch, run.config.batch_size)
    sizes[-1] = images - sizes[:-1].sum()
    for number, event in enumerate(history.epochs):
        own = (history.batch_epoch > number) & (history.batch_epoch <= number + 1)
        assert np.average(history.batch_loss[own], weights=sizes) == pytest.approx(event.loss, abs=2e-5)
        assert np.average(history.batch_accuracy[own], weights=sizes) == pytest.approx(event.accuracy, abs=2e-5)
    assert by_epoch(history).end.tolist() == [event.epoch for event in history.epochs]


@given(length=st.integers(0, 300), points=st.integers(1, 40))
def test_thinning_takes_means_of_groups_of_a_power_of_two(length: int, points: int) -> None:
    values = np.arange(length, dtype=np.float64) ** 2
    size = next(size for size in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) if size * points >= length)
    expected = [np.mean(values[start : start + size]) for start in range(0, length, size)]
    assert_allclose(thin(values, points), expected)
    assert len(expected) <= points


def test_points_stay_where_they_are_while_a_run_grows() -> None:
    values = np.random.default_rng(0).normal(size=800)
    for length in range(401, 800):
        assert_allclose(thin(values[:length])[:-1], thin(values)[: len(thin(values[:length])) - 1])


def test_thinning_a_group_with_an_unknown_value_gives_unknown() -> None:
    assert_allclose(thin(np.array([1.0, 3.0, NAN, 5.0]), 2), [2.0, NAN])


@settings(deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.sampled_from([NAN, math.inf, -math.inf]), max_size=200),
    amount=st.floats(0, 0.99),
)
def test_smoothing_is_what_tensorboard_does(values: list[float], amount: float) -> None:
    smoothed = smooth(np.array(values), amount)
    assert_allclose(smoothed, tensorboards_smoothing(values, amount), rtol=1e-9, atol=1e-6)


def test_smoothing_starts_at_the_first_value_and_keeps_a_level() -> None:
    assert smooth(np.array([3.0, 8.0]), 0.9)[0] == pytest.approx(3.0)
    assert_allclose(smooth(np.full(1000, 0.7), 0.99), 0.7)


def test_smoothing_by_hand() -> None:
    # (0.5 × 1 + 2) / 1.5, then (0.25 × 1 + 0.5 × 2 + 4) / 1.75
    assert_allclose(smooth(np.array([1.0, 2.0, 4.0]), 0.5), [1, 2.5 / 1.5, 5.25 / 1.75])


def test_no_smoothing_changes_nothing_and_too_much_is_limited() -> None:
    values = np.random.default_rng(1).normal(size=500)
    assert_allclose(smooth(values, 0), values)
    assert_allclose(smooth(values, 1.0), smooth(values, 0.99))
    assert smooth(np.empty(0), 0.9).shape == (0,)


def test_smoothing_leaves_its_argument_as_it_was() -> None:
    values = np.array([1.0, NAN, 5.0])
    smooth(values, 0.9)
    assert_allclose(values, [1, NAN, 5])


def test_smoothing_a_long_run_takes_no_time_to_speak_of() -> None:
    """Less than six times what one look at each value takes in Python: under 20 ms at rest, where it takes 1."""
    values = np.random.default_rng(2).normal(size=50_000)

    def one_by_one() -> None:
        average = 0.0
        for value in values.tolist():
            average = 0.99 * average + 0.01 * value

    def seconds(work: Callable[[], object]) -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    # In turns: whatever slows one down slows the other.
    rounds = [(seconds(lambda: smooth(values, 0.99)), seconds(one_by_one)) for _ in range(5)]
    smoothing, looking = (min(times) for times in zip(*rounds, strict=True))
    assert smoothing < 6 * looking
