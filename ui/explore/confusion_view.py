"""Confusion matrix: which digits a network takes for which, and the images behind each cell."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from mnist_core import runs
from mnist_core.common.text import percent
from mnist_core.evaluation import metrics
from mnist_core.evaluation.selection import AnswerFilter, AnswerKind, select
from ui.components.confusion_matrix import Picked, confusion_matrix
from ui.explore import answer_words, pickers
from ui.explore.browse import browse
from ui.explore.selection import Selection
from ui.session import cached_reads
from ui.session.bound import Bound, bound_choice, bound_toggle
from ui.session.state import Params

_CELLS = {"counts": "counts", "percent": "% of row"}


@dataclass(frozen=True)
class _Choices:
    cells: Bound[str]
    mistakes_only: Bound[bool]
    picked: Picked


def show() -> None:
    """Show a network's confusion matrix; a click on a cell, a row or a column shows its images, the worst first."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = pickers.network()
        choices = _choices()
        st.segmented_control(
            "Cells", list(_CELLS), format_func=_CELLS.__getitem__, required=True, **choices.cells.widget
        )
        st.toggle("Mistakes only", **choices.mistakes_only.widget)
    probabilities = cached_reads.predictions(run)
    matrix = metrics.confusion_matrix(cached_reads.mnist().y_test, probabilities)
    left, right = st.columns([6, 5], gap="large")
    with left:
        confusion_matrix(
            matrix,
            choices.picked,
            pickers.pick_cell,
            as_percent=choices.cells.value == "percent",
            diagonal=not choices.mistakes_only.value,
            key="confusion",
        )
        st.caption(
            "The amber gets stronger with the square root of the number, so that rare confusions stay visible beside "
            "the most frequent one." + ("" if choices.mistakes_only.value else " Correct predictions are green.")
        )
    with right:
        correct, total = int(matrix.trace()), int(matrix.sum())
        with st.container(horizontal=True):
            st.metric("Test accuracy", percent(correct / total, 2), width="content")
            st.metric("Mistakes", f"{total - correct:,} of {total:,}", width="content")
        if choices.picked == (None, None):
            _most_confused(metrics.most_confused(matrix, 8))
        else:
            st.button("Close", icon=":material/close:", on_click=pickers.pick_cell, args=((None, None),), key="no-cell")
            browse(_select(run, choices), "confusion")
            st.caption("The lowest probability for the true digit comes first.")


def selection() -> Selection:
    """Return the images of the cell, row or column that the URL names."""
    return _select(pickers.network_in_url(), _choices())


def _choices() -> _Choices:
    return _Choices(
        bound_choice(Params.CELLS, list(_CELLS), "counts"),
        bound_toggle(Params.MISTAKES_ONLY),
        pickers.cell(),
    )


def _select(run: runs.Run, choices: _Choices) -> Selection:
    probabilities = cached_reads.predictions(run)
    kind: AnswerKind = "mistakes" if choices.mistakes_only.value else "all"
    true, read = choices.picked
    wanted = AnswerFilter(kind=kind, true=true, read=read, order="loss")
    found = select(cached_reads.mnist().y_test, probabilities, wanted)
    words = answer_words.describe(wanted)
    return Selection("test", found, words, run, answer_words.caption_of(probabilities), page_size=25)


def _most_confused(confused: list[tuple[int, int, int]]) -> None:
    st.markdown(
        "A row holds all test images of one digit; a column, all that were predicted as one. **Click a cell, or the "
        "digit beside a row or above a column, to see its images.**"
    )
    if confused:
        st.markdown("Most often confused:")
        with st.container(horizontal=True):
            for true, read, count in confused:
                st.button(
                    f"{true} → {read}: {count}",
                    key=f"confused-{true}-{read}",
                    on_click=pickers.pick_cell,
                    args=((true, read),),
                    help=f"{count} images labelled {true} were predicted as {read}.",
                )
