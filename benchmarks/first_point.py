"""From the click on *Train* to the first point of the live curves, in a browser.

    python -m benchmarks.first_point [--rounds 5]

Serves the app twice: with no process waiting (cold), and with one that has loaded TensorFlow in advance (warm,
`DIGIT_LAB_SPARE=1`). In each round a visitor who was never here before opens the Train page, waits until the machine
is at rest, and presses *Train*; the browser's own clock tells when a chart first had a point. Then the run is stopped.
"""

from __future__ import annotations

import argparse
import statistics

from playwright.sync_api import Browser, expect

from benchmarks.measuring import (
    new_tab,
    opened_browser,
    print_conditions,
    print_table,
    say,
    seconds_until,
    served,
    wait_for_end,
    wait_until_idle,
)
from mnist_core import runs
from tests.support.serving import Server
from tests.support.steps import TRAINING_CURVE

SIDES = {"cold": ("0", 7.0), "warm": ("1", 2.0)}  # DIGIT_LAB_SPARE, and the bar in seconds
FIRST_POINT = f"found('.live-chart').some((node) => ({TRAINING_CURVE})(node).length > 0)"


def once(browser: Browser, server: Server) -> float:
    """Return the seconds from the click to the first point, for one visitor."""
    page = new_tab(browser)
    page.goto(f"{server.url}/train")
    button = page.get_by_role("button", name="Train", exact=True)
    expect(button).to_be_enabled()
    wait_until_idle(server)
    seconds = seconds_until(page, button.click, FIRST_POINT)
    for run in runs.list_active(server.runs_dir):
        runs.request_stop(run.path)
        wait_for_end(run.path)
    page.context.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rows = []
    with opened_browser() as browser:
        for side, (spare, bar) in SIDES.items():
            with served(DIGIT_LAB_SPARE=spare) as server:
                seconds = [once(browser, server) for _ in range(rounds)]
            say(f"{side}: {seconds}")
            each = ", ".join(f"{value:.1f}" for value in seconds)
            rows.append([side, f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}", each, f"{bar:.0f}"])
    print_table(["start", "median, s", "longest, s", "each, s", "bar, s"], rows)
    print_conditions("tensorflow", "streamlit")


if __name__ == "__main__":
    main()
