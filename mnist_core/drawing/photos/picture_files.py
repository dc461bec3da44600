"""Picture files from outside: looked at before they are unpacked, and turned to pixels or to ink."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mnist_core.common.arrays import Ink
from mnist_core.common.errors import DigitLabError
from mnist_core.drawing.photos import binarisation

Picture = NDArray[np.uint8]  # (height, width, 3), red, green, blue

MAX_FILE_BYTES = 5_000_000  # a phone's photo has 2 to 6 million
MAX_PIXELS = 25_000_000  # most phones take 12 million
SIDE = 1600  # what a larger picture is scaled down to: a row of twenty digits still has 50 pixels for each

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_JPEG = ("JPEG", "MPO")  # the second is a JPEG with a further picture in it
_MOVING = ("PNG", "GIF", "WEBP", "TIFF")  # some phones put a second, hidden picture into a JPEG; that is no film
MAX_SCANS = 100  # of a JPEG, which usually has one or ten: unpacking passes over all of the picture for each
MAX_PIECES = 10_000  # strips or tiles of a TIFF, which usually has one for some rows
_SCAN = b"\xff\xda"  # how each scan of a JPEG begins; its own data cannot hold this
_STRIPS, _TILES = 273, 324  # tags of a TIFF: where its strips or tiles are
_ORIENTATION = 274  # a tag of EXIF: how the camera was held
_STRIP_PIXELS = 1_000_000  # of a picture of 16 bits a pixel that are converted at a time
_WHITE_LEVEL = 223  # what is at least as light, in all that can be seen, is meant for a dark page
# What a file of Apple's format says of itself in bytes 8 to 11.
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")


class PictureError(DigitLabError, ValueError):
    """Bytes that are not a picture we accept; the message says why, and what to do."""


def ink_from_picture(content: bytes) -> Ink:
    """Return the ink of a picture file, (height, width): what is darker than its paper, or lighter, whichever is drawn.

    Raises `PictureError`.
    """
    contrast = binarisation.contrast(grey(read_picture(content)))
    return binarisation.ink(contrast, binarisation.automatic_threshold(contrast))


def read_picture(content: bytes) -> Picture:
    """Return a picture file as it is meant to be seen: upright, opaque, at most `SIDE` pixels long.

    CMYK and 16 bits a pixel are converted. Raises `PictureError`.
    """
    with _opened(content) as picture:
        picture.draft("RGB", (SIDE, SIDE))  # a JPEG unpacks to a half or a quarter of its size, if that is enough
        picture.load()
        orientation = picture.getexif().get(_ORIENTATION, 1)  # a TIFF is upright now, and says so
        small = _averageable(_eight_bits(picture))
        small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)  # before anything else: copies of the whole take memory
        small.getexif()[_ORIENTATION] = orientation
        return np.asarray(_opaque(ImageOps.exif_transpose(small)))


def grey(picture: Picture) -> binarisation.Levels:
    """Return how light a picture is, (height, width) uint8: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601)."""
    return np.asarray(Image.fromarray(picture).convert("L"))


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """Open a picture and look at its size, before anything is unpacked; raise `PictureError` whatever goes wrong."""
    if not content:
        raise PictureError("The file is empty: choose another one.")
    if len(content) > MAX_FILE_BYTES:
        raise PictureError(
            f"The file has more than {MAX_FILE_BYTES // 1_000_000} MB: save it smaller, or crop it to the digits."
        )
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        raise PictureError("This is a HEIC picture, which only some phones can read: save it as JPEG.")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise PictureError(
                    f"The picture has {picture.width:,} × {picture.height:,} pixels, more than "
                    f"{MAX_PIXELS // 1_000_000} million: save it smaller, or crop it to the digits."
                )
            # Not `n_frames`, which may have to walk through many thousands.
            if picture.format in _MOVING and getattr(picture, "is_animated", False):
                raise PictureError("The file holds several pictures, such as an animation: save one of them by itself.")
            if _pieces(picture) > MAX_PIECES or (picture.format in _JPEG and content.count(_SCAN) > MAX_SCANS):
                raise PictureError("The picture is put together from too many pieces: open it and save it again.")
            yield picture
    except PictureError:
        raise
    except Image.DecompressionBombError as error:  # Pillow opens no picture of 179 million pixels or more
        million = MAX_PIXELS // 1_000_000
        raise PictureError(
            f"The picture has far more than {million} million pixels: save it smaller, or crop it to the digits."
        ) from error
    except Exception as error:  # Pillow raises many kinds for damaged files, and for sizes that only an attack has
        raise PictureError(
            "This is not a picture that can be read, or it is damaged: choose a JPEG or PNG file."
        ) from error


def _pieces(picture: Image.Image) -> int:
    """Return in how many pieces a picture that is not unpacked yet lies in its file."""
    tags = getattr(picture, "tag_v2", {})
    return max(len(getattr(picture, "tile", ())), *(len(tags.get(tag, ())) for tag in (_STRIPS, _TILES)))


def _averageable(picture: Image.Image) -> Image.Image:
    """Return a picture whose neighbouring pixels can be averaged, unlike places in a palette, or black and white."""
    if picture.has_transparency_data:
        return picture if picture.mode in ("LA", "RGBA") else picture.convert("RGBA")
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Return a picture of 16 bits a pixel, whose levels may end anywhere below 65,536, with 8; others as they are."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    lowest = min(float(strip.min()) for strip in _strips(picture))
    highest = max(float(strip.max()) for strip in _strips(picture))
    if picture.mode == "F" or lowest < 0 or highest > 65_535:
        raise PictureError("The picture has more than 16 bits for each pixel: save it with 8.")
    eight_bits = (255 * np.arange(highest + 1) / max(highest, 1)).round().astype(np.uint8)
    scaled = Image.fromarray(np.concatenate([eight_bits[strip] for strip in _strips(picture)]))
    scaled.info = picture.info
    return scaled


def _strips(picture: Image.Image) -> Iterator[NDArray[np.generic]]:
    """Yield the rows of a picture, some at a time: an array of them all would take several times its memory."""
    rows = max(1, _STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        yield np.asarray(picture.crop((0, top, picture.width, min(top + rows, picture.height))))


def _opaque(picture: Image.Image) -> Image.Image:
    """Return what is seen of a picture with transparent parts on a white page; on a black one if all of it is white."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    colours = picture.convert("RGBA")
    visible = np.asarray(colours.convert("LA"))
    on_white = 255 - (255 - visible[..., 0].astype(int)) * visible[..., 1] // 255
    page = Image.new("RGBA", colours.size, "black" if on_white.min() >= _WHITE_LEVEL else "white")
    return Image.alpha_composite(page, colours).convert("RGB")
