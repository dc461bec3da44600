"""Run directories in states that tests need, and what readers say of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from mnist_core import runs
from mnist_core.runs.status import Status, write_status
from mnist_core.training import checkpoints
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import Progress

MakeConfig = Callable[..., TrainingConfig]


def broken_off(folder: Path, config: TrainingConfig, owner: str = "") -> Path:
    """Make an interrupted run with a checkpoint."""
    path = runs.create_run(folder, config, owner=owner)
    checkpoints.write_checkpoint(path, checkpoints.Checkpoint(Progress(1, 9, 450, 1.0), (), (), None))
    write_status(path, "interrupted")
    return path


def write_status_values(path: Path, **values: object) -> None:
    status = asdict(Status("running", updated=time.time()))
    (path / "status.json").write_text(json.dumps({**status, **values}))


def is_sentence(text: str) -> bool:
    return len(text) > 20 and text[-1] in ".)" and "Traceback" not in text
