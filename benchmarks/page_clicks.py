"""From a click to its result, on every page, in a browser: alone, and while a run trains.

    python -m benchmarks.page_clicks [--rounds 10] [--only PAGE …]

Serves the app from this folder and goes through the main interactions of each page, once to fill the server's caches,
then ROUNDS times; and as often again while a run of `garcia`, the slowest of the published ones, trains. Times are from
the release of the button, or the press of the key, until the result stands on the page, by the browser's own clock.
About half an hour on two cores.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace

import numpy as np
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import TimeoutError as BrowserTimeout

from benchmarks.draw_latency import ANSWER, clear, stroke_seconds
from benchmarks.measuring import (
    new_tab,
    opened_browser,
    print_conditions,
    print_table,
    rest,
    say,
    seconds_until,
    served,
    training,
    wait_until_idle,
)
from mnist_core.training.presets import PRESETS
from tests.support.serving import Server
from tests.support.steps import TRAINING_CURVE

SITUATIONS = ("alone", "while a run trains")
MEDIAN_BAR, HIGH_BAR = 0.7, 1.5  # s, for the median and the 95th percentile of each interaction
BACKGROUND = replace(PRESETS["garcia"].config, epochs=100)
TRIES = 3
LOOK_MS = 1000  # nobody clicks sooner on a page that has just appeared, while the browser still works on it
SET_UP = "shows('An epoch probably takes')"
HOME = "shows('See how a convolutional network') && found('.js-plotly-plot .main-svg').length > 1"
EMPTY_CANVAS = f"{ANSWER}?.includes('Draw a digit from 0 to 9.')"
CHARTS_DRAWN = "found('.live-chart').every((node) => node.querySelector('.main-svg'))"
TILES = "found('.digit-grid button')"
LEGEND = "found('.live-chart .legendtext')"

Interaction = tuple[str, str]  # page, and what is done there
Times = dict[Interaction, list[float]]


class Visitor:
    """Somebody who clicks and waits, with a stopwatch, in a round counted from 0."""

    def __init__(self, page: Page, url: str, times: Times, place: str, number: int) -> None:
        self.page = page
        self.round = number
        self._url = url
        self._times = times
        self._place = place

    def note(self, name: str, seconds: list[float]) -> None:
        self._times[self._place, name] += seconds

    def time(self, name: str, act: Callable[[], object], shown: str) -> None:
        """Act, note the seconds until `shown` holds, and let the page come to rest."""
        self.note(name, [seconds_until(self.page, act, shown)])
        rest(self.page)

    def go(self, address: str, shown: str) -> None:
        """Follow a link from elsewhere, which is not timed, wait until its charts are drawn, and look for a second."""
        self.page.goto(f"{self._url}/{address}")
        self.page.wait_for_function(f"() => {shown} && {CHARTS_DRAWN}")
        rest(self.page)
        self.page.wait_for_timeout(LOOK_MS)

    def press(self, name: str, choice: str, shown: str) -> None:
        """Press one choice of a row, by what it is called."""
        self.time(name, self.page.get_by_role("radio", name=choice, exact=True).click, shown)

    def choose(self, name: str, label: str, option: str, shown: str) -> None:
        """Choose from a list what begins with `option`; the time counts from the choice."""
        wanted = self.page.get_by_role("option", name=re.compile(f"^{option}")).first
        for _ in range(TRIES):  # on a busy machine the page may be drawn once more, which closes the list
            self.page.get_by_label(label, exact=True).first.click()
            with suppress(BrowserTimeout):
                wanted.wait_for(timeout=3000)
                break
        self.time(name, wanted.click, shown)


def home(visitor: Visitor) -> None:
    menu, cards = (visitor.page.get_by_test_id(name) for name in ("stSidebar", "stMain"))
    visitor.go("train", SET_UP)
    visitor.time("the page itself", menu.get_by_role("link", name="Home").click, HOME)
    for link, shown in (
        ("Train a network", SET_UP),
        ("Explore the digits", f"{TILES}.length === 100"),
        ("Draw a digit", EMPTY_CANVAS),
    ):
        visitor.time(f"to “{link}”", cards.get_by_role("link", name=link).click, shown)
        visitor.go("", HOME)


def train(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("train", SET_UP)
    epochs = page.get_by_role("spinbutton", name="Epochs", exact=True)
    epochs.fill("7")
    visitor.time("7 epochs", lambda: epochs.press("Enter"), "shows('Epochs: 15 → 7')")
    visitor.choose("another preset", "Start from", "Champion", "shows('481,418')")
    page.get_by_role("tab", name="Augmentation").click()
    rotation = page.get_by_role("slider", name="Rotation")
    visitor.time("more rotation, with a picture of it", lambda: rotation.press("ArrowRight"), "shows('Rotation: 10 →')")
    visitor.press("view: Published networks", "Published networks", "shows('After nine epochs')")
    visitor.press(
        "view: Compare", "Compare", "shows('Select a run') && found('[data-testid=stDataFrame] canvas').length"
    )
    visitor.press("view: Glossary", "Glossary", "shows('The network slides a window')")
    visitor.go("train?run=fast", "found('.live-chart .main-svg').length > 0")
    longer = f"found('.live-chart').some((node) => ({TRAINING_CURVE})(node).at(-1) > 14)"
    visitor.choose("open another run, curves drawn", "Run", "chollet ·", longer)


def explore(visitor: Visitor) -> None:
    page, place = visitor.page, 10 + 2 * visitor.round  # another digit each time: the server remembers its neighbours
    visitor.go("explore", f"{TILES}.length === 100")
    following = page.get_by_role("button", name="Next")
    visitor.time("next 100 test images", following.click, f"{TILES}[0]?.dataset.index === '100'")
    visitor.press("100 training images", "60,000 training images", f"{TILES}[0]?.dataset.index === '0'")
    visitor.press("one class of them", "8", "shows('labelled 8:')")
    visitor.press("400 images", "400", f"{TILES}.length === 400")
    digit = page.locator(".digit-grid button").nth(place - 1)
    visitor.time("one digit", digit.click, "shows('The nearest with another label')")
    visitor.time("the next one", lambda: page.keyboard.press("ArrowRight"), f"shows('place {place + 1} of 5,851')")
    visitor.go("explore", f"{TILES}.length === 100")
    visitor.press("view: At a glance, map drawn", "At a glance", f"{LEGEND}.length > 0")
    visitor.press("its map by right or wrong", "Right or wrong", f"{LEGEND}[1]?.textContent.startsWith('wrong: ')")
    for view, text in (
        ("Mistakes", "Mistakes: "),
        ("Confusion matrix", "Most often confused:"),
        ("Scores", "Expected calibration error"),
        ("Epochs", "Mistakes after epoch"),
        ("Two networks", "Only A misreads"),
        ("Labels", "Beyond the fifteen"),
        ("Our handwriting", "There is no class set yet"),
    ):
        visitor.press(f"view: {view}", view, f"shows('{text}')")
    visitor.go("explore?view=confusion", "shows('Most often confused:')")
    visitor.time("a cell's images", page.locator("[data-cell='9,5']").click, "shows('labelled 9 and predicted as 5:')")
    visitor.go("explore?view=epochs", "shows('Mistakes after epoch 15:')")
    visitor.time("another epoch", lambda: page.get_by_role("slider").press("ArrowLeft"), "shows('after epoch 14:')")


def draw(visitor: Visitor) -> None:
    visitor.go("draw", f"{EMPTY_CANVAS} && found('.canvas-tools button').length > 0")
    for digit in range(3):
        visitor.note("a stroke to its answer", stroke_seconds(visitor.page, (3 * visitor.round + digit) % 10))
        if digit < 2:
            clear(visitor.page)
    others = "found('.answer.small .digit').length === 4"
    visitor.press("panel: What other networks predict", "What other networks predict", others)
    visitor.press("panel: What the network looked at", "What the network looked at", "shows('Layer by layer')")
    visitor.choose("another network", "Network", "keras-steps", "location.search.includes('keras-steps') && rests()")


PAGES: dict[str, Callable[[Visitor], None]] = {"Home": home, "Train": train, "Explore": explore, "Draw": draw}


def walk(browser: Browser, server: Server, times: Times, pages: list[str], number: int) -> None:
    """Go through the pages once, as one visitor. What does not work is told, and the next page is visited."""
    page = new_tab(browser)
    for name in pages:
        try:
            PAGES[name](Visitor(page, server.url, times, name, number))
        except (BrowserError, RuntimeError) as error:
            times[name, "FAILED"].append(float("nan"))
            say(f"round {number}, {name}: {error}")
    page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=PAGES, default=list(PAGES), metavar="PAGE")
    options = parser.parse_args()
    measured: dict[str, Times] = {}
    with opened_browser() as browser, served() as server:
        walk(browser, server, defaultdict(list), options.only, 0)
        wait_until_idle(server)
        for situation in SITUATIONS:
            times = measured[situation] = defaultdict(list)
            with nullcontext() if situation == "alone" else training(BACKGROUND, server.runs_dir):
                for number in range(1, options.rounds + 1):
                    walk(browser, server, times, options.only, number)
                    say(f"{situation}: round {number} of {options.rounds} is done")
    print_times(measured)
    print_conditions("streamlit")


def print_times(measured: dict[str, Times]) -> None:
    columns = ["page", "from the click to the result"]
    for situation in measured:
        columns += [f"{situation}: median, s", "95th percentile, s"]
    rows = []
    over = []
    for interaction in dict.fromkeys(key for times in measured.values() for key in times):
        rows.append([*interaction])
        for situation, times in measured.items():
            median, high = np.percentile(times[interaction] or [np.nan], [50, 95])
            rows[-1] += [f"{median:.2f}", f"{high:.2f}"]
            if not (median <= MEDIAN_BAR and high <= HIGH_BAR):
                over.append(f"{': '.join(interaction)} ({situation}, {median:.2f} s and {high:.2f} s)")
    print_table(columns, rows)
    bars = f"{MEDIAN_BAR} s at the median, {HIGH_BAR} s at the 95th percentile"
    print(f"\nAbove the bars ({bars}): {'; '.join(over) or 'nothing'}.")


if __name__ == "__main__":
    main()
