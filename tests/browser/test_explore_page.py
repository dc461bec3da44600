"""Explore in a real browser: pages of digits, mistakes, and one digit opened."""

import re

import numpy as np
from playwright.sync_api import Page, expect

from mnist_core import runs


def test_digits_by_split_and_class_in_pages(page: Page, server, mnist) -> None:
    page.goto(f"{server.url}/explore")
    expect(page.get_by_text("1–100 of 10,000 test images")).to_be_visible()
    tiles = page.locator(".digit-grid button")
    expect(tiles).to_have_count(100)
    expect(tiles.first).to_have_attribute("aria-label", f"test image 0, labelled {mnist.y_test[0]}")

    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("101–200 of 10,000 test images")).to_be_visible()
    expect(tiles.first).to_have_attribute("aria-label", f"test image 100, labelled {mnist.y_test[100]}")

    page.get_by_role("radio", name="60,000 training images").click()
    expect(page).to_have_url(re.compile("split=train"))
    expect(page.get_by_text("1–100 of 60,000 train images")).to_be_visible()
    page.get_by_role("radio", name="8", exact=True).click()
    eights = np.flatnonzero(mnist.y_train == 8)
    expect(page.get_by_text(f"1–100 of {len(eights):,} train images labelled 8")).to_be_visible()
    expect(tiles.nth(5)).to_have_attribute("data-index", str(eights[5]))
    expect(page).to_have_url(re.compile(r"split=train.*digit=8"))
    page.wait_for_timeout(2000)  # nobody goes back sooner; until then an older address counts as one on its way
    page.go_back()
    expect(page.get_by_text("1–100 of 60,000 train images")).to_be_visible()
    expect(page.get_by_role("radio", name="All", exact=True)).to_be_checked()


def test_of_two_quick_clicks_none_is_lost(page: Page, server, mnist) -> None:
    page.goto(f"{server.url}/explore")
    expect(page.locator(".digit-grid button")).to_have_count(100)
    page.get_by_role("radio", name="60,000 training images").click()
    page.get_by_role("radio", name="8", exact=True).click()
    expect(page.get_by_text(f"1–100 of {np.sum(mnist.y_train == 8):,} train images labelled 8")).to_be_visible()


def test_a_mistake_opens(page: Page, server, mnist) -> None:
    probabilities = runs.read_predictions(runs.BUNDLED_RUNS / "chollet")
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != mnist.y_test)
    page.goto(f"{server.url}/explore?view=mistakes&run=chollet")
    expect(page.get_by_text(f"{len(wrong)} mistakes")).to_be_visible()
    tiles = page.locator(".digit-grid button")
    expect(tiles).to_have_count(min(100, len(wrong)))

    index = int(tiles.nth(3).get_attribute("data-index") or -1)
    assert index in wrong
    tiles.nth(3).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Test image {index:,}, labelled {mnist.y_test[index]}")
    expect(dialog).to_contain_text(f"read {probabilities[index].argmax()} with {probabilities[index].max():.1%}")
    expect(dialog.get_by_test_id("stPlotlyChart")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    tiles.nth(3).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_confusion_matrix_of_a_link(page: Page, server, mnist) -> None:
    page.goto(f"{server.url}/explore?view=confusion&run=nehlr")
    wrong = int((runs.read_predictions(runs.BUNDLED_RUNS / "nehlr").argmax(axis=1) != mnist.y_test).sum())
    expect(page.get_by_test_id("stMetricValue").nth(1)).to_have_text(f"{wrong} of 10,000")
    expect(page.locator(".js-plotly-plot")).to_be_visible()


def test_nonsense_in_the_url_does_no_harm(page: Page, server) -> None:
    page.goto(f"{server.url}/explore?view=zzz&digit=77&page=-5&split=<b>&run=../../etc")
    expect(page.get_by_text("1–100 of 10,000 test images")).to_be_visible()
    page.goto(f"{server.url}/explore?view=mistakes&run=../../etc&page=999999")
    expect(page.get_by_text("The link names no run. Here is another one.")).to_be_visible()
    expect(page.locator(".digit-grid button").first).to_be_visible()
