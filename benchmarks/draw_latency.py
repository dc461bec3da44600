"""From the end of a stroke to its answer, in a real browser: `python benchmarks/draw_latency.py [DIGITS]`.

Serves the app from this folder, draws DIGITS digits (20 unless told) with the mouse, stroke by stroke, and prints how
long it takes from the release of the button until the new probabilities stand on the page, timed by the browser itself.
Then, for the same digits, what of that is work of our own: from what the canvas tells to the 28 × 28 pixels and their
variants that a network is given, and from its answers to the verdict. Needs a browser of the Chromium family, as the
tests do.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from measuring import new_tab, opened_browser, print_conditions, print_table, rest, seconds_until, served
from playwright.sync_api import Page
from steps import DIGITS, Stroke, draw, open_canvas

from mnist_core import doubt, drawing
from mnist_core.dataset import load_mnist
from mnist_core.likeness import Examples, learn_examples
from mnist_core.strokes import BRUSH_WIDTH, CANVAS_SIDE, from_canvas

ANSWER = "found('.answer')[0]?.textContent"  # the first on the page is that of the chosen network


def stroke_seconds(page: Page, digit: int, move: tuple[float, float] = (0, 0)) -> list[float]:
    """Draw a digit, moved by a share of the canvas, and return how long each stroke had to wait for its answer."""
    seconds = []
    for stroke in DIGITS[digit]:
        moved: Stroke = [(x + move[0], y + move[1]) for x, y in stroke]
        before = json.dumps(page.evaluate(f"() => {ANSWER}"))
        seconds.append(seconds_until(page, lambda stroke=moved: draw(page, stroke), f"{ANSWER} !== {before}"))
        rest(page)  # the panels below come after the answer
    return seconds


def clear(page: Page) -> None:
    """Empty the canvas, and wait until the page knows."""
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function(f"() => {ANSWER}?.includes('Draw a digit from 0 to 9.')")
    rest(page)


def own_seconds(digit: int, examples: Examples) -> float:
    """Return what it takes to turn the canvas's account of a digit into what a network is given, and to judge."""
    paths = [[(CANVAS_SIDE * x, CANVAS_SIDE * y) for x, y in stroke] for stroke in DIGITS[digit]]
    told = {
        "objects": [
            {
                "type": "path",
                "strokeWidth": BRUSH_WIDTH,
                "path": [["M", *path[0]], *(["Q", *path[at], *path[at + 1]] for at in range(len(path) - 1))],
            }
            for path in paths
        ]
    }
    answers = [np.eye(10, dtype=np.float32)[[digit] * count] for count in (7, 1, 1)]  # of three networks, all sure
    started = time.perf_counter()
    ink = from_canvas(told).ink()
    prepared = drawing.prepare(ink)
    doubt.variants(prepared)
    doubt.judge(ink, prepared, answers, examples)
    return time.perf_counter() - started


def main(digits: int) -> None:
    generator = np.random.default_rng(1)
    seconds: list[float] = []
    with opened_browser() as browser, served() as server:
        page = new_tab(browser)
        open_canvas(page, server.url)
        stroke_seconds(page, 0)  # the network is loaded
        for number in range(1, digits + 1):
            clear(page)
            x, y = generator.uniform(-0.1, 0.1, 2).tolist()
            seconds += stroke_seconds(page, number % 10, (x, y))
    data = load_mnist()
    examples = learn_examples(data.x_train, data.y_train)
    own = [own_seconds(number % 10, examples) for number in range(digits + 1)][1:]  # the first loads and prepares
    rows = [
        [what, len(values), *(f"{1000 * value:.1f}" for value in np.percentile(values, [5, 50, 95]))]
        for what, values in (("stroke to answer, in the browser", seconds), ("our own work", own))
    ]
    print_table(["", "times", "5th percentile, ms", "median, ms", "95th, ms"], rows)
    print_conditions("streamlit", "tensorflow")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
