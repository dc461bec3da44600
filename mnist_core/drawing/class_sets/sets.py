"""What a class set is called, who may see it, and where its folder is."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mnist_core.common.atomic_files import read_patiently, write_json
from mnist_core.common.server import bounds_here, owns
from mnist_core.common.text import one_line
from mnist_core.drawing.class_sets.drawings import (
    VERSION,
    ClassSetError,
    NewerVersionError,
    json_object,
    time_of,
    time_text,
)

FORMAT = "digit-lab class set"
MAX_TITLE = 60

ABOUT = "set.json"
_SET_ID = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True)
class ClassSetLimits:
    """Upper bounds on what is kept here. People who keep drawings in the same instant may pass them by a few."""

    sets: int  # of everybody together
    sets_each: int  # that one person started
    drawings: int  # in a set
    bytes: int  # of all drawings of a set, so of its export too; the server takes no larger file back
    deleted: int  # drawings in the trash; beyond these, the oldest deletions are for good


PRIVATE = ClassSetLimits(sets=1_000, sets_each=1_000, drawings=4_000, bytes=5_000_000, deleted=40_000)
PUBLIC = ClassSetLimits(sets=100, sets_each=5, drawings=1_000, bytes=5_000_000, deleted=2_000)


@dataclass(frozen=True)
class ClassSet:
    """A set as its folder tells it, without its drawings."""

    path: Path
    title: str
    created: datetime | None  # UTC; None if that is not known any more
    owner: str = ""  # who started it, as `server.owner_hash` gives it; empty if that does not matter

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.path.name


def current_limits() -> ClassSetLimits:
    """Return the bounds that hold here."""
    return bounds_here(PRIVATE, PUBLIC)


def clean_title(text: str) -> str:
    """Return a title on one line of at most `MAX_TITLE` characters. Raises `ClassSetError` if nothing is left."""
    title = one_line(unicodedata.normalize("NFC", text), MAX_TITLE)
    if not title:
        raise ClassSetError("A class set needs a name, such as “Class 4b”.")
    return title


def set_id(title: str, owner: str = "") -> str:
    """Return the id of the set that a person calls by this title, in capital or small letters; there may be none yet.

    The same title leads to the same folder, so people who type it at the same moment start one set, not two. On a
    public server it is another one for each owner, and nobody can guess the id without the owner's secret.
    """
    name = unicodedata.normalize("NFKC", clean_title(title)).casefold()
    return hashlib.sha256(f"{owner}\n{name}".encode()).hexdigest()[:20]


def visible_sets(folder: Path, owner: str = "", known: Collection[str] = ()) -> list[ClassSet]:
    """Return the sets that a person may see, by title: on a public server their own, and those whose id they know."""
    return [each for each in list_sets(folder) if owns(each.owner, owner) or each.id in known]


def list_sets(folder: Path) -> list[ClassSet]:
    """Return all sets of a folder, by title."""
    try:
        paths = [path for path in folder.iterdir() if _SET_ID.fullmatch(path.name) and path.is_dir()]
    except OSError:
        return []
    return sorted(map(read_set, paths), key=lambda each: (each.title.casefold(), each.id))


def find_set(wanted: str, folder: Path) -> ClassSet:
    """Return the set of this id. Raises `ClassSetError` if there is none."""
    if _SET_ID.fullmatch(wanted) and (folder / wanted).is_dir():
        return read_set(folder / wanted)
    raise ClassSetError("There is no such class set here. It may have been deleted.")


def open_set(folder: Path, title: str, owner: str = "") -> ClassSet:
    """Return the set that this owner calls by this title; start it if there is none yet.

    Raises `ClassSetError` if there are too many sets already, if it cannot be written, or if a newer Digit Lab did.
    """
    path = folder / set_id(title, owner)
    with explain_os_errors("The class set could not be started"):
        if not path.is_dir():
            _check_sets(folder, owner)
            path.mkdir(parents=True, exist_ok=True)
        try:
            found = _read_about(path)
        except NewerVersionError:
            raise ClassSetError("This class set is of a newer Digit Lab. Choose another name for a new set.") from None
        except (OSError, ClassSetError):  # new, or set.json was lost
            now = datetime.now(UTC).replace(microsecond=0)
            found = ClassSet(path, clean_title(title), now, owner)
            about = {
                "format": FORMAT,
                "version": VERSION,
                "title": found.title,
                "created": time_text(now),
                "owner": owner,
            }
            write_json(path / ABOUT, about)
    return found


def read_set(path: Path) -> ClassSet:
    """Read what a set is called. If set.json is lost or damaged, the drawings are still there, under a stand-in."""
    try:
        return _read_about(path)
    except (OSError, ClassSetError):
        return ClassSet(path, f"Set {path.name[:6]}", None)


@contextmanager
def explain_os_errors(what: str) -> Iterator[None]:
    """Turn a failure of the disk into a sentence for the page."""
    try:
        yield
    except FileNotFoundError:
        raise ClassSetError(f"{what}: the class set may have been deleted in this moment.") from None
    except OSError as error:
        raise ClassSetError(f"{what}: {error.strerror or error}.") from error


def _read_about(path: Path) -> ClassSet:
    """Read set.json. Raises `OSError`, or `ClassSetError` if it is damaged or of a newer version."""
    about = json_object(read_patiently(path / ABOUT), "class set")
    owner = about.get("owner")
    owner = owner if isinstance(owner, str) else ""
    return ClassSet(path, clean_title(str(about.get("title", ""))), time_of(about.get("created")), owner)


def _check_sets(folder: Path, owner: str) -> None:
    there, bounds = list_sets(folder), current_limits()
    if len(there) >= bounds.sets:
        raise ClassSetError(f"There are {len(there):,} class sets here already, and no room for more.")
    if sum(each.owner == owner for each in there) >= bounds.sets_each:
        raise ClassSetError(
            f"You have started {bounds.sets_each:,} class sets, and no more are allowed here. Delete one that is done."
        )
