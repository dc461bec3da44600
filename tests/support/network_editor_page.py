"""Serving the network editor alone, and what tests see on its page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from mnist_core.common.server import PROJECT
from tests.support.serving import Server, start_server

# What a page does with the editor. The query tells how: `wait` seconds before it in each run, `linger` seconds after
# its answer, `ponder` seconds before what was typed is stored.
SCRIPT = """
import time
import streamlit as st
from unittest.mock import patch
from ui.components import network_editor as editor

st.set_page_config(layout="wide")
state = st.session_state
state.setdefault("notation", "32C3-P2-64C3-P2-D0.5-10")
state.setdefault("version", "0")
state.setdefault("heard", [])
state.runs = state.get("runs", 0) + 1
time.sleep(float(st.query_params.get("wait", 0)))

def component_that_lingers(*arguments, show=editor._component, **options):
    show(*arguments, **options)
    time.sleep(float(st.query_params.get("linger", 0)))

def put(text):
    state.notation = text
    state.version = f"{int(state.version) + 1}"

def hear(text):
    time.sleep(float(st.query_params.get("ponder", 0)))
    state.heard.append(text)
    state.notation = text

st.button("Preset", on_click=put, args=("16C5-P2-10",))
st.button("Another", on_click=put, args=("BN-10",))
st.button("Nothing")
st.button("Start again", on_click=put, args=("32C3-P2-64C3-P2-D0.5-10",))
if not st.toggle("Hide"):
    with patch.object(editor, "_component", component_that_lingers):
        editor.network_editor(
            state.notation, state.version, key="editor", on_change=hear, current_version=lambda: state.version
        )
st.code(state.notation, language=None)
st.caption(f"Run {state.runs}. Heard: {' '.join(state.heard)}.")

if "tick" in st.query_params:
    @st.fragment(run_every=0.05)
    def tick():
        if state.get("ticked"):
            state.ticked = False
            st.rerun()
        state.ticked = True
    tick()
"""


def serve_editor(folder: Path) -> Server:
    """Serve nothing but the editor."""
    script = folder / "page.py"
    script.write_text(SCRIPT)
    environment = {"PYTHONPATH": str(PROJECT), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    return start_server(folder, script, **environment)


def open_editor(page: Page, url: str, query: str = "") -> Locator:
    """Open the page and return the field with the notation."""
    page.goto(f"{url}/?{query}")
    expect(page.locator(".total .parameters")).to_have_text("34,826")
    return page.get_by_label("Network", exact=True)


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Layers").get_by_role("listitem")


def expect_told(page: Page, text: str) -> None:
    """Wait until the script has the text, and the rows are about it."""
    expect(page.get_by_test_id("stCode")).to_have_text(text)
    expect(page.locator(".network-editor.waiting")).to_have_count(0)


def expect_rows(page: Page, *columns: tuple[str, str, str]) -> None:
    """Kinds, output shapes and parameters, layer by layer."""
    shown = rows(page)
    expect(shown).to_have_count(len(columns))
    for place, (kind, output, parameters) in enumerate(columns):
        row = shown.nth(place)
        if kind == "Output":
            expect(row.locator(".kind")).to_have_text(kind)
        else:
            expect(row.get_by_role("combobox", name=f"Layer {place + 1} kind")).to_have_value(kind)
        expect(row.locator(".output")).to_have_text(output)
        expect(row.locator(".parameters")).to_have_text(parameters)
