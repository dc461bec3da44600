"""Our handwriting: the drawings of a class set, what a network reads in them, and how well every network does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.common.arrays import Indices, Probabilities
from mnist_core.common.server import owns
from mnist_core.common.text import percent
from mnist_core.drawing.class_sets.contents import Contents
from mnist_core.drawing.class_sets.drawings import ClassSetError
from mnist_core.drawing.class_sets.sets import ClassSet
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.processes.inference import InferenceError
from mnist_core.runs import Run
from ui.components import visitor
from ui.components.digit_grid import Tile, digit_grid
from ui.explore import one_drawing, pickers, set_actions
from ui.pickers import class_sets
from ui.pickers.runs import READER, chosen_run, name_of, pick_run
from ui.session import cached_reads, navigation, state
from ui.session.bound import bound_choice, bound_number
from ui.session.picture_answers import Pictures
from ui.session.state import Params
from ui.wording import count, plain

_KINDS = {"all": "All", "mistakes": "Mistakes"}
_ON_A_PAGE = 60
_TILE_WIDTH = 72  # pixels
_MOST_PROBLEMS = 5  # told one by one


def show() -> None:
    """Show a class set that the visitor chooses, or the one drawing of it that the URL names."""
    set_actions.show_news()
    chosen = class_sets.chosen()
    there = class_sets.visible(chosen)
    class_sets.warn_of_dead_link(chosen)
    if not there:
        _invite_to_draw()
        return
    by_id = {each.id: each for each in there}
    choice = bound_choice(Params.SET, list(by_id), chosen.id if chosen.id in by_id else there[0].id)
    class_set = by_id[choice.value]
    try:
        found = class_sets.contents_of(class_set)
    except ClassSetError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    opened = next((each for each in found.drawings if each.id == st.query_params.get(Params.DRAWING)), None)
    if opened is not None:
        may = owns(class_set.owner, visitor.owner())
        on_delete = partial(set_actions.delete_drawing, class_set, opened.id) if may else None
        one_drawing.show(opened, found.drawings, _chosen_first(), on_delete)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = _distinct_names(there)
        st.selectbox("Class set", list(by_id), format_func=names.__getitem__, width=300, **choice.widget)
        set_actions.show(class_set, found.drawings)
    _show_problems(found)
    if found.drawings:
        _show_drawings(found)
    else:
        st.info("This set has no drawings yet.", icon=":material/info:")
        _link_to_draw(class_set)


def _invite_to_draw() -> None:
    st.info(
        "There is no class set yet. Draw a digit, say what you meant, and keep it: all drawings that are kept under "
        "one name make a class set. Here you see them all, and how well each network reads them.",
        icon=":material/group:",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        _link_to_draw(None)
        set_actions.show_import()


def _link_to_draw(class_set: ClassSet | None) -> None:
    query = {Params.SET.value: class_set.id} if class_set else None
    st.page_link(navigation.DRAW, label="Draw a digit", icon=":material/draw:", query_params=query)


def _distinct_names(class_sets_here: Sequence[ClassSet]) -> dict[str, str]:
    """Return what sets are called, by their ids; those of different people may have one title."""
    titles = [each.title for each in class_sets_here]
    return {
        each.id: each.title if titles.count(each.title) == 1 else f"{each.title} ({each.id[:4]})"
        for each in class_sets_here
    }


def _show_problems(found: Contents) -> None:
    for name, problem in list(found.problems.items())[:_MOST_PROBLEMS]:
        st.caption(f":material/error: {plain(name)} is left out. {plain(problem)}")
    further = len(found.problems) - _MOST_PROBLEMS
    if further > 0:
        st.caption(f":material/error: {count(further, 'more file')} of this set cannot be read.")


def _show_drawings(found: Contents) -> None:
    labels = found.labels
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=420):
            run = pick_run("Network", cached_reads.usable_runs(), fallback=READER)
        kind = bound_choice(Params.KIND, list(_KINDS), "all")
        digit = pickers.digit(Params.DIGIT)
        if run is not None:
            st.segmented_control("Show", list(_KINDS), format_func=_KINDS.__getitem__, required=True, **kind.widget)
        pickers.show_digit("Meant as", digit, compact=True)
    pictures = Pictures(found.images)
    answers = _answers_of(run, pictures) if run is not None else None
    if run is not None and answers is not None:
        st.markdown(_verdict(run, found, answers))
    wanted = pickers.as_digit(digit)
    passed = np.ones(len(labels), bool) if wanted is None else labels == wanted
    only_mistakes = answers is not None and kind.value == "mistakes"
    if answers is not None and only_mistakes:
        passed &= answers.argmax(axis=1) != labels
    left, right = st.columns([1, 1], gap="large")
    with left:
        _show_page(np.flatnonzero(passed)[::-1], found, answers, only_mistakes=only_mistakes)
    if run is not None:
        with right:
            _score_everyone(found, pictures, run)


def _answers_of(run: Run, pictures: Pictures) -> Probabilities | None:
    """Return what a network reads in the drawings; say so if it cannot be asked."""
    try:
        with st.spinner("The network reads the drawings …"):
            return pictures.answers_of(run)
    except InferenceError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _verdict(run: Run, found: Contents, answers: Probabilities) -> str:
    """Return how many drawings a network reads as they were meant, and what that says of it."""
    total, right = len(found.drawings), int((answers.argmax(axis=1) == found.labels).sum())
    low, high = wilson_interval(right, total)
    words = f"It reads **{right:,} of {count(total, 'drawing')}** as meant, **{percent(right / total, 1)}**"
    if run.report is not None:
        words += f"; on the MNIST test images, {percent(run.report.test_accuracy, 2)}"
    return (
        f"{words}. So it probably reads between {percent(low, 0)} and {percent(high, 0)} of such handwriting; the more "
        "drawings there are, the more exactly you can tell."
    )


def _show_page(chosen: Indices, found: Contents, answers: Probabilities | None, *, only_mistakes: bool) -> None:
    """Show the chosen drawings as a grid, page by page."""
    if not len(chosen):
        st.info("No mistakes here." if only_mistakes else "No such drawings yet.", icon=":material/info:")
        return
    pages = -(-len(chosen) // _ON_A_PAGE)
    page = bound_number(Params.PAGE, 1, pages, 1)
    if pages > 1:
        st.pagination(pages, **page.widget)
    shown = chosen[(page.value - 1) * _ON_A_PAGE : page.value * _ON_A_PAGE]
    tiles = [_tile(int(index), found, answers) for index in shown]
    digit_grid(found.images[shown], tiles, _opener(found), width=_TILE_WIDTH, key="grid-handwriting")
    if answers is None:
        st.caption("The newest come first. Below each drawing: what it was meant as.")
    else:
        st.caption(
            "The newest come first. Below each drawing: what it was meant as, and the confidence of the prediction; "
            ":orange[●] → the prediction, where it is another digit. Click a drawing for more."
        )


def _opener(found: Contents) -> Callable[[int], None]:
    return lambda index: state.choose(**{Params.DRAWING.value: found.drawings[index].id})


def _tile(index: int, found: Contents, answers: Probabilities | None) -> Tile:
    label = found.drawings[index].label
    name = f"Drawing {index + 1:,}, meant as {label}"
    if answers is None:
        return Tile(index, name, (str(label),))
    reading, confidence = int(answers[index].argmax()), percent(float(answers[index].max()))
    wrong = reading != label
    caption = (f"{label} → {reading}" if wrong else str(label), confidence)
    return Tile(index, name, caption, wrong)


def _chosen_first() -> list[Run]:
    """Return the networks that may be asked about one drawing, first the one that the URL names."""
    networks = list(cached_reads.all_answers().by_id.values())
    chosen = chosen_run(networks, fallback=READER).value if networks else None
    return sorted(networks, key=lambda run: run.id != chosen)


def _score_everyone(found: Contents, pictures: Pictures, chosen: Run) -> None:
    """Show how many drawings each network reads as they were meant, beside its accuracy on MNIST."""
    st.header("Every network on this set", anchor=False)
    everyone = cached_reads.all_answers(include=chosen)
    notes, rows = everyone.notes, []
    with st.spinner(f"Evaluating {count(len(everyone.by_id), 'network')} …"):
        for run in everyone.by_id.values():
            try:
                answers = pictures.answers_of(run)
            except InferenceError as error:
                notes = (*notes, str(error))
                continue
            rows.append(_row(run, int((answers.argmax(axis=1) == found.labels).sum()), len(found.drawings)))
    for note in notes:
        st.caption(f":material/info: {plain(note)}")
    if not rows:
        return
    share = st.column_config.NumberColumn(format="%.1f%%", help="Its accuracy on the drawings of this set.")
    st.dataframe(
        _by_score(rows),
        hide_index=True,
        height="content",
        key="handwriting-scores",
        column_config={
            "This set": share,
            "95% interval": st.column_config.TextColumn(
                help="The 95% Wilson interval of its accuracy on such handwriting. The more drawings there are, the "
                "narrower it gets."
            ),
            "MNIST test": st.column_config.NumberColumn(
                format="%.2f%%", help="Its accuracy on the 10,000 test images of MNIST."
            ),
        },
    )
    st.caption(
        "Where the intervals overlap widely, these drawings cannot tell which network is better: keep more of them. "
        "MNIST was written by other people, and on paper, so the two accuracies may well differ."
    )


def _row(run: Run, right: int, total: int) -> dict[str, object]:
    low, high = wilson_interval(right, total)
    return {
        "Network": name_of(run),
        "This set": 100 * right / total,
        "95% interval": f"{percent(low, 0)} to {percent(high, 0)}",
        "MNIST test": 100 * run.report.test_accuracy if run.report else None,
        "Correct": f"{right:,} of {total:,}",
    }


def _by_score(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows).sort_values(["This set", "MNIST test"], ascending=False, kind="stable")
