"""The drawings of a class set: keeping, reading and taking back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np

from mnist_core.common.arrays import Images, Labels
from mnist_core.common.atomic_files import read_patiently, remove_leftovers, replacing
from mnist_core.drawing.class_sets.drawings import ClassSetError, KeptDrawing, from_line, is_drawing_id, to_line
from mnist_core.drawing.class_sets.sets import ClassSet, current_limits, explain_os_errors
from mnist_core.drawing.preparation import IMAGE_SIZE

_Stamp = tuple[int, int]  # time of change and size: what tells one version of a file from another


@dataclass(frozen=True, eq=False)
class Contents:
    """The drawings of a set, the oldest first, and what is wrong with files that hold none, by their names."""

    drawings: tuple[KeptDrawing, ...]
    problems: dict[str, str]

    @cached_property
    def images(self) -> Images:
        """All pictures, (n, 28, 28) uint8, read-only."""
        images = np.array([drawing.image for drawing in self.drawings], np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
        images.setflags(write=False)
        return images

    @cached_property
    def labels(self) -> Labels:
        """What the people who drew them meant, (n,) uint8, read-only."""
        labels = np.array([drawing.label for drawing in self.drawings], np.uint8)
        labels.setflags(write=False)
        return labels


class ContentsReader:
    """Reads the drawings of a set again and again, each file once unless it changes. Several threads may share one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._known: dict[str, tuple[_Stamp | None, KeptDrawing | str]] = {}  # what each file holds
        self._contents = Contents((), {})

    def read(self) -> Contents:
        """Return what the set holds now, the same object if nothing has changed; what holds no drawing is told.

        Raises `ClassSetError` if the set is gone.
        """
        with self._lock:
            stamps = _stamps(self._path)
            if stamps != {name: stamp for name, (stamp, _) in self._known.items()}:
                self._read_changes(stamps)
            return self._contents

    def _read_changes(self, stamps: dict[str, _Stamp]) -> None:
        known = {name: held for name, held in self._known.items() if held[0] == stamps.get(name)}
        for name in stamps.keys() - known.keys():
            with suppress(FileNotFoundError):  # deleted in this moment
                known[name] = _read_file(self._path / name, stamps[name])
        drawings = [found for _, found in known.values() if isinstance(found, KeptDrawing)]
        problems = {name: found for name, (_, found) in sorted(known.items()) if isinstance(found, str)}
        self._known = known
        self._contents = Contents(tuple(sorted(drawings, key=lambda drawing: (drawing.time, drawing.id))), problems)


def keep(class_set: ClassSet, drawing: KeptDrawing) -> int:
    """Keep a drawing in a set, and return how many there are now.

    Raises `ClassSetError` if the set is full or gone, or if the file cannot be written.
    """
    add(class_set, [drawing])
    return count(class_set)


def add(class_set: ClassSet, drawings: Sequence[KeptDrawing]) -> int:
    """Keep those drawings that the set does not have yet, and return how many that were; all or, if too many, none.

    Raises `ClassSetError` like `keep`.
    """
    sizes = _sizes(class_set.path)
    lines = {name: to_line(drawing) for drawing in drawings if (name := f"{drawing.id}.json") not in sizes}
    bounds = current_limits()
    if len(sizes) + len(lines) > bounds.drawings:
        raise ClassSetError(
            f"A class set holds at most {bounds.drawings:,} drawings here, and this one has {len(sizes):,}. "
            "Start another set."
        )
    if sum(sizes.values()) + sum(map(len, lines.values())) > bounds.bytes:
        raise ClassSetError(
            f"A class set holds at most {bounds.bytes / 1e6:.0f} MB of drawings here. Start another set."
        )
    with explain_os_errors("The drawing could not be kept"):
        remove_leftovers(class_set.path)
        for name, line in lines.items():
            with replacing(class_set.path / name) as beside:
                beside.write_bytes(line)
    return len(lines)


def count(class_set: ClassSet) -> int:
    """Return how many drawings a set has, unread."""
    return len(_sizes(class_set.path))


def read_contents(class_set: ClassSet) -> Contents:
    """Read all drawings of a set, once. Raises `ClassSetError` if the set is gone."""
    return ContentsReader(class_set.path).read()


def withdraw(class_set: ClassSet, drawing_id: str) -> None:
    """Take a drawing back that was kept a moment ago: it is gone for good. Raises `ClassSetError`."""
    if is_drawing_id(drawing_id):
        with explain_os_errors("The drawing could not be deleted"):
            (class_set.path / f"{drawing_id}.json").unlink(missing_ok=True)


def _read_file(path: Path, stamp: _Stamp) -> tuple[_Stamp | None, KeptDrawing | str]:
    """Return the drawing of a file, or in a sentence why it holds none, and the stamp, None if that may yet change.

    Raises `FileNotFoundError`.
    """
    try:
        drawing = from_line(read_patiently(path))
    except FileNotFoundError:
        raise
    except OSError as error:
        return None, f"It cannot be read: {error.strerror or error}."
    except ClassSetError as error:
        return stamp, str(error)
    return stamp, drawing if drawing.id == path.stem else "It holds the drawing of another file."


def _sizes(path: Path) -> dict[str, int]:
    """Return the files of drawings in a folder, and their bytes. Raises `ClassSetError` if the folder is gone."""
    return {name: size for name, (_, size) in _stamps(path).items()}


def _stamps(path: Path) -> dict[str, _Stamp]:
    """Return what tells the versions of each file of a drawing. Raises `ClassSetError` if the folder is gone."""
    found = {}
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                stem, dot, suffix = entry.name.partition(".")
                if dot and suffix == "json" and is_drawing_id(stem):
                    with suppress(FileNotFoundError):  # deleted in this moment
                        status = entry.stat()
                        found[entry.name] = (status.st_mtime_ns, status.st_size)
    except OSError:
        raise ClassSetError("This class set is not here any more. It may have been deleted.") from None
    return found
