"""An answer as a large digit and ten bars, which move when the answer changes."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from mnist_core.common.arrays import Probabilities
from mnist_core.common.text import percent
from mnist_core.data.dataset import CLASSES
from mnist_core.evaluation import metrics
from ui.components import source

_WORTH_NAMING = 0.001

_component = st.components.v2.component(
    "digit_lab_answer_bars",
    html="""
<div class="answer">
  <div class="title"></div>
  <div class="reading" role="status">
    <span class="digit"></span>
    <div><div class="headline"></div><div class="sentence"></div><div class="note"></div></div>
  </div>
  <div class="bars" role="img"></div>
</div>
""",
    css=source("answer_bars.css"),
    js=source("answer_bars.js"),
)


@dataclass(frozen=True)
class Answer:
    """What is said about a drawing: `digit` in large type (a question mark if none), a headline and a sentence."""

    kind: str  # "clear", or why it is not
    digit: str
    headline: str
    sentence: str = ""
    note: str = ""
    title: str = ""


def answer_bars(answer: Answer, probabilities: Probabilities | None, *, key: str, small: bool = False) -> None:
    """Show an answer with its ten probabilities, (10,), in fixed order; no bars stand if there are none."""
    shares = [] if probabilities is None else [round(float(share), 4) for share in probabilities]
    _component(
        key=key,
        data={
            "kind": answer.kind,
            "digit": answer.digit,
            "headline": answer.headline,
            "sentence": answer.sentence,
            "note": answer.note,
            "title": answer.title,
            "shares": shares,
            "labels": [_short(share) for share in shares],
            "description": _description(shares),
            "small": small,
        },
    )


def top_three(probabilities: Probabilities) -> str:
    """Return the three most probable digits, `7 (98.2%), 1 (1.1%), 9 (0.4%)`, as far as they are worth naming."""
    first, *others = metrics.ranking(probabilities, 3)
    worth = [first, *(each for each in others if each[1] >= _WORTH_NAMING)]
    listed = ", ".join(f"{digit} ({percent(share)})" for digit, share in worth)
    return listed if len(worth) > 1 else f"{listed}, hardly anything else"


def _short(share: float) -> str:
    """Return what stands above a bar; above most there is nothing to say."""
    if share > 0.995:
        return ">99%"
    return percent(share, 0) if share >= 0.005 else ""


def _description(shares: list[float]) -> str:
    """Return the bars in words, for those who do not see them."""
    if not shares:
        return "No probabilities yet"
    listed = ", ".join(f"{digit} {percent(share)}" for digit, share in zip(CLASSES, shares, strict=True))
    return f"Probabilities: {listed}"
