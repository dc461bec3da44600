"""Picture files to ink: what is read, and what is refused with a sentence."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mnist_core.drawing import Ink, NoInkError, prepare
from mnist_core.picture_files import (
    MAX_CANVAS_SIDE,
    MAX_FILE_BYTES,
    MAX_SIDE,
    PictureError,
    ink_from_canvas,
    ink_from_picture,
)

SIDE = 280
READERS = [ink_from_canvas, ink_from_picture]
LONGEST_SIDES = [(ink_from_canvas, MAX_CANVAS_SIDE), (ink_from_picture, MAX_SIDE)]


@pytest.fixture(scope="module")
def seven() -> Ink:
    """A seven, drawn with soft edges, on a canvas of 280 × 280."""
    picture = Image.new("L", (2 * SIDE, 2 * SIDE))
    ImageDraw.Draw(picture).line([(160, 140), (400, 150), (260, 420)], fill=255, width=40, joint="curve")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))


def assert_same_ink(read: Ink, ink: Ink) -> None:
    """Both must look alike, however dark the pen was."""
    one, other = (it.astype(float) * 255 / it.max() for it in (read, ink))
    assert np.abs(one - other).mean() <= 3


def file_bytes(picture: Image.Image | np.ndarray, file_format: str = "PNG", **options: object) -> bytes:
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def with_alpha(colour: int, alpha: Ink) -> Image.Image:
    """Return a picture of one grey, more or less opaque."""
    return Image.merge("RGBA", [Image.new("L", alpha.shape[::-1], colour)] * 3 + [Image.fromarray(alpha)])


# From the canvas


def test_white_strokes_on_nothing_are_ink() -> None:
    assert np.array_equal(ink_from_canvas(file_bytes(with_alpha(255, ink))), ink)


def test_white_strokes_on_black_are_ink() -> None:
    opaque = Image.fromarray(ink).convert("RGBA")
    assert opaque.getpixel((0, 0)) == (0, 0, 0, 255)
    assert np.array_equal(ink_from_canvas(file_bytes(opaque)), ink)


def test_half_transparent_edges_are_half_ink() -> None:
    alpha = np.array([[0, 64, 128, 255]], np.uint8)
    assert ink_from_canvas(file_bytes(with_alpha(255, alpha))).tolist() == [[0, 64, 128, 255]]
    assert ink_from_canvas(file_bytes(with_alpha(128, alpha))).tolist() == [[0, 32, 64, 128]]


def test_what_is_hidden_behind_transparency_is_no_ink() -> None:
    assert not ink_from_canvas(file_bytes(with_alpha(255, np.zeros((9, 9), np.uint8)))).any()


@pytest.mark.parametrize("read", READERS)
def test_ink_is_two_dimensional_uint8(read: Callable[[bytes], Ink]) -> None:
    ink = read(file_bytes(np.zeros((12, 34, 3), np.uint8)))
    assert ink.shape == (12, 34)
    assert ink.dtype == np.uint8


# From a picture


def test_dark_on_light_is_ink() -> None:
    assert np.array_equal(ink_from_picture(file_bytes(255 - ink)), ink)


def test_light_on_dark_is_ink() -> None:
    assert np.array_equal(ink_from_picture(file_bytes(ink)), ink)


def test_dark_on_nothing_is_ink() -> None:
    assert np.array_equal(ink_from_picture(file_bytes(with_alpha(0, ink))), ink)


def test_light_on_nothing_is_ink() -> None:
    """What the project's own canvas gives when it is saved."""
    assert np.array_equal(prepare(ink_from_picture(file_bytes(with_alpha(255, ink)))), prepare(ink))


@pytest.mark.parametrize(("paper", "pen"), [(200, 20), (150, 0), (90, 255), (60, 240)])
def test_grey_paper_is_no_ink(paper: int, pen: int) -> None:
    """Paper is what the border shows, and few photos have it white."""
    photo = np.where(ink > 0, pen, paper).astype(np.uint8)
    assert_same_ink(ink_from_picture(file_bytes(photo)), ink)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P"])
def test_common_formats_and_modes_are_read(file_format: str, mode: str) -> None:
    picture = Image.fromarray(255 - ink).convert(mode)
    if file_format == "JPEG" and mode == "P":
        picture = picture.convert("L")
    read = prepare(ink_from_picture(file_bytes(picture, file_format)))
    assert difference(read, prepare(ink)) <= 3  # JPEG and WebP are lossy


def test_colour_counts_as_grey() -> None:
    picture = np.full((CANVAS, CANVAS, 3), 255, np.uint8)
    picture[ink > 0] = (20, 30, 160)  # a blue pen
    assert_same_ink(ink_from_picture(file_bytes(picture)), ink)


