"""One run from start to end: it goes on where it was broken off, keeps to the limits, and always says how it ended."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import pytest

from mnist_core import runs
from mnist_core.common.server import PROJECT, PUBLIC_VARIABLE
from mnist_core.data.dataset import DatasetError, Mnist
from mnist_core.networks.keras_model import predict
from mnist_core.processes import limits, worker
from mnist_core.runs import event_log
from mnist_core.runs.results import read_predictions
from mnist_core.runs.status import write_status
from mnist_core.training import checkpoints
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, Continued, EpochDone, Event

MakeConfig = Callable[..., TrainingConfig]
TIMELESS: dict[str, Any] = {"training_seconds": 1.0, "images_per_second": 1.0, "finished": "", "peak_memory_mb": 1.0}


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PUBLIC_VARIABLE, raising=False)


def snapshot(folder: Path, *left_out: str) -> dict[str, bytes]:
    """What is in the files of a folder and below, by path."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.name not in left_out]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def weights_of(path: Path) -> list[np.ndarray]:
    weights: list[np.ndarray] = keras.models.load_model(path / "model.keras", compile=False).get_weights()
    return weights


def losses(events: list[Event]) -> list[float]:
    """Return the loss of each batch, in order."""
    return [loss for event in events if isinstance(event, BatchesDone) for loss in event.loss]


def epochs(events: list[Event]) -> list[EpochDone]:
    """Return what was reported of epochs, but for the time they took."""
    return [replace(event, seconds=0) for event in events if isinstance(event, EpochDone)]


# Going on from a checkpoint


