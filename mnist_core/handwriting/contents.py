"""The drawings of a class set: keeping, reading and taking back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_core.dataset import Images, Labels
from mnist_core.drawing import IMAGE_SIZE
from mnist_core.files import read_patiently, replacing
from mnist_core.handwriting.class_sets import ClassSet, current_limits, telling
from mnist_core.handwriting.kept_drawings import HandwritingError, KeptDrawing, from_line, is_drawing_id, to_line


@dataclass(frozen=True, eq=False)
class Contents:
    """The drawings of a set, the oldest first, and what is wrong with files that hold none, by their names."""

    drawings: tuple[KeptDrawing, ...]
    problems: dict[str, str]

    @property
    def images(self) -> Images:
        """All pictures, (n, 28, 28) uint8."""
        return np.array([drawing.image for drawing in self.drawings], np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)

    @property
    def labels(self) -> Labels:
        """What the people who drew them meant, (n,) uint8."""
        return np.array([drawing.label for drawing in self.drawings], np.uint8)


def keep(class_set: ClassSet, drawing: KeptDrawing) -> int:
    """Keep a drawing in a set, and return how many there are now.

    Raises `HandwritingError` if the set is full or gone, or if the file cannot be written.
    """
    add(class_set, [drawing])
    return count(class_set)


def add(class_set: ClassSet, drawings: Sequence[KeptDrawing]) -> int:
    """Keep those drawings that the set does not have yet, and return how many that were; all or, if too many, none.

    Raises `HandwritingError` like `keep`.
    """
    sizes = _sizes(class_set.path)
    lines = {name: to_line(drawing) for drawing in drawings if (name := f"{drawing.id}.json") not in sizes}
    bounds = current_limits()
    if len(sizes) + len(lines) > bounds.drawings:
        raise HandwritingError(
            f"A class set holds at most {bounds.drawings:,} drawings here, and this one has {len(sizes):,}. "
            "Start another set."
        )
    if sum(sizes.values()) + sum(map(len, lines.values())) > bounds.bytes:
        raise HandwritingError(
            f"A class set holds at most {bounds.bytes / 1e6:.0f} MB of drawings here. Start another set."
        )
    with telling("The drawing could not be kept"):
        for name, line in lines.items():
            with replacing(class_set.path / name) as beside:
                beside.write_bytes(line)
    return len(lines)


def count(class_set: ClassSet) -> int:
    """Return how many drawings a set has, unread."""
    return len(_sizes(class_set.path))


def read_contents(class_set: ClassSet) -> Contents:
    """Read all drawings of a set; files that hold none are left out, and told."""
    drawings, problems = [], {}
    for name in sorted(_sizes(class_set.path)):
        try:
            drawings.append(_read_drawing(class_set.path / name))
        except FileNotFoundError:
            pass  # deleted in this moment
        except HandwritingError as error:
            problems[name] = str(error)
    return Contents(tuple(sorted(drawings, key=lambda drawing: (drawing.time, drawing.id))), problems)


def stamp(class_set: ClassSet) -> str:
    """Return something that changes when a drawing of the set comes, goes or is changed by hand."""
    return hashlib.sha256(repr(sorted(_stamps(class_set.path))).encode()).hexdigest()


def withdraw(class_set: ClassSet, drawing_id: str) -> None:
    """Take a drawing back that was kept a moment ago: it is gone for good. Raises `HandwritingError`."""
    if is_drawing_id(drawing_id):
        with telling("The drawing could not be deleted"):
            (class_set.path / f"{drawing_id}.json").unlink(missing_ok=True)


def _read_drawing(path: Path) -> KeptDrawing:
    try:
        drawing = from_line(read_patiently(path))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise HandwritingError(f"It cannot be read: {error.strerror or error}.") from error
    if drawing.id != path.stem:
        raise HandwritingError("It holds the drawing of another file.")
    return drawing


def _sizes(path: Path) -> dict[str, int]:
    """Return the files of drawings in a folder, and their bytes. Raises `HandwritingError` if the folder is gone."""
    return {name: size for name, _, size in _stamps(path)}


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    """Return name, time of change and size of each file of a drawing."""
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                stem, dot, suffix = entry.name.partition(".")
                if dot and suffix == "json" and is_drawing_id(stem):
                    with suppress(FileNotFoundError):  # deleted in this moment
                        status = entry.stat()
                        found.append((entry.name, status.st_mtime_ns, status.st_size))
    except OSError:
        raise HandwritingError("This class set is not here any more. It may have been deleted.") from None
    return found
