"""The run directory, which is the only truth about a run.

    config.json      what was asked
    status.json      how it stands; replaced atomically
    metrics.jsonl    what happened, one numbered event a line; only ever appended to, a torn last line is ignored
    model.keras      the network, written beside and renamed
    predictions.npz  its probabilities for the 10,000 test images
    epochs/          those after each epoch, see `mnist_core.film`
    report.json      what was measured; there once all else is complete
    checkpoint.npz   what training needs to go on from its last whole epoch; there until it ends
    stop             present when somebody asked the run to stop
    title.txt        what somebody called it, if anybody did
    owner.txt        whose it is, as a hash, on a public server
    log.txt          what the training process printed

Readers never fail on a torn or foreign file: they raise `RunError` with a sentence for the page, or skip the line.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil

from mnist_core.config import ConfigError, TrainingConfig
from mnist_core.evaluation import Probabilities
from mnist_core.files import read_patiently, replacing, write_json
from mnist_core.foreign_text import one_line
from mnist_core.typed_json import has_declared_types

State = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
STATES: tuple[State, ...] = ("queued", "running", "finished", "stopped", "failed", "interrupted")

PROJECT = Path(__file__).resolve().parent.parent
BUNDLED_RUNS = PROJECT / "models" / "bundled"
RUNS_DIR_VARIABLE = "DIGIT_LAB_RUNS_DIR"

MAX_TITLE = 60
_DIED = (
    "Its training process ended before it was done. If nobody ended it and the machine did not restart, memory may "
    "have run out: try smaller batches or a smaller network."
)
# A queued run has no process for a moment; after this it counts as lost.
_START_GRACE_SECONDS = 60
_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
# Ids keep their order when the clock is set back by up to this; beyond it, the older ids were wrong.
_CLOCK_SET_BACK = timedelta(days=1)


class RunError(Exception):
    """A run, or a file of it, that is missing or cannot be read; the message is fit for a page."""


@dataclass(frozen=True)
class Status:
    """How a run stands. `pid` and what follows identify its process; `updated` is Unix time in seconds."""

    state: State
    message: str = ""
    pid: int | None = None
    process_started: float | None = None  # Unix time in seconds
    updated: float = 0.0
    process_started_after_boot: float | None = None  # seconds, whatever the clock is set to


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


@dataclass(frozen=True)
class Run:
    """A run as its directory tells it at one moment."""

    path: Path
    config: TrainingConfig
    status: Status
    report: Report | None
    title: str = ""  # what somebody called it
    owner: str = ""  # whose it is, as `owner_hash` gives it; empty if that does not matter

    @property
    def id(self) -> str:
        """The name of its directory, unique among runs."""
        return self.path.name

    @property
    def model_file(self) -> Path:
        """Where its network is, once it has one."""
        return self.path / "model.keras"

    @property
    def is_active(self) -> bool:
        """Whether it waits or trains."""
        return self.status.state in ACTIVE

    @property
    def is_bundled(self) -> bool:
        """Whether it ships with the project."""
        return self.path.parent == BUNDLED_RUNS

    @property
    def created(self) -> datetime | None:
        """When it was asked for, UTC, as its id tells; None for runs that ship with the project."""
        return _moment(self.id)


def runs_dir() -> Path:
    """Return the folder of runs made here: `DIGIT_LAB_RUNS_DIR`, or `models/runs` of the project."""
    return Path(os.environ.get(RUNS_DIR_VARIABLE) or PROJECT / "models" / "runs")


def is_run_id(text: str) -> bool:
    """Whether `text` can name a run: lower-case letters, digits and hyphens only, so that it is safe in a path."""
    return _RUN_ID.fullmatch(text) is not None


def owner_hash(secret: str) -> str:
    """Return what a run's directory says of its owner: a hash, so that whoever reads it cannot pose as them."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def create_run(folder: Path, config: TrainingConfig, name: str | None = None, owner: str = "") -> Path:
    """Make the directory of a new, queued run and return it.

    Ids begin with the time, so they sort by age, unless a `name` is given. Raises `RunError` if that is taken or unfit,
    `OSError` if nothing can be written; then nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if name is not None:
        if not is_run_id(name):
            raise RunError(f"“{one_line(name, 80)}” cannot name a run: use lower-case letters, digits and hyphens.")
        if (BUNDLED_RUNS / name).exists() and folder.resolve() != BUNDLED_RUNS:
            raise RunError(f"“{name}” is the name of a run that ships with Digit Lab.")
        try:
            (folder / name).mkdir()
        except FileExistsError:
            raise RunError(f"There is a run called “{name}” already.") from None
        path = folder / name
    else:
        path = _make_dated_directory(folder, config.preset)
    try:
        if owner:
            (path / "owner.txt").write_text(owner, encoding="utf-8")
        write_json(path / "config.json", config.to_json())
        write_status(path, "queued")
    except OSError:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path


def find_run(run_id: str, folder: Path) -> Run:
    """Return the run of this id, made in `folder` or shipped with the project. Raises `RunError`."""
    if is_run_id(run_id):
        for parent in (folder, BUNDLED_RUNS):
            if (parent / run_id).is_dir():
                return read_run(parent / run_id)
    raise _not_there(run_id)


def list_runs(folder: Path) -> list[Run]:
    """Return the readable runs of a folder, the newest first; runs that ship with the project sort by name."""
    return [run for run in (_read_or_none(path) for path in sorted(_run_paths(folder), reverse=True)) if run]


def list_active(folder: Path) -> list[Run]:
    """Return the readable runs of a folder that wait or train, the oldest first. Those that have ended cost little."""
    runs = (_read_or_none(path) for path in sorted(_run_paths(folder)) if _is_active(path))
    return [run for run in runs if run and run.is_active]


def unreadable_runs(folder: Path) -> dict[str, str]:
    """Return, by id, what is wrong with the runs of a folder that `list_runs` leaves out."""
    problems = {}
    for path in _run_paths(folder):
        try:
            _read_again(path)
        except RunError as error:
            problems[path.name] = str(error)
    return problems


def read_run(path: Path) -> Run:
    """Read a run directory. Raises `RunError` if its configuration or status cannot be read."""
    try:
        config = TrainingConfig.from_json(_read_json(path / "config.json"))
    except ConfigError as error:
        raise RunError(f"The settings of run {path.name} cannot be used. {error}") from error
    status = read_status(path)
    report = None
    if status.state not in ACTIVE and (path / "report.json").exists():
        report = _read_report(path)
    title = _read_text(path / "title.txt", MAX_TITLE)
    return Run(path, config, status, report, title, _read_text(path / "owner.txt", 64))


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


def read_predictions(path: Path) -> Probabilities:
    """Return the probabilities for the test images, (10000, 10) float32. Raises `RunError`."""
    try:
        with np.load(path / "predictions.npz", allow_pickle=False) as archive:
            probabilities: Probabilities = archive["test_probabilities"]
    except FileNotFoundError:
        raise RunError(f"Run {path.name} has no predictions yet: they are made when training ends.") from None
    except Exception as error:  # a damaged zip file raises many kinds
        raise RunError(f"The predictions of run {path.name} cannot be read; the file is damaged.") from error
    if probabilities.shape != (10_000, 10) or probabilities.dtype != np.float32 or np.isnan(probabilities).any():
        raise RunError(f"The predictions of run {path.name} are not of the expected form.")
    return probabilities


def write_status(path: Path, state: State, message: str = "", *, pid: int | None = None) -> None:
    """Replace the status; with `pid`, that process is the run's from now on."""
    started, after_boot = (None, None) if pid is None else _start_of(psutil.Process(pid))
    write_json(path / "status.json", asdict(Status(state, message, pid, started, time.time(), after_boot)))


