"""Deleting runs, and bringing them back with every file they had."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_core import runs
from mnist_core.common import trash as common_trash
from mnist_core.common.server import owner_hash
from mnist_core.runs import trash
from mnist_core.runs.reading import RunError
from mnist_core.runs.status import ACTIVE, State, write_status
from mnist_core.training.config import TrainingConfig

MakeConfig = Callable[..., TrainingConfig]
KEPT = 10  # deleted runs, more than these tests make
DAY = 24 * 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def ended(folder: Path, tiny_config: MakeConfig) -> runs.Run:
    """A stopped run with a title, an owner and files of every kind."""
    path = runs.create_run(folder, tiny_config(), owner=owner_hash("somebody"))
    runs.rename(path, "my best net")
    (path / "model.keras").write_bytes(b"weights \0\xff")
    (path / "deep" / "er").mkdir(parents=True)
    (path / "deep" / "er" / ".hidden").write_text("kept, too")
    write_status(path, "stopped", "Stopped by hand.")
    return runs.read_run(path)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def grow_old(folder: Path, days: float) -> None:
    """Let everything in a folder be of some days ago."""
    then = time.time() - days * DAY
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (then, then))


def in_trash(folder: Path) -> set[str]:
    return {path.name for path in (folder / ".deleted").iterdir()}


def test_a_deleted_run_is_gone_and_comes_back_with_every_file(ended: runs.Run, folder: Path) -> None:
    before = snapshot(ended.path)
    trash.delete(ended, KEPT)
    assert not ended.path.exists()
    assert runs.list_runs(folder) == []
    assert runs.unreadable_runs(folder) == {}
    with pytest.raises(RunError, match="may have been deleted"):
        runs.find_run(ended.id, folder)

    trash.restore(ended.id, folder)
    assert snapshot(ended.path) == before
    assert runs.find_run(ended.id, folder) == ended
    assert in_trash(folder) == set()


def test_a_run_can_be_deleted_and_restored_again_and_again(ended: runs.Run, folder: Path) -> None:
    before = snapshot(ended.path)
    for _ in range(3):
        trash.delete(ended, KEPT)
        trash.restore(ended.id, folder)
    assert snapshot(folder) == {f"{ended.id}/{name}": content for name, content in before.items()}


@pytest.mark.parametrize("state", ["finished", "stopped", "failed", "interrupted"])
def test_a_run_that_ended_in_whatever_way_can_be_deleted(state: State, ended: runs.Run) -> None:
    write_status(ended.path, state)
    trash.delete(ended, KEPT)
    assert not ended.path.exists()


@pytest.mark.fault(id="delete-in-progress")
@pytest.mark.parametrize("state", ACTIVE)
def test_a_run_in_progress_is_not_deleted_by_an_outdated_page(state: State, ended: runs.Run, folder: Path) -> None:
    write_status(ended.path, state, pid=os.getpid())
    before = snapshot(folder)
    for run in (ended, runs.read_run(ended.path)):
        with pytest.raises(RunError, match="in progress"):
            trash.delete(run, KEPT)
    assert snapshot(folder) == before


def test_a_run_that_ships_with_the_project_is_not_deleted() -> None:
    for run in runs.list_runs(runs.BUNDLED_RUNS):
        with pytest.raises(RunError, match="ships with"):
            trash.delete(run, KEPT)
        assert run.path.is_dir()
    assert not (runs.BUNDLED_RUNS / ".deleted").exists()


@pytest.mark.fault(id="deleted-while-watched")
def test_a_run_that_somebody_else_deleted_is_said_to_be_gone(ended: runs.Run, folder: Path) -> None:
    trash.delete(ended, KEPT)
    before = snapshot(folder)
    with pytest.raises(RunError, match="may have been deleted"):
        trash.delete(ended, KEPT)
    assert snapshot(folder) == before


def test_a_run_is_not_restored_over_another_one(ended: runs.Run, folder: Path, tiny_config: MakeConfig) -> None:
    trash.delete(ended, KEPT)
    runs.create_run(folder, tiny_config(epochs=9), ended.id)
    before = snapshot(folder)
    with pytest.raises(RunError, match="another run of this name"):
        trash.restore(ended.id, folder)
    assert snapshot(folder) == before


def test_of_two_deleted_runs_of_one_name_the_later_one_is_kept(
    ended: runs.Run, folder: Path, tiny_config: MakeConfig
) -> None:
    trash.delete(ended, KEPT)
    path = runs.create_run(folder, tiny_config(epochs=9), ended.id)
    write_status(path, "finished")
    trash.delete(runs.read_run(path), KEPT)
    trash.restore(ended.id, folder)
    restored = runs.find_run(ended.id, folder)
    assert restored.config.epochs == 9
    assert restored.title == ""


def test_what_was_deleted_more_than_a_week_ago_is_gone_for_good(
    ended: runs.Run, folder: Path, tiny_config: MakeConfig
) -> None:
    old, young, last = (runs.create_run(folder, tiny_config()) for _ in range(3))
    grow_old(ended.path, days=300)  # how old a run is does not matter
    trash.delete(ended, KEPT)
    for path in (old, young, last):
        write_status(path, "finished")
    for path, days in ((old, 7.1), (young, 6.9)):
        trash.delete(runs.read_run(path), KEPT)
        grow_old(folder / ".deleted" / path.name, days)
    (folder / ".deleted" / "notes").write_text("not a run")
    grow_old(folder / ".deleted" / "notes", days=30)

    trash.delete(runs.read_run(last), KEPT)
    assert in_trash(folder) == {ended.id, young.name, last.name, "notes"}
    with pytest.raises(RunError, match="not in the trash any more"):
        trash.restore(old.name, folder)
    trash.restore(young.name, folder)
    trash.restore(ended.id, folder)
    assert {run.id for run in runs.list_runs(folder)} == {young.name, ended.id}


def test_the_trash_is_bounded_and_what_was_deleted_last_stays(folder: Path, tiny_config: MakeConfig) -> None:
    paths = [runs.create_run(folder, tiny_config()) for _ in range(4)]
    for age, path in enumerate(paths):
        write_status(path, "finished")
        trash.delete(runs.read_run(path), 2)
        grow_old(folder / ".deleted" / path.name, days=1 - age / 10)
    assert in_trash(folder) == {path.name for path in paths[2:]}


def test_a_run_is_deleted_though_the_trash_is_emptied_just_then(
    ended: runs.Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(common_trash, "make_room", gone)
    trash.delete(ended, KEPT)
    assert in_trash(folder) == {ended.id}


def test_a_restored_run_that_is_deleted_again_has_another_week(
    ended: runs.Run, folder: Path, tiny_config: MakeConfig
) -> None:
    trash.delete(ended, KEPT)
    grow_old(folder / ".deleted" / ended.id, days=8)
    trash.restore(ended.id, folder)
    trash.delete(ended, KEPT)
    other = runs.create_run(folder, tiny_config())
    write_status(other, "finished")
    trash.delete(runs.read_run(other), KEPT)
    assert in_trash(folder) == {ended.id, other.name}


@pytest.mark.public(id="no-file-names")
@pytest.mark.parametrize(
    "run_id",
    ["../x", "..", ".", "", "/etc", "a/b", "a\\b", "A", "-a", "ä", "a\n", "a\0", "x" * 81, ".deleted", "x" * 9999],
)
def test_ids_that_are_unsafe_in_a_path_restore_nothing(
    run_id: str, ended: runs.Run, folder: Path, tmp_path: Path
) -> None:
    trash.delete(ended, KEPT)
    shutil.copytree(folder / ".deleted" / ended.id, folder / "x")  # what ../x would reach
    before = snapshot(tmp_path)
    with pytest.raises(RunError, match="not in the trash"):
        trash.restore(run_id, folder)
    assert snapshot(tmp_path) == before


def test_nothing_is_restored_where_nothing_was_deleted(folder: Path) -> None:
    with pytest.raises(RunError, match="not in the trash"):
        trash.restore("20260101-000000000-x", folder)
    assert not folder.exists()
