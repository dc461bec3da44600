"""What a network looked at, as Streamlit's own test runner sees it: words, pictures, and the digit asked about."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from mnist_core import runs
from mnist_core.common.arrays import Images
from mnist_core.networks.insight.occlusion import Occlusion
from mnist_core.networks.insight.results import GradCam, Insight, LayerView, scaled
from mnist_core.networks.layers import OUTPUT, Conv, Dense, Pool
from mnist_core.processes import inference
from mnist_core.processes.inference_worker import InferenceError
from tests.support.opening import texts
from ui.components import picture_sections

SCRIPT = """
from ui.insight import panel
from ui.session import cached_reads, state
state.catch_up()
run = next(run for run in cached_reads.bundled_runs() if run.id == {run!r})
panel.show(run, cached_reads.mnist().x_test[{index}], "here", {labelled})
"""


def answer(**shares: float) -> np.ndarray:
    """Ten probabilities: those named, as in `d3=0.9`, and an even rest."""
    named = {int(name[1:]): share for name, share in shares.items()}
    rest = (1 - sum(named.values())) / (10 - len(named))
    return np.array([named.get(digit, rest) for digit in range(10)], np.float32)


def occlusion(answers: dict[int, np.ndarray], otherwise: np.ndarray) -> Occlusion:
    effects = np.zeros((10, 28, 28), np.float32)
    effects[:, 10:14, 6:10] = 3
    places = np.tile([10, 6], (10, 1))
    return Occlusion(effects, places, np.stack([answers.get(digit, otherwise) for digit in range(10)]))


def an_insight() -> Insight:
    """A 3, read with 90%, in which no single place of blank paper decides."""
    before = answer(d3=0.9, d5=0.05)
    rng = np.random.default_rng(0)

    def maps(*shape: int) -> Any:
        return scaled(rng.random(shape, np.float32))

    return Insight(
        probabilities=before,
        erased=occlusion({3: answer(d3=0.2, d5=0.7), 5: answer(d3=0.4, d5=0.5), 8: before}, answer(d3=0.6, d0=0.2)),
        inked=occlusion({3: answer(d3=0.898, d5=0.05), 5: answer(d3=0.8, d5=0.1)}, before),
        grad_cam=GradCam(np.stack([np.full((28, 28), digit, np.float32) for digit in range(10)]), 11),
        weights=scaled(rng.normal(size=(32, 3, 3)).astype(np.float32)),
        layers=(
            LayerView(Conv(32, 3), (28, 28, 1), maps(32, 26, 26), 3),
            LayerView(Pool("max", 2, 2), (26, 26, 32), maps(32, 13, 13), 4),
            LayerView(Conv(100, 3), (13, 13, 32), maps(64, 11, 11), 8),
            LayerView(Dense(64), (11, 11, 100), maps(64, 1, 1), None),
            LayerView(OUTPUT, (64,), scaled(before[:, None, None]), None),
        ),
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, nothing_cached: None) -> list[Path]:
    """The model files that were looked into."""
    files: list[Path] = []

    def look_inside(model_file: Path, image: Images) -> Insight:
        files.append(model_file)
        return an_insight()

    monkeypatch.setattr(inference, "look_inside", look_inside)
    return files


@pytest.fixture
def sections(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """The sections of pictures that the page shows, by the key of their component."""
    shown: dict[str, list[dict[str, Any]]] = {}
    original = picture_sections._component

    def spy(**arguments: Any) -> Any:
        shown[arguments["key"]] = arguments["data"]["sections"]
        return original(**arguments)

    monkeypatch.setattr(picture_sections, "_component", spy)
    return shown


def open_panel(run: str = "chollet", index: int = 18, labelled: int | None = None, **query: str) -> AppTest:
    script = SCRIPT.format(run=run, index=index, labelled=labelled)
    app = AppTest.from_string(script, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def words(section: dict[str, Any]) -> str:
    tiles = [" ".join([tile["title"], *tile["lines"]]) for tile in section["tiles"]]
    return "\n".join([section["title"], section["aside"], section["note"], *tiles])


def picture(sheet: dict[str, Any]) -> np.ndarray:
    content = base64.b64decode(sheet["sprite"].removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_the_digit_that_is_read_is_asked_about_first(asked: list[Path], sections: dict) -> None:
    app = open_panel()
    assert asked == [runs.BUNDLED_RUNS / "chollet" / "model.keras"]
    assert app.button_group[0].value == "3"
    assert "The network reads **3** (90.0%)." in texts(app)
    (evidence,) = sections["here-evidence"]
    said = words(evidence)
    assert "Without the ink in the frame, 3 falls from 90.0% to 20.0%, and it reads 5." in said
    assert "No single place decides: with ink all over the frame, 3 still has 89.8%." in said
    assert "from 11 × 11 values" in said
    assert [tile["title"] for tile in evidence["tiles"]] == ["Erase ink", "Add ink", "Grad-CAM"]
    assert evidence["tiles"][0]["frame"] == (6 / 28, 10 / 28, 4 / 28)
    assert evidence["tiles"][2]["frame"] is None
    assert picture(evidence["sheets"][0]).shape == (28, 3 * 28, 3)


def test_another_digit_can_be_asked_about_and_is_in_the_link(asked: list[Path], sections: dict) -> None:
    app = open_panel(index=18)
    app.button_group[0].set_value("5").run()
    assert app.query_params["asked"] == "5"
    assert "It gives **5** a probability of 5.0%." in texts(app)
    said = words(sections["here-evidence"][0])
    assert "Without the ink in the frame, 5 rises from 5.0% to 50.0%, and it reads 5." in said
    assert "With ink all over the frame, 5 goes from 5.0% to 10.0%; it still reads 3." in said
    assert "Teal ink counts for 5" in said
    app.button_group[0].set_value("3").run()
    assert "asked" not in app.query_params
    assert len(asked) == 1, "the answer for all digits was kept"


def test_a_link_opens_its_digit_and_other_text_is_ignored(asked: list[Path], sections: dict) -> None:
    app = open_panel(asked="8", index=18)
    assert app.button_group[0].value == "8"
    assert "No single place decides: without the ink in the frame, 8 has only 0.6%." in words(
        sections["here-evidence"][0]
    )
    for wrong in ("12", "x", "", "<b>", "3 "):
        assert open_panel(asked=wrong).button_group[0].value == "3"


def test_asking_keeps_the_rest_of_the_link(asked: list[Path]) -> None:
    app = open_panel(view="mistakes", page="2")
    app.query_params["index"] = "18"
    app.run()
    app.button_group[0].set_value("5").run()
    assert {name: app.query_params[name] for name in ("view", "page", "index", "asked")} == {
        "view": "mistakes",
        "page": "2",
        "index": "18",
        "asked": "5",
    }


def test_the_label_is_named_where_it_is_another_one(asked: list[Path]) -> None:
    assert "The label says **5**: look at the evidence for both." in texts(open_panel(labelled=5))
    assert "label" not in texts(open_panel(labelled=3))


def test_layers_are_told_one_by_one(asked: list[Path], sections: dict) -> None:
    app = open_panel()
    first, pool, second, dense, output = sections["here-layers"]
    assert "1. Convolution 3 × 3\nthe first 16 of 32 maps of 26 × 26 · receptive field: 3 × 3 pixels" in words(first)
    assert [len(picture(sheet)) for sheet in first["sheets"]] == [3, 26], "a filter above each map"
    assert "2. Max pooling 2 × 2\nthe first 16 of 32 maps of 13 × 13 · receptive field: 4 × 4" in words(pool)
    assert "the largest is kept" in words(pool)
    assert "the first 16 of 100 maps" in words(second)
    assert "combines all 32 maps" in words(second)
    assert "4. Dense\n64 units" in words(dense)
    assert "weighs all 12,100 values" in words(dense)
    assert [tile["lines"] for tile in output["tiles"]] == [(str(digit),) for digit in range(10)]
    greys = picture(output["sheets"][0])[0, :10, 0]
    assert greys.argmax() == 3
    assert greys[3] < 255, "white would be 100%"
    assert "5. Output, softmax" in words(output)
    assert [len(section["tiles"]) for section in (first, pool, second, dense)] == [16, 16, 16, 1]
    for section in sections["here-layers"]:
        assert section["note"].endswith(".")
        assert all(tile["label"] for tile in section["tiles"])
    app.toggle[0].set_value(True).run()
    assert [len(section["tiles"]) for section in sections["here-layers"][:3]] == [32, 32, 64]
    assert "the first 64 of 100 maps" in words(sections["here-layers"][2])


def test_without_convolutions_windows_and_weights_are_shown(
    monkeypatch: pytest.MonkeyPatch, asked: list[Path], sections: dict
) -> None:
    before = answer(d3=0.9)
    flat = occlusion({}, before)
    weights = scaled(np.random.default_rng(0).normal(size=(10, 28, 28)).astype(np.float32))
    layers = (LayerView(OUTPUT, (28, 28, 1), scaled(before[:, None, None]), None),)
    insight = Insight(before, flat, flat, None, weights, layers)
    monkeypatch.setattr(inference, "look_inside", lambda file, image: insight)
    app = open_panel()
    assert [tile["title"] for tile in sections["here-evidence"][0]["tiles"]] == ["Erase ink", "Add ink"]
    (output,) = sections["here-layers"]
    assert "weigh all 784 values" in words(output)
    assert [picture(sheet).shape[0] for sheet in output["sheets"]] == [28, 1]
    assert not app.toggle, "there is nothing more to show"


def test_layers_left_out_are_named(asked: list[Path]) -> None:
    assert "Dropout does nothing" in texts(open_panel("chollet"))
    assert "Dropout" not in texts(open_panel("keras-steps"))


def test_what_went_wrong_is_said_and_not_kept(asked: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(model_file: Path, image: Images) -> Insight:
        raise InferenceError("The network of x cannot be loaded; its file is damaged.")

    with monkeypatch.context() as patch:
        patch.setattr(inference, "look_inside", fail)
        app = open_panel()
        assert [error.value for error in app.error] == ["The network of x cannot be loaded; its file is damaged."]
        assert not app.button_group
    assert "The network reads **3**" in texts(open_panel())
