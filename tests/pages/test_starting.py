"""Starting runs: two quick clicks on one button are one, and the network that was typed last counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st

from mnist_core.processes import jobs
from mnist_core.training.config import TrainingConfig
from mnist_core.training.presets import PRESETS
from tests.support.opening import open_page, texts
from ui.session import state
from ui.session.state import Keys
from ui.train import starting


def test_a_double_click_starts_runs_once_unless_seeds_differ(
    tiny_config: Callable[..., TrainingConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    watched: list[object] = []
    now = 100.0

    def start_seeds(config: TrainingConfig, folder: Path, count: int, owner: str) -> list[str]:
        asked.append((config.seed, count))
        return [f"run-{len(asked)}"]

    monkeypatch.setattr(jobs, "start_seeds", start_seeds)
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(state, "go", lambda **values: watched.append(values["run"]))
    monkeypatch.setattr(starting, "time", SimpleNamespace(monotonic=lambda: now))
    for seed, count in ((1, 4), (1, 4), (1, 2), (2, 2), (2, 2)):
        starting.start_and_watch(tiny_config(seed=seed), count)
    assert asked == [(1, 4), (1, 2), (2, 2)]
    assert watched == ["run-1", "run-1", "run-2", "run-3", "run-3"]
    now += 10
    starting.start_and_watch(tiny_config(seed=2), 2)  # asked for again, later: meant
    assert (asked[3:], watched[-1]) == ([(2, 2)], "run-4")


def test_the_network_is_as_typed_though_the_run_to_note_it_ended() -> None:
    app = open_page("train", preset="chollet")
    edit = {"text": "8C3-P2-10", "version": app.session_state[Keys.DRAFT].version}
    app.session_state["network"] = {"edit": edit}  # what the browser told is there, but nobody was called back
    app.run()
    assert app.session_state[Keys.DRAFT].config.notation == "8C3-P2-10"
    assert f"{80 + 13 * 13 * 8 * 10 + 10:,}" in texts(app)  # parameters, beside the button that trains

    app.selectbox(key="setting-preset").select("fast").run()
    assert app.session_state[Keys.DRAFT].config == PRESETS["fast"].config  # the text was of a version before that
