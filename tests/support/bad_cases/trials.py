"""How a case is tried: what a visitor is told must be a clear sentence, and no file may stray."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from mnist_core.common.server import PROJECT
from mnist_core.training.config import TrainingConfig

MOST_CHARACTERS = 600  # of a message; the longest lists all settings


class Home:
    """Folders of runs and class sets of a server, in the middle of others, to which nobody may write."""

    def __init__(self, root: Path) -> None:
        self.elsewhere = root / "elsewhere"
        self.runs = root / "server" / "runs"
        self.handwriting = root / "server" / "handwriting"
        self._root = root
        self.elsewhere.mkdir(parents=True)
        (self.elsewhere / "config.json").write_text(json.dumps(TrainingConfig().to_json()))
        (self.elsewhere / "secret.txt").write_text("Nobody may read this.")
        self.clear()
        self._before = self._surroundings()

    def clear(self) -> None:
        """Let both folders be empty."""
        for folder in (self.runs, self.handwriting):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def strays(self) -> list[str]:
        """Return what was written, changed or removed where it does not belong, or under a name that somebody chose."""
        now = self._surroundings()
        changed = [path for path in {*now, *self._before} if now.get(path) != self._before.get(path)]
        for folder, ours in ((self.runs, _OF_RUNS), (self.handwriting, _OF_CLASS_SETS)):
            inside = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
            changed += [f"{folder.name}/{path}" for path in inside if not ours.fullmatch(path)]
        return changed

    def _surroundings(self) -> dict[str, bytes | None]:
        """Return all files and folders around the two, and what they hold."""
        inside = (self.runs, self.handwriting)
        return {
            str(path): path.read_bytes() if path.is_file() else None
            for path in self._root.rglob("*")
            if not any(path.is_relative_to(folder) for folder in inside)
        }


_OF_CLASS_SETS = re.compile(r"(\.deleted|(\.deleted/[0-9a-f]{32}/)?[0-9a-f]{20}(/(set|[0-9a-f]{32})\.json)?)")
_OF_RUNS = re.compile(
    r"\.deleted|(\.deleted/)?[a-z0-9][a-z0-9-]{0,79}"
    r"(/(epochs|epochs/\d{4}\.npz|stop|deleted|[a-z]+\.(json|jsonl|npz|keras|txt)))?"
)


@dataclass(frozen=True)
class CaseKind:
    """Input of one kind: cases of it, and a function that answers one with all that a visitor is told about it."""

    name: str
    cases: st.SearchStrategy[Any]
    answer: Callable[[Any, Home], Sequence[str]]
    most_sentences: int = 3


def tried(kind: CaseKind, case: Any, home: Home) -> bool:
    """Answer a case, and return whether a visitor is told anything. Raises `AssertionError` for harm done."""
    told = kind.answer(case, home)
    for message in told:
        problem = unclear(message, kind.most_sentences)
        assert problem is None, f"{problem}: {message!r}"
    strays = home.strays()
    assert not strays, strays
    return len(told) > 0


def unclear(message: str, most_sentences: int = 3) -> str | None:
    """Return what is wrong with a message for a visitor; None if nothing is.

    It is one to three sentences on one line. What it quotes may be anything; the rest names no class of Python and no
    place on the machine.
    """
    own_words = re.sub("“[^”]*”|'[^']*…?'|\"[^\"]*…?\"", "“”", message)
    if not message.isprintable():
        return "more than one line, or not printable"
    if not re.fullmatch(r"[\w“].*[.)]", own_words):
        return "no sentence"
    if len(re.findall(r"[.!?]”?(?= |$)", own_words)) > most_sentences:
        return f"more than {most_sentences} sentences"
    if len(message) > MOST_CHARACTERS:
        return "too long"
    if re.search(
        r"Traceback|\w(Error|Exception|Warning)\b|NoneType|<class|object at|\b(numpy|np|PIL|json)\.", own_words
    ):
        return "names something of Python"
    if any(place in own_words for place in _MACHINE):
        return "names a place on the machine"
    return None


_MACHINE = {str(PROJECT), str(Path.home()), sys.prefix, tempfile.gettempdir()}
