"""Are the labels right? Fifteen disputed ones to decide for oneself, and others that all networks contradict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Probabilities
from mnist_core.evaluation import agreement, metrics
from mnist_core.evaluation.agreement import Contradictions
from mnist_core.evaluation.disputed_labels import DISPUTED, accuracy_without_disputed
from ui.explore.browse import browse
from ui.explore.label_game import label_game
from ui.explore.selection import Selection
from ui.pickers.runs import name_of, no_network
from ui.session import cached_reads, state
from ui.session.state import Params
from ui.wording import count

_WHAT = "test images whose label the networks disagree with"


def show() -> None:
    """Show the fifteen disputed images as a game, the accuracies without them, and what else is contradicted."""
    everyone = cached_reads.all_answers()
    by_id, answers = everyone.by_id, everyone.probabilities
    label_game({run_id: name_of(run) for run_id, run in by_id.items()}, answers)
    st.caption(
        "Disputed labels and votes: C. G. Northcutt, A. Athalye and J. Mueller (2021), “Pervasive Label Errors in Test "
        "Sets Destabilize Machine Learning Benchmarks”. Five people were asked about each image; these are the images "
        "whose label fewer than three of them agreed with. The first column is the label, the second the digit that a "
        "network had suggested to them."
    )
    if not answers:
        no_network()
        return
    everyone.show_notes()
    _accuracies(by_id, answers)
    _beyond_the_list(answers)


def selection() -> Selection:
    """Return the disputed images if one of them is open, or else those whose label all networks contradict."""
    if state.read_number(Params.INDEX, 0, 9999, default=0) in DISPUTED:
        return Selection("test", np.array(list(DISPUTED), np.intp), "test images with a disputed label")
    answers = cached_reads.all_answers().probabilities
    return _contradicted(_contradictions(answers)) if answers else Selection("test", np.array([], np.intp), _WHAT)


def _accuracies(by_id: Mapping[str, runs.Run], answers: Mapping[str, Probabilities]) -> None:
    """Show how much the disputed labels cost each network."""
    st.header("Accuracy without the fifteen", anchor=False)
    labels = cached_reads.mnist().y_test
    fifteen = np.array(list(DISPUTED))
    table = pd.DataFrame(
        {
            "Network": name_of(by_id[run_id]),
            "All 10,000": 100 * metrics.accuracy(labels, probabilities),
            "Without the fifteen": 100 * accuracy_without_disputed(labels, probabilities),
            "Predicted as labelled": int((probabilities[fifteen].argmax(axis=1) == labels[fifteen]).sum()),
        }
        for run_id, probabilities in answers.items()
    )
    percent = st.column_config.NumberColumn(format="%.2f%%", help="The accuracy on these test images.")
    st.dataframe(
        table.sort_values("All 10,000", ascending=False),
        hide_index=True,
        key="accuracies",
        column_config={
            "All 10,000": percent,
            "Without the fifteen": percent,
            "Predicted as labelled": st.column_config.NumberColumn(
                format="%d of 15", help="How many of the fifteen disputed images."
            ),
        },
    )


def _beyond_the_list(answers: Mapping[str, Probabilities]) -> None:
    """Show other test images whose label all networks together contradict."""
    contradictions = _contradictions(answers)
    st.header("Beyond the fifteen", anchor=False)
    known = int((contradictions.strength[list(DISPUTED)] > 0).sum())
    st.caption(
        f"How strongly {count(len(answers), 'network')} together disagree with a label: their mean probability for the "
        "best other digit minus that for the label, from −1 to 1. All images above 0 are here, the strongest first; "
        "below each one: its label → the other digit, and how strongly. The networks may be wrong as well as the "
        f"label. Of the fifteen, {known} would be here too; they are left out."
    )
    browse(_contradicted(contradictions), "contradicted")


def _contradictions(answers: Mapping[str, Probabilities]) -> Contradictions:
    return agreement.contradict(cached_reads.mnist().y_test, list(answers.values()))


def _contradicted(contradictions: Contradictions) -> Selection:
    ranking = contradictions.ranking()
    beyond = ranking[~np.isin(ranking, list(DISPUTED))]
    return Selection("test", beyond, _WHAT, None, _caption(contradictions))


def _caption(contradictions: Contradictions) -> Callable[[int], tuple[str, ...]]:
    labels = cached_reads.mnist().y_test

    def caption(index: int) -> tuple[str, ...]:
        return f"{labels[index]} → {contradictions.digit[index]}", f"{contradictions.strength[index]:.2f}"

    return caption
