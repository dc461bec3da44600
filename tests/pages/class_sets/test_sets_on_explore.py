"""The class set on Explore, full, empty and damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mnist_core import runs
from mnist_core.common import atomic_files
from mnist_core.common.server import PUBLIC_VARIABLE, owner_hash
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.class_sets import archive, contents
from mnist_core.drawing.class_sets.drawings import new_drawing
from tests.support.opening import open_page, texts
from tests.support.sets_on_pages import fill, has, picture, press, titled_labels, told
from ui.components import digit_grid, visitor
from ui.explore import one_drawing
from ui.pickers import class_sets


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The tiles of the last grid of drawings."""
    tiles: list[dict] = []
    original = digit_grid._component

    def spy(**arguments):
        if arguments["key"] == "grid-handwriting":
            tiles[:] = arguments["data"]["tiles"]
        return original(**arguments)

    monkeypatch.setattr(digit_grid, "_component", spy)
    return tiles


def test_without_a_set_the_way_to_one_is_shown(handwriting: Path) -> None:
    app = open_page("explore", view="handwriting")
    assert "There is no class set yet." in texts(app)
    assert app.file_uploader
    assert not app.error
    assert not app.warning
    assert not handwriting.exists()


def test_a_set_is_shown_and_every_network_scored(
    handwriting: Path, shown: list[dict], asked: list[tuple[str, int]], mnist: Mnist
) -> None:
    class_set, kept = fill(handwriting, [1, 9, 5, 9])
    app = open_page("explore", view="handwriting", set=class_set.id)
    assert "reads 2 of 4 drawings as meant, 50.0%" in texts(app).replace("**", "")
    assert "reads between 15% and 85% of such handwriting" in texts(app)  # Wilson's interval of 2 of 4, by hand
    by_index = {tile["index"]: tile for tile in shown}
    assert len(by_index) == 4
    for index, each in enumerate(contents.read_contents(class_set).drawings):
        caption = "9 → 4" if each.label == 9 else str(each.label)
        assert by_index[index]["caption"] == (caption, "over 99.9%")
        assert by_index[index]["marked"] == (each.label == 9)
    table = app.dataframe[0].value
    ships = {path.name for path in runs.BUNDLED_RUNS.iterdir()} - {"garcia"}
    assert len(table) == len(ships)
    assert set(table["This set"]) == {50.0}
    report = json.loads((runs.BUNDLED_RUNS / "chollet" / "report.json").read_text())
    chollet = table[table["Network"] == "chollet"].iloc[0]
    assert chollet["MNIST test"] == pytest.approx(100 * report["test_accuracy"])
    assert chollet["Correct"] == "2 of 4"
    assert "The network of garcia cannot be loaded; its file is damaged." in texts(app)
    assert len(kept) == 4

    count = len(asked)
    app.run()
    assert {name for name, _ in asked[count:]} <= {"garcia"}  # nobody is asked twice; who failed is asked again
    contents.keep(class_set, new_drawing(3, picture(3), told()))
    app.run()
    assert ("chollet", 1) in asked[count:]  # of what is new, only that
    assert "reads 3 of 5 drawings" in texts(app).replace("**", "")


def test_mistakes_and_digits_can_be_chosen(handwriting: Path, shown: list[dict]) -> None:
    class_set, _ = fill(handwriting, [1, 9, 5, 9])
    open_page("explore", view="handwriting", set=class_set.id, kind="mistakes")
    assert [tile["caption"][0] for tile in shown] == ["9 → 4", "9 → 4"]
    open_page("explore", view="handwriting", set=class_set.id, digit="5")
    assert [tile["caption"][0] for tile in shown] == ["5"]
    app = open_page("explore", view="handwriting", set=class_set.id, kind="mistakes", digit="5")
    assert "No mistakes here." in texts(app)
    app = open_page("explore", view="handwriting", set=class_set.id, digit="8")
    assert "No such drawings yet." in texts(app)


