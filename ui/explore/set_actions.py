"""What can be done with a class set: invite people to draw for it, take it away, bring one in, delete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from mnist_core.common.server import class_sets_dir, owns
from mnist_core.common.trash import DAYS_KEPT
from mnist_core.drawing.class_sets import archive, sets, trash
from mnist_core.drawing.class_sets.drawings import ClassSetError, KeptDrawing
from mnist_core.drawing.class_sets.sets import ClassSet
from ui.components import visitor
from ui.pickers import class_sets
from ui.session import navigation, state
from ui.session.state import Keys, Params
from ui.wording import count, plain

_MEGABYTE = 1024 * 1024
_POPOVER = 380  # pixels, where there is room


@dataclass(frozen=True)
class _Deleted:
    """What was deleted last, in words, and what it takes to bring it back."""

    what: str
    token: str


@dataclass(frozen=True)
class _News:
    """What came of a click, to be said once; problems are of parts, or of the whole if there is nothing else."""

    text: str
    problems: tuple[str, ...] = ()


def show_news() -> None:
    """Say what came of the last click, and offer to undo the last deletion."""
    news: _News | ClassSetError | None = st.session_state.pop(Keys.SET_NEWS, None)
    if isinstance(news, _News):
        st.success(plain(news.text), icon=":material/check:")
        for problem in news.problems:
            st.caption(f":material/error: {plain(problem)}")
    elif news is not None:
        st.error(plain(str(news)), icon=":material/error:")
    deleted: _Deleted | None = st.session_state.get(Keys.SET_DELETED)
    if deleted is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{plain(deleted.what)} deleted.", width="content")
            st.button("Undo", icon=":material/undo:", on_click=_undo, key="undo-handwriting")


def show(class_set: ClassSet, drawings: Sequence[KeptDrawing]) -> None:
    """Show the buttons of a set, for a horizontal container."""
    with st.popover("Draw for it", icon=":material/draw:", key="draw-for-set"), st.container(width=_POPOVER):
        st.page_link(
            navigation.DRAW,
            label="Draw a digit now",
            icon=":material/draw:",
            query_params={Params.SET.value: class_set.id},
        )
        st.caption("Or give others this link: anyone who opens it draws for this set.")
        st.code(_link(class_set), language=None, wrap_lines=True)
        st.caption(f"Their drawings {class_sets.who_sees()}.")
    st.download_button(
        "Export",
        lambda: archive.export_set(class_set, drawings),
        f"{_stem(class_set.title)}.jsonl",
        "application/jsonl",
        icon=":material/download:",
        on_click="ignore",
        disabled=not drawings,
        help="The whole set as one file: pictures, strokes and labels as JSON Lines, to import here or elsewhere.",
        key="export-set",
    )
    show_import()
    if owns(class_set.owner, visitor.owner()):
        with (
            st.popover("Delete", icon=":material/delete:", key=f"delete-set-{class_set.id}"),
            st.container(width=_POPOVER),
        ):
            st.markdown(f"Delete **{plain(class_set.title)}** with {count(len(drawings), 'drawing')}?")
            st.button("Delete the set", icon=":material/delete:", on_click=_delete_set, args=(class_set,))
            st.caption(
                f"You can undo this. The files are gone for good after {DAYS_KEPT} days, when somebody keeps or "
                "deletes a drawing. To delete one drawing only, click it."
            )


def show_import() -> None:
    """Offer to read a class set back from a file."""
    bound = sets.current_limits().bytes
    with st.popover("Import", icon=":material/upload:", key="import-set"), st.container(width=_POPOVER):
        st.file_uploader(
            "Load a class set that was exported from Digit Lab",
            type=["jsonl", "json", "txt"],
            key="uploaded-set",
            on_change=_import,
            max_upload_size=-(-bound // _MEGABYTE),
        )
        st.caption(
            "Its drawings go to the set of the same name; those that are already there are not added twice. Import "
            f"only what the people who drew it agreed to: drawings {class_sets.who_sees()}."
        )


def delete_drawing(class_set: ClassSet, drawing_id: str) -> None:
    """Delete a drawing, in a callback, and go back to its set."""
    try:
        token = trash.delete_drawing(class_set, drawing_id, visitor.owner())
        st.session_state[Keys.SET_DELETED] = _Deleted("One drawing", token)
    except ClassSetError as error:
        st.session_state[Keys.SET_NEWS] = error
    state.choose(**{Params.DRAWING.value: None})


def _delete_set(class_set: ClassSet) -> None:
    try:
        token = trash.delete_set(class_set, visitor.owner())
    except ClassSetError as error:
        st.session_state[Keys.SET_NEWS] = error
        return
    st.session_state[Keys.SET_DELETED] = _Deleted(class_set.title, token)
    state.choose(**{Params.SET.value: None, Params.PAGE.value: None})


def _undo() -> None:
    deleted: _Deleted = st.session_state.pop(Keys.SET_DELETED)
    try:
        back = trash.restore(class_sets_dir(), deleted.token)
        state.choose(**{Params.SET.value: back.id})
    except ClassSetError as error:
        st.session_state[Keys.SET_NEWS] = error


def _import() -> None:
    file = st.session_state["uploaded-set"]
    if file is None:
        return
    try:
        read = archive.read_file(file.getvalue())
        if not read.drawings:
            raise ClassSetError("There is no drawing in this file.")
        into = sets.open_set(class_sets_dir(), read.title, visitor.owner())
        merged = archive.merge(read, into)
    except ClassSetError as error:
        st.session_state[Keys.SET_NEWS] = error
        return
    known = f" It already had {count(merged.known, 'drawing')} of the file." if merged.known else ""
    text = f"{count(merged.added, 'drawing')} added to {merged.class_set.title}.{known}"
    st.session_state[Keys.SET_NEWS] = _News(text, read.problems)
    state.choose(**{Params.SET.value: into.id, Params.PAGE.value: None})


def _link(class_set: ClassSet) -> str:
    """Return the address of the Draw page for a set; this page is its neighbour."""
    here = (st.context.url or "").split("?")[0].rstrip("/")
    return f"{here.rpartition('/')[0]}/draw?{urlencode({Params.SET.value: class_set.id})}"


def _stem(title: str) -> str:
    """Return a title as the name of a file."""
    letters = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return "-".join(part for part in letters.split("-") if part) or "class-set"
