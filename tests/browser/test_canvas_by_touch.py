"""Drawing with a finger and with a pen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from steps import DIGITS, open_canvas, reading


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 800, "height": 1100}, has_touch=True)
    context.set_default_timeout(120_000)
    yield context.new_page()
    context.close()


def draw_by(tablet: Page, tool: str, digit: int) -> None:
    """Draw a digit as the browser hears it from a touch screen: by events of touch, or of a pen."""
    box = tablet.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    screen = tablet.context.new_cdp_session(tablet)
    for stroke in DIGITS[digit]:
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in stroke]
        for place, point in enumerate([*points, points[-1]]):
            phase = 0 if place == 0 else 2 if place == len(points) else 1
            if tool == "finger":
                kind = ("touchStart", "touchMove", "touchEnd")[phase]
                screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if phase == 2 else [point]})
            else:
                kind = ("mousePressed", "mouseMoved", "mouseReleased")[phase]
                pen = {"pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1, "force": 0.5}
                screen.send("Input.dispatchMouseEvent", {"type": kind, **point, **pen})


@pytest.mark.parametrize("tool", ["finger", "pen"])
def test_digits_are_read_after_each_stroke(tablet: Page, server, tool: str) -> None:
    open_canvas(tablet, server.url)
    for digit in (1, 4):  # of one stroke, and of two
        draw_by(tablet, tool, digit)
        expect(reading(tablet)).to_have_text(str(digit))
        tablet.get_by_role("button", name="Clear").click()
        expect(reading(tablet)).to_have_text("?")
    assert tablet.evaluate("window.scrollY") == 0  # a finger that draws does not scroll
