"""Files that readers see whole or not at all: written beside, then renamed.

By hand: atomicwrites is no longer maintained, and knew neither full disks nor Windows's locks on open files.
"""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_PATIENCE = 9  # tries, 50 ms apart
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)  # no space, or none left of what one user may have
_BESIDE = re.compile(r"\..+-(\d{1,9})-\d+(\.\w+)?")  # what `replacing` gives to write to; the process comes first


def write_json(path: Path, value: object) -> None:
    """Replace a JSON file atomically: readers see the old or the new one, never a torn one.

    On a full disk there is no room beside: then a file that is there is written over where it stands.
    """
    content = (json.dumps(value, indent=1) + "\n").encode()
    try:
        with replacing(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        if error.errno not in DISK_FULL or not path.exists():
            raise
        _write_over(path, content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, of the same suffix; rename it over `path` if all went well."""
    beside = path.with_name(f".{path.stem}-{os.getpid()}-{threading.get_ident()}{path.suffix}")
    try:
        yield beside
        _replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what processes that were killed have left beside the files of a folder."""
    for path in folder.glob(".*"):
        name = _BESIDE.fullmatch(path.name)
        if name and not psutil.pid_exists(int(name[1])):
            path.unlink(missing_ok=True)


def read_patiently(path: Path) -> bytes:
    """Read a file that another process may be replacing at this moment. Raises `OSError`."""
    for _ in range(_PATIENCE):
        with suppress(PermissionError):  # Windows refuses while it is being replaced
            return path.read_bytes()
        time.sleep(0.05)
    return path.read_bytes()


def _write_over(path: Path, content: bytes) -> None:
    """Write into the room that a file has on the disk already; in one go, so that hardly a reader sees it torn."""
    with path.open("r+b", buffering=0) as file:
        file.write(content.ljust(path.stat().st_size))  # spaces over what was there: JSON readers pass over them
        file.truncate(len(content))


def _replace(source: Path, target: Path) -> None:
    for _ in range(_PATIENCE):
        with suppress(PermissionError):  # Windows refuses while somebody reads the target
            source.replace(target)
            return
        time.sleep(0.05)
    source.replace(target)
