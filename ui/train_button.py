"""The button that starts a run."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from mnist_core import jobs, runs
from mnist_core.config import TrainingConfig
from ui import state
from ui.state import Keys

_DOUBLE_CLICK_SECONDS = 3


@dataclass(frozen=True)
class _Started:
    config: TrainingConfig
    run_id: str
    moment: float


def train_button(config: TrainingConfig | None) -> None:
    """Show the button; a click starts a run of `config` and puts its id into the URL. Two quick clicks are one."""
    pressed = st.button("Train", type="primary", icon=":material/play_arrow:", width="stretch", disabled=config is None)
    if not pressed or config is None:
        return
    last: _Started | None = st.session_state.get(Keys.LAST_STARTED)
    if last is None or last.config != config or time.monotonic() - last.moment > _DOUBLE_CLICK_SECONDS:
        try:
            last = _Started(config, jobs.start(config, runs.runs_dir()), time.monotonic())
        except OSError as error:
            st.error(f"The run could not be started: {error.strerror or error}.", icon=":material/error:")
            return
        st.session_state[Keys.LAST_STARTED] = last
    state.write(run=last.run_id)


def last_started() -> str | None:
    """Return the id of the run that this session started last."""
    last: _Started | None = st.session_state.get(Keys.LAST_STARTED)
    return None if last is None else last.run_id
