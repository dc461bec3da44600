"""The connection to the server is lost for a while: what a page shows afterwards is what counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from mnist_core.common.server import PROJECT
from tests.support.line import Line
from tests.support.serving import Server, start_server, stop_server

pytestmark = pytest.mark.no_charts

# A page with a setting that the address holds, what must not be pressed without a connection, and a canvas.
SCRIPT = """
import streamlit as st
from ui.components import connection

connection.watch()
st.session_state.epochs = int(st.query_params.get("epochs", 15))
def take(): st.query_params["epochs"] = st.session_state.epochs
st.number_input("Epochs", step=1, key="epochs", on_change=take)
st.button("Keep this 7", icon=":material/bookmark_add:")
with st.container(key="drawing"):
    st.text("Canvas")
"""


@pytest.fixture
def line_to() -> Iterator[Callable[[Server], Line]]:
    lines: list[Line] = []

    def make(server: Server) -> Line:
        lines.append(Line(int(server.url.rpartition(":")[2])))
        return lines[-1]

    yield make
    for line in lines:
        line.close()


@pytest.fixture
def forgetful_server(tmp_path: Path) -> Iterator[Server]:
    """A server that forgets visitors as soon as they are gone."""
    script = tmp_path / "page.py"
    script.write_text(SCRIPT)
    environment = {"SERVER_DISCONNECTED_SESSION_TTL": "0", "BROWSER_GATHER_USAGE_STATS": "false"}
    options = {f"STREAMLIT_{name}": value for name, value in environment.items()}
    running = start_server(tmp_path, script, PYTHONPATH=str(PROJECT), **options)
    yield running
    stop_server(running)


def notice(page: Page) -> Locator:
    return page.get_by_text("Connection lost. This page pauses until it is back.")


def is_paused(element: Locator) -> bool:
    paused: bool = element.evaluate("(element) => Boolean((element.getRootNode().host ?? element).closest('[inert]'))")
    return paused


@pytest.mark.fault(id="connection-lost")
def test_what_was_changed_before_and_during_a_cut_counts(page: Page, server, line_to) -> None:
    line = line_to(server)
    page.goto(f"{line.url}/train")
    epochs = page.get_by_role("spinbutton", name="Epochs", exact=True)
    train = page.get_by_role("button", name="Train", exact=True)
    expect(train).to_be_enabled()
    epochs.fill("7")  # the page is not told before the field is left
    with line.cut():
        expect(notice(page)).to_be_visible()
        assert is_paused(train)
        assert is_paused(page.locator(".network-editor"))
        expect(epochs).to_have_value("7")
    expect(page).to_have_url(re.compile("epochs=7"))
    expect(notice(page)).to_have_count(0)
    expect(epochs).to_be_focused()
    assert not is_paused(epochs)

    with line.cut(silently=True):  # nobody is told
        page.get_by_label("Layer 1 filters").fill("16")
        expect(page.locator(".network-editor.waiting")).to_be_visible()
        expect(notice(page)).to_be_visible()
    expect(page).to_have_url(re.compile("architecture=16C3-"))
    expect(page.locator(".network-editor.waiting")).to_have_count(0)
    expect(notice(page)).to_have_count(0)
    expect(epochs).to_have_value("7")
    expect(page.get_by_test_id("stToast")).to_have_count(0)


@pytest.mark.fault(id="session-forgotten")
def test_a_forgotten_visit_goes_on_from_the_address(page: Page, forgetful_server, line_to) -> None:
    line = line_to(forgetful_server)
    page.goto(line.url)
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("7")
    epochs.press("Enter")
    expect(page).to_have_url(re.compile("epochs=7"))
    with line.cut():
        expect(notice(page)).to_be_visible()
        assert is_paused(page.get_by_role("button", name="Keep this 7"))
        assert not is_paused(page.get_by_text("Canvas"))
        page.wait_for_timeout(5000)  # until Streamlit would cover the page with words of its own
        expect(page.get_by_test_id("stDialog")).to_have_count(0)
    expect(page.get_by_test_id("stToast")).to_contain_text("The server has forgotten your visit")
    expect(epochs).to_have_value("7")
    expect(page).to_have_url(re.compile("epochs=7"))
