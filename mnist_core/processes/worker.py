"""One training run from start to end, in this process: what a training process does, and the command line."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_core import runs
from mnist_core.common.arrays import Probabilities
from mnist_core.common.atomic_files import DISK_FULL, remove_leftovers, replacing
from mnist_core.common.errors import DigitLabError
from mnist_core.data.dataset import Mnist, load_mnist
from mnist_core.evaluation.metrics import accuracy, cross_entropy
from mnist_core.processes import limits
from mnist_core.processes.machine import describe_machine, peak_memory_mb, versions
from mnist_core.runs import epoch_predictions
from mnist_core.runs.event_log import EventWriter
from mnist_core.runs.results import Report, write_predictions, write_report
from mnist_core.runs.status import write_status
from mnist_core.training import checkpoints
from mnist_core.training.checkpoints import Checkpoint, CheckpointError
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import Event, TrainingDivergedError

if TYPE_CHECKING:
    import keras

    from mnist_core.training.loop import TrainingResult

_STOP_CHECK_SECONDS = 0.1


def execute(
    path: Path,
    on_event: Callable[[Event], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> runs.Run:
    """Train the run in directory `path`, evaluate it on the test set, and return how it ended.

    A run that has a checkpoint goes on from it. Every outcome ends in `status.json`: finished, stopped, or failed with
    a sentence that says why. Raises `RunError` or `OSError` only if the directory itself cannot be read or written.
    """
    config = runs.read_run(path).config
    bounds = limits.current()
    stop = _StopSwitch(path, should_stop, bounds.training_seconds)
    if stop() and not checkpoints.has_checkpoint(path):
        return _end_untrained(path)
    write_status(path, "running", "Starting TensorFlow", pid=os.getpid())
    try:
        limits.check(config, bounds)
        remove_leftovers(path)
        start = checkpoints.read_checkpoint(path) if checkpoints.has_checkpoint(path) else None
        epoch_predictions.cut(path, start.progress.epochs_completed if start else 0)
        data = load_mnist()
        # These load TensorFlow: seconds and memory that only this process pays.
        from mnist_core.networks import keras_model
        from mnist_core.training import loop

        with EventWriter(path) as log:

            def record(event: Event) -> None:
                log.append(event)
                on_event(event)

            def keep(model: keras.Model, checkpoint: Checkpoint) -> None:
                best = checkpoint.best
                if config.keep == "last" or (best and best.epoch == checkpoint.progress.epochs_completed):
                    save_model(path, model)
                try:
                    epoch_predictions.write(
                        path, checkpoint.progress.epochs_completed, keras_model.predict(model, data.x_test)
                    )
                except OSError:  # nothing depends on it
                    _print_error()
                checkpoints.write_checkpoint(path, checkpoint)

            write_status(path, "running", "Training", pid=os.getpid())
            result = loop.train(config, data, record, stop, keep, start)
        if not result.progress.steps:
            return _end_untrained(path)

        write_status(path, "running", "Testing", pid=os.getpid())
        save_model(path, result.model)
        _write_results(path, config, result, data)
        if result.end_reason == "stopped":
            write_status(path, "stopped", stop.reason)
        else:
            write_status(path, "finished", result.end_reason)
        checkpoints.remove_checkpoint(path)
    except Exception as error:  # whatever went wrong, the page must learn of it
        if not isinstance(error, DigitLabError):
            _print_error()
        if isinstance(error, TrainingDivergedError | CheckpointError):  # to go on from there would end the same way
            checkpoints.remove_checkpoint(path)
        write_status(path, "failed", _explain(error))
    return runs.read_run(path)


def save_model(path: Path, model: keras.Model) -> None:
    """Write `model.keras` beside and rename: a failed save never harms the file that is there."""
    with replacing(path / "model.keras") as beside:
        model.save(beside)


def measure(probabilities: Probabilities, data: Mnist) -> dict[str, float | int]:
    """Return accuracy, loss and number of hits on the test set."""
    return {
        "test_accuracy": accuracy(data.y_test, probabilities),
        "test_loss": cross_entropy(data.y_test, probabilities),
        "test_correct": int(np.count_nonzero(probabilities.argmax(axis=1) == data.y_test)),
    }


def _end_untrained(path: Path) -> runs.Run:
    """End a run that was stopped before its first batch: it has nothing to show."""
    write_status(path, "stopped", "Stopped before training began.")
    return runs.read_run(path)


def _print_error() -> None:
    """Print what went wrong, for log.txt, which may be on a full disk."""
    with suppress(OSError):
        traceback.print_exc()


def _write_results(path: Path, config: TrainingConfig, result: TrainingResult, data: Mnist) -> None:
    from mnist_core.networks.keras_model import predict

    probabilities = predict(result.model, data.x_test)
    write_predictions(path, probabilities)
    progress = result.progress
    network = config.architecture
    report = Report(
        **measure(probabilities, data),  # type: ignore[arg-type]
        training_seconds=round(progress.seconds, 3),
        images_per_second=round(progress.images / progress.seconds, 1) if progress.seconds else 0.0,
        parameters=network.parameters,
        multiply_adds=network.multiply_adds,
        epochs_completed=progress.epochs_completed,
        steps=progress.steps,
        end_reason=result.end_reason,
        kept_epoch=result.kept.epoch,
        kept_step=result.kept.step,
        kept_rule=result.kept.rule,
        versions=versions(),
        machine=describe_machine(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        peak_memory_mb=peak_memory_mb(),
    )
    write_report(path, report)


def _explain(error: Exception) -> str:
    """Return one sentence for the page about what ended a run."""
    if isinstance(error, DigitLabError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "The machine ran out of memory. Try a smaller batch size or a smaller network."
    if isinstance(error, OSError):
        advice = " Make room on the disk first." if error.errno in DISK_FULL else ""
        return f"A file of the run could not be written: {error.strerror or error}.{advice}"
    return f"Training ended with an unexpected error ({type(error).__name__}). The run’s log.txt has the details."


class _StopSwitch:
    """Says whether to stop; looks at the disk ten times a second at most, and never takes a yes back."""

    def __init__(self, path: Path, should_stop: Callable[[], bool], seconds: float) -> None:
        self.reason = ""
        self._path = path
        self._should_stop = should_stop
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._next_look = 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self.reason and now >= self._next_look:
            self._next_look = now + _STOP_CHECK_SECONDS
            if now >= self._end:
                self.reason = f"The time limit of {self._seconds / 60:.0f} minutes for one run was reached."
            elif self._should_stop() or runs.stop_requested(self._path):
                self.reason = "Stopped by hand."
        return bool(self.reason)
