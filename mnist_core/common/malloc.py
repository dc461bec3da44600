"""Memory that was freed goes back to the system, so that a small server stays small."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MOST_ARENAS = -1, -3, -8  # names of settings, from glibc's malloc.h
_BYTES = 64 * 1024


def give_back() -> bool:
    """Let the C library give back what is freed, for the rest of this process; return whether it can.

    By itself, glibc keeps large blocks for each of a server's many threads once they were used. Elsewhere than on Linux
    with glibc nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    settings = {_TRIM_THRESHOLD: _BYTES, _MMAP_THRESHOLD: _BYTES, _MOST_ARENAS: 1}
    return all(bool(mallopt(name, value)) for name, value in settings.items())
