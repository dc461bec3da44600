"""Limits of class sets, and who may see and delete them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_core.common.server import PUBLIC_VARIABLE, owns
from mnist_core.drawing.class_sets import contents, drawings, sets, trash
from mnist_core.drawing.class_sets.drawings import ClassSetError, new_drawing
from mnist_core.drawing.class_sets.sets import ClassSet, ClassSetLimits
from mnist_core.drawing.strokes import Drawing
from tests.support.drawings_to_keep import ANNA, BEN, drawing, kept


@pytest.fixture
def in_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")


@pytest.mark.public(id="sets.drawings")
def test_a_set_can_be_full(narrow: None, folder: Path) -> None:
    class_set = sets.open_set(folder, "Class 4b", ANNA)
    for number in range(1, 5):
        assert contents.keep(class_set, drawing()) == number
    with pytest.raises(ClassSetError, match="at most 4 drawings here, and this one has 4"):
        contents.keep(class_set, drawing())
    assert contents.count(class_set) == 4


@pytest.mark.public(id="sets.bytes")
def test_a_set_can_be_too_large(narrow: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_set = sets.open_set(folder, "Class 4b", ANNA)
    size = len(drawings.to_line(drawing()))
    monkeypatch.setattr(
        sets,
        "PUBLIC",
        ClassSetLimits(sets=3, sets_each=2, drawings=100, bytes=2 * size + size // 2, deleted=9),
    )
    contents.keep(class_set, drawing())
    contents.keep(class_set, drawing())
    with pytest.raises(ClassSetError, match="MB of drawings"):
        contents.keep(class_set, drawing())
    assert contents.count(class_set) == 2


@pytest.mark.public(id="sets.sets_each")
@pytest.mark.public(id="sets.sets")
def test_too_many_sets_of_one_person_and_of_all(narrow: None, folder: Path) -> None:
    sets.open_set(folder, "1", ANNA)
    sets.open_set(folder, "2", ANNA)
    with pytest.raises(ClassSetError, match="You have started 2 class sets"):
        sets.open_set(folder, "3", ANNA)
    sets.open_set(folder, "2", ANNA)  # is there already
    sets.open_set(folder, "1", BEN)
    with pytest.raises(ClassSetError, match="3 class sets here already"):
        sets.open_set(folder, "4", BEN)
    assert len(sets.list_sets(folder)) == 3


def test_what_is_too_much_for_a_file_is_refused(class_4b: ClassSet) -> None:
    image = np.zeros((28, 28), np.uint8)
    many = np.zeros((drawings.MOST_POINTS + 1, 2), np.float32)
    with pytest.raises(ClassSetError, match="too many strokes"):
        new_drawing(1, image, Drawing((many,), (1.0,)))
    most = new_drawing(1, image, Drawing((many[:-1] - 9999.9,), (1.0,)))
    assert contents.keep(class_4b, most) == 1  # the longest line that there can be is read back
    assert len(contents.read_contents(class_4b).drawings) == 1


def test_at_home_everybody_sees_and_deletes_everything(folder: Path) -> None:
    class_set = sets.open_set(folder, "Class 4b")
    assert sets.visible_sets(folder) == [class_set]
    assert owns(class_set.owner, "")


@pytest.mark.public(id="may-keep-drawings")
def test_in_public_sets_are_seen_by_their_owner_and_by_link(in_public: None, folder: Path) -> None:
    annas, bens = (sets.open_set(folder, "Class 4b", owner) for owner in (ANNA, BEN))
    assert annas.id != bens.id
    assert sets.visible_sets(folder, ANNA) == [annas]
    assert sets.visible_sets(folder, BEN) == [bens]
    assert sets.visible_sets(folder, "") == []
    assert set(sets.visible_sets(folder, BEN, {annas.id})) == {annas, bens}


@pytest.mark.public(id="may-delete-own-drawings")
def test_on_a_public_server_only_the_owner_deletes(in_public: None, folder: Path) -> None:
    class_set = sets.open_set(folder, "Class 4b", ANNA)
    each = kept(class_set)
    for stranger in (BEN, ""):
        for delete in (
            lambda owner=stranger: trash.delete_set(class_set, owner),
            lambda owner=stranger: trash.delete_drawing(class_set, each.id, owner),
        ):
            with pytest.raises(ClassSetError, match="Only the person who started"):
                delete()
    assert contents.count(class_set) == 1
    trash.delete_drawing(class_set, each.id, ANNA)
    trash.delete_set(class_set, ANNA)
    assert sets.list_sets(folder) == []


@pytest.mark.public(id="no-sets-of-others")
def test_a_set_of_no_owner_is_nobodys_on_a_public_server(class_4b: ClassSet, folder: Path, in_public: None) -> None:
    assert sets.visible_sets(folder, "") == []
    assert not owns(class_4b.owner, "")
