"""Digits drawn on the canvas with the mouse, stroke by stroke, in a real browser."""

import base64
import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from mnist_core.drawing.strokes import BRUSH_WIDTH, CANVAS_SIDE, rasterise
from tests.support.steps import DIGITS, Stroke, draw, open_canvas, reading

pytestmark = pytest.mark.no_charts

_PIXELS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    const levels = data.filter((_, index) => index % 4 === 0)
    const letters = Array.from(levels, (level) => String.fromCharCode(level)) // a long list takes a second to pass on
    return [canvas.width, canvas.height, btoa(letters.join(""))]
}"""

# It has its size, and the menu that closes on small screens no longer covers it.
_IS_READY = """([canvas, side]) => {
    const { left, top, width } = canvas.getBoundingClientRect()
    const uncovered = document.elementFromPoint(left + 1, top + 1)?.closest(".st-key-drawing")
    return Math.abs(width - side) <= 6 && uncovered
}"""


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_ten_digits_in_a_row_are_read_and_drawn_alike_by_both(page: Page, server) -> None:
    open_canvas(page, server.url)
    for digit, strokes in DIGITS.items():
        for stroke in strokes:
            draw(page, stroke)
        expect(reading(page)).to_have_text(str(digit))
        assert difference(page, digit) < 2  # the browser rounds where the mouse is to whole pixels
        press(page, "Clear")


def test_each_stroke_is_answered_and_can_be_taken_back(page: Page, server) -> None:
    open_canvas(page, server.url)
    bar, stem = DIGITS[4]
    assert page.get_by_role("button", name="Undo").is_disabled()
    draw(page, bar)
    expect(page.locator(".st-key-answer .headline")).not_to_have_text("Draw a digit from 0 to 9.")
    draw(page, stem)
    expect(reading(page)).to_have_text("4")
    press(page, "Undo")
    expect(reading(page)).not_to_have_text("4")
    press(page, "Redo")
    expect(reading(page)).to_have_text("4")
    page.keyboard.press("Control+z")
    expect(reading(page)).not_to_have_text("4")
    page.keyboard.press("Control+y")
    expect(reading(page)).to_have_text("4")
    press(page, "Clear")
    expect(reading(page)).to_have_text("?")
    draw(page, DIGITS[1][0])  # at once
    expect(reading(page)).to_have_text("1")


def test_the_network_can_be_changed_under_a_drawing(page: Page, server) -> None:
    open_canvas(page, server.url)
    draw(page, DIGITS[0][0])
    expect(reading(page)).to_have_text("0")
    page.get_by_label("Network", exact=True).click()
    page.get_by_role("option", name=re.compile("^keras-steps")).click()
    expect(page).to_have_url(re.compile("run=keras-steps"))
    expect(reading(page)).to_have_text("0")


def test_the_drawing_is_still_there_after_a_visit_elsewhere(page: Page, server) -> None:
    open_canvas(page, server.url)
    draw(page, DIGITS[7][0])
    expect(reading(page)).to_have_text("7")
    page.get_by_role("link", name="Explore").first.click()
    expect(page.get_by_role("heading", name="Explore the digits")).to_be_visible()
    page.get_by_role("link", name="Draw").first.click()
    expect(reading(page)).to_have_text("7")
    draw(page, [(0.3, 0.55), (0.7, 0.55)])
    page.get_by_role("radio", name="What other networks predict").click()
    expect(page.locator(".answer.small .digit").first).to_have_text("7")
    press(page, "Clear")
    expect(reading(page)).to_have_text("?")
    draw(page, DIGITS[1][0])
    expect(reading(page)).to_have_text("1")
    press(page, "Clear")
    expect(reading(page)).to_have_text("?")


def test_the_canvas_fills_its_room_and_draws_under_the_pen(page: Page, server) -> None:
    open_canvas(page, server.url)
    for width, side in ((1280, 400), (1024, 352), (400, 368), (360, 328)):
        page.set_viewport_size({"width": width, "height": 900})
        canvas = page.locator("canvas.upper-canvas")
        page.wait_for_function(_IS_READY, arg=[canvas.element_handle(), side])
        box = canvas.bounding_box()
        assert box is not None
        assert box["height"] == pytest.approx(box["width"])
        tools = page.get_by_role("group", name="Drawing").bounding_box()
        assert tools is not None
        assert tools["width"] == pytest.approx(box["width"])
        assert 0 < tools["y"] - box["y"] - box["height"] < 40
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for stroke in DIGITS[7]:
            draw(page, stroke)
        expect(reading(page)).to_have_text("7")
        assert difference(page, 7) < 2
        press(page, "Clear")
        expect(reading(page)).to_have_text("?")


def difference(page: Page, digit: int) -> float:
    """How much, on average over all pixels, the canvas differs from what the server makes of the strokes of a digit."""
    width, height, levels = page.locator("canvas.dc-canvas.lower-canvas").evaluate(_PIXELS)
    shown = np.frombuffer(base64.b64decode(levels), np.uint8).astype(float).reshape(height, width)
    drawn = rasterise([told(stroke) for stroke in DIGITS[digit]], [BRUSH_WIDTH] * len(DIGITS[digit]))
    assert shown.shape == drawn.shape
    return float(np.abs(shown - drawn).mean())


def told(stroke: Stroke) -> np.ndarray:
    """The points that the canvas hears of while `draw` moves the mouse: three on the way to each."""
    ends = np.array(stroke) * CANVAS_SIDE
    between = [start + (end - start) * step / 3 for start, end in pairwise(ends) for step in (1, 2, 3)]
    return np.array([ends[0], *between], np.float32)


def test_one_press_takes_one_stroke_back_also_in_another_theme(page: Page, server) -> None:
    open_canvas(page, server.url)
    for scheme in ("dark", "light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(500)
    for stroke in DIGITS[4]:
        draw(page, stroke)
    expect(reading(page)).to_have_text("4")
    page.keyboard.press("Control+z")
    expect(reading(page)).not_to_have_text("4")
    page.wait_for_timeout(1500)
    expect(page.locator(".st-key-answer .headline")).not_to_have_text("Draw a digit from 0 to 9.")


def test_back_leads_through_the_panels(page: Page, server) -> None:
    open_canvas(page, server.url)
    draw(page, DIGITS[1][0])
    expect(reading(page)).to_have_text("1")
    page.get_by_role("radio", name="What other networks predict").click()
    expect(page.get_by_text("Other networks", exact=True)).to_be_visible()
    page.get_by_role("radio", name="What the network looked at").click()
    expect(page.get_by_text("Layer by layer")).to_be_visible()
    page.wait_for_timeout(1000)
    page.go_back()
    expect(page.get_by_text("Other networks", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("panel=networks"))
    expect(reading(page)).to_have_text("1")
