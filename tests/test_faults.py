"""Processes, disks and clocks fail under a run: it says so, keeps what was measured, and the others go on.

docs/faults.md lists all faults with their tests; what pages show is in tests/pages/test_faults_on_pages.py.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import keras
import numpy as np
import psutil
import pytest
from run_directories import MakeConfig, is_sentence, write_status_values

from mnist_core import (
    checkpoints,
    event_log,
    files,
    jobs,
    limits,
    run_ids,
    run_results,
    run_status,
    runs,
    trash,
    worker,
)
from mnist_core.event_log import EventWriter
from mnist_core.events import BatchesDone, EpochDone, Event
from mnist_core.run_files import RunError

PATIENCE = 300  # seconds; other work may keep the cores busy
TIMELESS = {"training_seconds": 1.0, "images_per_second": 1.0, "finished": "", "peak_memory_mb": 1.0}
LINUX = sys.platform.startswith("linux")


@pytest.fixture(scope="module", autouse=True)
def room_for_one() -> Iterator[None]:
    """Let one run train at a time, whatever this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(jobs.ROOM_VARIABLE, "1")
        patch.delenv(limits.PUBLIC_VARIABLE, raising=False)
        yield


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.03)


def epochs_of(path: Path) -> list[int]:
    return [event.epoch for event in event_log.read_events(path) if isinstance(event, EpochDone)]


def hidden_files(path: Path) -> list[str]:
    """What is left beside the files of a run."""
    return [str(file.relative_to(path)) for file in path.rglob(".*")]


def assert_ends_as(path: Path, other: Path) -> None:
    """Let a broken run go on, here, and compare it with one that never broke."""
    ended, whole = worker.carry_out(path), runs.read_run(other)
    assert ended.status.state == "finished", ended.status.message
    assert ended.report is not None
    assert whole.report is not None
    assert replace(ended.report, **TIMELESS) == replace(whole.report, **TIMELESS)
    np.testing.assert_array_equal(run_results.read_predictions(path), run_results.read_predictions(other))
    assert epochs_of(path) == epochs_of(other)
    assert hidden_files(path) == []
    assert not checkpoints.has_checkpoint(path)


# Processes that are killed

DIES_WHILE_IT_SAVES = """
    import os, sys
    from pathlib import Path
    import psutil
    from mnist_core import files, worker

    def replace(source, target, replace=files._replace):
        if target.name == sys.argv[2] and target.exists():  # not the first time: in the second epoch
            os.truncate(source, source.stat().st_size // 2)
            psutil.Process().kill()
        replace(source, target)

    files._replace = replace
    worker.carry_out(Path(sys.argv[1]))
"""
GETS_LITTLE_MEMORY = """
    import resource, sys
    from pathlib import Path
    import psutil, tensorflow
    from mnist_core import worker

    most = psutil.Process().memory_info().vms + 1500 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    worker.carry_out(Path(sys.argv[1]))
"""


