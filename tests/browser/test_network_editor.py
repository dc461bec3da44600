"""The network editor in a real browser."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from serving import PROJECT

from mnist_core.notation import parse_architecture

CHOLLET = "32C3-P2-64C3-P2-D0.5-10"

# What a page does with the editor. The query tells how: `wait` seconds in each run, `tell` by callback or by return,
# `forget` the edit in a run.
SCRIPT = """
import sys, time
sys.path.insert(0, PROJECT)
import streamlit as st
from unittest.mock import patch
from ui.train.network_editor import Agreement, network_editor

st.set_page_config(layout="wide")
state = st.session_state
state.setdefault("notation", "32C3-P2-64C3-P2-D0.5-10")
state.setdefault("heard", [])
state.runs = state.get("runs", 0) + 1
time.sleep(float(st.query_params.get("wait", 0)))

def put(text):
    state.notation = text

def hear(text):
    state.heard.append(text)
    put(text)

st.button("Preset", on_click=put, args=("16C5-P2-10",))
st.button("Start again", on_click=put, args=("32C3-P2-64C3-P2-D0.5-10",))
if not st.toggle("Hide"):
    if st.query_params.get("tell") == "return":
        state.notation = network_editor(state.notation, key="editor")
    elif st.query_params.get("forget") == str(state.runs):
        with patch.object(Agreement, "edited", lambda self, edit: "32C3-P2-64C3-P2-D0.5-10"):
            network_editor("32C3-P2-64C3-P2-D0.5-10", key="editor")
    else:
        network_editor(state.notation, key="editor", on_change=hear, current=lambda: state.notation)
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


