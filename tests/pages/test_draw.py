"""The canvas view of Draw: what is said of drawings, of hostile canvases, and of networks that cannot answer."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from mnist_core import runs
from mnist_core.common.arrays import Images, Probabilities
from mnist_core.common.server import class_sets_dir, runs_dir
from mnist_core.drawing.class_sets import contents, sets
from mnist_core.drawing.preparation import crop
from mnist_core.drawing.strokes import CANVAS_SIDE, Drawing
from mnist_core.drawing.verdict import Verdict, VerdictKind
from mnist_core.processes import inference
from mnist_core.processes.inference_worker import InferenceError, Reading
from tests.support.opening import open_page, texts

# The canvas registers its files with a running server, which there is none of here; the browser tests use the real one.
with patch("streamlit.components.v2.component", lambda *_, **__: lambda **_: {}):
    import streamlit_drawable_canvas

    from ui.components import answer_bars, canvas
    from ui.draw import networks

STEM = Drawing((np.array([[168, 60], [168, 170], [168, 280]], np.float32),), (26.0,))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What is told to the browser about readings: the last one last."""
    told: list[dict[str, object]] = []
    monkeypatch.setattr(
        answer_bars, "_component", lambda **options: told.append({**options["data"], "key": options["key"]})
    )
    return told


def draw(monkeypatch: pytest.MonkeyPatch, drawing: Drawing) -> None:
    monkeypatch.setattr(canvas, "show", lambda: drawing)


def read_as(digit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every network be certain of a digit, without TensorFlow."""

    def predict(file: Path, images: Images) -> Probabilities:
        return np.repeat(np.eye(10, dtype=np.float32)[[digit]], len(images), axis=0)

    monkeypatch.setattr(inference, "predict", predict)
    judged_as(Verdict("clear", "A clear digit."), np.eye(10, dtype=np.float32)[digit], monkeypatch)


def judged_as(verdict: Verdict, probabilities: Probabilities, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every drawing be read with these probabilities, (10,), and this verdict."""
    monkeypatch.setattr(inference, "read", lambda *_: Reading(probabilities, verdict))


@pytest.mark.parametrize("payload", [None, {}, [], "x", {"data": 1}, {"raw": []}, {"raw": {"objects": [{"path": 5}]}}])
def test_a_hostile_canvas_is_an_empty_one(
    payload: object, monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, object]]
) -> None:
    monkeypatch.setattr(streamlit_drawable_canvas, "out", lambda **_: {"drawing": payload})
    app = open_page("draw")
    assert not app.error
    assert answers[-1]["headline"] == "Draw a digit from 0 to 9."


def test_an_empty_canvas_is_not_guessed_at(monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, object]]) -> None:
    draw(monkeypatch, Drawing())
    open_page("draw")
    assert [(told["kind"], told["digit"], told["shares"]) for told in answers] == [("blank", "?", [])]


def test_a_drawing_is_read(monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, object]]) -> None:
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    app = open_page("draw")
    told = next(each for each in answers if each["key"] == "reading")
    assert (told["kind"], told["digit"]) == ("clear", "1")
    assert told["shares"] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert "What did you mean?" in texts(app)


@pytest.mark.parametrize(
    ("kind", "digit", "headline", "note"),
    [
        ("clear", "1", "It reads 1, with 60.0% confidence.", "Most probable: "),
        ("unsure", "1", "Perhaps 1.", "Most probable: "),
        ("several", "?", "More than one digit?", None),
        ("no digit", "?", "Is this a digit?", "A network has to choose one of ten digits, whatever it is shown: "),
    ],
)
def test_doubt_is_told(
    kind: VerdictKind,
    digit: str,
    headline: str,
    note: str | None,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[dict[str, object]],
) -> None:
    shares = np.array([0, 0.6, 0, 0, 0.1, 0, 0, 0.3, 0, 0], np.float32)
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    judged_as(Verdict(kind, "A reason."), shares, monkeypatch)
    app = open_page("draw")
    told = next(each for each in answers if each["key"] == "reading")
    assert (told["kind"], told["digit"], told["headline"], told["sentence"]) == (kind, digit, headline, "A reason.")
    assert told["note"] == ("" if note is None else f"{note}1 (60.0%), 7 (30.0%), 4 (10.0%)")
    assert bool(told["shares"]) == (note is not None)
    buttons: Sequence[Any] = app.get("button_group")
    suggested = [button.value for button in buttons if button.label == "The digit that you meant"]
    assert suggested == [1 if digit == "1" else None]


@pytest.mark.fault(id="damaged-network")
def test_a_network_that_cannot_be_used_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise InferenceError("The network of x cannot be loaded; its file is damaged.")

    draw(monkeypatch, STEM)
    monkeypatch.setattr(inference, "predict", fail)
    monkeypatch.setattr(inference, "read", fail)
    assert "cannot be loaded" in open_page("draw").error[0].value


