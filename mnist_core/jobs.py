"""Training processes: start one for a run, let it wait for its turn, ask it to stop.

There is no scheduler. Each training process decides for itself when it may begin, from the run directories alone:
a run begins once fewer others train, or wait and are older, than the machine has room for. The order of run ids is
total, so processes agree, and a restarted server changes nothing. (But for a moment: an old run that goes on again just
when a newer one begins may train beside it.) Runs started by hand on the command line do not wait, but count.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import psutil

from mnist_core import checkpoints, limits, run_status, runs, spare
from mnist_core.config import TrainingConfig
from mnist_core.run_files import RunError

_POLL_SECONDS = 0.5
_LONGEST_PAUSE = 10  # polls; a look reads the status of every run, and all who wait look
CORES_PER_RUN = 2
_NICER = 5  # than the server, in steps of 0 to 19
ROOM_VARIABLE = "DIGIT_LAB_ROOM"
_lock = threading.Lock()  # what two visitors ask at once is answered one after the other


def room() -> int:
    """Return how many runs may train at once: `DIGIT_LAB_ROOM`, or one for each two cores that this process may use."""
    chosen = os.environ.get(ROOM_VARIABLE, "")
    if chosen.isascii() and chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // CORES_PER_RUN)


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
        run_status.write_status(run.path, "queued")
    _launch(run.path)


def may_change(run: runs.Run, owner: str) -> bool:
    """Whether a person may stop, delete or rename a run: on a public server only the one who started it."""
    return not run.is_bundled and (not limits.is_public() or (bool(owner) and run.owner == owner))


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


def keep_spare(folder: Path) -> None:
    """Have a process ready for the next run of a folder, if one is wanted here and nothing trains there now."""
    if spare.is_wanted() and not runs.list_active(folder):
        spare.keep(lambda: _spawn("spare", stdin=subprocess.PIPE, log=subprocess.DEVNULL))


def _launch(path: Path) -> None:
    asked = run_status.read_status(path)
    # A run that has to wait does so in a small process of its own: the spare one holds much memory.
    process = spare.take(path) if runs_ahead(path.name, path.parent) < room() else None
    if process is None:
        arguments = ["train", "--run", path.name, "--runs-dir", str(path.parent.resolve())]
        try:
            with (path / "log.txt").open("ab") as log:
                process = _spawn(*arguments, stdin=subprocess.DEVNULL, log=log)
        except OSError:
            _give_up(path, "Its training process could not be started.")
            raise
    # The process writes its own number into the status: done here, it could overwrite what the process wrote meanwhile.
    threading.Thread(target=_see_off, args=(process, path, asked), daemon=True).start()


def _spawn(*arguments: str, stdin: int, log: IO[bytes] | int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_core", *arguments],
        cwd=runs.PROJECT,
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT,
        # It outlives the server and does not get the server's Ctrl-C; the second line says so on Windows.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    with suppress(psutil.Error):  # it has ended already
        make_nicer(process.pid)
    return process


def _see_off(process: subprocess.Popen[bytes], path: Path, asked: run_status.Status) -> None:
    """Take note of the end of a process, as whoever starts one must; tell if it never got as far as its run."""
    process.wait()
    with suppress(OSError, RunError):
        if run_status.read_status(path) == asked:
            _give_up(path, "Its training process could not start. The run’s log.txt tells why.")


def _give_up(path: Path, reason: str) -> None:
    """Note that a run's process never came to be; what could go on from a checkpoint still can."""
    run_status.write_status(path, "interrupted" if checkpoints.has_checkpoint(path) else "failed", reason)


@dataclass(frozen=True)
class Queue:
    """The runs of a folder that train, and those that wait, the next one first."""

    training: tuple[runs.Run, ...]
    waiting: tuple[runs.Run, ...]

    def place(self, run_id: str) -> int | None:
        """Return the place of a waiting run in line, counted from 1; None if it does not wait."""
        return next((place for place, run in enumerate(self.waiting, start=1) if run.id == run_id), None)


def queue(folder: Path) -> Queue:
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
            too_many = runs_ahead(path.name, path.parent) - room() + 1
            if too_many <= 0:
                return
            next_look = time.monotonic() + _POLL_SECONDS * min(too_many, _LONGEST_PAUSE)
        time.sleep(_POLL_SECONDS)


def make_nicer(pid: int) -> None:
    """Let the server and its pages go before a process when cores are short. Raises `psutil.Error` if it has ended."""
    process = psutil.Process(pid)
    if os.name == "nt":
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    process.nice(min(psutil.Process().nice() + _NICER, 19))
    # Most Linux systems share cores among sessions first and heed niceness only within one, see sched(7), autogroup: a
    # training process, which has a session of its own, would otherwise get as much as the server with all its visitors.
    with suppress(OSError):
        if os.getsid(pid) == pid:
            Path(f"/proc/{pid}/autogroup").write_text(str(_NICER))