def test_a_large_set_has_pages(handwriting: Path, shown: list[dict]) -> None:
    class_set, _ = fill(handwriting, [place % 9 for place in range(130)])
    seen = []
    for page in ("1", "2", "3", "99"):
        open_page("explore", view="handwriting", set=class_set.id, page=page)
        seen.append([tile["index"] for tile in shown])
    assert seen[0] + seen[1] + seen[2] == list(range(129, -1, -1))
    assert seen[3] == seen[2]


def test_a_set_without_networks_is_shown_all_the_same(
    handwriting: Path, shown: list[dict], nothing_ships: None
) -> None:
    class_set, _ = fill(handwriting, [1, 9])
    app = open_page("explore", view="handwriting", set=class_set.id)
    assert "There is no trained network yet" in texts(app)
    assert sorted(tile["caption"] for tile in shown) == [("1",), ("9",)]
    assert not app.error


def test_a_network_that_cannot_answer_is_told(handwriting: Path, shown: list[dict]) -> None:
    class_set, _ = fill(handwriting, [1, 9])
    app = open_page("explore", view="handwriting", set=class_set.id, run="garcia")
    assert "cannot be loaded" in app.error[0].value
    assert len(shown) == 2
    assert len(app.dataframe[0].value) >= 6


def test_damaged_files_are_told(handwriting: Path, shown: list[dict]) -> None:
    class_set, kept = fill(handwriting, [1, 9])
    (class_set.path / f"{kept[0].id}.json").write_text("torn")
    app = open_page("explore", view="handwriting", set=class_set.id)
    assert f"{kept[0].id}.json is left out. It is not the JSON of a drawing; it may be damaged." in texts(app)
    assert len(shown) == 1


def test_one_drawing_and_the_way_to_its_neighbours(handwriting: Path) -> None:
    class_set, _ = fill(handwriting, [1, 9])
    first, second = contents.read_contents(class_set).drawings
    app = open_page("explore", view="handwriting", set=class_set.id, drawing=first.id)
    networks = len(list(runs.BUNDLED_RUNS.iterdir())) - 1
    right = 0 if first.label == 9 else networks
    assert f"Number 1, meant as {first.label}" in texts(app)
    assert f"{right} of {networks} networks predict what was meant, {first.label}." in texts(app).replace("**", "")
    assert "in 1 stroke." in texts(app)
    app = press(app, "Next") if not app.button(key="drawing-Next").disabled else press(app, "Previous")
    assert f"Number 2, meant as {second.label}" in texts(app)
    app = press(app, "Back to the set")
    assert "of 2 drawings" in texts(app).replace("**", "")


def test_deleting_a_drawing_and_a_set_can_be_undone(handwriting: Path) -> None:
    class_set, kept = fill(handwriting, [1, 5])
    app = open_page("explore", view="handwriting", set=class_set.id, drawing=kept[1].id)
    app = press(app, "Delete it")
    assert titled_labels(handwriting) == {"Class 4b": [1]}
    assert "One drawing deleted." in texts(app)
    app = press(app, "Undo")
    assert titled_labels(handwriting) == {"Class 4b": [1, 5]}
    app = press(app, "Delete the set")
    assert titled_labels(handwriting) == {}
    assert "Class 4b deleted." in texts(app)
    assert "There is no class set yet." in texts(app)
    app = press(app, "Undo")
    assert titled_labels(handwriting) == {"Class 4b": [1, 5]}
    assert "of 2 drawings" in texts(app).replace("**", "")
    assert not has(app, "Undo")


def upload(app: AppTest, data: bytes) -> AppTest:
    app.file_uploader(key="uploaded-set").set_value(("set.jsonl", data, "application/jsonl")).run()
    assert not app.exception
    return app


