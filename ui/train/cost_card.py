"""Beside the settings: what the run will cost, the button that starts it, what was changed, and the way to share it."""

from __future__ import annotations

import streamlit as st

from mnist_core.processes import cost, limits
from mnist_core.processes.queue import capacity
from mnist_core.training import links, presets
from mnist_core.training.config import ConfigError
from mnist_core.training.export.files import read_config
from ui.session import cached_reads, state
from ui.train import drafts, export, starting
from ui.train.drafts import Draft
from ui.train.settings import NAMES, shown
from ui.wording import count, plain, rough_duration


def show(draft: Draft) -> None:
    """Show what the settings cost, and the button that starts a run of them."""
    too_large = ""
    try:
        limits.check(draft.config, limits.current())
    except limits.LimitError as error:
        too_large = str(error)
    pressed = st.button(
        "Train",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not draft.is_complete or bool(too_large),
        key="train",
    )
    if pressed:  # not as a callback: those of settings that changed with the same click must come first
        starting.start_and_watch(draft.config)
        if state.has_navigated():
            st.rerun()
    starting.show_problem()
    if not draft.is_complete:
        st.caption("The network has a mistake: fix it to train.")
    elif too_large:
        st.warning(too_large, icon=":material/block:")
        _cost(draft)
    else:
        _tell_of_time_limit(_cost(draft))
    _changes(draft)
    _share(draft)


def _cost(draft: Draft) -> cost.Cost:
    config = draft.config
    expected = cost.estimate(config, cached_reads.measured_speeds())
    waiting = cached_reads.queue()
    ahead = len(waiting.training) + len(waiting.waiting)
    turn = "at once" if ahead < capacity() else f"after {count(ahead - capacity() + 1, 'run')}"
    in_all = rough_duration(expected.seconds_in_all)
    rows = {
        "Parameters": f"{expected.parameters:,}",
        "Multiply-adds": f"{expected.multiply_adds:,}",
        "One epoch": f"about {rough_duration(expected.seconds_per_epoch)}",
        "All epochs": f"about {in_all}" if config.early_stopping == "never" else f"{in_all} at most",
        "Memory": f"about {expected.memory_mb:,.0f} MB",
        "Will start": turn,
    }
    with st.container(border=True, gap="xxsmall"):
        for what, value in rows.items():
            with st.container(horizontal=True, horizontal_alignment="distribute", gap="small"):
                st.caption(what, width="content")
                st.markdown(value, width="content")
        low, high = (rough_duration(expected.seconds_per_epoch * factor) for factor in (expected.low, expected.high))
        st.caption(f"Time: {expected.basis}. An epoch probably takes {low} to {high}.")
    return expected


def _tell_of_time_limit(expected: cost.Cost) -> None:
    """Say so if a run would be stopped before its end."""
    longest = limits.current().training_seconds
    if expected.seconds_in_all > longest:
        st.warning(
            f"Here, a run is stopped after {rough_duration(longest)}, and what it has learned by then is saved. This "
            f"one would take about {rough_duration(expected.seconds_in_all)}: with fewer epochs or images, or a "
            "smaller network, it can finish.",
            icon=":material/timer_off:",
        )


def _changes(draft: Draft) -> None:
    """Name what differs from the preset; each can be set back by itself, or all at once."""
    if not draft.changed:
        return
    st.caption(f":orange[●] Changed from {draft.config.preset}; press a setting to reset it.")
    with st.container(gap="xxsmall"):
        for name in draft.changed:
            was, now = (shown(name, getattr(config, name)) for config in (draft.original, draft.config))
            st.button(
                NAMES[name] if name == "notation" else f"{NAMES[name]}: {was} → {now}",
                icon=":material/undo:",
                key=f"reset-{name}",
                on_click=drafts.reset,
                args=([name],),
                type="tertiary",
            )
        st.button(
            "Reset all", key="reset-all", on_click=drafts.load_preset, args=(draft.config.preset,), type="tertiary"
        )


def _share(draft: Draft) -> None:
    with st.popover("Share these settings", icon=":material/share:", width="stretch", disabled=not draft.is_complete):
        st.caption("Anyone who opens this link gets these settings.")
        export.link(links.to_query(draft.config))
        export.configuration(draft.config, name=presets.label(draft.config), key="draft")
        st.file_uploader(
            "Load settings from a JSON file", type="json", key="uploaded-settings", on_change=_load, max_upload_size=1
        )
        problem = st.session_state.pop("upload-problem", None)
        if problem:
            st.error(plain(problem), icon=":material/error:")


def _load() -> None:
    file = st.session_state["uploaded-settings"]
    if file is None:
        return
    try:
        drafts.load(read_config(file.getvalue()))
    except ConfigError as error:
        st.session_state["upload-problem"] = str(error)
