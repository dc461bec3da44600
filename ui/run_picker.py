"""Choosing a run, by a list and by the URL."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core import runs
from ui import state
from ui.state import Params

_STATE_WORDS: dict[runs.State, str] = {
    "queued": "in progress",
    "running": "in progress",
    "finished": "",
    "stopped": "stopped early",
    "failed": "failed",
    "interrupted": "interrupted",
}
DEFAULT_RUN = "chollet"


def describe(run: runs.Run) -> str:
    """Return a short line that tells a run from others: what, when, how good."""
    when = "ships with Digit Lab" if run.is_bundled else f"{run.created:%d %b, %H:%M:%S} UTC" if run.created else run.id
    parts = [run.config.preset, f"{run.report.test_accuracy:.2%}" if run.report else "", when]
    return " · ".join(part for part in (*parts, _STATE_WORDS[run.status.state]) if part)


def pick_run(label: str, choices: Sequence[runs.Run], *, fallback: str = DEFAULT_RUN) -> runs.Run | None:
    """Let the visitor choose one of the runs; the choice is in the URL. None, with a way on, if there are none."""
    if not choices:
        st.info("There is no trained network yet: train one first, it takes a minute or two.", icon=":material/info:")
        return None
    by_id = {run.id: run for run in choices}
    named = st.query_params.get(Params.RUN)
    if named is not None and named not in by_id:
        st.warning(f"There is no run “{named[:80]}” to show here. Here is another one.", icon=":material/search_off:")
        named = None
    chosen = named or (fallback if fallback in by_id else next(iter(by_id)))
    picked = st.selectbox(
        label,
        list(by_id),
        index=list(by_id).index(chosen),
        format_func=lambda run_id: describe(by_id[run_id]),
        key=f"run-picker-{chosen}",  # a link to another run, opened in the same session, moves the list along
    )
    if picked != chosen:
        state.write(run=picked, page=None)
        st.rerun()
    return by_id[picked]