def test_an_export_is_imported_again(handwriting: Path, tmp_path: Path) -> None:
    elsewhere, kept = fill(tmp_path / "elsewhere", [1, 5, 9])
    data = archive.export_set(elsewhere, kept)
    app = upload(open_page("explore", view="handwriting"), data)
    assert "3 drawings added to Class 4b." in texts(app)
    assert "of 3 drawings" in texts(app).replace("**", "")
    app = upload(open_page("explore", view="handwriting"), data + b"torn\n")
    assert "0 drawings added to Class 4b. It already had 3 drawings of the file." in texts(app)
    assert "Line 5 is left out." in texts(app)
    assert titled_labels(handwriting) == {"Class 4b": [1, 5, 9]}


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"{}", b"[" * 5000, b"id,label\n1,2\n"])
def test_a_foreign_file_is_refused_in_a_sentence(data: bytes, handwriting: Path) -> None:
    app = upload(open_page("explore", view="handwriting"), data)
    assert len(app.error) == 1
    assert app.error[0].value.startswith("This file")
    assert not handwriting.exists()


@pytest.mark.public(id="no-sets-of-others")
def test_on_a_public_server_others_see_and_delete_nothing(
    handwriting: Path, shown: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    class_set, kept = fill(handwriting, [1, 9], owner=owner_hash("a teacher"))
    app = open_page("explore", view="handwriting")
    assert "There is no class set yet." in texts(app)
    assert "Class 4b" not in texts(app)
    app = open_page("explore", view="handwriting", set=class_set.id)  # by its link
    assert len(shown) == 2
    assert not has(app, "Delete the set")
    app = open_page("explore", view="handwriting", set=class_set.id, drawing=kept[0].id)
    assert not has(app, "Delete it")
    assert titled_labels(handwriting) == {"Class 4b": [1, 9]}


def test_sets_of_one_name_are_told_apart(handwriting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    mine, _ = fill(handwriting, [1, 9], owner="me")
    theirs, _ = fill(handwriting, [5], owner="them")
    app = open_page("explore", view="handwriting", set=theirs.id)
    box = next(box for box in app.selectbox if box.label == "Class set")
    assert box.value == theirs.id
    assert sorted(box.options) == sorted(f"Class 4b ({each.id[:4]})" for each in (mine, theirs))
    assert "1 of 1 drawing" in texts(app).replace("**", "")


def test_on_a_public_server_the_owner_may(handwriting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    fill(handwriting, [1, 9], owner="me")
    app = press(open_page("explore", view="handwriting"), "Delete the set")
    assert titled_labels(handwriting) == {}
    press(app, "Undo")
    assert titled_labels(handwriting) == {"Class 4b": [1, 9]}


def test_what_is_read_of_a_set_is_read_once(handwriting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_set, (kept,) = fill(handwriting, [1])
    reads: list[str] = []
    original = atomic_files.read_patiently
    monkeypatch.setattr(contents, "read_patiently", lambda path: reads.append(path.stem) or original(path))
    for _ in range(2):
        class_sets.contents_of(class_set)
    assert reads == [kept.id]
    new = new_drawing(2, picture(2), told())
    contents.keep(class_set, new)
    assert class_sets.contents_of(class_set).labels.tolist().count(2) == 1
    assert reads == [kept.id, new.id]
    st.cache_resource.clear()


def test_a_drawing_asks_only_networks_shown_the_chosen_one_first(
    handwriting: Path, asked: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_drawing, "_MOST_ANSWERS", 2)
    class_set, (kept,) = fill(handwriting, [1])
    app = open_page("explore", view="handwriting", set=class_set.id, drawing=kept.id, run="nehlr")
    assert len(asked) == 2
    assert asked[0] == ("nehlr", 1)
    assert "2 of 2 networks predict what was meant, 1." in texts(app).replace("**", "")
    ships = len(list(runs.BUNDLED_RUNS.iterdir()))
    toggle = next(toggle for toggle in app.toggle if toggle.label == f"Ask {ships - 2} further networks")
    toggle.set_value(True).run()
    assert {name for name, _ in asked} == {path.name for path in runs.BUNDLED_RUNS.iterdir()}
