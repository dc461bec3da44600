"""Freed memory leaves the process. Measured in processes of their own: settings of the C library stay."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from mnist_core.common import malloc

# Blocks of 100 kB from four threads, every other one freed; what the process holds then, in MB.
PROGRAM = """
import sys, threading
import numpy as np, psutil
from mnist_core.common import malloc
if sys.argv[1] == "given back":
    assert malloc.give_back()
kept = []
def work():
    blocks = [np.ones(100_000, np.uint8) for _ in range(300)]
    kept.extend(blocks[::20])
for _ in range(4):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print(psutil.Process().memory_info().rss / 1e6)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_what_was_freed_is_no_longer_held() -> None:
    usual, given_back = (
        float(subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True).stdout)
        for how in ("usual", "given back")
    )
    assert given_back < usual - 10


def test_nothing_happens_where_there_is_no_such_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not malloc.give_back()
