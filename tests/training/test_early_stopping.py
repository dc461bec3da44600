"""When training ends early, told by epochs that are made up."""

from __future__ import annotations

from typing import Any

import pytest

from mnist_core.training.config import TrainingConfig
from mnist_core.training.early_stopping import best_epoch, metric_value, reason_to_stop
from mnist_core.training.events import EpochDone

METRICS = {
    "training accuracy": "accuracy",
    "training loss": "loss",
    "validation accuracy": "validation_accuracy",
    "validation loss": "validation_loss",
}


def epoch(number: int = 1, *, complete: bool = True, **measured: float | None) -> EpochDone:
    figures: dict[str, Any] = {"loss": 0.5, "accuracy": 0.5, "validation_loss": None, "validation_accuracy": None}
    return EpochDone(epoch=number, step=10 * number, complete=complete, seconds=1.0, **figures | measured)


def epochs(metric: str, *values: float | None) -> list[EpochDone]:
    """Epochs in which this metric had these values, while the others did not move."""
    others: dict[str, Any] = dict.fromkeys(METRICS.values(), 0.5)
    return [epoch(number, **{**others, METRICS[metric]: value}) for number, value in enumerate(values, start=1)]


def stop(metric: str, rule: str, **settings: Any) -> TrainingConfig:
    return TrainingConfig(early_stopping=rule, stop_metric=metric, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_is_that_of_its_name(metric: str) -> None:
    done = epoch(loss=0.1, accuracy=0.2, validation_loss=0.3, validation_accuracy=0.4)
    expected = {"training loss": 0.1, "training accuracy": 0.2, "validation loss": 0.3, "validation accuracy": 0.4}
    assert metric_value(metric, done) == expected[metric]  # type: ignore[arg-type]


def test_what_was_not_measured_has_no_value() -> None:
    assert metric_value("validation loss", epoch()) is None
    assert metric_value("validation accuracy", epoch()) is None


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_stops_a_run_that_is_told_never_to(metric: str) -> None:
    config = stop(metric, "never", stop_target=0.5, patience=1)
    for values in ([0.0] * 9, [1.0] * 9, [0.9, 0.1], [0.1, 0.9]):
        assert reason_to_stop(config, epochs(metric, *values)) is None


@pytest.mark.parametrize("rule", ["never", "target", "patience"])
def test_nothing_stops_before_the_first_epoch(rule: str) -> None:
    assert reason_to_stop(stop("training loss", rule), []) is None


@pytest.mark.parametrize("metric", ["training accuracy", "validation accuracy"])
def test_an_accuracy_must_be_above_the_target(metric: str) -> None:
    config = stop(metric, "target", stop_target=0.9)
    assert reason_to_stop(config, epochs(metric, 0.89)) is None
    assert reason_to_stop(config, epochs(metric, 0.9)) is None
    assert reason_to_stop(config, epochs(metric, 0.9000001)) == "target reached"
    assert reason_to_stop(config, epochs(metric, 0.3, 0.95)) == "target reached"


@pytest.mark.parametrize("metric", ["training loss", "validation loss"])
def test_a_loss_must_be_below_the_target(metric: str) -> None:
    config = stop(metric, "target", stop_target=0.25)
    assert reason_to_stop(config, epochs(metric, 0.26)) is None
    assert reason_to_stop(config, epochs(metric, 0.25)) is None
    assert reason_to_stop(config, epochs(metric, 0.2499999)) == "target reached"
    assert reason_to_stop(config, epochs(metric, 3.0, 0.1)) == "target reached"


def test_the_target_is_judged_by_the_last_epoch() -> None:
    config = stop("training accuracy", "target", stop_target=0.9)
    assert reason_to_stop(config, epochs("training accuracy", 0.95, 0.85)) is None


@pytest.mark.parametrize(
    ("losses", "patience", "ends"),
    [
        ([0.5], 1, False),
        ([0.5, 0.4, 0.3], 1, False),
        ([0.5, 0.6], 1, True),
        ([0.5, 0.6], 2, False),
        ([0.5, 0.6, 0.55], 2, True),  # better than the epoch before is not better than the best
        ([0.5, 0.6, 0.49], 2, False),
        ([0.5, 0.6, 0.49, 0.6, 0.6], 3, False),
        ([0.5, 0.6, 0.49, 0.6, 0.6, 0.6], 3, True),
        ([0.5, 0.5], 1, True),  # a tie is no new best
        ([0.5, 0.6, 0.5], 2, True),
        ([0.5, 0.5, 0.5], 3, False),
    ],
)
def test_patience_counts_epochs_without_a_new_best(losses: list[float], patience: int, ends: bool) -> None:
    expected = "no more improvement" if ends else None
    for metric in ("training loss", "validation loss"):
        assert reason_to_stop(stop(metric, "patience", patience=patience), epochs(metric, *losses)) == expected
    for metric in ("training accuracy", "validation accuracy"):
        accuracies = [1 - loss for loss in losses]
        assert reason_to_stop(stop(metric, "patience", patience=patience), epochs(metric, *accuracies)) == expected


def test_patience_is_used_up_in_the_first_epoch_that_it_can_be() -> None:
    losses = [0.9, 0.5, 0.6, 0.7, 0.51, 0.4]
    for patience, last in ((1, 3), (2, 4), (3, 5)):
        config = stop("validation loss", "patience", patience=patience)
        lengths = range(1, len(losses) + 1)
        ended = next(n for n in lengths if reason_to_stop(config, epochs("validation loss", *losses[:n])))
        assert ended == last


@pytest.mark.parametrize("rule", ["target", "patience"])
def test_an_epoch_without_a_value_stops_nothing(rule: str) -> None:
    config = stop("validation loss", rule, stop_target=10.0, patience=1)
    assert reason_to_stop(config, epochs("validation loss", None)) is None
    assert reason_to_stop(config, epochs("validation loss", 0.1, 0.2, None)) is None


def test_epochs_without_a_value_are_not_counted() -> None:
    config = stop("validation loss", "patience", patience=2)
    assert reason_to_stop(config, epochs("validation loss", 0.1, None, 0.2)) is None
    assert reason_to_stop(config, epochs("validation loss", 0.1, None, 0.2, 0.2)) == "no more improvement"


def test_the_best_epoch_has_the_lowest_validation_loss() -> None:
    done = epochs("validation loss", 0.5, 0.2, 0.3)
    assert best_epoch(done) is done[1]
    accurate = [epoch(1, validation_loss=0.4, validation_accuracy=0.9), epoch(2, validation_loss=0.3, loss=9.0)]
    assert best_epoch(accurate) is accurate[1]


def test_the_first_of_equally_good_epochs_is_the_best() -> None:
    done = epochs("validation loss", 0.5, 0.2, 0.2)
    assert best_epoch(done) is done[1]


def test_an_epoch_that_was_broken_off_can_be_the_best() -> None:
    done = [epoch(1, validation_loss=0.5), epoch(2, validation_loss=0.4, complete=False)]
    assert best_epoch(done) is done[1]


def test_without_validation_no_epoch_is_the_best() -> None:
    assert best_epoch([]) is None
    assert best_epoch([epoch(1), epoch(2)]) is None
    done = [epoch(1), epoch(2, validation_loss=0.7), epoch(3)]
    assert best_epoch(done) is done[1]
