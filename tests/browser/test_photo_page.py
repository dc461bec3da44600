"""Photos in a real browser: chosen as files, turned, too large, and looked at on a phone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mnist_core.data.dataset import Mnist
from tests.support.photographed import Scene, photo

pytestmark = pytest.mark.no_charts

LABELS = "7210414"  # of the first test digits


@pytest.fixture
def photo_of_seven(mnist: Mnist, tmp_path: Path) -> Path:
    """A photo of a row of seven, in uneven light, by a camera that was held upright."""
    assert "".join(map(str, mnist.y_test[:7])) == LABELS
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo([mnist.x_test[:7]], Scene(darker=0.4, shadow=0.3, degrees=-3, orientation=6)))
    return file


def open_photo(page: Page, url: str, file: Path) -> None:
    page.goto(f"{url}/draw?view=photo&run=chollet")
    expect(page.get_by_text("Take or choose a photo")).to_be_visible()
    page.locator("input[type=file]").set_input_files(file)


def test_a_row_of_digits_is_read_from_a_photo(page: Page, server, photo_of_seven: Path) -> None:
    open_photo(page, server.url, photo_of_seven)
    expect(page.get_by_role("heading", name=" ".join(LABELS))).to_be_visible()
    expect(page.get_by_text(re.compile("^7 digits"))).to_be_visible()
    shown = page.get_by_role("img", name="The photo with a box around each digit")
    expect(shown).to_be_visible()
    size = shown.evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
    assert size[0] > size[1]  # upright again, and wide
    tiles = page.locator(".digit-grid button")
    expect(tiles).to_have_count(7)
    for tile, label in zip(tiles.all(), LABELS, strict=True):
        expect(tile.locator(".digit-caption").first).to_have_text(label)
    tiles.nth(4).click()
    expect(page.get_by_text("Digit 5 of 7")).to_be_visible()
    expect(page.locator(".answer .digit")).to_have_text(LABELS[4])


def test_the_threshold_decides_what_is_read(page: Page, server, mnist: Mnist, tmp_path: Path) -> None:
    file = tmp_path / "pencil.jpg"
    file.write_bytes(photo([mnist.x_test[:3]], Scene(pen=0.5)))
    open_photo(page, server.url, file)
    heading = page.get_by_role("heading", name="7 2 1")
    expect(heading).to_be_visible()
    page.get_by_text("Find the threshold automatically").click()
    slider = page.get_by_role("slider")
    expect(slider).to_be_enabled()
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_text("No digit was found")).to_be_visible()
    page.get_by_text("Find the threshold automatically").click()
    expect(heading).to_be_visible()


def test_after_a_sentence_about_a_bad_file_a_photo_is_read(
    page: Page, server, photo_of_seven: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photo_of_seven.read_bytes()[:5000])
    open_photo(page, server.url, broken)
    expect(page.get_by_text("This is not a picture that can be read, or it is damaged")).to_be_visible()
    page.locator("input[type=file]").set_input_files(photo_of_seven)
    expect(page.get_by_role("heading", name=" ".join(LABELS))).to_be_visible()


def test_a_photo_of_nearly_five_megabytes_is_taken(page: Page, server, photo_of_seven: Path) -> None:
    """As phones make them."""
    photo_of_seven.write_bytes(photo_of_seven.read_bytes() + bytes(4_700_000))
    open_photo(page, server.url, photo_of_seven)
    expect(page.get_by_role("heading", name=" ".join(LABELS))).to_be_visible()


def test_on_a_phone_nothing_sticks_out(page: Page, server, photo_of_seven: Path) -> None:
    page.set_viewport_size({"width": 400, "height": 860})
    open_photo(page, server.url, photo_of_seven)
    expect(page.get_by_role("heading", name=" ".join(LABELS))).to_be_visible()
    expect(page.get_by_text("What counts as ink")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for picture in page.locator("[data-testid=stImage] img").all():
        box = picture.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400
