"""Every page as Streamlit's own test runner sees it: full, empty, and with files that are damaged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import runs
from mnist_core.common.server import owner_hash
from mnist_core.data import dataset
from mnist_core.runs.status import State, write_status
from mnist_core.training import links
from tests.support.opening import open_page, texts
from ui.session import state

TITLES = {"home": "Digit Lab", "train": "Train a network", "explore": "Explore the digits", "draw": "Draw a digit"}
TRAIN_VIEWS = ("setup", "watch", "compare", "published", "words")


def test_visitors_who_come_at_once_do_not_share_a_page() -> None:
    def script() -> None:
        from ui.session import navigation

        mine, other = navigation.declare(), navigation.declare()
        mine._page = other._page = None  # only whether they may be run matters here
        other.run()
        mine.run()  # a page that both shared could be run by one of them only

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception


def test_no_name_in_the_url_has_two_meanings() -> None:
    assert not set(state.Params) & set(links.setting_names())


@pytest.mark.parametrize("name", TITLES)
def test_a_page_with_the_runs_that_ship(name: str) -> None:
    app = open_page(name)
    assert app.title[0].value == TITLES[name]
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("name", TITLES)
def test_a_page_when_there_is_nothing_yet(name: str, nothing_ships: None) -> None:
    app = open_page(name)
    assert app.title[0].value == TITLES[name]
    assert not app.error
    assert name != "draw" or "There is no trained network yet" in texts(app)


@pytest.mark.parametrize("view", TRAIN_VIEWS)
def test_each_view_of_train_when_there_is_nothing_yet(view: str, nothing_ships: None) -> None:
    app = open_page("train", view=view)
    assert not app.error
    words = {
        "watch": "There is no trained network yet",
        "compare": "There is no run yet",
        "published": "not trained here",
    }
    assert words.get(view, "Train a network") in texts(app) + "".join(table.value.to_string() for table in app.table)


@pytest.mark.parametrize("view", TRAIN_VIEWS)
def test_each_view_of_train_with_the_runs_that_ship(view: str) -> None:
    app = open_page("train", view=view)
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("run_id", ["chollet", "garcia", "fast", "five-layer"])
def test_a_run_that_ships_is_shown_with_its_result(run_id: str) -> None:
    app = open_page("train", run=run_id)
    report = runs.read_run(runs.BUNDLED_RUNS / run_id).report
    assert report is not None
    assert f"{report.test_accuracy:.2%}" in texts(app)
    assert ("Hardly learning" in texts(app)) == (run_id == "garcia")


def test_two_runs_are_compared_by_what_differs() -> None:
    app = open_page("train", view="compare", compare="garcia,garcia-rate-1")
    differences = next(table.value for table in app.dataframe if "Learning rate" in table.value.columns)
    assert list(differences.columns) == ["Learning rate"]
    assert sorted(differences["Learning rate"]) == ["0.001", "1"]
    assert "is clearly better" in texts(app)


@pytest.mark.parametrize("name", ["home", "explore"])
def test_a_damaged_data_file_gives_one_clear_message(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_cached: None
) -> None:
    torn = tmp_path / "mnist.npz"
    torn.write_bytes(dataset.BUNDLED_FILE.read_bytes()[:1_000_000])
    monkeypatch.setattr(dataset.load_mnist, "__defaults__", (torn,))
    app = open_page(name)
    assert len(app.error) == 1
    assert "missing or damaged" in app.error[0].value
    assert "git checkout" in app.error[0].value


def button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def test_training_starts_with_the_settings_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(
        "mnist_core.processes.jobs.start_seeds", lambda config, *_: started.append(config) or ["chollet"]
    )
    app = open_page("train")
    app.selectbox(key="setting-preset").select("nehlr").run()
    app.number_input(key="setting-epochs").set_value(2).run()
    assert button(app, "Epochs: 3 → 2")
    button(app, "Train").click().run()
    (config,) = started
    assert (config.preset, config.epochs, config.batch_size) == ("nehlr", 2, 64)
    assert config.notation == "32C3-P2-D0.2-128-10"
    assert app.query_params["run"] in ("chollet", ["chollet"])
    assert app.query_params["view"] in ("watch", ["watch"])


@pytest.mark.fault(id="disk-full-at-start")
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnist_core.processes.jobs.start_seeds", fail)
    app = open_page("train")
    button(app, "Train").click().run()
    assert not app.exception
    assert "No space left on device" in app.error[0].value


def test_a_preset_sets_every_setting_and_reset_brings_it_back() -> None:
    app = open_page("train")
    app.selectbox(key="setting-preset").select("garcia").run()
    assert app.selectbox(key="setting-optimizer").value == "adadelta"
    assert app.selectbox(key="setting-validation").value == "test"
    app.number_input(key="setting-seed").set_value(9).run()
    app.slider(key="setting-rotation").set_value(12.0).run()
    button(app, "Seed: 1 → 9").click().run()
    assert app.number_input(key="setting-seed").value == 1
    assert app.slider(key="setting-rotation").value == 12
    button(app, "Reset all").click().run()
    assert app.slider(key="setting-rotation").value == 0
    assert not any("→" in each.label for each in app.button)


def test_a_setting_that_needs_held_out_images_yields_with_a_note() -> None:
    app = open_page("train", preset="chollet", early_stopping="patience", stop_metric="validation loss")
    assert app.selectbox(key="setting-stop_metric").value == "validation loss"
    app.selectbox(key="setting-validation").select("none").run()
    assert app.selectbox(key="setting-stop_metric").value == "training loss"
    assert "early stopping monitors the training loss" in texts(app)


@pytest.mark.public(id="may-train")
def test_what_is_too_large_for_a_public_server_cannot_be_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("train", preset="chollet", epochs="90")
    assert not button(app, "Train").disabled
    monkeypatch.setenv("DIGIT_LAB_PUBLIC", "1")
    app.run()
    assert button(app, "Train").disabled
    assert "90 epochs: at most 80 are allowed here" in texts(app)


def test_what_a_public_server_would_stop_before_its_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("train", preset="champion")
    assert "a run is stopped after" not in texts(app)
    monkeypatch.setenv("DIGIT_LAB_PUBLIC", "1")
    app.run()
    assert "Here, a run is stopped after 20 min, and what it has learned by then is saved" in texts(app)
    assert not button(app, "Train").disabled
    assert "a run is stopped after" not in texts(open_page("train", preset="champion", epochs="2"))


def test_nobody_changes_the_run_of_another_on_a_public_server(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGIT_LAB_PUBLIC", "1")
    path = own_folders / "20260101-000000000-some"
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", path)
    (path / "owner.txt").write_text(owner_hash("a" * 32))
    write_status(path, "running", "Training", pid=os.getpid())
    app = open_page("train", run=path.name)
    assert "Epoch 15 of 15" in app.get("progress")[0].proto.text
    assert not any(each.label == "Stop" for each in app.button)
    app.session_state["visitor"] = "a" * 32
    app.run()
    assert any(each.label == "Stop" for each in app.button)


@pytest.mark.fault(id="damaged-run-file")
@pytest.mark.parametrize("damage", ["predictions.npz", "report.json", "config.json", "status.json", "metrics.jsonl"])
def test_a_damaged_run_leaves_the_rest_usable(damage: str, own_folders: Path) -> None:
    broken = own_folders / "20260101-000000000-broken"
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", broken)
    (broken / damage).write_bytes(b'{"torn')
    for name, query in (("train", {}), ("explore", {"view": "mistakes"}), ("draw", {})):
        app = open_page(name, run=broken.name, **query)
        assert app.title[0].value == TITLES[name]
        if damage in ("config.json", "status.json", "report.json"):
            assert damage in texts(app) or "settings" in texts(app)
            assert broken.name in texts(app)
    if damage == "predictions.npz":
        app = open_page("explore", view="mistakes", run=broken.name)
        assert "the file is damaged" in app.error[0].value


@pytest.mark.parametrize("state", ["queued", "failed", "stopped", "interrupted"])
def test_a_run_in_every_state_has_words(state: State, own_folders: Path) -> None:
    path = own_folders / "20260101-000000000-some"
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", path)
    (path / "report.json").unlink()
    write_status(path, state, "Something to say.")
    said = texts(open_page("train", run=path.name))
    words = {"queued": "Waiting in the queue", "interrupted": "Interrupted."}
    assert words.get(state, "Something to say.") in said


def test_a_running_run_says_how_far_it_has_come(own_folders: Path) -> None:
    path = own_folders / "20260101-000000000-some"
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", path)
    log = path / "metrics.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    reached = next(number for number, line in enumerate(lines) if '"epoch":3,' in line) + 20
    log.write_text("".join(lines[: reached + 1]), encoding="utf-8")
    last = json.loads(lines[reached])
    write_status(path, "running", "Training", pid=os.getpid())
    app = open_page("train", run=path.name)
    each = runs.read_run(path).config.steps_per_epoch
    assert f"Epoch 3 of 15 · batch {last['step'] - 2 * each:,} of {each:,} · " in app.get("progress")[0].proto.text


def test_a_running_run_can_be_stopped(own_folders: Path) -> None:
    path = own_folders / "20260101-000000000-some"
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", path)
    write_status(path, "running", "Training", pid=os.getpid())
    app = open_page("train", run=path.name)
    assert "Epoch 15 of 15" in app.get("progress")[0].proto.text
    next(button for button in app.button if button.label == "Stop").click().run()
    assert not app.exception
    assert runs.stop_requested(path)
    assert next(button for button in app.button if button.label == "Stopping …").disabled
