"""The set at a glance as Streamlit's own test runner sees it, and the picture of all test digits."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from mnist_core.data import digit_map
from mnist_core.data.dataset import Mnist
from tests.support.opening import open_page, texts
from ui.components import live_chart
from ui.components.live_chart import digit_sheet


@pytest.fixture(autouse=True)
def own_static_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_cached: None) -> None:
    """A folder of its own to publish pictures to."""
    (tmp_path / "static").mkdir()
    monkeypatch.setattr(live_chart, "_STATIC_FOLDER", tmp_path / "static")


def open_view(**query: str) -> AppTest:
    return open_page("explore", view="glance", **query)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_numbers_in_the_text_are_those_of_the_images(mnist: Mnist, split: str) -> None:
    said = texts(open_view(split=split))
    images, labels = (mnist.x_train, mnist.y_train) if split == "train" else (mnist.x_test, mnist.y_test)
    pixels = images.size
    assert f"{np.count_nonzero(images == 0) / pixels:.1%} of the pixels are blank paper" in said
    assert f"{np.count_nonzero(images >= 240) / pixels:.1%} nearly full ink" in said
    inks = [[image.mean(dtype=float) / 2.55 for image in images[labels == digit]] for digit in (0, 1)]
    assert f"highest for 0 ({np.median(inks[0]):.1f}%) and lowest for 1 ({np.median(inks[1]):.1f}%)" in said
    assert "**70,000 digits**: 60,000 for training, 10,000 for testing. No image occurs twice" in said
    assert "1 is the most frequent (6,742 images) and 5 the rarest (5,421)" in said


def test_each_map_says_what_it_is() -> None:
    assert "neighbours (t-SNE)" in texts(open_view())
    assert "they hold 18% of the variance" in texts(open_view(map="pca", color="answer", run="nehlr"))


def test_without_networks_the_map_is_coloured_by_digit(nothing_ships: None) -> None:
    app = open_view(color="answer")
    assert "There is no trained network yet" in texts(app)
    assert "Each dot is a test image" in texts(app)
    assert "blank paper" in texts(app)


def test_a_damaged_map_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digit_map.load_digit_map, "__defaults__", (tmp_path / "test_map.npz",))
    app = open_view()
    assert "test_map.npz, is missing or damaged" in app.error[0].value
    assert "blank paper" in texts(app)


def test_the_sheet_holds_each_digit_at_its_place(mnist: Mnist, tmp_path: Path) -> None:
    sheet = digit_sheet("some-digits", mnist.x_test[:250], mnist.y_test[:250])
    assert sheet is not None
    assert re.fullmatch(r"app/static/some-digits-[0-9a-f]{8}\.png", sheet.address)
    assert sheet.labels == "".join(str(label) for label in mnist.y_test[:250])
    picture = np.asarray(Image.open(tmp_path / "static" / Path(sheet.address).name))
    row, column = divmod(237, sheet.columns)
    np.testing.assert_array_equal(
        picture[28 * row : 28 * (row + 1), 28 * column : 28 * (column + 1)], mnist.x_test[237]
    )
    others = digit_sheet("some-digits", mnist.x_test[1:251], mnist.y_test[1:251])
    assert others is not None
    assert others.address != sheet.address  # a browser that has kept the one must not show it for the other


def test_a_server_that_cannot_write_has_no_sheet(mnist: Mnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_chart, "_STATIC_FOLDER", tmp_path / "gone")
    assert digit_sheet("some-digits", mnist.x_test[:5], mnist.y_test[:5]) is None
    app = open_view()
    assert not app.error
