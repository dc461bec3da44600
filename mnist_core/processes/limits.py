"""How much one run, one person and all runs together may ask of this machine. Class sets have bounds of their own.

A server that strangers can reach is told so by `DIGIT_LAB_PUBLIC=1` in its environment; training processes inherit it,
and check again for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from mnist_core.common.errors import DigitLabError
from mnist_core.common.server import bounds_here
from mnist_core.processes.cost import memory_mb
from mnist_core.training.config import TrainingConfig


class LimitError(DigitLabError):
    """Something that is asked too much; the message says what, how much is allowed, and what to do."""


@dataclass(frozen=True)
class Limits:
    """Upper bounds. A run is active while it waits or trains."""

    epochs: int
    steps: int  # batches of all epochs together
    multiply_adds: int  # of one image, forward
    parameters: int
    memory_mb: int  # of one training process, as `cost` expects it
    training_seconds: float  # after these a run is stopped, and keeps what it has learned
    active_runs: int  # of everybody together
    active_runs_each: int  # of one person
    kept_runs: int  # that have ended; the oldest are deleted when a new one starts
    deleted_runs: int  # in the trash; beyond these, the oldest deletions are for good


PRIVATE = Limits(
    epochs=100,
    steps=6_000_000,
    multiply_adds=500_000_000,
    parameters=20_000_000,
    memory_mb=16_000,
    training_seconds=24 * 3600,
    active_runs=100,
    active_runs_each=100,
    kept_runs=100_000,
    deleted_runs=10_000,
)
PUBLIC = Limits(
    epochs=80,
    steps=60_000,
    multiply_adds=15_000_000,
    parameters=2_000_000,
    memory_mb=1_400,
    training_seconds=20 * 60,
    active_runs=20,
    active_runs_each=3,
    kept_runs=200,
    deleted_runs=50,
)


def current() -> Limits:
    """Return the bounds that hold here."""
    return bounds_here(PRIVATE, PUBLIC)


def check(config: TrainingConfig, limits: Limits) -> None:
    """Raise `LimitError` if a run of these settings would be too large here."""
    network, memory = config.architecture, round(memory_mb(config))
    for value, most, what, advice in (
        (config.epochs, limits.epochs, "{:,} epochs", "Train fewer"),
        (config.steps, limits.steps, "{:,} batches in all", "Use larger batches, fewer images or fewer epochs"),
        (network.parameters, limits.parameters, "{:,} parameters", "Use fewer filters or units"),
        (
            network.multiply_adds,
            limits.multiply_adds,
            "{:,} multiply-adds per image",
            "Pool earlier or use fewer filters",
        ),
        (memory, limits.memory_mb, "About {:,} MB of memory", "Use smaller batches or a smaller network"),
    ):
        if value > most:
            raise LimitError(f"{what.format(value)}: at most {most:,} are allowed here. {advice}.")
