"""The photo view of Draw: what is said of photos, of files that are none, and of networks that cannot answer."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from mnist_core.common.arrays import Images, Ink, Probabilities
from mnist_core.drawing.photos import finding_digits, picture_files
from mnist_core.processes import inference
from mnist_core.processes.inference_worker import InferenceError
from tests.support.opening import open_page, texts

# The canvas registers its files with a running server, which there is none of here; the browser tests use the real one.
with patch("streamlit.components.v2.component", lambda *_, **__: lambda **_: {}):
    import streamlit_drawable_canvas  # noqa: F401

    from ui.components import answer_bars, digit_grid
    from ui.draw import photo_view


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is told to the browser about one digit: the last one last."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(answer_bars, "_component", lambda **options: told.append(options["data"]))
    return told


@pytest.fixture
def grids(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is told to the browser about all digits: the last one last."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(digit_grid, "_component", lambda **options: told.append(options["data"]))
    return told


@pytest.fixture
def confidences(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How sure each network is of the first, second, … digit that it is asked about; it reads 0, 1, 2, …."""
    given = [0.99]

    def predict(file: Path, images: Images) -> Probabilities:
        shares = np.resize(given, len(images))
        found = np.repeat((1 - shares)[:, None] / 9, 10, axis=1)
        found[np.arange(len(images)), np.arange(len(images)) % 10] = shares
        return found.astype(np.float32)

    monkeypatch.setattr(inference, "predict", predict)
    monkeypatch.setattr(inference, "resemble", lambda images, readings: np.ones(len(images), bool))
    return given


def rows_read(app: AppTest) -> list[str]:
    """The digits in large type, row by row; they are headings, as those in words are."""
    return [heading.value for heading in app.header if not heading.value[0].isupper()]


def stems(*rows: int, pen: int = 0, paper: int = 255, width: int = 10) -> bytes:
    """Return a PNG with rows of so many lines, each of its own length: pictures that are alike are asked about once."""
    picture = Image.new("L", (640, 480), paper)
    lengths = iter(range(90, 0, -4))
    for row, count in enumerate(rows):
        for place in range(count):
            top = 60 + 140 * row
            line = [(80 + 90 * place, top), (60 + 90 * place + 5 * row, top + next(lengths))]
            ImageDraw.Draw(picture).line(line, fill=pen, width=width)
    return png(picture)


def png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def open_photo(content: bytes | None = None, name: str = "photo.png") -> AppTest:
    app = open_page("draw", view="photo")
    if content is not None:
        app.file_uploader[0].set_value((name, content, "image/png"))
        app.run()
    assert not app.exception
    return app


def test_without_a_photo_it_says_how_to_take_one() -> None:
    app = open_photo()
    said = texts(app)
    assert "Take or choose a photo of one digit, a row of digits, or several rows." in said
    assert "in this server's memory while you look at it and for a while after; it is never stored" in said
    assert not app.error
    assert not app.slider


def test_the_camera_is_asked_for_only_by_choice() -> None:
    app = open_photo()
    assert not app.get("camera_input")
    app.segmented_control(key="photo-from").set_value("The camera").run()
    assert not app.exception
    assert app.get("camera_input")
    assert not app.file_uploader


def test_rows_are_read_and_doubt_is_marked(
    answers: list[dict[str, Any]], grids: list[dict[str, Any]], confidences: list[float]
) -> None:
    confidences[:] = [0.99, 0.98, 0.6, 0.97, 0.96]
    app = open_photo(stems(3, 2))
    assert rows_read(app) == ["0 1 :orange[2]", "3 4"]
    assert "5 digits in 2 rows. One of them is uncertain, shown in amber." in texts(app)
    assert [tile["caption"] for tile in grids[-1]["tiles"]] == [
        ("0", "99.0%"),
        ("1", "98.0%"),
        ("2", "60.0%"),
        ("3", "97.0%"),
        ("4", "96.0%"),
    ]
    assert [tile["marked"] for tile in grids[-1]["tiles"]] == [False, False, True, False, False]
    # The one of which it is least sure is shown at first, another one when it is chosen.
    assert answers[-1]["title"] == "Digit 3 of 5, the least certain"
    assert answers[-1]["kind"] == "unsure"
    assert answers[-1]["headline"] == "It reads 2, with 60.0% confidence."
    app.session_state["photo_digit"] = 1
    app.run()
    assert answers[-1]["title"] == "Digit 2 of 5"
    assert answers[-1]["headline"] == "It reads 1, with 98.0% confidence."


