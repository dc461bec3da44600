"""Pictures of what was found in a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_core.common.arrays import Box
from mnist_core.drawing.photos.picture_files import Picture

_LINE = 1 / 320  # of the longer side
_SURE = "#0f766e"
_UNSURE = "#b45309"


@dataclass(frozen=True)
class Mark:
    """A box on a picture, with what is read in it."""

    box: Box
    text: str
    is_sure: bool


def marked(picture: Picture, marks: Sequence[Mark], side: int) -> Picture:
    """Return a picture (height, width, 3), at most `side` pixels long, with boxes, each with its text on a tag above.

    Green is for what is sure and amber for what is not; the white edges stand out from dark paper too.
    """
    scale = min(1.0, side / max(picture.shape[:2]))
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    image = Image.fromarray(picture).resize((width, height), Image.Resampling.BOX)
    pen = ImageDraw.Draw(image)
    line = max(2, round(max(image.size) * _LINE))
    for mark in marks:
        _mark(pen, mark, scale, line)
    return np.asarray(image)


def _mark(pen: ImageDraw.ImageDraw, mark: Mark, scale: float, line: int) -> None:
    rows, columns = mark.box
    left, right = (round(place * scale) for place in (columns.start, columns.stop))
    top, bottom = (round(place * scale) for place in (rows.start, rows.stop))
    colour = _SURE if mark.is_sure else _UNSURE
    margin = 2 * line
    frame = (left - margin, top - margin, right + margin, bottom + margin)
    pen.rectangle((frame[0] - 1, frame[1] - 1, frame[2] + 1, frame[3] + 1), outline="white", width=line + 2)
    pen.rectangle(frame, outline=colour, width=line)
    font = ImageFont.load_default(size=min(max(12.0, 0.35 * (bottom - top)), 8.0 * line))
    text_box = pen.textbbox((0, 0), mark.text, font=font)
    wide, high = text_box[2] + 2 * margin, text_box[3] + margin
    tag_top = frame[1] - high if frame[1] >= high else frame[3]  # below, where the picture ends above
    pen.rectangle((frame[0], tag_top, frame[0] + wide, tag_top + high), fill=colour)
    pen.text((frame[0] + margin, tag_top + margin / 2), mark.text, fill="white", font=font)
