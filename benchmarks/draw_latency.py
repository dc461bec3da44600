"""From the end of a stroke to its answer, in a real browser: `python benchmarks/draw_latency.py [DIGITS]`.

Serves the app from this folder, draws DIGITS digits (20 unless told) with the mouse, stroke by stroke, and prints how
long it takes from the release of the button until the new probabilities stand on the page, timed by the browser itself.
Needs a browser of the Chromium family, as the tests do.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "browser")]

from serving import CHROMIUM_OPTIONS, find_chromium, start_server, stop_server
from steps import DIGITS, Stroke, draw

expect.set_options(timeout=120_000)

# Notes when the button was released, and when the answer changed for the first time after that.
_WATCH = """() => {
    const nodes = [...document.querySelectorAll(".st-key-answer *")]
    const answer = nodes.map((node) => node.shadowRoot?.querySelector(".answer")).find((node) => node)
    window.timing = { released: 0, answered: 0 }
    document.addEventListener("mouseup", () => { window.timing = { released: performance.now(), answered: 0 } }, true)
    new MutationObserver(() => { window.timing.answered ||= performance.now() })
        .observe(answer, { subtree: true, childList: true, characterData: true, attributes: true })
}"""


def main(digits: int) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start_server(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        try:
            milliseconds = measure(page, server.url, digits)
        finally:
            browser.close()
            stop_server(server)
    low, median, high = np.percentile(milliseconds, [5, 50, 95])
    print(f"{len(milliseconds)} strokes: median {median:.0f} ms, 5th to 95th percentile {low:.0f} to {high:.0f} ms")


def measure(page: Page, url: str, digits: int) -> list[float]:
    """Draw digits, moved a little each time, and return how long each stroke had to wait, in milliseconds."""
    page.goto(f"{url}/draw")
    headline = page.locator(".st-key-answer .answer .headline")
    expect(headline).to_have_text("Draw a digit from 0 to 9.")
    page.wait_for_timeout(1500)
    generator = np.random.default_rng(1)
    milliseconds = []
    for number in range(digits + 1):
        move = generator.uniform(-0.1, 0.1, 2)
        for stroke in DIGITS[number % 10]:
            moved: Stroke = [(x + float(move[0]), y + float(move[1])) for x, y in stroke]
            if number == 0:  # the network is loaded
                draw(page, moved)
                expect(headline).not_to_have_text("Draw a digit from 0 to 9.")
                page.wait_for_timeout(3000)
                page.evaluate(_WATCH)
                continue
            draw(page, moved)
            page.wait_for_function("() => window.timing.answered > 0")
            milliseconds.append(page.evaluate("() => window.timing.answered - window.timing.released"))
            page.wait_for_timeout(600)  # the panels below come after the answer
        page.get_by_role("button", name="Clear").click()
        expect(headline).to_have_text("Draw a digit from 0 to 9.")
        page.wait_for_timeout(600)
    return milliseconds


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