@pytest.mark.parametrize(
    ("kind", "length", "hinted"),
    [("unsure", 25, True), ("no digit", 25, True), ("clear", 25, False), ("unsure", 35, False)],
)
def test_a_very_small_drawing_that_is_doubted_could_be_larger(
    kind: VerdictKind,
    length: int,
    hinted: bool,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[dict[str, object]],
) -> None:
    """The pen adds 26 pixels to the length of a line, and a sixth of the canvas is 56."""
    draw(monkeypatch, Drawing((np.array([[168, 100], [168, 100 + length]], np.float32),), (26.0,)))
    read_as(1, monkeypatch)
    judged_as(Verdict(kind, "A reason."), np.eye(10, dtype=np.float32)[1], monkeypatch)
    open_page("draw")
    sentence = str(next(each for each in answers if each["key"] == "reading")["sentence"])
    assert sentence.startswith("A reason.")
    assert ("Draw it larger" in sentence) == hinted


def test_a_reader_is_not_asked_for_its_own_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    read, asked = inference.read, []
    monkeypatch.setattr(inference, "read", lambda *question: asked.append(question) or read(*question))
    for run in ("chollet", "garcia"):
        open_page("draw", run=run)
        model_file, opinions, ink, digit = asked[-1]
        assert model_file.parent.name == run
        shipped = {path.name for path in runs.BUNDLED_RUNS.iterdir()}
        first = [name for name in ("champion", "chollet", "fast") if name in shipped and name != run]
        assert [file.parent.name for file in opinions] == first[:2]
        np.testing.assert_array_equal(ink, crop(STEM.ink()))
        assert digit.shape == (28, 28)


def test_the_runs_are_listed_once_for_a_stroke(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    list_runs, listed = runs.list_runs, []
    monkeypatch.setattr(runs, "list_runs", lambda folder: listed.append(folder) or list_runs(folder))
    app = open_page("draw", panel="networks")
    listed.clear()
    app.run()
    assert listed == [runs_dir()]


@pytest.mark.parametrize(
    ("strokes", "points", "told"), [(100, 2, False), (101, 2, True), (1, 5000, False), (1, 5001, True), (2, 2501, True)]
)
def test_what_is_not_read_is_told(strokes: int, points: int, told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    path = [["M", 100, 100], *[["L", 200, 20 + place % 300] for place in range(points - 1)]]
    drawn = {"raw": {"objects": [{"path": path, "strokeWidth": 20}] * strokes}}
    monkeypatch.setattr(streamlit_drawable_canvas, "out", lambda **_: {"drawing": drawn})
    read_as(1, monkeypatch)
    warnings = [warning.value for warning in open_page("draw").warning]
    assert [text for text in warnings if "at most 100 strokes with 5,000 points" in text] == warnings
    assert len(warnings) == told


def test_up_to_four_networks_answer_side_by_side(
    monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, object]]
) -> None:
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    app = open_page("draw", panel="networks", run="chollet", beside="garcia,fast,nothing,garcia")
    assert [told["title"] for told in answers if told["small"]] == ["chollet", "garcia", "fast"]
    assert "All 3 predict 1" in texts(app)


def test_seeds_of_the_same_settings_count_one_by_one(
    monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, object]], own_folders: Path
) -> None:
    for seed in (2, 3):
        path = own_folders / f"2026010{seed}-000000000-fast"
        shutil.copytree(runs.BUNDLED_RUNS / "fast", path)
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps({**config, "seed": seed}))
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    app = open_page("draw", panel="networks", run="fast", beside="20260102-000000000-fast,20260103-000000000-fast")
    assert [told["title"] for told in answers if told["small"]] == ["fast, seed 1", "fast, seed 2", "fast, seed 3"]
    assert "All 3 predict 1" in texts(app)


def test_disagreement_is_put_into_words() -> None:
    words = networks.agreement_in_words({"a": 1, "b": 7, "c": 1})
    assert re.sub(r"[*]", "", words) == "They disagree: a and c predict 1; b predicts 7."


@pytest.mark.fault(id="damaged-network")
def test_one_network_that_fails_does_not_silence_the_others(
    monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, object]]
) -> None:
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    predict = inference.predict

    def fail_sometimes(file: Path, images: Images) -> Probabilities:
        if file.parent.name == "fast":
            raise InferenceError("The network of fast is missing.")
        return predict(file, images)

    monkeypatch.setattr(inference, "predict", fail_sometimes)
    app = open_page("draw", panel="networks", run="chollet", beside="fast,garcia")
    assert [told["title"] for told in answers if told["small"]] == ["chollet", "garcia"]
    assert [error.value for error in app.error] == ["The network of fast is missing."]


def test_the_canvas_of_the_tests_is_that_of_the_page() -> None:
    assert STEM.ink().shape == (CANVAS_SIDE, CANVAS_SIDE)


def test_another_name_leads_to_another_set_also_from_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    alpha = sets.open_set(class_sets_dir(), "Alpha")
    app = open_page("draw", set=alpha.id)
    assert app.text_input[0].value == "Alpha"
    app.text_input[0].set_value("Gamma").run()
    assert app.text_input[0].value == "Gamma"
    next(button for button in app.button if button.label == "Keep this 1").click().run()
    assert not app.exception
    kept = {each.title: contents.count(each) for each in sets.list_sets(class_sets_dir())}
    assert kept == {"Alpha": 0, "Gamma": 1}


def test_sliders_that_come_back_stand_where_they_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, STEM)
    read_as(1, monkeypatch)
    app = open_page("draw")
    before = {slider.label: slider.value for slider in app.slider}
    monkeypatch.setattr(canvas, "show", Drawing)
    app.run()
    assert not app.slider
    draw(monkeypatch, STEM)
    app.run()
    assert {slider.label: slider.value for slider in app.slider} == before
