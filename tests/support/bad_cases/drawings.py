"""What a canvas tells, and pictures that are uploaded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from mnist_core.drawing.photos import binarisation, finding_digits, reading_digits
from mnist_core.drawing.photos.picture_files import PictureError, grey, read_picture
from mnist_core.drawing.preparation import NoInkError, prepare
from mnist_core.drawing.strokes import CANVAS_SIDE, from_canvas
from tests.support.bad_cases.damage import damaged
from tests.support.bad_cases.trials import CaseKind, Home
from tests.support.strategies import json_values

_numbers = st.integers(-1000, 1000) | st.floats(-1000, 1000) | st.floats() | st.sampled_from([10**400, "5", None, True])
_commands = st.tuples(st.sampled_from(["M", "Q", "L", "", None]), _numbers, _numbers).map(list) | json_values
_curves = st.lists(st.tuples(st.just("Q"), st.floats(-300, 600), st.floats(-300, 600)).map(list), max_size=12)
_widths = st.floats(0, 60)
_objects = (
    st.fixed_dictionaries({"path": _curves, "strokeWidth": _widths})
    | st.fixed_dictionaries({"path": st.lists(_commands, max_size=4), "strokeWidth": _widths | _numbers})
    | st.fixed_dictionaries({"path": _curves | json_values}, optional={"strokeWidth": json_values})
    | json_values
)
canvas_payloads = (
    st.fixed_dictionaries({"objects": st.lists(_objects, max_size=5)})
    | st.fixed_dictionaries({"objects": json_values})
    | json_values
)


def _answer_canvas(told: object, home: Home) -> Sequence[str]:
    drawing = from_canvas(told)
    assert all(np.isfinite(stroke).all() for stroke in drawing.strokes)
    ink = drawing.ink()
    assert ink.shape == (CANVAS_SIDE, CANVAS_SIDE)
    try:
        assert prepare(ink).shape == (28, 28)
    except NoInkError as error:
        return [str(error)]
    return []


def _file(picture: Image.Image, file_format: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format)
    return file.getvalue()


@cache
def _pictures() -> list[bytes]:
    """Return a small picture in many formats and modes, and files of other kinds."""
    grey_picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 25), np.uint8))
    modes = [("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    modes += [("JPEG", mode) for mode in ("L", "RGB", "CMYK")]
    modes += [("GIF", "P"), ("BMP", "RGB"), ("WEBP", "RGBA"), ("TIFF", "L"), ("TIFF", "CMYK"), ("TIFF", "F")]
    others = [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"PK\3\4", b"\0\0\0\x18ftypheic", b""]
    return [_file(grey_picture.convert(mode), name) for name, mode in modes] + others


picture_files = st.deferred(lambda: damaged(st.sampled_from(_pictures())) | st.binary(max_size=200))


def _answer_picture(content: bytes, home: Home) -> Sequence[str]:
    try:
        picture = read_picture(content)
    except PictureError as error:
        return [str(error)]
    contrast = binarisation.contrast(grey(picture))
    ink = binarisation.ink(contrast, binarisation.automatic_threshold(contrast))
    for row in finding_digits.rows_of_digits(ink):
        assert all(reading_digits.as_mnist(digit.ink).shape == (28, 28) for digit in row)
    return []


KINDS = (
    CaseKind("what a canvas tells", canvas_payloads, _answer_canvas),
    CaseKind("picture files", picture_files, _answer_picture),
)
