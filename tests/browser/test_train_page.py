"""Training in a real browser: real digits, real TensorFlow, on a small subset."""

import re

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from mnist_core import runs
from mnist_core.runs.results import read_predictions
from tests.support.steps import (
    TRAINING_CURVE,
    halted,
    start_run,
    trained_epochs,
    wait_for_end,
    wait_for_points,
    wait_for_training,
)

VALIDATION = "node._fullData.find((trace) => trace.name?.startsWith('validation'))"


def test_a_network_is_trained_and_its_result_shown(page: Page, server) -> None:
    run_id = start_run(page, server.url, images=2000, epochs=2)
    expect(page.locator(".st-key-shown-run")).to_be_focused()  # the button is gone; Tab goes on to Stop and the curves
    report = wait_for_end(server.runs_dir / run_id).report
    assert report is not None
    assert report.epochs_completed == 2
    assert report.test_accuracy > 0.5
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(f"{report.test_accuracy:.2%}")
    wait_for_points(page, 30)
    curve = TRAINING_CURVE.replace(".x ??", ".y ??")
    losses = page.locator(".live-chart").nth(1).evaluate(f"(node) => [...({curve})(node)]")
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    validation = VALIDATION + ".x"
    assert page.locator(".live-chart").first.evaluate(f"(node) => [...{validation}]") == [1, 2]  # once per epoch

    page.get_by_role("link", name="See its mistakes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Explore the digits")
    mistakes = f"{10_000 - report.test_correct:,}"
    expect(page.get_by_text(re.compile(rf"^Mistakes: (1–100 of )?{mistakes}$"))).to_be_visible()


def test_a_chart_without_its_script_says_so_and_comes_later(page: Page, server) -> None:
    page.route(re.compile("plotly-.*js"), lambda route: route.abort())
    page.goto(f"{server.url}/train?run=chollet")
    chart = page.locator(".live-chart").first
    expect(chart).to_have_text(re.compile("could not be loaded"))
    page.unroute_all()
    page.get_by_role("radio", name="log", exact=True).click()
    expect(chart.locator(".main-svg").first).to_be_visible()
    expect(chart).not_to_contain_text("could not be loaded")


def test_the_live_chart_keeps_its_node_zoom_and_hidden_traces(page: Page, server) -> None:
    start_run(page, server.url, images=20_000, epochs=20)
    chart = wait_for_points(page, 20)
    progress = re.compile(r"Epoch \d+ of 20 · batch \d+ of 141 · [\d,]+ images/s · \d+ .* left")
    expect(page.get_by_text(progress)).to_be_visible()
    # From here on each frame is checked: the same node must be there, and must not be empty.
    page.evaluate(
        """() => {
            const chart = document.querySelector(".live-chart")
            window.watched = { chart, frames: 0, blank: 0, replaced: 0, updates: 0 }
            chart.on("plotly_afterplot", () => { window.watched.updates += 1 })
            const look = () => {
                window.watched.frames += 1
                if (document.querySelector(".live-chart") !== chart || !chart.isConnected) window.watched.replaced += 1
                if (!chart.querySelector(".scatterlayer .trace path.js-line")) window.watched.blank += 1
                requestAnimationFrame(look)
            }
            look()
        }"""
    )
    # Zoom by dragging over the plot, hide the validation curve by its name in the legend, and hover a point.
    box = zoom_in(page, chart)
    zoom = chart.evaluate("(node) => node.layout.xaxis.range")
    chart.locator(".legendtoggle").nth(1).click()
    hidden = f"(node) => {VALIDATION}.visible === 'legendonly'"
    page.wait_for_function(f"({hidden})(document.querySelector('.live-chart'))")
    before = trained_epochs(chart)
    updates = page.evaluate("window.watched.updates")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.wait_for_function(f"window.watched.updates > {updates + 5}", timeout=120_000)

    watched = page.evaluate("({ ...window.watched, chart: null })")
    assert watched["frames"] > 30
    assert watched["replaced"] == 0
    assert watched["blank"] == 0
    assert trained_epochs(chart) > before
    assert chart.evaluate("(node) => node.layout.xaxis.range") == pytest.approx(zoom)
    assert chart.evaluate(hidden)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped by hand.")).to_be_visible(timeout=120_000)


def zoom_in(page: Page, chart: Locator) -> FloatRect:
    """Drag over part of a chart until it zooms in, and return where its plot is. The page may move meanwhile."""
    for _ in range(5):
        chart.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        box = chart.locator(".nsewdrag").first.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.1, steps=2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.8, steps=5)
        page.mouse.up()
        page.wait_for_timeout(1500)
        if chart.evaluate("(node) => node.layout.xaxis.range[1] < 15"):
            return box
    raise AssertionError("The chart does not zoom.")


def test_reload_and_second_tab_show_one_run_and_stop_keeps_it(page: Page, server) -> None:
    run_id = start_run(page, server.url, images=20_000, epochs=50)
    other = page.context.new_page()
    wait_for_points(page, 20)
    with halted(server.runs_dir / run_id):
        page.reload()
        wait_for_points(page, 20)
        expect(page.get_by_text(re.compile(r"Epoch \d+ of 50"))).to_be_visible()

        other.goto(f"{server.url}/train?run={run_id}")
        before = trained_epochs(wait_for_points(other, 20))
        expect(other.get_by_text(re.compile(r"Epoch \d+ of 50"))).to_be_visible()
    for tab in (page, other):
        wait_for_training(tab, before)

    other.get_by_role("button", name="Stop", exact=True).click()
    for tab in (page, other):
        expect(tab.get_by_text("Stopped by hand.")).to_be_visible(timeout=120_000)
        expect(tab.get_by_text("Test accuracy", exact=True)).to_be_visible()
    run = runs.read_run(server.runs_dir / run_id)
    assert run.status.state == "stopped"
    assert run.report is not None
    assert run.report.epochs_completed < 50
    assert (run.path / "model.keras").exists()
    assert read_predictions(run.path).shape == (10_000, 10)
