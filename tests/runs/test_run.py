"""Runs: they are made and found, and have titles and owners."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core import runs
from mnist_core.common.server import PROJECT, RUNS_DIR_VARIABLE, owner_hash, runs_dir
from mnist_core.runs import event_log, ids
from mnist_core.runs.reading import RunError
from mnist_core.runs.results import read_predictions
from mnist_core.runs.status import State, write_status
from tests.support.run_directories import MakeConfig, write_status_values
from tests.support.strategies import no_limits


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# Creating and finding


def test_a_new_run_is_queued_with_the_configuration_asked_for(tmp_path: Path, tiny_config: MakeConfig) -> None:
    config = tiny_config(epochs=7, early_stopping="patience", seed=3)
    before = datetime.now(UTC)
    path = runs.create_run(tmp_path / "new" / "folder", config)
    run = runs.read_run(path)
    assert (run.config, run.status.state, run.report) == (config, "queued", None)
    assert run.is_active
    assert not run.is_bundled
    assert run.created is not None
    assert timedelta(seconds=-0.01) < run.created - before < timedelta(seconds=10)
    assert event_log.read_events(path) == []
    assert runs.find_run(run.id, path.parent) == run
    assert [listed.id for listed in runs.list_runs(path.parent)] == [run.id]


def test_runs_made_at_once_have_different_ids(tmp_path: Path, tiny_config: MakeConfig) -> None:
    made: list[str] = []

    def make() -> None:
        made.extend(runs.create_run(tmp_path, tiny_config()).name for _ in range(10))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 40
    assert {run.id for run in runs.list_runs(tmp_path)} == set(made)


@pytest.mark.parametrize("presets", [["same"] * 12, [chr(ord("z") - number) for number in range(12)]])
def test_runs_sort_by_age_even_if_made_within_one_millisecond(
    presets: list[str], tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FastClock(datetime):
        ticks = 0

        @classmethod
        def now(cls, tz: object = None) -> Any:  # a quarter of a millisecond passes from call to call
            cls.ticks += 1
            return datetime(2026, 1, 31, 12, tzinfo=UTC) + timedelta(microseconds=250 * cls.ticks)

    monkeypatch.setattr(ids, "datetime", FastClock)
    made = [runs.create_run(tmp_path, tiny_config(preset=preset)).name for preset in presets]
    assert made == sorted(made)
    assert len(set(made)) == 12


def test_the_newest_run_is_listed_first(tmp_path: Path, tiny_config: MakeConfig) -> None:
    made = [runs.create_run(tmp_path, tiny_config()).name for _ in range(3)]
    assert [run.id for run in runs.list_runs(tmp_path)] == made[::-1]


@pytest.mark.parametrize("preset", ["My Net", "../../etc", "ÄÖÜ 数字", "", "-", "x" * 60, "a/b\\c\0d", ".hidden"])
def test_any_preset_name_gives_a_safe_id(preset: str, tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config(preset=preset))
    assert path.parent == tmp_path
    assert ids.is_run_id(path.name)
    assert runs.find_run(path.name, tmp_path).config.preset == preset


def test_a_run_can_have_a_name_of_its_own(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config(), "my-net-2")
    assert path == tmp_path / "my-net-2"
    assert runs.find_run("my-net-2", tmp_path).created is None
    with pytest.raises(RunError, match="my-net-2"):
        runs.create_run(tmp_path, tiny_config(epochs=9), "my-net-2")
    assert runs.find_run("my-net-2", tmp_path).config.epochs == tiny_config().epochs


BAD_IDS = ["../x", "..", ".", "/etc", "a/b", "a\\b", "A", "", "-a", "ä", "a b", "a\n", "x" * 81, "a.b", "a\0"]


@pytest.mark.parametrize("name", BAD_IDS)
def test_names_unsafe_in_a_path_are_refused_and_never_found(name: str, tmp_path: Path, tiny_config: MakeConfig) -> None:
    folder = tmp_path / "runs"
    shutil.copytree(runs.create_run(folder, tiny_config()), tmp_path / "x")  # what ../x would reach
    before = snapshot(tmp_path)
    with pytest.raises(RunError, match="lower-case"):
        runs.create_run(folder, tiny_config(), name)
    with pytest.raises(RunError, match="no run called"):
        runs.find_run(name, folder)
    assert snapshot(tmp_path) == before


def test_a_run_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="may have been deleted"):
        runs.find_run("20260101-000000000-x", tmp_path)
    assert runs.list_runs(tmp_path / "missing") == []
    assert runs.unreadable_runs(tmp_path / "missing") == {}


def test_files_and_foreign_folders_are_no_runs(queued: Path) -> None:
    folder = queued.parent
    (folder / "notes").write_text("not a directory")
    (folder / ".git").mkdir()
    (folder / "My Folder").mkdir()
    assert [run.id for run in runs.list_runs(folder)] == [queued.name]
    assert runs.unreadable_runs(folder) == {}


def test_the_runs_folder_can_be_set_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))
    assert runs_dir() == tmp_path
    monkeypatch.delenv(RUNS_DIR_VARIABLE)
    assert runs_dir() == PROJECT / "models" / "runs"


def test_a_run_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, value: object) -> None:
        path.write_text("{")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnist_core.runs.run.write_json", fail)
    with pytest.raises(OSError, match="No space"):
        runs.create_run(tmp_path, tiny_config(), owner="somebody")
    assert list(tmp_path.iterdir()) == []


def test_active_runs_wait_or_train_and_the_oldest_comes_first(tmp_path: Path, tiny_config: MakeConfig) -> None:
    paths = [runs.create_run(tmp_path, tiny_config()) for _ in range(9)]
    states: tuple[State, ...] = ("finished", "running", "queued", "failed", "stopped", "running")
    for path, state in zip(paths, states, strict=False):
        write_status(path, state, pid=os.getpid())
    write_status_values(paths[6], pid=os.getpid(), process_started=0)  # its process is gone
    (paths[7] / "config.json").write_text("torn")
    assert [run.id for run in runs.list_active(tmp_path)] == [paths[place].name for place in (1, 2, 5, 8)]
    assert {run.id for run in runs.list_active(tmp_path)} == {
        run.id for run in runs.list_runs(tmp_path) if run.is_active
    }
    assert runs.list_active(tmp_path / "missing") == []


def test_runs_that_ship_are_read_and_keep_their_names(tmp_path: Path, tiny_config: MakeConfig) -> None:
    shipped = runs.list_runs(runs.BUNDLED_RUNS)
    assert len(shipped) == len(list(runs.BUNDLED_RUNS.iterdir())) > 0
    for run in shipped:
        assert run.is_bundled
        assert (run.status.state, run.owner, run.title, run.created) == ("finished", "", "", None)
        assert run.report is not None
        probabilities = read_predictions(run.path)
        assert (probabilities.shape, probabilities.dtype) == ((10_000, 10), np.float32)
        with pytest.raises(RunError, match="ships with"):
            runs.create_run(tmp_path, tiny_config(), run.id)
    assert list(tmp_path.iterdir()) == []


# Titles and owners


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("My first net", "My first net"),
        ("  too \t much \n\n space\u00a0here \r\n", "too much space here"),
        ("bell\a, null\0, escape\x1b[31m, turned\u202e, joined\u200d", "bell, null, escape[31m, turned, joined"),
        ("half a letter \ud800", "half a letter"),
        ("", ""),
        (" \n\0 ", ""),
        ("a" * 10_000, "a" * 60),
        ("a" * 59 + " b", "a" * 59),
        ("\N{SNOWMAN}" * 70, "\N{SNOWMAN}" * 60),
        ("\N{GRINNING FACE}" * 70, "\N{GRINNING FACE}" * 60),
        ("../../etc", "../../etc"),
    ],
)
def test_a_title_is_one_short_printable_line(given: str, kept: str, queued: Path) -> None:
    runs.rename(queued, "an older title")
    runs.rename(queued, given)
    run = runs.read_run(queued)
    assert (run.title, run.id) == (kept, queued.name)
    assert (queued / "title.txt").read_text(encoding="utf-8") == kept


@no_limits
@given(title=st.text(st.characters(), max_size=100))
def test_any_title_can_be_given_and_given_again(title: str, trained_run: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        for name in ("config.json", "status.json"):
            shutil.copy(trained_run / name, path)
        runs.rename(path, title)
        kept = runs.read_run(path).title
        assert len(kept) <= runs.MAX_TITLE
        assert kept == kept.strip()
        assert kept.isprintable()
        runs.rename(path, kept)
        assert runs.read_run(path).title == kept


@no_limits
@given(content=st.binary(max_size=400))
def test_any_bytes_can_stand_in_the_title_and_the_owner(content: bytes, trained_run: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        for name in ("config.json", "status.json"):
            shutil.copy(trained_run / name, path)
        for name in ("title.txt", "owner.txt"):
            (path / name).write_bytes(content)
        run = runs.read_run(path)
    assert run.title.isprintable()
    assert len(run.title) <= runs.MAX_TITLE
    assert run.owner.isprintable()
    assert len(run.owner) <= 64


def test_a_title_and_an_owner_that_are_folders_count_as_none(queued: Path) -> None:
    for name in ("title.txt", "owner.txt"):
        (queued / name).mkdir()
    assert (runs.read_run(queued).title, runs.read_run(queued).owner) == ("", "")


def test_an_owner_is_told_by_a_hash_and_not_by_the_secret() -> None:
    assert owner_hash("abc") == "ba7816bf8f01cfea414140de5dae2223"  # SHA-256 of "abc" as FIPS 180 prints it, half
    assert owner_hash("abc") != owner_hash("abd")
    secret = "5f" * 16
    assert secret not in owner_hash(secret)
    assert owner_hash(owner_hash(secret)) != owner_hash(secret)  # who reads it cannot pose as the owner


def test_a_run_stays_its_owners_whatever_happens_to_it(tmp_path: Path, tiny_config: MakeConfig) -> None:
    owner = owner_hash("somebody")
    path = runs.create_run(tmp_path, tiny_config(), owner=owner)
    runs.rename(path, "a title")
    write_status(path, "running", pid=os.getpid())
    runs.request_stop(path)
    runs.withdraw_stop(path)
    write_status(path, "stopped")
    run = runs.read_run(path)
    assert (run.owner, run.title) == (owner, "a title")
    assert runs.read_run(runs.create_run(tmp_path, tiny_config())).owner == ""
