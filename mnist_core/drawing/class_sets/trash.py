"""Deleted drawings and class sets: moved aside for a week, so that deleting can be undone."""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from mnist_core.common import trash
from mnist_core.common.server import owns
from mnist_core.drawing.class_sets.drawings import ClassSetError, is_drawing_id
from mnist_core.drawing.class_sets.sets import (
    ABOUT,
    ClassSet,
    current_limits,
    explain_os_errors,
    list_sets,
    read_set,
)

_TOKEN = re.compile(r"[0-9a-f]{32}")


def delete_drawing(class_set: ClassSet, drawing_id: str, owner: str = "") -> str:
    """Move a drawing to the trash, and return what `restore` needs to bring it back. Raises `ClassSetError`."""
    file = class_set.path / f"{drawing_id}.json"
    if not is_drawing_id(drawing_id) or not file.is_file():
        raise ClassSetError("This drawing is gone already.")
    return _to_trash(class_set, owner, file)


def delete_set(class_set: ClassSet, owner: str = "") -> str:
    """Move a set to the trash, and return what `restore` needs to bring it back. Raises `ClassSetError`."""
    return _to_trash(class_set, owner, class_set.path)


def restore(folder: Path, token: str) -> ClassSet:
    """Bring back what was deleted. If somebody started the set anew meanwhile, the drawings of both are in it.

    Raises `ClassSetError` if it is not in the trash any more.
    """
    deleted = folder / trash.FOLDER / token
    found = sorted(deleted.glob("*")) if _TOKEN.fullmatch(token) else []
    if not found:
        raise ClassSetError(f"This is not in the trash any more: it is emptied after {trash.DAYS_KEPT} days.")
    source, target = found[0], folder / found[0].name
    if not (source / ABOUT).exists() and not target.is_dir():
        raise ClassSetError("The class set of this drawing has been deleted meanwhile.")
    bounds = current_limits()
    if not target.is_dir() and len(list_sets(folder)) >= bounds.sets:
        raise ClassSetError("There are too many class sets here now to restore this one.")
    with explain_os_errors("It could not be restored"):
        if _drawings(source) + _drawings(target) > bounds.drawings:
            raise ClassSetError(
                f"A class set holds at most {bounds.drawings:,} drawings here: there is no room for it."
            )
        if _bytes(source) + _bytes(target) > bounds.bytes:
            raise ClassSetError(f"A class set holds at most {bounds.bytes / 1e6:.0f} MB here: there is no room for it.")
        target.mkdir(exist_ok=True)
        for file in source.iterdir():
            if not (target / file.name).exists():
                file.rename(target / file.name)
        shutil.rmtree(deleted, ignore_errors=True)
    return read_set(target)


def _to_trash(class_set: ClassSet, owner: str, path: Path) -> str:
    if not owns(class_set.owner, owner):
        raise ClassSetError("Only the person who started this class set can delete from it.")
    token = secrets.token_hex(16)
    folder = class_set.path.parent / trash.FOLDER
    parent = folder / token if path == class_set.path else folder / token / class_set.id
    with explain_os_errors("It could not be deleted"):
        trash.empty_old(folder)
        parent.mkdir(parents=True)
        path.rename(parent / path.name)
        with suppress(OSError):
            trash.make_room(folder, current_limits().deleted, keep=token, size=lambda entry: max(_drawings(entry), 1))
    return token


def _drawings(folder: Path) -> int:
    """Return how many drawings are in a folder and those below it."""
    return sum(is_drawing_id(file.stem) for file in folder.rglob("*.json"))


def _bytes(folder: Path) -> int:
    """Return how long the drawings in a folder are together."""
    return sum(file.stat().st_size for file in folder.glob("*.json") if is_drawing_id(file.stem))
