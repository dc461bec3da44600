"""The table of layers of the network editor: fields, layers that come, move and go, keyboard and quick changes."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from mnist_core.networks.notation import parse_architecture
from tests.support.network_editor_page import expect_rows, expect_told, open_editor, rows


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
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
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


def test_the_newest_change_is_told_again_if_the_answer_is_older(page: Page, editor_url: str) -> None:
    open_editor(page, editor_url, "ponder=1")
    page.locator("li.row").nth(-2).get_by_role("button", name="Remove").click()
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Nothing").click()  # ends the run that was to tell
    expect_told(page, "32C3-P2-64C3-P2-10")
    expect(page.get_by_text("Heard: 32C3-P2-64C3-P2-10.")).to_be_visible()


def test_changes_that_wait_for_typed_text_reach_the_layers_meant(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url, "wait=1")
    field.press("End")
    field.press("ArrowLeft")
    field.press("ArrowLeft")
    page.keyboard.type("BN-", delay=5)
    remove = page.get_by_role("button", name="Remove layer 2")
    remove.dispatch_event("click")  # the field keeps the focus
    remove.dispatch_event("click")  # of an impatient hand
    page.get_by_role("button", name="Move layer 4 down").dispatch_event("click")
    kind = page.get_by_label("Layer 5 kind")
    kind.select_option("Global average pooling")
    kind.select_option("Batch normalization")
    page.get_by_label("Layer 3 activation").select_option("tanh")
    expect_told(page, "32C3-64C3:tanh-BN-P2-BN-10")
    expect(field).to_have_value("32C3-64C3:tanh-BN-P2-BN-10")


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


def test_undo_takes_back_what_was_done_last(page: Page, editor_url: str) -> None:
    field = open_editor(page, editor_url)
    page.get_by_label("Layer 1 filters").press("ControlOrMeta+a")
    page.keyboard.type("16")
    expect_told(page, "16C3-P2-64C3-P2-D0.5-10")
    page.get_by_role("button", name="Add dropout").click()
    expect_told(page, "16C3-P2-64C3-P2-D0.5-D0.5-10")
    page.keyboard.press("ControlOrMeta+z")
    expect_told(page, "16C3-P2-64C3-P2-D0.5-10")
    expect(field).to_be_focused()  # the row that had the focus is gone
    page.keyboard.press("ControlOrMeta+z")
    expect_told(page, "32C3-P2-64C3-P2-D0.5-10")
    expect(page.get_by_label("Layer 1 filters")).to_have_value("32")
    page.keyboard.press("ControlOrMeta+Shift+z")
    page.keyboard.press("ControlOrMeta+y")
    expect_told(page, "16C3-P2-64C3-P2-D0.5-D0.5-10")
    page.get_by_text("Heard:").click()  # what the browser itself undoes, whatever has the focus
    page.keyboard.press("ControlOrMeta+z")
    expect_told(page, "16C3-P2-64C3-P2-D0.5-10")
