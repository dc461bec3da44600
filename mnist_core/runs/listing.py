"""The runs of a folder: found, listed, and read again only where something has changed."""

from __future__ import annotations

from pathlib import Path

from mnist_core.runs import ids
from mnist_core.runs.reading import RunError, missing_run
from mnist_core.runs.run import BUNDLED_RUNS, Run, read_config, read_run
from mnist_core.runs.status import ACTIVE, State, read_status


def find_run(run_id: str, folder: Path) -> Run:
    """Return the run of this id, made in `folder` or shipped with the project. Raises `RunError`."""
    if ids.is_run_id(run_id):
        for parent in (folder, BUNDLED_RUNS):
            if (parent / run_id).is_dir():
                return read_run(parent / run_id)
    raise missing_run(run_id)


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


def _run_paths(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if ids.is_run_id(path.name) and path.is_dir()]
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
    config = known.config if known and before[0] == config_stamp else read_config(path)
    run = read_run(path, config)
    if len(_remembered) > _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[path] = [config_stamp, *stamps], run
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
