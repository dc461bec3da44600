"""What the chosen network reads in a drawing, and whether there is reason to doubt it."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from mnist_core import doubt, inference, runs
from mnist_core.answers import percent
from mnist_core.doubt import Verdict
from mnist_core.drawing import Ink
from mnist_core.evaluation import Probabilities
from ui import readers
from ui.answer_bars import Answer, answer_bars, top_three

_EMPTY = Answer("blank", "?", "Draw a digit from 0 to 9.", "It is read after each stroke.")
_HEADLINES = {"unsure": "Perhaps {digit}.", "several": "More than one digit?", "no digit": "Is this a digit?"}
_NOTES = {"no digit": "A network has to name one of ten, whatever it is shown: {top}", "several": ""}
_OPINIONS = 2  # of other networks
_READ = ("clear", "unsure")  # where a digit may be named


def show_empty() -> None:
    """Invite to draw."""
    answer_bars(_EMPTY, None, key="reading")


def show(run: runs.Run, ink: Ink, digit: Ink) -> int | None:
    """Show what a network reads in ink, prepared as `digit`, and return it; None if it cannot tell."""
    try:
        with st.spinner("The network is waking up …", show_time=False):
            answers = inference.predict(run.model_file, doubt.variants(digit))
            verdict = inference.judge(ink, digit, [answers, *_other_opinions(run, digit)])
    except inference.InferenceError as error:
        st.error(str(error), icon=":material/error:")
        return None
    shown = None if verdict.kind == "several" else answers[0]  # of one digit, there are no probabilities then
    answer_bars(_in_words(verdict, answers[0]), shown, key="reading")
    return int(answers[0].argmax()) if verdict.kind in _READ else None


def _in_words(verdict: Verdict, probabilities: Probabilities) -> Answer:
    """Say what was read, in large type only where it may be believed."""
    reading = int(probabilities.argmax())
    digit = str(reading) if verdict.kind in _READ else "?"
    headline = _HEADLINES.get(verdict.kind, "It reads {digit}, {share} sure.")
    headline = headline.format(digit=reading, share=percent(float(probabilities[reading])))
    note = _NOTES.get(verdict.kind, "Most probable: {top}").format(top=top_three(probabilities))
    return Answer(verdict.kind, digit, headline, verdict.sentence, note)


def _other_opinions(run: runs.Run, digit: Ink) -> list[Probabilities]:
    """Return what two other networks that ship answer to the digit, (1, 10) each, as far as they can."""
    shipped = {other.id: other for other in readers.bundled_runs() if other.id != run.id}
    answers = []
    for name in [name for name in readers.FIRST_ASKED if name in shipped][:_OPINIONS]:
        with suppress(inference.InferenceError):  # an opinion less
            answers.append(inference.predict(shipped[name].model_file, digit[None]))
    return answers
