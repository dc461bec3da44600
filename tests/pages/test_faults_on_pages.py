"""Faults as a visitor sees them: a sentence, a way on, never a traceback. See docs/faults.md."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import runs
from mnist_core.drawing.strokes import Drawing
from mnist_core.processes import inference, jobs
from mnist_core.runs import trash
from mnist_core.runs.status import write_status
from mnist_core.training import checkpoints
from mnist_core.training.events import Progress
from tests.support.opening import open_page, texts

# The canvas registers its files with a running server, which there is none of here.
with patch("streamlit.components.v2.component", lambda *_, **__: lambda **_: {}):
    from ui.components import canvas

RUN_ID = "20260101-000000000-some"
STEM = Drawing((np.array([[168, 60], [168, 170], [168, 280]], np.float32),), (26.0,))
GARBAGE = np.random.default_rng(0).bytes(4000)


@pytest.fixture
def copied(own_folders: Path) -> Callable[[str], Path]:
    """A function that makes a copy of a trained run."""

    def copy(run_id: str = RUN_ID) -> Path:
        return shutil.copytree(runs.BUNDLED_RUNS / "fast", own_folders / run_id)

    return copy


def button(app: AppTest, label: str):
    return next((button for button in app.button if button.label == label), None)


def while_it_trains(path: Path) -> Path:
    """Let a run look as it does while it trains."""
    (path / "report.json").unlink()
    write_status(path, "running", "Training", pid=os.getpid())
    return path


@pytest.mark.fault(id="training-killed")
@pytest.mark.fault(id="killed-for-memory")
@pytest.mark.parametrize("saved", [True, False])
def test_a_run_that_was_killed_says_what_may_have_happened(saved: bool, copied: Callable[[], Path]) -> None:
    path = while_it_trains(copied())
    status = json.loads((path / "status.json").read_text())
    another = {"process_started": 0, "process_started_after_boot": 0}
    (path / "status.json").write_text(json.dumps({**status, **another}))
    if saved:
        checkpoints.write_checkpoint(path, checkpoints.Checkpoint(Progress(1, 9, 450, 1.0), (), (), None))
    app = open_page("train", run=RUN_ID)
    (warning,) = app.warning
    assert warning.value.startswith("Interrupted. Its training process ended before it was done.")
    assert "memory may have run out: try smaller batches or a smaller network." in warning.value
    assert ("run it again" in warning.value) == (not saved)
    assert (button(app, "Continue") is not None) == saved
    assert "no curves" not in texts(app)


@pytest.mark.fault(id="disk-full-on-continuing")
def test_a_disk_still_full_when_a_run_should_go_on_is_told(
    copied: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = while_it_trains(copied())
    write_status(path, "failed", "A file of the run could not be written: No space left on device.")
    checkpoints.write_checkpoint(path, checkpoints.Checkpoint(Progress(1, 9, 450, 1.0), (), (), None))

    def fail(run: runs.Run) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jobs, "resume", fail)
    app = open_page("train", run=RUN_ID)
    button(app, "Continue").click().run()
    assert not app.exception
    assert [error.value.replace("\\", "") for error in app.error] == [
        "A file of the run could not be written: No space left on device.",
        "That did not work: No space left on device.",
    ]


@pytest.mark.fault(id="damaged-everything")
def test_a_run_whose_every_file_is_garbage_leaves_the_others(copied: Callable[..., Path]) -> None:
    copied("20260102-000000000-whole")
    for file in copied().rglob("*.*"):
        file.write_bytes(GARBAGE)
    for name, view in (("train", "watch"), ("explore", "mistakes"), ("draw", "canvas")):
        app = open_page(name, run=RUN_ID, view=view)
        assert not app.error
        assert RUN_ID in texts(app)
        assert any("02 Jan" in option for box in app.selectbox for option in box.options)
    app = open_page("train", view="compare")
    assert RUN_ID in texts(app)
    assert len(app.dataframe[0].value) == 1 + len(runs.list_runs(runs.BUNDLED_RUNS))


@pytest.mark.fault(id="damaged-metrics")
def test_a_result_outlives_all_files_that_it_does_not_need(copied: Callable[[], Path]) -> None:
    path = copied()
    (path / "checkpoint.npz").touch()
    needed = ("config.json", "status.json", "report.json", "predictions.npz")
    for file in path.rglob("*.*"):
        if file.name not in needed:
            file.write_bytes(GARBAGE)
    app = open_page("train", run=RUN_ID)
    assert not app.error
    assert "Test accuracy" in texts(app)
    assert "This run has no curves" in texts(app)
    assert "This run has no predictions for each epoch" in texts(open_page("explore", view="epochs", run=RUN_ID))
    app = open_page("explore", view="mistakes", run=RUN_ID)
    assert not app.error
    assert "Mistakes: **" in texts(app)


@pytest.mark.fault(id="newer-version")
@pytest.mark.parametrize("view", ["watch", "compare"])
@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("config.json", {"config_version": 99}, "version 99"),
        ("status.json", {"state": "asleep"}, "of a newer Digit Lab"),
        ("report.json", {"steps": "many"}, "of a newer Digit Lab"),
    ],
)
def test_a_run_of_a_newer_version_is_said_to_be_one(
    view: str, name: str, values: dict[str, object], told: str, copied: Callable[[], Path]
) -> None:
    file = copied() / name
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
    app = open_page("train", run=RUN_ID, view=view)
    assert not app.error
    assert RUN_ID in texts(app)
    assert told in texts(app)


@pytest.mark.fault(id="clock-put-right")
def test_a_run_from_the_last_day_of_all_is_listed(copied: Callable[..., Path]) -> None:
    copied("99991231-235959999-some")
    app = open_page("train", view="compare")
    assert not app.error
    assert len(app.dataframe[0].value) == 1 + len(runs.list_runs(runs.BUNDLED_RUNS))
    assert "Test accuracy" in texts(open_page("train", run="99991231-235959999-some"))


@pytest.mark.fault(id="deleted-while-watched")
def test_a_run_deleted_while_somebody_watches_is_said_to_be_gone(copied: Callable[[], Path]) -> None:
    path = while_it_trains(copied())
    app = open_page("train", run=RUN_ID)
    assert button(app, "Stop")
    write_status(path, "stopped", "Stopped by hand.")
    trash.delete(runs.read_run(path), 10)
    button(app, "Stop").click().run()  # on a page that does not know yet
    assert not app.exception
    assert "It may have been deleted. Here is another run instead." in app.warning[0].value.replace("\\", "")
    assert not path.exists()


@pytest.mark.fault(id="two-stop-a-run")
def test_two_visitors_can_stop_a_run_at_once(copied: Callable[[], Path]) -> None:
    path = while_it_trains(copied())
    pages = [open_page("train", run=RUN_ID) for _ in range(2)]
    for app in pages:
        button(app, "Stop").click().run()
        assert not app.exception
        assert not app.error
        assert button(app, "Stopping …").disabled
    assert runs.stop_requested(path)


@pytest.mark.fault(id="inference-killed-again")
def test_an_inference_process_that_ends_again_and_again_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise inference._ProcessDiedError

    monkeypatch.setattr(canvas, "show", lambda: STEM)
    monkeypatch.setattr(inference, "_submit", die)
    app = open_page("draw")
    told = {error.value for error in app.error}
    assert told == {"The inference process ends again and again; the machine may be out of memory."}
