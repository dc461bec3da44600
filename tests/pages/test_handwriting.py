"""Our handwriting on the pages: keeping a drawing on Draw, and the class set on Explore, full, empty and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from opening import open_page, texts
from streamlit.testing.v1 import AppTest

from mnist_core import inference, limits, runs
from mnist_core.dataset import Mnist
from mnist_core.handwriting import class_sets, contents, set_files
from mnist_core.handwriting.class_sets import ClassSet
from mnist_core.handwriting.kept_drawings import KeptDrawing, new_drawing
from mnist_core.strokes import Drawing
from ui import class_set_choice, digit_grid, explore, views, visitor
from ui.explore import handwriting_view, one_drawing

WRONG = 4  # what the stand-in for a network reads instead of a 9


@pytest.fixture(autouse=True)
def handwriting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of class sets of this test's own, and the view on the Explore page."""
    monkeypatch.setenv(class_sets.HANDWRITING_DIR_VARIABLE, str(tmp_path / "handwriting"))
    monkeypatch.setitem(explore.VIEWS, "handwriting", explore.View("Our handwriting", handwriting_view.show))
    return tmp_path / "handwriting"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, nothing_cached: None) -> list[tuple[str, int]]:
    """Networks that read the label in the first pixel, but each 9 as a 4; which were asked, and about how many."""
    questions: list[tuple[str, int]] = []

    def predict(model: Path, images: np.ndarray) -> np.ndarray:
        questions.append((model.parent.name, len(images)))
        if model.parent.name == "garcia":
            raise inference.InferenceError("The network of garcia cannot be loaded; its file is damaged.")
        labels = images[:, 0, 0].astype(int)
        return np.eye(10, dtype=np.float32)[np.where(labels == 9, WRONG, labels)]

    monkeypatch.setattr(inference, "predict", predict)
    return questions


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


def picture(label: int, ink: int = 255) -> np.ndarray:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 10:18] = ink
    image[0, 0] = label
    return image


def told(*points: tuple[float, float]) -> Drawing:
    return Drawing((np.array(points or [(10, 10), (200, 300)], np.float32),), (26.0,))


