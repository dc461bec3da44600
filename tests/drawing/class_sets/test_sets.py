"""Class sets: drawings kept and read, by many at once, and what sets are called."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from mnist_core.common.server import HANDWRITING_DIR_VARIABLE, PROJECT, class_sets_dir
from mnist_core.drawing.class_sets import contents, drawings, sets, trash
from mnist_core.drawing.class_sets.drawings import ClassSetError, KeptDrawing
from mnist_core.drawing.class_sets.sets import ClassSet
from tests.support.drawings_to_keep import drawing

# Keeping and reading


def test_what_is_kept_is_read_back(class_4b: ClassSet) -> None:
    kept = [drawing(3, 100), drawing(8, 255)]
    assert [contents.keep(class_4b, each) for each in kept] == [1, 2]
    found = contents.read_contents(class_4b)
    assert found.problems == {}
    by_id = {each.id: each for each in found.drawings}
    for each in kept:
        read = by_id[each.id]
        assert (read.label, read.time, read.canvas) == (each.label, each.time, each.canvas)
        assert read.image.dtype == np.uint8
        np.testing.assert_array_equal(read.image, each.image)
        assert read.drawn.widths == (22.0, 8.5)
        assert read.drawn.strokes[0].dtype == np.float32
        np.testing.assert_allclose(read.drawn.strokes[0], [[10, 20.2], [200.0, 40]], atol=1e-5)
        np.testing.assert_allclose(read.drawn.strokes[1], [[5, 5]])
    assert found.images.shape == (2, 28, 28)
    assert sorted(found.labels.tolist()) == [3, 8]


def test_the_oldest_comes_first(class_4b: ClassSet) -> None:
    kept = [drawing(digit) for digit in (5, 1, 4)]
    for each, year in zip(kept, (2023, 2021, 2022), strict=True):
        moved = KeptDrawing(each.id, each.label, each.image, each.drawn, each.canvas, datetime(year, 1, 1, tzinfo=UTC))
        contents.keep(class_4b, moved)
    assert contents.read_contents(class_4b).labels.tolist() == [1, 4, 5]


def test_a_file_is_plain_json_as_documented(class_4b: ClassSet) -> None:
    each = drawing(7)
    contents.keep(class_4b, each)
    text = (class_4b.path / f"{each.id}.json").read_text(encoding="ascii")
    assert text.endswith("}\n")
    assert "\n" not in text[:-1]
    values = json.loads(text)
    assert list(values) == ["version", "id", "label", "time", "canvas", "widths", "strokes", "image"]
    assert values["version"] == 1
    assert values["id"] == each.id
    assert values["label"] == 7
    assert datetime.fromisoformat(values["time"]).tzinfo is not None
    assert abs(datetime.fromisoformat(values["time"]) - datetime.now(UTC)).total_seconds() < 60
    assert values["widths"] == [22.0, 8.5]
    assert values["strokes"] == [[[10.0, 20.2], [200.0, 40.0]], [[5.0, 5.0]]]
    assert len(values["image"]) == 28
    assert all(len(row) == 28 for row in values["image"])
    assert values["image"][10][14] == 200


def test_nothing_of_who_drew_is_written(folder: Path) -> None:
    class_set = sets.open_set(folder, "Class 4b")
    contents.keep(class_set, drawing())
    about = json.loads((class_set.path / "set.json").read_text())
    assert set(about) == {"format", "version", "title", "created", "owner"}
    assert about["owner"] == ""


def test_an_empty_set_has_arrays_of_the_right_form(class_4b: ClassSet) -> None:
    found = contents.read_contents(class_4b)
    assert found.images.shape == (0, 28, 28)
    assert found.labels.shape == (0,)


def test_damaged_files_are_left_out_and_told(class_4b: ClassSet) -> None:
    good, torn, moved = drawing(1), drawing(2), drawing(3)
    for each in (good, torn, moved):
        contents.keep(class_4b, each)
    torn_file, moved_file = class_4b.path / f"{torn.id}.json", class_4b.path / f"{'a' * 32}.json"
    torn_file.write_bytes(torn_file.read_bytes()[:-40])
    (class_4b.path / f"{moved.id}.json").rename(moved_file)
    (class_4b.path / "notes.json").write_text("not ours")
    (class_4b.path / f".{good.id}-1-2.json").write_text("half")
    found = contents.read_contents(class_4b)
    assert [each.id for each in found.drawings] == [good.id]
    assert found.problems == {
        torn_file.name: "It is not the JSON of a drawing; it may be damaged.",
        moved_file.name: "It holds the drawing of another file.",
    }
    assert contents.count(class_4b) == 3


def test_what_a_killed_server_left_goes_with_the_next_drawing(class_4b: ClassSet) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, being_written = (class_4b.path / f".{'a' * 32}-{pid}-1.json" for pid in (gone.pid, os.getpid()))
    for path in (left, being_written):
        path.write_text("half")
    contents.keep(class_4b, drawing())
    assert not left.exists()
    assert being_written.exists()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of drawings whose files were read, in their order; a file that holds `locked` cannot be read."""
    found: list[str] = []

    def read(path: Path) -> bytes:
        found.append(path.stem)
        if path.read_bytes() == b"locked":
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    monkeypatch.setattr(contents, "read_patiently", read)
    return found


