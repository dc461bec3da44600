"""The text field of the network editor: typing, marks, being replaced, hostile text and width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.network_editor_page import expect_rows, expect_told, open_editor, rows

CHOLLET = "32C3-P2-64C3-P2-D0.5-10"


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


@pytest.mark.parametrize("slow", ["wait=0.3", "linger=0.3"])
@pytest.mark.parametrize(
    "pause", [20, 270, 400]
)  # milliseconds: one run for all keys, one run for each, cut short or not
def test_no_letter_is_lost_while_the_server_is_slow(page: Page, editor_url: str, slow: str, pause: int) -> None:
    field = open_editor(page, editor_url, slow)
    field.fill("")
    text = "6C5-P2-BN-10"
    watch_text(page)
    page.keyboard.type(text, delay=pause)
    expect_told(page, text)
    expect(field).to_have_value(text)
    expect(page.locator(".total .parameters")).to_have_text(f"{25 * 6 + 6 + 4 * 6 + 12 * 12 * 6 * 10 + 10:,}")
    seen = page.evaluate("window.seen")
    assert seen == [text[:length] for length in range(1, len(text) + 1)]  # it only ever grew


def test_typed_text_is_told_though_the_run_to_tell_it_is_ended(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url, "ponder=1")
    field.fill("8C3-10")
    page.get_by_role("button", name="Nothing").click(delay=200)  # the field sends its text when it loses the focus
    expect_told(page, "8C3-10")
    expect(field).to_have_value("8C3-10")


@pytest.mark.parametrize("delay", [0, 200])  # milliseconds: with the text, and while the run that heard of it goes on
def test_what_was_typed_can_be_taken_back_at_once(page: Page, editor_url: str, delay: int) -> None:
    field = open_editor(page, editor_url, "wait=0.5")
    field.fill("10")
    page.get_by_role("button", name="Start again").click(delay=delay)
    expect(field).to_have_value(CHOLLET)
    page.wait_for_timeout(4000)  # by then the field has said once more what it holds, if it is not that
    expect_told(page, CHOLLET)
    expect(field).to_have_value(CHOLLET)


def test_of_two_quick_presets_the_second_is_shown(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url, "linger=1")
    page.get_by_role("button", name="Preset").click()
    expect(field).to_have_value("16C5-P2-10")
    page.get_by_role("button", name="Another").click()
    expect(field).to_have_value("BN-10")
    expect_told(page, "BN-10")


def watch_text(page: Page) -> None:
    """Note in `window.seen` each text that the field shows, key by key and frame by frame."""
    page.get_by_label("Network", exact=True).evaluate(
        """(field) => {
            window.seen = []
            const note = () => {
                if (field.value && field.value !== window.seen.at(-1)) window.seen.push(field.value)
            }
            const look = () => {
                note()
                requestAnimationFrame(look)
            }
            look()
            field.addEventListener("input", note) // a busy browser leaves frames out
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
    half = len(text) // 2
    page.keyboard.type(text[:half], delay=130)
    page.wait_for_function(  # one of them tells the text
        "(least) => Number(document.body.innerText.match(/Run (\\d+)/)[1]) >= least", arg=before + 4
    )
    page.keyboard.type(text[half:], delay=130)
    expect_told(page, f"{text}10")
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


def test_the_caller_can_replace_the_text(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
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


def test_the_text_survives_that_the_editor_is_not_shown(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    field.fill("8C3-10")
    expect_told(page, "8C3-10")
    page.get_by_text("Hide").click()
    expect(field).to_have_count(0)
    page.get_by_text("Hide").click()
    expect(field).to_have_value("8C3-10")
    field.fill("9C3-10")
    expect_told(page, "9C3-10")


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
