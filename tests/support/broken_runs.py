"""What a run has after a fault, and that it ends as if nothing had been."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mnist_core import runs
from mnist_core.processes import worker
from mnist_core.runs import event_log
from mnist_core.runs.results import read_predictions
from mnist_core.training import checkpoints
from mnist_core.training.events import EpochDone

TIMELESS: dict[str, Any] = {"training_seconds": 1.0, "images_per_second": 1.0, "finished": "", "peak_memory_mb": 1.0}
LINUX = sys.platform.startswith("linux")


def epochs_of(path: Path) -> list[int]:
    return [event.epoch for event in event_log.read_events(path) if isinstance(event, EpochDone)]


def hidden_files(path: Path) -> list[str]:
    """What is left beside the files of a run."""
    return [str(file.relative_to(path)) for file in path.rglob(".*")]


def assert_ends_as(path: Path, other: Path) -> None:
    """Let a broken run go on, here, and compare it with one that never broke."""
    ended, whole = worker.execute(path), runs.read_run(other)
    assert ended.status.state == "finished", ended.status.message
    assert ended.report is not None
    assert whole.report is not None
    assert replace(ended.report, **TIMELESS) == replace(whole.report, **TIMELESS)
    np.testing.assert_array_equal(read_predictions(path), read_predictions(other))
    assert epochs_of(path) == epochs_of(other)
    assert hidden_files(path) == []
    assert not checkpoints.has_checkpoint(path)
