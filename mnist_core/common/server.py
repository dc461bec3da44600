"""Where things lie on this server, and who may do what; every `DIGIT_LAB_…` variable is read here."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TypeVar

Bounds = TypeVar("Bounds")

PROJECT = Path(__file__).resolve().parents[2]

RUNS_DIR_VARIABLE = "DIGIT_LAB_RUNS_DIR"
HANDWRITING_DIR_VARIABLE = "DIGIT_LAB_HANDWRITING_DIR"
PUBLIC_VARIABLE = "DIGIT_LAB_PUBLIC"  # 1: strangers can reach this server
CAPACITY_VARIABLE = "DIGIT_LAB_ROOM"  # how many runs may train at once; otherwise the cores decide
SPARE_VARIABLE = "DIGIT_LAB_SPARE"  # 1: keep a spare process, 0: keep none; otherwise memory decides


def runs_dir() -> Path:
    """Return the folder of runs made here: `DIGIT_LAB_RUNS_DIR`, or `models/runs` of the project."""
    return Path(os.environ.get(RUNS_DIR_VARIABLE) or PROJECT / "models" / "runs")


def class_sets_dir() -> Path:
    """Return the folder of class sets: `DIGIT_LAB_HANDWRITING_DIR`, or `handwriting` of the project."""
    return Path(os.environ.get(HANDWRITING_DIR_VARIABLE) or PROJECT / "handwriting")


def is_public() -> bool:
    """Whether this server is open to strangers: then people have only their own runs to stop and delete."""
    return os.environ.get(PUBLIC_VARIABLE, "").strip().lower() in ("1", "true", "yes", "on")


def bounds_here(private: Bounds, public: Bounds) -> Bounds:
    """Return which of two bounds holds on this server: that among friends, or that for strangers."""
    return public if is_public() else private


def chosen_capacity() -> int | None:
    """Return how many runs may train at once, as `DIGIT_LAB_ROOM` says; None if it says nothing of use."""
    chosen = os.environ.get(CAPACITY_VARIABLE, "")
    return int(chosen) if chosen.isascii() and chosen.isdecimal() and int(chosen) > 0 else None


def chosen_spare() -> bool | None:
    """Return whether a spare process should be kept, as `DIGIT_LAB_SPARE` says; None if it says nothing of use."""
    return {"1": True, "0": False}.get(os.environ.get(SPARE_VARIABLE, "").strip())


def owner_hash(secret: str) -> str:
    """Return what a run's directory says of its owner: a hash, so that whoever reads it cannot pose as them."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def owns(owner: str, visitor: str) -> bool:
    """Whether a visitor may change what `owner` started: on a public server only the owner may, elsewhere everybody."""
    return not is_public() or (bool(visitor) and owner == visitor)
