"""Deleted class sets and drawings: they come back whole, for a week, as far as there is room."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_core.drawing.class_sets import contents, sets, trash
from mnist_core.drawing.class_sets.drawings import ClassSetError
from mnist_core.drawing.class_sets.sets import ClassSet
from tests.support.drawings_to_keep import ANNA, NARROW, drawing, kept


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_deleted_set_is_gone_and_comes_back_whole(class_4b: ClassSet, folder: Path) -> None:
    for digit in range(3):
        contents.keep(class_4b, drawing(digit))
    before = files(folder)
    token = trash.delete_set(class_4b)
    assert sets.list_sets(folder) == []
    with pytest.raises(ClassSetError, match="deleted"):
        contents.keep(class_4b, drawing())
    assert trash.restore(folder, token) == class_4b
    assert files(folder) == before
    with pytest.raises(ClassSetError, match="not in the trash"):
        trash.restore(folder, token)


def test_what_comes_back_joins_a_set_started_anew_meanwhile(class_4b: ClassSet, folder: Path) -> None:
    contents.keep(class_4b, drawing(1))
    token = trash.delete_set(class_4b)
    contents.keep(sets.open_set(folder, "class 4b"), drawing(2))
    back = trash.restore(folder, token)
    assert sorted(contents.read_contents(back).labels.tolist()) == [1, 2]


def test_what_comes_back_makes_no_set_too_large_to_export(
    class_4b: ClassSet, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = drawing(1), drawing(2)
    contents.keep(class_4b, one)
    contents.keep(class_4b, other)
    size = sum(len(line) for name, line in files(class_4b.path).items() if name != sets.ABOUT)
    token = trash.delete_drawing(class_4b, one.id)
    bounds = sets.current_limits()
    monkeypatch.setattr(trash, "current_limits", lambda: replace(bounds, bytes=size - 1))
    with pytest.raises(ClassSetError, match=r"at most .* MB"):
        trash.restore(folder, token)
    monkeypatch.setattr(trash, "current_limits", lambda: replace(bounds, bytes=size))
    trash.restore(folder, token)
    assert sorted(contents.read_contents(class_4b).labels.tolist()) == [1, 2]


def test_a_deleted_drawing_comes_back_alone(class_4b: ClassSet, folder: Path) -> None:
    kept = [drawing(digit) for digit in range(3)]
    for each in kept:
        contents.keep(class_4b, each)
    before = files(folder)
    first, second = (trash.delete_drawing(class_4b, each.id) for each in kept[:2])
    assert contents.read_contents(class_4b).labels.tolist() == [2]
    trash.restore(folder, second)
    assert sorted(contents.read_contents(class_4b).labels.tolist()) == [1, 2]
    trash.restore(folder, first)
    assert files(folder) == before


def test_a_set_comes_back_without_drawings_deleted_before(class_4b: ClassSet, folder: Path) -> None:
    unwanted, wanted = drawing(1), drawing(2)
    contents.keep(class_4b, unwanted)
    contents.keep(class_4b, wanted)
    trash.delete_drawing(class_4b, unwanted.id)
    back = trash.restore(folder, trash.delete_set(class_4b))
    assert contents.read_contents(back).labels.tolist() == [2]


def test_a_drawing_does_not_come_back_without_its_set(class_4b: ClassSet, folder: Path) -> None:
    each = drawing()
    contents.keep(class_4b, each)
    token = trash.delete_drawing(class_4b, each.id)
    trash.delete_set(class_4b)
    with pytest.raises(ClassSetError, match="class set of this drawing has been deleted"):
        trash.restore(folder, token)
    assert sets.list_sets(folder) == []


def test_a_drawing_taken_back_leaves_nothing(class_4b: ClassSet, folder: Path) -> None:
    before = files(folder)
    each = drawing()
    contents.keep(class_4b, each)
    contents.withdraw(class_4b, each.id)
    contents.withdraw(class_4b, each.id)  # a second click does no harm
    assert files(folder) == before


@pytest.mark.parametrize("name", ["set", "../other/set", "", "x" * 32])
def test_only_drawings_can_be_deleted_as_drawings(name: str, class_4b: ClassSet, folder: Path) -> None:
    before = files(folder)
    contents.withdraw(class_4b, name)
    with pytest.raises(ClassSetError, match="gone already"):
        trash.delete_drawing(class_4b, name)
    assert files(folder) == before


@pytest.mark.parametrize("token", ["", ".", "..", "../..", "0" * 32])
def test_only_tokens_of_the_trash_restore(token: str, class_4b: ClassSet, folder: Path) -> None:
    trash.delete_drawing(class_4b, kept(class_4b).id)
    with pytest.raises(ClassSetError, match="not in the trash"):
        trash.restore(folder, token)


def test_the_trash_is_emptied_after_a_week(class_4b: ClassSet, folder: Path) -> None:
    old, young = (trash.delete_drawing(class_4b, kept(class_4b).id) for _ in range(2))
    day = 24 * 3600
    os.utime(folder / ".deleted" / old, (0, time.time() - 7.1 * day))
    os.utime(folder / ".deleted" / young, (0, time.time() - 6.9 * day))
    trash.delete_set(class_4b)
    assert not (folder / ".deleted" / old).exists()
    assert (folder / ".deleted" / young).exists()


@pytest.mark.public(id="sets.deleted")
def test_the_trash_is_bounded_and_what_was_deleted_last_stays(narrow: None, folder: Path) -> None:
    tokens = []
    for number in range(4):
        class_set = sets.open_set(folder, "Class 4b", ANNA)
        for _ in range(3):
            contents.keep(class_set, drawing())
        tokens.append(trash.delete_set(class_set, ANNA))
        os.utime(folder / ".deleted" / tokens[-1], (0, time.time() - 100 + number))
    left = [token for token in tokens if (folder / ".deleted" / token).exists()]
    assert left == tokens[-1:]  # two of them would be six drawings, and five may be there
    assert contents.count(trash.restore(folder, tokens[-1])) == 3


def test_empty_sets_fill_the_trash_too(narrow: None, folder: Path) -> None:
    for _ in range(3 * NARROW.deleted):
        trash.delete_set(sets.open_set(folder, "Class 4b", ANNA), ANNA)
    assert len(list((folder / ".deleted").iterdir())) <= NARROW.deleted + 1


def test_what_is_deleted_comes_back_though_the_trash_is_emptied(
    class_4b: ClassSet, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trash.delete_drawing(class_4b, kept(class_4b).id)
    each, drawings_in = kept(class_4b), trash._drawings

    def emptied_by_another(kept_folder: Path) -> int:  # after the trash was listed, before its dates are read
        for other in kept_folder.parent.iterdir():
            if other != kept_folder:
                shutil.rmtree(other)
        return drawings_in(kept_folder)

    with monkeypatch.context() as patch:
        patch.setattr(trash, "_drawings", emptied_by_another)
        token = trash.delete_drawing(class_4b, each.id)
    assert [path.name for path in (folder / ".deleted").iterdir()] == [token]
    assert [back.id for back in contents.read_contents(trash.restore(folder, token)).drawings] == [each.id]


def test_what_comes_back_must_have_room(narrow: None, folder: Path) -> None:
    def full() -> ClassSet:
        class_set = sets.open_set(folder, "Class 4b", ANNA)
        for _ in range(3):
            contents.keep(class_set, drawing())
        return class_set

    token = trash.delete_set(full(), ANNA)
    again = full()
    with pytest.raises(ClassSetError, match="at most 4 drawings"):
        trash.restore(folder, token)
    assert contents.count(again) == 3