def fill(
    folder: Path, labels: list[int], title: str = "Class 4b", owner: str = ""
) -> tuple[ClassSet, list[KeptDrawing]]:
    class_set = class_sets.open_set(folder, title, owner)
    kept = [new_drawing(label, picture(label, 255 - place % 200), told()) for place, label in enumerate(labels)]
    contents.add(class_set, kept)
    return class_set, kept


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What is on the canvas: a 7 that is read as one, until the test draws something else."""
    open_page("draw")  # the canvas can be imported by a page only
    from ui import draw
    from ui.draw import keeping

    drawn = SimpleNamespace(image=picture(7), drawing=told(), reading=7)
    view = views.View("Canvas", lambda: keeping.show(drawn.image, drawn.drawing, drawn.reading))
    for name in draw.VIEWS:
        monkeypatch.setitem(draw.VIEWS, name, view)
    return drawn


def press(app: AppTest, label: str) -> AppTest:
    app = next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def has(app: AppTest, label: str) -> bool:
    return any(button.label == label for button in app.button)


def sets(folder: Path) -> dict[str, list[int]]:
    return {each.title: sorted(contents.read_contents(each).labels.tolist()) for each in class_sets.list_sets(folder)}


# Draw


def test_nothing_is_kept_without_the_button(canvas: SimpleNamespace, handwriting: Path) -> None:
    app = open_page("draw")
    meant = app.button_group(key=next(each.key for each in app.button_group if each.key.startswith("meant-")))
    meant.set_value(5).run()
    app.text_input(key="class-set-title").set_value("Class 4b").run()
    assert not app.exception
    assert has(app, "Keep this 5")
    assert "Nothing is kept unless you press the button." in texts(app)
    assert "Everybody who uses this Digit Lab can see them" in texts(app)
    assert not handwriting.exists()


def test_a_drawing_is_kept_as_suggested_and_taken_back(canvas: SimpleNamespace, handwriting: Path) -> None:
    app = press(open_page("draw"), "Keep this 7")
    assert "Kept as number 1 of Our handwriting, labelled 7." in texts(app).replace("**", "")
    assert not has(app, "Keep this 7")  # the same drawing is not kept twice
    (class_set,) = class_sets.list_sets(handwriting)
    (kept,) = contents.read_contents(class_set).drawings
    assert kept.label == 7
    np.testing.assert_array_equal(kept.image, canvas.image)
    np.testing.assert_array_equal(kept.drawn.strokes[0], canvas.drawing.strokes[0])
    assert app.query_params["set"] in (class_set.id, [class_set.id])

    app = press(app, "Take it back")
    assert sets(handwriting) == {"Our handwriting": []}
    assert has(app, "Keep this 7")
    assert "Kept as number" not in texts(app)


def test_many_drawings_of_a_class(canvas: SimpleNamespace, handwriting: Path) -> None:
    fill(handwriting, [1, 2])
    app = open_page("draw")
    app.text_input(key="class-set-title").set_value("  class 4B ").run()
    app = press(app, "Keep this 7")
    assert "Kept as number 3 of Class 4b" in texts(app).replace("**", "")
    canvas.image, canvas.reading = picture(3), None  # another drawing, which nothing can read
    app.run()
    assert "Kept as number 3" in texts(app).replace("**", "")  # it can still be taken back
    assert next(button for button in app.button if button.label == "Keep it").disabled
    app.button_group(key=next(each.key for each in app.button_group if each.key.startswith("meant-"))).set_value(3)
    app = press(app.run(), "Keep this 3")
    assert "Kept as number 4 of Class 4b, labelled 3." in texts(app).replace("**", "")
    assert sets(handwriting) == {"Class 4b": [1, 2, 3, 7]}


def test_a_link_names_the_set(canvas: SimpleNamespace, handwriting: Path) -> None:
    class_set, _ = fill(handwriting, [1])
    app = open_page("draw", set=class_set.id)
    assert app.text_input(key="class-set-title").value == "Class 4b"
    press(app, "Keep this 7")
    assert sets(handwriting) == {"Class 4b": [1, 7]}


@pytest.mark.parametrize("named", ["0" * 20, "../../etc", "", "%00"])
def test_a_link_to_no_set_is_told(named: str, canvas: SimpleNamespace, handwriting: Path) -> None:
    app = open_page("draw", set=named)
    assert "The link names no class set that is here" in texts(app)
    press(app, "Keep this 7")
    assert sets(handwriting) == {"Our handwriting": [7]}


def test_a_name_of_nothing_is_told(canvas: SimpleNamespace, handwriting: Path) -> None:
    app = open_page("draw")
    app.text_input(key="class-set-title").set_value("   ").run()
    assert "A class set needs a name" in app.error[0].value.replace("\\", "")
    assert app.text_input(key="class-set-title").value == "Our handwriting"


def test_a_name_is_shown_as_it_stands(canvas: SimpleNamespace, handwriting: Path) -> None:
    app = open_page("draw")
    app.text_input(key="class-set-title").set_value("![x](http://a.b/c.png) **b**").run()
    app = press(app, "Keep this 7")
    assert "![x](http://a.b/c.png) **b**" in texts(app)
    assert not any("![x](" in element.value for element in app.markdown)


def test_a_full_set_is_told(canvas: SimpleNamespace, handwriting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        class_sets, "PRIVATE", class_sets.HandwritingLimits(sets=9, sets_each=9, drawings=1, bytes=10**6, deleted=9)
    )
    fill(handwriting, [1], title="Our handwriting")
    app = press(open_page("draw"), "Keep this 7")
    assert "holds at most 1 drawings here" in app.error[0].value.replace("\\", "")
    assert sets(handwriting) == {"Our handwriting": [1]}


def test_a_set_of_another_that_was_deleted_is_not_started_anew(
    canvas: SimpleNamespace, handwriting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")
    class_set, _ = fill(handwriting, [1], owner=runs.owner_hash("a teacher"))
    app = open_page("draw", set=class_set.id)
    assert "nobody else" in texts(app)
    for file in class_set.path.iterdir():
        file.unlink()
    class_set.path.rmdir()
    app = press(app, "Keep this 7")
    assert "no such class set" in texts(app)
    assert class_sets.list_sets(handwriting) == []


# Explore


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
    assert "reads 2 of 4 drawings as they were meant, 50.0%" in texts(app).replace("**", "")
    assert "reads 15% to 85% of such handwriting" in texts(app)  # Wilson's interval of 2 of 4, by hand
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
    assert chollet["Read as meant"] == "2 of 4"
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
    assert f"{right} of {networks} networks read it as it was meant, {first.label}." in texts(app).replace("**", "")
    assert "in 1 stroke." in texts(app)
    app = press(app, "Next") if not app.button(key="drawing-Next").disabled else press(app, "Previous")
    assert f"Number 2, meant as {second.label}" in texts(app)
    app = press(app, "Back to the set")
    assert "of 2 drawings" in texts(app).replace("**", "")


def test_deleting_a_drawing_and_a_set_can_be_undone(handwriting: Path) -> None:
    class_set, kept = fill(handwriting, [1, 5])
    app = open_page("explore", view="handwriting", set=class_set.id, drawing=kept[1].id)
    app = press(app, "Delete it")
    assert sets(handwriting) == {"Class 4b": [1]}
    assert "One drawing deleted." in texts(app)
    app = press(app, "Undo")
    assert sets(handwriting) == {"Class 4b": [1, 5]}
    app = press(app, "Delete the set")
    assert sets(handwriting) == {}
    assert "Class 4b deleted." in texts(app)
    assert "There is no class set yet." in texts(app)
    app = press(app, "Undo")
    assert sets(handwriting) == {"Class 4b": [1, 5]}
    assert "of 2 drawings" in texts(app).replace("**", "")
    assert not has(app, "Undo")


def upload(app: AppTest, data: bytes) -> AppTest:
    app.file_uploader(key="uploaded-set").set_value(("set.jsonl", data, "application/jsonl")).run()
    assert not app.exception
    return app


def test_an_export_is_imported_again(handwriting: Path, tmp_path: Path) -> None:
    elsewhere, kept = fill(tmp_path / "elsewhere", [1, 5, 9])
    data = set_files.export_set(elsewhere, kept)
    app = upload(open_page("explore", view="handwriting"), data)
    assert "3 drawings added to Class 4b." in texts(app)
    assert "of 3 drawings" in texts(app).replace("**", "")
    app = upload(open_page("explore", view="handwriting"), data + b"torn\n")
    assert "0 drawings added to Class 4b. 3 drawings of the file it had already." in texts(app)
    assert "Line 5 is left out." in texts(app)
    assert sets(handwriting) == {"Class 4b": [1, 5, 9]}


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"{}", b"[" * 5000, b"id,label\n1,2\n"])
def test_a_foreign_file_is_refused_in_a_sentence(data: bytes, handwriting: Path) -> None:
    app = upload(open_page("explore", view="handwriting"), data)
    assert len(app.error) == 1
    assert app.error[0].value.startswith("This file")
    assert not handwriting.exists()


def test_on_a_public_server_others_see_and_delete_nothing(
    handwriting: Path, shown: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")
    class_set, kept = fill(handwriting, [1, 9], owner=runs.owner_hash("a teacher"))
    app = open_page("explore", view="handwriting")
    assert "There is no class set yet." in texts(app)
    assert "Class 4b" not in texts(app)
    app = open_page("explore", view="handwriting", set=class_set.id)  # by its link
    assert len(shown) == 2
    assert not has(app, "Delete the set")
    app = open_page("explore", view="handwriting", set=class_set.id, drawing=kept[0].id)
    assert not has(app, "Delete it")
    assert sets(handwriting) == {"Class 4b": [1, 9]}


def test_sets_of_one_name_are_told_apart(handwriting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    mine, _ = fill(handwriting, [1, 9], owner="me")
    theirs, _ = fill(handwriting, [5], owner="them")
    app = open_page("explore", view="handwriting", set=theirs.id)
    box = next(box for box in app.selectbox if box.label == "Class set")
    assert box.value == theirs.id
    assert sorted(box.options) == sorted(f"Class 4b ({each.id[:4]})" for each in (mine, theirs))
    assert "1 of 1 drawing" in texts(app).replace("**", "")


def test_on_a_public_server_the_owner_may(handwriting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    fill(handwriting, [1, 9], owner="me")
    app = press(open_page("explore", view="handwriting"), "Delete the set")
    assert sets(handwriting) == {}
    press(app, "Undo")
    assert sets(handwriting) == {"Class 4b": [1, 9]}


def test_what_is_read_of_a_set_is_read_once(handwriting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_set, (kept,) = fill(handwriting, [1])
    reads: list[str] = []
    original = contents.read_patiently
    monkeypatch.setattr(contents, "read_patiently", lambda path: reads.append(path.stem) or original(path))
    for _ in range(2):
        class_set_choice.contents_of(class_set)
    assert reads == [kept.id]
    new = new_drawing(2, picture(2), told())
    contents.keep(class_set, new)
    assert class_set_choice.contents_of(class_set).labels.tolist().count(2) == 1
    assert reads == [kept.id, new.id]
    st.cache_resource.clear()


def test_one_drawing_asks_as_many_networks_as_it_shows_the_chosen_one_first(
    handwriting: Path, asked: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_drawing, "_MOST_ANSWERS", 2)
    class_set, (kept,) = fill(handwriting, [1])
    app = open_page("explore", view="handwriting", set=class_set.id, drawing=kept.id, run="nehlr")
    assert len(asked) == 2
    assert asked[0] == ("nehlr", 1)
    assert "2 of 2 networks read it as it was meant, 1." in texts(app).replace("**", "")
    ships = len(list(runs.BUNDLED_RUNS.iterdir()))
    toggle = next(toggle for toggle in app.toggle if toggle.label == f"Ask {ships - 2} further networks")
    toggle.set_value(True).run()
    assert {name for name, _ in asked} == {path.name for path in runs.BUNDLED_RUNS.iterdir()}
