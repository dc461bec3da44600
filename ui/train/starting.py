"""Starting runs from a page: two quick clicks are one, and what cannot be started says why."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import streamlit as st

from mnist_core.common.server import runs_dir
from mnist_core.processes import jobs, limits
from mnist_core.training.config import TrainingConfig
from ui.components import visitor
from ui.session import state
from ui.session.state import Keys
from ui.wording import plain

_DOUBLE_CLICK_SECONDS = 3


@dataclass(frozen=True)
class _Started:
    config: TrainingConfig
    seeds: int
    run_ids: list[str]
    moment: float


def start_and_watch(config: TrainingConfig, seeds: int = 1) -> None:
    """Start a run, or several that differ in their seeds alone, and go to the first; `show_problem` tells why not."""
    last: _Started | None = st.session_state.get(Keys.LAST_STARTED)
    twice = last is not None and (last.config, last.seeds) == (config, seeds)
    if not (last and twice and time.monotonic() - last.moment < _DOUBLE_CLICK_SECONDS):
        try:
            ids = jobs.start_seeds(config, runs_dir(), seeds, visitor.owner())
        except limits.LimitError as error:
            st.session_state[Keys.PROBLEM] = str(error)
            return
        except OSError as error:
            st.session_state[Keys.PROBLEM] = f"The run could not be started: {error.strerror or error}."
            return
        last = _Started(config, seeds, ids, time.monotonic())
        st.session_state[Keys.LAST_STARTED] = last
    state.go(view="watch", run=last.run_ids[0])


def show_problem() -> None:
    """Tell, once, why what was asked last could not be done."""
    problem = st.session_state.pop(Keys.PROBLEM, None)
    if problem:
        st.error(plain(problem), icon=":material/error:")


def last_started() -> str | None:
    """Return the id of the run that this session started last."""
    last: _Started | None = st.session_state.get(Keys.LAST_STARTED)
    return None if last is None else last.run_ids[0]


def next_seed(config: TrainingConfig) -> TrainingConfig:
    """Return the same settings with the seed after theirs."""
    return replace(config, seed=(config.seed + 1) % 2**31)
