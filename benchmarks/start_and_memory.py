"""How soon the app is there, and how much memory it takes.

    python -m benchmarks.start_and_memory [--rounds 5] [--epochs 2]

Start: from `streamlit run app.py` until heading and links of Home stand in a browser that was open before, on a server
that nobody has asked anything. Server: its process after a visitor has seen every page and every view. All together:
the peak of a fresh server, its inference process and one run of `chollet` that trains, is tested and saved while digits
are drawn and looked into, without a spare training process, as on a small machine. Memory that processes share is
divided among them (PSS, looked at four times a second), so that they add up. Some five minutes on two cores.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import suppress
from threading import Event, Thread

import psutil
from playwright.sync_api import Browser, Page

from benchmarks.measuring import (
    new_tab,
    opened_browser,
    print_conditions,
    print_table,
    rest,
    say,
    served,
    wait_until_idle,
    with_helpers,
)
from mnist_core import runs
from tests.support.serving import Server
from tests.support.steps import DIGITS, draw, open_canvas, start_run

START_BAR, SERVER_BAR, ALL_BAR = 3.0, 250, 2000  # s, MB, MB
EVERY_SECONDS = 0.25
USABLE = "shows('See how a convolutional network') && found('[data-testid=stMain] a[href$=train]').length > 0"
PARTS = ("server", "inference", "training")

Sample = dict[str, float]  # MB by part


def start(browser: Browser) -> float:
    """Return the seconds from starting a server until its first page can be used."""
    page = new_tab(browser)
    started = time.perf_counter()
    with served() as server:
        page.goto(server.url, wait_until="commit")
        page.wait_for_function(f"() => {USABLE}")
        seconds = time.perf_counter() - started
        page.context.close()
    return seconds


def after_each_page(browser: Browser) -> list[tuple[str, float, float, float]]:
    """Visit everything; return what the server's process holds meanwhile: RSS, PSS and USS in MB."""
    rows = []
    with served() as server:
        process = psutil.Process(server.process.pid)

        def note(when: str) -> None:
            memory = process.memory_full_info()
            rows.append((when, memory.rss / 1e6, memory.pss / 1e6, memory.uss / 1e6))

        page = new_tab(browser)
        page.goto(server.url)
        wait_until_idle(server)
        note("Home")
        for name in ("train", "explore", "draw"):
            page.goto(f"{server.url}/{name}")
            rest(page)
            if name == "draw":
                draw_digit(page, 7)
            press_all_choices(page, rows=2 if name == "draw" else 1)
            if name == "explore":
                for link in ("explore?index=9", "explore?index=9&split=train", "explore?index=9&inside=yes"):
                    page.goto(f"{server.url}/{link}")
                    rest(page)
            note(f"{name.capitalize()}, all views")
        page.context.close()
        wait_until_idle(server)
        note("at rest, the visitor gone")
    return rows


def press_all_choices(page: Page, rows: int) -> None:
    """Press each choice of the first rows of choices: the views of a page, below them the panels of a drawing."""
    for row in reversed(range(rows)):
        for choice in page.get_by_test_id("stButtonGroup").nth(row).get_by_role("radio").all():
            choice.click()
            rest(page)


def draw_digit(page: Page, digit: int) -> None:
    """Draw a digit, and wait until it is answered."""
    for stroke in DIGITS[digit]:
        draw(page, stroke)
        page.wait_for_timeout(400)  # the canvas tells of a stroke when the pen has rested
        rest(page)


class MemoryWatch(Thread):
    """Looks again and again at what a server and its helpers hold, and keeps it as `samples`."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.samples: list[Sample] = []
        self._server = server
        self._done = Event()

    def run(self) -> None:
        while not self._done.wait(EVERY_SECONDS):
            now = dict.fromkeys(PARTS, 0.0)
            for process in with_helpers(self._server):
                with suppress(psutil.NoSuchProcess):
                    now[self._part(process)] += process.memory_full_info().pss / 1e6
            self.samples.append(now)

    def stop(self) -> None:
        self._done.set()
        self.join()

    def _part(self, process: psutil.Process) -> str:
        if process.pid == self._server.process.pid:
            return "server"
        return "training" if "mnist_core" in process.cmdline() else "inference"


def together(browser: Browser, epochs: int, images: int) -> list[Sample]:
    """Train and draw at once; return what was held meanwhile."""
    with served(DIGIT_LAB_SPARE="0") as server:  # as on a machine that is short of memory
        watch = MemoryWatch(server)
        watch.start()
        page = new_tab(browser)
        path = server.runs_dir / start_run(page, server.url, images=images, epochs=epochs)
        open_canvas(page, server.url)
        for number in range(1000):
            draw_digit(page, number % 10)
            if number == 0:
                page.get_by_role("radio", name="What the network looked at").click()
                rest(page)
            if number >= len(DIGITS) and not runs.read_run(path).is_active:
                break
            page.get_by_role("button", name="Clear").click()
            rest(page)
        watch.stop()
        run = runs.read_run(path)
        if run.status.state != "finished":
            raise RuntimeError(f"The run did not come to its end: {run.status}")
        page.context.close()
    return watch.samples


def main() -> None:
    options = _options()
    with opened_browser() as browser:
        starts = [start(browser) for _ in range(options.rounds)]
        say(f"starts: {starts}")
        server = after_each_page(browser)
        say(f"server: {server}")
        samples = together(browser, options.epochs, options.images)
    each = ", ".join(f"{seconds:.2f}" for seconds in starts)
    print_table(
        ["start to first page: median, s", "longest, s", "each, s", "bar, s"],
        [[f"{statistics.median(starts):.2f}", f"{max(starts):.2f}", each, f"{START_BAR:.0f}"]],
    )
    print()
    rows = [[when, *(f"{value:.0f}" for value in values), ""] for when, *values in server]
    rows[-2][-1] = str(SERVER_BAR)
    print_table(["server process after", "RSS, MB", "PSS, MB", "USS, MB", "bar, MB"], rows)
    print()
    peak = max(samples, key=lambda sample: sum(sample.values()))
    highest = {part: max(sample[part] for sample in samples) for part in PARTS}
    rows = [
        ["at the peak of all", *(f"{peak[part]:.0f}" for part in PARTS), f"{sum(peak.values()):.0f}", str(ALL_BAR)],
        ["each at its own peak", *(f"{highest[part]:.0f}" for part in PARTS), "", ""],
    ]
    print_table([f"PSS in MB, {len(samples):,} looks", *PARTS, "together", "bar"], rows)
    print_conditions("streamlit", "tensorflow", "keras")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="starts")
    parser.add_argument("--epochs", type=int, default=2, help="of the run that trains meanwhile")
    parser.add_argument("--images", type=int, default=60_000, help="fewer only to try the program")
    return parser.parse_args()


if __name__ == "__main__":
    main()
