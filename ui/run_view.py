"""One run: its progress, its curves as they grow, and its result."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mnist_core import figures, jobs, runs
from mnist_core.config import TrainingConfig
from mnist_core.evaluation import wilson_interval
from mnist_core.events import BatchesDone, Event, recent_speed
from ui import navigation, readers
from ui.live_chart import live_chart

_UPDATE_SECONDS = 1.0


def run_view(run: runs.Run) -> None:
    """Show a run and keep it up to date while it is active, for every viewer from the same files."""
    st.fragment(_show, run_every=_UPDATE_SECONDS if run.is_active else None)(run.path, run.is_active)


def _show(path: Path, was_active: bool) -> None:
    try:
        run = runs.read_run(path)
    except runs.RunError as error:
        st.warning(str(error), icon=":material/search_off:")
        return
    if was_active and not run.is_active:
        st.rerun()  # the whole page: updates end here, and lists show the result
    events = readers.events(run)
    st.caption(_settings_line(run.config))
    _show_state(run, events)
    _show_curves(run, events)
    if run.report is not None:
        _show_result(run, run.report)


def _show_state(run: runs.Run, events: list[Event]) -> None:
    match run.status.state:
        case "queued":
            ahead = jobs.runs_ahead(run.id, run.path.parent)
            st.info(f"Waiting for its turn: {_count(ahead, 'run')} ahead.", icon=":material/hourglass:")
        case "running":
            share, text = _progress(run, events)
            st.progress(share, text)
        case "stopped" if run.report is not None:
            kept = f"Kept are the weights of epoch {run.report.kept_epoch}"
            reason = (
                ", which had the lowest validation loss." if run.report.kept_rule != "last" else ", the latest ones."
            )
            st.info(f"Stopped early. {kept}{reason}", icon=":material/stop_circle:")
        case "stopped":
            st.info(run.status.message, icon=":material/stop_circle:")
        case "failed":
            st.error(run.status.message, icon=":material/error:")
        case "interrupted":
            st.warning(f"Interrupted. {run.status.message}", icon=":material/power_off:")
    if run.is_active:
        _show_stop_button(run)


def _show_stop_button(run: runs.Run) -> None:
    stopping = runs.stop_requested(run.path)
    st.button(
        "Stopping …" if stopping else "Stop",
        icon=":material/stop:",
        disabled=stopping,
        key="stop",
        help="Ends training soon. What the network has learned so far is kept and tested.",
        on_click=_request_stop,
        args=(run.path,),
    )


def _request_stop(path: Path) -> None:
    try:
        runs.request_stop(path)
    except OSError as error:
        st.error(f"The run could not be told to stop: {error.strerror or error}.", icon=":material/error:")


def _progress(run: runs.Run, events: list[Event]) -> tuple[float, str]:
    """Return the share done and a line with epoch, batch, speed and time left."""
    config = run.config
    total = config.epochs * config.steps_per_epoch
    batches = [event for event in events if isinstance(event, BatchesDone)]
    if not batches:
        return 0.0, f"{run.status.message} …"
    last = batches[-1]
    share = min(last.step / total, 1.0)
    if run.status.message != "Training":
        return share, f"{run.status.message} …"
    images_per_second, batches_per_second = recent_speed(batches)
    batch = last.step - (last.epoch - 1) * config.steps_per_epoch
    left = duration((total - last.step) / batches_per_second)
    return share, (
        f"Epoch {last.epoch} of {config.epochs} · batch {batch:,} of {config.steps_per_epoch:,} · "
        f"{images_per_second:,.0f} images/s · {left} left" + (" at most" if config.stop_above_accuracy else "")
    )


def _show_curves(run: runs.Run, events: list[Event]) -> None:
    steps = run.config.steps_per_epoch
    history = figures.curves(events, steps)
    if not events and not run.is_active:
        st.caption("This run has no curves: it ended before its first batch.")
        return
    accuracy, loss = st.columns(2)
    with accuracy:
        live_chart(figures.accuracy_figure(history, run.config.epochs, steps), key=f"accuracy-{run.id}")
    with loss:
        live_chart(figures.loss_figure(history, run.config.epochs, steps), key=f"loss-{run.id}")


def _show_result(run: runs.Run, report: runs.Report) -> None:
    images = 10_000
    low, high = wilson_interval(report.test_correct, images)
    with st.container(horizontal=True):
        st.metric(
            "Test accuracy",
            f"{report.test_accuracy:.2%}",
            help=f"Of {images:,} images that it never trained on. With other images of the same kind it would likely "
            f"lie between {low:.2%} and {high:.2%} (95 % Wilson interval).",
            width="content",
        )
        st.metric("Test loss", f"{report.test_loss:.4f}", width="content")
        st.metric("Mistakes", f"{images - report.test_correct:,}", width="content")
        st.metric(
            "Training time",
            duration(report.training_seconds),
            help=f"{report.images_per_second:,.0f} images/s; checking and saving not counted.",
            width="content",
        )
    with st.container(horizontal=True):
        st.page_link(
            navigation.EXPLORE,
            label="See its mistakes",
            icon=":material/search:",
            query_params={"run": run.id, "view": "mistakes"},
        )
        st.page_link(navigation.DRAW, label="Draw a digit for it", icon=":material/draw:", query_params={"run": run.id})


def duration(seconds: float) -> str:
    """Return a time as people say it: 42 s, 3 min 10 s, 1 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def _settings_line(config: TrainingConfig) -> str:
    parts = [
        f"`{config.architecture}`",
        f"{config.optimizer} at {config.learning_rate:g}",
        f"batches of {config.batch_size}",
        _count(config.epochs, "epoch"),
        f"{config.train_size:,} images",
        f"seed {config.seed}",
    ]
    return " · ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
