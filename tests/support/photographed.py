"""Photos of digits on paper, made up: whoever makes them knows what is on them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

SIZE = (1280, 960)  # width, height
TURNS = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


@dataclass(frozen=True)
class Scene:
    """What paper, pen, light and camera were like."""

    paper: float = 0.85  # how much light it gives back
    pen: float = 0.15
    height: int = 110  # of a digit, in pixels
    gap: float = 0.4  # between digits, as a share of their height
    darker: float = 0.0  # how much less light there is in one corner than in the other
    shadow: float = 0.0  # how much light a shadow over one half takes away
    softness: float = 50.0  # pixels over which the shadow begins
    grain: float = 0.01
    noise: float = 0.01
    blur: float = 1.0
    degrees: float = 0.0  # by which the rows slope
    squares: float = 0.0  # how dark the lines of squared paper are
    table: bool = False  # whether the sheet lies on a dark table that is seen around it
    orientation: int = 1  # EXIF's word for how the camera was held
    quality: int = 80


def photo(rows: list[NDArray[np.uint8]], scene: Scene, seed: int = 0) -> bytes:
    """Return a JPEG of rows of digits, each (n, 28, 28) as MNIST has them."""
    generator = np.random.default_rng(seed)
    width, height = SIZE
    ink = _written(rows, scene, generator)
    if scene.degrees:
        ink = ink.rotate(scene.degrees, Image.Resampling.BICUBIC)
    covered = np.asarray(ink, np.float32) / 255
    grain = scene.grain * (_clouds(generator, 3) + _clouds(generator, 40))
    surface = scene.paper * (1 + grain)
    if scene.squares:
        lines = np.zeros((height, width), bool)
        lines[::48] = lines[1::48] = lines[:, ::48] = lines[:, 1::48] = True
        surface = np.where(lines, surface * (1 - scene.squares), surface)
    surface = surface * (1 - covered) + scene.pen * covered
    if scene.table:
        sheet = Image.new("L", SIZE)
        sheet.paste(255, (50, 60, width - 40, height - 70))
        on_sheet = np.asarray(sheet.rotate(2)) > 0
        surface = np.where(on_sheet, surface, 0.25 * (1 + 0.15 * _clouds(generator, 30)))
    down, across = np.mgrid[:height, :width] / width
    light = 1 - scene.darker * (0.8 * across + 0.2 * down)
    distance = (0.88 * across + 0.48 * down - 0.55) * width
    light = light * (1 - scene.shadow / (1 + np.exp(-distance / scene.softness)))
    image = Image.fromarray((255 * np.clip(surface * light, 0, 1)).astype(np.uint8))
    levels = np.asarray(image.filter(ImageFilter.GaussianBlur(scene.blur)), np.float32)
    noisy = levels[..., None] + 255 * scene.noise * generator.standard_normal((height, width, 3), np.float32)
    taken = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    turn = TURNS[scene.orientation]
    exif = Image.Exif()
    exif[0x112] = scene.orientation
    content = io.BytesIO()
    (taken if turn is None else taken.transpose(turn)).save(content, "JPEG", quality=scene.quality, exif=exif)
    return content.getvalue()


def _written(rows: list[NDArray[np.uint8]], scene: Scene, generator: np.random.Generator) -> Image.Image:
    page = Image.new("L", SIZE)
    factor = scene.height / 20
    for number, row in enumerate(rows):
        digits = [_enlarged(digit, factor) for digit in row]
        gaps = scene.height * scene.gap * generator.uniform(0.8, 1.2, len(digits))
        left = (SIZE[0] - sum(digit.width for digit in digits) - gaps.sum()) / 2
        top = SIZE[1] / 2 + (number - len(rows) / 2) * 1.7 * scene.height
        for digit, gap in zip(digits, gaps, strict=True):
            place = (round(left), round(top + 0.08 * scene.height * generator.uniform(-1, 1)))
            page.paste(digit, place)
            left += digit.width + gap
    return page


def _enlarged(digit: NDArray[np.uint8], factor: float) -> Image.Image:
    side = round(28 * factor)
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    return large.crop(large.point(lambda level: 255 * (level >= 64)).getbbox())


def _clouds(generator: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return noise of which neighbours up to `size` pixels away are alike, (height, width)."""
    width, height = SIZE
    coarse = generator.normal(size=(height // size + 2, width // size + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC))
