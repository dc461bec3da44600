"""Two quick clicks on one button are one; a click that asks for something else is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnist_core import jobs
from mnist_core.config import TrainingConfig
from ui.train import starting


def test_a_double_click_starts_runs_once_and_another_number_of_seeds_is_no_double_click(
    tiny_config: Callable[..., TrainingConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    watched: list[object] = []
    now = 100.0

    def start_seeds(config: TrainingConfig, folder: Path, count: int, owner: str) -> list[str]:
        asked.append((config.seed, count))
        return [f"run-{len(asked)}"]

    monkeypatch.setattr(jobs, "start_seeds", start_seeds)
    monkeypatch.setattr(starting.st, "session_state", {})
    monkeypatch.setattr(starting.state, "go", lambda **values: watched.append(values["run"]))
    monkeypatch.setattr(starting, "time", SimpleNamespace(monotonic=lambda: now))
    for seed, count in ((1, 4), (1, 4), (1, 2), (2, 2), (2, 2)):
        starting.start_and_watch(tiny_config(seed=seed), count)
    assert asked == [(1, 4), (1, 2), (2, 2)]
    assert watched == ["run-1", "run-1", "run-2", "run-3", "run-3"]
    now += 10
    starting.start_and_watch(tiny_config(seed=2), 2)  # asked for again, later: meant
    assert (asked[3:], watched[-1]) == ([(2, 2)], "run-4")
