"""Deleted runs: moved aside for a week, so that deleting can be undone."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from mnist_core.common import trash
from mnist_core.runs import ids
from mnist_core.runs.listing import find_run
from mnist_core.runs.reading import RunError
from mnist_core.runs.run import Run


def delete(run: Run, kept: int) -> None:
    """Move a run to the trash, where the `kept` runs that were deleted last stay for a week.

    Raises `RunError` if it ships with the project, is in progress or gone, otherwise `OSError`.
    """
    run = find_run(run.id, run.path.parent)  # it may have gone on since the page was drawn
    if run.is_bundled:
        raise RunError("This run ships with Digit Lab and cannot be deleted.")
    if run.is_active:
        raise RunError("This run is in progress: stop it first.")
    folder = run.path.parent / trash.FOLDER
    folder.mkdir(exist_ok=True)
    trash.empty_old(folder)
    target = folder / run.id
    shutil.rmtree(target, ignore_errors=True)
    os.utime(run.path)
    run.path.rename(target)
    with suppress(OSError):
        trash.make_room(folder, kept, keep=run.id)


def restore(run_id: str, folder: Path) -> None:
    """Bring a deleted run of `folder` back.

    Raises `RunError` if it is not in the trash any more or another run has its name now, otherwise `OSError`.
    """
    deleted = folder / trash.FOLDER / run_id
    if not ids.is_run_id(run_id) or not deleted.is_dir():
        raise RunError("This run is not in the trash any more.")
    if (folder / run_id).exists():
        raise RunError("There is another run of this name now.")
    deleted.rename(folder / run_id)
    (folder / run_id / "deleted").unlink(missing_ok=True)  # in which version 0.1 kept the time