def write_predictions(path: Path, probabilities: Probabilities) -> None:
    """Store the probabilities for the test images, (10000, 10) float32."""
    with replacing(path / "predictions.npz") as beside, beside.open("wb") as file:
        np.savez_compressed(file, test_probabilities=probabilities)


def write_report(path: Path, report: Report) -> None:
    """Store what was measured; the last file of a run to be written."""
    write_json(path / "report.json", asdict(report))


def rename(path: Path, title: str) -> None:
    """Call a run something, in one line of at most `MAX_TITLE` characters; nothing gives it its own name back."""
    with replacing(path / "title.txt") as beside:
        beside.write_text(one_line(title, MAX_TITLE), encoding="utf-8")


def request_stop(path: Path) -> None:
    """Ask a run to stop soon, keeping what it has learned. Raises `RunError` if it is gone, otherwise `OSError`."""
    try:
        (path / "stop").touch()
    except FileNotFoundError:
        raise _not_there(path.name) from None


def withdraw_stop(path: Path) -> None:
    """Forget that somebody asked the run to stop."""
    (path / "stop").unlink(missing_ok=True)


def stop_requested(path: Path) -> bool:
    """Whether somebody asked the run to stop."""
    return (path / "stop").exists()


def _make_dated_directory(folder: Path, preset: str) -> Path:
    label = re.sub(r"[^a-z0-9]+", "-", preset.lower()).strip("-")[:40] or "custom"
    while True:
        moment = _next_moment([path.name for path in folder.iterdir()]).strftime(_MOMENT)[:-3]  # to the millisecond
        try:
            (path := folder / f"{moment}-{label}").mkdir()
            return path
        except FileExistsError:
            pass


