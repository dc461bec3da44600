"""A trash: what was deleted is moved aside for a week, so that deleting can be undone.

The trash of a folder is a folder in it. Each of its entries is a folder, deleted when its time of change says.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FOLDER = ".deleted"
DAYS_KEPT = 7


def empty_old(trash: Path) -> None:
    """Delete for good what has been in the trash for longer than `DAYS_KEPT`. There need not be a trash yet."""
    oldest = time.time() - DAYS_KEPT * 24 * 3600
    with suppress(OSError):
        for entry in trash.iterdir():
            with suppress(OSError):  # it may be gone at any moment
                if entry.stat().st_mtime < oldest:
                    shutil.rmtree(entry, ignore_errors=True)


def make_room(trash: Path, most: int, keep: str, size: Callable[[Path], int] = lambda entry: 1) -> None:
    """Delete for good, the oldest first, what is too much in the trash; `keep`, which was deleted just now, stays.

    At most `most` are left of what `size` counts of an entry. Raises `OSError` if somebody else makes room at the same
    moment.
    """
    left = most - size(trash / keep)
    others = [entry for entry in trash.iterdir() if entry.is_dir() and entry.name != keep]
    for entry in sorted(others, key=lambda entry: entry.stat().st_mtime, reverse=True):
        left -= size(entry)
        if left < 0:
            shutil.rmtree(entry, ignore_errors=True)