def test_a_reader_reads_only_what_is_new(class_4b: ClassSet, reads: list[str]) -> None:
    reader = contents.ContentsReader(class_4b.path)
    assert reader.read().drawings == ()
    first, second = drawing(1), drawing(2)
    contents.keep(class_4b, first)
    found = reader.read()
    assert reader.read() is found
    contents.keep(class_4b, second)
    assert sorted(reader.read().labels.tolist()) == [1, 2]
    assert found.labels.tolist() == [1]  # what was given out stays as it was
    assert reads == [first.id, second.id]
    torn = class_4b.path / f"{first.id}.json"
    torn.write_bytes(b"torn")
    assert reader.read().labels.tolist() == [2]
    assert list(reader.read().problems) == [torn.name]
    contents.withdraw(class_4b, second.id)
    torn.write_bytes(drawings.to_line(first))
    assert (reader.read().labels.tolist(), reader.read().problems) == ([1], {})
    assert reads == [first.id, second.id, first.id, first.id]


def test_a_file_that_cannot_be_read_now_is_tried_again(class_4b: ClassSet, reads: list[str]) -> None:
    reader = contents.ContentsReader(class_4b.path)
    each = drawing(3)
    file = class_4b.path / f"{each.id}.json"
    file.write_bytes(b"locked")
    for _ in range(2):
        assert reader.read().problems == {file.name: "It cannot be read: Permission denied."}
    assert reads == [each.id, each.id]


def test_a_reader_tells_of_a_deleted_set_and_finds_it_when_back(class_4b: ClassSet, folder: Path) -> None:
    reader = contents.ContentsReader(class_4b.path)
    contents.keep(class_4b, drawing(3))
    assert reader.read().labels.tolist() == [3]
    token = trash.delete_set(class_4b)
    with pytest.raises(ClassSetError, match="not here any more"):
        reader.read()
    trash.restore(folder, token)
    assert reader.read().labels.tolist() == [3]


