"""One training run from start to end, in this process: what a training process does, and the command line."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from mnist_core import __version__, runs
from mnist_core.dataset import DatasetError, Mnist, load_mnist
from mnist_core.evaluation import Probabilities, accuracy, cross_entropy
from mnist_core.events import Event, TrainingDivergedError
from mnist_core.files import replacing

if TYPE_CHECKING:
    import keras

    from mnist_core.training import TrainingResult

_STOP_CHECK_SECONDS = 0.1


def carry_out(
    path: Path,
    on_event: Callable[[Event], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> runs.Run:
    """Train the run in directory `path`, evaluate it on the test set, and return how it ended.

    Every outcome ends in `status.json`: finished, stopped, or failed with a sentence that says why. Raises `RunError`
    only if the directory itself cannot be read or written.
    """
    config = runs.read_run(path).config
    stop = _StopSwitch(path, should_stop)
    if stop():
        return _end_untrained(path)
    runs.write_status(path, "running", "Starting TensorFlow", pid=os.getpid())
    try:
        data = load_mnist()
        from mnist_core import training  # loads TensorFlow: seconds and memory that only a training process pays

        with (path / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
            event_number = 0

            def record(event: Event) -> None:
                nonlocal event_number
                runs.append_event(metrics, event_number, event)
                event_number += 1
                on_event(event)

            runs.write_status(path, "running", "Training", pid=os.getpid())
            result = training.train(config, data, record, stop, lambda model: save_model(path, model))
        if not result.progress.steps:
            return _end_untrained(path)

        runs.write_status(path, "running", "Reading the test images", pid=os.getpid())
        save_model(path, result.model)
        _write_results(path, result, data)
        runs.write_status(path, "stopped" if result.end_reason == "stopped" else "finished", result.end_reason)
    except Exception as error:  # whatever went wrong, the page must learn of it
        if not isinstance(error, TrainingDivergedError | DatasetError):
            traceback.print_exc()
        runs.write_status(path, "failed", _explain(error))
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
    runs.write_status(path, "stopped", "Stopped before training began.")
    return runs.read_run(path)


def _write_results(path: Path, result: TrainingResult, data: Mnist) -> None:
    from mnist_core.network import predict

    probabilities = predict(result.model, data.x_test)
    runs.write_predictions(path, probabilities)
    progress = result.progress
    network = runs.read_run(path).config.network
    report = runs.Report(
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
        versions=_versions(),
        machine=_machine(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    runs.write_report(path, report)


def _versions() -> dict[str, str]:
    packages = ("tensorflow", "keras", "numpy")
    installed = {name: importlib.metadata.version(name) for name in packages}
    return {"digit_lab": __version__, "python": platform.python_version(), **installed}


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def _explain(error: Exception) -> str:
    """Return one sentence for the page about what ended a run."""
    if isinstance(error, TrainingDivergedError | DatasetError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "The machine ran out of memory. Try a smaller batch size or a smaller network."
    if isinstance(error, OSError):
        return f"A file of the run could not be written: {error.strerror or error}."
    return f"Training ended with an unexpected error ({type(error).__name__}). The run’s log.txt has the details."


class _StopSwitch:
    """Says whether to stop; looks at the disk ten times a second at most, and never takes a yes back."""

    def __init__(self, path: Path, should_stop: Callable[[], bool]) -> None:
        self._path = path
        self._should_stop = should_stop
        self._stopped = False
        self._next_look = 0.0

    def __call__(self) -> bool:
        if not self._stopped and time.monotonic() >= self._next_look:
            self._stopped = self._should_stop() or runs.stop_requested(self._path)
            self._next_look = time.monotonic() + _STOP_CHECK_SECONDS
        return self._stopped
