"""Two people keep drawings in one class set at the same time; it is scored, taken away, deleted and brought back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from mnist_core import runs
from mnist_core.common.server import HANDWRITING_DIR_VARIABLE
from mnist_core.drawing.class_sets import archive, contents, sets, trash
from tests.support.serving import Server, start_server, stop_server
from tests.support.steps import DIGITS, draw, open_canvas

pytestmark = pytest.mark.no_charts


def draw_digit(page: Page, digit: int) -> None:
    for stroke in DIGITS[digit]:
        draw(page, stroke)


def keep(page: Page, digit: int) -> None:
    page.locator(".st-key-meant").get_by_role("radio", name=str(digit), exact=True).click()
    page.get_by_role("button", name=f"Keep this {digit}").click()


def test_a_class_set_from_the_first_drawing_to_its_return(page: Page, browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "handwriting"
    environment: dict[str, Any] = {HANDWRITING_DIR_VARIABLE: str(folder)}
    server = start_server(tmp_path, **environment)
    try:
        open_canvas(page, server.url)
        draw_digit(page, 7)
        name = page.get_by_role("textbox", name="Class set")
        expect(page.get_by_role("button", name=re.compile("^Keep "))).to_be_visible()
        assert not folder.exists()  # nothing is kept before somebody says so
        name.fill("Class 4b")
        name.press("Enter")
        keep(page, 7)
        expect(page.get_by_text("Kept as number 1 of Class 4b, labelled 7.")).to_be_visible()
        (class_set,) = sets.list_sets(folder)
        expect(page).to_have_url(re.compile(f"set={class_set.id}"))

        # Another pupil opens the link; both keep at the same moment.
        other = browser.new_context(viewport={"width": 400, "height": 860}).new_page()
        other.goto(f"{server.url}/draw?set={class_set.id}")
        expect(other.locator("canvas.upper-canvas")).to_be_visible()
        draw_digit(other, 1)
        expect(other.get_by_role("textbox", name="Class set")).to_have_value("Class 4b")
        other.locator(".st-key-meant").get_by_role("radio", name="1", exact=True).click()
        ready = other.get_by_role("button", name="Keep this 1")
        expect(ready).to_be_enabled()
        assert other.evaluate("document.documentElement.scrollWidth") == 400
        draw(page, [(0.1, 0.9), (0.2, 0.9)])  # the 7 gets a blot: another drawing
        page.locator(".st-key-meant").get_by_role("radio", name="7", exact=True).click()
        mine = page.get_by_role("button", name="Keep this 7")
        expect(mine).to_be_enabled()
        mine.click(no_wait_after=True)
        ready.click(no_wait_after=True)
        expect(page.get_by_text(re.compile("Kept as number [23] of Class 4b, labelled 7."))).to_be_visible()
        expect(other.get_by_text(re.compile("Kept as number [23] of Class 4b, labelled 1."))).to_be_visible()
        found = contents.read_contents(class_set)
        assert sorted(found.labels.tolist()) == [1, 7, 7]
        assert found.problems == {}
        assert [len(each.drawn.strokes) for each in found.drawings if each.label == 1] == [len(DIGITS[1])]
        assert other.get_by_test_id("stException").count() == 0
        other.context.close()

        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_text("Kept as number")).to_have_count(0)
        assert sorted(contents.read_contents(class_set).labels.tolist()) == [1, 7]

        # Explore shows the set, and takes it away as a file.
        page.goto(f"{server.url}/explore?view=handwriting&set={class_set.id}")
        tiles = page.locator(".digit-grid button")
        expect(tiles).to_have_count(2)
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export").click()
        exported = Path(download.value.path()).read_bytes()
        assert download.value.suggested_filename == "class-4b.jsonl"
        about, *lines = map(json.loads, exported.splitlines())
        assert (about["title"], sorted(line["label"] for line in lines)) == ("Class 4b", [1, 7])
        assert len(archive.read_file(exported).drawings) == 2

        tiles.first.click()
        expect(page.get_by_text(re.compile("Number 2, meant as"))).to_be_visible()
        networks = len(list(runs.BUNDLED_RUNS.iterdir()))
        expect(page.get_by_text(re.compile(f"of {networks} networks predict what was meant"))).to_be_visible()
        expect(page.get_by_alt_text("The strokes of the pen")).to_be_visible()
        page.get_by_role("button", name="Delete it").click()
        expect(tiles).to_have_count(1)
        page.get_by_role("button", name="Undo").click()
        expect(tiles).to_have_count(2)

        # The set is deleted; its file brings it back.
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete the set").click()
        expect(page.get_by_text("There is no class set yet.")).to_be_visible()
        assert sets.list_sets(folder) == []
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        page.get_by_role("button", name="Import").click()
        page.locator("input[type=file]").set_input_files(
            {"name": "class-4b.jsonl", "mimeType": "application/jsonl", "buffer": exported}
        )
        expect(page.get_by_text("2 drawings added to Class 4b.")).to_be_visible()
        page.keyboard.press("Escape")
        expect(tiles).to_have_count(2)
        assert sorted(contents.read_contents(class_set).labels.tolist()) == [1, 7]
    finally:
        stop_server(server)


def test_a_set_is_deleted_by_a_second_click_only_and_comes_back(page: Page, server: Server) -> None:
    folder = server.runs_dir.parent / "handwriting"
    class_set = sets.open_set(folder, "Class 5a")
    page.set_viewport_size({"width": 400, "height": 860})
    page.goto(f"{server.url}/explore?view=handwriting&set={class_set.id}")
    opener = page.get_by_role("button", name="Delete", exact=True)
    question, confirm = page.get_by_text("Delete Class 5a with 0 drawings?"), page.get_by_text("Delete the set")
    opener.click()
    expect(question).to_be_visible()
    box = page.get_by_test_id("stPopoverBody").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert class_set.path.is_dir()
    opener.click()
    confirm.click()
    expect(page.get_by_text("Class 5a deleted.")).to_be_visible()
    expect(question).to_be_hidden()
    assert not class_set.path.exists()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("This set has no drawings yet.")).to_be_visible()
    expect(question).to_be_hidden()  # the question is not asked again by itself
    assert class_set.path.is_dir()
    trash.delete_set(class_set)  # for the tests that follow
