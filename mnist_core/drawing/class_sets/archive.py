"""A class set as one file to export and to read back: JSON Lines; docs/class-sets.md describes the format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mnist_core.drawing.class_sets import contents
from mnist_core.drawing.class_sets.drawings import (
    VERSION,
    ClassSetError,
    KeptDrawing,
    from_line,
    json_object,
    to_line,
)
from mnist_core.drawing.class_sets.sets import FORMAT, ClassSet, clean_title, current_limits

LONGEST_FIRST_LINE = 2_000  # bytes
_MOST_PROBLEMS = 5  # told one by one


@dataclass(frozen=True, eq=False)
class SetFile:
    """What an exported file holds: the set's title, its drawings, each once, and a sentence for each bad line."""

    title: str
    drawings: tuple[KeptDrawing, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """What came of an import: into which set, how many drawings are new, and how many it had already."""

    class_set: ClassSet
    added: int
    known: int


def export_set(class_set: ClassSet, drawings: Sequence[KeptDrawing]) -> bytes:
    """Return the set as JSON Lines in ASCII: a line about the set, then one for each drawing, in their order."""
    about = {"format": FORMAT, "version": VERSION, "title": class_set.title, "drawings": len(drawings)}
    first = json.dumps(about, separators=(",", ":")).encode("ascii") + b"\n"
    return first + b"".join(map(to_line, drawings))


def read_file(data: bytes) -> SetFile:
    """Read what `export_set` wrote. Lines that hold no drawing are left out, and told.

    Raises `ClassSetError` if it is no class set at all, or larger than a set may be here; size and number of lines
    are looked at before anything is read.
    """
    bounds = current_limits()
    if len(data) > bounds.bytes + LONGEST_FIRST_LINE:
        raise ClassSetError(f"This file is too large: a class set has at most {bounds.bytes / 1e6:.0f} MB here.")
    first, *lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    numbered = [(number, line) for number, line in enumerate(lines, 2) if line.strip()]
    title = _title(first)
    if len(numbered) > bounds.drawings:
        raise ClassSetError(
            f"This file has {len(numbered):,} drawings: a class set has at most {bounds.drawings:,} here."
        )
    drawings: dict[str, KeptDrawing] = {}
    problems = []
    for number, line in numbered:
        try:
            drawing = from_line(line)
            drawings.setdefault(drawing.id, drawing)
        except ClassSetError as error:
            problems.append(f"Line {number:,} is left out. {error}")
    return SetFile(title, tuple(drawings.values()), _first_of(problems))


def merge(read: SetFile, class_set: ClassSet) -> Merged:
    """Put the drawings of a file into a set; those that it has are left as they are. Raises `ClassSetError`."""
    added = contents.add(class_set, read.drawings)
    return Merged(class_set, added, len(read.drawings) - added)


def _title(line: bytes) -> str:
    try:
        about = json_object(line, "class set")
    except ClassSetError as error:
        raise ClassSetError(f"This file cannot be used. Its first line should tell of a class set. {error}") from None
    if len(line) > LONGEST_FIRST_LINE or about.get("format") != FORMAT or not isinstance(about.get("title"), str):
        raise ClassSetError("This file is not a class set that Digit Lab exported: its first line does not say so.")
    return clean_title(about["title"])


def _first_of(problems: list[str]) -> tuple[str, ...]:
    further = len(problems) - _MOST_PROBLEMS
    more = [f"{further:,} more lines are left out."] if further > 0 else []
    return (*problems[:_MOST_PROBLEMS], *more)
