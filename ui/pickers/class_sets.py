"""Which class set a visitor means: Draw keeps drawings in it, Explore shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from mnist_core.common import trash
from mnist_core.common.server import class_sets_dir, is_public
from mnist_core.drawing.class_sets import sets
from mnist_core.drawing.class_sets.contents import Contents, ContentsReader
from mnist_core.drawing.class_sets.drawings import ClassSetError
from mnist_core.drawing.class_sets.sets import ClassSet
from ui.components import visitor
from ui.session import state
from ui.session.state import Keys, Params

DEFAULT_TITLE = "Our handwriting"


@dataclass(frozen=True)
class Choice:
    """A set that drawings go to; there need not be one of this id until the first drawing is kept.

    After a dead link it is another set than the URL names: that one is not here, any more or at all.
    """

    id: str
    title: str
    after_dead_link: bool = False


def chosen() -> Choice:
    """Return the set that the URL names, or else the one that this visitor kept to or looked at last."""
    named = _named()
    if named is not None:
        st.session_state[Keys.CLASS_SET] = Choice(named.id, named.title)
    last: Choice | None = st.session_state.get(Keys.CLASS_SET)
    choice = last or Choice(sets.set_id(DEFAULT_TITLE, visitor.owner()), DEFAULT_TITLE)
    return replace(choice, after_dead_link=Params.SET in st.query_params and named is None)


def warn_of_dead_link(choice: Choice) -> None:
    """Say so if the URL names a set that is not here."""
    if choice.after_dead_link:
        st.warning("The class set of this link is not here. It may have been deleted.", icon=":material/search_off:")


def choose(title: str) -> None:
    """Let drawings go to the set of this title from now on. Raises `ClassSetError` if it can be no title."""
    title = sets.clean_title(title)
    choice = Choice(sets.set_id(title, visitor.owner()), title)
    known = (class_sets_dir() / choice.id).is_dir()
    state.write(**{Params.SET.value: choice.id if known else None})  # first: the URL would win over the session
    st.session_state[Keys.CLASS_SET] = choice


def opened() -> ClassSet:
    """Return the chosen set; start it if there is none yet. Raises `ClassSetError`."""
    folder, choice = class_sets_dir(), chosen()
    try:
        found = sets.find_set(choice.id, folder)
    except ClassSetError:
        if choice.id != sets.set_id(choice.title, visitor.owner()):  # somebody else's: not to be started anew
            raise
        found = sets.open_set(folder, choice.title, visitor.owner())
    trash.empty_old(folder / trash.FOLDER)
    st.session_state[Keys.CLASS_SET] = Choice(found.id, found.title)
    state.write(**{Params.SET.value: found.id})
    return found


def visible(choice: Choice) -> list[ClassSet]:
    """Return the sets that this visitor may see: all of them, or on a public server their own and the chosen one."""
    return sets.visible_sets(class_sets_dir(), visitor.owner(), {choice.id})


def contents_of(class_set: ClassSet) -> Contents:
    """Return the drawings of a set; only what is new is read. Raises `ClassSetError`."""
    return _reader(str(class_set.path)).read()


def who_sees() -> str:
    """Return where drawings are kept and who can see them, as the rest of a sentence about them."""
    if is_public():
        return (
            "are kept on this server. Anyone who has the link to this class set can see them and download them, and so "
            "can the people who run the server, but nobody else"
        )
    return (
        "are kept on the computer that runs Digit Lab. Everybody who uses this Digit Lab can see them and download them"
    )


def _named() -> ClassSet | None:
    try:
        return sets.find_set(st.query_params.get(Params.SET, ""), class_sets_dir())
    except ClassSetError:
        return None


@st.cache_resource(show_spinner=False, max_entries=32)
def _reader(path: str) -> ContentsReader:
    return ContentsReader(Path(path))
