"""Two networks: what one misreads and the other does not, where they disagree, and what is hard for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Indices
from mnist_core.common.text import percent
from mnist_core.evaluation import agreement, metrics
from ui.explore import pickers
from ui.explore.browse import browse
from ui.explore.selection import Selection
from ui.pickers.runs import chosen_run, pick_run
from ui.session import cached_reads, navigation, state
from ui.session.state import Params

_KINDS = {
    "a": "Only A misreads",
    "b": "Only B misreads",
    "both": "Both misread",
    "disagree": "They disagree",
    "every": "Every network misreads",
    "half": "Hard for most",
}

_OF_ALL = ("every", "half")


@dataclass(frozen=True)
class _Pair:
    """Two runs, the images that tell them apart, and how many of all runs fail on each image."""

    a: runs.Run
    b: runs.Run
    images: dict[str, Indices]  # by kind
    failed: Sequence[int]
    networks: int
    everyone: cached_reads.AllAnswers


def show() -> None:
    """Let the visitor choose two networks, and one kind of images to see."""
    usable = cached_reads.usable_runs()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        a = pick_run("Network A", usable)
        if a is None:
            st.stop()
        b = pick_run("Network B", usable, fallback=_another(usable, a), param=Params.OTHER)
    pair = _compare(a, b or a)
    kind = _kind()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        labels = cached_reads.mnist().y_test
        for letter, run in (("A", pair.a), ("B", pair.b)):
            accuracy = metrics.accuracy(labels, cached_reads.predictions(run))
            st.metric(f"Accuracy of {letter}", percent(accuracy, 2), width="content")
        if pair.a.id != pair.b.id:
            st.page_link(
                navigation.TRAIN,
                label="More than chance? McNemar’s exact test",
                icon=":material/balance:",
                query_params={"view": "compare", "compare": f"{pair.a.id},{pair.b.id}"},
            )
    if pair.a.id == pair.b.id:
        st.info("A and B are the same network: choose another one to compare it with.", icon=":material/info:")
    st.segmented_control(
        "Show",
        list(_KINDS),
        format_func=lambda name: f"{_KINDS[name]}: {len(pair.images[name]):,}",
        required=True,
        label_visibility="collapsed",
        **kind.widget,
    )
    st.caption(_explanation(kind.value, pair))
    if kind.value in _OF_ALL:
        pair.everyone.show_notes()
    browse(_select(pair, kind.value), "two")


def selection() -> Selection:
    """Return the images that the URL asks for."""
    a = pickers.network_in_url()
    usable = cached_reads.usable_runs()
    b_id = chosen_run(usable, fallback=_another(usable, a), param=Params.OTHER).value
    return _select(_compare(a, next(run for run in usable if run.id == b_id)), _kind().value)


def _kind() -> state.Bound[str]:
    return state.bound_choice(Params.KIND, list(_KINDS), "a")


def _another(usable: Sequence[runs.Run], a: runs.Run) -> str | None:
    """Return the id of the first run that is not `a`, if there is one."""
    return next((run.id for run in usable if run.id != a.id), None)


def _compare(a: runs.Run, b: runs.Run) -> _Pair:
    labels = cached_reads.mnist().y_test
    pair = agreement.compare_pair(labels, cached_reads.predictions(a), cached_reads.predictions(b))
    everyone = cached_reads.all_answers()
    failed = agreement.failures(labels, list(everyone.probabilities.values()))
    networks = len(everyone.probabilities)
    images = {
        "a": pair.only_a_misreads,
        "b": pair.only_b_misreads,
        "both": pair.both_misread,
        "disagree": pair.disagree,
        "every": agreement.misread_by_all(failed, networks),
        "half": agreement.hard_for_all(failed, networks),
    }
    return _Pair(a, b, images, failed.tolist(), networks, everyone)


def _select(pair: _Pair, kind: str) -> Selection:
    what = {
        "a": "images that only A misreads",
        "b": "images that only B misreads",
        "both": "images that both misread",
        "disagree": "images on which A and B disagree",
        "every": f"images that all {pair.networks} networks misread",
        "half": f"images that at least half of all {pair.networks} networks misread",
    }
    run = pair.b if kind == "b" else pair.a
    return Selection("test", pair.images[kind], what[kind], run, _caption(pair, kind))


def _caption(pair: _Pair, kind: str) -> Callable[[int], tuple[str, ...]]:
    """Return a function that says, below an image, its label and what A and B read, or how many runs fail on it."""
    labels = cached_reads.mnist().y_test
    a, b = cached_reads.predictions(pair.a), cached_reads.predictions(pair.b)

    def caption(index: int) -> tuple[str, ...]:
        if kind in _OF_ALL:
            return f"label {labels[index]}", f"{pair.failed[index]} of {pair.networks} runs"
        return f"label {labels[index]}", f"A {a[index].argmax()} · B {b[index].argmax()}"

    return caption


def _explanation(kind: str, pair: _Pair) -> str:
    if kind not in _OF_ALL:
        return "Below each image: its label, and the predictions of A and B. The most confident predictions come first."
    share = "all" if kind == "every" else "at least half"
    return (
        f"Misread by {share} of the {pair.networks} networks, not only A and B; the ones that most of them misread "
        "come first. Below each image: its label, and how many of the runs misread it."
    )
