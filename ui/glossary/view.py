"""Terms where they come up, behind one small control, and all of them on a page of their own."""

from __future__ import annotations

import streamlit as st

from ui.glossary.terms import TERMS, Term

# Pixels; on a phone there is less, and what stands side by side stacks.
_WIDE, _NARROW = 656, 380  # with and without an example beside the text
_PILLS_HEIGHT = 60
_NAMED = 3  # so many words stand on the control

_BY_NAME = {term.name: term for term in TERMS}


def explain(*terms: str) -> None:
    """Show one unobtrusive control that opens into what the terms mean; what is inside is made only while it is open.

    The same terms in the same order may be asked for once on a page. Raises `ValueError` for none, or an unknown one.
    """
    unknown = [name for name in terms if name not in _BY_NAME]
    if unknown or not terms:
        raise ValueError(f"{unknown or 'Nothing'} cannot be explained; the words are: {', '.join(_BY_NAME)}.")
    _control(terms)


def show() -> None:
    """Show all terms, to read through or to search."""
    wanted = st.text_input(
        "Search",
        placeholder="Search the glossary",
        label_visibility="collapsed",
        icon=":material/search:",
        max_chars=40,
        key="words-search",
        width=360,
    )
    found = [term for term in TERMS if wanted.strip().casefold() in f"{term.title} {term.text}".casefold()]
    if not found:
        st.info("No entry mentions that.", icon=":material/search_off:")
    for start in range(0, len(found), 2):
        for column, term in zip(st.columns(2, gap="medium"), found[start : start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                _entry(term)


@st.fragment
def _control(names: tuple[str, ...]) -> None:
    key = f"words-{'-'.join(names)}"
    terms = [_BY_NAME[name] for name in names]
    several = f"Glossary: {', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"
    popover = st.popover(
        f":small[{terms[0].question if len(names) == 1 else several}]",
        icon=":material/school:",
        type="tertiary",
        key=key,
        on_change="rerun",
    )
    height = max(term.height for term in terms) + (_PILLS_HEIGHT if len(names) > 1 else 0)
    # A popover takes the side where it fits as it opens, and stays there: its height must not wait for the example.
    st.html(f"<style>[class*='words-height-{height}'] {{ min-height: {height}px; }}</style>")
    is_wide = any(term.figure for term in terms)
    with popover, st.container(width=_WIDE if is_wide else _NARROW, key=f"{key}-words-height-{height}"):
        term = _pick(names, key) if len(names) > 1 else terms[0]
        if term.figure is None:
            _text(term)
            return
        left, right = st.columns([3, 4], gap="medium")
        with left:
            _text(term)
        with right:
            if popover.open:
                term.figure(f"{key}-{term.name}")


def _pick(names: tuple[str, ...], key: str) -> Term:
    name = st.pills("Term", names, default=names[0], required=True, label_visibility="collapsed", key=f"{key}-word")
    return _BY_NAME[name]


@st.fragment
def _entry(term: Term) -> None:
    _text(term)
    if term.figure is not None:
        key = f"glossary-{term.name}"
        example = st.expander("Try it", icon=":material/touch_app:", key=key, on_change="rerun", type="compact")
        if example.open:
            with example:
                term.figure(f"{key}-example")


def _text(term: Term) -> None:
    st.markdown(f"**{term.title}**  \n{term.text}")
