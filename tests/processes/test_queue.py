"""Whose turn it is: the capacity of the machine, and the queue of runs."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from mnist_core import runs
from mnist_core.common.server import CAPACITY_VARIABLE
from mnist_core.processes import queue, worker
from mnist_core.processes.queue import capacity, runs_ahead, wait_for_turn
from mnist_core.runs.status import State, write_status
from tests.support.run_directories import MakeConfig


def test_runs_that_train_and_older_ones_that_wait_are_ahead(tmp_path: Path, tiny_config: MakeConfig) -> None:
    paths = [runs.create_run(tmp_path, tiny_config()) for _ in range(7)]
    states: tuple[State, ...] = ("finished", "running", "queued", "failed", "stopped")
    for path, state in zip(paths, states, strict=False):
        write_status(path, state, pid=os.getpid())
    (paths[5] / "status.json").write_text("torn")
    assert [runs_ahead(path.name, tmp_path) for path in paths] == [1, 0, 1, 2, 2, 2, 2]


def test_the_further_back_in_line_the_less_a_run_looks_ahead(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "capacity", lambda: 1)
    monkeypatch.setattr(queue, "_POLL_SECONDS", 0.02)
    looks: dict[str, int] = {"next": 0, "last": 0}
    ahead = {"next": 1, "last": 30}

    def count(run_id: str, folder: Path) -> int:
        looks[run_id] += 1
        return ahead[run_id]

    monkeypatch.setattr(queue, "runs_ahead", count)
    end = time.monotonic() + 1
    both = [
        threading.Thread(target=wait_for_turn, args=(tmp_path / name, lambda: time.monotonic() > end)) for name in looks
    ]
    for waiting in both:
        waiting.start()
    for waiting in both:
        waiting.join(30)
        assert not waiting.is_alive()
    assert 2 <= looks["last"] <= 6  # every ten polls
    assert looks["next"] > 3 * looks["last"]


@pytest.mark.parametrize(("cores", "expected"), [(None, 1), (1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_there_is_room_for_one_run_per_two_cores(
    cores: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert capacity() == expected
    monkeypatch.setenv(CAPACITY_VARIABLE, "3")
    assert capacity() == 3
    for nonsense in ("0", "-1", "many", "²"):
        monkeypatch.setenv(CAPACITY_VARIABLE, nonsense)
        assert capacity() == expected


def test_a_run_stopped_before_its_turn_never_says_that_it_runs(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = runs.create_run(tmp_path, tiny_config())
    runs.request_stop(path)
    written: list[State] = []
    write = write_status

    def note(path: Path, state: State, *message: str, pid: int | None = None) -> None:
        written.append(state)
        write(path, state, *message, pid=pid)

    monkeypatch.setattr(worker, "write_status", note)
    assert worker.execute(path).status.state == "stopped"
    assert set(written) == {"stopped"}


@pytest.mark.parametrize("way_out", ["an older run ends", "a stop is asked for", "a signal comes"])
def test_waiting_ends_when_there_is_room_or_a_stop(
    way_out: str, tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "capacity", lambda: 2)
    monkeypatch.setattr(queue, "_POLL_SECONDS", 0.01)
    paths = [runs.create_run(tmp_path, tiny_config()) for _ in range(3)]
    for path in paths:
        write_status(path, "running", pid=os.getpid())
    signalled = threading.Event()
    waiting = threading.Thread(target=wait_for_turn, args=(paths[2], signalled.is_set))
    waiting.start()
    try:
        waiting.join(0.2)
        assert waiting.is_alive()
        if way_out == "an older run ends":
            write_status(paths[0], "finished")
        elif way_out == "a stop is asked for":
            runs.request_stop(paths[2])
        else:
            signalled.set()
        waiting.join(20)
        assert not waiting.is_alive()
    finally:
        signalled.set()
        waiting.join()
    write_status(paths[2], "finished")
    wait_for_turn(paths[1])  # one run ahead at most, a capacity of two: no waiting
