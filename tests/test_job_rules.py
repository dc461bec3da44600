"""Which runs may begin, go on and wait in line, told without training: no process of a run does any work here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from run_directories import MakeConfig, broken_off

from mnist_core import jobs, limits, run_status, runs, trash, worker
from mnist_core.config import TrainingConfig
from mnist_core.run_files import RunError


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of runs whose process would have been started, if this did not prevent it."""
    ids: list[str] = []
    monkeypatch.setattr(jobs, "_launch", lambda path: ids.append(path.name))
    return ids


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that strangers can reach."""
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("settings", "too_much"),
    [
        ({"epochs": limits.PUBLIC.epochs + 1}, "epochs"),
        ({"architecture": "1024-1024-1024-10"}, "parameters"),
        ({"architecture": "64C3-64C3-10"}, "multiply-adds"),
        ({"architecture": "64C3-P2-10", "batch_size": 4096, "train_size": 60_000}, "MB of memory"),
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

    run_status.write_status(tmp_path / own[0], "finished")
    jobs.resume(interrupted)
    assert launched == [*own, *others, interrupted.id]
    assert jobs.queue(tmp_path).place(interrupted.id) == 1  # it is older than all of them


@pytest.mark.usefixtures("public")
def test_all_strangers_together_have_so_many_runs_in_line_and_no_more(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUBLIC", replace(limits.PUBLIC, active_runs=4, active_runs_each=3))
    config = tiny_config()
    for owner in "abcd":
        jobs.start(config, tmp_path, owner)
    with pytest.raises(limits.LimitError, match="4 runs are waiting or training already"):
        jobs.start(config, tmp_path, "e")
    run_status.write_status(tmp_path / launched[0], "running", pid=os.getpid())
    with pytest.raises(limits.LimitError, match="4 runs"):
        jobs.start(config, tmp_path, "e")
    run_status.write_status(tmp_path / launched[0], "stopped")
    jobs.start(config, tmp_path, "e")
    assert len(launched) == 5


def test_who_may_change_a_run(tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = runs.owner_hash("me"), runs.owner_hash("them")
    own, other, nobodys = (
        runs.read_run(runs.create_run(tmp_path, tiny_config(), owner=owner)) for owner in (mine, theirs, "")
    )
    shipped = runs.list_runs(runs.BUNDLED_RUNS)[0]
    asked = (own, other, nobodys, shipped)
    assert [jobs.may_change(run, "") for run in asked] == [True, True, True, False]
    assert [jobs.may_change(run, mine) for run in asked] == [True, True, True, False]
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")
    assert [jobs.may_change(run, mine) for run in asked] == [True, False, False, False]
    assert [jobs.may_change(run, theirs) for run in asked] == [False, True, False, False]
    assert [jobs.may_change(run, "") for run in asked] == [False] * 4


def test_seeds_that_were_trained_before_are_left_out(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    config = tiny_config(seed=5)
    for settings in ({"seed": 6}, {"seed": 8}, {"seed": 4}, {"seed": 7, "epochs": 9}):
        run_status.write_status(runs.create_run(tmp_path, tiny_config(**settings)), "finished")
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


def test_of_seeds_whose_directories_cannot_all_be_made_nothing_is_left(
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
def test_a_seed_whose_process_cannot_be_started_says_so_and_the_others_go_on(
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


def test_two_who_ask_for_further_seeds_at_once_get_different_ones(
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


def test_the_oldest_runs_that_have_ended_make_place(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRIVATE", replace(limits.PRIVATE, kept_runs=2))
    ended = [runs.create_run(tmp_path, tiny_config()) for _ in range(4)]
    for path in ended:
        run_status.write_status(path, "stopped")
    waiting = runs.create_run(tmp_path, tiny_config())
    new = jobs.start(tiny_config(), tmp_path)
    assert [run.id for run in runs.list_runs(tmp_path)] == [new, waiting.name, ended[3].name, ended[2].name]


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


def test_a_process_that_ends_before_it_begins_is_noticed(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = [sys.executable, "-c", "raise SystemExit(3)"]
    monkeypatch.setattr(jobs, "_spawn", lambda *arguments, **streams: subprocess.Popen(end))
    new = tmp_path / jobs.start(tiny_config(), tmp_path)
    old = broken_off(tmp_path, tiny_config())
    jobs.resume(runs.read_run(old))
    deadline = time.monotonic() + 60
    while jobs.queue(tmp_path).waiting:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for path, state in ((new, "failed"), (old, "interrupted")):
        status = runs.read_run(path).status
        assert status.state == state
        assert "log.txt tells why" in status.message


def test_the_end_of_an_older_process_is_not_held_against_a_run_that_goes_on(
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
    run_status.write_status(path, "interrupted")  # the process has just died, and nobody has waited for it yet
    (watch,) = set(threading.enumerate()) - before
    jobs.resume(runs.read_run(path))
    started[0].kill()
    watch.join(60)
    assert not watch.is_alive()
    assert runs.read_run(path).status.state == "queued"
    run_status.write_status(path, "interrupted")
    started[1].kill()
    started[1].wait()


def test_a_deleted_run_is_not_in_line(tmp_path: Path, tiny_config: MakeConfig, launched: list[str]) -> None:
    path = broken_off(tmp_path, tiny_config())
    trash.delete(runs.read_run(path))
    with pytest.raises(RunError):
        jobs.resume(runs.Run(path, tiny_config(), run_status.Status("interrupted"), None))
    trash.restore(path.name, tmp_path)
    jobs.resume(runs.read_run(path))
    with pytest.raises(RunError, match="in progress"):
        trash.delete(runs.read_run(path))
    assert launched == [path.name]


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path, tiny_config: MakeConfig) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OSError, match="runs"):
        jobs.start(tiny_config(), tmp_path / "runs")


def test_runs_that_train_and_older_ones_that_wait_are_ahead(tmp_path: Path, tiny_config: MakeConfig) -> None:
    paths = [runs.create_run(tmp_path, tiny_config()) for _ in range(7)]
    for path, state in zip(paths, ("finished", "running", "queued", "failed", "stopped"), strict=False):
        run_status.write_status(path, state, pid=os.getpid())
    (paths[5] / "status.json").write_text("torn")
    assert [jobs.runs_ahead(path.name, tmp_path) for path in paths] == [1, 0, 1, 2, 2, 2, 2]


def test_the_further_back_in_line_the_less_often_a_run_looks_ahead(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "room", lambda: 1)
    monkeypatch.setattr(jobs, "_POLL_SECONDS", 0.02)
    looks: dict[str, int] = {"next": 0, "last": 0}
    ahead = {"next": 1, "last": 30}

    def count(run_id: str, folder: Path) -> int:
        looks[run_id] += 1
        return ahead[run_id]

    monkeypatch.setattr(jobs, "runs_ahead", count)
    end = time.monotonic() + 1
    both = [
        threading.Thread(target=jobs.wait_for_turn, args=(tmp_path / name, lambda: time.monotonic() > end))
        for name in looks
    ]
    for waiting in both:
        waiting.start()
    for waiting in both:
        waiting.join(30)
        assert not waiting.is_alive()
    assert 2 <= looks["last"] <= 6  # every ten polls
    assert looks["next"] > 3 * looks["last"]


SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.mark.skipif(os.name == "nt", reason="Windows counts otherwise")
@pytest.mark.parametrize(("servers", "trainings"), [(0, 5), (10, 15), (17, 19), (19, 19)])
def test_a_training_process_is_nicer_than_the_server_however_nice_that_is(
    servers: int, trainings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(SLEEP) as process:
        real = psutil.Process.nice
        if real(psutil.Process()) > trainings:
            pytest.skip("The tests themselves are nicer than that.")
        asked = lambda self, value=None: servers if value is None else real(self, value)  # noqa: E731
        monkeypatch.setattr(psutil.Process, "nice", asked)
        jobs.make_nicer(process.pid)
        nice = real(psutil.Process(process.pid))
        process.kill()
    assert nice == trainings


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="This system does not group by session.")
@pytest.mark.parametrize("own_session", [True, False])
def test_a_training_process_gives_way_though_it_has_a_session_of_its_own(own_session: bool) -> None:
    before = Path("/proc/self/autogroup").read_text()
    with subprocess.Popen(SLEEP, start_new_session=own_session) as process:
        jobs.make_nicer(process.pid)
        group = Path(f"/proc/{process.pid}/autogroup").read_text()
        process.kill()
    assert group.endswith("nice 5\n") if own_session else group == before


@pytest.mark.parametrize(("cores", "room"), [(None, 1), (1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_there_is_room_for_one_run_per_two_cores(cores: int | None, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert jobs.room() == room
    monkeypatch.setenv(jobs.ROOM_VARIABLE, "3")
    assert jobs.room() == 3
    for nonsense in ("0", "-1", "many", "²"):
        monkeypatch.setenv(jobs.ROOM_VARIABLE, nonsense)
        assert jobs.room() == room


def test_a_run_stopped_before_its_turn_never_says_that_it_runs(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = runs.create_run(tmp_path, tiny_config())
    runs.request_stop(path)
    written: list[run_status.State] = []
    write = run_status.write_status

    def note(path: Path, state: run_status.State, *message: str, pid: int | None = None) -> None:
        written.append(state)
        write(path, state, *message, pid=pid)

    monkeypatch.setattr(run_status, "write_status", note)
    assert worker.carry_out(path).status.state == "stopped"
    assert set(written) == {"stopped"}


@pytest.mark.parametrize("way_out", ["an older run ends", "a stop is asked for", "a signal comes"])
def test_waiting_ends_when_there_is_room_or_a_stop(
    way_out: str, tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "room", lambda: 2)
    monkeypatch.setattr(jobs, "_POLL_SECONDS", 0.01)
    paths = [runs.create_run(tmp_path, tiny_config()) for _ in range(3)]
    for path in paths:
        run_status.write_status(path, "running", pid=os.getpid())
    signalled = threading.Event()
    waiting = threading.Thread(target=jobs.wait_for_turn, args=(paths[2], signalled.is_set))
    waiting.start()
    try:
        waiting.join(0.2)
        assert waiting.is_alive()
        if way_out == "an older run ends":
            run_status.write_status(paths[0], "finished")
        elif way_out == "a stop is asked for":
            runs.request_stop(paths[2])
        else:
            signalled.set()
        waiting.join(20)
        assert not waiting.is_alive()
    finally:
        signalled.set()
        waiting.join()
    run_status.write_status(paths[2], "finished")
    jobs.wait_for_turn(paths[1])  # one run ahead at most, room for two: no waiting
