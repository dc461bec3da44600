"""What the session and the URL hold, declared in one place."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import streamlit as st

_MOST_CHARACTERS = 2000
_FORGOTTEN_SECONDS = 10.0  # epochs that nobody has looked at for so long do not play any more


class Keys(StrEnum):
    """Keys of `st.session_state`. A run itself is never kept here, only in its directory."""

    NAVIGATION_DECLARED = "navigation_declared"
    DRAFT = "draft"
    VISITOR = "visitor"
    SESSION = "session"  # which session it is, as its pages know it
    DRAWING = "drawing"  # what the canvas last told
    CANVAS_START = "canvas_start"  # what the canvas of this page started with
    LAST_STARTED = "last_started"
    TABLE_NUMBER = "table_number"
    DELETED = "deleted"
    PROBLEM = "problem"
    HAS_NAVIGATED = "has_navigated"
    TIMES_GONE = "times_gone"
    CHOSEN = "chosen"
    JUST_CHOSEN = "just_chosen"
    CAUGHT_UP = "caught_up"  # in this run of the whole page
    PLAYING = "playing"
    LABEL_ANSWERS = "label_answers"  # by index what the visitor said: a digit, or None for "can't tell"
    LABELS_REVEALED = "labels_revealed"
    PHOTO_THRESHOLD = "photo_threshold"  # in percent
    PHOTO_DIGIT = "photo_digit"  # the place, in reading order, of the digit of a photo that was chosen
    CLASS_SET = "class_set"  # where the visitor keeps drawings
    LAST_KEPT = "last_kept"
    SET_DELETED = "set_deleted"
    SET_NEWS = "set_news"
    NOT_KEPT = "not_kept"  # why a drawing could not be kept


class Params(StrEnum):
    """Names in the URL. Missing ones take defaults, wrong ones are ignored."""

    RUN = "run"
    VIEW = "view"
    # Train
    GHOSTS = "ghosts"
    COMPARE = "compare"
    # Explore
    SPLIT = "split"  # training or test images
    DIGIT = "digit"  # the label
    READ = "read"  # the digit that a network read
    ONLY = "only"  # a list of indices
    ORDER = "order"
    SHUFFLE = "shuffle"  # the seed of the random order
    PAGE = "page"
    SIZE = "size"  # images on a page
    INDEX = "index"  # of the one image that is open
    KIND = "kind"  # of answers: mistakes, or right but unsure, …
    LOW = "low"  # least confidence in percent
    HIGH = "high"  # most confidence in percent
    CELLS = "cells"  # what a confusion matrix shows: counts or percent
    MISTAKES_ONLY = "mistakes-only"  # whether a confusion matrix leaves its diagonal out
    OTHER = "other"  # a second run
    EPOCH = "epoch"
    MAP = "map"
    COLOR = "color"
    BINS = "bins"
    # Draw
    PANEL = "panel"
    BESIDE = "beside"  # further runs that read the drawing
    # Draw and Explore
    INSIDE = "inside"  # whether one looks inside the network
    ASKED = "asked"  # the digit of which one asks what speaks for it
    SET = "set"  # a class set
    DRAWING = "drawing"  # of a class set, the one that is open


# What stays when another view is chosen.
_OF_ALL_VIEWS = (Params.RUN, Params.DIGIT, Params.READ)


@dataclass(frozen=True)
class Playing:
    """The run whose epochs are played, the epoch that is shown, and when that was."""

    run_id: str
    epoch: str
    moment: float


def open_view(**values: object) -> None:
    """Replace all that the URL holds but the run, and a digit or cell that was chosen, in a callback of a widget."""
    st.session_state.pop(Keys.PLAYING, None)
    kept = {name: text for name, text in st.query_params.to_dict().items() if name in _OF_ALL_VIEWS}
    st.query_params.from_dict({**kept, **{name: str(value) for name, value in values.items()}})


def choose(**values: object) -> None:
    """Put what a visitor chose into the URL, in a callback of a widget; None takes one out.

    What is played ends there, at the epoch that is shown: only then does the URL say what the page shows.
    """
    playing = now_playing()
    st.session_state.pop(Keys.PLAYING, None)
    if playing is not None:
        values = {Params.EPOCH.value: playing.epoch, **values}
    chosen = st.session_state.setdefault(Keys.CHOSEN, {})
    chosen.update({name: (st.query_params.get(name), value) for name, value in values.items()})
    write(**values)
    st.session_state[Keys.JUST_CHOSEN] = True


def catch_up() -> None:
    """Put choices back into the URL that the browser did not know of when it sent the next one; call it first of all.

    Of two quick clicks, the second is sent with the URL from before the first. A visitor who goes back sends an older
    URL too, but without choosing anything.
    """
    _catch_up()
    st.session_state[Keys.CAUGHT_UP] = True


def catch_up_in_fragment() -> None:
    """Do the same in a fragment that binds widgets to the URL, where only the fragment runs: call it there first."""
    if not st.session_state.pop(Keys.CAUGHT_UP, False):
        _catch_up()


def _catch_up() -> None:
    if not st.session_state.pop(Keys.JUST_CHOSEN, False):
        st.session_state[Keys.CHOSEN] = {}
    put_back()


def put_back() -> None:
    """In a callback that goes on from what the URL holds: put back what the browser did not know of yet."""
    chosen = st.session_state.get(Keys.CHOSEN, {})
    write(**{name: value for name, (before, value) in chosen.items() if st.query_params.get(name) == before})


def play(run_id: str, epoch: str) -> None:
    """Note which epoch of a run is shown while it is played."""
    st.session_state[Keys.PLAYING] = Playing(run_id, epoch, time.monotonic())


def now_playing() -> Playing | None:
    """Return which run is played, and at which epoch; None if none is, or if nobody has looked for a while."""
    playing: Playing | None = st.session_state.get(Keys.PLAYING)
    return playing if playing is not None and time.monotonic() - playing.moment < _FORGOTTEN_SECONDS else None


def read_number(name: Params, low: int, high: int, default: int) -> int:
    """Return the whole number in the URL, clamped to its bounds, or the default."""
    text = st.query_params.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return default
    return min(max(int(text), low), high)


def read_runs(name: Params, known: Collection[str], most: int) -> list[str]:
    """Return the run ids of a comma-separated list in the URL: those that are known, each once, `most` at most."""
    named = dict.fromkeys(st.query_params.get(name, "")[:_MOST_CHARACTERS].split(","))
    return [run_id for run_id in named if run_id in known][:most]


def go(**values: object) -> None:
    """Replace all that the URL holds; the page follows, even if a fragment of it asked for that."""
    st.query_params.from_dict({name: str(value) for name, value in values.items()})
    st.session_state[Keys.HAS_NAVIGATED] = True
    st.session_state[Keys.TIMES_GONE] = st.session_state.get(Keys.TIMES_GONE, 0) + 1


def has_navigated() -> bool:
    """Whether `go` was called since this was asked last. A fragment then lets the whole page run again."""
    return bool(st.session_state.pop(Keys.HAS_NAVIGATED, False))


def write(**values: object) -> None:
    """Put values into the URL, all in one step of the browser's history; None takes one out."""
    held = st.query_params.to_dict()
    wanted = {**held, **{name: str(value) for name, value in values.items() if value is not None}}
    wanted = {name: text for name, text in wanted.items() if values.get(name, text) is not None}
    if wanted != held:
        st.query_params.from_dict(wanted)
