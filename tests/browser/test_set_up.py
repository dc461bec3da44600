"""Setting up a run in a real browser: network, settings, links."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.steps import set_number

pytestmark = pytest.mark.no_charts


def test_settings_are_in_the_address_and_a_link_brings_them_back(page: Page, server) -> None:
    page.goto(f"{server.url}/train")
    set_number(page, "Epochs", 7)
    expect(page).to_have_url(re.compile(r"preset=chollet&epochs=7$"))
    page.get_by_role("tab", name="Data").click()
    set_number(page, "Seed", 42)
    expect(page).to_have_url(re.compile(r"epochs=7&seed=42$"))
    page.get_by_role("tab", name="Stopping").click()
    page.get_by_role("combobox", name="Early stopping").click()
    page.get_by_role("option", name="When it stops improving").click()
    expect(page).to_have_url(re.compile(r"early_stopping=patience"))
    link = page.url

    other = page.context.new_page()
    other.goto(link)
    expect(other.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("7")
    expect(other.get_by_role("button", name="Seed: 1 → 42")).to_be_visible()
    expect(other).to_have_url(link)

    other.get_by_role("button", name="Seed: 1 → 42").click()
    expect(other).not_to_have_url(re.compile("seed"))
    other.get_by_role("button", name="Reset all").click()
    expect(other.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("15")
    expect(other.get_by_role("button", name="Reset all")).to_have_count(0)


def test_a_broken_link_is_corrected_with_notes(page: Page, server) -> None:
    page.goto(
        f"{server.url}/train?preset=garcia&epochs=99999&learning_rate=abc&rotation=-3&colour=<b>red</b>&seed=5&v=99"
    )
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("100")
    expect(page.get_by_text("Epochs of “99999” is out of bounds, so it is 100.")).to_be_visible()
    expect(page.get_by_text("Learning rate cannot be “abc”, so it is 0.001.")).to_be_visible()
    expect(page.get_by_text("Rotation of “-3” is out of bounds, so it is 0.0.")).to_be_visible()
    expect(page.get_by_text("“colour” is not a setting, so it was ignored.")).to_be_visible()
    expect(page.get_by_text("made by another version")).to_be_visible()
    expect(page).to_have_url(re.compile(r"preset=garcia&epochs=100&seed=5$"))


def test_a_link_with_a_faulty_network_points_at_the_mistake(page: Page, server) -> None:
    page.goto(f"{server.url}/train?architecture=32C3-P2-64Q3-10")
    expect(page.get_by_role("textbox", name="Network")).to_have_value("32C3-P2-64Q3-10")
    expect(page.get_by_text("Token 3, “64Q3”: is not a layer").first).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
    page.get_by_role("textbox", name="Network").fill("8C3-P2-10")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
    expect(page.get_by_test_id("stMain").get_by_text("13,610").first).to_be_visible()


def test_a_preset_sets_everything_and_changes_are_named(page: Page, server) -> None:
    page.goto(f"{server.url}/train")
    page.get_by_role("combobox", name="Start from").click()
    page.get_by_role("option", name=re.compile("^Champion")).click()
    expect(page.get_by_role("textbox", name="Network")).to_have_value(re.compile("^32C3-BN-"))
    expect(page.get_by_text("481,418").first).to_be_visible()
    page.get_by_role("tab", name="Augmentation").click()
    expect(page.get_by_text("Right: as training would see them")).to_be_visible()
    expect(page.get_by_role("slider", name="Rotation")).to_have_value("10")
    expect(page.get_by_role("button", name="Reset all")).to_have_count(0)


def test_settings_survive_a_visit_to_another_page(page: Page, server) -> None:
    page.goto(f"{server.url}/train")
    set_number(page, "Epochs", 7)
    expect(page).to_have_url(re.compile("epochs=7"))
    page.get_by_test_id("stSidebar").get_by_role("link", name="Draw").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draw a digit")
    page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("7")
    expect(page).to_have_url(re.compile("epochs=7"))


def test_a_number_out_of_bounds_is_corrected_where_one_sees_it(page: Page, server) -> None:
    page.goto(f"{server.url}/train")
    set_number(page, "Epochs", 1000)
    expect(page.get_by_text("Epochs: 1,000 is out of bounds, so it is 100.")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("100")
    set_number(page, "Learning rate", 0)
    expect(page.get_by_text("Learning rate: 0 is out of bounds, so it is 1e-06.")).to_be_visible()
    page.get_by_role("button", name="Reset all").click()
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("15")
    expect(page.get_by_role("spinbutton", name="Learning rate", exact=True)).to_have_value("0.001")
