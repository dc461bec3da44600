"""Picture files to pixels and ink: what is read, and what is refused with a sentence."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mnist_core.common.arrays import Ink
from mnist_core.drawing.photos.picture_files import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    SIDE,
    PictureError,
    grey,
    ink_from_picture,
    read_picture,
)
from mnist_core.drawing.preparation import NoInkError, prepare

FORMATS = ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]


@pytest.fixture(scope="module")
def seven() -> Ink:
    """A seven drawn with soft edges, 280 × 280."""
    picture = Image.new("L", (1120, 1120))
    ImageDraw.Draw(picture).line([(320, 280), (800, 300), (520, 840)], fill=255, width=80, joint="curve")
    return np.asarray(picture.reduce(4))


def assert_same_ink(read: Ink, ink: Ink) -> None:
    """Both must be drawn alike, however dark the pen was: soft edges may differ a little."""
    assert read.shape == ink.shape
    assert np.abs(read.astype(float) - ink.astype(float)).mean() <= 1.5
    assert np.mean((read >= 128) != (ink >= 128)) <= 0.003


def file_bytes(picture: Image.Image | np.ndarray, file_format: str = "PNG", **options: object) -> bytes:
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def with_alpha(colour: int, alpha: Ink) -> Image.Image:
    """Return a picture of one grey, more or less opaque."""
    return Image.merge("RGBA", [Image.new("L", alpha.shape[::-1], colour)] * 3 + [Image.fromarray(alpha)])


# What is read


def test_dark_on_light_is_ink(seven: Ink) -> None:
    assert_same_ink(ink_from_picture(file_bytes(255 - seven)), seven)


def test_light_on_dark_is_ink(seven: Ink) -> None:
    assert_same_ink(ink_from_picture(file_bytes(seven)), seven)


def test_dark_on_nothing_is_ink(seven: Ink) -> None:
    assert_same_ink(ink_from_picture(file_bytes(with_alpha(0, seven))), seven)


def test_light_on_nothing_is_ink(seven: Ink) -> None:
    """What a canvas gives when it is saved."""
    assert_same_ink(ink_from_picture(file_bytes(with_alpha(255, seven))), seven)


def test_transparency_of_a_palette_counts(seven: Ink) -> None:
    picture = Image.fromarray((seven < 128).astype(np.uint8)).convert("P")
    picture.putpalette([0, 0, 0] * 256)  # black ink, and black that is not there
    read = read_picture(file_bytes(picture, "PNG", transparency=1))
    assert np.array_equal(read[..., 0], np.where(seven < 128, 255, 0))


@pytest.mark.parametrize(("paper", "pen"), [(200, 20), (150, 0), (90, 255), (60, 240)])
def test_grey_paper_is_no_ink(seven: Ink, paper: int, pen: int) -> None:
    photo = (paper + (pen - paper) * (seven / 255)).round().astype(np.uint8)
    assert_same_ink(ink_from_picture(file_bytes(photo)), seven)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P"])
def test_common_formats_and_modes_are_read(seven: Ink, file_format: str, mode: str) -> None:
    picture = Image.fromarray(255 - seven).convert("L" if (file_format, mode) == ("JPEG", "P") else mode)
    read = ink_from_picture(file_bytes(picture, file_format))
    if mode == "1":  # Pillow scatters black and white over soft edges
        assert np.mean((read >= 128) != (seven >= 128)) <= 0.02
    else:
        assert_same_ink(read, seven)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_the_inks_of_a_printer_are_converted(seven: Ink, file_format: str) -> None:
    picture = Image.fromarray(255 - seven).convert("RGB").convert("CMYK")
    assert_same_ink(ink_from_picture(file_bytes(picture, file_format)), seven)


def test_colour_counts_as_grey(seven: Ink) -> None:
    picture = np.full((*seven.shape, 3), 255, np.uint8)
    picture[seven >= 128] = (20, 30, 160)  # a blue pen
    assert grey(read_picture(file_bytes(picture)))[seven >= 128].tolist()[0] == round(
        0.299 * 20 + 0.587 * 30 + 0.114 * 160
    )
    read = ink_from_picture(file_bytes(picture))
    assert np.array_equal(read >= 128, seven >= 128)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize(("paper", "pen"), [(65_535, 0), (0, 65_535), (40_000, 3_000), (3_000, 40_000), (4_095, 200)])
def test_sixteen_bits_are_read_rightly(seven: Ink, file_format: str, paper: int, pen: int) -> None:
    levels = (paper + (pen - paper) * (seven / 255)).round().astype(np.uint16)
    assert_same_ink(ink_from_picture(file_bytes(levels, file_format)), seven)


# How each value of EXIF's orientation says the camera was held: what must be done to see the picture upright.
UPRIGHT = {
    1: lambda it: it,
    2: np.fliplr,
    3: lambda it: np.rot90(it, 2),
    4: np.flipud,
    5: lambda it: np.swapaxes(it, 0, 1),
    6: lambda it: np.rot90(it, -1),
    7: lambda it: np.swapaxes(np.rot90(it, 2), 0, 1),
    8: lambda it: np.rot90(it, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_as_its_camera_was_held(orientation: int, file_format: str) -> None:
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[:20, :20] = 255
    stored[20:, :20] = 120
    exif = Image.Exif()
    exif[0x112] = orientation
    read = read_picture(file_bytes(stored, file_format, exif=exif))
    expected = UPRIGHT[orientation](stored)
    assert read.shape == expected.shape
    assert np.abs(read.astype(int) - expected).mean() < 8


@pytest.mark.parametrize(("height", "width"), [(3000, 4000), (4000, 3000), (1700, 10), (SIDE, SIDE), (30, 20)])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_large_pictures_are_scaled_down_in_proportion(height: int, width: int, file_format: str) -> None:
    read = read_picture(file_bytes(np.full((height, width), 200, np.uint8), file_format))
    scale = min(1, SIDE / max(height, width))
    assert read.shape[2] == 3
    assert abs(read.shape[0] - height * scale) <= 1
    assert abs(read.shape[1] - width * scale) <= 1
    assert abs(int(read.mean()) - 200) <= 2


def test_a_jpeg_with_a_hidden_second_picture_is_its_first_one(seven: Ink) -> None:
    """Phones put a map of brightness, or the view of a second lens, behind the photo."""
    first, second = Image.fromarray(255 - seven), Image.new("L", (40, 30), 90)
    content = file_bytes(first, "MPO", save_all=True, append_images=[second])
    assert_same_ink(ink_from_picture(content), seven)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_has_no_ink(level: int) -> None:
    with pytest.raises(NoInkError):
        prepare(ink_from_picture(file_bytes(np.full((40, 40), level, np.uint8))))


# What is refused


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


SMALL = np.random.default_rng(0).integers(0, 256, (30, 25), np.uint8)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(PictureError, match=r"^The file is empty: choose another one\.$"):
        read_picture(b"")


@pytest.mark.parametrize(
    "content",
    [
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
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(PictureError, match="not a picture that can be read, or it is damaged: choose a JPEG or PNG"):
        read_picture(content)


@pytest.mark.filterwarnings("ignore::Warning:PIL")
@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_truncated_picture_is_refused(file_format: str, share: float) -> None:
    content = file_bytes(SMALL, file_format)
    with pytest.raises(PictureError, match="damaged"):
        read_picture(content[: int(len(content) * share)])


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_is_refused(file_format: str) -> None:
    frames = [Image.new("L", (20, 20), level) for level in (0, 120, 255)]
    content = file_bytes(frames[0], file_format, save_all=True, append_images=frames[1:])
    with pytest.raises(PictureError, match=r"^The file holds several pictures, such as an animation: save one of them"):
        read_picture(content)


@pytest.mark.public(id="no-costly-photos")
def test_tens_of_thousands_of_pictures_in_a_file_take_no_time() -> None:
    """Each page of a TIFF tells where the next one is."""
    page = struct.pack("<H", 8)
    for tag, kind, value in (
        *((256, 3, 8), (257, 3, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1)),
        *((273, 4, 8), (278, 3, 8), (279, 4, 64)),
    ):
        page += struct.pack("<HHII", tag, kind, 1, value)
    size, pages = len(page) + 4, 35_000
    ends = range(72 + size, 72 + size * (pages + 1), size)
    content = struct.pack("<2sHI", b"II", 42, 72) + bytes(64)
    content += b"".join(page + struct.pack("<I", end if end != ends[-1] else 0) for end in ends)
    assert len(content) <= MAX_FILE_BYTES
    started = time.process_time()
    with pytest.raises(PictureError, match=r"^The file holds several pictures"):
        read_picture(content)
    assert time.process_time() - started < 2  # to count them takes 40 s


@pytest.mark.public(id="no-costly-photos")
def test_a_jpeg_of_thousands_of_scans_is_refused() -> None:
    """Unpacking passes over the whole picture for each scan; those of today's cameras have one, of web pages ten."""
    content = file_bytes(Image.new("L", (400, 300), 255), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    assert read_picture(content).shape == (300, 400, 3)
    bomb = content[:-2] + content[last:-2] * 3000 + content[-2:]
    with pytest.raises(PictureError, match=r"^The picture is put together from too many pieces: open it and save it"):
        read_picture(bomb)


@pytest.mark.public(id="no-costly-photos")
def test_a_tiff_of_too_many_strips_is_refused() -> None:
    picture = Image.new("L", (1, 20_000), 255)
    assert read_picture(file_bytes(picture, "TIFF", tiffinfo={278: 100})).shape[0] == SIDE
    with pytest.raises(PictureError, match="too many pieces"):
        read_picture(file_bytes(picture, "TIFF", tiffinfo={278: 1}))


@pytest.mark.parametrize(("mode", "file_format"), [("1", "PNG"), ("P", "PNG"), ("P", "GIF"), ("1", "TIFF")])
def test_thin_lines_of_a_large_scan_are_averaged_not_lost(mode: str, file_format: str) -> None:
    """A pixel of a picture four times smaller tells of all sixteen."""
    levels = np.full((4 * SIDE, 4 * SIDE // 8), 255, np.uint8)
    levels[:, 401] = 0
    read = grey(read_picture(file_bytes(Image.fromarray(levels).convert(mode), file_format)))
    assert read.shape == (SIDE, SIDE // 8)
    assert read[:, 100].min() == read[:, 100].max() == pytest.approx(255 * 3 / 4, abs=2)


@pytest.mark.parametrize("mode", ["1", "P", "I;16", "RGBA"])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_what_is_converted_first_is_turned_all_the_same(mode: str, file_format: str) -> None:
    picture = Image.fromarray(np.where(np.arange(40) < 20, 0, 255).astype(np.uint8).repeat(60).reshape(40, 60))
    exif = Image.Exif()
    exif[0x0112] = 6
    read = read_picture(file_bytes(picture.convert(mode), file_format, exif=exif))
    assert read.shape == (60, 40, 3)
    assert read[:, :15].min() > 200  # what was at the bottom is on the left
    assert read[:, 25:].max() < 50


def test_more_than_sixteen_bits_are_refused() -> None:
    for levels in (np.zeros((9, 9), np.float32), np.full((9, 9), 70_000, np.int32), np.full((9, 9), -1, np.int32)):
        with pytest.raises(PictureError, match=r"^The picture has more than 16 bits for each pixel: save it with 8\.$"):
            read_picture(file_bytes(levels, "TIFF"))


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_a_picture_in_the_format_of_iphones_is_named(brand: bytes) -> None:
    with pytest.raises(PictureError, match=r"^This is a HEIC picture, .*: save it as JPEG\.$"):
        read_picture(struct.pack(">I", 24) + b"ftyp" + brand + bytes(100))


@pytest.mark.public(id="may-draw")
@pytest.mark.parametrize(("width", "height"), [(5_001, 5_000), (8_000, 8_000)])
def test_too_many_pixels_are_refused_by_number(width: int, height: int) -> None:
    with pytest.raises(PictureError, match=rf"^The picture has {width:,} × {height:,} pixels, more than 25 million: "):
        read_picture(png_header(width, height))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(15_000, 15_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_would_fill_the_memory_is_not_unpacked(width: int, height: int) -> None:
    with pytest.raises(
        PictureError, match=r"^The picture has (far )?more than 25 million pixels|^The picture has [0-9,]+ ×"
    ):
        read_picture(png_header(width, height))


def test_as_many_pixels_as_are_allowed_are_read() -> None:
    assert MAX_PIXELS == 5_000 * 5_000
    assert read_picture(file_bytes(Image.new("1", (5_000, 5_000)))).shape == (SIDE, SIDE, 3)


@pytest.mark.public(id="may-draw")
def test_too_many_bytes_are_refused() -> None:
    content = file_bytes(SMALL)
    padding = MAX_FILE_BYTES - len(content)
    assert read_picture(content + bytes(padding)).shape == (*SMALL.shape, 3)
    with pytest.raises(
        PictureError, match=r"^The file has more than 5 MB: save it smaller, or crop it to the digits\.$"
    ):
        read_picture(content + bytes(padding + 1))


def test_a_tiff_with_a_number_of_the_wrong_type_is_refused() -> None:
    """The place of the pixels (tag 273) given as text: Pillow raises a `TypeError`."""
    content = bytearray(file_bytes(SMALL, "TIFF"))
    directory = struct.unpack_from("<I", content, 4)[0]
    (entries,) = struct.unpack_from("<H", content, directory)
    places = [directory + 2 + 12 * number for number in range(entries)]
    (place,) = [place for place in places if struct.unpack_from("<H", content, place)[0] == 273]
    struct.pack_into("<H", content, place + 2, 2)  # ASCII
    with pytest.raises(PictureError, match="damaged"):
        read_picture(bytes(content))


DAMAGEABLE = [
    file_bytes(SMALL),
    file_bytes(Image.fromarray(SMALL).convert("P")),
    file_bytes(with_alpha(255, SMALL)),
    file_bytes(SMALL.astype(np.uint16)),
    file_bytes(Image.fromarray(SMALL).convert("CMYK"), "JPEG"),
    *(file_bytes(SMALL, file_format) for file_format in FORMATS[1:]),
]


@pytest.mark.filterwarnings("ignore::Warning:PIL")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(DAMAGEABLE), st.data())
def test_a_damaged_picture_is_read_or_refused(content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged), 200) - 1))] = data.draw(st.integers(0, 255))
    try:
        ink = ink_from_picture(bytes(damaged))
    except PictureError as error:
        assert str(error)
    else:
        assert ink.ndim == 2
        assert ink.dtype == np.uint8
