"""Scores: how well each digit is read, and whether a network's confidence can be believed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Probabilities
from mnist_core.common.text import percent
from mnist_core.evaluation import metrics, scores
from mnist_core.figures import score_figures
from ui.components.live_chart import live_chart
from ui.explore import pickers
from ui.session import cached_reads
from ui.session.bound import bound_choice
from ui.session.state import Params
from ui.wording import count

_BINS = ("10", "15", "20")


def show() -> None:
    """Show the classification report of a network, and its calibration."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = pickers.network()
        bins = bound_choice(Params.BINS, _BINS, _BINS[0])
        st.segmented_control(
            "Confidence bins",
            _BINS,
            required=True,
            help="Predictions are sorted by confidence into this many bins of equal width, from 0% to 100%.",
            **bins.widget,
        )
    probabilities = cached_reads.predictions(run)
    left, right = st.columns(2, gap="large")
    with left:
        _report(run, probabilities)
    with right:
        _calibration(scores.calibration(cached_reads.mnist().y_test, probabilities, int(bins.value)))


def _report(run: runs.Run, probabilities: Probabilities) -> None:
    report = scores.classification_report(metrics.confusion_matrix(cached_reads.mnist().y_test, probabilities))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("Digit by digit", anchor=False, width="content")
        st.download_button(
            "CSV",
            scores.report_csv(report),
            f"{run.id}-scores.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="scores-csv",
        )
    rows = [
        {
            "Digit": row.name,
            **{name: None if share is None else 100 * share for name, share in _shares(row).items()},
            "Support": row.support,
        }
        for row in scores.report_rows(report)
    ]
    columns = {
        "Precision": "Of the images that it predicts as this digit, the fraction that really are.",
        "Recall": "Of the images of this digit, the fraction that it predicts as this digit.",
        "F1": "The harmonic mean of both: high only if both are. In the row “accuracy”: the accuracy.",
    }
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        placeholder="",
        height="content",
        key="report",
        column_config={
            "Digit": st.column_config.TextColumn(width=110),
            **{name: st.column_config.NumberColumn(format="%.2f%%", help=meaning) for name, meaning in columns.items()},
            "Support": st.column_config.NumberColumn(
                format="localized", help="The test images with this label; in the last three rows, all of them."
            ),
        },
    )
    st.caption(
        "**Precision**: of all images that it predicts as a 9, the fraction that are 9s. **Recall**: of all 9s, the "
        "fraction that it finds. **F1**: the harmonic mean of both, high only if both are. **Support**: how many 9s "
        "there are. “macro avg” counts every digit the same, “weighted avg” by its support, as in scikit-learn’s "
        "classification report; what is undefined counts as 0."
    )


def _shares(row: scores.ReportRow) -> dict[str, float | None]:
    return {"Precision": row.precision, "Recall": row.recall, "F1": row.f1}


def _calibration(result: scores.Calibration) -> None:
    st.header("Calibration: is it right as often as it is confident?", anchor=False)
    st.markdown(scores.calibration_verdict(result))
    live_chart(score_figures.reliability_figure(result), tools="hover", key="reliability")
    with st.container(horizontal=True):
        st.metric(
            f"Expected calibration error, {result.bins} bins",
            percent(result.expected_error, 2),
            help="How far confidence and accuracy are apart, on average over all predictions: each bin counts by its "
            "number of images (Naeini, Cooper and Hauskrecht, 2015; Guo, Pleiss, Sun and Weinberger, 2017). Another "
            "number of bins gives another value.",
            width="content",
        )
        st.metric(
            f"Maximum calibration error, in a bin of {count(_images_of_largest_gap(result), 'image')}",
            percent(result.maximum_error, 0),
            help="The largest gap between confidence and accuracy. In a bin of a few images it may be mere chance.",
            width="content",
        )


def _images_of_largest_gap(result: scores.Calibration) -> int:
    gaps = np.abs(np.nan_to_num(result.accuracy - result.confidence))
    return int(result.count[int(gaps.argmax())])
