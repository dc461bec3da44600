"""How a run stands: what its status and its process tell, and what is remembered of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mnist_core import runs
from mnist_core.common import atomic_files
from mnist_core.runs import run as run_module
from mnist_core.runs.reading import read_json
from mnist_core.runs.status import ACTIVE, STATES, State, write_status
from tests.support.run_directories import MakeConfig, is_sentence, write_status_values

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until it is killed."""
    with subprocess.Popen(SLEEP) as process:
        yield process
        process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.mark.parametrize("state", STATES)
def test_a_status_comes_back_as_it_was_written(state: State, queued: Path) -> None:
    write_status(queued, state, "Ünder way: 50 %", pid=os.getpid())
    status = runs.read_run(queued).status
    assert (status.state, status.message, status.pid) == (state, "Ünder way: 50 %", os.getpid())
    assert status.process_started == pytest.approx(psutil.Process().create_time())
    assert abs(status.updated - time.time()) < 10
    assert runs.read_run(queued).is_active == (state in ("queued", "running"))


def test_a_reader_never_sees_a_half_written_file(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    values = [{"writing": number, "filler": [number] * 50_000} for number in range(2)]
    atomic_files.write_json(path, values[0])
    done = threading.Event()

    def write_on() -> None:
        while not done.is_set():
            for value in values:
                atomic_files.write_json(path, value)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        read = [json.loads(path.read_bytes()) for _ in range(100)]
    finally:
        done.set()
        writer.join()
    assert all(value in values for value in read)
    assert {value["writing"] for value in read} == {0, 1}  # the writer did write in between
    assert [file.name for file in tmp_path.iterdir()] == ["status.json"]


def test_a_replacement_that_fails_leaves_the_old_file_only(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_files.replacing(path) as beside:
        assert beside.suffix == ".keras"  # Keras looks at it
        beside.write_bytes(b"half of the n")
        raise ZeroDivisionError
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"model.keras": b"old"}


def test_a_run_whose_process_died_is_told_as_interrupted(queued: Path, sleeper: subprocess.Popen[bytes]) -> None:
    write_status(queued, "running", "Training", pid=sleeper.pid)
    run = runs.read_run(queued)
    assert (run.status.state, run.status.message, run.is_active) == ("running", "Training", True)
    sleeper.kill()
    sleeper.wait()
    run = runs.read_run(queued)
    assert (run.status.state, run.is_active) == ("interrupted", False)
    assert is_sentence(run.status.message)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no zombies")
def test_a_dead_process_not_waited_for_keeps_no_run_alive(queued: Path, sleeper: subprocess.Popen[bytes]) -> None:
    write_status(queued, "running", pid=sleeper.pid)
    os.kill(sleeper.pid, 9)  # not through Popen, which would reap it
    wait_until(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE)
    assert runs.read_run(queued).status.state == "interrupted"


@pytest.mark.parametrize("state", ACTIVE)
def test_another_process_of_the_same_number_keeps_no_run_alive(state: State, queued: Path) -> None:
    started = psutil.Process().create_time()
    write_status_values(queued, state=state, pid=os.getpid(), process_started=started)
    assert runs.read_run(queued).is_active
    write_status_values(queued, state=state, pid=os.getpid(), process_started=started - 3600)
    assert runs.read_run(queued).status.state == "interrupted"


@pytest.mark.parametrize("state", ["finished", "stopped", "failed", "interrupted"])
def test_a_run_that_ended_needs_no_process(state: State, queued: Path) -> None:
    write_status_values(queued, state=state, pid=None, updated=0)
    assert runs.read_run(queued).status.state == state


@pytest.mark.fault(id="server-killed-before-start")
def test_a_queued_run_without_a_process_is_lost_after_a_minute(queued: Path) -> None:
    write_status_values(queued, state="queued", updated=time.time() - 20)
    assert runs.read_run(queued).status.state == "queued"
    write_status_values(queued, state="queued", updated=time.time() - 120)
    assert runs.read_run(queued).status.state == "interrupted"


def test_a_queued_run_of_the_future_is_not_waited_for(queued: Path) -> None:
    write_status_values(queued, state="queued", updated=time.time() + 3600)  # the clock was set back since
    assert runs.read_run(queued).status.state == "interrupted"


def test_a_process_that_ends_while_read_is_not_interrupted(queued: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_status(queued, "running", pid=os.getpid())

    def finish_and_exit(pid: int) -> psutil.Process:
        """What a training process may do between a look at its status and a look at the process."""
        monkeypatch.undo()
        write_status(queued, "finished", "all epochs done")
        raise psutil.NoSuchProcess(pid)

    monkeypatch.setattr(psutil, "Process", finish_and_exit)
    assert runs.read_run(queued).status.state == "finished"


def test_a_run_whose_process_is_found_again_is_not_interrupted(queued: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(pid: int) -> psutil.Process:
        raise psutil.AccessDenied(pid)

    write_status(queued, "running", "Training", pid=os.getpid())
    with monkeypatch.context() as patch:
        patch.setattr(psutil, "Process", fail)
        assert [run.status.state for run in runs.list_runs(queued.parent)] == ["interrupted"]
    assert runs.read_run(queued).status.state == "running"
    assert runs.list_runs(queued.parent) == [runs.read_run(queued)]


def test_the_settings_of_an_active_run_are_read_once(
    queued: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(run_module, "read_json", lambda path: (read.append(path.name), read_json(path))[1])
    states: tuple[State, ...] = ("queued", "running", "running")
    for state in states:
        write_status(queued, state, pid=os.getpid())
        assert [run.status.state for run in runs.list_runs(queued.parent)] == [state]
    assert read.count("config.json") == 1
    other = tiny_config(epochs=7)
    atomic_files.write_json(queued / "config.json", other.to_json())
    assert [run.config for run in runs.list_runs(queued.parent)] == [other]


def test_a_stop_request_is_seen(queued: Path) -> None:
    assert not runs.stop_requested(queued)
    runs.request_stop(queued)
    runs.request_stop(queued)
    assert runs.stop_requested(queued)
    runs.withdraw_stop(queued)
    runs.withdraw_stop(queued)
    assert not runs.stop_requested(queued)
