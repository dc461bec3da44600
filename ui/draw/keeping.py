"""“What did you mean?”: who draws may say so, and have the drawing kept in a class set. Nothing is kept otherwise."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st

from mnist_core.common.arrays import Ink
from mnist_core.data.dataset import CLASSES
from mnist_core.drawing.class_sets import contents, sets
from mnist_core.drawing.class_sets.drawings import ClassSetError, new_drawing
from mnist_core.drawing.class_sets.sets import ClassSet
from mnist_core.drawing.strokes import Drawing
from ui.pickers import class_sets
from ui.session import navigation
from ui.session.state import Keys, Params
from ui.wording import plain

_TITLE_KEY = "class-set-title"
_WIDTH = 560  # pixels, where there is room
# On a phone, two rows of five, large enough for a finger.
_STYLE = """<style>
@media (max-width: 640px) {
  .st-key-meant [role="radiogroup"] { display: grid; grid-template-columns: repeat(5, 1fr); width: 100%; }
}
</style>"""


@dataclass(frozen=True, eq=False)
class _Candidate:
    """What is on the canvas now, and may be kept."""

    image: Ink
    drawing: Drawing

    @property
    def digest(self) -> str:
        """Something that is the same only for the same drawing."""
        parts = (self.image.tobytes(), *(stroke.tobytes() for stroke in self.drawing.strokes))
        return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]

    @property
    def meant_key(self) -> str:
        """The key of the widget that asks what it is: another drawing is asked about anew."""
        return f"meant-{self.digest}"


@dataclass(frozen=True)
class _Kept:
    """The drawing that was kept last, and the place that it got."""

    class_set: ClassSet
    drawing_id: str
    label: int
    number: int
    digest: str


def show(image: Ink, drawing: Drawing, reading: int | None) -> None:
    """Ask what a drawing is meant to be, and offer to keep it; who kept one can take it back.

    `image` is (28, 28) as networks were given it, `drawing` is what the canvas tells, `reading` is what to suggest.
    """
    candidate = _Candidate(image, drawing)
    last: _Kept | None = st.session_state.get(Keys.LAST_KEPT)
    is_kept = last is not None and last.digest == candidate.digest
    st.header("Kept. Clear the canvas for the next one." if is_kept else "What did you mean?", anchor=False)
    problem = st.session_state.pop(Keys.NOT_KEPT, None)
    if problem:
        st.error(plain(str(problem)), icon=":material/error:")
    if not is_kept:
        _ask(candidate, reading)
    if last is not None:
        _show_last(last)


def _ask(candidate: _Candidate, reading: int | None) -> None:
    with st.container(width=_WIDTH, key="meant"):
        st.html(_STYLE)
        meant = st.segmented_control(
            "The digit that you meant",
            CLASSES,
            default=reading,
            required=reading is not None,  # who presses what is suggested agrees with it
            label_visibility="collapsed",
            width="stretch",
            wrap=True,
            key=candidate.meant_key,
        )
    chosen = class_sets.chosen()
    class_sets.warn_of_dead_link(chosen)
    st.session_state[_TITLE_KEY] = chosen.title
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Class set",
            max_chars=sets.MAX_TITLE,
            placeholder="such as Class 4b",
            help="The drawings of a set are shown and scored together. If there already is a set of this name, your "
            "drawing is added to it. Choose a name that does not identify anybody.",
            width=220,
            on_change=_name,
            key=_TITLE_KEY,
        )
        st.button(
            "Keep it" if meant is None else f"Keep this {meant}",
            type="primary",
            icon=":material/bookmark_add:",
            disabled=meant is None,
            on_click=_keep,
            args=(candidate,),
            key="keep",
        )
    st.caption(
        "Nothing is kept unless you press the button. Then the picture, the pen strokes, the digit and the time, but "
        f"not your name, {class_sets.who_sees()}."
    )


def _show_last(last: _Kept) -> None:
    st.markdown(
        f":material/bookmark_added: Kept as number **{last.number:,}** of **{plain(last.class_set.title)}**, "
        f"labelled {last.label}."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="last-kept"):
        st.button("Take it back", icon=":material/undo:", type="tertiary", on_click=_take_back, key="take-back")
        st.page_link(
            navigation.EXPLORE,
            label="See the set",
            icon=":material/grid_view:",
            query_params={Params.VIEW.value: "handwriting", Params.SET.value: last.class_set.id},
        )


def _name() -> None:
    try:
        class_sets.choose(st.session_state[_TITLE_KEY])
    except ClassSetError as error:
        st.session_state[Keys.NOT_KEPT] = error


def _keep(candidate: _Candidate) -> None:
    meant = st.session_state.get(candidate.meant_key)
    last: _Kept | None = st.session_state.get(Keys.LAST_KEPT)
    if meant not in CLASSES or (last is not None and last.digest == candidate.digest):  # the second of two quick clicks
        return
    try:
        drawing = new_drawing(meant, candidate.image, candidate.drawing)
        class_set = class_sets.opened()
        number = contents.keep(class_set, drawing)
        st.session_state[Keys.LAST_KEPT] = _Kept(class_set, drawing.id, meant, number, candidate.digest)
    except ClassSetError as error:
        st.session_state[Keys.NOT_KEPT] = error


def _take_back() -> None:
    last: _Kept | None = st.session_state.get(Keys.LAST_KEPT)
    if last is None:
        return
    try:
        contents.withdraw(last.class_set, last.drawing_id)
        st.session_state[f"meant-{last.digest}"] = last.label
        del st.session_state[Keys.LAST_KEPT]
    except ClassSetError as error:
        st.session_state[Keys.NOT_KEPT] = error
