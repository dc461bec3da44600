"""The small files of a run directory, read: whatever is wrong with one is told in a sentence for the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mnist_core.common.atomic_files import read_patiently
from mnist_core.common.errors import DigitLabError
from mnist_core.common.text import one_line


class RunError(DigitLabError):
    """A run, or a file of it, that is missing or cannot be read; the message is fit for a page."""


def read_json(path: Path) -> Any:
    """Return what stands in a JSON file of a run directory, of whatever form. Raises `RunError`."""
    try:
        return json.loads(read_patiently(path))
    except FileNotFoundError:
        if not path.parent.exists():
            raise missing_run(path.parent.name) from None
        raise RunError(f"Run {path.parent.name} has no {path.name}; its directory is incomplete.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path.name} of run {path.parent.name} cannot be read; the file is damaged.") from error


def read_line(path: Path, characters: int) -> str:
    """Return the beginning of a small text file on one line; nothing if there is none."""
    try:
        return one_line(read_patiently(path)[: 4 * characters].decode("utf-8", "replace"), characters)
    except OSError:
        return ""


def missing_run(run_id: str) -> RunError:
    """Return what to raise when there is no run of this id."""
    return RunError(f"There is no run called “{one_line(run_id, 80)}”. It may have been deleted.")


def malformed_file(path: Path) -> RunError:
    """Return what to raise when a file of a run directory holds something else than it should."""
    return RunError(
        f"{path.name} of run {path.parent.name} is not of the expected form: damaged, or of a newer Digit Lab."
    )
