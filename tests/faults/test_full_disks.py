"""Disks that are full."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest

from mnist_core import runs
from mnist_core.processes import jobs, worker
from mnist_core.runs.event_log import EventWriter
from mnist_core.runs.status import read_status, write_status
from mnist_core.training import checkpoints
from tests.support.broken_runs import LINUX, assert_ends_as, epochs_of, hidden_files
from tests.support.run_directories import MakeConfig


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
    "predictions": ((worker, "write_predictions"), [1, 2]),
}


@pytest.mark.fault(id="disk-full")
@pytest.mark.parametrize(("writer", "epochs"), FULL.values(), ids=FULL)
def test_a_full_disk_is_told_and_costs_nothing_measured(
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
        run = worker.execute(path)
    assert (run.status.state, run.report) == ("failed", None)
    assert "could not be written: No space left on device. Make room on the disk first." in run.status.message
    assert epochs_of(path) == epochs
    done = checkpoints.read_checkpoint(path).progress.epochs_completed
    assert done == (2 if writer == (worker, "write_predictions") else 1)
    assert keras.models.load_model(run.model_file, compile=False)
    assert hidden_files(path) == []

    (disk / "ballast").unlink()
    assert_ends_as(path, trained_run)


@pytest.mark.fault(id="disk-full-at-start")
def test_on_a_full_disk_no_run_is_created_and_others_are_read(
    disk: Path, tiny_config: MakeConfig, trained_run: Path
) -> None:
    path = shutil.copytree(trained_run, disk / trained_run.name)
    before = runs.read_run(path)
    fill(disk)
    with pytest.raises(OSError, match="No space left"):
        jobs.start(tiny_config(), disk)
    assert runs.list_runs(disk) == [before]
    assert sorted(file.name for file in disk.iterdir()) == [path.name, "ballast"]
    write_status(path, "failed", "The disk is full.")
    write_status(path, "failed", "Full.")  # shorter: nothing of the longer one is left
    assert (read_status(path).state, read_status(path).message) == ("failed", "Full.")
    assert runs.read_run(path).report == before.report
