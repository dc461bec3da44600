"""How a run stands: what its status file says, and whether the process that carries it out is still alive."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil

from mnist_core.common.atomic_files import write_json
from mnist_core.runs.reading import malformed_file, read_json

State = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
STATES: tuple[State, ...] = ("queued", "running", "finished", "stopped", "failed", "interrupted")

_FILE_NAME = "status.json"
_DIED = (
    "Its training process ended before it was done. If nobody ended it and the machine did not restart, memory may "
    "have run out: try smaller batches or a smaller network."
)
# A queued run has no process for a moment; after this it counts as lost.
_START_GRACE_SECONDS = 60


@dataclass(frozen=True)
class Status:
    """How a run stands. `pid` and what follows identify its process; `updated` is Unix time in seconds."""

    state: State
    message: str = ""
    pid: int | None = None
    process_started: float | None = None  # Unix time in seconds
    updated: float = 0.0
    process_started_after_boot: float | None = None  # seconds, whatever the clock is set to


def read_status(path: Path) -> Status:
    """Return how a run stands. Raises `RunError`.

    A run whose process has died is told as `interrupted`, whatever its status file says. Nobody can tell what ended
    it: the system kills without a word what takes too much memory.
    """
    status = stored_status(path)
    if status.state in ACTIVE and not _process_lives(status):
        status = stored_status(path)  # it may have ended well since the status was read
    if status.state in ACTIVE and not _process_lives(status):
        reason = "Its process ended before its turn came." if status.state == "queued" else _DIED
        status = Status("interrupted", reason, updated=status.updated)
    return status


def stored_status(path: Path) -> Status:
    """Return how a run stood when its status was written, alive or not. Raises `RunError`."""
    values = read_json(path / _FILE_NAME)
    try:
        status = Status(**values)
        if status.state not in STATES:
            raise ValueError(status.state)
        return Status(
            status.state,
            str(status.message),
            None if status.pid is None else int(status.pid),
            None if status.process_started is None else float(status.process_started),
            float(status.updated),
            None if status.process_started_after_boot is None else float(status.process_started_after_boot),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise malformed_file(path / _FILE_NAME) from error


def write_status(path: Path, state: State, message: str = "", *, pid: int | None = None) -> None:
    """Replace the status; with `pid`, that process is the run's from now on."""
    started, after_boot = (None, None) if pid is None else _start_of(psutil.Process(pid))
    write_json(path / _FILE_NAME, asdict(Status(state, message, pid, started, time.time(), after_boot)))


def _process_lives(status: Status) -> bool:
    """Whether the run's own process still exists; another process that got its number does not count."""
    if status.pid is None:
        return abs(time.time() - status.updated) < _START_GRACE_SECONDS
    try:
        process = psutil.Process(status.pid)
        return _is_that_of(status, process) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError, OverflowError):
        return False


def _is_that_of(status: Status, process: psutil.Process) -> bool:
    """Whether a process started when that of a run did, by the clock or counted from the start of the machine.

    When the clock is set, what Linux tells of the one changes, and what Windows tells of the other.
    """
    started, after_boot = _start_of(process)
    if status.process_started is None or abs(started - status.process_started) < 1.0:
        return True
    then = status.process_started_after_boot
    return then is not None and abs(after_boot - then) < 0.1


def _start_of(process: psutil.Process) -> tuple[float, float]:
    """Return when a process started: Unix time, and seconds after the start of the machine."""
    started = process.create_time()
    return started, started - psutil.boot_time()
