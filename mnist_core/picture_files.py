"""Picture files that come from outside, from a canvas or a camera: looked at before they are unpacked, and turned to ink."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.drawing import PAPER_LEVEL, Ink

MAX_SIDE = 4096
MAX_CANVAS_SIDE = 1120  # 280 pixels on a screen that has 16 points for each
MAX_FILE_BYTES = 5_000_000


class PictureError(ValueError):
    """Bytes that are not a picture we accept; the message says why."""


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
    if alpha.min() < 1 and on_white.min() > 255 - PAPER_LEVEL:  # white ink on nothing
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
