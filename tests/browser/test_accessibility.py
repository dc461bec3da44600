"""Keyboard, screen reader and colours: every page and view as axe-core judges it, and where the focus goes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.support.accessibility import CONTRAST, violations

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = (
    (WIDE, "light"),
    (WIDE, "dark"),
    (PHONE, "dark"),
    (PHONE, "light"),
)


def settle(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.wait_for_function("[...document.querySelectorAll('.live-chart')].every((chart) => chart._fullLayout)")


def looks(page: Page) -> Iterator[str]:
    """Give a page the four looks that it can have, in an order that changes little from one to the next."""
    for size, scheme in LOOKS if page.viewport_size == WIDE else reversed(LOOKS):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        settle(page)
        yield f"{scheme}, {size['width']} px"


def judge(page: Page) -> list[str]:
    """Judge a page by all rules in light, and by its colours alone in dark."""
    return [
        f"{page.url}, {look}: {violation}"
        for look in looks(page)
        for violation in violations(page, () if "light" in look else CONTRAST)
    ]


def test_everybody_can_use_every_view(page: Page, server) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(server.url)
    page.add_style_tag(content="* { transition: none !important }")  # colours on their way are no colours of ours
    links = page.get_by_test_id("stSidebar").get_by_test_id("stPageLink-NavLink")
    expect(links.first).to_be_visible()
    found = []
    for place in range(links.count()):
        title = Path(links.nth(place).get_attribute("href")).name.capitalize() or "Home"
        page.set_viewport_size(WIDE)  # on a phone, the menu is closed
        links.nth(place).click()
        expect(page).to_have_title(f"{title} · Digit Lab")
        settle(page)
        views = page.get_by_role("radiogroup", name="View", exact=True).get_by_role("radio")
        if title != "Home":
            expect(views.first).to_be_visible()
        for view in views.all() or [None]:
            if view is not None and not view.is_checked():
                before = page.url
                view.click()
                expect(page).not_to_have_url(before)
                settle(page)
            found += judge(page)
    assert not found, "\n".join(found)


@pytest.mark.no_charts
def test_the_focus_goes_to_what_was_opened_and_back(page: Page, server) -> None:
    page.goto(f"{server.url}/explore?view=mistakes&size=25")
    tiles = page.locator(".digit-grid button")
    expect(tiles).to_have_count(25)
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("place 3 of")).to_be_visible()
    page.keyboard.press("Escape")
    expect(tiles).to_have_count(25)
    expect(tiles.nth(2)).to_be_focused()
    assert tiles.nth(2).bounding_box()["y"] > 60  # not below Streamlit's header


@pytest.mark.no_charts
def test_the_confusion_matrix_by_keyboard_and_in_any_colours(page: Page, server) -> None:
    page.goto(f"{server.url}/explore?view=confusion&run=nehlr")
    cell = page.locator("[data-cell='9,4']")
    expect(cell).to_be_visible()
    expect(page.locator(".confusion button[tabindex='0']")).to_have_count(1)
    page.locator("[data-cell=',4']").focus()
    page.keyboard.press("End")
    expect(page.locator("[data-cell='9,9']")).to_be_focused()
    for _ in range(10):  # there are no images in some of the cells
        page.keyboard.press("ArrowLeft")
        if cell.evaluate("(node) => node.matches(':focus')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("labelled 9 and predicted as 4"))).to_be_visible()
    expect(cell).to_be_focused()
    expect(page.locator(".confusion button[tabindex='0']")).to_have_count(1)
    shade = "(node) => getComputedStyle(node).backgroundColor"
    before = cell.evaluate(shade)
    page.emulate_media(forced_colors="active")
    after = cell.evaluate(shade)
    page.emulate_media(forced_colors="none")
    assert after == before


@pytest.mark.no_charts
def test_train_is_near_for_the_keyboard(page: Page, server) -> None:
    page.goto(f"{server.url}/train")
    train = page.get_by_role("button", name="Train", exact=True)
    expect(train).to_be_enabled()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Skip to main content
    skip = page.get_by_role("button", name="Skip to Train")
    for _ in range(6):
        page.keyboard.press("Tab")
        if skip.evaluate("(node) => node.matches(':focus')"):
            break
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(train).to_be_focused()


@pytest.mark.no_charts
def test_a_frame_in_another_page_shows_canvas_and_reading(page: Page, server) -> None:
    page.set_viewport_size({"width": 700, "height": 500})
    page.goto(f"{server.url}/draw?embed=true")
    expect(page.locator(".st-key-answer .answer")).to_be_in_viewport(ratio=1)
    expect(page.locator("canvas.upper-canvas")).to_be_in_viewport(ratio=1)
    expect(page.get_by_test_id("stSidebar")).not_to_be_in_viewport()
