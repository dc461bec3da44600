"""The process that is ready before a run is asked for: who gets it, when it is kept, and what it makes of a run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from mnist_core import runs
from mnist_core.common.server import SPARE_VARIABLE
from mnist_core.processes import jobs, spare
from tests.support.run_directories import MakeConfig

LISTEN = [sys.executable, "-c", "import sys; print(sys.stdin.read(), end='')"]  # in its place: tells what it was given


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    yield
    spare.dismiss()


def listener() -> subprocess.Popen[bytes]:
    return subprocess.Popen(LISTEN, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_there_is_one_and_it_is_given_away_once(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    for _ in range(3):
        spare.keep(lambda: started.append(listener()) or started[-1])
    assert len(started) == 1
    taken = spare.take(tmp_path)
    assert taken is started[0]
    assert taken.stdout.read().decode() == str(tmp_path.resolve())
    assert taken.wait(60) == 0
    assert spare.take(tmp_path) is None


def test_one_that_died_is_replaced_and_never_given_away(tmp_path: Path) -> None:
    first, second = listener(), listener()
    spare.keep(lambda: first)
    first.kill()
    first.wait()
    spare.keep(lambda: second)
    second.kill()
    second.wait()
    assert spare.take(tmp_path) is None


def test_it_ends_when_it_is_needed_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare, "IDLE_SECONDS", 0.05)
    process = listener()
    spare.keep(lambda: process)
    assert process.wait(60) == 0
    assert process.stdout.read() == b""
    assert spare.take(tmp_path) is None


def test_no_process_can_be_started(tmp_path: Path) -> None:
    def fail() -> subprocess.Popen[bytes]:
        raise OSError(12, "Cannot allocate memory")

    spare.keep(fail)
    assert spare.take(tmp_path) is None


@pytest.mark.parametrize(
    ("variable", "gigabytes", "kept"),
    [("1", 1, True), ("0", 100, False), ("", 3.9, False), ("", 4.1, True), ("nonsense", 4.1, True)],
)
def test_memory_decides_unless_somebody_has(
    variable: str, gigabytes: float, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, variable)
    monkeypatch.setattr(spare, "available_bytes", lambda: gigabytes * 1e9)
    spare.keep(listener)
    taken = spare.take(tmp_path)
    assert (taken is not None) == kept
    if taken is not None:
        assert taken.wait(60) == 0


def test_a_run_that_it_carries_out_is_like_any_other(
    tmp_path: Path, trained_run: Path, tiny_config: MakeConfig
) -> None:
    jobs.prestart(tmp_path)
    process = spare._waiting
    first, second = jobs.start_seeds(tiny_config(), tmp_path, 2)
    wait_until(lambda: runs.find_run(first, tmp_path).status.pid is not None)
    assert runs.find_run(first, tmp_path).status.pid == process.pid
    wait_until(lambda: not runs.list_active(tmp_path))
    run, other = (runs.find_run(name, tmp_path) for name in (first, second))
    assert (run.status.state, other.status.state) == ("finished", "finished")
    assert other.status.pid != process.pid  # it had to wait: in a process of its own
    mine, other_seed, like = (
        keras.models.load_model(path / "model.keras") for path in (run.path, other.path, trained_run)
    )
    assert [layer.name for layer in mine.layers] == [layer.name for layer in other_seed.layers]
    for weights, same in zip(mine.get_weights(), like.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, same)


def test_none_is_started_while_something_trains(tmp_path: Path, tiny_config: MakeConfig) -> None:
    runs.create_run(tmp_path, tiny_config())
    jobs.prestart(tmp_path)
    assert spare.take(tmp_path) is None
