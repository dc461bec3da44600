"""Who trains and who waits.

There is no scheduler. Each training process decides for itself when it may begin, from the run directories alone:
a run begins once fewer others train, or wait and are older, than the machine has capacity for. The order of run ids is
total, so processes agree, and a restarted server changes nothing. (But for a moment: an old run that goes on again just
when a newer one begins may train beside it.) Runs started by hand on the command line do not wait, but count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mnist_core import runs
from mnist_core.common.server import chosen_capacity

_POLL_SECONDS = 0.5
_LONGEST_PAUSE = 10  # polls; a look reads the status of every run, and all who wait look
CORES_PER_RUN = 2


def capacity() -> int:
    """Return how many runs may train at once: `DIGIT_LAB_ROOM`, or one for each two cores that this process may use."""
    if (chosen := chosen_capacity()) is not None:
        return chosen
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // CORES_PER_RUN)


@dataclass(frozen=True)
class Queue:
    """The runs of a folder that train, and those that wait, the next one first."""

    training: tuple[runs.Run, ...]
    waiting: tuple[runs.Run, ...]

    def place(self, run_id: str) -> int | None:
        """Return the place of a waiting run in line, counted from 1; None if it does not wait."""
        return next((place for place, run in enumerate(self.waiting, start=1) if run.id == run_id), None)


def read_queue(folder: Path) -> Queue:
    """Return who trains and who waits in a folder."""
    active = runs.list_active(folder)
    return Queue(
        tuple(run for run in active if run.status.state == "running"),
        tuple(run for run in active if run.status.state == "queued"),
    )


def runs_ahead(run_id: str, folder: Path) -> int:
    """Return how many runs of the folder train, or wait and are older."""
    others = [run for run in runs.list_active(folder) if run.id != run_id]
    return sum(run.status.state == "running" or run.id < run_id for run in others)


def wait_for_turn(path: Path, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Block until the run may begin or is asked to stop. The further back in line, the less often it looks ahead."""
    next_look = 0.0
    while not (should_stop() or runs.stop_requested(path)):
        if time.monotonic() >= next_look:
            too_many = runs_ahead(path.name, path.parent) - capacity() + 1
            if too_many <= 0:
                return
            next_look = time.monotonic() + _POLL_SECONDS * min(too_many, _LONGEST_PAUSE)
        time.sleep(_POLL_SECONDS)
