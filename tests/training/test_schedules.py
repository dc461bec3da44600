"""Learning rates of every step, against loops over steps that are written from the definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from mnist_core.training.config import TrainingConfig
from mnist_core.training.schedules import learning_rates

SCHEDULES = ["constant", "cosine", "step", "one-cycle"]


def make(epochs: int, per_epoch: int, **values: Any) -> TrainingConfig:
    """A configuration with so many steps in each epoch."""
    config = TrainingConfig(epochs=epochs, train_size=100 * per_epoch, batch_size=100, validation="none", **values)
    assert config.steps == epochs * per_epoch
    return config


def one_cycle_of_pytorch(steps: int, highest: float) -> list[float]:
    """`torch.optim.lr_scheduler.OneCycleLR(max_lr=highest, total_steps=steps)`, step by step, with its defaults."""
    first = highest / 25.0
    last = first / 1e4
    phases = [(0.3 * steps - 1, first, highest), (steps - 1, highest, last)]
    rates = []
    for step in range(steps):
        start_step = 0.0
        for number, (end_step, start_rate, end_rate) in enumerate(phases):
            if step <= end_step or number == len(phases) - 1:
                share = (step - start_step) / (end_step - start_step)
                rates.append(end_rate + (start_rate - end_rate) / 2.0 * (math.cos(math.pi * share) + 1))
                break
            start_step = end_step
    return rates


def by_loop(schedule: str, steps: int, per_epoch: int, warm_up: int, **values: Any) -> list[float]:
    """The other schedules: so many steps of warm-up, and then what they do from there."""
    highest = values["learning_rate"]
    rates = []
    for step in range(steps):
        if step < warm_up:
            rates.append(highest * (step + 1) / warm_up)
            continue
        since = step - warm_up
        rate = highest
        if schedule == "cosine":
            rate = 0.5 * highest * (1 + math.cos(math.pi * since / (steps - warm_up)))
        if schedule == "step":
            for number in range(1, since + 1):
                if number % (values["step_epochs"] * per_epoch) == 0:
                    rate *= values["step_factor"]
        rates.append(rate)
    return rates


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("epochs", "per_epoch"), [(1, 1), (1, 7), (3, 1), (5, 13)])
def test_every_step_of_training_has_a_rate(schedule: str, epochs: int, per_epoch: int) -> None:
    rates = learning_rates(make(epochs, per_epoch, schedule=schedule, learning_rate=0.5))
    assert (rates.shape, rates.dtype) == ((epochs * per_epoch,), np.float64)
    assert (rates > 0).all()
    assert (rates <= 0.5).all()


def test_a_last_small_batch_is_a_step_like_the_others() -> None:
    config = TrainingConfig(epochs=2, train_size=250, batch_size=100, validation="none", schedule="cosine")
    assert len(learning_rates(config)) == 6


def test_a_constant_rate_stays() -> None:
    assert learning_rates(make(2, 3, learning_rate=0.03)).tolist() == [0.03] * 6


def test_half_a_cosine_by_hand() -> None:
    # 1 + cos of 0, 45, 90 and 135 degrees, halved.
    rates = learning_rates(make(1, 4, schedule="cosine", learning_rate=2.0))
    assert_allclose(rates, [2.0, 1 + math.sqrt(0.5), 1.0, 1 - math.sqrt(0.5)], rtol=1e-12)


def test_steps_by_hand() -> None:
    config = make(5, 2, schedule="step", learning_rate=8.0, step_epochs=2, step_factor=0.25)
    assert_allclose(learning_rates(config), [8, 8, 8, 8, 2, 2, 2, 2, 0.5, 0.5], rtol=1e-12)


def test_a_warm_up_by_hand() -> None:
    config = make(2, 4, learning_rate=1.0, warm_up_epochs=1.25)
    assert_allclose(learning_rates(config), [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1], rtol=1e-12)


def test_steps_are_counted_from_the_end_of_the_warm_up() -> None:
    config = make(4, 2, schedule="step", learning_rate=8.0, warm_up_epochs=0.5, step_epochs=1, step_factor=0.5)
    assert_allclose(learning_rates(config), [8, 8, 8, 4, 4, 2, 2, 1], rtol=1e-12)


def test_one_cycle_by_hand() -> None:
    rates = learning_rates(make(1, 100, schedule="one-cycle", learning_rate=1.0))
    assert rates[0] == pytest.approx(0.04)
    assert rates[29] == pytest.approx(1.0)  # the last step of the first 30%
    assert rates.argmax() == 29
    assert rates[64] == pytest.approx(0.5, abs=1e-5)  # half-way down
    assert rates[-1] == pytest.approx(4e-6)


@pytest.mark.parametrize("steps", [4, 5, 9, 10, 11, 33, 100, 600])
def test_one_cycle_is_that_of_pytorch(steps: int) -> None:
    rates = learning_rates(make(1, steps, schedule="one-cycle", learning_rate=0.3))
    assert_allclose(rates, one_cycle_of_pytorch(steps, 0.3), rtol=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.integers(4, 60), st.integers(1, 40), st.floats(1e-6, 10.0))
def test_one_cycle_is_that_of_pytorch_for_any_training(epochs: int, per_epoch: int, rate: float) -> None:
    rates = learning_rates(make(epochs, per_epoch, schedule="one-cycle", learning_rate=rate))
    assert_allclose(rates, one_cycle_of_pytorch(epochs * per_epoch, rate), rtol=1e-9)


def test_one_cycle_has_its_own_warm_up() -> None:
    without, with_one = (make(4, 5, schedule="one-cycle", warm_up_epochs=epochs) for epochs in (0.0, 2.0))
    assert learning_rates(without).tolist() == learning_rates(with_one).tolist()


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["constant", "cosine", "step"]),
    st.integers(1, 12),
    st.integers(1, 20),
    st.data(),
)
def test_the_others_are_those_of_a_loop(schedule: str, epochs: int, per_epoch: int, data: st.DataObject) -> None:
    warm_up = data.draw(st.integers(0, min(epochs, 20) * per_epoch))
    values = {
        "learning_rate": data.draw(st.floats(1e-6, 10.0)),
        "step_epochs": data.draw(st.integers(1, 5)),
        "step_factor": data.draw(st.floats(0.01, 1.0)),
    }
    config = make(epochs, per_epoch, schedule=schedule, warm_up_epochs=warm_up / per_epoch, **values)
    expected = by_loop(schedule, config.steps, per_epoch, warm_up, **values)
    assert_allclose(learning_rates(config), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step"])
def test_a_warm_up_longer_than_training_takes_all_of_it(schedule: str) -> None:
    rates = learning_rates(make(1, 5, schedule=schedule, learning_rate=1.0, warm_up_epochs=20.0))
    assert_allclose(rates, [0.2, 0.4, 0.6, 0.8, 1.0], rtol=1e-12)


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_rates_only_fall_after_the_warm_up(schedule: str) -> None:
    config = make(6, 10, schedule=schedule, warm_up_epochs=1.0, step_epochs=2)
    rates = learning_rates(config)
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) <= 0).all()
    assert rates[-1] < rates[10]


def test_one_cycle_rises_once_and_falls_once() -> None:
    rates = learning_rates(make(6, 10, schedule="one-cycle"))
    top = int(rates.argmax())
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
