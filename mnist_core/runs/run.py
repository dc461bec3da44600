"""One run: its directory made, read as a whole, renamed, asked to stop."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mnist_core.common.atomic_files import replacing, write_json
from mnist_core.common.server import PROJECT, owns
from mnist_core.common.text import one_line
from mnist_core.runs import ids
from mnist_core.runs.reading import RunError, missing_run, read_json, read_line
from mnist_core.runs.results import Report, read_report
from mnist_core.runs.status import ACTIVE, Status, read_status, write_status
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
        return ids.moment(self.id)


def create_run(folder: Path, config: TrainingConfig, name: str | None = None, owner: str = "") -> Path:
    """Make the directory of a new, queued run and return it.

    Ids begin with the time, so they sort by age, unless a `name` is given. Raises `RunError` if that is taken or unfit,
    `OSError` if nothing can be written; then nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if name is not None:
        if not ids.is_run_id(name):
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


def read_run(path: Path, config: TrainingConfig | None = None) -> Run:
    """Read a run directory; `config` are its settings, if they have been read before.

    Raises `RunError` if its configuration or status cannot be read.
    """
    config = config or read_config(path)
    status = read_status(path)
    report = None if status.state in ACTIVE else read_report(path)
    title = read_line(path / "title.txt", MAX_TITLE)
    return Run(path, config, status, report, title, read_line(path / "owner.txt", 64))


def read_config(path: Path) -> TrainingConfig:
    """Read the settings of a run. Raises `RunError` if they cannot be used."""
    try:
        return TrainingConfig.from_json(read_json(path / "config.json"))
    except ConfigError as error:
        raise RunError(f"The settings of run {path.name} cannot be used. {error}") from error


def may_change(run: Run, visitor: str) -> bool:
    """Whether a visitor may stop, delete or rename a run: on a public server only the one who started it."""
    return not run.is_bundled and owns(run.owner, visitor)


def rename(path: Path, title: str) -> None:
    """Call a run something, in one line of at most `MAX_TITLE` characters; nothing gives it its own name back."""
    with replacing(path / "title.txt") as beside:
        beside.write_text(one_line(title, MAX_TITLE), encoding="utf-8")


def request_stop(path: Path) -> None:
    """Ask a run to stop soon, keeping what it has learned. Raises `RunError` if it is gone, otherwise `OSError`."""
    try:
        (path / "stop").touch()
    except FileNotFoundError:
        raise missing_run(path.name) from None


def withdraw_stop(path: Path) -> None:
    """Forget that somebody asked the run to stop."""
    (path / "stop").unlink(missing_ok=True)


def stop_requested(path: Path) -> bool:
    """Whether somebody asked the run to stop."""
    return (path / "stop").exists()


def _make_dated_directory(folder: Path, preset: str) -> Path:
    while True:  # until no other run was made in the same moment
        path = folder / ids.dated_id(preset, [other.name for other in folder.iterdir()])
        try:
            path.mkdir()
            return path
        except FileExistsError:
            pass
