"""What was written before modules, settings and views got the names of today: files, links, variables, as they were.

The texts are those that the version before (commit 78594bf) wrote: of a run of 300 images, and a set of one drawing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

from mnist_core import runs
from mnist_core.common import server
from mnist_core.drawing.class_sets import archive, contents, sets
from mnist_core.processes import inference, queue
from mnist_core.runs.event_log import read_events
from mnist_core.training import links
from mnist_core.training.checkpoints import read_checkpoint
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, Continued, EpochDone
from tests.support.opening import open_page, texts

CONFIG = """{
 "config_version": 2,
 "preset": "tiny",
 "architecture": "4C5S3-P2-10",
 "scaling": "0-1",
 "optimizer": "nesterov",
 "learning_rate": 0.003,
 "momentum": 0.9,
 "weight_decay": 0.004,
 "schedule": "constant",
 "warm_up_epochs": 0.0,
 "step_epochs": 3,
 "step_factor": 0.5,
 "batch_size": 50,
 "epochs": 2,
 "train_size": 300,
 "validation": "last",
 "validation_share": 0.1,
 "rotation": 0.0,
 "shift": 0.0,
 "zoom": 0.0,
 "shear": 0.0,
 "elastic": 0.0,
 "thickness": 0.0,
 "continental": 0.0,
 "l2": 0.0,
 "label_smoothing": 0.0,
 "early_stopping": "patience",
 "stop_metric": "validation loss",
 "stop_target": 0.99,
 "patience": 3,
 "keep": "last",
 "seed": 1
}
"""
CONFIG_OF_VERSION_1 = """{
 "config_version": 1,
 "preset": "chollet",
 "architecture": "32C3-P2-64C3-P2-D0.5-10",
 "scaling": "0-255",
 "optimizer": "adadelta",
 "learning_rate": 0.5,
 "batch_size": 64,
 "epochs": 15,
 "train_size": 6000,
 "validation": "last",
 "validation_share": 0.2,
 "stop_above_accuracy": 0.97,
 "keep": "best",
 "seed": 7
}
"""
STATUS = """{
 "state": "finished",
 "message": "all epochs done",
 "pid": null,
 "process_started": null,
 "updated": 1796082128.826867,
 "process_started_after_boot": null
}
"""
REPORT = """{
 "test_accuracy": 0.1002,
 "test_loss": 2.311241808501496,
 "test_correct": 1002,
 "training_seconds": 0.7,
 "images_per_second": 771.6,
 "parameters": 754,
 "multiply_adds": 7040,
 "epochs_completed": 2,
 "steps": 12,
 "end_reason": "all epochs done",
 "kept_epoch": 2,
 "kept_step": 12,
 "kept_rule": "last",
 "versions": {
  "digit_lab": "0.1.0",
  "python": "3.11.7",
  "tensorflow": "2.21.0",
  "keras": "3.15.1",
  "numpy": "2.4.6"
 },
 "machine": {
  "system": "Linux",
  "processor": "x86_64",
  "cores": 2,
  "memory_gb": 25.3
 },
 "finished": "2026-11-30T23:42:08+00:00",
 "peak_memory_mb": 724.9
}
"""
METRICS = """\
{"n":0,"kind":"batches","epoch":1,"step":2,"images":100,"loss":[2.350215,2.338225],"accuracy":[0.06,0.08],\
"seconds":0.672222,"gradient_norm":[0.696165,0.569795]}
{"n":1,"kind":"epoch","epoch":1,"step":6,"complete":true,"loss":2.3393,"accuracy":0.114815,\
"validation_loss":2.272727,"validation_accuracy":0.033333,"seconds":0.689118}

