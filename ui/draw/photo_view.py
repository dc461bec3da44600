"""Digits in a photo: found, read from left to right, and shown as the network sees them."""

from __future__ import annotations

import threading

import numpy as np
import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Ink
from mnist_core.common.text import percent
from mnist_core.drawing.photos import binarisation, finding_digits, marking, picture_files, reading_digits
from mnist_core.drawing.photos.finding_digits import Digit
from mnist_core.drawing.photos.picture_files import Picture, PictureError
from mnist_core.drawing.photos.reading_digits import Reading
from mnist_core.evaluation.selection import UNSURE_BELOW
from mnist_core.processes import inference
from mnist_core.processes.inference import InferenceError
from ui.components.answer_bars import Answer, answer_bars, top_three
from ui.components.digit_grid import Tile, digit_grid
from ui.pickers.runs import READER, pick_run
from ui.session import cached_reads
from ui.session.picture_answers import Pictures
from ui.session.state import Keys
from ui.wording import count

_FILE, _CAMERA = "A file", "The camera"
_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]
_SHOWN_SIDE = 900  # pixels that are sent to the browser
_LOWEST, _HIGHEST = 2, 95  # percent, of the threshold
_DOUBT = (
    f"A digit is uncertain if the confidence of the network is below {percent(UNSURE_BELOW, 0)}, or if no such digit "
    "that it learned from looks like it."
)
_IS_LIKE_NONE = "But no {digit} that it learned from looks like this. Perhaps it is not a digit."
_one_at_a_time = threading.Lock()  # of all visitors: a large picture takes some hundred megabytes for a moment


