"""The curves of a run, with earlier runs behind them, and what they say in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from mnist_core import runs
from mnist_core.figures import curve_figures
from mnist_core.figures.curve_figures import CurveOptions, Ghost
from mnist_core.figures.style import Figure
from mnist_core.runs import event_log
from mnist_core.training.curves import curves
from mnist_core.training.diagnosis import RULES, Diagnosis, DiagnosisKind, diagnose
from mnist_core.training.events import Event
from ui.components.live_chart import as_json, live_chart
from ui.glossary import view as glossary
from ui.pickers.runs import describe, distinct_names
from ui.session import cached_reads, state
from ui.session.state import Params

_ICONS: dict[DiagnosisKind, str] = {
    "diverging": ":material/trending_up:",
    "too early": ":material/hourglass:",
    "hardly learning": ":material/trending_flat:",
    "overfitting": ":material/call_split:",
    "unsteady": ":material/show_chart:",
    "underfitting": ":material/horizontal_rule:",
    "levelling off": ":material/check:",
    "still learning": ":material/trending_down:",
}


_CHARTS = {
    "accuracy": curve_figures.accuracy_figure,
    "loss": curve_figures.loss_figure,
    "learning-rate": curve_figures.learning_rate_figure,
    "gradient-norm": curve_figures.gradient_norm_figure,
}


@dataclass(frozen=True)
class Past:
    """An earlier run behind the curves, and what it is called among the others."""

    name: str
    run: runs.Run
    events: list[Event]


def show(run: runs.Run, events: list[Event]) -> None:
    """Show loss, accuracy, learning rate and length of the gradient, as the viewer wants to see them."""
    if not events and not run.is_active:
        st.caption("This run has no curves: it ended before its first batch, or the file of its curves is damaged.")
        return
    reading = st.empty()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = _options()
        others = _pick_ghosts(run)
    names = distinct_names(others)
    ghosts = [Past(name, other, cached_reads.events(other)) for name, other in zip(names, others, strict=True)]
    version = [_state_of(run, events), options, names, *(_state_of(ghost.run, ghost.events) for ghost in ghosts)]
    found, charts = _drawn(repr(version), run, events, options, ghosts)
    sentence = found.sentence
    if found.kind == "too early" and not run.is_active:
        sentence = "It ended before two whole epochs were done: too early to say how it would have gone on."
    reading.markdown(f"{_ICONS[found.kind]} {sentence}", help=RULES)
    names = list(charts)
    for pair in (names[:2], names[2:]):
        for column, name in zip(st.columns(2), pair, strict=True):
            with column:
                live_chart(charts[name], key=f"{name}-{run.id}")
    glossary.explain("cross-entropy", "overfitting", "gradient norm", "learning rate")


def _state_of(run: runs.Run, events: list[Event]) -> tuple[object, ...]:
    """Return what changes with the events: a run that was continued drops some, and grows to as many again."""
    return (str(run.path), len(events), repr(events[-1]) if events else "")


@st.cache_resource(show_spinner=False, max_entries=16)  # up to 1.5 MB each, and a new one each second of a run
def _drawn(
    version: str,
    _run: runs.Run,
    _events: list[Event],
    _options: CurveOptions,
    _ghosts: list[Past],
) -> tuple[Diagnosis, dict[str, Figure]]:
    """Judge and draw a run once for all its viewers; only `version` tells one state from another."""
    history = curves(_events, _run.config)
    ghosts = [Ghost(past.name, curves(past.events, past.run.config)) for past in _ghosts]
    drawn = {name: as_json(draw(history, _options, ghosts)) for name, draw in _CHARTS.items()}
    return diagnose(history, _run.config), drawn


def _options() -> CurveOptions:
    by = st.segmented_control(
        "Training by", ["batch", "epoch"], default="batch", required=True, key="curves-by", persist_state="session"
    )
    scale = st.segmented_control(
        "Scale",
        ["linear", "log"],
        default="linear",
        required=True,
        key="curves-scale",
        persist_state="session",
        help="The logarithmic scale spreads out small values: the last tenths of a percent become visible.",
    )
    smoothing = st.slider(
        "Smoothing",
        0.0,
        0.98,
        0.6,
        0.02,
        key="curves-smoothing",
        persist_state="session",
        width=200,
        help="Single batches differ by chance. Smoothing shows the mean of the last ones; the pale line shows the "
        "measured values.",
    )
    return CurveOptions(by="epoch" if by == "epoch" else "batch", logarithmic=scale == "log", smoothing=smoothing)


def _pick_ghosts(run: runs.Run) -> list[runs.Run]:
    """Let the viewer put other runs that have begun behind this one; the choice is in the URL."""
    begun = (other for other in cached_reads.all_runs() if event_log.has_events(other.path))
    others = {other.id: other for other in begun if other.id != run.id}
    key = "chosen-ghosts"
    st.session_state[key] = state.read_runs(Params.GHOSTS, others, curve_figures.MOST_GHOSTS)
    chosen = st.multiselect(
        "Compare with",
        list(others),
        format_func=lambda run_id: describe(others[run_id]),
        max_selections=curve_figures.MOST_GHOSTS,
        key=key,
        on_change=lambda: state.write(ghosts=",".join(st.session_state[key]) or None),
        placeholder="Up to four other runs",
    )
    return [others[run_id] for run_id in chosen]
