"""Two networks and the game of the disputed labels in a real browser."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from mnist_core import runs
from mnist_core.evaluation.disputed_labels import DISPUTED
from mnist_core.runs.results import read_predictions
from tests.support.serving import Server, start_server, stop_server

pytestmark = pytest.mark.no_charts


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has no other runs than those that ship."""
    running = start_server(tmp_path_factory.mktemp("untouched"))
    yield running
    stop_server(running)


def readings(run: str) -> np.ndarray:
    return read_predictions(runs.BUNDLED_RUNS / run).argmax(axis=1)


def test_two_networks_from_count_to_images_to_the_exact_test(page: Page, untouched: Server, mnist) -> None:
    a, b = readings("keras-steps"), readings("fast")
    only_b = np.flatnonzero((a == mnist.y_test) & (b != mnist.y_test))
    every = np.stack([readings(path.name) for path in runs.BUNDLED_RUNS.iterdir()])
    failed = (every != mnist.y_test).sum(axis=0)

    page.goto(f"{untouched.url}/explore?view=two&run=keras-steps&other=fast")
    page.get_by_role("radio", name=f"Only B misreads: {len(only_b)}", exact=True).click()
    expect(page).to_have_url(re.compile(r"other=fast.*kind=b|kind=b.*other=fast"))
    tiles = page.locator(".digit-grid button")
    expect(tiles).to_have_count(len(only_b))
    assert {int(tile.get_attribute("data-index") or -1) for tile in tiles.all()} == set(only_b.tolist())
    first = int(tiles.first.get_attribute("data-index") or -1)
    expect(tiles.first).to_contain_text(f"label {mnist.y_test[first]}")
    expect(tiles.first).to_contain_text(f"A {a[first]} · B {b[first]}")

    misread_by_all = int((failed == len(every)).sum())
    page.get_by_role("radio", name=f"Every network misreads: {misread_by_all}", exact=True).click()
    expect(tiles).to_have_count(misread_by_all)
    hard = int((2 * failed >= len(every)).sum())
    page.get_by_role("radio", name=f"Hard for most: {hard}", exact=True).click()
    expect(tiles).to_have_count(min(hard, 100))
    expect(tiles.first).to_contain_text(f"{len(every)} of {len(every)} runs")
    shown = [int(tile.get_attribute("data-index") or -1) for tile in tiles.all()]
    assert failed[shown].tolist() == sorted(failed, reverse=True)[: len(shown)]

    tiles.nth(1).click()
    expect(page.get_by_text(f"Test image {shown[1]:,}, labelled {mnist.y_test[shown[1]]}")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"index={shown[1]}\b"))
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("link", name="exact test").click()
    expect(page.get_by_text("McNemar’s exact test")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/train\?.*compare=keras-steps(,|%2C)fast"))


def columns(cards: Locator) -> int:
    return len({round(box["x"]) for card in cards.all() if (box := card.bounding_box())})


def test_the_labels_are_a_game(page: Page, untouched: Server) -> None:
    page.goto(f"{untouched.url}/explore?view=labels")
    cards = page.locator(".st-key-disputed img.disputed")
    choices = page.locator(".st-key-disputed [data-testid=stButtonGroup]")
    expect(choices).to_have_count(15)
    expect(page.locator("table.votes")).to_have_count(0)  # nothing is given away
    page.set_viewport_size({"width": 1360, "height": 900})
    assert columns(cards) == 5

    index, disputed = next(iter(DISPUTED.items()))
    choices.first.get_by_role("radio", name=str(disputed.suggested), exact=True).click()
    table = page.locator("table.votes")
    expect(table).to_have_count(1)
    expect(choices).to_have_count(14)
    expect(page.get_by_text("You agree with the label on 0 of 1, with most of the 5 people on 1.")).to_be_visible()
    rows = [row.locator("th, td").all_inner_texts() for row in table.locator("tr").all()]
    read = [int(readings(path.name)[index]) for path in runs.BUNDLED_RUNS.iterdir()]
    counts = [read.count(disputed.label), read.count(disputed.suggested)]
    assert rows == [
        ["", str(disputed.label), str(disputed.suggested), "other"],
        ["Label", "●", "", ""],
        ["5 people", str(disputed.label_votes), str(disputed.suggested_votes), str(disputed.neither_votes)],
        [f"{len(read)} networks", *map(str, counts), str(len(read) - sum(counts))],
        ["You", "", "●", ""],
    ]

    page.locator(".st-key-disputed").get_by_role("button", name="More").click()
    expect(page.get_by_text(f"Test image {index:,}", exact=True)).to_be_visible()
    expect(page.get_by_text(f"Predicted as {read[0]}:")).to_be_visible()
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_text(disputed.sentence)).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    expect(choices).to_have_count(14)  # what was said is remembered

    page.set_viewport_size({"width": 400, "height": 860})
    expect(page.get_by_role("button", name="Reveal all")).to_be_visible()
    assert columns(cards) == 2
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    page.get_by_role("button", name="Reveal all").click()
    expect(table).to_have_count(15)
    page.get_by_role("button", name="Start again").click()
    expect(choices).to_have_count(15)
    expect(table).to_have_count(0)