def _next_moment(ids: list[str]) -> datetime:
    """Return the present, or the first moment after all ids if these are of the future: they tell who is older."""
    now = datetime.now(UTC)
    to_come = (_moment(run_id) for run_id in ids if run_id >= now.strftime(_MOMENT)[:-3])
    ahead = [moment for moment in to_come if moment and moment < now + _CLOCK_SET_BACK]
    return max(ahead) + timedelta(milliseconds=1) if ahead else now


_MOMENT = "%Y%m%d-%H%M%S%f"


def _moment(run_id: str) -> datetime | None:
    """Return when a run was asked for, UTC, as its id tells."""
    try:
        return datetime.strptime(run_id[:18], _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _run_paths(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if is_run_id(path.name) and path.is_dir()]
    except OSError:
        return []


# Runs that have ended change rarely: they are read again only when one of their files has changed. Interrupted ones are
# not among them: that may be told by their process, and no file changes when it is found after all.
_LASTING: tuple[State, ...] = ("finished", "stopped", "failed")
_MOST_REMEMBERED = 5000
_ended: dict[Path, tuple[list[tuple[int, int]], Run]] = {}


def _read_again(path: Path) -> Run:
    stamp = [_stamp(path / name) for name in ("status.json", "config.json", "report.json", "title.txt")]
    if (known := _ended.get(path)) and known[0] == stamp:
        return known[1]
    run = read_run(path)
    if run.status.state in _LASTING:
        if len(_ended) > _MOST_REMEMBERED:
            _ended.clear()
        _ended[path] = stamp, run
    return run


def _read_or_none(path: Path) -> Run | None:
    try:
        return _read_again(path)
    except RunError:
        return None


def _stamp(path: Path) -> tuple[int, int]:
    """Return something that changes when a file does; files that are not there have a stamp too."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def _is_active(path: Path) -> bool:
    try:
        return read_status(path).state in ACTIVE
    except RunError:
        return False


def _read_text(path: Path, characters: int) -> str:
    """Return the beginning of a small text file on one line; nothing if there is none."""
    try:
        return one_line(read_patiently(path)[: 4 * characters].decode("utf-8", "replace"), characters)
    except OSError:
        return ""


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_patiently(path))
    except FileNotFoundError:
        if not path.parent.exists():
            raise _not_there(path.parent.name) from None
        raise RunError(f"Run {path.parent.name} has no {path.name}; its directory is incomplete.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path.name} of run {path.parent.name} cannot be read; the file is damaged.") from error


def stored_status(path: Path) -> Status:
    """Return how a run stood when its status was written, alive or not. Raises `RunError`."""
    values = _read_json(path / "status.json")
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
        raise _strange(path, "status.json") from error


def _read_report(path: Path) -> Report:
    values = _read_json(path / "report.json")
    try:
        wanted = [field.name for field in fields(Report) if field.default is MISSING or field.name in values]
        report = Report(**{name: values[name] for name in wanted})
    except (TypeError, KeyError) as error:
        raise _strange(path, "report.json") from error
    if not has_declared_types(report):
        raise _strange(path, "report.json")
    return report


def _not_there(run_id: str) -> RunError:
    return RunError(f"There is no run called “{one_line(run_id, 80)}”. It may have been deleted.")


def _strange(path: Path, name: str) -> RunError:
    return RunError(f"{name} of run {path.name} is not of the expected form: damaged, or of a newer Digit Lab.")


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
