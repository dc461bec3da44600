"""Pages whose words a translator exchanges, as Google's does: React finds none of its texts where it put them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.support.steps import DIGITS, draw, reading
from ui import explore, train
from ui.session.views import View

pytestmark = pytest.mark.no_charts

# Takes each text out and puts its translation, here the same in capitals, into two <font> elements in its place; what
# changes is translated anew.
TRANSLATOR = """
const translate = (node) => {
  if (node.nodeType !== Node.TEXT_NODE) return node.childNodes.forEach(translate)
  const parent = node.parentElement
  if (!node.data.trim() || !parent?.closest("body") || parent.closest("font, style, script, [translate=no]")) return
  const [outer, inner] = [document.createElement("font"), document.createElement("font")]
  inner.textContent = node.data.toUpperCase()
  outer.append(inner)
  parent.replaceChild(outer, node)
}
new MutationObserver((records) => {
  for (const { type, target, addedNodes } of records) {
    for (const node of type === "characterData" ? [target] : addedNodes) translate(node)
  }
}).observe(document, { childList: true, subtree: true, characterData: true })
"""


@pytest.fixture
def translated(page: Page) -> Iterator[Page]:
    """A tab that translates; in the end, React must not have missed a text."""
    missed: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "on 'Node'" in message.text:
            missed.append(message.text)

    page.on("console", note)
    with page.add_init_script(TRANSLATOR):
        yield page
    page.remove_listener("console", note)
    assert missed == []


def walk(page: Page, views: Mapping[str, View]) -> Iterator[str]:
    """Open each view of a page in turn, and yield its name once it is there."""
    for name, view in views.items():
        button = page.get_by_role("radio", name=view.label.upper(), exact=True)
        if not button.is_checked():  # as the first is when one comes
            button.click()
            expect(page).to_have_url(re.compile(f"view={name}"))
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        yield name


@pytest.mark.fault(id="translated-page")
def test_a_translated_page_follows_who_goes_through_all_pages(translated: Page, server) -> None:
    page = translated
    page.goto(f"{server.url}/explore?run=chollet")
    expect(page.get_by_role("heading", level=1)).to_have_text("EXPLORE THE DIGITS")
    for name in walk(page, explore.VIEWS):
        if name in ("mistakes", "labels"):
            tiles = page.locator(".digit-grid button")
            tiles.first.click()
            expect(page.get_by_text("PREDICT ITS LABEL")).to_be_visible()
            page.get_by_role("button", name="Back").click()
            expect(tiles.first).to_be_visible()
        if name == "mistakes":  # what changes on the page changes in translation
            pager = page.locator(".st-key-pager-mistakes")
            expect(pager).to_contain_text("MISTAKES: 91")
            page.get_by_role("radio", name="RIGHT BUT UNCERTAIN", exact=True).click()
            expect(pager).to_contain_text("RIGHT BUT UNCERTAIN PREDICTIONS: 1–100 OF 138")

    menu = page.get_by_test_id("stSidebar")
    menu.get_by_role("link", name="Train").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("TRAIN A NETWORK")
    assert [*walk(page, train.VIEWS)] == [*train.VIEWS]

    menu.get_by_role("link", name="Draw").click()
    expect(page.get_by_role("button", name="Clear")).to_be_visible()
    draw(page, DIGITS[7][0])
    expect(reading(page)).to_have_text("7")