@pytest.fixture(scope="module")
def editor_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that shows nothing but the editor."""
    folder = tmp_path_factory.mktemp("editor")
    (folder / "page.py").write_text(SCRIPT.replace("PROJECT", repr(str(PROJECT))))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["headless=true", f"port={port}", "address=127.0.0.1", "fileWatcherType=none"]
    command = [sys.executable, "-m", "streamlit", "run", "page.py", *(f"--server.{option}" for option in options)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--browser.gatherUsageStats=false"], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not answers(url):
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
            return True
    except OSError:
        return False


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


def test_the_table_says_what_each_layer_does(page: Page, editor_url: str) -> None:
    open_editor(page, editor_url)
    expect_rows(
        page,
        ("Convolution", "26 × 26 × 32", "320"),
        ("Max pooling", "13 × 13 × 32", "0"),
        ("Convolution", "11 × 11 × 64", "18,496"),
        ("Max pooling", "5 × 5 × 64", "0"),
        ("Dropout", "5 × 5 × 64", "0"),
        ("Output", "10", "16,010"),
    )
    expect(rows(page).nth(2).locator(".arithmetic")).to_have_text("3×3×32×64 + 64")
    expect(rows(page).nth(2).locator(".work")).to_have_text("2,230,272")
    expect(page.locator(".total .work")).to_have_text("2,440,960")
    expect(page.get_by_label("Layer 3 filters")).to_have_value("64")
    expect(page.get_by_label("Layer 3 kernel size")).to_have_value("3")
    expect(page.get_by_label("Layer 4 stride")).to_have_value("2")
    expect(page.get_by_label("Layer 5 rate")).to_have_value("0.5")
    expect(page.get_by_label("Layer 1 padding").locator("option:checked")).to_have_text("valid")
    expect(page.get_by_label("Layer 1 activation").locator("option:checked")).to_have_text("relu")
    expect(rows(page).last.locator("input, select, button")).to_have_count(0)


def test_typing_is_answered_without_enter_and_the_caret_stays(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    field.focus()
    field.evaluate("(input) => input.setSelectionRange(10, 10)")  # after 32C3-P2-64
    page.keyboard.press("Backspace")
    expect(page.locator(".total .parameters")).to_have_text(f"{320 + 9 * 32 * 6 + 6 + 25 * 6 * 10 + 10:,}")
    expect_told(page, "32C3-P2-6C3-P2-D0.5-10")
    page.keyboard.type("4")
    expect(page.locator(".total .parameters")).to_have_text("34,826")
    expect(field).to_be_focused()
    assert field.evaluate("(input) => [input.selectionStart, input.selectionEnd]") == [10, 10]


@pytest.mark.parametrize("tell", ["callback", "return"])
@pytest.mark.parametrize(
    "pause", [20, 270, 400]
)  # milliseconds: one run for all keys, one run for each, cut short or not
def test_no_letter_is_lost_while_the_server_is_slow(page: Page, editor_url: str, tell: str, pause: int) -> None:
    field = open_editor(page, editor_url, f"wait=0.3&tell={tell}")
    field.fill("")
    text = "6C5-P2-BN-10"
    watch_text(page)
    page.keyboard.type(text, delay=pause)
    expect_told(page, text)
    expect(field).to_have_value(text)
    expect(page.locator(".total .parameters")).to_have_text(f"{25 * 6 + 6 + 4 * 6 + 12 * 12 * 6 * 10 + 10:,}")
    seen = page.evaluate("window.seen")
    assert seen == [text[:length] for length in range(1, len(text) + 1)]  # it only ever grew


def watch_text(page: Page) -> None:
    """Note in `window.seen` each text that the field shows, frame by frame."""
    page.get_by_label("Network", exact=True).evaluate(
        """(field) => {
            window.seen = []
            const look = () => {
                if (field.value && field.value !== window.seen.at(-1)) window.seen.push(field.value)
                requestAnimationFrame(look)
            }
            look()
        }"""
    )


def test_runs_for_other_reasons_do_not_disturb_typing(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url, "tick&wait=0.05")
    field.fill("10")
    expect_told(page, "10")
    field.press("Home")
    watch_text(page)
    before = runs_so_far(page)
    text = "12C3:same-A2-24C3:same-D0.5-"
    page.keyboard.type(text, delay=130)
    expect_told(page, f"{text}10")
    assert runs_so_far(page) > before + 3  # one of them tells the text
    assert [each for each in page.evaluate("window.seen") if each != "10"] == [
        f"{text[:length]}10" for length in range(1, len(text) + 1)
    ]
    assert field.evaluate("(input) => input.selectionStart") == len(text)


def runs_so_far(page: Page) -> int:
    match = re.search(r"Run (\d+)", page.get_by_text("Heard").inner_text())
    assert match is not None
    return int(match[1])


def test_the_caller_hears_each_text_once_and_in_order(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    field.fill("8C3-10")
    expect_told(page, "8C3-10")
    page.get_by_label("Layer 1 activation").select_option("tanh")
    expect_told(page, "8C3:tanh-10")
    page.get_by_role("button", name="Preset").click()
    expect_told(page, "16C5-P2-10")
    page.get_by_role("button", name="Remove layer 2").click()
    expect_told(page, "16C5-10")
    expect(page.get_by_text("Heard: 8C3-10 8C3:tanh-10 16C5-10.")).to_be_visible()


def test_a_mistake_is_marked_at_its_token_and_in_its_row(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    field.fill("32C3-P2-64Q3-P2-D0.5-10")
    expect(page.get_by_role("status")).to_contain_text("Token 3, “64Q3”: is not a layer")
    mark = page.locator("mark")
    expect(mark).to_have_text("64Q3")
    assert abs(left(page, "mark") - text_left(page, 8)) < 1.5
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(rows(page).nth(2)).to_have_class(re.compile("mistake"))
    expect(page.locator("li.mistake")).to_have_count(1)
    expect_rows(
        page,
        ("Convolution", "26 × 26 × 32", "320"),
        ("Max pooling", "13 × 13 × 32", "0"),
        ("", "?", "?"),
        ("Max pooling", "?", "?"),
        ("Dropout", "?", "?"),
        ("Output", "?", "?"),
    )
    expect(page.get_by_label("Layer 5 rate")).to_have_value("0.5")
    expect(rows(page).nth(2)).to_contain_text("64Q3")
    expect(page.locator(".total .parameters")).to_have_text("?")
    expect_told(page, "32C3-P2-64Q3-P2-D0.5-10")

    page.get_by_label("Layer 3 kind").select_option("Convolution")
    expect_told(page, "32C3-P2-32C3-P2-D0.5-10")
    expect(page.locator("li.mistake")).to_have_count(0)
    expect(mark).to_have_text("")
    expect(field).to_have_attribute("aria-invalid", "false")


def test_the_mark_follows_a_text_that_is_longer_than_the_field(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    page.set_viewport_size({"width": 500, "height": 900})
    field.fill("8C3:same-" * 15 + "what-10")
    expect(page.locator("mark")).to_have_text("what")
    field.press("End")
    expect_told(page, "8C3:same-" * 15 + "what-10")
    assert field.evaluate("(input) => input.scrollLeft") > 100
    assert abs(left(page, "mark") - text_left(page, 9 * 15)) < 1.5


def left(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"]


def text_left(page: Page, characters: int) -> float:
    """Where on the screen a character of the field begins; its font has one width for all."""
    measured: float = page.get_by_label("Network", exact=True).evaluate(
        """(input, characters) => {
            const style = getComputedStyle(input)
            const context = document.createElement("canvas").getContext("2d")
            context.font = style.font
            const start = input.getBoundingClientRect().left + parseFloat(style.paddingLeft) - input.scrollLeft
            return start + context.measureText("0").width * characters
        }""",
        characters,
    )
    return measured


def test_numbers_out_of_bounds_keep_their_fields(page: Page, editor_url: str) -> None:
    open_editor(page, editor_url)
    filters = page.get_by_label("Layer 3 filters")
    filters.fill("2000")
    expect(page.get_by_role("status")).to_contain_text("the number of filters must be a whole number from 1 to 1,024")
    expect_told(page, "32C3-P2-2000C3-P2-D0.5-10")
    expect(filters).to_have_value("2000")
    expect(filters).to_be_focused()
    filters.fill("")  # says nothing yet
    filters.press_sequentially("16", delay=20)
    expect_told(page, "32C3-P2-16C3-P2-D0.5-10")
    filters.fill("")
    filters.blur()
    expect(filters).to_have_value("16")
    rate = page.get_by_label("Layer 5 rate")
    rate.focus()
    rate.press("ControlOrMeta+a")
    page.keyboard.type("0.25", delay=350)  # each key is answered; 0 and “0.” are no rates yet
    expect_told(page, "32C3-P2-16C3-P2-D0.25-10")
    expect(rate).to_have_value("0.25")


def test_fields_write_the_notation(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    page.get_by_label("Layer 1 kernel size").fill("5")
    expect_told(page, "32C5-P2-64C3-P2-D0.5-10")
    page.get_by_label("Layer 1 stride").fill("2")
    expect_told(page, "32C5S2-P2-64C3-P2-D0.5-10")
    page.get_by_label("Layer 1 padding").select_option("same")
    expect_told(page, "32C5S2:same-P2-64C3-P2-D0.5-10")
    page.get_by_label("Layer 3 activation").select_option("elu")
    expect_told(page, "32C5S2:same-P2-64C3:elu-P2-D0.5-10")
    page.get_by_label("Layer 4 pool size").fill("3")  # a stride that is left out follows
    expect_told(page, "32C5S2:same-P2-64C3:elu-P3-D0.5-10")
    expect(page.get_by_label("Layer 4 stride")).to_have_value("3")
    page.get_by_label("Layer 4 stride").fill("1")
    expect_told(page, "32C5S2:same-P2-64C3:elu-P3S1-D0.5-10")
    page.get_by_label("Layer 5 rate").fill("0.25")
    expect_told(page, "32C5S2:same-P2-64C3:elu-P3S1-D0.25-10")
    page.get_by_label("Layer 2 kind").select_option("Batch normalization")
    expect_told(page, "32C5S2:same-BN-64C3:elu-P3S1-D0.25-10")
    expect(field).to_have_value("32C5S2:same-BN-64C3:elu-P3S1-D0.25-10")
    parameters = parse_architecture("32C5S2:same-BN-64C3:elu-P3S1-D0.25-10").parameters
    expect(page.locator(".total .parameters")).to_have_text(f"{parameters:,}")


def test_a_number_can_be_typed_while_the_server_is_slow(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url, "wait=0.3")
    filters = page.get_by_label("Layer 1 filters")
    filters.focus()
    filters.press("ControlOrMeta+a")
    page.keyboard.type("128", delay=300)
    expect(field).to_have_value("128C3-P2-64C3-P2-D0.5-10")
    expect_told(page, "128C3-P2-64C3-P2-D0.5-10")
    expect(filters).to_have_value("128")
    expect(filters).to_be_focused()


def test_layers_are_added_where_they_fit_moved_and_removed(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    field.fill("32C3-P2-128-D0.5-10")
    expect_told(page, "32C3-P2-128-D0.5-10")
    page.get_by_role("button", name="Add convolution").click()
    expect_told(page, "32C3-P2-32C3-128-D0.5-10")
    expect(page.get_by_label("Layer 3 kind")).to_be_focused()
    page.get_by_role("button", name="Add batch normalization").click()
    expect_told(page, "32C3-P2-32C3-128-D0.5-BN-10")
    page.get_by_role("button", name="Move layer 3 up").click()
    expect_told(page, "32C3-32C3-P2-128-D0.5-BN-10")
    page.get_by_role("button", name="Move layer 1 down").click()
    page.get_by_role("button", name="Move layer 2 down").click()
    expect_told(page, "32C3-P2-32C3-128-D0.5-BN-10")
    page.get_by_role("button", name="Remove layer 5").click()
    expect_told(page, "32C3-P2-32C3-128-BN-10")
    expect_rows(
        page,
        ("Convolution", "26 × 26 × 32", "320"),
        ("Max pooling", "13 × 13 × 32", "0"),
        ("Convolution", "11 × 11 × 32", "9,248"),
        ("Dense", "128", "495,744"),
        ("Batch normalization", "128", "512"),
        ("Output", "10", "1,290"),
    )


def test_layers_at_an_end_stay_and_the_output_is_fixed(page: Page, editor_url: str) -> None:
    open_editor(page, editor_url)
    for name in ("Move layer 1 up", "Move layer 5 down"):
        button = page.get_by_role("button", name=name)
        expect(button).to_have_attribute("aria-disabled", "true")
        button.dispatch_event("click")
    page.get_by_role("button", name="Remove layer 5").click()
    expect_told(page, "32C3-P2-64C3-P2-10")


def test_the_table_works_by_keyboard(page: Page, editor_url: str) -> None:
    open_editor(page, editor_url)
    page.get_by_role("button", name="Move layer 5 up").focus()
    for _ in range(3):  # the focus goes with the layer
        page.keyboard.press("Enter")
    expect_told(page, "32C3-D0.5-P2-64C3-P2-10")
    expect(page.get_by_role("button", name="Move layer 2 up")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect_told(page, "32C3-P2-64C3-P2-10")
    expect(page.get_by_role("button", name="Remove layer 2")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Enter")
    expect_told(page, "10")
    expect(page.get_by_role("button", name="Add convolution")).to_be_focused()
    page.keyboard.press("Enter")
    expect_told(page, "32C3-10")


def test_quick_changes_add_up_while_the_server_is_slow(page: Page, editor_url: str) -> None:
    open_editor(page, editor_url, "wait=0.4")
    page.get_by_role("button", name="Remove layer 5").click()
    page.get_by_role("button", name="Remove layer 4").click()
    page.get_by_role("button", name="Move layer 3 up").click()
    page.get_by_role("button", name="Add dense").click()
    expect_told(page, "32C3-64C3-P2-128-10")
    page.get_by_role("button", name="Move layer 1 down").click()  # and back: the text of the last answer again
    page.get_by_role("button", name="Move layer 2 up").click()
    expect_told(page, "32C3-64C3-P2-128-10")
    expect(rows(page).nth(3).locator(".output")).to_have_text("128")


@pytest.mark.parametrize(("forgetful_run", "text"), [(2, "32C3-P2-64C3-P2-10"), (3, "32C3-P2-64C3-10")])
def test_the_newest_change_is_sent_again_if_the_answer_is_about_another(
    page: Page, editor_url: str, forgetful_run: int, text: str
) -> None:
    open_editor(page, editor_url, f"forget={forgetful_run}")
    for _ in range(forgetful_run - 1):
        expect(page.locator(".network-editor.waiting")).to_have_count(0)
        page.locator("li.row").nth(-2).get_by_role("button", name="Remove").click()
    expect_told(page, text)
    expect(page.get_by_test_id("stCaptionContainer")).to_contain_text(f"Run {forgetful_run + 1}.")


def test_a_change_to_the_table_waits_for_the_text_just_typed(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url, "wait=0.3")
    field.press("End")
    field.press("ArrowLeft")
    field.press("ArrowLeft")
    page.keyboard.type("BN-", delay=5)
    page.get_by_role("button", name="Remove layer 2").dispatch_event("click")  # the field keeps the focus
    expect_told(page, "32C3-64C3-P2-D0.5-BN-10")
    expect(field).to_have_value("32C3-64C3-P2-D0.5-BN-10")


@pytest.mark.parametrize("tell", ["callback", "return"])
def test_the_caller_can_replace_the_text(page: Page, editor_url: str, tell: str) -> None:
    field = open_editor(page, editor_url, f"tell={tell}")
    field.fill("8C3-10")
    expect_told(page, "8C3-10")
    page.get_by_role("button", name="Preset").click()
    expect_told(page, "16C5-P2-10")
    expect(field).to_have_value("16C5-P2-10")
    expect(rows(page)).to_have_count(3)
    field.press("Home")
    page.keyboard.type("BN-")
    expect_told(page, "BN-16C5-P2-10")
    page.get_by_role("button", name="Preset").click()  # the same again is also a change
    expect_told(page, "16C5-P2-10")
    expect(field).to_have_value("16C5-P2-10")
    field.fill("10")
    page.get_by_role("button", name="Start again").click()  # before the pause after typing is over
    expect_told(page, CHOLLET)
    expect(field).to_have_value(CHOLLET)
    page.wait_for_timeout(600)
    expect(field).to_have_value(CHOLLET)


def test_the_text_can_be_replaced_under_the_caret(page: Page, editor_url: str) -> None:
    open_editor(page, editor_url)
    page.get_by_label("Layer 1 filters").fill("")
    page.get_by_role("button", name="Preset").dispatch_event("click")  # the focus stays in the table
    expect_told(page, "16C5-P2-10")
    expect(page.get_by_label("Layer 1 filters")).to_have_value("16")
    page.get_by_role("button", name="Start again").click()
    expect_told(page, CHOLLET)
    page.get_by_label("Layer 3 filters").fill("7")
    page.get_by_role("button", name="Preset").dispatch_event("click")  # takes the row away that has the focus
    expect_told(page, "16C5-P2-10")
    expect_rows(
        page, ("Convolution", "24 × 24 × 16", "416"), ("Max pooling", "12 × 12 × 16", "0"), ("Output", "10", "23,050")
    )


@pytest.mark.parametrize("tell", ["callback", "return"])
def test_the_text_survives_that_the_editor_is_not_shown(page: Page, editor_url: str, tell: str) -> None:
    field = open_editor(page, editor_url, f"tell={tell}")
    field.fill("8C3-10")
    expect_told(page, "8C3-10")
    page.get_by_text("Hide").click()
    expect(field).to_have_count(0)
    page.get_by_text("Hide").click()
    expect(field).to_have_value("8C3-10")
    field.fill("9C3-10")
    expect_told(page, "9C3-10")


def test_an_empty_text_can_be_filled_from_the_table(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    field.fill("")
    expect(page.get_by_role("status")).to_contain_text("an architecture is needed")
    expect(rows(page)).to_have_count(0)
    page.get_by_role("button", name="Add output").click()
    expect_told_field(page, "10")
    page.get_by_role("button", name="Add max pooling").click()
    expect_told_field(page, "P2-10")
    expect(page.get_by_role("button", name="Add output")).to_have_count(0)


def expect_told_field(page: Page, text: str) -> None:
    expect_told(page, text)
    expect(page.get_by_label("Network", exact=True)).to_have_value(text)


def test_hostile_text_is_shown_as_text(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    text = "<img src=x onerror=alert(1)>-P2-😀-10"
    field.fill(text)
    expect(page.locator("mark")).to_have_text("<img src=x onerror=alert(1)>")
    expect_told(page, text)
    assert page.locator(".network-editor img").count() == 0
    field.fill("P2-😀-10")
    expect(page.locator("mark")).to_have_text("😀")


@pytest.mark.parametrize(("width", "tallest"), [(1280, 365), (760, 400), (400, 1000)])
def test_it_fits_into_any_width(page: Page, editor_url: str, width: int, tallest: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_editor(page, editor_url)
    editor = page.locator(".network-editor")
    box = editor.bounding_box()
    assert box is not None
    assert box["height"] <= tallest
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    table = page.locator(".table")
    assert table.evaluate("(node) => node.scrollWidth - node.clientWidth") == 0
    sticking_out = editor.evaluate(
        """(node) => [...node.querySelectorAll("input, select, button, span")]
            .filter((each) => each.getBoundingClientRect().right > node.getBoundingClientRect().right + 1)
            .map((each) => each.outerHTML)"""
    )
    assert sticking_out == []
