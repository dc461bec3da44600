"""A short journey through all pages in Firefox and in WebKit; all other browser tests run in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mnist_core import runs
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.strokes import BRUSH_WIDTH, CANVAS_SIDE
from mnist_core.evaluation.metrics import confusion_matrix, most_confused
from mnist_core.runs.results import read_predictions
from tests.support.engines import Look, Window, evidence, require
from tests.support.engines.firefox import find_firefox, firefox_window
from tests.support.engines.webkit import find_webkit, webkit_window
from tests.support.photographed import Scene, photo
from tests.support.serving import Server
from tests.support.steps import DIGITS, Stroke

OpenWindow = Callable[[Look], AbstractContextManager[Window]]
pytestmark = pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning")  # Selenium's own

BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 24, 27)"}  # as in .streamlit/config.toml
MAIN = "document.querySelector('[data-testid=stMain]')"  # what scrolls
TITLES = {"Home": "Digit Lab", "Explore": "Explore the digits", "Train": "Train a network", "Draw": "Draw a digit"}
PHONE = Look(390, 844, "dark")


@pytest.fixture(params=["firefox", "webkit"])
def open_window(request: pytest.FixtureRequest) -> OpenWindow:
    if request.param == "firefox":
        return partial(firefox_window, require("Firefox", find_firefox()))
    return partial(webkit_window, *require("WebKitWebDriver with MiniBrowser and Xvfb", find_webkit()))


def test_a_journey_through_all_pages(open_window: OpenWindow, server: Server, mnist: Mnist, tmp_path: Path) -> None:
    with open_window(Look()) as window, evidence(window, tmp_path):
        run = train(window, server)
        look_at_a_cell(window, run, mnist)
        go_to(window, "Draw")
        canvas_is_in_its_place(window)
        ink_lands_under_the_pointer(window)
        for digit in (0, 3, 4, 7):
            window.click("button", "Clear$")
            window.box(".answer .digit", r"^\?$")
            draw(window, DIGITS[digit])
            window.box(".answer .digit", f"^{digit}$")
        read_a_photo(window, mnist, tmp_path)
        nothing_went_wrong(window, server)


def test_on_a_phone_in_the_dark(open_window: OpenWindow, server: Server, tmp_path: Path) -> None:
    with open_window(PHONE) as window, evidence(window, tmp_path):
        visit(window, server.url)
        for page in TITLES:
            if page != "Home":
                window.click("[data-testid=stExpandSidebarButton]")
                go_to(window, page)
                window.click("[data-testid=stSidebarCollapseButton] button")
            assert background(window, page) == BACKGROUNDS["dark"]
            assert window.evaluate("innerWidth") == PHONE.width
            assert window.evaluate(f"{MAIN}.scrollWidth - {MAIN}.clientWidth") == 0
        canvas_is_in_its_place(window)
        ink_lands_under_the_pointer(window)
        nothing_went_wrong(window, server)


def visit(window: Window, url: str) -> None:
    window.open(url)
    window.evaluate(
        """(window.faults = [],
        addEventListener("error", (event) => faults.push(event.message)),
        addEventListener("unhandledrejection", (event) => faults.push(String(event.reason))), 0)"""
    )


def train(window: Window, server: Server) -> runs.Run:
    """Train a network on few images until its result and its curves are shown."""
    visit(window, f"{server.url}/train?architecture=4C3-P2-10&train_size=2000&epochs=1&seed=1")
    assert background(window, "Train") == BACKGROUNDS["light"]
    window.click(".st-key-cost-card button", "Train$")
    window.box("[data-testid=stMetricValue]", r"^\d+\.\d\d%$")
    window.box(".live-chart .scatterlayer path.js-line")
    run = runs.read_run(server.runs_dir / re.search(r"run=([\w-]+)", window.evaluate("location.href"))[1])
    assert run.report is not None
    window.box("[data-testid=stMetricValue]", f"^{run.report.test_accuracy:.2%}$")
    return run


def look_at_a_cell(window: Window, run: runs.Run, mnist: Mnist) -> None:
    """Go from a result to its confusion matrix, and from its fullest cell beside the diagonal to its images."""
    window.click("a", "See its mistakes")
    window.click("button", "Confusion matrix$")
    true, predicted, count = most_confused(confusion_matrix(mnist.y_test, read_predictions(run.path)), 1)[0]
    window.click(f"[data-cell='{true},{predicted}']", f"^{count:,}$")
    window.box("p", f"^Test images labelled {true} and predicted as {predicted}: .*{count:,}$")
    tile = window.box(f".digit-grid [aria-label*='labelled {true}'] .digit-picture")
    assert np.ptp(window.pixels(tile)) > 200  # white ink on black


def go_to(window: Window, page: str) -> None:
    window.click("[data-testid=stSidebar] a", f"{page}$")
    window.box("h1", TITLES[page])


def canvas_is_in_its_place(window: Window) -> None:
    place, canvas = window.box(".st-key-drawing"), window.box("canvas.upper-canvas", on_top=True)
    assert (canvas.x, canvas.y) == pytest.approx((place.x, place.y), abs=2)
    assert (canvas.width, canvas.height) == pytest.approx([min(place.width, 400)] * 2, abs=2)


def draw(window: Window, strokes: list[Stroke]) -> None:
    canvas = window.box("canvas.upper-canvas", on_top=True)
    for stroke in strokes:
        ends = np.array(stroke) * canvas.width + (canvas.x, canvas.y)
        between = [start + (end - start) * step / 4 for start, end in pairwise(ends) for step in (1, 2, 3, 4)]
        window.drag([ends[0], *between])


def ink_lands_under_the_pointer(window: Window) -> None:
    """Draw a 1 on the left, above the middle, and look where the ink is."""
    draw(window, [[(0.3, 0.2), (0.3, 0.7)]])
    window.box(".answer .digit", "^1$")
    canvas = window.box("canvas.upper-canvas", on_top=True)
    inside = window.pixels(canvas)[4:-4, 4:-4]  # without its frame
    rows, columns = np.nonzero(inside > 128)
    seen = (np.array([columns.min(), columns.max(), rows.min(), rows.max()]) + 4) / canvas.width
    radius = BRUSH_WIDTH / CANVAS_SIDE / 2
    assert seen == pytest.approx([0.3 - radius, 0.3 + radius, 0.2 - radius, 0.7 + radius], abs=0.01)


def read_a_photo(window: Window, mnist: Mnist, folder: Path) -> None:
    file = folder / "photo.jpg"
    file.write_bytes(photo([mnist.x_test[:7]], Scene(darker=0.4, shadow=0.3, degrees=-3, orientation=6)))
    window.click("button", "From a photo$")
    window.box("[data-testid=stFileUploader]")
    window.upload(file)
    window.box("h2", "^7 2 1 0 4 1 4$")
    photo_shown = window.box("[data-testid=stImage] img[alt*='box around each digit']")
    assert photo_shown.width > photo_shown.height  # upright again


def background(window: Window, page: str) -> str:
    window.box("h1", TITLES[page])
    return window.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")


def nothing_went_wrong(window: Window, server: Server) -> None:
    """No page has shown or thrown an error, or asked another machine for anything."""
    assert window.evaluate("faults") == []
    assert window.evaluate("document.querySelectorAll('[data-testid=stException]').length") == 0
    asked = window.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []
