"""The Explore page: every view full and empty, each filter, and runs whose files are damaged or old."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import runs
from mnist_core.common.arrays import Probabilities
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.epochs import turned
from mnist_core.runs import epoch_predictions
from mnist_core.runs.results import read_predictions
from tests.support.opening import open_page, texts
from ui.components import digit_grid
from ui.session import cached_reads

VIEWS = ("digits", "glance", "mistakes", "confusion", "scores", "epochs", "two", "labels")
SHIPPED = sum(path.is_dir() for path in runs.BUNDLED_RUNS.iterdir())  # networks
LISTS = ("digits", "glance", "mistakes", "confusion", "epochs", "two", "labels")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The indices of the last grid of digits that a page showed."""
    indices: list[int] = []
    original = digit_grid._component

    def spy(**arguments):
        if arguments["key"].startswith("grid-"):
            indices[:] = [tile["index"] for tile in arguments["data"]["tiles"]]
        return original(**arguments)

    monkeypatch.setattr(digit_grid, "_component", spy)
    return indices


@pytest.fixture(scope="module")
def chollet() -> Probabilities:
    return read_predictions(runs.BUNDLED_RUNS / "chollet")


def heading(app: AppTest) -> str:
    """What stands above the grid: what is shown, and how many."""
    return next(element.value for element in app.markdown if ": **" in element.value)


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_with_the_runs_that_ship(view: str) -> None:
    app = open_page("explore", view=view)
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_when_there_is_nothing_yet(view: str, nothing_ships: None) -> None:
    app = open_page("explore", view=view)
    assert not app.error
    assert view in ("digits", "glance") or "There is no trained network yet" in texts(app)


@pytest.mark.parametrize("view", LISTS)
def test_an_image_has_an_address_in_each_list(view: str, mnist: Mnist) -> None:
    app = open_page("explore", view=view, index="947", digit="8", read="9")
    assert f"Test image 947, labelled {mnist.y_test[947]}" in texts(app)
    assert "Disputed label: 0 of 5 people agreed with 8" in texts(app)
    assert "The nearest labelled 8" in texts(app)


@pytest.mark.parametrize("view", LISTS)
def test_an_image_has_an_address_when_there_is_nothing_yet(view: str, nothing_ships: None) -> None:
    app = open_page("explore", view=view, index="947")
    assert not app.error


@pytest.mark.parametrize("index", ["-1", "10000", "x", "1e3", "", "٣"])
def test_a_wrong_index_does_no_harm(index: str) -> None:
    said = texts(open_page("explore", index=index))
    assert "Test image" in said
    assert "The link does not name an image of this set." in said


# The gallery


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, np.arange(100)),
        ({"page": "3"}, np.arange(200, 300)),
        ({"size": "25", "page": "2"}, np.arange(25, 50)),
        ({"size": "400"}, np.arange(400)),
        ({"only": "7, 3, 100-102"}, [7, 3, 100, 101, 102]),
        ({"only": "7, 3, 100-102", "split": "train"}, [7, 3, 100, 101, 102]),
    ],
)
def test_pages_and_lists(query: dict[str, str], expected: list[int], shown: list[int]) -> None:
    open_page("explore", **query)
    assert shown == list(expected)


def test_another_list_begins_at_its_beginning(shown: list[int]) -> None:
    app = open_page("explore", page="3")
    assert shown == list(range(200, 300))
    next(group for group in app.segmented_control if group.label == "Images on a page").set_value("25").run()
    assert not app.exception
    assert "page" not in app.query_params
    assert shown == list(range(25))


def test_a_class(shown: list[int], mnist: Mnist) -> None:
    app = open_page("explore", digit="8", split="train")
    eights = [index for index, label in enumerate(mnist.y_train.tolist()) if label == 8]
    assert shown == eights[:100]
    assert heading(app) == f"Training images labelled 8: **1–100 of {len(eights):,}**"


def test_random_orders_differ_by_seed_and_hold_everything(shown: list[int]) -> None:
    orders = []
    for seed in ("1", "2", "1"):
        open_page("explore", order="random", shuffle=seed)
        orders.append(list(shown))
    assert orders[0] == orders[2] != orders[1]
    assert len(set(orders[0])) == 100


@pytest.mark.parametrize("order", ["ink-least", "ink-most"])
def test_orders_by_ink(order: str, shown: list[int], mnist: Mnist) -> None:
    open_page("explore", order=order, digit="0")
    amounts = [int(mnist.x_test[index].sum(dtype=np.int64)) for index in shown]
    assert amounts == sorted(amounts, reverse=order == "ink-most")
    of_class = mnist.x_test[mnist.y_test == 0].reshape(-1, 784).sum(axis=1, dtype=np.int64)
    assert amounts[0] == (of_class.max() if order == "ink-most" else of_class.min())


@pytest.mark.parametrize("order", ["typical", "untypical"])
def test_orders_by_typicality(order: str, shown: list[int], mnist: Mnist) -> None:
    open_page("explore", order=order, digit="4")
    fours = mnist.x_test[mnist.y_test == 4] / 255
    distances = np.sqrt(((fours - fours.mean(axis=0)) ** 2).sum(axis=(1, 2)))
    indices = np.flatnonzero(mnist.y_test == 4)
    by_distance = indices[np.argsort(distances if order == "typical" else -distances)]
    assert shown[:20] == by_distance[:20].tolist()


def test_the_hardest_for_a_network(shown: list[int], mnist: Mnist) -> None:
    open_page("explore", order="hardest", run="nehlr")
    of_label = read_predictions(runs.BUNDLED_RUNS / "nehlr")[np.arange(10_000), mnist.y_test]
    shares = of_label[shown].clip(1e-7)
    assert (np.diff(shares) >= 0).all()
    assert shares[0] == of_label.min().clip(1e-7)


def test_networks_answer_test_images_only(shown: list[int]) -> None:
    app = open_page("explore", order="hardest", split="train")
    assert shown == list(range(100))
    assert not any("hardest" in option for box in app.selectbox for option in box.options)


@pytest.mark.parametrize("only", ["5, x", "12000", "7-3", "*bold* <b>"])
def test_a_list_that_cannot_be_read_gives_a_sentence(only: str) -> None:
    app = open_page("explore", only=only)
    assert len(app.error) == 1
    assert open_page("explore", only=only, index="5").header[0].value.startswith("Test image 5,")


# Mistakes


def test_the_mistakes_of_a_network(shown: list[int], chollet: Probabilities, mnist: Mnist) -> None:
    app = open_page("explore", view="mistakes", run="chollet")
    wrong = [index for index in range(10_000) if chollet[index].argmax() != mnist.y_test[index]]
    assert heading(app) == f"Mistakes: **{len(wrong)}**"
    assert sorted(shown) == wrong
    confidence = [float(chollet[index].max()) for index in shown]
    assert confidence == sorted(confidence, reverse=True)
    assert f"{10_000 - len(wrong):,} right and {len(wrong)} wrong" in texts(app)


@pytest.mark.parametrize(
    ("query", "passes"),
    [
        ({"digit": "9"}, lambda label, read, sure: label == 9),
        ({"read": "2"}, lambda label, read, sure: read == 2),
        ({"digit": "9", "read": "5"}, lambda label, read, sure: (label, read) == (9, 5)),
        ({"low": "80"}, lambda label, read, sure: sure >= 0.8),
        ({"low": "40", "high": "60"}, lambda label, read, sure: 0.4 <= sure <= 0.6),
    ],
)
def test_each_filter_of_mistakes(query, passes, shown: list[int], chollet: Probabilities, mnist: Mnist) -> None:
    open_page("explore", view="mistakes", run="chollet", order="index", **query)
    expected = [
        index
        for index in range(10_000)
        if (read := int(chollet[index].argmax())) != (label := int(mnist.y_test[index]))
        and passes(label, read, float(chollet[index].max()))
    ]
    assert expected
    assert shown == expected


def test_right_but_unsure(shown: list[int], chollet: Probabilities, mnist: Mnist) -> None:
    open_page("explore", view="mistakes", kind="unsure", size="400")
    right = chollet.argmax(axis=1) == mnist.y_test
    confidence = chollet.max(axis=1)
    expected = [
        index for index in np.argsort(confidence, kind="stable").tolist() if right[index] and confidence[index] < 0.9
    ]
    assert shown == expected


# The confusion matrix


@pytest.mark.parametrize(("digit", "read"), [("9", "5"), ("7", None), (None, "8"), ("4", "4")])
def test_a_cell_a_row_and_a_column(digit: str | None, read: str | None, shown, chollet, mnist: Mnist) -> None:
    query = {name: value for name, value in (("digit", digit), ("read", read)) if value is not None}
    app = open_page("explore", view="confusion", **query)
    reading = chollet.argmax(axis=1)
    chosen = np.ones(10_000, bool)
    if digit is not None:
        chosen &= mnist.y_test == int(digit)
    if read is not None:
        chosen &= reading == int(read)
    of_label = chollet[np.arange(10_000), mnist.y_test].clip(1e-7)
    worst_first = sorted(np.flatnonzero(chosen).tolist(), key=lambda index: of_label[index])
    assert shown == worst_first[:25]
    assert f"{len(worst_first):,}**" in heading(app)


def test_without_the_diagonal_a_row_shows_its_mistakes(shown: list[int], chollet, mnist: Mnist) -> None:
    open_page("explore", view="confusion", digit="7", **{"mistakes-only": "yes"})
    wrong = np.flatnonzero((mnist.y_test == 7) & (chollet.argmax(axis=1) != 7))
    assert sorted(shown) == wrong.tolist()


# Epochs


def test_what_an_epoch_shows(shown: list[int], mnist: Mnist) -> None:
    app = open_page("explore", view="epochs", run="chollet", epoch="3", size="400")
    answers = epoch_predictions.read(runs.BUNDLED_RUNS / "chollet").probabilities[2]
    wrong = np.flatnonzero(answers.argmax(axis=1) != mnist.y_test)
    assert sorted(shown) == wrong.tolist()
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Mistakes"] == f"{len(wrong)}"
    assert values["Test accuracy"] == f"{1 - len(wrong) / 10_000:.2%}"


def test_what_an_epoch_learned_and_forgot(shown: list[int], mnist: Mnist) -> None:
    answers = epoch_predictions.read(runs.BUNDLED_RUNS / "chollet").probabilities
    before, now = (answers[at].argmax(axis=1) == mnist.y_test for at in (1, 2))
    for kind, expected in (("learned", now & ~before), ("forgotten", before & ~now)):
        open_page("explore", view="epochs", run="chollet", epoch="3", kind=kind, size="400")
        assert shown == np.flatnonzero(expected).tolist()


def test_the_last_epoch_agrees_with_the_report() -> None:
    for name in ("chollet", "fast"):
        report = runs.read_run(runs.BUNDLED_RUNS / name).report
        assert report is not None
        app = open_page("explore", view="epochs", run=name)
        assert {metric.label: metric.value for metric in app.metric}["Mistakes"] == f"{10_000 - report.test_correct}"


def test_play_begins_anew_and_stops_where_one_chooses() -> None:
    app = open_page("explore", view="epochs", run="chollet")
    next(button for button in app.button if button.label == "Play").click().run()
    assert "Mistakes after epoch 1:" in texts(app)
    assert "epoch" not in app.query_params
    next(button for button in app.button if button.label == "Stop").click().run()
    assert not app.exception
    assert app.query_params["epoch"] in ("1", ["1"])
    assert any(button.label == "Play" for button in app.button)


def copied(folder: Path, name: str = "chollet") -> Path:
    path = folder / "20260101-000000000-copy"
    shutil.copytree(runs.BUNDLED_RUNS / name, path)
    return path


def test_a_run_without_epoch_predictions_says_so(own_folders: Path) -> None:
    path = copied(own_folders)
    shutil.rmtree(path / "epochs")
    app = open_page("explore", view="epochs", run=path.name)
    assert "This run has no predictions for each epoch" in texts(app)
    assert "Test image 5" in texts(open_page("explore", view="epochs", run=path.name, index="5"))


@pytest.mark.fault(id="damaged-epochs")
def test_damaged_epochs_are_left_out_and_named(own_folders: Path, mnist: Mnist) -> None:
    path = copied(own_folders)
    (path / "epochs" / "0002.npz").write_bytes(b"torn")
    app = open_page("explore", view="epochs", run=path.name, epoch="2")
    assert "2" not in app.select_slider[0].options
    assert len(app.select_slider[0].options) == 14
    assert "The predictions after epoch 2 are missing" in texts(app)
    learned = turned(mnist.y_test, epoch_predictions.read(path), 1, "learned")
    app = open_page("explore", view="epochs", run=path.name, index=str(learned[0]))
    assert "earned by epoch 3" in texts(app) or "learned again by 3" in texts(app)


# Damaged runs


STILL_THERE = {  # of each view, when the predictions of the run that it is about are damaged
    "digits": "Test images: **1–100 of 10,000**",
    "glance": "**70,000 digits**",
    "labels": "Accuracy without the fifteen",
}


@pytest.mark.fault(id="damaged-predictions")
@pytest.mark.parametrize("view", VIEWS)
def test_damaged_predictions_are_told_and_leave_the_rest(view: str, own_folders: Path) -> None:
    path = copied(own_folders)
    (path / "predictions.npz").write_bytes(b"torn")
    app = open_explore_of(view, path.name)
    said = texts(app)
    if view == "epochs":  # its predictions of each epoch are whole
        assert "Mistakes after epoch 15: **91**" in said or "Mistakes after epoch 15: **1–25 of 91**" in said
    else:
        assert f"The predictions of run {path.name} cannot be read; the file is damaged." in said or view == "digits"
        assert len(app.error) <= 1
        assert STILL_THERE.get(view, "Explore the digits") in said
        assert view in STILL_THERE or any(path.name == box.value for box in app.selectbox)  # another can be chosen


@pytest.mark.parametrize("view", LISTS)
def test_one_digit_of_a_damaged_run_is_shown_all_the_same(view: str, own_folders: Path) -> None:
    path = copied(own_folders)
    (path / "predictions.npz").write_bytes(b"torn")
    app = open_explore_of(view, path.name, index="947")
    said = texts(app)
    assert "Test image 947, labelled 8" in said
    assert f"The predictions of run {path.name} cannot be read; the file is damaged." in said
    assert f"of {SHIPPED} networks" in said
    assert "The nearest labelled 8" in said
    assert any(button.label.startswith("Back to the ") for button in app.button)


def open_explore_of(view: str, run_id: str, **query: str) -> AppTest:
    """A view about one run; where there is a choice, it is about its answers."""
    return open_page("explore", view=view, run=run_id, color="answer", kind="half" if view == "two" else "", **query)


@pytest.mark.parametrize("view", VIEWS)
def test_a_run_whose_settings_are_damaged_is_left_out(view: str, own_folders: Path) -> None:
    path = copied(own_folders)
    (path / "config.json").write_bytes(b'{"torn')
    app = open_page("explore", view=view, run=path.name)
    assert not app.error
    names_it = view not in ("digits", "glance", "labels")  # these are about no run
    assert (path.name in texts(app)) == names_it
    assert not any(path.name in box.options for box in app.selectbox)


def test_names_and_lists_are_shown_as_they_stand(own_folders: Path) -> None:
    path = copied(own_folders)
    runs.rename(path, "![x](http://a.b/c.png) **bold**")
    app = open_page("explore", view="mistakes", run=path.name, index="5")
    assert not any("![x](" in element.value for element in app.markdown)
    assert "How ![x](http://a.b/c.png) **bold** learned it" in texts(app)
    app = open_page("explore", only="![](//a.b/c.png)")
    assert "![](" not in app.error[0].value
    assert "![](//a.b/c.png)" in texts(app)


def test_too_long_a_list_of_indices_is_refused_and_not_cut(shown: list[int]) -> None:
    app = open_page("explore", only=",".join(str(index) for index in range(1000, 1500)))
    assert "characters" in app.error[0].value
    assert shown == []


def test_the_chosen_network_is_asked_however_many_there_are(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_reads, "MOST_RUNS", SHIPPED + 1)
    for number in range(3):
        shutil.copytree(runs.BUNDLED_RUNS / "fast", own_folders / f"2026010{number + 1}-000000000-fast")
    oldest = "20260101-000000000-fast"
    app = open_page("explore", view="mistakes", run=oldest, index="947")
    assert f"of {SHIPPED + 2} networks" in texts(app)
    assert f"Of {SHIPPED + 3} networks, the 1 newest and those that ship are used." in texts(app)
    assert f"of {SHIPPED + 1} networks" in texts(open_page("explore", view="mistakes", index="947"))


def test_the_kept_epoch_is_shown_first(own_folders: Path) -> None:
    path = copied(own_folders)
    report = json.loads((path / "report.json").read_text())
    (path / "report.json").write_text(json.dumps({**report, "kept_epoch": 12, "kept_rule": "lowest validation loss"}))
    app = open_page("explore", view="epochs", run=path.name)
    assert app.select_slider[0].value == "12"
    assert "are those after epoch 12" in texts(app)
    (path / "report.json").write_text(json.dumps({**report, "kept_epoch": 16}))  # stopped in the middle of it
    app = open_page("explore", view="epochs", run=path.name)
    assert app.select_slider[0].value == "15"
    assert "from the middle of an epoch" in texts(app)


def test_a_run_of_a_newer_version_is_left_out(own_folders: Path) -> None:
    path = copied(own_folders)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "version": 99}))
    app = open_page("explore", view="mistakes", run=path.name)
    assert path.name in texts(app)
    assert heading(app).startswith("Mistakes: **")
