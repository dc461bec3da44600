"""Which runs may begin, go on and wait in line, told without training: no process of a run does any work here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_core import runs
from mnist_core.common.server import PUBLIC_VARIABLE, owner_hash
from mnist_core.processes import jobs, limits
from mnist_core.processes.queue import read_queue
from mnist_core.runs import trash
from mnist_core.runs.reading import RunError
from mnist_core.runs.status import Status, write_status
from mnist_core.training.config import TrainingConfig
from tests.support.run_directories import MakeConfig, broken_off


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of runs whose process would have been started, if this did not prevent it."""
    ids: list[str] = []
    monkeypatch.setattr(jobs, "_launch", lambda path: ids.append(path.name))
    return ids


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that strangers can reach."""
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")


@pytest.mark.public(id="runs.steps")
@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("settings", "too_much"),
    [
        ({"epochs": limits.PUBLIC.epochs + 1}, "epochs"),
        ({"notation": "1024-1024-1024-10"}, "parameters"),
        ({"notation": "64C3-64C3-10"}, "multiply-adds"),
        ({"notation": "64C3-P2-10", "batch_size": 4096, "train_size": 60_000}, "MB of memory"),
    ],
)
def test_what_is_too_large_for_strangers_is_not_even_created(
    settings: dict[str, object], too_much: str, tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    with pytest.raises(limits.LimitError, match=too_much):
        jobs.start(tiny_config(**settings), tmp_path)
    path = broken_off(tmp_path / "others", tiny_config(**settings))
    with pytest.raises(limits.LimitError, match=too_much):
        jobs.resume(runs.read_run(path))
    assert launched == []
    assert list(tmp_path.iterdir()) == [tmp_path / "others"]
    assert runs.read_run(path).status.state == "interrupted"


@pytest.mark.public(id="no-endless-work")
@pytest.mark.public(id="runs.active_runs_each")
@pytest.mark.usefixtures("public")
def test_a_stranger_has_so_many_runs_in_line_and_no_more(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    config, most = tiny_config(), limits.PUBLIC.active_runs_each
    interrupted = runs.read_run(broken_off(tmp_path, config, "a"))
    own = [jobs.start(config, tmp_path, "a") for _ in range(most)]
    for one_more in (lambda: jobs.start(config, tmp_path, "a"), lambda: jobs.resume(interrupted)):
        with pytest.raises(limits.LimitError, match=f"You have {most} runs") as caught:
            one_more()
        assert str(caught.value).endswith(".")
    others = [jobs.start(config, tmp_path, owner) for owner in ["b"] * most + [""] * most]
    for owner in ("b", ""):
        with pytest.raises(limits.LimitError, match="You have 3 runs"):
            jobs.start(config, tmp_path, owner)

    write_status(tmp_path / own[0], "finished")
    jobs.resume(interrupted)
    assert launched == [*own, *others, interrupted.id]
    assert read_queue(tmp_path).place(interrupted.id) == 1  # it is older than all of them


@pytest.mark.public(id="no-endless-work")
@pytest.mark.public(id="runs.active_runs")
@pytest.mark.usefixtures("public")
def test_all_strangers_together_have_a_bound_on_runs_in_line(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUBLIC", replace(limits.PUBLIC, active_runs=4, active_runs_each=3))
    config = tiny_config()
    for owner in "abcd":
        jobs.start(config, tmp_path, owner)
    with pytest.raises(limits.LimitError, match="4 runs are waiting or training already"):
        jobs.start(config, tmp_path, "e")
    write_status(tmp_path / launched[0], "running", pid=os.getpid())
    with pytest.raises(limits.LimitError, match="4 runs"):
        jobs.start(config, tmp_path, "e")
    write_status(tmp_path / launched[0], "stopped")
    jobs.start(config, tmp_path, "e")
    assert len(launched) == 5


@pytest.mark.public(id="may-change-own-runs")
def test_who_may_change_a_run(tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = owner_hash("me"), owner_hash("them")
    own, other, nobodys = (
        runs.read_run(runs.create_run(tmp_path, tiny_config(), owner=owner)) for owner in (mine, theirs, "")
    )
    shipped = runs.list_runs(runs.BUNDLED_RUNS)[0]
    asked = (own, other, nobodys, shipped)
    assert [runs.may_change(run, "") for run in asked] == [True, True, True, False]
    assert [runs.may_change(run, mine) for run in asked] == [True, True, True, False]
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    assert [runs.may_change(run, mine) for run in asked] == [True, False, False, False]
    assert [runs.may_change(run, theirs) for run in asked] == [False, True, False, False]
    assert [runs.may_change(run, "") for run in asked] == [False] * 4


def test_seeds_that_were_trained_before_are_left_out(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    config = tiny_config(seed=5)
    for settings in ({"seed": 6}, {"seed": 8}, {"seed": 4}, {"seed": 7, "epochs": 9}):
        write_status(runs.create_run(tmp_path, tiny_config(**settings)), "finished")
    ids = jobs.start_seeds(config, tmp_path, 3, "me")
    started = [runs.find_run(run_id, tmp_path) for run_id in ids]
    assert [run.config for run in started] == [replace(config, seed=seed) for seed in (5, 7, 9)]
    assert {run.owner for run in started} == {"me"}
    assert ids == sorted(ids) == launched
    assert [runs.find_run(run_id, tmp_path).config.seed for run_id in jobs.start_seeds(config, tmp_path, 2)] == [10, 11]


def test_after_the_largest_seed_comes_the_smallest(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    jobs.start_seeds(tiny_config(seed=2**31 - 2), tmp_path, 3)
    assert [runs.find_run(run_id, tmp_path).config.seed for run_id in launched] == [2**31 - 2, 2**31 - 1, 0]


@pytest.mark.usefixtures("public")
def test_seeds_start_all_or_none(tmp_path: Path, tiny_config: MakeConfig, launched: list[str]) -> None:
    with pytest.raises(limits.LimitError, match="Ask for fewer"):
        jobs.start_seeds(tiny_config(), tmp_path, limits.PUBLIC.active_runs_each + 1, "me")
    assert not launched
    assert runs.list_runs(tmp_path) == []
    assert len(jobs.start_seeds(tiny_config(), tmp_path, limits.PUBLIC.active_runs_each, "me")) == len(launched) == 3


def test_of_seeds_that_cannot_all_have_directories_none_is_left(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_run = runs.create_run

    def until_the_disk_is_full(folder: Path, config: TrainingConfig, owner: str = "") -> Path:
        if config.seed == 3:
            raise OSError(28, "No space left on device")
        return create_run(folder, config, owner=owner)

    monkeypatch.setattr(runs, "create_run", until_the_disk_is_full)
    with pytest.raises(OSError, match="No space"):
        jobs.start_seeds(tiny_config(seed=1), tmp_path, 4)
    assert list(tmp_path.iterdir()) == launched == []


@pytest.mark.parametrize("able", [{2, 3}, set()])
def test_a_seed_without_a_process_says_so_and_the_others_go_on(
    able: set[int], tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spawn(*arguments: str, **_: object) -> subprocess.Popen[bytes]:
        if runs.find_run(arguments[2], tmp_path).config.seed not in able:
            raise OSError(11, "Resource temporarily unavailable")
        return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    monkeypatch.setattr(jobs, "_spawn", spawn)
    if able:
        assert len(jobs.start_seeds(tiny_config(seed=1), tmp_path, 3)) == 3
    else:
        with pytest.raises(OSError, match="unavailable"):
            jobs.start_seeds(tiny_config(seed=1), tmp_path, 3)
    states = {run.config.seed: run.status.state for run in runs.list_runs(tmp_path)}
    assert states == {seed: "queued" if seed in able else "failed" for seed in (1, 2, 3)}


def test_those_who_ask_at_once_for_seeds_get_different_ones(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    class_of_four = [
        threading.Thread(target=jobs.start_seeds, args=(tiny_config(seed=1), tmp_path, 3)) for _ in range(4)
    ]
    for student in class_of_four:
        student.start()
    for student in class_of_four:
        student.join()
    assert sorted(run.config.seed for run in runs.list_runs(tmp_path)) == list(range(1, 13))


@pytest.mark.public(id="runs.kept_runs")
def test_the_oldest_runs_that_have_ended_make_place(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRIVATE", replace(limits.PRIVATE, kept_runs=2))
    ended = [runs.create_run(tmp_path, tiny_config()) for _ in range(4)]
    for path in ended:
        write_status(path, "stopped")
    waiting = runs.create_run(tmp_path, tiny_config())
    new = jobs.start(tiny_config(), tmp_path)
    assert [run.id for run in runs.list_runs(tmp_path)] == [new, waiting.name, ended[3].name, ended[2].name]


@pytest.mark.fault(id="process-does-not-start")
def test_a_run_whose_process_cannot_be_started_says_so(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: str, **streams: object) -> subprocess.Popen[bytes]:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(jobs, "_spawn", fail)
    with pytest.raises(OSError, match="Cannot allocate"):
        jobs.start(tiny_config(), tmp_path)
    (run,) = runs.list_runs(tmp_path)
    assert run.status.state == "failed"
    assert "could not be started" in run.status.message
    path = broken_off(tmp_path, tiny_config())
    for _ in range(2):  # it can be tried again
        with pytest.raises(OSError, match="Cannot allocate"):
            jobs.resume(runs.read_run(path))
        assert runs.read_run(path).status.state == "interrupted"


@pytest.mark.fault(id="process-does-not-start")
def test_a_process_that_ends_before_it_begins_is_noticed(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = [sys.executable, "-c", "raise SystemExit(3)"]
    monkeypatch.setattr(jobs, "_spawn", lambda *arguments, **streams: subprocess.Popen(end))
    new = tmp_path / jobs.start(tiny_config(), tmp_path)
    old = broken_off(tmp_path, tiny_config())
    jobs.resume(runs.read_run(old))
    deadline = time.monotonic() + 60
    while read_queue(tmp_path).waiting:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for path, state in ((new, "failed"), (old, "interrupted")):
        status = runs.read_run(path).status
        assert status.state == state
        assert "log.txt tells why" in status.message


def test_the_end_of_an_older_process_does_not_end_its_run(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def spawn(*arguments: str, **streams: object) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return started[-1]

    monkeypatch.setattr(jobs, "_spawn", spawn)
    path = broken_off(tmp_path, tiny_config())
    before = set(threading.enumerate())
    jobs.resume(runs.read_run(path))
    write_status(path, "interrupted")  # the process has just died, and nobody has waited for it yet
    (watch,) = set(threading.enumerate()) - before
    jobs.resume(runs.read_run(path))
    started[0].kill()
    watch.join(60)
    assert not watch.is_alive()
    assert runs.read_run(path).status.state == "queued"
    write_status(path, "interrupted")
    started[1].kill()
    started[1].wait()


def test_a_deleted_run_is_not_in_line(tmp_path: Path, tiny_config: MakeConfig, launched: list[str]) -> None:
    path = broken_off(tmp_path, tiny_config())
    trash.delete(runs.read_run(path), 10)
    with pytest.raises(RunError):
        jobs.resume(runs.Run(path, tiny_config(), Status("interrupted"), None))
    trash.restore(path.name, tmp_path)
    jobs.resume(runs.read_run(path))
    with pytest.raises(RunError, match="in progress"):
        trash.delete(runs.read_run(path), 10)
    assert launched == [path.name]


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path, tiny_config: MakeConfig) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OSError, match="runs"):
        jobs.start(tiny_config(), tmp_path / "runs")
