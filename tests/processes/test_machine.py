"""The machine: training gives way to the server, and memory is what a container leaves of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from mnist_core.processes.machine import available_bytes, lower_priority

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.mark.skipif(os.name == "nt", reason="Windows counts otherwise")
@pytest.mark.parametrize(("servers", "trainings"), [(0, 5), (10, 15), (17, 19), (19, 19)])
def test_training_is_nicer_than_the_server_however_nice_that_is(
    servers: int, trainings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(SLEEP) as process:
        real = psutil.Process.nice
        if real(psutil.Process()) > trainings:
            pytest.skip("The tests themselves are nicer than that.")
        asked = lambda self, value=None: servers if value is None else real(self, value)  # noqa: E731
        monkeypatch.setattr(psutil.Process, "nice", asked)
        lower_priority(process.pid)
        nice = real(psutil.Process(process.pid))
        process.kill()
    assert nice == trainings


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="This system does not group by session.")
@pytest.mark.parametrize("own_session", [True, False])
def test_training_gives_way_though_in_a_session_of_its_own(own_session: bool) -> None:
    before = Path("/proc/self/autogroup").read_text()
    with subprocess.Popen(SLEEP, start_new_session=own_session) as process:
        lower_priority(process.pid)
        group = Path(f"/proc/{process.pid}/autogroup").read_text()
        process.kill()
    assert group.endswith("nice 5\n") if own_session else group == before


@pytest.mark.parametrize(
    ("system", "limit", "left"),
    [(8_000, "3000\n", 2_000), (1_500, "3000\n", 1_500), (8_000, "max\n", 8_000), (8_000, "", 8_000)],
)
def test_the_limit_of_a_container_counts(system: int, limit: str, left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"memory.max": limit, "memory.current": "1000\n"}
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=system))
    monkeypatch.setattr(Path, "read_text", lambda path: texts.get(path.name, ""))
    assert available_bytes() == left
