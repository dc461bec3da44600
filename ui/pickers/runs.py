"""Choosing a run, by a list and by the URL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from mnist_core import runs
from mnist_core.common.server import runs_dir
from mnist_core.common.text import percent
from mnist_core.runs import ids
from mnist_core.runs.reading import RunError
from mnist_core.runs.status import State
from mnist_core.training import presets
from ui.session import state
from ui.session.state import Params
from ui.wording import plain

_STATE_WORDS: dict[State, str] = {
    "queued": "in progress",
    "running": "in progress",
    "finished": "",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}
DEFAULT_RUN = "chollet"
READER = "champion"  # who reads what people draw, unless they choose another


def describe(run: runs.Run) -> str:
    """Return a short line that tells a run from others: what, how good, when."""
    when = "ships with Digit Lab" if run.is_bundled else _moment(run.created) if run.created else run.id
    parts = [name_of(run), percent(run.report.test_accuracy, 2) if run.report else "", when]
    return " · ".join(part for part in (*parts, _STATE_WORDS[run.status.state]) if part)


def _moment(created: datetime) -> str:
    """Return a time on the clock of the visitor's browser, or in UTC if that is not known."""
    try:
        return f"{created.astimezone(ZoneInfo(st.context.timezone or '')):%d %b, %H:%M:%S}"
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return f"{created:%d %b, %H:%M:%S} UTC"


def name_of(run: runs.Run) -> str:
    """Return what a run was called, or else what its settings are."""
    return run.title or presets.label(run.config)


def distinct_names(chosen: Sequence[runs.Run]) -> list[str]:
    """Return short names of runs; what is called alike gets its seed, and a number if that is alike too."""
    names = [name_of(run) for run in chosen]
    names = [
        f"{name}, seed {run.config.seed}" if names.count(name) > 1 else name
        for run, name in zip(chosen, names, strict=True)
    ]
    return [
        f"{name} ({names[: place + 1].count(name)})" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


def pick_run(
    label: str, choices: Sequence[runs.Run], *, fallback: str | None = None, param: Params = Params.RUN
) -> runs.Run | None:
    """Let the visitor choose one of the runs; the choice is in the URL. None, with a way on, if there are none."""
    if not choices:
        no_network()
        return None
    chosen = chosen_run(choices, fallback=fallback, param=param)
    by_id = {run.id: run for run in choices}
    named = st.query_params.get(param)
    if named is not None and named not in by_id:
        st.warning(f"{plain(_why_not(named))} Here is another run instead.", icon=":material/search_off:")
    st.selectbox(label, list(by_id), format_func=lambda run_id: describe(by_id[run_id]), **chosen.widget)
    return by_id[chosen.value]


def no_network() -> None:
    """Say that there is no trained network yet, and what to do about it."""
    st.info("There is no trained network yet: train one first, it takes a minute or two.", icon=":material/info:")


def chosen_run(
    choices: Sequence[runs.Run], *, fallback: str | None = None, param: Params = Params.RUN
) -> state.Bound[str]:
    """Return the id of the run that the URL names, bound to its widget; or else that of another one of the choices."""
    by_id = {run.id: run for run in choices}
    default = next((run_id for run_id in (fallback, DEFAULT_RUN) if run_id in by_id), choices[0].id)
    return state.bound_choice(param, list(by_id), default)


def _why_not(run_id: str) -> str:
    """Return a sentence about a run that cannot be shown. What is no id is not repeated: it could be anything."""
    if not ids.is_run_id(run_id):
        return "The link does not name a run."
    try:
        runs.find_run(run_id, runs_dir())
    except RunError as error:
        return str(error)
    return f"Run {run_id} has no result yet."
