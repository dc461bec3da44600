"""Deleted runs: moved aside for a week, so that deleting can be undone."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from mnist_core import limits, runs
from mnist_core.runs import ids
from mnist_core.runs.reading import RunError

_FOLDER = ".deleted"
_DAYS_KEPT = 7
_MARKER = "deleted"  # a file in each deleted run that tells when


def delete(run: runs.Run) -> None:
    """Move a run to the trash. Raises `RunError` if it ships with the project, is in progress or gone, `OSError`."""
    run = runs.find_run(run.id, run.path.parent)  # it may have gone on since the page was drawn
    if run.is_bundled:
        raise RunError("This run ships with Digit Lab and cannot be deleted.")
    if run.is_active:
        raise RunError("This run is in progress: stop it first.")
    folder = run.path.parent / _FOLDER
    folder.mkdir(exist_ok=True)
    _remove_old(folder)
    target = folder / run.id
    shutil.rmtree(target, ignore_errors=True)
    (run.path / _MARKER).touch()
    run.path.rename(target)
    with suppress(OSError):  # somebody else makes room at the same moment
        _make_room(folder)


def restore(run_id: str, folder: Path) -> None:
    """Bring a deleted run of `folder` back. Raises `RunError` if it is not in the trash any more."""
    deleted = folder / _FOLDER / run_id
    if not ids.is_run_id(run_id) or not deleted.is_dir():
        raise RunError("This run is not in the trash any more.")
    if (folder / run_id).exists():
        raise RunError("There is another run of this name now.")
    deleted.rename(folder / run_id)
    (folder / run_id / _MARKER).unlink(missing_ok=True)


def _remove_old(folder: Path) -> None:
    oldest = time.time() - _DAYS_KEPT * 24 * 3600
    for path in folder.iterdir():
        with suppress(OSError):  # it may be gone at any moment
            if (path / _MARKER).stat().st_mtime < oldest:
                shutil.rmtree(path, ignore_errors=True)


def _make_room(folder: Path) -> None:
    """Delete for good, the oldest first, what is too much in the trash."""
    deleted = sorted(folder.glob(f"*/{_MARKER}"), key=lambda marker: marker.stat().st_mtime, reverse=True)
    for marker in deleted[limits.current().deleted_runs :]:
        shutil.rmtree(marker.parent, ignore_errors=True)
