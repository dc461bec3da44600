"""The rules of diagnosis, on histories made to fit or just miss each, and on the runs that ship."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core import runs
from mnist_core.runs import event_log
from mnist_core.training.config import TrainingConfig
from mnist_core.training.curves import curves
from mnist_core.training.diagnosis import RULES, Diagnosis, DiagnosisKind, diagnose
from mnist_core.training.events import BatchesDone, EpochDone, Event

# Ten batches of 100 images an epoch: one level of the loss is that of 20 batches.
CONFIG = TrainingConfig(notation="32C3-P2-10", train_size=1000, validation="test", batch_size=100, epochs=100)
DROPOUT = replace(CONFIG, notation="32C3-P2-D0.5-10")
GUESSING = math.log(10)


def judge(
    training: Sequence[float],
    validation: Sequence[float | None] | None = None,
    config: TrainingConfig = CONFIG,
    *,
    complete: bool = True,
) -> Diagnosis:
    """Diagnose a run by its epochs alone; without `validation` it has none."""
    measured = [None] * len(training) if validation is None else list(validation)
    events: list[Event] = [
        EpochDone(index + 1, 10 * index + 10, complete or index < len(training) - 1, loss, 0.5, value, 0.5, 1.0)
        for index, (loss, value) in enumerate(zip(training, measured, strict=True))
    ]
    return diagnose(curves(events, config), config)


def judge_batches(loss: Sequence[float], config: TrainingConfig = CONFIG) -> Diagnosis:
    """Diagnose a run by its batches alone, before its first epoch is reported."""
    values = tuple(float(value) for value in loss)
    events: list[Event] = [BatchesDone(1, len(values), 100 * len(values), values, values, 1.0)]
    return diagnose(curves(events, config), config)


def test_two_epochs_are_needed() -> None:
    assert judge([]).kind == judge([0.4], [0.3]).kind == "too early"
    assert judge([0.4, 0.2], [0.3, 0.2]).kind == "still learning"


def test_an_epoch_that_was_broken_off_does_not_count() -> None:
    assert judge([0.4, 0.2], [0.3, 0.2], complete=False).kind == "too early"


def test_a_falling_validation_loss_is_still_learning() -> None:
    found = judge([0.5, 0.3, 0.2, 0.15], [0.4, 0.3, 0.2, 0.15])
    assert found == Diagnosis(
        "still learning",
        "Still learning: the lowest validation loss fell by 50% over the last two epochs. "
        "Training and validation are close together.",
    )


def test_overfitting_dates_from_the_lowest_validation_loss() -> None:
    found = judge([0.5, 0.3, 0.2, 0.1, 0.05], [0.4, 0.3, 0.2, 0.25, 0.3])
    assert (found.kind, found.since_epoch) == ("overfitting", 3)
    assert found.sentence == (
        "Overfitting since epoch 3: the validation loss has risen by 50%, while the training loss fell by 75%."
    )


@pytest.mark.parametrize(
    ("training", "validation"),
    [
        ([0.5, 0.3, 0.2, 0.1, 0.05], [0.4, 0.3, 0.2, 0.208, 0.3]),  # one epoch within 5%
        ([0.5, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.3]),  # one bad epoch may be chance
        ([0.25, 0.15, 0.1, 0.105, 0.102], [0.2, 0.15, 0.1, 0.13, 0.15]),  # training does not improve either
        ([0.9, 0.7, 0.6, 0.5, 0.4], [0.4, 0.3, 0.2, 0.25, 0.3]),  # validation is still the better of both
    ],
)
def test_less_than_that_is_not_overfitting(training: list[float], validation: list[float]) -> None:
    assert judge(training, validation).kind in ("levelling off", "still learning")


def test_levelling_off_is_less_than_2_percent_in_two_epochs() -> None:
    training = [0.3, 0.2, 0.15, 0.14, 0.13]
    assert judge(training, [0.3, 0.2, 0.1, 0.0990, 0.0985]).kind == "levelling off"
    assert judge(training, [0.3, 0.2, 0.1, 0.0990, 0.0975]).kind == "still learning"
    assert "the last two epochs did not lower" in judge(training, [0.3, 0.2, 0.1, 0.1, 0.1]).sentence
    assert "only 1.5%" in judge(training, [0.3, 0.2, 0.1, 0.0990, 0.0985]).sentence


def test_a_high_plateau_is_underfitting() -> None:
    found = judge([0.9, 0.6, 0.5, 0.5, 0.5], [0.8, 0.5, 0.45, 0.45, 0.45])
    assert (found.kind, "0.45" in found.sentence) == ("underfitting", True)
    assert judge([0.9, 0.6, 0.5, 0.46, 0.42], [0.8, 0.5, 0.45, 0.45, 0.45]).kind == "levelling off"  # training is not
    # With a low validation loss it is dropout that keeps the training loss high.
    assert judge([0.9, 0.6, 0.5, 0.5, 0.5], [0.8, 0.2, 0.1, 0.1, 0.1], DROPOUT).kind == "levelling off"


def test_a_loss_that_hardly_falls_asks_for_a_higher_rate() -> None:
    found = judge([2.29, 2.2, 2.1, 1.95, 1.7], [2.25, 2.1, 2.0, 1.8, 1.5])
    assert found == Diagnosis(
        "hardly learning",
        "Hardly learning: the training loss is 1.70 and fell by only 13% in the last epoch. "
        "Raise the learning rate, from 0.001 to 0.01 say.",
    )
    assert judge([2.3, 2.3], [2.3, 2.3]).kind == "hardly learning"
    assert "did not fall" in judge([2.3, 2.31], [2.3, 2.3]).sentence
    assert judge([2.29, 2.2, 1.7, 1.4], [2.2, 2.1, 1.6, 1.3]).kind == "still learning"  # a fall by more than a fifth
    assert judge([1.5, 1.3], [1.4, 1.2]).kind == "still learning"  # well below guessing in the first epoch


def test_suggested_rates_stay_within_the_bounds_of_the_setting() -> None:
    assert "from 5 to 10 say" in judge([2.3, 2.3], config=replace(CONFIG, learning_rate=5.0)).sentence
    falling_back = [2.3] * 20 + [1.0] * 40 + [2.3] * 20
    assert "from 1e-06 to 1e-06 say" in judge_batches(falling_back, replace(CONFIG, learning_rate=1e-6)).sentence


def test_augmentation_is_named_as_another_reason() -> None:
    assert "use less augmentation" in judge([2.3, 2.3], config=replace(CONFIG, rotation=45)).sentence


def test_nothing_is_judged_while_the_rate_still_rises() -> None:
    config = replace(CONFIG, epochs=20, schedule="one-cycle")
    slow = [2.29, 2.25]
    assert judge(slow, slow, config).kind == "too early"
    assert judge([2.29, 2.28, 2.27, 2.26, 2.25], None, config).kind == "hardly learning"
    warm_up = replace(CONFIG, warm_up_epochs=10)
    assert [judge([2.3] * count, None, warm_up).kind for count in (4, 5)] == ["too early", "hardly learning"]


def test_a_training_loss_that_rises_is_unsteady() -> None:
    found = judge([0.4, 0.2, 0.25], [0.3, 0.2, 0.2])
    assert found.kind == "unsteady"
    assert "from 0.20 to 0.25. Lower the learning rate, from 0.001 to 0.0003 say." in found.sentence
    assert judge([0.4, 0.2, 0.23], [0.3, 0.2, 0.2]).kind != "unsteady"
    assert judge([0.04, 0.002, 0.004], [0.3, 0.2, 0.2]).kind != "unsteady"  # double, but next to nothing


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (CONFIG, "it is a mean over the epoch, while the network still improves"),
        (DROPOUT, "dropout makes training harder"),
        (replace(CONFIG, shift=2.0), "augmentation makes training harder"),
        (replace(DROPOUT, rotation=10.0), "augmentation and dropout make training harder"),
    ],
)
def test_a_training_loss_above_validation_is_explained(config: TrainingConfig, reason: str) -> None:
    found = judge([0.5, 0.3, 0.2], [0.3, 0.2, 0.1], config)
    assert found.kind == "still learning"
    assert f"The training loss is higher: {reason}" in found.sentence
    assert found.sentence.endswith("it is a mean over the epoch, while the network still improves. That is fine.")


def test_the_gap_is_put_into_words() -> None:
    assert judge([0.5, 0.3, 0.109], [0.3, 0.2, 0.1]).sentence.endswith("close together.")
    assert judge([0.5, 0.3, 0.08], [0.3, 0.2, 0.1]).sentence.endswith("it is lower: 0.0800 against 0.10.")
    assert "wide, 0.0400 on training images against 0.10:" in judge([0.5, 0.3, 0.04], [0.3, 0.2, 0.1]).sentence


def test_without_validation_training_alone_is_judged() -> None:
    assert judge([0.5, 0.3, 0.2]).sentence == (
        "Still learning: the lowest training loss fell by 60% over the last two epochs. "
        "Without validation images, overfitting cannot be seen."
    )
    assert judge([0.5, 0.1, 0.1, 0.1]).kind == "levelling off"
    assert judge([0.9, 0.5, 0.5, 0.5]).kind == "underfitting"
    assert judge([0.5, 0.3, 0.2], [0.4, None, math.nan]).sentence.endswith("overfitting cannot be seen.")


def test_label_smoothing_has_a_loss_that_cannot_be_beaten() -> None:
    # With a share of 0.5, the best answer gives the label 0.55: a loss of 0.60.
    plateau = [1.0, 0.7, 0.62, 0.62, 0.62]
    assert judge(plateau, plateau, replace(CONFIG, label_smoothing=0.5)).kind == "levelling off"
    assert judge(plateau, plateau).kind == "underfitting"


def test_a_loss_that_rises_sharply_is_diverging() -> None:
    found = judge_batches([2.3] * 20 + [0.4] * 20 + [1.3] * 20)
    assert found == Diagnosis(
        "diverging",
        "Diverging: the loss has risen from 0.40 to 1.30. Lower the learning rate, from 0.001 to 0.0003 say.",
    )
    assert judge_batches([2.3] * 20 + [0.4] * 20 + [1.1] * 20).kind == "too early"  # not three times
    assert judge_batches([2.3] * 20 + [0.1] * 20 + [0.5] * 20).kind == "too early"  # not 0.5 more
    assert judge_batches([2.3] * 20 + [0.4] * 20 + [1.3] * 20 + [0.4] * 20).kind == "too early"  # it has recovered


def test_falling_back_to_guessing_is_diverging() -> None:
    # A network that always gives the same answer has the loss of the digits' frequencies, a little below ln 10.
    found = judge_batches([2.3] * 20 + [1.2] * 40 + [2.301] * 20)
    assert (found.kind, "2.30, no better than guessing" in found.sentence) == ("diverging", True)


def test_a_jump_that_ends_at_guessing_is_diverging() -> None:
    jump = [2.3, 90.0, 12.0, *[2.31] * 17]
    assert judge_batches(jump + [2.3] * 60).kind == "too early"
    assert judge_batches(jump + [2.3] * 80).kind == "diverging"
    assert judge_batches([2.3] * 100).kind == "too early"  # without a jump, the rate may as well be too low
    assert judge_batches(list(np.linspace(40, 10, 100))).kind == "too early"  # a hard start, but it falls
    assert judge_batches([2.3, *np.linspace(5, 12, 99)]).kind == "diverging"


def test_noise_is_not_divergence() -> None:
    generator = np.random.default_rng(0)
    steady = 0.05 * generator.lognormal(0, 1, 5000)
    steady[::37] = 8.0  # single batches of rubbish
    assert all(judge_batches(list(steady[:count])).kind == "too early" for count in range(40, 5000, 61))


def test_small_batches_are_judged_over_2000_images() -> None:
    small = replace(CONFIG, batch_size=10)
    loss = [2.3] * 200 + [0.3] * 200 + [2.0] * 60
    assert judge_batches(loss, small).kind == "too early"
    assert judge_batches(loss + [2.0] * 60, small).kind == "diverging"


@pytest.mark.parametrize(("name", "kind"), [("garcia", "hardly learning"), ("five-layer", "overfitting")])
def test_runs_that_ship_are_what_they_are_known_for(name: str, kind: str) -> None:
    run = runs.find_run(name, runs.BUNDLED_RUNS)
    assert diagnose(curves(event_log.read_events(run.path), run.config), run.config).kind == kind


def test_no_run_that_ships_is_called_bad_for_dropout_or_chance() -> None:
    found = {
        run.id: diagnose(curves(event_log.read_events(run.path), run.config), run.config).kind
        for run in runs.list_runs(runs.BUNDLED_RUNS)
        if run.id != "garcia"
    }
    assert len(found) >= 4
    assert set(found.values()) <= {"still learning", "levelling off", "overfitting"}


losses = st.floats(0, 50) | st.sampled_from([0.0, 1e-6, 1e4, math.inf, math.nan])


@settings(deadline=None)
@given(epochs=st.lists(st.tuples(losses, st.none() | losses), max_size=8), batches=st.lists(losses, max_size=120))
def test_whatever_happened_there_is_a_sentence(epochs: list[tuple[float, float | None]], batches: list[float]) -> None:
    events: list[Event] = [BatchesDone(1, len(batches), 1, tuple(batches), tuple(batches), 1.0)]
    events += [EpochDone(i + 1, 10 * i + 10, True, a, 0.5, b, 0.5, 1.0) for i, (a, b) in enumerate(epochs)]
    found = diagnose(curves(events, CONFIG), CONFIG)
    assert found.kind in get_args(DiagnosisKind)
    assert (found.since_epoch is not None) == (found.kind == "overfitting")
    assert "nan" not in found.sentence
    assert found.sentence.lower().startswith(found.kind)


def test_the_rules_name_every_kind() -> None:
    assert [kind for kind in get_args(DiagnosisKind) if f"**{kind}" not in RULES.lower()] == []
