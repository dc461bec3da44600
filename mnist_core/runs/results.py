"""What a run came to: its report, and its probabilities for the test images."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from mnist_core.common.arrays import Probabilities
from mnist_core.common.atomic_files import replacing, write_json
from mnist_core.common.typed_json import has_declared_types
from mnist_core.data.dataset import TEST_IMAGES
from mnist_core.runs.reading import RunError, malformed_file, read_json

_REPORT = "report.json"
_PREDICTIONS = "predictions.npz"


@dataclass(frozen=True)
class Report:
    """What was measured. Accuracies are shares from 0 to 1, losses mean cross-entropies in nats."""

    test_accuracy: float
    test_loss: float
    test_correct: int
    training_seconds: float  # neither validation nor saving
    images_per_second: float
    parameters: int
    multiply_adds: int
    epochs_completed: int
    steps: int
    end_reason: str
    kept_epoch: int
    kept_step: int
    kept_rule: str
    versions: dict[str, str]
    machine: dict[str, Any]
    finished: str  # ISO 8601, UTC
    peak_memory_mb: float = 0.0  # of the training process; 0: not measured


def read_report(path: Path) -> Report | None:
    """Return what was measured, None if there is no report. Raises `RunError`."""
    if not (path / _REPORT).exists():
        return None
    values = read_json(path / _REPORT)
    try:
        wanted = [field.name for field in fields(Report) if field.default is MISSING or field.name in values]
        report = Report(**{name: values[name] for name in wanted})
    except (TypeError, KeyError) as error:
        raise malformed_file(path / _REPORT) from error
    if not has_declared_types(report):
        raise malformed_file(path / _REPORT)
    return report


def write_report(path: Path, report: Report) -> None:
    """Store what was measured; the last file of a run to be written."""
    write_json(path / _REPORT, asdict(report))


def read_predictions(path: Path) -> Probabilities:
    """Return the probabilities for the test images, (10000, 10) float32. Raises `RunError`."""
    try:
        with np.load(path / _PREDICTIONS, allow_pickle=False) as archive:
            probabilities: Probabilities = archive["test_probabilities"]
    except FileNotFoundError:
        raise RunError(f"Run {path.name} has no predictions yet: they are made when training ends.") from None
    except Exception as error:  # a damaged zip file raises many kinds
        raise RunError(f"The predictions of run {path.name} cannot be read; the file is damaged.") from error
    if probabilities.shape != (TEST_IMAGES, 10) or probabilities.dtype != np.float32 or np.isnan(probabilities).any():
        raise RunError(f"The predictions of run {path.name} are not of the expected form.")
    return probabilities


def write_predictions(path: Path, probabilities: Probabilities) -> None:
    """Store the probabilities for the test images, (10000, 10) float32."""
    with replacing(path / _PREDICTIONS) as beside, beside.open("wb") as file:
        np.savez_compressed(file, test_probabilities=probabilities)