def show() -> None:
    """Show the way to give a photo, and all that is read in it."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        content = _ask_for_photo()
        run = pick_run("Network", cached_reads.usable_runs(), fallback=READER)
    if content is None:
        with right:
            _invite()
        return
    try:
        picture, contrast, automatic = _looked_at(content)
    except PictureError as error:
        right.error(str(error), icon=":material/broken_image:")
        return
    with right:
        answer = st.container()
        photo = st.container()
    one_by_one = st.container()
    rows = _show_ink(content, contrast, automatic)
    with answer:
        readings = _read(run, rows) if run is not None else []
        _show_answer(readings, found=len(rows) > 0)
    with photo:
        _show_photo(picture, readings)
    if readings:
        with one_by_one:
            _show_digits([reading for row in readings for reading in row])


def _ask_for_photo() -> bytes | None:
    source = st.segmented_control(
        "The photo comes from", [_FILE, _CAMERA], default=_FILE, required=True, key="photo-from"
    )
    if source == _CAMERA:
        photo = st.camera_input("Digits on paper", key="photo-taken", on_change=_forget_choice)
    else:
        photo = st.file_uploader("Digits on paper", type=_TYPES, key="photo-file", on_change=_forget_choice)
    return None if photo is None else photo.getvalue()


def _forget_choice() -> None:
    st.session_state.pop(Keys.PHOTO_DIGIT, None)


def _invite() -> None:
    st.info("Take or choose a photo of one digit, a row of digits, or several rows.", icon=":material/add_a_photo:")
    st.markdown(
        "- Write with a pen that is not too faint, on paper without strong lines.\n"
        "- Leave some space between the digits.\n"
        "- Hold the camera above the paper, so that the rows are about level. Shadows do little harm.\n\n"
        "The photo stays in this server's memory while you look at it and for a while after; it is never stored."
    )


def _read(run: runs.Run, rows: list[list[Digit]]) -> list[list[Reading]]:
    """Return what a network reads; nothing, with words about it, if it cannot answer."""
    try:
        with st.spinner("Loading the network …", show_time=False):
            readings = reading_digits.read(rows, lambda images: Pictures(images).answers_of(run))
            return reading_digits.compare(readings, inference.resemble)
    except InferenceError as error:
        st.error(str(error), icon=":material/error:")
        return []


def _show_answer(rows: list[list[Reading]], *, found: bool) -> None:
    """Show all digits in large type, and how sure the network is of them."""
    if not found:
        st.info(
            "No digit was found. Faint ink needs a lower threshold, see below; a closer photo, or more even light, may "
            "help too.",
            icon=":material/search_off:",
        )
        return
    with st.container(key="photo-reading"):
        for row in rows:
            digits = (str(each.digit) if _is_sure(each) else f":orange[{each.digit}]" for each in row)
            st.header(" ".join(digits), anchor=False)
    readings = [reading for row in rows for reading in row]
    if not readings:
        return
    lines = f" in {count(len(rows), 'row')}" if len(rows) > 1 else ""
    sentence = f"{count(len(readings), 'digit')}{lines}."
    unsure = sum(not _is_sure(reading) for reading in readings)
    if unsure:
        whose = "One of them is" if unsure == 1 < len(readings) else "It is" if unsure == 1 else f"{unsure} of them are"
        sentence += f" {whose} uncertain, shown in amber."
    if len(readings) >= finding_digits.MOST_DIGITS:
        sentence += f" Only the {finding_digits.MOST_DIGITS} largest are read."
    st.caption(sentence, help=_DOUBT)


def _show_photo(picture: Picture, rows: list[list[Reading]]) -> None:
    marks = [marking.Mark(each.box, str(each.digit), _is_sure(each)) for row in rows for each in row]
    st.image(
        marking.marked(picture, marks, _SHOWN_SIDE),
        output_format="JPEG",
        alt="The photo with a box around each digit" if marks else "The photo",
        width="stretch",
    )


def _show_ink(content: bytes, contrast: binarisation.Contrast, automatic: float) -> list[list[Digit]]:
    """Show what counts as ink and let the visitor change it; return the digits in it, row by row."""
    kind = "darker" if contrast.ink_is_dark else "lighter"
    st.header("What counts as ink", anchor=False)
    left, right = st.columns([2, 3], gap="large")
    with left:
        if automatic < 1:
            st.caption(f"The strokes in this photo are {kind} than the paper. Uneven light is corrected first.")
        else:
            st.caption("Nothing stands out from the paper as strokes do. Uneven light was corrected first.")
        is_automatic = st.toggle(
            "Find the threshold automatically",
            value=True,
            key="photo-automatic",
            help="Otsu's method: the threshold that divides the picture best into two groups, paper and ink.",
        )
        if is_automatic or Keys.PHOTO_THRESHOLD not in st.session_state:
            st.session_state[Keys.PHOTO_THRESHOLD] = min(max(round(100 * automatic), _LOWEST), _HIGHEST)
        percentage = st.slider(
            f"Ink is {kind} than paper by at least",
            _LOWEST,
            _HIGHEST,
            format="%d%%",
            disabled=is_automatic,
            key=Keys.PHOTO_THRESHOLD,
        )
    threshold = automatic if is_automatic else percentage / 100
    ink, rows = _found(content, threshold, contrast)
    with right:
        shown = marking.marked(np.repeat(ink[..., None], 3, axis=2), [], _SHOWN_SIDE)
        st.image(shown, alt="What counts as ink, white on black", width="stretch", output_format="PNG")
    return rows


def _show_digits(readings: list[Reading]) -> None:
    """Show each digit as the network sees it; a click shows its ten probabilities."""
    st.header("Digit by digit", anchor=False)
    least_sure = min(range(len(readings)), key=lambda place: readings[place].confidence)
    chosen = st.session_state.get(Keys.PHOTO_DIGIT, least_sure)
    chosen = chosen if chosen < len(readings) else least_sure
    grid, detail = st.columns([3, 2], gap="large")
    with grid:
        st.caption("Each digit, fitted into 28 × 28 pixels as in MNIST. Choose one to see its prediction.")
        tiles = [
            Tile(place, _called(place, each), (str(each.digit), percent(each.confidence)), not _is_sure(each))
            for place, each in enumerate(readings)
        ]
        digit_grid(np.stack([each.image for each in readings]), tiles, _choose, width=72, key="photo-digits")
        if any(tile.marked for tile in tiles):
            st.markdown(":small[:orange[●] Uncertain.]")
        if any(each.was_cut for each in readings):
            st.caption(
                "Digits that touch were cut apart, since the network is more confident about the parts than about the "
                "whole."
            )
    with detail:
        reading = readings[chosen]
        answer = Answer(
            "clear" if _is_sure(reading) else "unsure",
            str(reading.digit),
            f"It reads {reading.digit}, with {percent(reading.confidence)} confidence.",
            "" if reading.is_like else _IS_LIKE_NONE.format(digit=reading.digit),
            note=f"Most probable: {top_three(reading.probabilities)}.",
            title=f"Digit {chosen + 1} of {len(readings)}"
            + (", the least certain" if chosen == least_sure and not _is_sure(reading) else ""),
        )
        answer_bars(answer, reading.probabilities, key="photo-answer")


def _called(place: int, reading: Reading) -> str:
    return f"Digit {place + 1}, predicted as {reading.digit}"


def _choose(place: int) -> None:
    st.session_state[Keys.PHOTO_DIGIT] = place


def _is_sure(reading: Reading) -> bool:
    return reading.confidence >= UNSURE_BELOW and reading.is_like


@st.cache_resource(show_spinner="Looking at the photo …", max_entries=4, ttl=600)
def _looked_at(content: bytes) -> tuple[Picture, binarisation.Contrast, float]:
    """Return a photo, its ink, and the threshold that Otsu's method finds. Raises `PictureError`."""
    with _one_at_a_time:
        picture = picture_files.read_picture(content)
        contrast = binarisation.contrast(picture_files.grey(picture))
        return picture, contrast, binarisation.automatic_threshold(contrast)


@st.cache_resource(show_spinner=False, max_entries=8, ttl=600)
def _found(content: bytes, threshold: float, _contrast: binarisation.Contrast) -> tuple[Ink, list[list[Digit]]]:
    """Return the ink of a photo from a threshold on, and the digits in it; its contrast follows from its content."""
    with _one_at_a_time:
        ink = binarisation.ink(_contrast, threshold)
        return ink, finding_digits.rows_of_digits(ink)
