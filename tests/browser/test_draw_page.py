"""Digits drawn on the canvas with the mouse, stroke by stroke, in a real browser."""

import re

from playwright.sync_api import Page, expect
from steps import DIGITS, clear, draw, open_canvas


def test_all_ten_digits_are_read(page: Page, server) -> None:
    open_canvas(page, server.url)
    for digit, strokes in DIGITS.items():
        page.wait_for_timeout(700)  # a canvas that was just put in place takes a moment to listen
        for stroke in strokes:
            draw(page, stroke)
            page.wait_for_timeout(300)  # people pause between strokes; the canvas sends 200 ms after the last one
        reading = page.get_by_test_id("stMetric").filter(has_text="Reading")
        expect(reading.get_by_test_id("stMetricValue")).to_have_text(str(digit))
        expect(page.get_by_test_id("stPlotlyChart")).to_have_count(1)  # the old one may stay until the new one is there
        expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
        expect(page.get_by_text("28 × 28 pixels")).to_be_visible()
        clear(page)


def test_each_stroke_is_answered_and_clear_starts_over(page: Page, server) -> None:
    open_canvas(page, server.url)
    bar, stem = DIGITS[4]
    value = page.get_by_test_id("stMetricValue")
    draw(page, bar)
    expect(value).to_be_visible()
    draw(page, stem)
    expect(value).to_have_text("4")
    clear(page)
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