{"n":2,"kind":"continued","step":6}
{"n":3,"kind":"batches","epoch":2,"step":7,"images":320,"loss":[2.33869],"accuracy":[0.04],"seconds":0.697614}
"""
CHECKPOINT = """\
{"progress": {"epochs_completed": 1, "steps": 6, "images": 270, "seconds": 0.689118}, "epochs": [{"epoch": 1, \
"step": 6, "complete": true, "loss": 2.3393, "accuracy": 0.114815, "validation_loss": 2.272727, \
"validation_accuracy": 0.033333, "seconds": 0.689118}], \
"variables": 1, "best": {"epoch": 1, "step": 6, "weights": 1}}"""

SET_ID = "9bf56c36e3703d0750a9"
OWNER = "0123456789abcdef0123456789abcdef"
SET = f"""{{
 "format": "digit-lab class set",
 "version": 1,
 "title": "Class 4b",
 "created": "2026-11-30T23:42:10Z",
 "owner": "{OWNER}"
}}
"""
DRAWING_ID = "313bcd00d643499e12ddfa87681352d4"
IMAGE = [[0] * 28] * 4 + [[0] * 13 + [255] * 2 + [0] * 13] * 20 + [[0] * 28] * 4
DRAWING = (
    f'{{"version":1,"id":"{DRAWING_ID}","label":1,"time":"2026-11-30T23:42:10Z","canvas":336,"widths":[24.0],'
    f'"strokes":[[[168.0,60.0],[168.0,270.2]]],"image":{IMAGE}}}\n'.replace(", ", ",")
)
EXPORT = '{"format":"digit-lab class set","version":1,"title":"Class 4b","drawings":1}\n' + DRAWING

LINK = "v=2&preset=fast&architecture=16C3-P2-10&learning_rate=0.002&epochs=7&validation=random&seed=42"
VIEWS = {
    "train": ("setup", "watch", "compare", "published", "words"),
    "explore": ("digits", "glance", "mistakes", "confusion", "scores", "epochs", "two", "labels", "handwriting"),
    "draw": ("canvas", "photo"),
}


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    path = tmp_path / "runs" / "2026-11-30-23-42-tiny"
    path.mkdir(parents=True)
    for name, text in {
        "config.json": CONFIG,
        "status.json": STATUS,
        "report.json": REPORT,
        "metrics.jsonl": METRICS,
        "title.txt": "My first network",
        "owner.txt": OWNER,
    }.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def set_path(tmp_path: Path) -> Path:
    path = tmp_path / "handwriting" / SET_ID
    path.mkdir(parents=True)
    (path / "set.json").write_text(SET, encoding="utf-8")
    (path / f"{DRAWING_ID}.json").write_text(DRAWING, encoding="utf-8")
    return path


def test_a_run(run_path: Path) -> None:
    (run,) = runs.list_runs(run_path.parent)
    assert (run.id, run.title, run.owner) == (run_path.name, "My first network", OWNER)
    assert run.config.to_json() == json.loads(CONFIG)
    assert (run.status.state, run.status.message) == ("finished", "all epochs done")
    assert run.report is not None
    assert vars(run.report) == json.loads(REPORT)


def test_the_network_of_a_run(run_path: Path) -> None:
    config = runs.read_run(run_path).config
    assert config.to_json()["architecture"] == "4C5S3-P2-10"
    assert config.steps == 12


def test_the_settings_of_version_1() -> None:
    settings = TrainingConfig.from_json(json.loads(CONFIG_OF_VERSION_1)).to_json()
    expected = {name: value for name, value in json.loads(CONFIG_OF_VERSION_1).items() if name in settings}
    expected |= {"config_version": 2, "early_stopping": "target", "stop_metric": "training accuracy"}
    assert {name: settings[name] for name in (*expected, "stop_target")} == {**expected, "stop_target": 0.97}


def test_the_events_of_a_run(run_path: Path) -> None:
    assert read_events(run_path) == [
        BatchesDone(1, 2, 100, (2.350215, 2.338225), (0.06, 0.08), 0.672222, (0.696165, 0.569795)),
        EpochDone(1, 6, True, 2.3393, 0.114815, 2.272727, 0.033333, 0.689118),
        Continued(6),
        BatchesDone(2, 7, 320, (2.33869,), (0.04,), 0.697614),
    ]


def test_a_run_that_was_broken_off(run_path: Path) -> None:
    arrays: dict[str, Any] = {"variable_0": np.arange(3.0), "best_0": np.arange(2.0)}
    with (run_path / "checkpoint.npz").open("wb") as file:
        np.savez(file, state=np.array(CHECKPOINT), **arrays)
    found = read_checkpoint(run_path)
    assert (found.progress.epochs_completed, found.progress.steps, found.progress.images) == (1, 6, 270)
    assert found.epochs == (EpochDone(1, 6, True, 2.3393, 0.114815, 2.272727, 0.033333, 0.689118),)
    assert [array.tolist() for array in found.variables] == [[0, 1, 2]]
    assert found.best is not None
    assert (found.best.epoch, found.best.step, found.best.weights[0].tolist()) == (1, 6, [0, 1])


def test_a_class_set(set_path: Path) -> None:
    class_set = sets.find_set(SET_ID, set_path.parent)
    assert (class_set.title, class_set.owner) == ("Class 4b", OWNER)
    assert class_set.created is not None
    assert class_set.created.isoformat() == "2026-11-30T23:42:10+00:00"
    assert sets.set_id("class 4B", OWNER) == SET_ID  # whoever types the title again finds it
    found = contents.read_contents(class_set)
    assert not found.problems
    (drawing,) = found.drawings
    assert (drawing.id, drawing.label, drawing.canvas) == (DRAWING_ID, 1, 336)
    assert drawing.image.tolist() == IMAGE
    assert drawing.drawn.widths == (24.0,)
    np.testing.assert_allclose(drawing.drawn.strokes[0], [[168.0, 60], [168, 270.2]])


def test_an_exported_class_set() -> None:
    found = archive.read_file(EXPORT.encode())
    assert (found.title, [drawing.id for drawing in found.drawings], found.problems) == ("Class 4b", [DRAWING_ID], ())


def test_a_link_to_settings() -> None:
    linked = links.from_query(dict(parse_qsl(LINK)))
    assert not linked.notes
    settings = linked.config.to_json()
    expected = {"preset": "fast", "architecture": "16C3-P2-10", "learning_rate": 0.002, "epochs": 7}
    expected |= {"validation": "random", "seed": 42}
    assert {name: settings[name] for name in expected} == expected


def test_settings_of_the_command_line() -> None:
    config = TrainingConfig().with_settings(["architecture=16C3-P2-10", "epochs=7", "stop_metric=training loss"])
    settings = config.to_json()
    assert (settings["architecture"], settings["epochs"], settings["stop_metric"]) == ("16C3-P2-10", 7, "training loss")


def test_variables_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RUNS_DIR": "/a", "HANDWRITING_DIR": "/b", "PUBLIC": "1", "ROOM": "7", "SPARE": "0"}.items():
        monkeypatch.setenv(f"DIGIT_LAB_{name}", value)
    assert (server.runs_dir(), server.class_sets_dir()) == (Path("/a"), Path("/b"))
    assert server.is_public()
    assert queue.capacity() == 7
    assert server.chosen_spare() is False


@pytest.fixture
def served(run_path: Path, set_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders of a server that has this run and this class set; return the run's directory."""
    monkeypatch.setenv("DIGIT_LAB_RUNS_DIR", str(run_path.parent))
    monkeypatch.setenv("DIGIT_LAB_HANDWRITING_DIR", str(set_path.parent))
    monkeypatch.setattr(inference, "warm_up", lambda files: None)
    monkeypatch.setattr(inference, "predict", lambda file, images: np.full((len(images), 10), 0.1, np.float32))
    return run_path


@pytest.mark.parametrize(("page", "view"), [(page, view) for page, views in VIEWS.items() for view in views])
def test_links_open_their_view(page: str, view: str, served: Path) -> None:
    chosen: Any = open_page(page, view=view).main.get("button_group")[0]
    assert chosen.value == view


def test_a_link_to_a_run(served: Path) -> None:
    app = open_page("train", view="watch", run=served.name)
    assert "10.02%" in texts(app)  # of the test images are read right


def test_a_link_to_settings_is_taken_over(served: Path) -> None:
    app = open_page("train", **dict(parse_qsl(LINK)))
    settings = app.session_state["draft"].config.to_json()
    assert (settings["architecture"], settings["epochs"], settings["seed"]) == ("16C3-P2-10", 7, 42)


def test_a_link_to_a_drawing(served: Path) -> None:
    app = open_page("explore", view="handwriting", set=SET_ID, drawing=DRAWING_ID)
    assert "1 stroke" in texts(app)
