"""A trash: what is emptied after a week, what makes room, and what is left alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mnist_core.common import trash

HOUR = 3600
WEEK = 7 * 24 * HOUR


def deleted(folder: Path, name: str, age: float, size: int = 1) -> Path:
    """Put a folder with so many files into a trash, deleted `age` seconds ago."""
    entry = folder / name
    entry.mkdir()
    for number in range(size):
        (entry / f"file-{number}").write_text("something")
    os.utime(entry, (time.time() - age,) * 2)
    return entry


def left(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def files_in(entry: Path) -> int:
    return len(list(entry.iterdir()))


def test_what_was_deleted_more_than_a_week_ago_is_gone(tmp_path: Path) -> None:
    deleted(tmp_path, "old", WEEK + HOUR)
    deleted(tmp_path, "young", WEEK - HOUR)
    deleted(tmp_path, "from-the-future", -HOUR)
    trash.empty_old(tmp_path)
    assert left(tmp_path) == {"young", "from-the-future"}


def test_there_need_not_be_a_trash_to_empty(tmp_path: Path) -> None:
    trash.empty_old(tmp_path / "none")
    assert left(tmp_path) == set()


def test_foreign_files_are_left_alone_and_take_no_room(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text("mine")
    os.utime(notes, (time.time() - 2 * WEEK,) * 2)
    deleted(tmp_path, "now", 0)
    deleted(tmp_path, "before", HOUR)
    trash.empty_old(tmp_path)
    trash.make_room(tmp_path, 2, keep="now")
    assert left(tmp_path) == {"notes", "now", "before"}


@pytest.mark.parametrize(
    ("most", "expected"), [(4, {"a", "b", "c", "d"}), (3, {"a", "b", "c"}), (2, {"a", "b"}), (1, {"a"}), (0, {"a"})]
)
def test_the_oldest_go_first_and_the_last_one_stays(most: int, expected: set[str], tmp_path: Path) -> None:
    for age, name in enumerate("abcd"):
        deleted(tmp_path, name, age * HOUR)
    trash.make_room(tmp_path, most, keep="a")
    assert left(tmp_path) == expected


def test_what_was_deleted_just_now_stays_however_old(tmp_path: Path) -> None:
    for age, name in enumerate("abc"):
        deleted(tmp_path, name, age * HOUR)
    trash.make_room(tmp_path, 2, keep="c")
    assert left(tmp_path) == {"a", "c"}


@pytest.mark.parametrize(
    ("most", "expected"), [(10, {"a", "b", "c"}), (9, {"a", "b"}), (6, {"a", "b"}), (5, {"a"}), (1, {"a"})]
)
def test_room_is_counted_in_sizes(most: int, expected: set[str], tmp_path: Path) -> None:
    for age, (name, size) in enumerate({"a": 2, "b": 4, "c": 4}.items()):
        deleted(tmp_path, name, age * HOUR, size)
    trash.make_room(tmp_path, most, keep="a", size=files_in)
    assert left(tmp_path) == expected


def test_where_a_large_one_finds_no_room_no_older_one_does(tmp_path: Path) -> None:
    for age, (name, size) in enumerate({"a": 1, "large": 9, "small": 1}.items()):
        deleted(tmp_path, name, age * HOUR, size)
    trash.make_room(tmp_path, 5, keep="a", size=files_in)
    assert left(tmp_path) == {"a"}


def test_somebody_else_makes_room_at_the_same_moment(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        trash.make_room(tmp_path / "none", 1, keep="a")
    with pytest.raises(FileNotFoundError):
        trash.make_room(tmp_path, 1, keep="a", size=files_in)