@pytest.mark.parametrize(("paper", "pen"), [(65_535, 0), (0, 65_535), (40_000, 3_000), (3_000, 40_000)])
def test_sixteen_bits_are_read_rightly_or_refused(paper: int, pen: int) -> None:
    content = file_bytes(np.where(ink > 0, pen, paper).astype(np.uint16))
    try:
        read = ink_from_picture(content)
    except PictureError:
        return
    assert_same_ink(read, ink)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_has_no_ink(level: int) -> None:
    with pytest.raises(NoInkError):
        prepare(ink_from_picture(file_bytes(np.full((40, 40), level, np.uint8))))


# Files that are refused


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


SMALL = np.random.default_rng(0).integers(0, 256, (30, 25), np.uint8)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a picture", id="text"),
        pytest.param(bytes(1000), id="zeros"),
        pytest.param(np.random.default_rng(0).bytes(10_000), id="random bytes"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", id="SVG"),
        pytest.param(b"%PDF-1.7", id="PDF"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", id="EPS"),
        pytest.param(file_bytes(SMALL, "PPM"), id="a format that is not accepted"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="PNG signature"),
        pytest.param(png_header(0, 0), id="PNG of no size"),
        pytest.param(png_header(400, 300), id="PNG with fewer pixels than announced"),
    ],
)
def test_what_is_no_picture_is_refused(read: Callable[[bytes], Ink], content: bytes) -> None:
    with pytest.raises(PictureError, match="not a picture that can be read, or it is damaged"):
        read(content)


@pytest.mark.filterwarnings("ignore::Warning:PIL")
@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_truncated_picture_is_refused(read: Callable[[bytes], Ink], file_format: str, share: float) -> None:
    content = file_bytes(SMALL, file_format)
    with pytest.raises(PictureError, match="damaged"):
        read(content[: int(len(content) * share)])


@pytest.mark.parametrize(("read", "side"), LONGEST_SIDES)
def test_too_many_pixels_on_a_side_are_refused(read: Callable[[bytes], Ink], side: int) -> None:
    for shape in ((1, side + 1), (side + 1, 1)):
        with pytest.raises(PictureError, match=f"larger than {side} × {side} pixels"):
            read(file_bytes(np.zeros(shape, np.uint8)))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("width", "height"), [(8_000, 8_000), (15_000, 15_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_picture_that_would_fill_the_memory_is_not_unpacked(
    read: Callable[[bytes], Ink], width: int, height: int
) -> None:
    with pytest.raises(PictureError):
        read(png_header(width, height))


@pytest.mark.parametrize(("read", "side"), LONGEST_SIDES)
def test_the_longest_accepted_side_is_accepted(read: Callable[[bytes], Ink], side: int) -> None:
    assert read(file_bytes(np.zeros((2, side), np.uint8))).shape == (2, side)


@pytest.mark.parametrize("read", READERS)
def test_too_many_bytes_are_refused(read: Callable[[bytes], Ink]) -> None:
    content = file_bytes(SMALL)
    padding = MAX_FILE_BYTES - len(content)
    assert read(content + bytes(padding)).shape == SMALL.shape
    with pytest.raises(PictureError, match="more than 5 MB"):
        read(content + bytes(padding + 1))


@pytest.mark.parametrize("read", READERS)
def test_a_tiff_with_a_number_of_the_wrong_type_is_refused(read: Callable[[bytes], Ink]) -> None:
    """The place of the pixels (tag 273) given as text: Pillow raises a `TypeError`."""
    content = bytearray(file_bytes(SMALL, "TIFF"))
    directory = struct.unpack_from("<I", content, 4)[0]
    (entries,) = struct.unpack_from("<H", content, directory)
    places = [directory + 2 + 12 * number for number in range(entries)]
    (place,) = [place for place in places if struct.unpack_from("<H", content, place)[0] == 273]
    struct.pack_into("<H", content, place + 2, 2)  # ASCII
    with pytest.raises(PictureError, match="damaged"):
        read(bytes(content))


DAMAGEABLE = [
    file_bytes(SMALL),
    file_bytes(Image.fromarray(SMALL).convert("P")),
    file_bytes(with_alpha(255, SMALL)),
    *(file_bytes(SMALL, file_format) for file_format in ("JPEG", "GIF", "BMP", "WEBP", "TIFF")),
]


@pytest.mark.filterwarnings("ignore::Warning:PIL")
@settings(max_examples=400, deadline=None)
@given(st.sampled_from(DAMAGEABLE), st.data())
def test_a_damaged_picture_is_read_or_refused(content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged), 200) - 1))] = data.draw(st.integers(0, 255))
    for read in READERS:
        try:
            ink = read(bytes(damaged))
        except PictureError as error:
            assert str(error)
        else:
            assert ink.ndim == 2
            assert ink.dtype == np.uint8