def test_the_arrays_of_a_set_cannot_be_changed_for_others(class_4b: ClassSet) -> None:
    contents.keep(class_4b, drawing(3))
    found = contents.read_contents(class_4b)
    assert found.images is found.images
    for array in (found.images, found.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


# Titles and ids


@pytest.mark.public(id="no-file-names")
def test_the_folder_is_never_named_by_what_was_typed(folder: Path) -> None:
    for title in ("../../etc", "/abs", "CON", "a" * 500, "nul\0l\ud800", "<script>"):
        class_set = sets.open_set(folder, title)
        assert class_set.path.parent == folder
        assert len(class_set.id) == 20
        assert set(class_set.id) <= set("0123456789abcdef")
        assert sets.find_set(class_set.id, folder) == class_set
        assert len(class_set.title) <= sets.MAX_TITLE
    assert {path.name for path in folder.iterdir()} == {each.id for each in sets.list_sets(folder)}


@pytest.mark.parametrize("spelling", ["class 4B", "  Class\t4b \n", "Class 4b", "CLASS 4b"])
def test_the_same_name_is_the_same_set(spelling: str, class_4b: ClassSet, folder: Path) -> None:
    assert sets.open_set(folder, spelling) == class_4b
    assert sets.set_id(spelling) == class_4b.id


def test_an_accent_typed_in_two_ways_is_one_name() -> None:
    assert sets.set_id("Caf\u00e9") == sets.set_id("Cafe\u0301") != sets.set_id("Cafe")


@pytest.mark.parametrize("title", ["", "  ", "\0\u200b"])
def test_a_set_needs_a_name(title: str, folder: Path) -> None:
    with pytest.raises(ClassSetError, match="needs a name"):
        sets.open_set(folder, title)
    assert not folder.exists()


@pytest.mark.parametrize("wanted", ["", "..", "../x", "0" * 20, "x" * 20, ".deleted"])
def test_what_is_no_set_is_not_found(wanted: str, class_4b: ClassSet, folder: Path) -> None:
    with pytest.raises(ClassSetError, match="no such class set"):
        sets.find_set(wanted, folder)


@pytest.mark.parametrize("damage", [None, b"", b"[]", b'{"version": 1}', b"\xff", b'{"version":1,"title":"x"}'])
def test_a_lost_name_costs_no_drawing_and_heals_when_typed_again(
    damage: bytes | None, class_4b: ClassSet, folder: Path
) -> None:
    contents.keep(class_4b, drawing(5))
    about = class_4b.path / "set.json"
    about.unlink() if damage is None else about.write_bytes(damage)
    (found,) = sets.list_sets(folder)
    assert found.title == f"Set {class_4b.id[:6]}"
    assert contents.read_contents(found).labels.tolist() == [5]
    assert sets.open_set(folder, "Class 4b").title == "Class 4b"
    assert [each.title for each in sets.list_sets(folder)] == ["Class 4b"]


def test_a_set_of_a_newer_version_is_left_as_it_is(class_4b: ClassSet, folder: Path) -> None:
    about = class_4b.path / "set.json"
    newer = json.dumps({**json.loads(about.read_text()), "version": 2, "colour": "red"})
    about.write_text(newer)
    with pytest.raises(ClassSetError, match="of a newer Digit Lab"):
        sets.open_set(folder, "Class 4b")
    assert about.read_text() == newer
    assert len(sets.list_sets(folder)) == 1


def test_sets_are_listed_by_title(folder: Path) -> None:
    for title in ("b", "C", "a"):
        sets.open_set(folder, title)
    assert [each.title for each in sets.list_sets(folder)] == ["a", "b", "C"]


def test_the_folder_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HANDWRITING_DIR_VARIABLE, str(tmp_path))
    assert class_sets_dir() == tmp_path
    monkeypatch.delenv(HANDWRITING_DIR_VARIABLE)
    assert class_sets_dir() == PROJECT / "handwriting"


# Many at once


def save_many(folder: Path, process: int, number: int, go: multiprocessing.synchronize.Event) -> None:
    """Start the set and keep drawings in it; this runs in a process of its own."""
    go.wait(60)
    for place in range(number):
        class_set = sets.open_set(folder, "Class 4b" if place % 2 else "CLASS 4B")
        contents.keep(class_set, drawing(process, ink=place + 1))


def test_many_processes_save_at_once_and_lose_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes, number = 8, 25
    context = multiprocessing.get_context("spawn")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", None, raising=False)  # page tests put the app there
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None, raising=False)
    go = context.Event()
    started = [context.Process(target=save_many, args=(folder, place, number, go)) for place in range(processes)]
    for process in started:
        process.start()
    go.set()
    problems: list[str] = []
    while any(process.is_alive() for process in started):  # whoever reads meanwhile sees whole drawings only
        for class_set in sets.list_sets(folder):
            problems += contents.read_contents(class_set).problems
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    (class_set,) = sets.list_sets(folder)
    found = contents.read_contents(class_set)
    assert not problems
    assert not found.problems
    kept = {(each.label, int(each.image.max())) for each in found.drawings}
    assert kept == {(process, place + 1) for process in range(processes) for place in range(number)}
    assert len(found.drawings) == processes * number
    assert {path.suffix for path in class_set.path.iterdir()} == {".json"}
    assert not [path for path in class_set.path.iterdir() if path.name.startswith(".")]


def test_threads_that_keep_the_same_drawing_keep_it_each(class_4b: ClassSet) -> None:
    barrier = threading.Barrier(16)
    numbers = []

    def keep() -> None:
        barrier.wait(30)
        numbers.append(contents.keep(class_4b, drawing(4)))

    threads = [threading.Thread(target=keep) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert contents.count(class_4b) == 16
    assert len(numbers) == 16
    assert max(numbers) == 16


# Folders that refuse


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may write everywhere notices nothing")
def test_a_folder_that_cannot_be_written_is_told(folder: Path, class_4b: ClassSet) -> None:
    class_4b.path.chmod(0o500)
    try:
        with pytest.raises(ClassSetError, match="could not be kept: Permission denied"):
            contents.keep(class_4b, drawing())
    finally:
        class_4b.path.chmod(0o700)


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "handwriting").write_text("in the way")
    with pytest.raises(ClassSetError, match="could not be started"):
        sets.open_set(tmp_path / "handwriting", "Class 4b")
    assert sets.list_sets(tmp_path / "handwriting") == []
