"""From a click on the Explore page to its result, in a real browser: `python benchmarks/explore_clicks.py [ROUNDS]`.

Serves the app from this folder on a free port, goes through the main interactions ROUNDS times (5 unless told), and
prints median and largest time of each, in seconds. Needs a browser of the Chromium family, as the tests do.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "browser"))

from serving import CHROMIUM_OPTIONS, find_chromium, start_server, stop_server

Steps = dict[str, list[float]]


def main(rounds: int) -> None:
    steps: Steps = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start_server(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        try:
            for number in range(rounds + 1):
                walk(page, server.url, steps if number else {})  # the first round fills the server's caches
        finally:
            browser.close()
            stop_server(server)
    print("| from the click to the result | median | largest |\n|---|---|---|")
    for name, seconds in steps.items():
        print(f"| {name} | {statistics.median(seconds):.2f} s | {max(seconds):.2f} s |")


def walk(page: Page, url: str, steps: Steps) -> None:
    """Go through the page once, adding to `steps` how long each interaction took."""

    def timed(name: str, act: Callable[[], object], done: Callable[[], object]) -> None:
        started = time.perf_counter()
        act()
        done()
        steps.setdefault(name, []).append(time.perf_counter() - started)
        page.wait_for_timeout(500)

    tiles = page.locator(".digit-grid button")

    def first_is(index: int) -> Callable[[], None]:
        return lambda: expect(tiles.first).to_have_attribute("data-index", str(index))

    def shows(text: str) -> Callable[[], None]:
        return lambda: expect(page.get_by_text(text).first).to_be_visible()

    page.goto(f"{url}/explore")
    expect(tiles).to_have_count(100)
    page.wait_for_timeout(1500)
    timed("next 100 test images", page.get_by_role("button", name="Next").click, first_is(100))
    timed(
        "100 training images",
        page.get_by_role("radio", name="60,000 training images").click,
        lambda: expect(tiles.first).to_have_attribute("aria-label", "Training image 0, labelled 5"),
    )
    timed("one class of them", page.get_by_role("radio", name="8", exact=True).click, shows("labelled 8:"))
    timed("400 images", page.get_by_role("radio", name="400").click, lambda: expect(tiles).to_have_count(400))
    timed("one digit", tiles.nth(9).click, shows("The nearest with another label"))
    timed("the next one", lambda: page.keyboard.press("ArrowRight"), shows("place 11 of 5,851"))
    page.goto(f"{url}/explore")
    expect(tiles).to_have_count(100)
    page.wait_for_timeout(1500)
    timed(
        "view: At a glance, map drawn",
        page.get_by_role("radio", name="At a glance", exact=True).click,
        lambda: expect(page.locator(".live-chart .legendtext").first).to_be_visible(),
    )
    timed(
        "its map by right or wrong",
        page.get_by_role("radio", name="Right or wrong", exact=True).click,
        lambda: expect(page.locator(".live-chart .legendtext").nth(1)).to_have_text("misread: 91"),
    )
    for view, sign in (
        ("Mistakes", "Mistakes: 91"),
        ("Confusion matrix", "Most often confused:"),
        ("Scores", "Expected calibration error"),
        ("Epochs", "Mistakes after epoch"),
        ("Two networks", "Only A misreads"),
        ("Labels", "Beyond the list"),
    ):
        timed(f"view: {view}", page.get_by_role("radio", name=view, exact=True).click, shows(sign))
    page.goto(f"{url}/explore?view=confusion")
    expect(page.get_by_text("Most often confused:")).to_be_visible()
    page.wait_for_timeout(1500)
    timed("a cell's images", page.locator("[data-cell='9,5']").click, shows("labelled 9 read as 5:"))
    page.goto(f"{url}/explore?view=epochs")
    expect(page.get_by_text("Mistakes after epoch 15:")).to_be_visible()
    page.wait_for_timeout(1500)
    timed("another epoch", lambda: page.get_by_role("slider").press("ArrowLeft"), shows("after epoch 14:"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
