"""Compare: all runs in a table, to sort, filter, rename, delete; and any of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pandas as pd
import streamlit as st

from mnist_core import runs
from mnist_core.common.server import runs_dir
from mnist_core.evaluation.statistics import mcnemar
from mnist_core.figures import comparison_figures
from mnist_core.processes import limits
from mnist_core.runs import comparison, trash
from mnist_core.runs.reading import RunError
from mnist_core.training import presets
from ui.components import visitor
from ui.components.live_chart import live_chart
from ui.pickers.runs import describe, distinct_names, name_of
from ui.session import cached_reads, state
from ui.session.state import Keys, Params
from ui.train import starting
from ui.train.settings import NAMES, shown
from ui.wording import plain

_MOST_COMPARED = 8


def show() -> None:
    """Show the table of all runs, and compare the selected ones."""
    everything = cached_reads.all_runs()
    _offer_undo()
    wanted = st.text_input(
        "Filter",
        placeholder="Filter by name, network, state …",
        key="runs-filter",
        label_visibility="collapsed",
        max_chars=80,
    )
    listed = [run for run in everything if _matches(run, wanted)]
    if not listed:
        what = "No run matches." if everything else "There is no run yet: set one up, and press Train."
        st.info(what, icon=":material/filter_alt_off:" if everything else ":material/info:")
        return
    chosen = _table(listed, everything)
    for run_id, problem in runs.unreadable_runs(runs_dir()).items():
        st.caption(f":material/error: {run_id}: {plain(problem)}")
    if not chosen:
        st.caption("Select a run to open, rename or delete it, or several runs to compare them.")
        return
    _actions(chosen)
    if len(chosen) > 1:
        _compare(chosen)


def _matches(run: runs.Run, wanted: str) -> bool:
    text = f"{describe(run)} {run.config.notation} {run.status.state} {run.config.optimizer} {run.id}".lower()
    return all(word in text for word in wanted.lower().split())


def _table(listed: Sequence[runs.Run], everything: Sequence[runs.Run]) -> list[runs.Run]:
    """Show the listed runs, and return those that are ticked, in the list or hidden by the filter; the URL has them."""
    by_id = {run.id: run for run in everything}
    ids = [run.id for run in listed]
    named = state.read_runs(Params.COMPARE, by_id, _MOST_COMPARED)
    key = f"runs-{hash(tuple(ids))}-{st.session_state.get(Keys.TABLE_NUMBER, 0)}"
    event = st.dataframe(
        pd.DataFrame([_row(run) for run in listed]),
        hide_index=True,
        placeholder="",
        height=min(38 + 35 * len(listed), 460),
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(run_id) for run_id in named if run_id in ids]}},
        column_config={
            "Test accuracy": st.column_config.NumberColumn(format="%.2f%%"),
            "Test loss": st.column_config.NumberColumn(format="%.4f"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Seconds": st.column_config.NumberColumn(
                format="%.1f", help="The training time, without validating and saving."
            ),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm", width=110),
            "Network": st.column_config.TextColumn(width="large"),
        },
    )
    rows = cast(Any, event)["selection"]["rows"]
    hidden = [run_id for run_id in named if run_id not in ids]
    ticked = [*hidden, *(ids[row] for row in rows if row < len(ids))]
    if len(ticked) > _MOST_COMPARED:
        st.caption(f"Only the first {_MOST_COMPARED} of {len(ticked)} selected runs are compared.")
    state.write(compare=",".join(ticked[:_MOST_COMPARED]) or None)
    return [by_id[run_id] for run_id in ticked[:_MOST_COMPARED]]


def _row(run: runs.Run) -> dict[str, Any]:
    report = run.report
    return {
        "Run": name_of(run),
        "State": run.status.state,
        "Test accuracy": report.test_accuracy * 100 if report else None,
        "Test loss": report.test_loss if report else None,
        "Parameters": run.config.architecture.parameters,
        "Epochs": report.epochs_completed if report else None,
        "Seconds": report.training_seconds if report else None,
        "Seed": run.config.seed,
        "Started": run.created,
        "Network": run.config.notation,
    }


def _actions(chosen: Sequence[runs.Run]) -> None:
    own = [run for run in chosen if runs.may_change(run, visitor.owner())]
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(chosen) == 1:
            run = chosen[0]
            st.button(
                "Open",
                icon=":material/visibility:",
                on_click=state.go,
                kwargs={"view": "watch", "run": run.id},
                key="open",
            )
            if own:
                with st.popover("Rename", icon=":material/edit:"):
                    st.text_input(
                        "Name",
                        run.title,
                        max_chars=runs.MAX_TITLE,
                        key=f"title-{run.id}",
                        placeholder=presets.label(run.config),
                        on_change=_rename,
                        args=(run,),
                    )
        ended = [run for run in own if not run.is_active]
        if ended:
            st.button(
                "Delete" if len(ended) == 1 else f"Delete {len(ended)}",
                icon=":material/delete:",
                on_click=_delete,
                args=(ended,),
                key="delete",
            )
        if len(ended) < len(chosen):
            st.caption(
                "Runs that ship with Digit Lab, that are in progress or that others started cannot be deleted here."
            )


def _rename(run: runs.Run) -> None:
    try:
        runs.rename(run.path, st.session_state[f"title-{run.id}"])
    except OSError as error:
        st.session_state[Keys.PROBLEM] = f"The name could not be saved: {error.strerror or error}."


def _delete(chosen: Sequence[runs.Run]) -> None:
    deleted = []
    for run in chosen:
        try:
            trash.delete(runs.read_run(run.path), limits.current().deleted_runs)
            deleted.append(run.id)
        except RunError as error:
            st.session_state[Keys.PROBLEM] = str(error)
        except OSError as error:
            st.session_state[Keys.PROBLEM] = f"The run could not be deleted: {error.strerror or error}."
    st.session_state[Keys.DELETED] = deleted
    st.session_state[Keys.TABLE_NUMBER] = st.session_state.get(Keys.TABLE_NUMBER, 0) + 1
    state.write(compare=None)


def _offer_undo() -> None:
    starting.show_problem()
    deleted: list[str] = st.session_state.get(Keys.DELETED) or []
    if deleted:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{len(deleted)} run{'s' if len(deleted) > 1 else ''} deleted.", width="content")
            st.button("Undo", icon=":material/undo:", on_click=_undo, key="undo")


def _undo() -> None:
    for run_id in st.session_state.pop(Keys.DELETED, []):
        try:
            trash.restore(run_id, runs_dir())
        except RunError as error:
            st.session_state[Keys.PROBLEM] = str(error)
        except OSError as error:
            st.session_state[Keys.PROBLEM] = f"The run could not be restored: {error.strerror or error}."


def _compare(chosen: Sequence[runs.Run]) -> None:
    names = distinct_names(chosen)
    _differences(chosen, names)
    histories = [cached_reads.epochs(run) for run in chosen]
    left, right = st.columns(2)
    with left:
        live_chart(comparison_figures.overlay_figure(histories, "accuracy", names), key="overlay-accuracy")
    with right:
        live_chart(comparison_figures.overlay_figure(histories, "loss", names), key="overlay-loss")
    done = [(run, run.report, name) for run, name in zip(chosen, names, strict=True) if run.report is not None]
    if not done:
        return
    reports, done_names = [report for _, report, _ in done], [name for _, _, name in done]
    with left:
        live_chart(comparison_figures.scatter_figure(reports, done_names, "parameters"), key="scatter-parameters")
    with right:
        live_chart(comparison_figures.scatter_figure(reports, done_names, "training_seconds"), key="scatter-seconds")
    st.caption(comparison_figures.ACCURACY_AXIS_NOTE)
    if len(done) > 1:
        _more_than_chance([run for run, _, _ in done], done_names)


def _differences(chosen: Sequence[runs.Run], names: Sequence[str]) -> None:
    st.header("Different settings", anchor=False)
    found = comparison.config_differences([run.config for run in chosen])
    if not found:
        st.markdown("None: all the settings are the same, even the seed.")
        return
    table = {
        NAMES.get(difference.setting, difference.setting): [
            shown(difference.setting, value) for value in difference.values
        ]
        for difference in found
    }
    st.dataframe(pd.DataFrame(table, index=pd.Index(names, name="Run")), key="differences")


def _more_than_chance(done: Sequence[runs.Run], names: Sequence[str]) -> None:
    st.header("More than chance?", anchor=False)
    first, second = 0, 1
    if len(done) > 2:
        with st.container(horizontal=True):
            places = range(len(done))
            first = st.selectbox("This one", places, format_func=lambda place: names[place], key="chance-first")
            second = st.selectbox(
                "and this one", places, 1, format_func=lambda place: names[place], key="chance-second"
            )
    if first == second:
        st.caption("Choose two different runs.")
        return
    with cached_reads.show_errors():
        answers = cached_reads.predictions(done[first]), cached_reads.predictions(done[second])
        result = mcnemar(cached_reads.mnist().y_test, *answers)
        said = comparison.verdict(plain(names[first]), plain(names[second]), result)
        st.markdown(said, help=comparison.VERDICT_LIMITS)
