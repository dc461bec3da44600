"""`metrics.jsonl` of a run directory: one numbered event a line, only ever appended to.

Torn, foreign and repeated lines are skipped, so a reader never fails, whatever happened to the writer.

By hand: TensorBoard's files take its package to read, and jsonlines raises on torn lines and follows no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from mnist_core.common.typed_json import has_declared_types, is_of
from mnist_core.training.events import BatchesDone, Continued, EpochDone, Event

FILE_NAME = "metrics.jsonl"
_KINDS: dict[str, Any] = {"batches": BatchesDone, "epoch": EpochDone, "continued": Continued}
_OF_BATCHES = b'"batches"'  # nearly all lines are of this kind


class EventWriter:
    """Appends events to the log of a run, numbered on from those that are there. Use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self._path = path / FILE_NAME
        self._number = 0

    def __enter__(self) -> EventWriter:
        self._file = self._path.open("a", encoding="utf-8")
        if self._path.stat().st_size:
            self._file.write("\n")  # the last line may be torn; an empty one harms nobody
            self._file.flush()
        self._number = EventReader(self._path.parent).last_number() + 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def append(self, event: Event) -> None:
        """Write one event."""
        kind = next(name for name, event_class in _KINDS.items() if isinstance(event, event_class))
        values = {name: _rounded(value) for name, value in asdict(event).items()}
        self._file.write(json.dumps({"n": self._number, "kind": kind, **values}, separators=(",", ":")) + "\n")
        self._file.flush()
        self._number += 1


def read_events(path: Path) -> list[Event]:
    """Return the run's events in order. Torn, foreign and repeated lines are skipped; no file means no events."""
    return EventReader(path).read()


def has_events(path: Path) -> bool:
    """Whether a run has begun: before, there are no events of it, and later there may be."""
    return (path / FILE_NAME).exists()


def read_epochs(path: Path) -> list[EpochDone]:
    """Return the run's epochs in order, as `read_events` has them. Lines of batches, nearly all, are not decoded."""
    events: list[Event] = []
    last_number = -1
    try:
        with (path / FILE_NAME).open("rb") as file:
            for line in file:
                if _OF_BATCHES not in line:
                    last_number = _take(line, events, last_number)
    except OSError:
        return []
    return [event for event in events if isinstance(event, EpochDone)]


class EventReader:
    """Follows the events of a run: each look reads only what was appended since the last one. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._file = path / FILE_NAME
        self._lock = Lock()
        self._offset = 0
        self._last_number = -1
        self._events: list[Event] = []

    def read(self) -> list[Event]:
        """Return all events so far, in order, as a list of the caller's own."""
        with self._lock:
            try:
                if self._file.stat().st_size < self._offset:  # not the file that we knew
                    self._forget()
                with self._file.open("rb") as file:
                    file.seek(self._offset)
                    unfinished = self._take_complete(file)
            except OSError:
                self._forget()
                return []
            events = list(self._events)
            _take(unfinished, events, self._last_number)  # read again next time, unless it is all there will be
            return events

    def last_number(self) -> int:
        """Return the number of the last event on a complete line so far; -1 if there is none."""
        self.read()
        return self._last_number

    def _take_complete(self, lines: Iterable[bytes]) -> bytes:
        """Take the events of all complete lines; return the last line if it is none of them."""
        for line in lines:
            if not line.endswith(b"\n"):
                return line
            self._offset += len(line)
            self._last_number = _take(line, self._events, self._last_number)
        return b""

    def _forget(self) -> None:
        self._offset = 0
        self._last_number = -1
        self._events = []


def _take(line: bytes, events: list[Event], last_number: int) -> int:
    """Append the event of a line, if it is one and new, and drop those that it makes void. Return the last number."""
    number, event = _read_event(line)
    if event is None or number <= last_number:
        return last_number
    if isinstance(event, Continued):
        events[:] = [each for each in events if each.step <= event.step]
    events.append(event)
    return number


def _rounded(value: Any) -> Any:
    """Six decimals, which is finer than any chart: the file shrinks to half."""
    if isinstance(value, tuple):
        return [round(number, 6) for number in value]
    return round(value, 6) if isinstance(value, float) else value


def _read_event(line: bytes) -> tuple[int, Event | None]:
    """Return an event and its number, or `(-1, None)` for a line that is none."""
    try:
        values = json.loads(line)
        kind, number = values.pop("kind"), values.pop("n")
        event_class: Any = _KINDS[kind]
        fixed = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        event: Event = event_class(**fixed)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return -1, None
    return (number, event) if is_of(number, int) and has_declared_types(event) else (-1, None)
