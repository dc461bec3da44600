"""Class sets as one file: what is exported comes back, and whatever else is imported does no harm."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_core.common.server import PUBLIC_VARIABLE
from mnist_core.drawing.class_sets import archive, contents, sets
from mnist_core.drawing.class_sets.archive import export_set, merge, read_file
from mnist_core.drawing.class_sets.drawings import ClassSetError, KeptDrawing, from_line, new_drawing, to_line
from mnist_core.drawing.class_sets.sets import ClassSet, ClassSetLimits
from mnist_core.drawing.strokes import Drawing

HEAD = {"format": "digit-lab class set", "version": 1, "title": "Class 4b", "drawings": 1}
TENTHS = st.integers(-99_999, 99_999).map(lambda tenths: tenths / 10)


def line(**changes: Any) -> bytes:
    """A drawing as somebody may write it by hand from docs/class-sets.md; None takes a value away."""
    values: dict[str, Any] = {
        "version": 1,
        "id": "0123456789abcdef" * 2,
        "label": 7,
        "time": "2026-01-31T09:30:00Z",
        "canvas": 336,
        "widths": [26],
        "strokes": [[[10, 20], [30.5, 40.25]]],
        "image": [[row for _ in range(28)] for row in range(28)],
    }
    values = {name: value for name, value in {**values, **changes}.items() if value is not None}
    return json.dumps(values).encode()


def file_of(*lines: bytes, **head: Any) -> bytes:
    return b"\n".join([json.dumps({**HEAD, **head}).encode(), *lines]) + b"\n"


def same(a: KeptDrawing, b: KeptDrawing) -> bool:
    return (
        (a.id, a.label, a.canvas, a.time, a.drawn.widths) == (b.id, b.label, b.canvas, b.time, b.drawn.widths)
        and np.array_equal(a.image, b.image)
        and len(a.drawn.strokes) == len(b.drawn.strokes)
        and all(np.array_equal(one, other) for one, other in zip(a.drawn.strokes, b.drawn.strokes, strict=True))
    )


@st.composite
def drawings(draw: st.DrawFn) -> KeptDrawing:
    """Any drawing that a file may hold."""
    strokes = draw(st.lists(st.lists(st.tuples(TENTHS, TENTHS), min_size=1, max_size=6), max_size=4))
    return KeptDrawing(
        f"{draw(st.integers(0, 2**128 - 1)):032x}",
        draw(st.integers(0, 9)),
        np.frombuffer(draw(st.binary(min_size=784, max_size=784)), np.uint8).reshape(28, 28),
        Drawing(
            tuple(np.array(stroke, np.float32) for stroke in strokes),
            tuple(draw(st.integers(0, 10_000)) / 10 for _ in strokes),
        ),
        draw(st.integers(1, 10_000)),
        draw(st.datetimes(timezones=st.just(UTC))).replace(microsecond=0),
    )


@pytest.fixture
def class_4b(tmp_path: Path) -> ClassSet:
    return sets.open_set(tmp_path / "handwriting", "Class 4b")


def any_drawing(label: int) -> KeptDrawing:
    return new_drawing(label, np.full((28, 28), label, np.uint8), Drawing((np.ones((3, 2), np.float32),), (9.0,)))


# Round trips


@given(drawing=drawings())
def test_every_drawing_comes_back_from_its_line(drawing: KeptDrawing) -> None:
    text = to_line(drawing)
    assert text.count(b"\n") == 1
    again = from_line(text)
    assert same(drawing, again)
    assert to_line(again) == text


@given(kept=st.lists(drawings(), max_size=4, unique_by=lambda each: each.id))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_set_comes_back_from_its_file(kept: list[KeptDrawing]) -> None:
    class_set = ClassSet(Path("x"), "Größe “4b” \u2028 🙂", None)
    read = read_file(export_set(class_set, kept))
    assert read.title == sets.clean_title(class_set.title)
    assert read.problems == ()
    assert all(same(a, b) for a, b in zip(kept, read.drawings, strict=True))


def test_a_set_taken_to_another_machine_and_back_is_the_same(class_4b: ClassSet, tmp_path: Path) -> None:
    for label in range(3):
        contents.keep(class_4b, any_drawing(label))
    first = export_set(class_4b, contents.read_contents(class_4b).drawings)
    read = read_file(first)
    elsewhere = sets.open_set(tmp_path / "elsewhere", read.title)
    merged = merge(read, elsewhere)
    assert (merged.added, merged.known) == (3, 0)
    assert export_set(elsewhere, contents.read_contents(elsewhere).drawings) == first
    files = {path.name: path.read_bytes() for path in class_4b.path.glob("*.json") if path.name != "set.json"}
    assert sorted(first.splitlines(keepends=True)[1:]) == sorted(files.values())  # an export is the files, joined


def test_merging_doubles_nothing_and_changes_nothing(class_4b: ClassSet) -> None:
    mine, both = any_drawing(1), any_drawing(2)
    contents.add(class_4b, [mine, both])
    other = any_drawing(3)
    relabelled = json.loads(to_line(both))
    relabelled["label"] = 9
    changed = json.dumps(relabelled).encode()
    merged = merge(read_file(file_of(changed, to_line(other).strip(), changed)), class_4b)
    assert (merged.added, merged.known) == (1, 1)
    assert sorted(contents.read_contents(class_4b).labels.tolist()) == [1, 2, 3]
    assert merge(read_file(file_of(to_line(other).strip())), class_4b).added == 0


def test_the_title_of_a_file_is_text_and_nothing_else() -> None:
    assert read_file(file_of(title="  a\n\0b ")).title == "a b"
    assert len(read_file(file_of(title="x" * 1000)).title) == sets.MAX_TITLE
    with pytest.raises(ClassSetError, match="needs a name"):
        read_file(file_of(title="  "))


def test_files_of_other_editors_are_read() -> None:
    plain = file_of(line())
    for text in (plain.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + plain, plain.rstrip(), plain + b"\n \n"):
        read = read_file(text)
        assert (read.title, len(read.drawings), read.problems) == ("Class 4b", 1, ())
    assert read_file(file_of()).drawings == ()


# What is no class set


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"hello",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"[" * 100_000,
        b"9" * 100_000,
        line(),
        json.dumps({**HEAD, "format": "something else"}).encode(),
        json.dumps({**HEAD, "title": 5}).encode(),
        json.dumps({**HEAD, "version": True}).encode(),
        json.dumps({**HEAD, "more": "x" * 3000}).encode(),
    ],
)
def test_what_is_no_class_set_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(ClassSetError) as caught:
        read_file(data)
    assert str(caught.value).endswith(".")
    assert str(caught.value).startswith("This file")


def test_files_of_a_newer_version_say_so() -> None:
    with pytest.raises(ClassSetError, match=r"newer Digit Lab \(version 2"):
        read_file(file_of(line(), version=2))
    (problem,) = read_file(file_of(line(version=2))).problems
    assert "newer Digit Lab" in problem


def image_with(value: Any) -> list[list[Any]]:
    rows: list[list[Any]] = [[0] * 28 for _ in range(28)]
    rows[27][27] = value
    return rows


BAD: dict[str, tuple[str, list[Any]]] = {
    "id": ("id", [None, 5, "", "A" * 32, "0" * 31, "../" + "0" * 29, "0" * 32 + "\n"]),
    "label": ("label", [None, 10, -1, 7.0, True, "7", [7], 10**30]),
    "time": ("time", [None, 5, "", "yesterday", "2026-01-31", "2026-01-31T09:30:00", "9999-12-31T23:59:59-23:00"]),
    "canvas": ("canvas", [None, 0, -1, 10_001, 336.0, True, "336", float("inf")]),
    "widths": ("width", [None, [], [1, 2], 26, ["26"], [-1], [1001], [float("nan")], [True], [[26]]]),
    "strokes": (
        "stroke",
        [
            None,
            5,
            [[]],
            [5],
            [[5]],
            [[[1]]],
            [[[1, 2, 3]]],
            [[["1", 2]]],
            [[[1, None]]],
            [[[True, 1]]],
            [[[float("nan"), 1]]],
            [[[1, float("-inf")]]],
            [[[1, 10_001]]],
            [[[10**400, 1]]],
            [[[1, 1]] * 10_001],
            [[[1, 1]]] * 201,
        ],
    ),
    "image": (
        "image",
        [
            None,
            5,
            [],
            [[0] * 28] * 27,
            [[0] * 28] * 29,
            [[0] * 27] * 28,
            ["0" * 28] * 28,
            *(image_with(value) for value in (-1, 256, 0.0, True, "0", None, [0], 10**30)),
        ],
    ),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (_, values) in BAD.items() for value in values])
def test_one_bad_value_costs_its_own_drawing_only(name: str, value: Any) -> None:
    good = line(id="f" * 32)
    read = read_file(file_of(line(**{name: value}), good))
    assert [drawing.id for drawing in read.drawings] == ["f" * 32]
    (problem,) = read.problems
    assert problem.startswith("Line 2 is left out. ")
    assert BAD[name][0] in problem or "JSON" in problem
    assert problem.endswith(".")


def test_a_torn_file_gives_what_is_whole() -> None:
    whole = file_of(line(id="a" * 32), line(id="b" * 32))
    read = read_file(whole[:-100])
    assert [drawing.id for drawing in read.drawings] == ["a" * 32]
    assert len(read.problems) == 1


def test_of_many_problems_the_first_are_told() -> None:
    read = read_file(file_of(*[b"{}"] * 50))
    assert len(read.problems) == 6
    assert read.problems[-1] == "45 more lines are left out."


@given(data=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_bytes_raise_anything_but_a_sentence(data: bytes) -> None:
    for text in (data, file_of() + data):
        try:
            read = read_file(text)
        except ClassSetError as error:
            assert str(error).strip()
        else:
            assert all(same(drawing, from_line(to_line(drawing))) for drawing in read.drawings)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=12,
)


@given(changes=st.dictionaries(st.sampled_from([*BAD, "version"]), JSON, max_size=3), head=JSON)
def test_no_values_raise_anything_but_a_sentence(changes: dict[str, Any], head: Any) -> None:
    read = read_file(file_of(line(**changes)))
    assert len(read.drawings) + len(read.problems) == 1
    for drawing in read.drawings:  # sound in every part, whatever it came from
        assert drawing.label in range(10)
        assert drawing.image.shape == (28, 28)
        assert drawing.image.dtype == np.uint8
        assert len(drawing.drawn.strokes) == len(drawing.drawn.widths)
        assert all(stroke.shape == (len(stroke), 2) and len(stroke) for stroke in drawing.drawn.strokes)
        assert all(np.isfinite(stroke).all() for stroke in drawing.drawn.strokes)
        assert drawing.time.tzinfo is UTC
    try:
        read_file(json.dumps(head).encode() + b"\n" + line())
    except ClassSetError as error:
        assert str(error).strip()


@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_one_flipped_byte_never_harms(place: int, value: int) -> None:
    data = bytearray(file_of(line(id="a" * 32), line(id="b" * 32)))
    data[place % len(data)] = value
    try:
        read = read_file(bytes(data))
    except ClassSetError:
        return
    assert len(read.drawings) >= 1
    assert all(same(drawing, from_line(to_line(drawing))) for drawing in read.drawings)


# Bounds


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> ClassSetLimits:
    bounds = ClassSetLimits(sets=3, sets_each=2, drawings=4, bytes=20_000, deleted=9)
    monkeypatch.setattr(sets, "PUBLIC", bounds)
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    return bounds


def test_a_file_that_is_too_large_is_not_even_looked_at(
    narrow: ClassSetLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "json_object", lambda *args: pytest.fail("it was read"))
    with pytest.raises(ClassSetError, match="too large"):
        read_file(file_of(*[line()] * 20))


def test_too_many_drawings_are_not_read(narrow: ClassSetLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "from_line", lambda *args: pytest.fail("it was read"))
    with pytest.raises(ClassSetError, match="has 5 drawings: a class set has at most 4"):
        read_file(file_of(*[b"{}"] * 5))


def test_a_merge_that_would_be_too_much_adds_nothing(narrow: ClassSetLimits, class_4b: ClassSet) -> None:
    contents.add(class_4b, [any_drawing(label) for label in range(3)])
    read = read_file(file_of(line(id="a" * 32), line(id="b" * 32)))
    with pytest.raises(ClassSetError, match="at most 4 drawings"):
        merge(read, class_4b)
    assert contents.count(class_4b) == 3
    assert merge(read_file(file_of(line(id="a" * 32))), class_4b).added == 1


def test_what_the_largest_set_exports_can_be_imported_again(narrow: ClassSetLimits, class_4b: ClassSet) -> None:
    label = 0
    try:
        while True:
            contents.keep(class_4b, any_drawing(label % 10))
            label += 1
    except ClassSetError:
        pass
    exported = export_set(class_4b, contents.read_contents(class_4b).drawings)
    assert len(read_file(exported).drawings) == label


def test_times_come_to_utc() -> None:
    assert from_line(line(time="2026-01-31T10:30:00.75+01:00")).time == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
