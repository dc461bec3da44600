"""The game of the disputed labels: decide what fifteen test images are, and see what others hold them for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from mnist_core.common import pictures
from mnist_core.common.arrays import Probabilities
from mnist_core.data.dataset import CLASSES
from mnist_core.evaluation.disputed_labels import DISPUTED, MAJORITY, PEOPLE, DisputedLabel
from ui.session import cached_reads, state
from ui.session.state import Keys
from ui.wording import count, plain

_CANNOT_TELL = "?"
_CARDS_IN_A_ROW, _LEAST_CARD_WIDTH = 5, 160  # pixels; two stand side by side on a phone
_STYLE = """<style>
.disputed { display: block; width: 100%; border-radius: 6px; image-rendering: pixelated; }
.votes { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: 0.75rem; line-height: 1.6; }
.votes th, .votes td { padding: 0; text-align: center; font-variant-numeric: tabular-nums; }
.votes th { font-weight: 400; }
.votes th:first-child { width: 45%; text-align: left; white-space: nowrap; }
.votes th:last-child { width: 23%; }
.votes td { font-weight: 600; }
.votes td.fewer { font-weight: 400; opacity: 0.6; }
</style>"""

Answers = dict[int, int | None]


@st.fragment
def label_game(names: Mapping[str, str], answers: Mapping[str, Probabilities]) -> None:
    """Show the fifteen images; who decides what one is sees what its label says, and what people and networks do."""
    if state.has_navigated():
        st.rerun()
    given: Answers = st.session_state.setdefault(Keys.LABEL_ANSWERS, {})
    revealed = bool(st.session_state.get(Keys.LABELS_REVEALED))
    st.header("What are these?", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_tally(given), width="stretch")
        st.button(
            "Reveal all",
            icon=":material/visibility:",
            on_click=_reveal_all,
            disabled=revealed or len(given) == len(DISPUTED),
            key="reveal-all",
        )
        st.button(
            "Start again",
            icon=":material/replay:",
            on_click=_start_again,
            disabled=not (revealed or given),
            key="start-again",
        )
    images = cached_reads.mnist().x_test
    st.html(_STYLE)
    grid = st.grid(_CARDS_IN_A_ROW, min_column_width=_LEAST_CARD_WIDTH, border=True, key="disputed")
    for index, disputed in DISPUTED.items():
        with grid.cell():
            picture = pictures.data_uri(pictures.png(images[index]))
            st.html(f'<img class="disputed" src="{picture}" alt="Test image {index}">')
            if index in given or revealed:
                _reveal(
                    disputed, given, [(names[run_id], int(rows[index].argmax())) for run_id, rows in answers.items()]
                )
            else:
                st.pills(
                    f"What is test image {index}?",
                    [*map(str, CLASSES), _CANNOT_TELL],
                    label_visibility="collapsed",
                    wrap=True,
                    on_change=_answer,
                    args=(index,),
                    key=_key(index),
                )


def _key(index: int) -> str:
    return f"label-of-{index}"


def _answer(index: int) -> None:
    said = st.session_state[_key(index)]
    if said is not None:
        st.session_state[Keys.LABEL_ANSWERS][index] = None if said == _CANNOT_TELL else int(said)


def _reveal_all() -> None:
    st.session_state[Keys.LABELS_REVEALED] = True


def _start_again() -> None:
    st.session_state[Keys.LABEL_ANSWERS] = {}
    st.session_state[Keys.LABELS_REVEALED] = False


def _tally(given: Answers) -> str:
    if not given:
        return (
            "Here are fifteen test images whose labels are disputed. Decide what each one is, or **?** if you cannot "
            "tell; then you see what others say."
        )
    with_label = sum(said == DISPUTED[index].label for index, said in given.items())
    with_people = sum(DISPUTED[index].votes_for(said) >= MAJORITY for index, said in given.items())
    return (
        f"You agree with the label on **{with_label} of {len(given)}**, "
        f"with most of the {PEOPLE} people on **{with_people}**."
    )


def _reveal(disputed: DisputedLabel, given: Answers, readings: Sequence[tuple[str, int]]) -> None:
    """Say below an image what its label, the people, the networks and the visitor hold it for.

    `readings` are the names of the networks and the digits that they read.
    """
    digits = (disputed.label, disputed.suggested)
    rows: dict[str, Sequence[str | int]] = {
        "Label": ("●", "", ""),
        f"{PEOPLE} people": (disputed.label_votes, disputed.suggested_votes, disputed.neither_votes),
    }
    if readings:
        counts = [sum(reading == digit for _, reading in readings) for digit in digits]
        rows[count(len(readings), "network")] = (*counts, len(readings) - sum(counts))
    if disputed.index in given:
        said = given[disputed.index]
        rows["You"] = (*("●" if said == digit else "" for digit in digits), _said_otherwise(said, digits))
    st.html(_table((*digits, "other"), rows))
    with st.popover("More", type="tertiary"):
        st.markdown(f"**Test image {disputed.index:,}**\n\n{_who_read_what(readings)}")
        st.button(
            "Open it",
            icon=":material/zoom_in:",
            on_click=_open,
            args=(disputed.index,),
            key=f"open-disputed-{disputed.index}",
        )


def _open(index: int) -> None:
    state.go(view="labels", index=index)


def _said_otherwise(said: int | None, digits: tuple[int, int]) -> str:
    return "?" if said is None else "" if said in digits else str(said)


def _table(head: Sequence[str | int], rows: Mapping[str, Sequence[str | int]]) -> str:
    """Return a small table as HTML; in each row the largest number stands out. All is ours, so nothing is escaped."""
    heads = "".join(f'<th scope="col">{each}</th>' for each in ("", *head))
    lines = []
    for name, row in rows.items():
        most = max((value for value in row if isinstance(value, int)), default=0)
        cells = (
            f"<td{' class=fewer' if isinstance(value, int) and value < most else ''}>{value}</td>" for value in row
        )
        lines.append(f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>')
    return f'<table class="votes"><tr>{heads}</tr>{"".join(lines)}</table>'


def _who_read_what(readings: Sequence[tuple[str, int]]) -> str:
    """Return which networks read which digit, as Markdown: a paragraph for each digit, the most frequent first."""
    by_digit = Counter(digit for _, digit in readings)
    return "\n\n".join(
        f"Predicted as **{digit}**: "
        + "; ".join(
            plain(name) + (f" × {times}" if times > 1 else "")
            for name, times in Counter(name for name, reading in readings if reading == digit).items()
        )
        for digit, _ in by_digit.most_common()
    )
