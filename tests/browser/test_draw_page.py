"""Digits drawn on the canvas with the mouse, stroke by stroke, in a real browser."""

import math
import re

from playwright.sync_api import Page, expect

Stroke = list[tuple[float, float]]  # x, y from 0 to 1 over the canvas


def arc(center: tuple[float, float], radius: tuple[float, float], start: float, end: float) -> Stroke:
    """Points along an ellipse, by angles in degrees, clockwise from three o'clock."""
    angles = [math.radians(start + (end - start) * step / 16) for step in range(17)]
    return [(center[0] + radius[0] * math.cos(a), center[1] + radius[1] * math.sin(a)) for a in angles]


DIGITS: dict[int, list[Stroke]] = {
    0: [arc((0.5, 0.5), (0.2, 0.32), -90, 270)],
    1: [[(0.5, 0.18), (0.5, 0.82)]],
    2: [[*arc((0.5, 0.35), (0.18, 0.17), 190, 390), (0.3, 0.8), (0.72, 0.8)]],
    3: [arc((0.48, 0.34), (0.17, 0.16), 200, 440) + arc((0.48, 0.66), (0.19, 0.17), -80, 160)],
    4: [[(0.35, 0.2), (0.3, 0.52), (0.7, 0.52)], [(0.62, 0.2), (0.6, 0.85)]],
    5: [[(0.36, 0.2), (0.34, 0.47), *arc((0.48, 0.63), (0.18, 0.19), -120, 130)], [(0.36, 0.2), (0.68, 0.2)]],
    6: [[(0.6, 0.16), (0.42, 0.4), *arc((0.5, 0.64), (0.15, 0.17), -160, 200)]],
    7: [[(0.28, 0.22), (0.72, 0.22), (0.45, 0.84)]],
    8: [arc((0.5, 0.34), (0.14, 0.15), 90, 450) + arc((0.5, 0.66), (0.17, 0.17), -90, 270)],
    9: [[*arc((0.5, 0.36), (0.15, 0.17), 0, -360), (0.63, 0.84)]],
}


def draw(page: Page, stroke: Stroke) -> None:
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()


def open_canvas(page: Page, url: str) -> None:
    page.goto(f"{url}/draw")
    expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()
    expect(page.locator("canvas.upper-canvas")).to_be_visible()


def test_all_ten_digits_are_read(page: Page, server) -> None:
    open_canvas(page, server.url)
    for digit, strokes in DIGITS.items():
        for stroke in strokes:
            draw(page, stroke)
            page.wait_for_timeout(300)  # people pause between strokes; the canvas sends 200 ms after the last one
        reading = page.get_by_test_id("stMetric").filter(has_text="Reading")
        expect(reading.get_by_test_id("stMetricValue")).to_have_text(str(digit))
        expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
        expect(page.get_by_text("28 × 28 pixels")).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()


def test_each_stroke_is_answered_and_clear_starts_over(page: Page, server) -> None:
    open_canvas(page, server.url)
    bar, stem = DIGITS[4]
    value = page.get_by_test_id("stMetricValue")
    draw(page, bar)
    expect(value).to_be_visible()
    draw(page, stem)
    expect(value).to_have_text("4")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()
    expect(value).to_have_count(0)
    draw(page, DIGITS[1][0])
    expect(value).to_have_text("1")


def test_the_network_can_be_changed_under_a_drawing(page: Page, server) -> None:
    open_canvas(page, server.url)
    draw(page, DIGITS[0][0])
    value = page.get_by_test_id("stMetricValue")
    expect(value).to_have_text("0")
    page.get_by_label("Network", exact=True).click()
    page.get_by_role("option", name=re.compile("^keras-steps")).click()
    expect(page).to_have_url(re.compile("run=keras-steps"))
    expect(value).to_have_text("0")
