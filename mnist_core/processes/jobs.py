"""Training processes: started, let go on, kept ready; `queue` says when each begins."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

import psutil

from mnist_core import runs
from mnist_core.common.server import PROJECT
from mnist_core.processes import limits, spare
from mnist_core.processes.machine import lower_priority
from mnist_core.processes.queue import capacity, runs_ahead
from mnist_core.runs.reading import RunError
from mnist_core.runs.status import Status, read_status, write_status
from mnist_core.training import checkpoints
from mnist_core.training.config import TrainingConfig

_lock = threading.Lock()  # what two visitors ask at once is answered one after the other


def start(config: TrainingConfig, folder: Path, owner: str = "") -> str:
    """Create a run in `folder`, start its training process, and return the run's id at once.

    Raises `LimitError` if it or the queue would be too large, `OSError` if the directory cannot be written.
    """
    return start_seeds(config, folder, 1, owner)[0]


def start_seeds(config: TrainingConfig, folder: Path, count: int, owner: str = "") -> list[str]:
    """Start a run; if `count` is more than 1, so many that differ in their seeds alone: the next free ones.

    A seed is free if no run of the folder has it with these settings. After the largest comes 0. Raises as `start`
    does; there is room for all of them, or none is started. If some processes cannot be started, their runs say so.
    """
    bounds = limits.current()
    limits.check(config, bounds)
    with _lock:
        _check_queue(folder, owner, bounds, count)
        _remove_oldest(folder, bounds.kept_runs)
        seeds = [config.seed] if count == 1 else _free_seeds(config, folder, count)
        paths = _create_all([replace(config, seed=seed) for seed in seeds], folder, owner)
    problems = []
    for path in paths:
        try:
            _launch(path)
        except OSError as problem:
            problems.append(problem)
    if len(problems) == len(paths):
        raise problems[0]
    return [path.name for path in paths]


def _free_seeds(config: TrainingConfig, folder: Path, count: int) -> list[int]:
    taken = {run.config.seed for run in runs.list_runs(folder) if replace(run.config, seed=config.seed) == config}
    free = (seed for seed in (number % 2**31 for number in itertools.count(config.seed)) if seed not in taken)
    return list(itertools.islice(free, count))


def _create_all(configs: list[TrainingConfig], folder: Path, owner: str) -> list[Path]:
    """Make the directories of new runs; if one cannot be made, nothing is left of the others."""
    paths: list[Path] = []
    try:
        for config in configs:
            paths.append(runs.create_run(folder, config, owner=owner))
    except OSError:
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)
        raise
    return paths


def resume(run: runs.Run) -> None:
    """Let an interrupted or failed run go on from its last whole epoch, with the weights that it would have had.

    Raises `RunError` if it is neither or has nothing to go on from, otherwise as `start` does.
    """
    bounds = limits.current()
    with _lock:
        run = runs.read_run(run.path)  # another visitor may have been quicker
        if run.status.state not in ("interrupted", "failed"):
            raise RunError("Only a run that was interrupted or failed can continue.")
        if not checkpoints.has_checkpoint(run.path):
            raise RunError("The run ended before its first epoch was done. Run it again instead.")
        limits.check(run.config, bounds)
        _check_queue(run.path.parent, run.owner, bounds)
        runs.withdraw_stop(run.path)
        write_status(run.path, "queued")
    _launch(run.path)


def _check_queue(folder: Path, owner: str, bounds: limits.Limits, wanted: int = 1) -> None:
    active = runs.list_active(folder)
    if len(active) + wanted > bounds.active_runs:
        raise limits.LimitError(f"{len(active)} runs are waiting or training already. Try again when some are done.")
    own = sum(run.owner == owner for run in active)  # all who are nobody in particular count as one
    if own + wanted > bounds.active_runs_each:
        raise limits.LimitError(
            f"You have {own} runs waiting or training, and may have {bounds.active_runs_each} at once here. Ask for "
            "fewer, wait, or stop one."
        )


def _remove_oldest(folder: Path, most: int) -> None:
    """Delete the oldest runs that have ended until no more than `most` are left."""
    ended = [run for run in runs.list_runs(folder) if not run.is_active]
    for run in ended[most:]:
        shutil.rmtree(run.path, ignore_errors=True)


def prestart(folder: Path) -> None:
    """Have a process ready for the next run of a folder, if one is wanted here and nothing trains there now."""
    if spare.is_wanted() and not runs.list_active(folder):
        spare.keep(lambda: _spawn("spare", stdin=subprocess.PIPE, log=subprocess.DEVNULL))


def _launch(path: Path) -> None:
    asked = read_status(path)
    # A run that has to wait does so in a small process of its own: the spare one holds much memory.
    process = spare.take(path) if runs_ahead(path.name, path.parent) < capacity() else None
    if process is None:
        arguments = ["train", "--run", path.name, "--runs-dir", str(path.parent.resolve())]
        try:
            with (path / "log.txt").open("ab") as log:
                process = _spawn(*arguments, stdin=subprocess.DEVNULL, log=log)
        except OSError:
            _give_up(path, "Its training process could not be started.")
            raise
    # The process writes its own number into the status: done here, it could overwrite what the process wrote meanwhile.
    threading.Thread(target=_reap, args=(process, path, asked), daemon=True).start()


def _spawn(*arguments: str, stdin: int, log: IO[bytes] | int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_core", *arguments],
        cwd=PROJECT,
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT,
        # It outlives the server and does not get the server's Ctrl-C; the second line says so on Windows.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    with suppress(psutil.Error):  # it has ended already
        lower_priority(process.pid)
    return process


def _reap(process: subprocess.Popen[bytes], path: Path, asked: Status) -> None:
    """Take note of the end of a process, as whoever starts one must; tell if it never got as far as its run."""
    process.wait()
    with suppress(OSError, RunError):
        if read_status(path) == asked:
            _give_up(path, "Its training process could not start. The run’s log.txt tells why.")


def _give_up(path: Path, reason: str) -> None:
    """Note that a run's process never came to be; what could go on from a checkpoint still can."""
    write_status(path, "interrupted" if checkpoints.has_checkpoint(path) else "failed", reason)
