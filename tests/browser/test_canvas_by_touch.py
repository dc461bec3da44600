"""Drawing with a finger and with a pen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.serving import WITHOUT_PLOTLY
from tests.support.steps import DIGITS, open_canvas, reading


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 800, "height": 700}, has_touch=True)
    context.set_default_timeout(120_000)
    context.add_init_script(WITHOUT_PLOTLY)
    yield context.new_page()
    context.close()


SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"


def move_by(tablet: Page, tool: str, points: list[tuple[float, float]]) -> None:
    """Move a finger or a pen through places of the window, as the browser hears it from a touch screen."""
    screen = tablet.context.new_cdp_session(tablet)
    ends = np.array(points)
    # On the way, many places are told, as by a hand: of the first few, a browser waits whether it is a tap.
    places = np.concatenate([np.linspace(*pair, 12) for pair in pairwise(ends)] + [ends[-1:]])
    for place, (x, y) in enumerate(places.tolist()):
        point = {"x": x, "y": y}
        phase = 0 if place == 0 else 2 if place == len(places) - 1 else 1
        if tool == "finger":
            kind = ("touchStart", "touchMove", "touchEnd")[phase]
            screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if phase == 2 else [point]})
        else:
            kind = ("mousePressed", "mouseMoved", "mouseReleased")[phase]
            pen = {"pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1, "force": 0.5}
            screen.send("Input.dispatchMouseEvent", {"type": kind, **point, **pen})


def draw_by(tablet: Page, tool: str, digit: int) -> None:
    box = tablet.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    for stroke in DIGITS[digit]:
        move_by(tablet, tool, [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke])


class Screen:
    """A touch screen: what it feels on the canvas, from 0 to 1 over it. All of it goes through one session."""

    def __init__(self, tablet: Page) -> None:
        box = tablet.locator("canvas.upper-canvas").bounding_box()
        assert box is not None
        self._box = box
        self._session = tablet.context.new_cdp_session(tablet)

    def touch(self, kind: str, *contacts: tuple[int, float, float]) -> None:
        """Tell of all that touches it now, or of what ends: an id, and where it is."""
        box = self._box
        points = [
            {"id": of, "x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for of, x, y in contacts
        ]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.mark.fault(id="stroke-cancelled")
def test_a_cancelled_stroke_vanishes_and_a_palm_may_rest(tablet: Page, server) -> None:
    open_canvas(tablet, server.url)
    touch = Screen(tablet).touch
    touch("touchStart", (0, 0.3, 0.2))
    for step in range(8):
        touch("touchMove", (0, 0.3 + step / 20, 0.2))
    touch("touchCancel")
    places = np.linspace(0.18, 0.82, 12)
    touch("touchStart", (1, 0.5, places[0]))
    for place in places:
        touch("touchMove", (1, 0.5, place))
    touch("touchEnd")
    expect(reading(tablet)).to_have_text("1")
    assert ink_columns(tablet) == pytest.approx((0.46, 0.54), abs=0.02)
    tablet.get_by_role("button", name="Undo").click()  # there is one stroke to undo
    expect(reading(tablet)).to_have_text("?")

    palm, heavy = (2, 0.8, 0.95), (4, 0.82, 0.95)
    touch("touchStart", palm)
    touch("touchStart", palm, (3, 0.5, places[0]))
    tablet.wait_for_timeout(100)  # a hand is not faster
    for place in places:
        touch("touchMove", palm, (3, 0.5, place))
    touch("touchStart", palm, (3, 0.5, places[-1]), heavy)
    touch("touchEnd", (3, 0.5, places[-1]))  # the pen has left
    expect(reading(tablet)).to_have_text("1")
    assert ink_columns(tablet) == pytest.approx((0.46, 0.54), abs=0.02)
    touch("touchEnd")
    tablet.get_by_role("button", name="Undo").click()
    expect(reading(tablet)).to_have_text("?")


def ink_columns(tablet: Page) -> tuple[float, float]:
    """Return where the ink begins and ends from left to right, from 0 to 1 over the canvas."""
    first, last = tablet.locator("canvas.dc-canvas.lower-canvas").evaluate("""(canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
        const columns = [...Array(canvas.width).keys()]
        const inked = columns.filter((x) => columns.some((y) => data[4 * (y * canvas.width + x)] > 127))
        return [inked.at(0) / canvas.width, (inked.at(-1) + 1) / canvas.width]
    }""")
    return first, last


@pytest.mark.parametrize("tool", ["finger", "pen"])
def test_digits_are_read_after_each_stroke(tablet: Page, server, tool: str) -> None:
    open_canvas(tablet, server.url)
    for digit in (1, 4):  # of one stroke, and of two
        draw_by(tablet, tool, digit)
        expect(reading(tablet)).to_have_text(str(digit))
        tablet.get_by_role("button", name="Clear").click()
        expect(reading(tablet)).to_have_text("?")


def test_a_finger_scrolls_the_page_but_not_while_it_draws(tablet: Page, server) -> None:
    open_canvas(tablet, server.url)
    draw_by(tablet, "finger", 1)
    expect(reading(tablet)).to_have_text("1")  # what is below makes the page longer than the window
    box = tablet.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    low, high = box["y"] + 320, box["y"] + 20
    on_canvas, beside = box["x"] + 200, box["x"] + box["width"] + 20
    move_by(tablet, "finger", [(on_canvas, low), (on_canvas, high)])
    tablet.wait_for_timeout(500)
    assert tablet.evaluate(SCROLLED) == 0
    move_by(tablet, "finger", [(beside, low), (beside, high)])
    tablet.wait_for_function(f"() => {SCROLLED} > 50")
