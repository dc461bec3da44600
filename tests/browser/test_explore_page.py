"""Explore in a real browser: from a list to an image and back, and from a figure to the images behind it."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from mnist_core import runs
from mnist_core.runs import epoch_predictions
from mnist_core.runs.results import read_predictions
from tests.support.steps import press_shortcut

CHOLLET = runs.BUNDLED_RUNS / "chollet"


def tiles(page: Page) -> Locator:
    return page.locator(".digit-grid button")


def indices(page: Page) -> list[int]:
    return page.evaluate("""() => [...document.querySelectorAll('[class*="st-key-grid-"] *')]
        .flatMap((node) => [...(node.shadowRoot ?? node).querySelectorAll('.digit-grid button')])
        .map((button) => Number(button.dataset.index))""")


@pytest.mark.no_charts
def test_the_gallery_by_split_class_order_and_page(page: Page, server, mnist) -> None:
    page.goto(f"{server.url}/explore")
    expect(page.get_by_text("Test images: 1–100 of 10,000")).to_be_visible()
    expect(tiles(page)).to_have_count(100)
    expect(tiles(page).first).to_have_attribute("aria-label", f"Test image 0, labelled {mnist.y_test[0]}")

    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Test images: 101–200 of 10,000")).to_be_visible()
    expect(tiles(page).first).to_have_attribute("aria-label", f"Test image 100, labelled {mnist.y_test[100]}")
    press_shortcut(page, "ArrowRight")
    expect(page.get_by_text("Test images: 201–300 of 10,000")).to_be_visible()

    page.get_by_role("radio", name="60,000 training images").click()
    expect(page).to_have_url(re.compile("split=train"))
    expect(page.get_by_text("Training images: 1–100 of 60,000")).to_be_visible()
    page.get_by_role("radio", name="8", exact=True).click()
    eights = np.flatnonzero(mnist.y_train == 8)
    expect(page.get_by_text(f"Training images labelled 8: 1–100 of {len(eights):,}")).to_be_visible()
    expect(tiles(page).nth(5)).to_have_attribute("data-index", str(eights[5]))
    expect(page).to_have_url(re.compile(r"split=train.*digit=8"))
    page.go_back()
    expect(page.get_by_text("Training images: 1–100 of 60,000")).to_be_visible()
    expect(page.get_by_role("radio", name="All", exact=True)).to_be_checked()

    tiles(page).first.focus()  # among the digits, arrows move from one to the next; one press of Tab leaves them
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    expect(tiles(page).nth(1)).to_be_focused()
    expect(page.get_by_text("Training images: 1–100 of 60,000")).to_be_visible()
    expect(page.locator(".digit-grid button[tabindex='0']")).to_have_count(1)

    page.get_by_role("radio", name="25", exact=True).click()
    expect(tiles(page)).to_have_count(25)
    field = page.get_by_role("textbox", name="Only these indices")
    field.fill("9, 3, 50000-50001")
    field.press("Enter")
    expect(page.get_by_text("Training images in your list: 4")).to_be_visible()
    expect(tiles(page)).to_have_count(4)
    assert indices(page) == [9, 3, 50_000, 50_001]
    field.fill("9, three")
    field.press("Enter")
    expect(page.get_by_text("three")).to_be_visible()
    expect(tiles(page)).to_have_count(0)


@pytest.mark.no_charts
def test_of_two_quick_clicks_none_is_lost(page: Page, server, mnist) -> None:
    page.goto(f"{server.url}/explore")
    expect(tiles(page)).to_have_count(100)
    page.get_by_role("radio", name="60,000 training images").click()
    page.get_by_role("radio", name="8", exact=True).click()
    expect(page.get_by_text(f"Training images labelled 8: 1–100 of {np.sum(mnist.y_train == 8):,}")).to_be_visible()
    expect(page).to_have_url(re.compile(r"split=train.*digit=8|digit=8.*split=train"))


@pytest.mark.no_charts
def test_from_mistakes_to_one_digit_and_on(page: Page, server, mnist, tmp_path: Path) -> None:
    probabilities = read_predictions(CHOLLET)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != mnist.y_test)
    page.goto(f"{server.url}/explore?view=mistakes&run=chollet")
    expect(page.get_by_text(f"Mistakes: {len(wrong)}", exact=True)).to_be_visible()
    expect(tiles(page)).to_have_count(len(wrong))
    listed = indices(page)
    assert sorted(listed) == wrong.tolist()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "mistakes.csv")
    with (tmp_path / "mistakes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == listed
    assert float(rows[0]["confidence"]) == round(float(probabilities[listed[0]].max()), 6)

    def is_open(place: int) -> None:
        index = listed[place]
        expect(
            page.get_by_role("heading", name=f"Test image {index:,}, labelled {mnist.y_test[index]}")
        ).to_be_visible()
        expect(page.get_by_text(f"Mistakes: place {place + 1} of {len(wrong)}", exact=True)).to_be_visible()
        expect(page).to_have_url(re.compile(rf"index={index}\b"))

    tiles(page).nth(3).click()
    is_open(3)
    every = [read_predictions(path)[listed[3]].argmax() for path in runs.BUNDLED_RUNS.iterdir()]
    right = sum(int(reading == mnist.y_test[listed[3]]) for reading in every)
    expect(page.get_by_text(re.compile(rf"^{right} of \d+ networks"))).to_be_visible()
    expect(page.get_by_text("How chollet learned it")).to_be_visible()
    expect(page.get_by_text("The nearest with another label")).to_be_visible()
    press_shortcut(page, "ArrowRight")
    is_open(4)
    page.get_by_role("button", name="Previous").click()
    is_open(3)
    page.reload()
    is_open(3)
    page.locator(".st-key-neighbours-same").locator("button").first.click()
    expect(page.get_by_role("heading", name=re.compile("^Training image"))).to_be_visible()
    page.go_back()
    is_open(3)
    press_shortcut(page, "Escape")
    expect(tiles(page)).to_have_count(len(wrong))
    assert indices(page) == listed


@pytest.mark.no_charts
def test_from_a_cell_of_the_confusion_matrix_to_its_images(page: Page, server, mnist) -> None:
    reading = read_predictions(runs.BUNDLED_RUNS / "nehlr").argmax(axis=1)
    page.goto(f"{server.url}/explore?view=confusion&run=nehlr")
    wrong = int((reading != mnist.y_test).sum())
    expect(page.get_by_test_id("stMetricValue").nth(1)).to_have_text(f"{wrong} of 10,000")
    for true in range(10):
        for read in range(10):
            count = int(((mnist.y_test == true) & (reading == read)).sum())
            cell = page.locator(f"[data-cell='{true},{read}']")
            expect(cell).to_have_text(f"{count:,}") if count else expect(cell).to_have_count(0)

    listed = np.flatnonzero((mnist.y_test == 9) & (reading == 4))
    page.locator("[data-cell='9,4']").click()
    expect(page.get_by_text(f"Test images labelled 9 and predicted as 4: {len(listed)}")).to_be_visible()
    expect(page).to_have_url(re.compile(r"run=nehlr.*digit=9.*read=4"))
    expect(tiles(page)).to_have_count(len(listed))
    assert sorted(indices(page)) == listed.tolist()
    tiles(page).first.click()
    expect(page.get_by_role("heading", name=re.compile(r"^Test image [\d,]+, labelled 9"))).to_be_visible()
    page.go_back()
    expect(page.locator("[data-cell='9,4'][aria-pressed=true]")).to_be_visible()

    page.get_by_role("button", name=re.compile("predicted as 7$")).last.click()
    column = int((reading == 7).sum())
    expect(page.get_by_text(f"Test images predicted as 7: 1–25 of {column:,}")).to_be_visible()
    page.get_by_text("Mistakes only").click()
    misread = int(((reading == 7) & (mnist.y_test != 7)).sum())
    expect(page.get_by_text(f"Mistakes predicted as 7: {misread}", exact=True)).to_be_visible()
    expect(page.locator("[data-cell='7,7']")).to_have_count(0)


def test_the_epochs_of_a_run(page: Page, server, mnist) -> None:
    history = epoch_predictions.read(CHOLLET)
    wrong = (history.readings != mnist.y_test).sum(axis=1)
    page.goto(f"{server.url}/explore?view=epochs&run=chollet&epoch=2")
    expect(page.get_by_text(re.compile(rf"^Mistakes after epoch 2: 1–25 of {wrong[1]}$"))).to_be_visible()
    page.get_by_role("slider").press("ArrowRight")
    expect(page.get_by_text(re.compile(rf"^Mistakes after epoch 3: 1–25 of {wrong[2]}$"))).to_be_visible()
    expect(page).to_have_url(re.compile("epoch=3"))
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text(re.compile(r"^Mistakes after epoch 5:"))).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page).to_have_url(re.compile(r"epoch=\d+"))
    stopped = int(re.findall(r"epoch=(\d+)", page.url)[0])
    assert stopped >= 5
    expect(
        page.get_by_text(re.compile(rf"^Mistakes after epoch {stopped}: 1–25 of {wrong[stopped - 1]}$"))
    ).to_be_visible()


def test_nonsense_in_the_url_does_no_harm(page: Page, server) -> None:
    page.goto(f"{server.url}/explore?view=zzz&digit=77&page=-5&split=<b>&run=../../etc&order=x&size=7&shuffle=-1")
    expect(page.get_by_text("Test images: 1–100 of 10,000")).to_be_visible()
    page.goto(f"{server.url}/explore?view=mistakes&run=../../etc&page=999999&low=90&high=3&kind=x&read=a")
    expect(page.get_by_text("The link does not name a run. Here is another run instead.")).to_be_visible()
    expect(tiles(page).first).to_be_visible()
