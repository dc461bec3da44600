"""The machine that Digit Lab runs on: its memory, its versions, and who goes first on it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from mnist_core import __version__

_NICER = 5  # than the server, in steps of 0 to 19


def lower_priority(pid: int) -> None:
    """Let the server and its pages go before a process when cores are short. Raises `psutil.Error` if it has ended."""
    process = psutil.Process(pid)
    if os.name == "nt":
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    process.nice(min(psutil.Process().nice() + _NICER, 19))
    # Most Linux systems share cores among sessions first and heed niceness only within one, see sched(7), autogroup: a
    # training process, which has a session of its own, would otherwise get as much as the server with all its visitors.
    with suppress(OSError):
        if os.getsid(pid) == pid:
            Path(f"/proc/{pid}/autogroup").write_text(str(_NICER))


def versions() -> dict[str, str]:
    """Return the versions of Digit Lab, Python and the packages that a result depends on."""
    packages = ("tensorflow", "keras", "numpy")
    installed = {name: importlib.metadata.version(name) for name in packages}
    return {"digit_lab": __version__, "python": platform.python_version(), **installed}


def describe_machine() -> dict[str, Any]:
    """Return what a report tells of this machine: system, processor, cores and memory in GB."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def peak_memory_mb() -> float:
    """Return the most memory that this process ever held; 0 where the system does not tell."""
    with suppress(OSError):  # Linux, where getrusage would count what the server held when it started this process
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return round(int(found[1]) * 1024 / 1e6, 1)
    try:
        import resource
    except ImportError:  # Windows, which tells in another way
        return round(getattr(psutil.Process().memory_info(), "peak_wset", 0) / 1e6, 1)
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def available_bytes() -> int:
    """Return how much memory new processes may take: what the system has, or what is left of a container's limit."""
    available: int = psutil.virtual_memory().available
    for limit, used in (
        ("memory.max", "memory.current"),  # control groups, version 2
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),  # version 1
    ):
        with suppress(OSError, ValueError):  # there is no limit, or it is "max"
            numbers = [int((Path("/sys/fs/cgroup") / name).read_text()) for name in (limit, used)]
            available = min(available, numbers[0] - numbers[1])
    return available


def is_this_machine(machine: dict[str, object]) -> bool:
    """Whether a report's machine has our system, processor and number of cores."""
    here = {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count() or 1}
    return all(machine.get(name) == value for name, value in here.items())
