"""One drawing that somebody agreed to have kept, and its line of JSON; docs/class-sets.md describes the format.

Lines come from other people's files, so a reader takes nothing for granted: it raises `ClassSetError` with a
sentence for the page, or returns a drawing that is sound in every part.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from mnist_core.common.arrays import Ink
from mnist_core.common.errors import DigitLabError
from mnist_core.common.typed_json import is_of
from mnist_core.data.dataset import CLASSES
from mnist_core.drawing.preparation import IMAGE_SIZE
from mnist_core.drawing.strokes import CANVAS_SIDE, Drawing

VERSION = 1  # of the format; readers refuse higher ones
LONGEST_LINE = 250_000  # bytes
MOST_STROKES = 200
MOST_POINTS = 10_000  # of all strokes of a drawing together

_FARTHEST = 10_000  # pixels that a point may lie off the corner of the canvas: a pen can leave it
_WIDEST_PEN = 1_000
_LARGEST_CANVAS = 10_000
_ID = re.compile(r"[0-9a-f]{32}")


class ClassSetError(DigitLabError):
    """A drawing or class set that cannot be read or kept; the message is fit for a page."""


class NewerVersionError(ClassSetError):
    """It is sound, but of a version of the format that is not known here yet."""


@dataclass(frozen=True, eq=False)
class KeptDrawing:
    """A drawing with its label. `id` is 32 random hexadecimal digits: whoever has the same one has the same drawing."""

    id: str
    label: int
    image: Ink  # (28, 28), as networks were given it
    drawn: Drawing  # the strokes, to a tenth of a pixel of the canvas; none if they are not known
    canvas: int  # the side of the canvas in pixels
    time: datetime  # when it was kept, UTC, to the second


def new_drawing(label: int, image: Ink, drawn: Drawing) -> KeptDrawing:
    """Return a drawing of this moment with an id of its own; `image` is (28, 28) uint8, `drawn` is of our own canvas.

    Raises `ClassSetError` if it is more than a file may hold.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    return from_line(to_line(KeptDrawing(secrets.token_hex(16), label, image, drawn, CANVAS_SIDE, now)))


def is_drawing_id(text: str) -> bool:
    """Whether `text` can be the id of a drawing, so that it is safe in a path."""
    return _ID.fullmatch(text) is not None


def to_line(drawing: KeptDrawing) -> bytes:
    """Return the drawing as one line of ASCII JSON, its line feed included."""
    values = {
        "version": VERSION,
        "id": drawing.id,
        "label": drawing.label,
        "time": time_text(drawing.time),
        "canvas": drawing.canvas,
        "widths": [round(width, 1) for width in drawing.drawn.widths],
        "strokes": [[[round(x, 1), round(y, 1)] for x, y in stroke.tolist()] for stroke in drawing.drawn.strokes],
        "image": drawing.image.tolist(),
    }
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def from_line(line: bytes) -> KeptDrawing:
    """Return the drawing of a line that `to_line` wrote. Raises `ClassSetError` for anything else."""
    values = json_object(line, "drawing")
    drawing_id, label = values.get("id"), values.get("label")
    if not isinstance(drawing_id, str) or not is_drawing_id(drawing_id):
        raise ClassSetError("The id is not 32 hexadecimal digits.")
    if not is_of(label, int) or label not in CLASSES:
        raise ClassSetError("The label is not a digit from 0 to 9.")
    return KeptDrawing(
        drawing_id,
        label,
        _image(values.get("image")),
        _drawn(values.get("strokes"), values.get("widths")),
        _side(values.get("canvas")),
        time_of(values.get("time")),
    )


def json_object(line: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object of a line of this format, of a version that is known. Raises `ClassSetError`."""
    if len(line) > LONGEST_LINE:
        raise ClassSetError(f"It is too long for a {what}: at most {LONGEST_LINE:,} bytes are read.")
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, numbers of thousands of digits, thousands of brackets
        raise ClassSetError(f"It is not the JSON of a {what}; it may be damaged.") from None
    if not isinstance(values, dict) or not is_of(values.get("version"), int) or values["version"] < 1:
        raise ClassSetError(f"It is not a {what} of Digit Lab.")
    if values["version"] > VERSION:
        raise NewerVersionError(f"It was written by a newer Digit Lab (version {values['version']} of the format).")
    return values


def time_text(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601 text, to the second: “2025-11-22T10:57:27Z”."""
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def time_of(value: object) -> datetime:
    """Return the moment that ISO 8601 text tells, in UTC to the second. Raises `ClassSetError`."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass
    raise ClassSetError("The time is not a moment in ISO 8601 with its time zone.")


def _image(rows: object) -> Ink:
    message = f"The image is not {IMAGE_SIZE} rows of {IMAGE_SIZE} whole numbers from 0 to 255."
    if not isinstance(rows, list) or len(rows) != IMAGE_SIZE:
        raise ClassSetError(message)
    for row in rows:
        if not isinstance(row, list) or len(row) != IMAGE_SIZE:
            raise ClassSetError(message)
        if not all(type(pixel) is int and 0 <= pixel <= 255 for pixel in row):
            raise ClassSetError(message)
    return np.array(rows, np.uint8)


def _drawn(strokes: object, widths: object) -> Drawing:
    if not isinstance(strokes, list) or not all(isinstance(stroke, list) and stroke for stroke in strokes):
        raise ClassSetError("The strokes are not lists of points.")
    if len(strokes) > MOST_STROKES or sum(map(len, strokes)) > MOST_POINTS:
        raise ClassSetError(
            f"It has too many strokes to be kept: at most {MOST_STROKES:,} strokes of {MOST_POINTS:,} points in all."
        )
    if not all(_is_point(point) for stroke in strokes for point in stroke):
        raise ClassSetError("A point of a stroke is not a pair of numbers near the canvas.")
    if not isinstance(widths, list) or len(widths) != len(strokes):
        raise ClassSetError("There is not one width for each stroke.")
    if not all(_is_within(width, _WIDEST_PEN) and width >= 0 for width in widths):
        raise ClassSetError(f"The width of a stroke is not a number of pixels up to {_WIDEST_PEN:,}.")
    return Drawing(
        tuple(np.round(np.array(stroke, np.float64), 1).astype(np.float32) for stroke in strokes),
        tuple(round(float(width), 1) for width in widths),
    )


def _is_point(point: object) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(_is_within(value, _FARTHEST) for value in point)


def _is_within(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= most  # NaN never is


def _side(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LARGEST_CANVAS:
        raise ClassSetError(f"The canvas is not a whole number of pixels from 1 to {_LARGEST_CANVAS:,}.")
    return value
