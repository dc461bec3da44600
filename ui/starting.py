"""Starting runs from a page: two quick clicks are one, and what cannot be started says why."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import streamlit as st

from mnist_core import jobs, limits, runs
from mnist_core.config import TrainingConfig
from ui import visitor
from ui.state import Keys

_DOUBLE_CLICK_SECONDS = 3


@dataclass(frozen=True)
class _Started:
    config: TrainingConfig
    run_ids: list[str]
    moment: float


def start(config: TrainingConfig, seeds: int = 1) -> str | None:
    """Start a run, or several that differ in their seeds alone; return the id of the first, or None with the reason."""
    last: _Started | None = st.session_state.get(Keys.LAST_STARTED)
    if last and last.config == config and time.monotonic() - last.moment < _DOUBLE_CLICK_SECONDS:
        return last.run_ids[0]
    folder, owner = runs.runs_dir(), visitor.owner()
    try:
        ids = [jobs.start(config, folder, owner)] if seeds == 1 else jobs.start_seeds(config, folder, seeds, owner)
    except limits.LimitError as error:
        st.warning(str(error), icon=":material/block:")
        return None
    except OSError as error:
        st.error(f"The run could not be started: {error.strerror or error}.", icon=":material/error:")
        return None
    st.session_state[Keys.LAST_STARTED] = _Started(config, ids, time.monotonic())
    return ids[0]


def last_started() -> str | None:
    """Return the id of the run that this session started last."""
    last: _Started | None = st.session_state.get(Keys.LAST_STARTED)
    return None if last is None else last.run_ids[0]


def next_seed(config: TrainingConfig) -> TrainingConfig:
    """Return the same settings with the seed after theirs."""
    return replace(config, seed=(config.seed + 1) % 2**31)
