"""Training processes: start one for a run, let it wait for its turn, ask it to stop.

There is no scheduler. Each training process decides for itself when it may begin, from the run directories alone:
a run begins once fewer others train, or wait and are older, than the machine has room for. The order of run ids is
total, so no two processes can disagree, and a restarted server changes nothing. Runs started by hand on the command
line do not wait, but count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from mnist_core import runs
from mnist_core.config import TrainingConfig

_POLL_SECONDS = 0.5
CORES_PER_RUN = 2


def room() -> int:
    """Return how many runs may train at once on this machine: one per two cores."""
    return max(1, (os.cpu_count() or 1) // CORES_PER_RUN)


def start(config: TrainingConfig, folder: Path) -> str:
    """Create a run in `folder`, start its training process, and return the run's id at once.

    Raises `OSError` if the directory cannot be written.
    """
    path = runs.create_run(folder, config)
    command = [sys.executable, "-m", "mnist_core", "train", "--run", path.name, "--runs-dir", str(folder.resolve())]
    try:
        process = _spawn(command, path / "log.txt")
    except OSError:
        runs.write_status(path, "failed", "Its training process could not be started.")
        raise
    # The process writes its own number into the status: done here, it could overwrite what the process wrote meanwhile.
    threading.Thread(target=_see_off, args=(process, path), daemon=True).start()
    return path.name


def _spawn(command: list[str], log_file: Path) -> subprocess.Popen[bytes]:
    with log_file.open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=runs.PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # It outlives the server and does not get the server's Ctrl-C; the second line says so on Windows.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        )


def _see_off(process: subprocess.Popen[bytes], path: Path) -> None:
    """Take note of the end of a process, as whoever starts one must; tell if it never got as far as its run."""
    process.wait()
    with suppress(OSError, runs.RunError):
        status = runs.read_run(path).status
        if status.state == "queued" and status.pid is None:
            runs.write_status(path, "failed", "Its training process could not start. The run’s log.txt tells why.")


def runs_ahead(run_id: str, folder: Path) -> int:
    """Return how many runs of the folder train, or wait and are older."""
    others = [run for run in runs.list_runs(folder) if run.is_active and run.id != run_id]
    return sum(run.status.state == "running" or run.id < run_id for run in others)


def wait_for_turn(path: Path, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Block until the run may begin or is asked to stop."""
    while runs_ahead(path.name, path.parent) >= room() and not (should_stop() or runs.stop_requested(path)):
        time.sleep(_POLL_SECONDS)


def be_nice() -> None:
    """Let the server and its pages go first when cores are short."""
    process = psutil.Process()
    process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else 5)
