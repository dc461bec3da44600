"""Monitor: one run, its progress, its curves as they grow, and its result. For every viewer from the same files."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mnist_core import runs
from mnist_core.processes.queue import capacity, runs_ahead
from mnist_core.runs.reading import RunError
from mnist_core.runs.status import State
from mnist_core.training.config import TrainingConfig
from ui.components import address_bar, focus
from ui.pickers.runs import pick_run
from ui.session import cached_reads, state
from ui.train import curves_view, result_view, starting
from ui.train.progress import show_state
from ui.train.settings import NAMES, shown
from ui.wording import plain

_UPDATE_SECONDS = 1.0
_FIRST_UPDATE_SECONDS = 0.3  # until the first point of a run whose turn it is
_WAITING_UPDATE_SECONDS = 3.0  # a whole class may wait in line


def show() -> None:
    """Let the visitor choose a run, show it, and keep it up to date while it is active."""
    run = pick_run("Run", cached_reads.all_runs(), fallback=starting.last_started())
    if run is None:
        return
    seconds = _update_seconds(run)
    st.fragment(_show_run, run_every=seconds)(run.path, run.status.state, seconds == _FIRST_UPDATE_SECONDS)
    address_bar.show({"run": run.id}, ["run"])


def _update_seconds(run: runs.Run) -> float | None:
    if not run.is_active:
        return None
    if cached_reads.events(run):
        return _UPDATE_SECONDS
    if run.status.state == "queued" and runs_ahead(run.id, run.path.parent) >= capacity():
        return _WAITING_UPDATE_SECONDS
    return _FIRST_UPDATE_SECONDS


def _show_run(path: Path, state_before: State, begins: bool) -> None:
    if state.has_navigated():
        st.rerun()
    try:
        run = runs.read_run(path)
    except RunError as error:
        st.warning(plain(str(error)), icon=":material/search_off:")
        return
    if run.status.state != state_before:
        st.rerun()  # the whole page: how often to look is decided anew, and lists show how the run stands
    starting.show_problem()
    events = cached_reads.events(run)
    with st.container(key=focus.RUN):
        st.caption(_settings_line(run.config))
    show_state(run, events)
    if run.report is not None:
        result_view.headline(run, run.report)
    elif not run.is_active:
        with st.container(horizontal=True):
            result_view.next_steps(run)
    curves_view.show(run, events)
    if run.report is not None:
        result_view.show(run, run.report)
    if begins and events:
        st.rerun()  # updates become less frequent


def _settings_line(config: TrainingConfig) -> str:
    """Return the main settings in a line, and all others that are not Digit Lab's defaults."""
    main = ("optimizer", "learning_rate", "batch_size", "epochs", "train_size", "seed")
    default = TrainingConfig()
    others = [
        f"{NAMES[name].lower()}: {shown(name, getattr(config, name)).lower()}"
        for name in NAMES
        if name not in (*main, "notation") and getattr(config, name) != getattr(default, name)
    ]
    parts = [
        f"`{config.notation}`",
        f"{shown('optimizer', config.optimizer)} at {config.learning_rate:g}",
        f"batches of {config.batch_size:,}",
        f"{config.epochs:,} epoch" + ("" if config.epochs == 1 else "s"),
        f"{config.train_size:,} images",
        f"seed {config.seed}",
        *others,
    ]
    return " · ".join(parts)
