"""What the chosen network reads in a drawing, and whether that can be believed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Ink, Probabilities
from mnist_core.common.text import percent
from mnist_core.drawing.strokes import CANVAS_SIDE
from mnist_core.drawing.verdict import Verdict
from mnist_core.processes import inference
from mnist_core.processes.inference import InferenceError
from ui.components.answer_bars import Answer, answer_bars, top_three
from ui.session import cached_reads

_EMPTY = Answer("blank", "?", "Draw a digit from 0 to 9.", "It is read after each stroke.")
_HEADLINES = {"unsure": "Perhaps {digit}.", "several": "More than one digit?", "no digit": "Is this a digit?"}
_NOTES = {"no digit": "A network has to choose one of ten digits, whatever it is shown: {top}", "several": ""}
_OPINIONS = 2  # of other networks
_READ = ("clear", "unsure")  # where a digit may be named
_SMALL = 1 / 6  # of the canvas: the longer side of ink that could be drawn larger
_SMALL_HINT = "Draw it larger: this is very small."


def show_empty() -> None:
    """Invite to draw."""
    answer_bars(_EMPTY, None, key="reading")


def show(run: runs.Run, ink: Ink, digit: Ink) -> int | None:
    """Show what a network reads in cropped ink, prepared as `digit`, and return it; None if it cannot tell."""
    try:
        with st.spinner("Loading the network …", show_time=False):
            found = inference.read(run.model_file, _opinions(run), ink, digit)
    except InferenceError as error:
        st.error(str(error), icon=":material/error:")
        return None
    helps = found.verdict.kind != "clear" and _is_small(ink)
    answer = _in_words(found.verdict, found.probabilities, hint=_SMALL_HINT if helps else "")
    several = found.verdict.kind == "several"  # of one digit, there are no probabilities then
    answer_bars(answer, None if several else found.probabilities, key="reading")
    return int(found.probabilities.argmax()) if found.verdict.kind in _READ else None


def _in_words(verdict: Verdict, probabilities: Probabilities, hint: str) -> Answer:
    """Say what was read, in large type only where it may be believed."""
    reading = int(probabilities.argmax())
    digit = str(reading) if verdict.kind in _READ else "?"
    headline = _HEADLINES.get(verdict.kind, "It reads {digit}, with {share} confidence.")
    headline = headline.format(digit=reading, share=percent(float(probabilities[reading])))
    note = _NOTES.get(verdict.kind, "Most probable: {top}").format(top=top_three(probabilities))
    return Answer(verdict.kind, digit, headline, f"{verdict.sentence} {hint}".rstrip(), note)


def _is_small(ink: Ink) -> bool:
    """Whether cropped ink is so small that a hand has no room for the shape of a digit."""
    return bool(max(ink.shape) < _SMALL * CANVAS_SIDE)


def _opinions(run: runs.Run) -> list[Path]:
    """Return two other networks that ship, whose opinions count."""
    shipped = {other.id: other for other in cached_reads.bundled_runs() if other.id != run.id}
    return [shipped[name].model_file for name in cached_reads.FIRST_ASKED if name in shipped][:_OPINIONS]
