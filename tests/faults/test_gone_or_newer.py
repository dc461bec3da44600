"""Directories that go away, and files of a newer Digit Lab."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mnist_core import runs
from mnist_core.processes import worker
from mnist_core.runs import event_log, trash
from mnist_core.runs.reading import RunError
from mnist_core.runs.status import read_status
from tests.support.run_directories import MakeConfig, is_sentence, write_status_values


@pytest.mark.fault(id="deleted-while-watched")
def test_a_run_that_was_deleted_is_said_to_be_gone(trained_run: Path, tmp_path: Path) -> None:
    path = shutil.copytree(trained_run, tmp_path / trained_run.name)
    trash.delete(runs.read_run(path), 10)
    for ask in (runs.read_run, read_status, runs.request_stop):
        with pytest.raises(RunError, match=r"no run called .* It may have been deleted\.$"):
            ask(path)
    assert event_log.read_events(path) == []


@pytest.mark.fault(id="directory-removed")
def test_a_directory_removed_in_training_ends_that_run_alone(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path, other = (runs.create_run(tmp_path, tiny_config()) for _ in range(2))
    with pytest.raises(FileNotFoundError):
        worker.execute(path, lambda event: shutil.rmtree(path, ignore_errors=True))
    assert not path.exists()
    assert [run.id for run in runs.list_runs(tmp_path)] == [other.name]


@pytest.mark.fault(id="newer-version")
def test_a_status_or_report_in_another_form_may_be_newer(trained_run: Path, tmp_path: Path) -> None:
    path = shutil.copytree(trained_run, tmp_path / "runs" / "newer")
    report = json.loads((path / "report.json").read_text())
    (path / "report.json").write_text(json.dumps({**report, "a_new_figure": 5}))
    assert runs.read_run(path).report == runs.read_run(trained_run).report
    (path / "report.json").write_text(json.dumps({**report, "kept_rule": {"by": "a new rule"}}))
    for name in ("report.json", "status.json"):
        with pytest.raises(RunError, match=rf"^{name} of run newer .* newer Digit Lab\.$") as caught:
            runs.read_run(path)
        assert is_sentence(str(caught.value))
        write_status_values(path, state="finished", mood="good")
