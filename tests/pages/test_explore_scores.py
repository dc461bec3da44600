"""The views of scores, of two networks and of labels, held against counts from the stored predictions."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import runs
from mnist_core.common.arrays import Images, Probabilities
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.disputed_labels import DISPUTED
from mnist_core.runs.results import read_predictions
from tests.support import opening
from tests.support.opening import open_page
from ui.components.digit_grid import Tile
from ui.explore import browse


@pytest.fixture(scope="module")
def shipped() -> dict[str, Probabilities]:
    return {path.name: read_predictions(path) for path in sorted(runs.BUNDLED_RUNS.iterdir())}


def open_explore(view: str, **query: str) -> AppTest:
    """Run the app as a visitor who follows a link to a view of the Explore page."""
    app = open_page("explore", view=view, **query)
    assert not app.error
    return app


def texts(app: AppTest) -> str:
    """Everything that a page says in words, without bold type."""
    return opening.texts(app).replace("**", "")


def misread(probabilities: Probabilities, labels: np.ndarray) -> set[int]:
    return {index for index, row in enumerate(probabilities) if int(row.argmax()) != labels[index]}


def shown_kinds(app: AppTest) -> dict[str, int]:
    """The counts on the choice of the kind of images, by what they count."""
    (choice,) = (group for group in app.segmented_control if any("misreads" in option for option in group.options))
    labels = [option.rpartition(": ") for option in choice.options]
    return {name: int(number.replace(",", "")) for name, _, number in labels}


# Scores


def test_the_report_is_that_of_scikit_learn_in_percent(mnist: Mnist, shipped: dict[str, Probabilities]) -> None:
    from sklearn.metrics import precision_recall_fscore_support

    app = open_explore("scores", run="nehlr")
    table = next(each.value for each in app.dataframe if "Recall" in each.value.columns)
    expected = precision_recall_fscore_support(mnist.y_test, shipped["nehlr"].argmax(axis=1))
    assert table["Digit"].tolist() == [*map(str, range(10)), "accuracy", "macro avg", "weighted avg"]
    for name, scores in zip(("Precision", "Recall", "F1"), expected[:3], strict=True):
        assert table[name][:10].tolist() == pytest.approx((100 * scores).tolist())
        assert table[name][11] == pytest.approx(100 * scores.mean())
    assert table["Support"].tolist() == [*expected[3].tolist(), 10_000, 10_000, 10_000]
    assert table["F1"][10] == pytest.approx(100 * (1 - len(misread(shipped["nehlr"], mnist.y_test)) / 10_000))


@pytest.mark.parametrize("bins", [10, 20])
def test_calibration_names_its_bins_and_says_how_sure_it_is(
    bins: int, mnist: Mnist, shipped: dict[str, Probabilities]
) -> None:
    app = open_explore("scores", run="chollet", bins=str(bins))
    sure = shipped["chollet"].max(axis=1).astype(float)
    right = shipped["chollet"].argmax(axis=1) == mnist.y_test
    last = sure > 1 - 1 / bins
    assert f"Where its confidence is {100 - 100 // bins}% to 100%, as on {last.sum():,} images" in texts(app)
    assert f"it is right {right[last].mean():.1%} of the time" in texts(app)
    places = [(k / bins, (k + 1) / bins) for k in range(bins)]
    members = [(sure > low) & (sure <= high) for low, high in places]
    error = sum(abs(right[inside].sum() - sure[inside].sum()) for inside in members) / 10_000
    assert f"Expected calibration error, {bins} bins {error:.2%}" in texts(app)


def test_the_number_of_bins_goes_to_the_url() -> None:
    app = open_explore("scores", bins="7")
    assert "10 bins" in texts(app)  # nobody offered seven
    next(group for group in app.segmented_control if group.label == "Confidence bins").set_value("15").run()
    assert not app.exception
    assert app.query_params["bins"] in ("15", ["15"])
    assert "15 bins" in texts(app)


# Two networks


def test_counts_of_two_networks_are_those_of_a_loop(mnist: Mnist, shipped: dict[str, Probabilities]) -> None:
    app = open_explore("two", run="nehlr", other="fast")
    a, b = (misread(shipped[run], mnist.y_test) for run in ("nehlr", "fast"))
    disagree = sum(x.argmax() != y.argmax() for x, y in zip(shipped["nehlr"], shipped["fast"], strict=True))
    every = [misread(probabilities, mnist.y_test) for probabilities in shipped.values()]
    hard = sum(2 * sum(index in wrong for wrong in every) >= len(every) for index in range(10_000))
    assert shown_kinds(app) == {
        "Only A misreads": len(a - b),
        "Only B misreads": len(b - a),
        "Both misread": len(a & b),
        "They disagree": disagree,
        "Every network misreads": len(set.intersection(*every)),
        "Hard for most": hard,
    }
    assert f"Accuracy of A {1 - len(a) / 10_000:.2%}" in texts(app)
    assert f"Accuracy of B {1 - len(b) / 10_000:.2%}" in texts(app)
    assert f"Images that only A misreads: 1–100 of {len(a - b)}" in texts(app)


@pytest.mark.parametrize("kind", ["a", "b", "both", "disagree"])
def test_below_an_image_stands_what_each_of_two_networks_reads(
    kind: str, mnist: Mnist, shipped: dict[str, Probabilities], monkeypatch: pytest.MonkeyPatch
) -> None:
    captions: dict[int, tuple[str, ...]] = {}

    def spy(images: Images, tiles: list[Tile], *_: object, **__: object) -> None:
        captions.update((tile.index, tile.caption) for tile in tiles)

    monkeypatch.setattr(browse, "digit_grid", spy)
    open_explore("two", run="nehlr", other="fast", kind=kind)
    a, b = (shipped[run].argmax(axis=1) for run in ("nehlr", "fast"))
    assert captions
    assert captions == {index: (f"label {mnist.y_test[index]}", f"A {a[index]} · B {b[index]}") for index in captions}


def test_what_every_network_misreads(mnist: Mnist, shipped: dict[str, Probabilities]) -> None:
    app = open_explore("two", kind="every")
    every = set.intersection(*(misread(probabilities, mnist.y_test) for probabilities in shipped.values()))
    assert f"Images that all {len(shipped)} networks misread: {len(every)}" in texts(app)


def test_another_network_is_offered_than_the_first() -> None:
    app = open_explore("two", run="chollet")
    first, second = (box.value for box in app.selectbox if box.label.startswith("Network"))
    assert first == "chollet" != second


def test_a_network_beside_itself_needs_no_test() -> None:
    app = open_explore("two", run="chollet", other="chollet")
    counts = shown_kinds(app)
    assert counts["Only A misreads"] == counts["Only B misreads"] == counts["They disagree"] == 0
    assert counts["Both misread"] > 0
    assert not any("exact test" in link.proto.label for link in app.get("page_link"))


def test_the_exact_test_of_two_networks_is_one_click_away() -> None:
    app = open_explore("two", run="nehlr", other="fast")
    (link,) = (link.proto for link in app.get("page_link") if "exact test" in link.proto.label)
    assert link.page == "train"
    assert re.search(r"compare=nehlr(,|%2C)fast", link.query_string)
    assert "view=compare" in link.query_string


# Labels


def answer(app: AppTest, index: int, said: str) -> None:
    app.pills(key=f"label-of-{index}").set_value(said).run()
    assert not app.exception


def votes(app: AppTest) -> list[list[str]]:
    """The rows of all small tables that are revealed, as lists of words."""
    tables = [each.proto.body for each in app.get("html") if 'class="votes"' in each.proto.body]
    rows = [row for table in tables for row in table.split("<tr>")[1:]]
    return [[re.sub("<.*?>", "", cell) for cell in re.split("</t[hd]>", row)[:-1]] for row in rows]


def test_a_choice_reveals_its_image_and_no_other(mnist: Mnist, shipped: dict[str, Probabilities]) -> None:
    app = open_explore("labels")
    assert len(app.pills) == 15
    assert votes(app) == []
    answer(app, 2654, "4")
    assert len(app.pills) == 14
    readings = [int(probabilities[2654].argmax()) for probabilities in shipped.values()]
    six, one = readings.count(6), readings.count(1)
    assert votes(app) == [
        ["", "6", "1", "other"],
        ["Label", "●", "", ""],
        ["5 people", "0", "2", "3"],
        [f"{len(readings)} networks", str(six), str(one), str(len(readings) - six - one)],
        ["You", "", "", "4"],
    ]
    names = next(element.value for element in app.markdown if "Test image 2,654" in element.value)
    assert set(re.findall(r"Predicted as \*\*(\d)\*\*", names)) == set(map(str, readings))


def test_the_tally_counts_labels_and_majorities() -> None:
    app = open_explore("labels")
    answer(app, 947, "9")  # with all five people
    answer(app, 1621, "0")  # with the label
    answer(app, 3520, "?")  # with three people who saw neither a 6 nor a 4
    answer(app, 2130, "4")  # with the label and two people, which is no majority
    assert "You agree with the label on 2 of 4, with most of the 5 people on 2." in texts(app)


def test_all_can_be_revealed_and_the_game_starts_again() -> None:
    app = open_explore("labels")
    answer(app, 947, "8")
    app.button(key="reveal-all").click().run()
    assert not app.pills
    assert len([row for row in votes(app) if row[0] == "Label"]) == 15
    assert len([row for row in votes(app) if row[0] == "You"]) == 1
    assert "on 1 of 1" in texts(app)
    app.button(key="start-again").click().run()
    assert len(app.pills) == 15
    assert not votes(app)


def test_answers_stay_when_one_comes_back() -> None:
    app = open_explore("labels")
    answer(app, 947, "8")
    app.query_params["view"] = "scores"
    app.run()
    app.query_params["view"] = "labels"
    app.run()
    assert "on 1 of 1" in texts(app)


def test_accuracies_with_and_without_the_fifteen(mnist: Mnist, shipped: dict[str, Probabilities]) -> None:
    app = open_explore("labels")
    table = next(each.value for each in app.dataframe if "Without the fifteen" in each.value.columns)
    assert len(table) == len(shipped)
    assert table["All 10,000"].is_monotonic_decreasing
    row = table[table["Network"] == "nehlr"].iloc[0]
    wrong = misread(shipped["nehlr"], mnist.y_test)
    assert row["All 10,000"] == pytest.approx(100 - len(wrong) / 100)
    assert row["Without the fifteen"] == pytest.approx(100 * (1 - len(wrong - set(DISPUTED)) / 9985))
    assert row["Predicted as labelled"] == 15 - len(wrong & set(DISPUTED))


def test_beyond_the_list_are_images_misread_by_the_mean_of_all(mnist: Mnist, shipped: dict[str, Probabilities]) -> None:
    mean = np.mean([probabilities.astype(float) for probabilities in shipped.values()], axis=0)
    wrong = set(np.flatnonzero(mean.argmax(axis=1) != mnist.y_test).tolist())
    said = texts(open_explore("labels"))
    assert f"Test images whose label the networks disagree with: {len(wrong - set(DISPUTED))}" in said
    assert f"Of the fifteen, {len(wrong & set(DISPUTED))} would be here too" in said


def test_a_link_to_a_disputed_image_opens_it_among_the_fifteen() -> None:
    app = open_explore("labels", index="1901")
    assert "Test image 1,901" in texts(app)
    assert "Test images with a disputed label: place 3 of 15" in texts(app)


# All three


@pytest.mark.parametrize("view", ["scores", "two", "labels"])
def test_without_any_network_there_is_a_way_on(view: str, nothing_ships: None) -> None:
    app = open_explore(view)
    assert "There is no trained network yet" in texts(app)
    if view == "labels":  # the game needs no network
        answer(app, 947, "9")
        assert [row[0] for row in votes(app)] == ["", "Label", "5 people", "You"]


@pytest.mark.parametrize("view", ["two", "labels"])
def test_a_damaged_run_is_named_and_leaves_the_rest(view: str, own_folders: Path) -> None:
    broken = own_folders / "20260101-000000000-broken"
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", broken)
    (broken / "predictions.npz").write_bytes(b"torn")
    app = open_explore(view, run="chollet", other="nehlr", kind="half")
    assert broken.name in texts(app)
    assert len(app.pills) == 15 if view == "labels" else shown_kinds(app)["Hard for most"]
