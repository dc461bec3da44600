"""The set at a glance in a real browser: the map is drawn, shows the digit that is pointed at, and opens it."""

import re

import numpy as np
from playwright.sync_api import Browser, Locator, Page, expect

from mnist_core.data.dataset import Mnist
from mnist_core.data.digit_map import load_digit_map
from mnist_core.runs import BUNDLED_RUNS
from mnist_core.runs.results import read_predictions

# Where the dot of a test image is on the screen, by Plotly's own scales; whatever trace it belongs to.
PLACE_OF = """(node, index) => {
    const { xaxis, yaxis } = node._fullLayout
    const frame = node.getBoundingClientRect()
    for (const { customdata, x, y } of node._fullData) {
        const i = customdata.indexOf(index)
        if (i >= 0) return [
            frame.left + xaxis._offset + xaxis.d2p(x[i]), frame.top + yaxis._offset + yaxis.d2p(y[i])
        ]
    }
}"""
PIXELS = "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"


def open_map(page: Page, url: str, dots: int) -> Locator:
    """Open a map and wait until it has so many layers of dots, 10,000 dots in all."""
    page.goto(url)
    page.wait_for_function(
        "(layers) => document.querySelector('.live-chart')?._fullData?.length === layers", arg=dots, timeout=60_000
    )
    chart = page.locator(".live-chart").first
    assert chart.evaluate("(node) => node._fullData.reduce((sum, trace) => sum + trace.x.length, 0)") == 10_000
    page.wait_for_timeout(1000)  # the columns find their widths
    return chart


def loneliest(indices: np.ndarray) -> int:
    """The image, one of `indices`, whose dot on the map is farthest from all others."""
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=1).fit(load_digit_map().tsne).kneighbors()
    return int(indices[distances[indices, 0].argmax()])


def one_on_top_of_another(chart: Locator, on_top: np.ndarray) -> tuple[int, int]:
    """A large dot, one of `on_top`, and a small one whose centre it hides, both without other large dots nearby."""
    positions = load_digit_map().tsne * chart.evaluate("({ _fullLayout: { xaxis } }) => xaxis.d2p(1) - xaxis.d2p(0)")
    beneath = np.setdiff1d(np.arange(10_000), on_top)
    pixels = np.linalg.norm(positions[on_top][:, np.newaxis] - positions[beneath], axis=2)
    fits = (pixels > 1.5) & (pixels < 3.5) & ((pixels < 8).sum(axis=0) == 1)
    large, small = np.argwhere(fits)[0]
    return int(on_top[large]), int(beneath[small])


def test_the_map_shows_and_opens_digits(page: Page, server, mnist: Mnist) -> None:
    chart = open_map(page, f"{server.url}/explore?view=glance", 10)
    assert chart.evaluate("(node) => node._fullData[0].type") == "scattergl"
    card = page.locator(".live-chart-digit").first
    expect(card).to_be_hidden()

    lonely = loneliest(np.arange(10_000))
    x, y = chart.evaluate(PLACE_OF, lonely)
    page.mouse.move(x - 1, y - 1)
    page.mouse.move(x, y)
    expect(card).to_be_visible()
    expect(card).to_have_text(re.compile(rf"Image {lonely:,}\s+labelled {mnist.y_test[lonely]}"))
    page.wait_for_function(f"() => ({PIXELS})(document.querySelector('.live-chart-digit canvas')).some(Boolean)")
    assert card.locator("canvas").evaluate(PIXELS) == mnist.x_test[lonely].ravel().tolist()
    expect(page.locator(".hovertext")).to_have_count(0)  # no label of Plotly's beside it
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()

    # The statistics below are those of the split that is chosen.
    blank = f"{np.mean(mnist.x_train == 0):.1%} of the pixels are blank paper"
    expect(page.get_by_text(blank)).to_be_visible()
    expect(page.locator(".class-pictures img")).to_have_count(20)
    page.get_by_role("radio", name="10,000 test images").click()
    expect(page.get_by_text(f"{np.mean(mnist.x_test == 0):.1%} of the pixels are blank paper")).to_be_visible()
    expect(page).to_have_url(re.compile("split=test"))

    # Right or wrong: as many on top as the network misread, and a click opens what is seen.
    predicted = read_predictions(BUNDLED_RUNS / "nehlr").argmax(axis=1)
    wrong = np.flatnonzero(predicted != mnist.y_test)
    chart = open_map(page, f"{server.url}/explore?view=glance&color=answer&run=nehlr", 2)
    assert chart.evaluate("(node) => node._fullData[1].x.length") == len(wrong)
    expect(chart.locator(".legendtext").nth(1)).to_have_text(f"wrong: {len(wrong):,}")
    index, hidden = one_on_top_of_another(chart, wrong)
    x, y = chart.evaluate(PLACE_OF, hidden)
    page.mouse.move(x - 1, y)
    page.mouse.move(x, y)
    expect(card).to_have_text(re.compile(rf"Image {index:,}\s+labelled \d\s+predicted as {predicted[index]}"))
    page.mouse.click(x, y)
    expect(page.get_by_text(f"Test image {index:,}, labelled {mnist.y_test[index]}")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"view=glance.*index={index}"))
    assert f"index={index}" in page.url
    page.go_back()
    expect(page.locator(".live-chart").first).to_be_visible()
    assert "view=glance" in page.url


def test_a_finger_shows_and_opens_a_digit_also_without_webgl(browser: Browser, server, mnist: Mnist) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 860}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.add_init_script(
        """const getContext = HTMLCanvasElement.prototype.getContext
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind.includes("webgl") ? null : getContext.call(this, kind, ...rest)
        }"""
    )
    chart = open_map(page, f"{server.url}/explore?view=glance&map=neighbours", 10)
    assert chart.evaluate("(node) => node._fullData[0].type") == "scatter"
    lonely = loneliest(np.arange(10_000))
    chart.scroll_into_view_if_needed()
    page.touchscreen.tap(*chart.evaluate(PLACE_OF, lonely))
    card = page.locator(".live-chart-digit").first
    expect(card).to_have_text(re.compile(rf"Image {lonely:,}\s+labelled {mnist.y_test[lonely]}"))
    assert "index=" not in page.url
    card.tap()
    expect(page.get_by_text(f"Test image {lonely:,}, labelled {mnist.y_test[lonely]}")).to_be_visible()
    context.close()
