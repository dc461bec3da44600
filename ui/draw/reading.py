"""What a network reads in a drawing, and what it saw of it."""

from __future__ import annotations

import streamlit as st

from mnist_core import drawing, evaluation, inference, pictures, runs
from mnist_core.figures import answer_figures


def show_reading(run: runs.Run, ink: drawing.Ink | None) -> None:
    """Show the digit that the network reads in the ink, its ten probabilities, and the 28 × 28 pixels it was given."""
    try:
        digit = drawing.prepare(ink) if ink is not None else None
    except drawing.NoInkError:
        digit = None
    if digit is None:
        st.info("Draw a digit from 0 to 9 in the black field. The answer appears after each stroke.")
        return
    try:
        with st.spinner("The network is waking up …", show_time=False):
            probabilities = inference.predict(run.path / "model.keras", digit[None])[0]
    except inference.InferenceError as error:
        st.error(str(error), icon=":material/error:")
        return
    (reading, confidence), *_ = evaluation.ranking(probabilities)
    with st.container(horizontal=True, vertical_alignment="center", gap="large", key="reading"):
        confidence_words = f"{confidence:.1%} confidence"
        st.metric("Reading", str(reading), confidence_words, delta_color="off", delta_arrow="off", width="content")
        with st.container(width="content"):
            st.image(pictures.enlarged(digit, 4), width=112)
            st.caption("What the network sees: 28 × 28 pixels", width=140)
    st.plotly_chart(
        answer_figures.probability_figure(probabilities), config={"displayModeBar": False}, key="probabilities"
    )
