"""Keeping a drawing on Draw."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mnist_core.common.server import PUBLIC_VARIABLE, owner_hash
from mnist_core.drawing.class_sets import contents, sets
from tests.support.opening import open_page, texts
from tests.support.sets_on_pages import fill, has, picture, press, titled_labels, told
from ui.session import views


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


@pytest.mark.public(id="may-keep-drawings")
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
    (class_set,) = sets.list_sets(handwriting)
    (kept,) = contents.read_contents(class_set).drawings
    assert kept.label == 7
    np.testing.assert_array_equal(kept.image, canvas.image)
    np.testing.assert_array_equal(kept.drawn.strokes[0], canvas.drawing.strokes[0])
    assert app.query_params["set"] in (class_set.id, [class_set.id])

    app = press(app, "Take it back")
    assert titled_labels(handwriting) == {"Our handwriting": []}
    assert has(app, "Keep this 7")
    assert "Kept as number" not in texts(app)


def test_of_two_quick_clicks_one_keeps_the_drawing(
    canvas: SimpleNamespace, handwriting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.draw import keeping

    keep = keeping._keep

    def twice(candidate: keeping._Candidate) -> None:  # the second click comes before the page has changed
        keep(candidate)
        keep(candidate)

    monkeypatch.setattr(keeping, "_keep", twice)
    app = press(open_page("draw"), "Keep this 7")
    assert titled_labels(handwriting) == {"Our handwriting": [7]}
    app = press(app, "Take it back")
    assert titled_labels(handwriting) == {"Our handwriting": []}


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
    assert titled_labels(handwriting) == {"Class 4b": [1, 2, 3, 7]}


def test_a_link_names_the_set(canvas: SimpleNamespace, handwriting: Path) -> None:
    class_set, _ = fill(handwriting, [1])
    app = open_page("draw", set=class_set.id)
    assert app.text_input(key="class-set-title").value == "Class 4b"
    press(app, "Keep this 7")
    assert titled_labels(handwriting) == {"Class 4b": [1, 7]}


@pytest.mark.parametrize("named", ["0" * 20, "../../etc", "", "%00"])
def test_a_link_to_no_set_is_told(named: str, canvas: SimpleNamespace, handwriting: Path) -> None:
    app = open_page("draw", set=named)
    assert "The class set of this link is not here" in texts(app)
    press(app, "Keep this 7")
    assert titled_labels(handwriting) == {"Our handwriting": [7]}


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
    monkeypatch.setattr(sets, "PRIVATE", sets.ClassSetLimits(sets=9, sets_each=9, drawings=1, bytes=10**6, deleted=9))
    fill(handwriting, [1], title="Our handwriting")
    app = press(open_page("draw"), "Keep this 7")
    assert "holds at most 1 drawings here" in app.error[0].value.replace("\\", "")
    assert titled_labels(handwriting) == {"Our handwriting": [1]}


def test_a_set_of_another_that_was_deleted_is_not_started_anew(
    canvas: SimpleNamespace, handwriting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    class_set, _ = fill(handwriting, [1], owner=owner_hash("a teacher"))
    app = open_page("draw", set=class_set.id)
    assert "nobody else" in texts(app)
    for file in class_set.path.iterdir():
        file.unlink()
    class_set.path.rmdir()
    app = press(app, "Keep this 7")
    assert "no such class set" in texts(app)
    assert sets.list_sets(handwriting) == []