def in_the_middle_of_epoch_3(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(event: Event) -> None:
        if isinstance(event, BatchesDone) and event.epoch == 3 and event.step > 2 * 9 + 2:
            raise KeyboardInterrupt

    worker.execute(path, die)


def before_the_checkpoint_of_epoch_3(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == 3:
            raise KeyboardInterrupt

    worker.execute(path, die)


def while_the_results_are_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(path: Path, probabilities: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "write_predictions", die)
    worker.execute(path)


# How the process dies, the step that training goes on from, and settings that have a state of many kinds.
DEATHS = {
    "running statistics, dropout, moments and a schedule": (
        in_the_middle_of_epoch_3,
        18,
        {"notation": "4C3-BN-P2-D0.3-10", "schedule": "cosine", "shift": 2.0, "label_smoothing": 0.1},
    ),
    "best weights and patience": (
        before_the_checkpoint_of_epoch_3,
        18,
        {"optimizer": "nesterov", "keep": "best", "validation": "random", "early_stopping": "patience", "l2": 0.01},
    ),
    "everything trained": (while_the_results_are_written, 36, {"optimizer": "adamw", "schedule": "one-cycle"}),
}


@pytest.mark.fault(id="killed-while-writing-results")
@pytest.mark.parametrize(("die", "step", "settings"), DEATHS.values(), ids=DEATHS)
def test_a_run_that_goes_on_ends_as_if_never_broken_off(
    die: Callable[[Path, pytest.MonkeyPatch], None],
    step: int,
    settings: dict[str, object],
    tmp_path: Path,
    tiny_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = tiny_config(train_size=500, validation_share=0.1, batch_size=50, epochs=4, **settings)
    whole = worker.execute(runs.create_run(tmp_path, config, "whole"))
    path = runs.create_run(tmp_path, config, "broken")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        die(path, patch)
    assert checkpoints.read_checkpoint(path).progress.steps == step
    assert weights_of(path)
    before = event_log.read_events(path)
    assert not any(isinstance(event, Continued) for event in before)

    told: list[Event] = []
    broken = worker.execute(path, told.append)
    assert told[0] == Continued(step)
    assert (broken.status.state, broken.status.message) == (whole.status.state, whole.status.message)
    assert whole.report is not None
    assert broken.report is not None
    assert replace(broken.report, **TIMELESS) == replace(whole.report, **TIMELESS)
    for ours, theirs in zip(weights_of(path), weights_of(whole.path), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(read_predictions(path), read_predictions(whole.path))
    assert not checkpoints.has_checkpoint(path)

    events, expected = event_log.read_events(path), event_log.read_events(whole.path)
    assert losses(events) == losses(expected)
    assert epochs(events) == epochs(expected)
    assert [event for event in events if isinstance(event, Continued)] == [Continued(step)]
    assert len(losses(events)) == whole.report.steps
    numbers = [json.loads(line)["n"] for line in (path / "metrics.jsonl").read_text().splitlines() if line]
    assert numbers == list(range(len(numbers)))


def test_a_checkpoint_is_there_from_the_first_epoch_to_the_end(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config(epochs=3, keep="best"))
    seen: list[tuple[int, int, bool]] = []

    def look(event: Event) -> None:
        if isinstance(event, BatchesDone) and (not seen or seen[-1][0] != event.epoch):
            done = (
                checkpoints.read_checkpoint(path).progress.epochs_completed if checkpoints.has_checkpoint(path) else 0
            )
            seen.append((event.epoch, done, (path / "model.keras").exists()))

    assert worker.execute(path, look).status.state == "finished"
    assert seen == [(1, 0, False), (2, 1, True), (3, 2, True)]
    assert not checkpoints.has_checkpoint(path)


def test_weights_on_disk_are_the_best_so_far_if_these_are_kept(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config(epochs=4, keep="best", optimizer="sgd", learning_rate=0.9, seed=3))
    events: list[Event] = []
    best_on_disk: list[bool] = []

    def look(event: Event) -> None:
        done = epochs(events)
        if isinstance(event, BatchesDone) and done and event.epoch == len(done) + 1 and len(best_on_disk) < len(done):
            best = checkpoints.read_checkpoint(path).best
            assert best is not None
            assert best.epoch == min(done, key=lambda epoch: epoch.validation_loss).epoch
            best_on_disk.append(all(map(np.array_equal, weights_of(path), best.weights)))
        events.append(event)

    worker.execute(path, look)
    assert best_on_disk == [True] * 3
    losses_seen = [epoch.validation_loss for epoch in epochs(events)]
    assert losses_seen != sorted(losses_seen, reverse=True)  # not each epoch was the best so far


@pytest.fixture
def broken_off(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of a finished run that looks as if its process had died before it was done, with a torn checkpoint."""
    path = shutil.copytree(trained_run, tmp_path / "runs" / "broken-off")
    (path / "report.json").unlink()
    (path / "checkpoint.npz").write_bytes(b"PK\3\4 torn")
    write_status(path, "interrupted")
    return path


@pytest.mark.fault(id="damaged-checkpoint")
def test_a_damaged_checkpoint_fails_a_run_and_harms_nothing_else(
    broken_off: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(broken_off, "status.json", "checkpoint.npz")
    run = worker.execute(broken_off)
    assert run.status.state == "failed"
    assert run.status.message == "The run’s checkpoint is damaged, so it cannot continue. Run it again."
    assert snapshot(broken_off, "status.json") == before  # the damaged file itself is gone
    assert "Traceback" not in capfd.readouterr().err


def test_a_run_that_goes_on_and_is_stopped_keeps_what_it_had(
    tmp_path: Path, tiny_config: MakeConfig, mnist: Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = runs.create_run(tmp_path, tiny_config(epochs=4))
    with pytest.raises(KeyboardInterrupt):
        in_the_middle_of_epoch_3(path, monkeypatch)
    had = checkpoints.read_checkpoint(path)
    runs.request_stop(path)
    run = worker.execute(path)
    assert (run.status.state, run.status.message) == ("stopped", "Stopped by hand.")
    assert run.report is not None
    assert (run.report.epochs_completed, run.report.steps) == (2, had.progress.steps)
    assert [event.epoch for event in epochs(event_log.read_events(path))] == [1, 2]
    assert had.best is not None
    for kept, best in zip(weights_of(path), had.best.weights, strict=True):
        np.testing.assert_array_equal(kept, best)
    model = keras.models.load_model(path / "model.keras", compile=False)
    np.testing.assert_array_equal(predict(model, mnist.x_test), read_predictions(path))


# Limits


@pytest.mark.public(id="may-train")
@pytest.mark.parametrize(
    ("settings", "too_much"),
    [
        ({"epochs": limits.PUBLIC.epochs + 1}, f"{limits.PUBLIC.epochs + 1} epochs"),
        ({"notation": "1024-1024-1024-10"}, "parameters"),
        ({"notation": "64C3-64C3-10"}, "multiply-adds"),
        ({"notation": "64C3-P2-10", "batch_size": 4096, "train_size": 60_000}, "MB of memory"),
    ],
)
def test_training_itself_refuses_what_is_too_large_for_strangers(
    settings: dict[str, object],
    too_much: str,
    tmp_path: Path,
    tiny_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = runs.create_run(tmp_path, tiny_config(**settings))
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    run = worker.execute(path)
    assert run.status.state == "failed"
    assert too_much in run.status.message
    assert "allowed here" in run.status.message
    assert {file.name for file in path.iterdir()} == {"config.json", "status.json"}


@pytest.mark.public(id="runs.training_seconds")
def test_a_run_whose_time_is_over_is_stopped_and_keeps_weights(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRIVATE", replace(limits.PRIVATE, training_seconds=3.0))
    path = runs.create_run(tmp_path, tiny_config(train_size=60_000, epochs=100))
    started = time.monotonic()
    run = worker.execute(path)
    assert time.monotonic() - started < 60
    assert run.status.state == "stopped"
    assert "time limit" in run.status.message
    assert "hand" not in run.status.message
    assert run.report is not None
    assert run.report.end_reason == "stopped"
    assert 0 < run.report.steps < run.config.steps
    assert weights_of(path)
    assert run.report.test_accuracy > 0.5


def test_a_request_to_stop_counts_at_once_and_is_not_taken_back(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config())
    answers = iter([True, False, False])
    run = worker.execute(path, should_stop=lambda: next(answers))
    assert (run.status.state, run.status.message) == ("stopped", "Stopped before training began.")
    assert run.report is None


# What goes wrong


@pytest.mark.fault(id="too-little-memory")
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DatasetError("The data file is missing."), "The data file is missing."),
        (MemoryError(), "ran out of memory"),
        (OSError(28, "No space left on device"), "could not be written: No space left on device."),
        (RuntimeError("/secret/path"), "unexpected error (RuntimeError)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_goes_wrong_ends_in_a_sentence(
    error: Exception, told: str, tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Mnist:
        raise error

    monkeypatch.setattr(worker, "load_mnist", fail)
    run = worker.execute(runs.create_run(tmp_path, tiny_config()))
    assert run.status.state == "failed"
    assert told in run.status.message
    assert run.status.message.endswith(".")
    assert "/secret" not in run.status.message


@pytest.mark.fault(id="disk-full")
def test_a_disk_full_after_an_epoch_costs_nothing_measured(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, checkpoint: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_checkpoint", fail)
    path = runs.create_run(tmp_path, tiny_config(epochs=3))
    run = worker.execute(path)
    assert run.status.state == "failed"
    assert "No space left on device" in run.status.message
    assert [event.epoch for event in epochs(event_log.read_events(path))] == [1]
    assert weights_of(path)


def test_a_checkpoint_nobody_can_remove_does_not_change_the_end(
    broken_off: Path, tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def in_use(path: Path, missing_ok: bool = False) -> None:
        if path.name == checkpoints.FILE_NAME:
            raise PermissionError(13, "The process cannot access the file")  # as Windows says
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", in_use)
    finished = worker.execute(runs.create_run(tmp_path / "others", tiny_config()))
    assert (finished.status.state, finished.report is None) == ("finished", False)
    failed = worker.execute(broken_off)
    assert (failed.status.state, "checkpoint is damaged" in failed.status.message) == ("failed", True)
    assert checkpoints.has_checkpoint(finished.path)
    assert checkpoints.has_checkpoint(failed.path)


# Memory


def test_the_peak_of_memory_is_that_of_training_alone(trained_run: Path) -> None:
    report = runs.read_run(trained_run).report
    assert report is not None
    assert 300 < report.peak_memory_mb < 20_000  # TensorFlow alone takes more than that
    assert psutil.Process().memory_info().rss / 1e6 > 300
    script = "from mnist_core.processes.machine import peak_memory_mb; print(peak_memory_mb())"
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert 5 < float(done.stdout) < 200  # the process that starts it, this one, holds TensorFlow