def test_what_is_like_no_digit_is_in_doubt_however_sure(
    answers: list[dict[str, Any]],
    grids: list[dict[str, Any]],
    confidences: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A letter, for example."""
    asked: list[list[int]] = []

    def resemble(images: Images, readings: list[int]) -> np.ndarray:
        assert images.shape == (5, 28, 28)
        asked.append(readings)
        return np.array([True, False, True, False, True])

    monkeypatch.setattr(inference, "resemble", resemble)
    app = open_photo(stems(3, 2, width=16))  # answers to pictures of other tests are remembered
    assert asked == [[0, 1, 2, 3, 4]]
    assert rows_read(app) == ["0 :orange[1] 2", ":orange[3] 4"]
    assert "5 digits in 2 rows. 2 of them are uncertain, shown in amber." in texts(app)
    assert [tile["marked"] for tile in grids[-1]["tiles"]] == [False, True, False, True, False]
    app.session_state["photo_digit"] = 1
    app.run()
    assert answers[-1]["kind"] == "unsure"
    assert answers[-1]["sentence"] == "But no 1 that it learned from looks like this. Perhaps it is not a digit."


def test_another_photo_forgets_which_digit_was_chosen(
    answers: list[dict[str, Any]], grids: list[dict[str, Any]], confidences: list[float]
) -> None:
    app = open_photo(stems(4))
    app.session_state["photo_digit"] = 3
    app.run()
    assert answers[-1]["title"] == "Digit 4 of 4"
    app.file_uploader[0].set_value(("other.png", stems(2), "image/png"))
    app.run()
    assert not app.exception
    assert str(answers[-1]["title"]).endswith("of 2")
    assert "photo_digit" not in app.session_state


@pytest.mark.parametrize(("paper", "pen", "kind"), [(255, 0, "darker"), (20, 240, "lighter")])
def test_it_says_what_counts_as_ink(confidences: list[float], paper: int, pen: int, kind: str) -> None:
    app = open_photo(stems(3, paper=paper, pen=pen))
    assert f"The strokes in this photo are {kind} than the paper." in texts(app)
    (slider,) = app.slider
    assert slider.label == f"Ink is {kind} than paper by at least"
    assert slider.disabled


def test_the_threshold_can_be_set_by_hand(confidences: list[float]) -> None:
    """Three dark lines and two faint ones: these count, or not."""
    picture = Image.open(io.BytesIO(stems(3)))
    for left in (360, 450):
        ImageDraw.Draw(picture).line([(left, 60), (left, 150)], fill=215, width=10)
    app = open_photo(png(picture))
    found: Any = app.slider[0].value
    assert 16 < found < 90
    assert texts(app).count("3 digits.") == 1
    app.toggle[0].set_value(False).run()
    assert not app.slider[0].disabled
    assert app.slider[0].value == found
    app.slider[0].set_value(10).run()
    assert "5 digits." in texts(app)
    app.slider[0].set_value(95).run()
    assert not app.exception
    app.toggle[0].set_value(True).run()
    assert app.slider[0].value == found
    assert "3 digits." in texts(app)


def test_digits_are_looked_for_once_for_each_threshold(
    monkeypatch: pytest.MonkeyPatch, confidences: list[float]
) -> None:
    asked = []

    def rows_of_digits(ink: Ink) -> list[list[finding_digits.Digit]]:
        asked.append(ink)
        return found(ink)

    found = finding_digits.rows_of_digits
    monkeypatch.setattr(finding_digits, "rows_of_digits", rows_of_digits)
    app = open_photo(stems(4, width=12))
    app.session_state["photo_digit"] = 1
    app.run()
    assert len(asked) == 1
    app.toggle[0].set_value(False).run()
    app.slider[0].set_value(40).run()
    app.slider[0].set_value(30).run()
    before = len(asked)
    app.slider[0].set_value(40).run()
    assert not app.exception
    assert len(asked) == before > 2
    open_photo(stems(3, width=12))
    assert len(asked) == before + 1


def test_blank_paper_has_no_digit(confidences: list[float]) -> None:
    app = open_photo(png(Image.new("L", (300, 200), 230)))
    assert "No digit was found." in texts(app)
    assert "Nothing stands out from the paper as strokes do." in texts(app)
    assert not rows_read(app)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"no picture at all", "This is not a picture that can be read, or it is damaged"),
        (stems(3)[:400], "This is not a picture that can be read, or it is damaged"),
        (png(Image.new("1", (5_001, 5_000))), "The picture has 5,001 × 5,000 pixels"),
        (stems(1) + bytes(5_000_000), "The file has more than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(content: bytes, words: str) -> None:
    app = open_photo(content)
    (error,) = app.error
    assert error.value.startswith(words)
    assert error.value.count(".") == 1
    assert not app.slider


def test_a_network_that_cannot_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path, images: Images) -> Probabilities:
        raise InferenceError("The network of x cannot be loaded; its file is damaged.")

    monkeypatch.setattr(inference, "predict", refuse)
    app = open_photo(stems(2, width=14))
    assert [error.value for error in app.error] == ["The network of x cannot be loaded; its file is damaged."]
    assert not rows_read(app)
    assert app.slider  # what counts as ink is shown all the same


def test_without_networks_the_photo_is_still_looked_at(nothing_ships: None) -> None:
    app = open_photo(stems(2))
    assert "There is no trained network yet" in texts(app)
    assert not rows_read(app)
    assert app.slider


@pytest.mark.public(id="no-costly-photos")
def test_photos_of_many_visitors_are_unpacked_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one takes some hundred megabytes for a moment: of a whole class, they would fill the machine."""
    at_work, together, lock = 0, [], threading.Lock()

    def read_picture(content: bytes) -> np.ndarray:
        nonlocal at_work
        with lock:
            at_work += 1
            together.append(at_work)
        time.sleep(0.05)
        with lock:
            at_work -= 1
        return np.full((40, 40, 3), len(content), np.uint8)

    monkeypatch.setattr(picture_files, "read_picture", read_picture)
    with ThreadPoolExecutor(6) as visitors:
        looked_at = list(visitors.map(photo_view._looked_at, [bytes(length) for length in range(1, 7)]))
    assert together == [1] * 6
    assert [picture[0, 0, 0] for picture, _, _ in looked_at] == [1, 2, 3, 4, 5, 6]  # each one their own
