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

This module makes, finds and reads whole runs. Their files are the business of others: status.json of `run_status`, the
report and predictions of `run_results`, the rest of `event_log`, `film`, `checkpoints`. `run_ids` names directories.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mnist_core import run_ids
from mnist_core.common.atomic_files import replacing, write_json
from mnist_core.common.server import PROJECT
from mnist_core.common.text import one_line
from mnist_core.run_files import RunError, not_there, read_json, read_line
from mnist_core.run_results import Report, read_report
from mnist_core.run_status import ACTIVE, State, Status, read_status, write_status
from mnist_core.training.config import ConfigError, TrainingConfig

BUNDLED_RUNS = PROJECT / "models" / "bundled"

MAX_TITLE = 60


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
        return run_ids.moment(self.id)


def create_run(folder: Path, config: TrainingConfig, name: str | None = None, owner: str = "") -> Path:
    """Make the directory of a new, queued run and return it.

    Ids begin with the time, so they sort by age, unless a `name` is given. Raises `RunError` if that is taken or unfit,
    `OSError` if nothing can be written; then nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if name is not None:
        if not run_ids.is_run_id(name):
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
    if run_ids.is_run_id(run_id):
        for parent in (folder, BUNDLED_RUNS):
            if (parent / run_id).is_dir():
                return read_run(parent / run_id)
    raise not_there(run_id)


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
    return _read_all_but_config(path, _read_config(path))


def rename(path: Path, title: str) -> None:
    """Call a run something, in one line of at most `MAX_TITLE` characters; nothing gives it its own name back."""
    with replacing(path / "title.txt") as beside:
        beside.write_text(one_line(title, MAX_TITLE), encoding="utf-8")


def request_stop(path: Path) -> None:
    """Ask a run to stop soon, keeping what it has learned. Raises `RunError` if it is gone, otherwise `OSError`."""
    try:
        (path / "stop").touch()
    except FileNotFoundError:
        raise not_there(path.name) from None


def withdraw_stop(path: Path) -> None:
    """Forget that somebody asked the run to stop."""
    (path / "stop").unlink(missing_ok=True)


def stop_requested(path: Path) -> bool:
    """Whether somebody asked the run to stop."""
    return (path / "stop").exists()


def _make_dated_directory(folder: Path, preset: str) -> Path:
    while True:  # until no other run was made in the same moment
        path = folder / run_ids.dated_id(preset, [other.name for other in folder.iterdir()])
        try:
            path.mkdir()
            return path
        except FileExistsError:
            pass


def _run_paths(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if run_ids.is_run_id(path.name) and path.is_dir()]
    except OSError:
        return []


# What has not changed is not read again, for a whole class may ask for all runs every second: of runs that have ended
# nothing as long as none of their files has changed, of all others their settings. Interrupted runs have not ended:
# that may be told by their process, and no file changes when it is found after all.
_LASTING: tuple[State, ...] = ("finished", "stopped", "failed")
_MOST_REMEMBERED = 5000
_remembered: dict[Path, tuple[list[tuple[int, int]], Run]] = {}


def _read_again(path: Path) -> Run:
    config_stamp, *stamps = [_stamp(path / name) for name in ("config.json", "status.json", "report.json", "title.txt")]
    before, known = _remembered.get(path, ([], None))
    if known and before == [config_stamp, *stamps] and known.status.state in _LASTING:
        return known
    config = known.config if known and before[0] == config_stamp else _read_config(path)
    run = _read_all_but_config(path, config)
    if len(_remembered) > _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[path] = [config_stamp, *stamps], run
    return run


def _read_config(path: Path) -> TrainingConfig:
    try:
        return TrainingConfig.from_json(read_json(path / "config.json"))
    except ConfigError as error:
        raise RunError(f"The settings of run {path.name} cannot be used. {error}") from error


def _read_all_but_config(path: Path, config: TrainingConfig) -> Run:
    status = read_status(path)
    report = None if status.state in ACTIVE else read_report(path)
    title = read_line(path / "title.txt", MAX_TITLE)
    return Run(path, config, status, report, title, read_line(path / "owner.txt", 64))


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
