"""What the chosen network reads in a drawing."""

from __future__ import annotations

import streamlit as st

from mnist_core import inference, runs
from mnist_core.answers import percent
from mnist_core.drawing import Ink
from ui.answer_bars import Answer, answer_bars, top_three

_NOTHING = Answer("blank", "?", "Draw a digit from 0 to 9.", "It is read after each stroke.")


def show(run: runs.Run, ink: Ink | None, digit: Ink | None) -> int | None:
    """Show what a network reads and return it; None if there is nothing to read or it cannot answer."""
    if ink is None or digit is None:
        answer_bars(_NOTHING, None, key="reading")
        return None
    try:
        with st.spinner("The network is waking up …", show_time=False):
            probabilities = inference.predict(run.path / "model.keras", digit[None])[0]
    except inference.InferenceError as error:
        st.error(str(error), icon=":material/error:")
        return None
    reading = int(probabilities.argmax())
    answer = Answer("clear", str(reading), f"It reads {reading}, {percent(probabilities[reading])} sure.", top_three(probabilities))
    answer_bars(answer, probabilities, key="reading")
    return reading
