"""Clocks that are set."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from mnist_core import runs
from mnist_core.processes import jobs
from mnist_core.processes.queue import read_queue, runs_ahead
from mnist_core.runs import ids
from mnist_core.runs.reading import RunError
from mnist_core.runs.status import read_status, write_status
from tests.support.broken_runs import LINUX
from tests.support.run_directories import MakeConfig, write_status_values


@pytest.fixture
def set_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function after which the system tells this process's start as if the clock had been set by some seconds.

    Linux counts it from when the machine started, and tells that moment by the present clock.
    """
    told = tmp_path / "proc"
    told.mkdir()
    (told / str(os.getpid())).symlink_to(Path("/proc", str(os.getpid())))
    machine_started = psutil.boot_time()

    def change(seconds: float) -> None:
        (told / "stat").write_text(f"btime {machine_started + seconds:.0f}\n")
        monkeypatch.setattr(psutil, "PROCFS_PATH", str(told))

    return change


@pytest.mark.fault(id="clock-set-while-training")
@pytest.mark.skipif(not LINUX, reason="other systems tell in other ways")
@pytest.mark.parametrize("seconds", [-86_400, -2, 2, 3600])
def test_a_run_lives_on_whatever_the_clock_is_set_to(
    seconds: int, tmp_path: Path, tiny_config: MakeConfig, set_clock: Callable[[float], None]
) -> None:
    path = runs.create_run(tmp_path / "runs", tiny_config())
    write_status(path, "running", "Training", pid=os.getpid())
    before = read_status(path)
    set_clock(seconds)
    assert psutil.Process().create_time() == pytest.approx(before.process_started + seconds)
    assert read_status(path) == before
    with pytest.raises(RunError, match="Only a run that was interrupted"):
        jobs.resume(runs.read_run(path))
    # Not so another process that got the number: it started at another time, by any clock.
    values = json.loads((path / "status.json").read_text())
    start, after_boot = values["process_started"], values["process_started_after_boot"]
    write_status_values(path, pid=os.getpid(), process_started=start - 5, process_started_after_boot=after_boot - 5)
    assert read_status(path).state == "interrupted"


def clock_that_tells(moment: datetime) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Any:
            return moment

    return Clock


@pytest.mark.fault(id="clock-set-back")
@pytest.mark.parametrize("back", [timedelta(milliseconds=1), timedelta(seconds=30), timedelta(hours=23)])
def test_who_comes_later_is_behind_though_the_clock_was_set_back(
    back: timedelta, tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    made: list[str] = []
    for moment in (now, now - back, now - back):
        monkeypatch.setattr(ids, "datetime", clock_that_tells(moment))
        made.append(runs.create_run(tmp_path, tiny_config(preset="zebra" if not made else "ant")).name)
        write_status(tmp_path / made[-1], "queued", pid=os.getpid())
    assert made == sorted(made)
    assert [runs_ahead(run_id, tmp_path) for run_id in made] == [0, 1, 2]
    assert [run.id for run in read_queue(tmp_path).waiting] == made
    dates = [runs.find_run(run_id, tmp_path).created for run_id in made]
    assert dates == [now + timedelta(milliseconds=number) for number in range(3)]


@pytest.mark.fault(id="clock-put-right")
def test_a_clock_once_years_ahead_does_not_date_later_runs(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    for moment in (now.replace(year=2062), now):
        monkeypatch.setattr(ids, "datetime", clock_that_tells(moment))
        assert runs.read_run(runs.create_run(tmp_path, tiny_config())).created == moment
    (tmp_path / "99999999-999999999-no-date").mkdir()
    assert runs.read_run(runs.create_run(tmp_path, tiny_config())).created == now + timedelta(milliseconds=1)


@pytest.mark.fault(id="clock-set-at-start")
def test_a_run_just_queued_outlasts_a_clock_set_by_seconds(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config())
    for seconds in (-30, 30):
        write_status_values(path, state="queued", updated=time.time() + seconds)
        assert read_status(path).state == "queued"
