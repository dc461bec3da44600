"""What a visitor meets first: any page, on a server that nobody has asked for anything yet."""

import sys
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.support.steps import DIGITS, draw, open_canvas, reading

TITLES = {"": "Digit Lab", "train": "Train a network", "explore": "Explore the digits", "draw": "Draw a digit"}


@pytest.mark.no_charts
def test_home_leads_everywhere_and_back(page: Page, server) -> None:
    for link, title in (
        ("Train a network", TITLES["train"]),
        ("Explore the digits", TITLES["explore"]),
        ("Draw a digit", TITLES["draw"]),
    ):
        page.goto(server.url)
        expect_title(page, "Digit Lab")
        page.get_by_test_id("stMain").get_by_role("link", name=link).click()
        expect_title(page, title)


def expect_title(page: Page, title: str) -> None:
    """Wait for a page with its heading, its menu, and its name in the browser's list of tabs."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    menu = page.get_by_test_id("stSidebar").get_by_test_id("stPageLink-NavLink")
    expect(menu).to_contain_text(["Home", "Train", "Explore", "Draw"])
    expect(page.get_by_test_id("stSidebar").get_by_text("Convolutional networks")).to_be_visible()
    path = next(path for path, each in TITLES.items() if each == title)
    expect(page).to_have_title(f"{(path or 'home').capitalize()} · Digit Lab")


@pytest.mark.no_charts
@pytest.mark.fault(id="page-lost")
def test_a_page_that_goes_blank_comes_back_once(page: Page, server) -> None:
    page.goto(f"{server.url}/train?epochs=7")
    epochs = page.get_by_role("spinbutton", name="Epochs", exact=True)
    expect(epochs).to_have_value("7")
    lose = "() => { document.getElementById('root').replaceChildren(); window.dispatchEvent(new ErrorEvent('error')) }"
    page.evaluate(lose)
    expect(epochs).to_have_value("7")
    page.evaluate(lose)  # at once again: it would go on for ever
    page.wait_for_timeout(1000)
    expect(epochs).to_have_count(0)


@pytest.mark.parametrize("path", TITLES)
def test_no_page_is_wider_than_a_phone(page: Page, server, path: str) -> None:
    page.set_viewport_size({"width": 400, "height": 860})
    page.goto(f"{server.url}/{path}")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLES[path])
    page.wait_for_load_state("networkidle")
    sticking_out = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter((n) => n.getBoundingClientRect().right > 401)"
        ".map((n) => n.outerHTML.slice(0, 120))"
    )
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400, sticking_out


@pytest.mark.no_charts
def test_the_server_never_loads_tensorflow(page: Page, fresh_server) -> None:
    for path in ("", "train", "explore?view=mistakes", "explore?view=confusion"):
        page.goto(f"{fresh_server.url}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    open_canvas(page, fresh_server.url)
    draw(page, DIGITS[7][0])
    expect(reading(page)).to_have_text("7")

    served_by = psutil.Process(fresh_server.process.pid)
    assert not libraries_with("tensorflow", served_by)
    assert served_by.memory_info().rss < 300e6
    # The check can see: the inference process, a child of the server, has it loaded.
    assert any(libraries_with("tensorflow", child) for child in served_by.children(recursive=True))


def libraries_with(word: str, process: psutil.Process) -> list[str]:
    if sys.platform == "darwin":
        pytest.skip("macOS does not tell what another process has loaded.")
    return [Path(entry.path).name for entry in process.memory_maps() if word in entry.path.lower()]
