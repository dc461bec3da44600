"""Files that readers see whole or not at all: written beside, then renamed."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE = 9  # tries, 50 ms apart


def write_json(path: Path, value: object) -> None:
    """Replace a JSON file atomically: readers see the old or the new one, never a torn one."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, of the same suffix; rename it over `path` if all went well."""
    beside = path.with_name(f".{path.stem}-{os.getpid()}-{threading.get_ident()}{path.suffix}")
    try:
        yield beside
        _replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read_patiently(path: Path) -> bytes:
    """Read a file that another process may be replacing at this moment. Raises `OSError`."""
    for _ in range(_PATIENCE):
        with suppress(PermissionError):  # Windows refuses while it is being replaced
            return path.read_bytes()
        time.sleep(0.05)
    return path.read_bytes()


def _replace(source: Path, target: Path) -> None:
    for _ in range(_PATIENCE):
        with suppress(PermissionError):  # Windows refuses while somebody reads the target
            source.replace(target)
            return
        time.sleep(0.05)
    source.replace(target)
