"""Deleted drawings and class sets: moved aside for a week, so that deleting can be undone."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from mnist_core.handwriting.class_sets import (
    ABOUT,
    ClassSet,
    current_limits,
    list_sets,
    may_delete,
    read_set,
    telling,
)
from mnist_core.handwriting.kept_drawings import HandwritingError, is_drawing_id

DAYS_KEPT = 7

_FOLDER = ".deleted"
_TOKEN = re.compile(r"[0-9a-f]{32}")


def delete_drawing(class_set: ClassSet, drawing_id: str, owner: str = "") -> str:
    """Move a drawing to the trash, and return what `restore` needs to bring it back. Raises `HandwritingError`."""
    file = class_set.path / f"{drawing_id}.json"
    if not is_drawing_id(drawing_id) or not file.is_file():
        raise HandwritingError("This drawing is gone already.")
    return _to_trash(class_set, owner, file)


def delete_set(class_set: ClassSet, owner: str = "") -> str:
    """Move a set to the trash, and return what `restore` needs to bring it back. Raises `HandwritingError`."""
    return _to_trash(class_set, owner, class_set.path)


def restore(folder: Path, token: str) -> ClassSet:
    """Bring back what was deleted. If somebody started the set anew meanwhile, the drawings of both are in it.

    Raises `HandwritingError` if it is not in the trash any more.
    """
    deleted = folder / _FOLDER / token
    found = sorted(deleted.glob("*")) if _TOKEN.fullmatch(token) else []
    if not found:
        raise HandwritingError(f"This is not in the trash any more: it is emptied after {DAYS_KEPT} days.")
    source, target = found[0], folder / found[0].name
    if not (source / ABOUT).exists() and not target.is_dir():
        raise HandwritingError("The class set of this drawing has been deleted meanwhile.")
    bounds = current_limits()
    if not target.is_dir() and len(list_sets(folder)) >= bounds.sets:
        raise HandwritingError("There are too many class sets here now to restore this one.")
    with telling("It could not be restored"):
        if _drawings(source) + _drawings(target) > bounds.drawings:
            raise HandwritingError(
                f"A class set holds at most {bounds.drawings:,} drawings here: there is no room for it."
            )
        if _bytes(source) + _bytes(target) > bounds.bytes:
            raise HandwritingError(
                f"A class set holds at most {bounds.bytes / 1e6:.0f} MB here: there is no room for it."
            )
        target.mkdir(exist_ok=True)
        for file in source.iterdir():
            if not (target / file.name).exists():
                file.rename(target / file.name)
        shutil.rmtree(deleted, ignore_errors=True)
    return read_set(target)


def empty_old(folder: Path) -> None:
    """Delete for good what has been in the trash for longer than `DAYS_KEPT`."""
    oldest = time.time() - DAYS_KEPT * 24 * 3600
    with suppress(OSError):  # there is no trash yet
        for path in (folder / _FOLDER).iterdir():
            with suppress(OSError):  # it may be gone at any moment
                if path.stat().st_mtime < oldest:
                    shutil.rmtree(path, ignore_errors=True)


def _to_trash(class_set: ClassSet, owner: str, path: Path) -> str:
    if not may_delete(class_set, owner):
        raise HandwritingError("Only the person who started this class set can delete from it.")
    token = secrets.token_hex(16)
    trash = class_set.path.parent / _FOLDER
    parent = trash / token if path == class_set.path else trash / token / class_set.id
    with telling("It could not be deleted"):
        empty_old(class_set.path.parent)
        parent.mkdir(parents=True)
        path.rename(parent / path.name)
        with suppress(OSError):  # somebody else makes room at the same moment
            _make_room(trash, keep=token)
    return token


def _make_room(trash: Path, keep: str) -> None:
    """Delete for good, the oldest first, what is too much in the trash; what was deleted just now stays."""
    others = [path for path in trash.iterdir() if path.name != keep]
    left = current_limits().deleted - _drawings(trash / keep)
    for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True):
        left -= max(_drawings(path), 1)  # an empty set is something, too
        if left < 0:
            shutil.rmtree(path, ignore_errors=True)


def _drawings(folder: Path) -> int:
    """Return how many drawings are in a folder and those below it."""
    return sum(is_drawing_id(file.stem) for file in folder.rglob("*.json"))


def _bytes(folder: Path) -> int:
    """Return how long the drawings in a folder are together."""
    return sum(file.stat().st_size for file in folder.glob("*.json") if is_drawing_id(file.stem))