def started(script: str, path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", textwrap.dedent(script), str(path), *arguments]
    with (path / "log.txt").open("ab") as log:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
        return subprocess.Popen(command, cwd=runs.PROJECT, stdout=log, stderr=log, env=environment)


@pytest.fixture(scope="module")
def accidents(tmp_path_factory: pytest.TempPathFactory, tiny_config: MakeConfig) -> Iterator[dict[str, Path]]:
    """Runs by what ends them; all at once, since TensorFlow starts slowly."""
    folder = tmp_path_factory.mktemp("accidents")
    paths = {name: runs.create_run(folder, tiny_config()) for name in ("model.keras", "checkpoint.npz")}
    processes = [started(DIES_WHILE_IT_SAVES, path, name) for name, path in paths.items()]
    if LINUX:
        # What the convolution gives for one batch is 2.8 GB.
        large = tiny_config(architecture="256C3-10", train_size=5000, batch_size=4096, validation="none")
        paths["memory"] = runs.create_run(folder, large)
        processes.append(started(GETS_LITTLE_MEMORY, paths["memory"]))
    try:
        for process in processes:
            process.wait(PATIENCE)
        yield paths
    finally:
        for process in processes:
            process.kill()


@pytest.mark.parametrize("name", ["model.keras", "checkpoint.npz"])
def test_a_process_killed_while_it_saves_leaves_the_files_of_before(
    name: str, accidents: dict[str, Path], trained_run: Path
) -> None:
    path = accidents[name]
    run = runs.read_run(path)
    assert run.status.state == "interrupted"
    assert "ended before it was done" in run.status.message
    assert "memory may have run out" in run.status.message
    assert epochs_of(path) == [1, 2]
    assert checkpoints.read_checkpoint(path).progress.epochs_completed == 1
    assert keras.models.load_model(run.model_file, compile=False).count_params() == run.config.network.parameters
    (torn,) = hidden_files(path)
    assert torn.startswith(f".{Path(name).stem}-")
    assert_ends_as(path, trained_run)


@pytest.mark.skipif(not LINUX, reason="only Linux limits the memory of one process")
def test_a_run_that_gets_too_little_memory_says_so(accidents: dict[str, Path]) -> None:
    path = accidents["memory"]
    assert "OOM when allocating tensor" in (path / "log.txt").read_text(errors="replace")
    status = run_status.read_status(path)
    # Most of TensorFlow tells when it does not get what it asks for; its convolutions crash, and the process is gone.
    assert status.state in ("failed", "interrupted")
    assert re.search(r"r[au]n out.*smaller batch.*smaller network", status.message)


def test_what_others_write_beside_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    names = [f".model-{gone.pid}-1.keras", f".status-{os.getpid()}-1.json", ".notes", ".model-x-1.keras", "model.keras"]
    for name in names:
        (tmp_path / name).touch()
    files.remove_leftovers(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(names[1:])
    files.remove_leftovers(tmp_path / "missing")


@pytest.fixture
def in_line(tmp_path: Path, tiny_config: MakeConfig) -> Iterator[list[Path]]:
    """Two real processes that wait for their turn, behind a run that trains."""
    training = runs.create_run(tmp_path, tiny_config())
    run_status.write_status(training, "running", "Training", pid=os.getpid())
    paths = [tmp_path / jobs.start(tiny_config(), tmp_path) for _ in range(2)]
    wait_until(lambda: all(run_status.read_status(path).pid for path in paths))
    yield paths
    for path in paths:
        status = run_status.read_status(path)
        if status.state in run_status.ACTIVE and status.pid:
            psutil.Process(status.pid).kill()


def test_a_process_killed_while_it_waits_leaves_the_line_and_two_stops_at_once_are_one(in_line: list[Path]) -> None:
    killed, other = in_line
    folder = other.parent
    assert [jobs.queue(folder).place(path.name) for path in in_line] == [1, 2]
    psutil.Process(run_status.read_status(killed).pid).kill()
    wait_until(lambda: not runs.read_run(killed).is_active)
    status = run_status.read_status(killed)
    assert (status.state, status.message) == ("interrupted", "Its process ended before its turn came.")
    assert jobs.queue(folder).place(other.name) == 1

    stop_twice_at_once(other)
    wait_until(lambda: not runs.read_run(other).is_active)
    assert run_status.read_status(other).message == "Stopped before training began."
    assert jobs.queue(folder).waiting == ()
    assert "Traceback" not in (other / "log.txt").read_text()


def stop_twice_at_once(path: Path) -> None:
    both = threading.Barrier(2)

    def stop() -> None:
        both.wait(PATIENCE)
        runs.request_stop(path)

    visitors = [threading.Thread(target=stop) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()


def test_two_stops_at_once_end_a_training_run_once(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config(train_size=60_000, epochs=100))

    def stop(event: Event) -> None:
        if isinstance(event, BatchesDone) and not runs.stop_requested(path):
            stop_twice_at_once(path)

    run = worker.carry_out(path, stop)
    assert (run.status.state, run.status.message) == ("stopped", "Stopped by hand.")
    assert run.report is not None
    assert 0 < run.report.steps < run.config.steps_per_epoch
    runs.request_stop(path)  # somebody whose page was not up to date yet
    assert runs.read_run(path) == run


# Directories that go away


def test_a_run_that_was_deleted_is_said_to_be_gone(trained_run: Path, tmp_path: Path) -> None:
    path = shutil.copytree(trained_run, tmp_path / trained_run.name)
    trash.delete(runs.read_run(path))
    for ask in (runs.read_run, run_status.read_status, runs.request_stop):
        with pytest.raises(RunError, match=r"no run called .* It may have been deleted\.$"):
            ask(path)
    assert event_log.read_events(path) == []


def test_a_directory_removed_under_its_training_ends_that_run_alone(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path, other = (runs.create_run(tmp_path, tiny_config()) for _ in range(2))
    with pytest.raises(FileNotFoundError):
        worker.carry_out(path, lambda event: shutil.rmtree(path, ignore_errors=True))
    assert not path.exists()
    assert [run.id for run in runs.list_runs(tmp_path)] == [other.name]


# Disks that are full


def as_root(*command: str) -> bool:
    """Whether a command could be carried out as root, without asking anybody."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    with contextlib.suppress(OSError):
        return subprocess.run([*sudo, *command], capture_output=True).returncode == 0
    return False


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of four megabytes. Continuous integration has it; elsewhere test_worker.py has stand-ins."""
    folder = tmp_path_factory.mktemp("small-disk")
    options = f"size=4m,mode=0700,uid={os.getuid()}" if LINUX else ""
    mounted = LINUX and as_root("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
    if not mounted:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("mounting a small file system takes Linux and root")
    yield folder
    assert as_root("umount", str(folder))


@pytest.fixture
def disk(small_disk: Path) -> Iterator[Path]:
    """The small file system, empty."""
    yield small_disk
    for path in small_disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def fill(disk: Path) -> None:
    """Leave not one block free."""
    with (disk / "ballast").open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))
    assert shutil.disk_usage(disk).free == 0


# What is written when the disk is full, and the epochs that are told then: by the page, and by the checkpoint.
FULL = {
    "metrics": ((EventWriter, "append"), [1]),
    "weights": ((worker, "save_model"), [1, 2]),
    "checkpoint": ((checkpoints, "write_checkpoint"), [1, 2]),
    "predictions": ((run_results, "write_predictions"), [1, 2]),
}


@pytest.mark.parametrize(("writer", "epochs"), FULL.values(), ids=FULL)
def test_a_disk_that_is_full_is_told_and_costs_nothing_that_was_measured(
    writer: tuple[object, str],
    epochs: list[int],
    disk: Path,
    tiny_config: MakeConfig,
    trained_run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = runs.create_run(disk, tiny_config())
    write = getattr(*writer)

    def write_to_full_disk(*arguments: object) -> None:
        if checkpoints.has_checkpoint(path):  # in the second epoch
            with (path / "metrics.jsonl").open("ab") as log:  # what is left of its last block would take some lines
                log.write(b"\n" * (-log.tell() % 4096))
            fill(disk)
        write(*arguments)

    # What it prints goes to the full disk, too, as that of a real training process does.
    with monkeypatch.context() as patch, contextlib.suppress(OSError), (path / "log.txt").open("a", 1) as log:
        patch.setattr(*writer, write_to_full_disk)
        patch.setattr(sys, "stderr", log)
        run = worker.carry_out(path)
    assert (run.status.state, run.report) == ("failed", None)
    assert "could not be written: No space left on device. Make room on the disk first." in run.status.message
    assert epochs_of(path) == epochs
    done = checkpoints.read_checkpoint(path).progress.epochs_completed
    assert done == (2 if writer == (run_results, "write_predictions") else 1)
    assert keras.models.load_model(run.model_file, compile=False)
    assert hidden_files(path) == []

    (disk / "ballast").unlink()
    assert_ends_as(path, trained_run)


def test_on_a_full_disk_no_run_is_created_and_every_other_one_is_still_read(
    disk: Path, tiny_config: MakeConfig, trained_run: Path
) -> None:
    path = shutil.copytree(trained_run, disk / trained_run.name)
    before = runs.read_run(path)
    fill(disk)
    with pytest.raises(OSError, match="No space left"):
        jobs.start(tiny_config(), disk)
    assert runs.list_runs(disk) == [before]
    assert sorted(file.name for file in disk.iterdir()) == [path.name, "ballast"]
    run_status.write_status(path, "failed", "The disk is full.")
    run_status.write_status(path, "failed", "Full.")  # shorter: nothing of the longer one is left
    assert (run_status.read_status(path).state, run_status.read_status(path).message) == ("failed", "Full.")
    assert runs.read_run(path).report == before.report


# Clocks that are set


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


@pytest.mark.skipif(not LINUX, reason="other systems tell in other ways")
@pytest.mark.parametrize("seconds", [-86_400, -2, 2, 3600])
def test_a_run_lives_on_whatever_the_clock_is_set_to(
    seconds: int, tmp_path: Path, tiny_config: MakeConfig, set_clock: Callable[[float], None]
) -> None:
    path = runs.create_run(tmp_path / "runs", tiny_config())
    run_status.write_status(path, "running", "Training", pid=os.getpid())
    before = run_status.read_status(path)
    set_clock(seconds)
    assert psutil.Process().create_time() == pytest.approx(before.process_started + seconds)
    assert run_status.read_status(path) == before
    with pytest.raises(RunError, match="Only a run that was interrupted"):
        jobs.resume(runs.read_run(path))
    # Not so another process that got the number: it started at another time, by any clock.
    values = json.loads((path / "status.json").read_text())
    start, after_boot = values["process_started"], values["process_started_after_boot"]
    write_status_values(path, pid=os.getpid(), process_started=start - 5, process_started_after_boot=after_boot - 5)
    assert run_status.read_status(path).state == "interrupted"


def clock_that_tells(moment: datetime) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return moment

    return Clock


@pytest.mark.parametrize("back", [timedelta(milliseconds=1), timedelta(seconds=30), timedelta(hours=23)])
def test_who_comes_later_is_behind_in_line_also_when_the_clock_was_set_back(
    back: timedelta, tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    made = []
    for moment in (now, now - back, now - back):
        monkeypatch.setattr(run_ids, "datetime", clock_that_tells(moment))
        made.append(runs.create_run(tmp_path, tiny_config(preset="zebra" if not made else "ant")).name)
        run_status.write_status(tmp_path / made[-1], "queued", pid=os.getpid())
    assert made == sorted(made)
    assert [jobs.runs_ahead(run_id, tmp_path) for run_id in made] == [0, 1, 2]
    assert [run.id for run in jobs.queue(tmp_path).waiting] == made
    dates = [runs.find_run(run_id, tmp_path).created for run_id in made]
    assert dates == [now + timedelta(milliseconds=number) for number in range(3)]


def test_a_clock_that_was_years_ahead_does_not_date_what_comes_after(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    for moment in (now.replace(year=2062), now):
        monkeypatch.setattr(run_ids, "datetime", clock_that_tells(moment))
        assert runs.read_run(runs.create_run(tmp_path, tiny_config())).created == moment
    (tmp_path / "99999999-999999999-no-date").mkdir()
    assert runs.read_run(runs.create_run(tmp_path, tiny_config())).created == now + timedelta(milliseconds=1)


def test_a_run_that_was_just_queued_stays_so_when_the_clock_is_set_by_seconds(
    tmp_path: Path, tiny_config: MakeConfig
) -> None:
    path = runs.create_run(tmp_path, tiny_config())
    for seconds in (-30, 30):
        write_status_values(path, state="queued", updated=time.time() + seconds)
        assert run_status.read_status(path).state == "queued"


# Newer versions


def test_a_status_or_report_of_another_form_may_be_of_a_newer_version(trained_run: Path, tmp_path: Path) -> None:
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


# The table


def test_every_test_in_the_table_of_faults_exists() -> None:
    table = (runs.PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith("| ") and "::" in line]
    assert len(rows) > 15
    known: dict[str, set[str]] = {}
    for row in rows:
        fault, seen, kept, tests = (cell.strip() for cell in row.strip("| ").split(" | "))
        assert fault
        assert seen
        assert kept
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
        assert len(named) == tests.count("::") > 0, row
        for file, name in named:
            if file not in known:
                tree = ast.parse((runs.PROJECT / "tests" / file).read_text(encoding="utf-8"))
                known[file] = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert name in known[file], f"{file} has no {name}"
