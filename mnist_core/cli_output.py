"""What the command line prints: a progress bar, tables, and how a run ended."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mnist_core import runs
from mnist_core.common.text import percent
from mnist_core.data.dataset import TEST_IMAGES
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, EpochDone, Event


class ProgressBar:
    """A line on standard error that grows with training, and one line for each epoch."""

    def __init__(self, config: TrainingConfig, *, quiet: bool) -> None:
        self._steps_per_epoch = config.steps_per_epoch
        self._epochs = config.epochs
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  loss {task.fields[loss]}  {task.fields[rate]} images/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._task = self._progress.add_task(
            "", total=self._steps_per_epoch * self._epochs, epoch=1, epochs=self._epochs, loss="–", rate="–"
        )

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Take note of one event of training."""
        match event:
            case BatchesDone():
                rate = f"{event.images / max(event.seconds, 1e-9):,.0f}"
                loss = f"{event.loss[-1]:.4f}"
                self._progress.update(self._task, completed=event.step, epoch=event.epoch, loss=loss, rate=rate)
            case EpochDone():
                line = f"epoch {event.epoch}: loss {event.loss:.4f}, accuracy {event.accuracy:.4f}"
                if event.validation_accuracy is not None:
                    line += f", validation loss {event.validation_loss:.4f}, accuracy {event.validation_accuracy:.4f}"
                self._progress.console.print(line, highlight=False)


def print_report(run: runs.Run, *, as_json: bool) -> None:
    """Print how a run ended and what was measured."""
    if as_json:
        print(json.dumps({"run": run.id, "state": run.status.state, **(asdict(run.report) if run.report else {})}))
        return
    print(f"Run {run.id}: {run.status.state}, {run.status.message}")
    if run.report:
        low, high = wilson_interval(run.report.test_correct, TEST_IMAGES)
        accuracy, least, most = (percent(share, 2) for share in (run.report.test_accuracy, low, high))
        print(f"Test accuracy {accuracy} (95% interval {least} to {most})")
        print(f"Test loss {run.report.test_loss:.4f}, {run.report.training_seconds:.1f} s of training")


def print_rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print rows, which all have the same columns, as a table or as JSON."""
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(_format(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _format(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
