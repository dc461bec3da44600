"""Processes that are killed, get too little memory, or are stopped twice at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import psutil
import pytest

from mnist_core import runs
from mnist_core.common import atomic_files
from mnist_core.common.server import PROJECT
from mnist_core.processes import jobs, worker
from mnist_core.processes.queue import read_queue
from mnist_core.runs.status import ACTIVE, read_status, write_status
from mnist_core.training import checkpoints
from mnist_core.training.events import BatchesDone, Event
from tests.support.broken_runs import LINUX, assert_ends_as, epochs_of, hidden_files
from tests.support.run_directories import MakeConfig

PATIENCE = 300  # seconds; other work may keep the cores busy
DIES_WHILE_IT_SAVES = """
    import os, sys
    from pathlib import Path
    import psutil
    from mnist_core.common import atomic_files
    from mnist_core.processes import worker

    def replace(source, target, replace=atomic_files._replace):
        if target.name == sys.argv[2] and target.exists():  # not the first time: in the second epoch
            os.truncate(source, source.stat().st_size // 2)
            psutil.Process().kill()
        replace(source, target)

    atomic_files._replace = replace
    worker.execute(Path(sys.argv[1]))
"""
GETS_LITTLE_MEMORY = """
    import resource, sys
    from pathlib import Path
    import psutil, tensorflow
    from mnist_core.processes import worker

    most = psutil.Process().memory_info().vms + 1500 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    worker.execute(Path(sys.argv[1]))
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.03)


def started(script: str, path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", textwrap.dedent(script), str(path), *arguments]
    with (path / "log.txt").open("ab") as log:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
        return subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, env=environment)


@pytest.fixture(scope="module")
def accidents(tmp_path_factory: pytest.TempPathFactory, tiny_config: MakeConfig) -> Iterator[dict[str, Path]]:
    """Runs by what ends them; all at once, since TensorFlow starts slowly."""
    folder = tmp_path_factory.mktemp("accidents")
    paths = {name: runs.create_run(folder, tiny_config()) for name in ("model.keras", "checkpoint.npz")}
    processes = [started(DIES_WHILE_IT_SAVES, path, name) for name, path in paths.items()]
    if LINUX:
        # What the convolution gives for one batch is 2.8 GB.
        large = tiny_config(notation="256C3-10", train_size=5000, batch_size=4096, validation="none")
        paths["memory"] = runs.create_run(folder, large)
        processes.append(started(GETS_LITTLE_MEMORY, paths["memory"]))
    try:
        for process in processes:
            process.wait(PATIENCE)
        yield paths
    finally:
        for process in processes:
            process.kill()


@pytest.mark.fault(id="killed-while-saving")
@pytest.mark.fault(id="killed-for-memory")
@pytest.mark.parametrize("name", ["model.keras", "checkpoint.npz"])
def test_a_process_killed_while_saving_leaves_the_older_files(
    name: str, accidents: dict[str, Path], trained_run: Path
) -> None:
    path = accidents[name]
    run = runs.read_run(path)
    assert run.status.state == "interrupted"
    assert "ended before it was done" in run.status.message
    assert "memory may have run out" in run.status.message
    assert epochs_of(path) == [1, 2]
    assert checkpoints.read_checkpoint(path).progress.epochs_completed == 1
    assert keras.models.load_model(run.model_file, compile=False).count_params() == run.config.architecture.parameters
    (torn,) = hidden_files(path)
    assert torn.startswith(f".{Path(name).stem}-")
    assert_ends_as(path, trained_run)


@pytest.mark.fault(id="too-little-memory")
@pytest.mark.skipif(not LINUX, reason="only Linux limits the memory of one process")
def test_a_run_that_gets_too_little_memory_says_so(accidents: dict[str, Path]) -> None:
    path = accidents["memory"]
    assert "OOM when allocating tensor" in (path / "log.txt").read_text(errors="replace")
    status = read_status(path)
    # Most of TensorFlow tells when it does not get what it asks for; its convolutions crash, and the process is gone.
    assert status.state in ("failed", "interrupted")
    assert re.search(r"r[au]n out.*smaller batch.*smaller network", status.message)


def test_what_others_write_beside_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    names = [f".model-{gone.pid}-1.keras", f".status-{os.getpid()}-1.json", ".notes", ".model-x-1.keras", "model.keras"]
    for name in names:
        (tmp_path / name).touch()
    atomic_files.remove_leftovers(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(names[1:])
    atomic_files.remove_leftovers(tmp_path / "missing")


@pytest.fixture
def in_line(tmp_path: Path, tiny_config: MakeConfig) -> Iterator[list[Path]]:
    """Two real processes that wait for their turn, behind a run that trains."""
    training = runs.create_run(tmp_path, tiny_config())
    write_status(training, "running", "Training", pid=os.getpid())
    paths = [tmp_path / jobs.start(tiny_config(), tmp_path) for _ in range(2)]
    wait_until(lambda: all(read_status(path).pid for path in paths))
    yield paths
    for path in paths:
        status = read_status(path)
        if status.state in ACTIVE and status.pid:
            psutil.Process(status.pid).kill()


@pytest.mark.fault(id="killed-in-line")
@pytest.mark.fault(id="two-stop-a-waiting-run")
def test_who_is_killed_in_line_leaves_it_and_two_stops_are_one(in_line: list[Path]) -> None:
    killed, other = in_line
    folder = other.parent
    assert [read_queue(folder).place(path.name) for path in in_line] == [1, 2]
    psutil.Process(read_status(killed).pid).kill()
    wait_until(lambda: not runs.read_run(killed).is_active)
    status = read_status(killed)
    assert (status.state, status.message) == ("interrupted", "Its process ended before its turn came.")
    assert read_queue(folder).place(other.name) == 1

    stop_twice_at_once(other)
    wait_until(lambda: not runs.read_run(other).is_active)
    assert read_status(other).message == "Stopped before training began."
    assert read_queue(folder).waiting == ()
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


@pytest.mark.fault(id="two-stop-a-run")
def test_two_stops_at_once_end_a_training_run_once(tmp_path: Path, tiny_config: MakeConfig) -> None:
    path = runs.create_run(tmp_path, tiny_config(train_size=60_000, epochs=100))

    def stop(event: Event) -> None:
        if isinstance(event, BatchesDone) and not runs.stop_requested(path):
            stop_twice_at_once(path)

    run = worker.execute(path, stop)
    assert (run.status.state, run.status.message) == ("stopped", "Stopped by hand.")
    assert run.report is not None
    assert 0 < run.report.steps < run.config.steps_per_epoch
    runs.request_stop(path)  # somebody whose page was not up to date yet
    assert runs.read_run(path) == run
