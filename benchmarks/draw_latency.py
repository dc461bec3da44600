"""From the end of a stroke to its answer, in a real browser: `python -m benchmarks.draw_latency [DIGITS]`.

Serves the app from this folder, draws DIGITS digits (20 unless told) with the mouse, stroke by stroke, and prints how
long it takes from the release of the button until the new probabilities stand on the page, timed by the browser itself.
Then, for the same digits, what of that is work of our own, without Streamlit and TensorFlow. Needs a browser of the
Chromium family, as the tests do.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from benchmarks.measuring import new_tab, opened_browser, print_conditions, print_table, rest, seconds_until, served
from mnist_core import runs
from mnist_core.data.dataset import load_mnist
from mnist_core.drawing import preparation, preparation_steps
from mnist_core.drawing.nearest_example import Examples, learn_examples
from mnist_core.drawing.preparation_steps import ALL, NONE, Switches
from mnist_core.drawing.strokes import BRUSH_WIDTH, CANVAS_SIDE, from_canvas
from mnist_core.drawing.verdict import judge, variants
from mnist_core.runs.status import write_status
from mnist_core.training.presets import PRESETS
from tests.support.steps import DIGITS, Stroke, draw, open_canvas

RUNS = 30  # that stand on the server, as after a lesson
WAYS = (ALL, NONE, Switches(crop=False), Switches(fit=False), Switches(centre=False))
ANSWER = "found('.answer')[0]?.textContent"  # the first on the page is that of the chosen network


def stroke_seconds(page: Page, digit: int, move: tuple[float, float] = (0, 0)) -> list[float]:
    """Draw a digit, moved by a share of the canvas, and return how long each stroke had to wait for its answer."""
    seconds = []
    for stroke in DIGITS[digit]:
        moved: Stroke = [(x + move[0], y + move[1]) for x, y in stroke]
        before = json.dumps(page.evaluate(f"() => {ANSWER}"))
        seconds.append(seconds_until(page, partial(draw, page, moved), f"{ANSWER} !== {before}"))
        rest(page)  # the panels below come after the answer
    return seconds


def clear(page: Page) -> None:
    """Empty the canvas, and wait until the page knows."""
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function(f"() => {ANSWER}?.includes('Draw a digit from 0 to 9.')")
    rest(page)


def own_seconds(digit: int, examples: Examples, folder: Path) -> tuple[float, float]:
    """Return the seconds of our own work on a drawn digit, in the server and in the inference process.

    In the server: the runs of a folder looked at, ink from what the canvas tells, and all that *How it was
    preprocessed* shows of it, in five ways. In the inference process: the digit varied, and the answers to that judged.
    """
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
    started = time.perf_counter()
    runs.list_runs(folder)
    ink = from_canvas(told).ink()
    box = preparation.bounds(ink)
    cropped = ink[box]
    prepared = preparation.prepare_cropped(cropped)
    for switches in WAYS:
        preparation_steps.steps(ink, switches, box)
    in_server = time.perf_counter() - started

    answers = [np.eye(10, dtype=np.float32)[[digit] * count] for count in (7, 1, 1)]  # of three networks, all sure
    started = time.perf_counter()
    variants(prepared)
    judge(cropped, prepared, answers, examples)
    return in_server, time.perf_counter() - started


def own_work(digits: int) -> tuple[list[float], list[float]]:
    """Return `own_seconds` of so many digits, one part after the other, on a server that has `RUNS` runs."""
    data = load_mnist()
    examples = learn_examples(data.x_train, data.y_train)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS):
            path = runs.create_run(Path(folder), PRESETS["tiny"].config)
            shutil.copy(runs.BUNDLED_RUNS / "chollet" / "report.json", path)
            write_status(path, "finished")
        seconds = [own_seconds(number % 10, examples, Path(folder)) for number in range(digits + 1)]
    in_server, in_inference = zip(*seconds[1:], strict=True)  # the first time, all files are read
    return list(in_server), list(in_inference)


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
    in_server, in_inference = own_work(digits)
    rows = [
        [what, len(values), *(f"{1000 * value:.1f}" for value in np.percentile(values, [5, 50, 95]))]
        for what, values in (
            ("stroke to answer, in the browser", seconds),
            ("of that, our own work in the server", in_server),
            ("our own work in the inference process", in_inference),
        )
    ]
    print_table(["", "times", "5th percentile, ms", "median, ms", "95th, ms"], rows)
    print_conditions("streamlit", "tensorflow")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
