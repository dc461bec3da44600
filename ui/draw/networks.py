"""Several networks at once: where they disagree one learns most."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Ink, Probabilities
from mnist_core.common.text import percent
from mnist_core.evaluation import metrics
from mnist_core.processes import inference
from mnist_core.processes.inference import InferenceError
from ui.components.answer_bars import Answer, answer_bars
from ui.pickers.runs import describe, distinct_names
from ui.session import state
from ui.session.state import Params
from ui.wording import plain

_MOST_FURTHER = 3
_USUAL = ("chollet", "fast", "garcia", "nehlr")  # who is asked unless the visitor chooses: good, quick, not so good


def show(run: runs.Run, choices: Sequence[runs.Run], digit: Ink) -> None:
    """Show what up to four networks of the choices read in a prepared digit, (28, 28), the chosen one first."""
    networks = [run, *_further(run, choices)]
    verdict = st.empty()
    readings: dict[str, int] = {}
    for column, network, name in zip(st.columns(_MOST_FURTHER + 1), networks, distinct_names(networks), strict=False):
        with column:
            reading = _answer(network, name, digit)
        if reading is not None:
            readings[name] = reading
    if len(readings) > 1:
        verdict.markdown(agreement_in_words(readings))


def agreement_in_words(readings: dict[str, int]) -> str:
    """Return a sentence about what networks, by their names, read: whether they agree, and who reads what if not."""
    by_digit: dict[int, list[str]] = {}
    for name, digit in readings.items():
        by_digit.setdefault(digit, []).append(plain(name))
    if len(by_digit) == 1:
        return f"**All {len(readings)} predict {next(iter(by_digit))}.** A drawing on which they disagree tells more."
    parts = [
        f"{_listed(names)} predict{'s' if len(names) == 1 else ''} **{digit}**" for digit, names in by_digit.items()
    ]
    return f"**They disagree:** {'; '.join(parts)}."


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _further(run: runs.Run, choices: Sequence[runs.Run]) -> list[runs.Run]:
    """Let the visitor choose who else is asked; the choice is in the URL."""
    others = {other.id: other for other in choices if other.id != run.id}
    if not others:
        st.info("There is no other network yet: train one, and see whether it agrees.", icon=":material/info:")
        return []
    key = "networks-beside"
    usual = [run_id for run_id in _USUAL if run_id in others][:_MOST_FURTHER]
    chosen = state.read_runs(Params.BESIDE, others, _MOST_FURTHER) if Params.BESIDE in st.query_params else usual
    st.session_state[key] = chosen
    st.multiselect(
        "Other networks",
        list(others),
        format_func=lambda run_id: describe(others[run_id]),
        max_selections=_MOST_FURTHER,
        key=key,
        on_change=lambda: state.write(beside=",".join(st.session_state[key])),
        placeholder="Up to three other networks",
    )
    return [others[run_id] for run_id in chosen]


def _answer(run: runs.Run, name: str, digit: Ink) -> int | None:
    """Show what one network reads and return it; one that cannot answer says so, and the others still do."""
    try:
        probabilities = inference.predict(run.model_file, digit[None])[0]
    except InferenceError as error:
        st.markdown(f"**{plain(name)}**")
        st.error(str(error), icon=":material/error:")
        return None
    answer_bars(_answer_of(name, probabilities), probabilities, key=f"answer-{run.id}", small=True)
    return int(probabilities.argmax())


def _answer_of(name: str, probabilities: Probabilities) -> Answer:
    (digit, confidence), *_ = metrics.ranking(probabilities)
    return Answer(kind="clear", digit=str(digit), headline=percent(confidence), title=name)
