"""The runs of a folder: found where they lie, listed in order, and read again only where something has changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mnist_core import runs
from mnist_core.runs import listing
from mnist_core.runs.reading import RunError
from mnist_core.runs.run import Run, read_config, read_run
from mnist_core.runs.status import State, write_status
from mnist_core.training.config import TrainingConfig
from tests.support.run_directories import MakeConfig, is_sentence, write_status_values


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What is read of runs: the id of each, and whether its settings are read with it."""
    told: list[tuple[str, bool]] = []
    configs: list[Path] = []

    def note(path: Path, config: TrainingConfig | None) -> Run:
        told.append((path.name, path in configs))
        configs.clear()
        return read_run(path, config)

    monkeypatch.setattr(listing, "read_config", lambda path: (configs.append(path), read_config(path))[1])
    monkeypatch.setattr(listing, "read_run", note)
    return told


def ended(folder: Path, make_config: MakeConfig, name: str, state: State = "finished") -> Path:
    path = runs.create_run(folder, make_config(), name)
    write_status(path, state)
    return path


def test_a_run_is_found_in_its_folder_or_among_those_that_ship(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = ended(tmp_path, tiny_config, "mine")
    assert listing.find_run("mine", tmp_path).path == path
    assert listing.find_run("chollet", tmp_path).is_bundled
    (tmp_path / "a-file").write_text("no run")
    with pytest.raises(RunError, match="may have been deleted"):
        listing.find_run("a-file", tmp_path)


def test_a_run_found_but_unreadable_says_what_is_wrong(queued: Path) -> None:
    (queued / "config.json").write_text("torn")
    with pytest.raises(RunError, match=r"config\.json") as caught:
        listing.find_run(queued.name, queued.parent)
    assert listing.unreadable_runs(queued.parent) == {queued.name: str(caught.value)}
    assert is_sentence(str(caught.value))


def test_names_come_last_to_first_and_active_ones_the_other_way(tmp_path: Path, tiny_config: MakeConfig) -> None:
    for name in ("b", "a", "c"):
        runs.create_run(tmp_path, tiny_config(), name)
    assert [run.id for run in listing.list_runs(tmp_path)] == ["c", "b", "a"]
    assert [run.id for run in listing.list_active(tmp_path)] == ["a", "b", "c"]


def test_each_run_is_either_listed_or_said_to_be_unreadable(tmp_path: Path, tiny_config: MakeConfig) -> None:
    for name in ("good", "no-settings", "no-status"):
        ended(tmp_path, tiny_config, name)
    (tmp_path / "no-settings" / "config.json").unlink()
    (tmp_path / "no-status" / "status.json").write_bytes(b"\xff")
    (tmp_path / ".deleted").mkdir()
    assert [run.id for run in listing.list_runs(tmp_path)] == ["good"]
    problems = listing.unreadable_runs(tmp_path)
    assert set(problems) == {"no-settings", "no-status"}
    assert all(is_sentence(problem) for problem in problems.values())


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_a_run_that_ended_is_read_once(
    state: State, tmp_path: Path, tiny_config: MakeConfig, reads: list[tuple[str, bool]]
) -> None:
    ended(tmp_path, tiny_config, "done", state)
    first = listing.list_runs(tmp_path)
    assert listing.list_runs(tmp_path) == first
    assert listing.unreadable_runs(tmp_path) == {}
    assert listing.list_active(tmp_path) == []
    assert reads == [("done", True)]


def test_only_the_run_that_changed_is_read_again(
    tmp_path: Path, tiny_config: MakeConfig, reads: list[tuple[str, bool]]
) -> None:
    paths = [ended(tmp_path, tiny_config, name) for name in ("one", "other")]
    listing.list_runs(tmp_path)
    reads.clear()
    runs.rename(paths[0], "a title")
    assert [run.title for run in listing.list_runs(tmp_path)] == ["", "a title"]
    config = {**json.loads((paths[1] / "config.json").read_text()), "epochs": 9}
    (paths[1] / "config.json.new").write_text(json.dumps(config))
    (paths[1] / "config.json.new").replace(paths[1] / "config.json")
    assert [run.config.epochs for run in listing.list_runs(tmp_path)] == [9, 2]
    assert reads == [("one", False), ("other", True)]  # settings only where they are others


def test_of_a_run_that_may_go_on_only_the_settings_are_kept(queued: Path, reads: list[tuple[str, bool]]) -> None:
    write_status(queued, "running", pid=os.getpid())
    listing.list_runs(queued.parent)
    listing.list_runs(queued.parent)
    write_status_values(queued, pid=os.getpid(), process_started=0)  # interrupted: its process is gone
    for _ in range(2):
        assert [run.status.state for run in listing.list_runs(queued.parent)] == ["interrupted"]
    assert reads == [(queued.name, True), *[(queued.name, False)] * 3]


def test_a_run_that_was_repaired_is_listed_again(queued: Path) -> None:
    content = (queued / "config.json").read_bytes()
    (queued / "config.json").write_text("torn")
    assert listing.list_runs(queued.parent) == []
    (queued / "config.json").write_bytes(content)
    assert [run.id for run in listing.list_runs(queued.parent)] == [queued.name]
    assert listing.unreadable_runs(queued.parent) == {}


def test_what_is_remembered_of_runs_is_bounded(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MOST_REMEMBERED", 2)
    monkeypatch.setattr(listing, "_remembered", {})
    for number in range(8):
        ended(tmp_path, tiny_config, f"run-{number}")
    assert len(listing.list_runs(tmp_path)) == 8
    assert len(listing._remembered) <= 3
