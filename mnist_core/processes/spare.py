"""A training process that has loaded TensorFlow before anybody asks for a run: its first point comes seconds sooner.

There is at most one per server. It holds some 700 MB, so it is kept only where memory is not short, see `is_wanted`. It
waits for the path of a run on its standard input; when that closes, because the server has ended or needs it no longer,
it ends as well. A run that it carries out is like any other from then on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mnist_core.common.server import chosen_spare
from mnist_core.processes.machine import available_bytes

IDLE_SECONDS = 15 * 60  # afterwards it gives its memory back
_ENOUGH_BYTES = 4e9  # still available: for the spare itself, the run before it, the inference process, and the system

_lock = threading.Lock()
_waiting: subprocess.Popen[bytes] | None = None
_timer: threading.Timer | None = None


def is_wanted() -> bool:
    """Whether a spare process should be kept here: as `DIGIT_LAB_SPARE` says, or where 4 GB are available."""
    chosen = chosen_spare()
    return available_bytes() >= _ENOUGH_BYTES if chosen is None else chosen


def keep(start: Callable[[], subprocess.Popen[bytes]]) -> None:
    """Have a spare process from now on, if one is wanted here: the one that waits, or else what `start` starts.

    Its standard input must be a pipe. Each call lets it wait another quarter of an hour.
    """
    global _waiting, _timer
    if not is_wanted():
        return
    with _lock:
        if _waiting is None or _waiting.poll() is not None:
            with suppress(OSError):  # no process can be started: runs will have to load what they need by themselves
                _waiting = start()
        if _timer is not None:
            _timer.cancel()
        _timer = threading.Timer(IDLE_SECONDS, dismiss)
        _timer.daemon = True
        _timer.start()


def take(path: Path) -> subprocess.Popen[bytes] | None:
    """Let the spare process carry out a run, and return the process; None if there is none."""
    process = _withdraw()
    if process is None or process.poll() is not None or process.stdin is None:
        return None
    try:
        with process.stdin as pipe:
            pipe.write(os.fsencode(path.resolve()))
    except OSError:  # it died a moment ago
        return None
    return process


def dismiss() -> None:
    """Let the spare process end, if there is one."""
    process = _withdraw()
    if process is not None and process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
        process.wait()


def _withdraw() -> subprocess.Popen[bytes] | None:
    global _waiting
    with _lock:
        process, _waiting = _waiting, None
    return process


def wait_for_run(claim: Callable[[Path], None]) -> Path:
    """Load what training takes while waiting for the path of a run, and return that. In the spare process.

    `claim` is called with the path as soon as it comes, be it before all is loaded; what the process prints goes to the
    run's log from then on. If no run will come, the process ends.
    """
    given: list[Path] = []
    reader = threading.Thread(target=lambda: given.append(_read_path(claim)))
    reader.start()
    _warm_up()
    reader.join()
    return given[0]


def _read_path(claim: Callable[[Path], None]) -> Path:
    name = sys.stdin.buffer.read()
    if not name:
        os._exit(0)  # at once: loading is of no use any more
    path = Path(os.fsdecode(name))
    with (path / "log.txt").open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    try:
        claim(path)
    except Exception:  # the run cannot be carried out; its log tells why
        traceback.print_exc()
        os._exit(2)
    return path


def _warm_up() -> None:
    """Train on a few images: TensorFlow loads and prepares some things only when they are first used."""
    import keras

    from mnist_core.data.dataset import load_mnist
    from mnist_core.training.config import TrainingConfig
    from mnist_core.training.loop import train

    with suppress(Exception):  # a run that cannot be trained will say so by itself
        train(TrainingConfig(train_size=200, batch_size=100, epochs=1), load_mnist())
    keras.utils.clear_session()  # names of layers count from 1 again
