"""How a run stands: waiting in line, training, or ended, with the buttons that change that."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mnist_core import runs
from mnist_core.processes import jobs
from mnist_core.processes.limits import LimitError
from mnist_core.runs.reading import RunError
from mnist_core.training import checkpoints
from mnist_core.training.events import BatchesDone, Event, recent_speed
from ui.components import visitor
from ui.pickers.runs import describe
from ui.session import cached_reads
from ui.wording import count, duration, plain


def show_state(run: runs.Run, events: list[Event]) -> None:
    """Show how a run stands, and let those who may change it."""
    match run.status.state:
        case "queued":
            _show_queue(run)
        case "running":
            share, text = _progress(run, events)
            st.progress(share, text)
        case "finished" if run.report is not None and run.report.epochs_completed < run.config.epochs:
            st.info(
                f"Ended after epoch {run.report.epochs_completed} of {run.config.epochs}: {run.report.end_reason}. "
                f"The saved weights are those of epoch {run.report.kept_epoch}.",
                icon=":material/flag:",
            )
        case "stopped" if run.report is not None:
            kept = f"{run.status.message} The saved weights are those of epoch {run.report.kept_epoch}"
            reason = ", which had the lowest validation loss." if run.report.kept_rule != "last" else ", the latest."
            st.info(kept + reason, icon=":material/stop_circle:")
        case "stopped":
            st.info(run.status.message, icon=":material/stop_circle:")
        case "failed":
            st.error(run.status.message, icon=":material/error:")
            _offer_to_continue(run)
        case "interrupted":
            lost = "" if checkpoints.has_checkpoint(run.path) else " It had not finished an epoch: run it again."
            st.warning(f"Interrupted. {run.status.message}{lost}", icon=":material/power_off:")
            _offer_to_continue(run)
    if run.is_active and runs.may_change(run, visitor.owner()):
        _show_stop_button(run)


def _show_queue(run: runs.Run) -> None:
    queue = cached_reads.queue()
    place = queue.place(run.id)
    st.info(
        f"Waiting in the queue: number {place} of {len(queue.waiting)}, behind {count(len(queue.training), 'run')} in "
        f"training."
        if place
        else "Starting …",
        icon=":material/hourglass:",
    )
    with st.expander("The queue"):
        lines = [f"- training: {plain(describe(other))}" for other in queue.training]
        lines += [
            f"{number}. {plain(describe(other))}{' ← this one' if other.id == run.id else ''}"
            for number, other in enumerate(queue.waiting, start=1)
        ]
        st.markdown("\n".join(lines))


def _offer_to_continue(run: runs.Run) -> None:
    if checkpoints.has_checkpoint(run.path) and runs.may_change(run, visitor.owner()):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Continue", icon=":material/play_arrow:", key="continue", on_click=_try, args=(run, jobs.resume))
            st.caption("The weights after its last whole epoch are saved; it continues from there.")
    _show_problem(run)


def _show_stop_button(run: runs.Run) -> None:
    stopping = runs.stop_requested(run.path)
    waits = run.status.state == "queued"
    st.button(
        "Stopping …" if stopping else "Cancel" if waits else "Stop",
        icon=":material/stop:",
        disabled=stopping,
        key="stop",
        help="Takes the run out of the queue."
        if waits
        else "Ends training soon. What the network has learned so far is saved and tested.",
        on_click=_try,
        args=(run, lambda run: runs.request_stop(run.path)),
    )
    _show_problem(run)


def _try(run: runs.Run, action: Callable[[runs.Run], None]) -> None:
    """Carry out what a button asks; a reason why not is shown when the page is drawn."""
    try:
        action(run)
    except (RunError, LimitError) as error:
        st.session_state[f"problem-{run.id}"] = str(error)
    except OSError as error:
        st.session_state[f"problem-{run.id}"] = f"That did not work: {error.strerror or error}."


def _show_problem(run: runs.Run) -> None:
    problem = st.session_state.pop(f"problem-{run.id}", None)
    if problem:
        st.error(plain(problem), icon=":material/error:")


def _progress(run: runs.Run, events: list[Event]) -> tuple[float, str]:
    """Return the share done and a line with epoch, batch, speed and time left."""
    config = run.config
    batches = [event for event in events if isinstance(event, BatchesDone)]
    if not batches:
        return 0.0, f"{run.status.message} …"
    last = batches[-1]
    share = min(last.step / config.steps, 1.0)
    if run.status.message != "Training":
        return share, f"{run.status.message} …"
    images_per_second, batches_per_second = recent_speed(batches)
    batch = last.step - (last.epoch - 1) * config.steps_per_epoch
    left = duration((config.steps - last.step) / batches_per_second)
    return share, (
        f"Epoch {last.epoch} of {config.epochs} · batch {batch:,} of {config.steps_per_epoch:,} · "
        f"{images_per_second:,.0f} images/s · {left} left" + (" at most" if config.early_stopping != "never" else "")
    )
