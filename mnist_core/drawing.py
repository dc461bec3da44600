"""From ink on a canvas or in a picture to 28 × 28 pixels as MNIST was made.

The makers of MNIST fitted each digit into 20 × 20 pixels, keeping its proportions, and moved it so that its centre of
mass lies in the middle of 28 × 28 pixels (Y. LeCun, C. Cortes, C. J. C. Burges, http://yann.lecun.com/exdb/mnist/). In
the files this is exact: every digit is 20 pixels long on one side, and its centre of mass lies within half a pixel of
row 14, column 14, counted from 0.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Ink = NDArray[np.uint8]  # (height, width), 0 = paper, 255 = ink

IMAGE_SIZE = 28
DIGIT_SIZE = 20
CENTRE = 14  # the pixel, counted from 0, where MNIST has the centre of mass

MAX_SIDE = 4096
MAX_CANVAS_SIDE = 1120  # 280 pixels on a screen that has 16 points for each
MAX_FILE_BYTES = 5_000_000
_PAPER_LEVEL = 32  # fainter traces are shadows and soft edges, not ink that says where a digit ends


class NoInkError(ValueError):
    """There is nothing to read."""

    def __init__(self) -> None:
        super().__init__("There is no ink yet: draw a digit first.")


class PictureError(ValueError):
    """Bytes that are not a picture we accept; the message says why."""


def prepare(ink: Ink) -> Ink:
    """Return the drawing as MNIST would hold it: (height, width) uint8 to (28, 28) uint8, white ink on black.

    Raises `NoInkError` if there is no ink, and `ValueError` if `ink` is not a two-dimensional uint8 array.
    """
    if ink.ndim != 2 or ink.dtype != np.uint8:
        raise ValueError(f"Ink must be (height, width) uint8, not {ink.shape} {ink.dtype}.")
    fitted = fit(crop(ink))
    if not fitted.any():
        raise NoInkError
    return centre(fitted)


def crop(ink: Ink) -> Ink:
    """Cut away the paper around the ink. Raises `NoInkError` if there is none."""
    if not ink.size or ink.max() < _PAPER_LEVEL:
        raise NoInkError
    is_ink = ink >= _PAPER_LEVEL
    rows = np.flatnonzero(is_ink.any(axis=1))
    columns = np.flatnonzero(is_ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: Ink) -> Ink:
    """Scale to 20 pixels on the longer side, keeping the proportions; grey levels come from averaging."""
    height, width = ink.shape
    scale = DIGIT_SIZE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(
        Image.fromarray(ink).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
    )


def centre(ink: Ink) -> Ink:
    """Place ink of at most 20 × 20 on 28 × 28 pixels of paper, with its centre of mass at row 14, column 14."""
    weights = ink.astype(np.float64)
    canvas = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    start = []
    for axis in (0, 1):
        length = ink.shape[axis]
        mass = weights.sum(axis=1 - axis)
        position = float(mass @ np.arange(length)) / max(float(mass.sum()), 1e-9)
        # A digit with nearly all its ink at one end would leave the picture; it stops at the border.
        start.append(min(max(round(CENTRE - position), 0), IMAGE_SIZE - length))
    canvas[start[0] : start[0] + ink.shape[0], start[1] : start[1] + ink.shape[1]] = ink
    return canvas


def ink_from_canvas(png: bytes) -> Ink:
    """Return the ink of a canvas picture: white strokes on black or on nothing. Raises `PictureError`."""
    picture = _decode(png, max_side=MAX_CANVAS_SIDE).convert("RGBA")
    red, green, blue, alpha = np.moveaxis(np.asarray(picture, np.float32), 2, 0)
    return _to_ink((red + green + blue) / 3 * alpha / 255)


def ink_from_picture(content: bytes) -> Ink:
    """Return the ink of a picture file, dark on light or light on dark: paper is what its border shows.

    Raises `PictureError`.
    """
    grey = np.asarray(_decode(content).convert("RGBA").convert("LA"), np.float32)
    level, alpha = grey[..., 0], grey[..., 1] / 255
    on_white = level * alpha + 255 * (1 - alpha)
    if alpha.min() < 1 and on_white.min() > 255 - _PAPER_LEVEL:  # white ink on nothing
        return _to_ink(level * alpha)
    border = np.concatenate([on_white[0], on_white[-1], on_white[:, 0], on_white[:, -1]])
    paper = float(np.median(border))
    contrast = (paper - on_white) / paper if paper > 127 else (on_white - paper) / (255 - paper)
    return _to_ink(255 * np.clip(contrast, 0, 1))


def _to_ink(level: NDArray[Any]) -> Ink:
    return level.round().astype(np.uint8)


def _decode(content: bytes, max_side: int = MAX_SIDE) -> Image.Image:
    """Open a picture after looking at its size: nothing large is ever unpacked."""
    if len(content) > MAX_FILE_BYTES:
        raise PictureError(f"The picture has more than {MAX_FILE_BYTES // 1_000_000} MB.")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")) as picture:
            if max(picture.size) > max_side:
                raise PictureError(f"The picture is larger than {max_side} × {max_side} pixels.")
            picture.load()
            if picture.mode.startswith(("I", "F")):
                raise PictureError("Pictures with 16 or more bits per colour are not read; save it with 8.")
            return picture.copy()
    except PictureError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise PictureError("This is not a picture that can be read, or it is damaged.") from error
