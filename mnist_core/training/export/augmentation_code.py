"""Augmentation as NumPy code of its own: the same pixels as `augmentation`, from the same random numbers."""

from __future__ import annotations

import inspect

from mnist_core.data import continental_strokes
from mnist_core.data.augmentation import Augmentation

_SMOOTH_CURVES = """\
# Weights that make a smooth curve over 28 pixels through values at 5 points.
distance = np.arange(28)[:, np.newaxis] - np.linspace(0, 27, 5)
CURVES = np.exp(-((distance / (28 / 5)) ** 2))
CURVES = (CURVES / CURVES.sum(axis=1, keepdims=True)).astype(np.float32)"""

_READ_BETWEEN_PIXELS = '''\
def read_between_pixels(images, x, y):
    """Return images read at any positions, bilinearly; outside of an image is black."""
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    x, y = np.clip(x + 1, 0, 28.999), np.clip(y + 1, 0, 28.999)
    column, row = x.astype(int), y.astype(int)
    x, y = x - column, y - row
    image = np.arange(len(images))[:, np.newaxis, np.newaxis]
    above = framed[image, row, column] * (1 - x) + framed[image, row, column + 1] * x
    below = framed[image, row + 1, column] * (1 - x) + framed[image, row + 1, column + 1] * x
    return above * (1 - y) + below * y'''

_CHANGE_THICKNESS = '''\
def change_thickness(images, amounts):
    """Blend images with themselves grown (amount above 0) or shrunk (below 0) by one pixel."""
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    up, down = framed[:, :-2, 1:-1], framed[:, 2:, 1:-1]
    left, right = framed[:, 1:-1, :-2], framed[:, 1:-1, 2:]
    grown = np.max([images, up, down, left, right], axis=0)
    shrunk = np.min([images, up, down, left, right], axis=0)
    return images + np.abs(amounts) * (np.where(amounts > 0, grown, shrunk) - images)'''


def augmentation_words(augmentation: Augmentation) -> str:
    """Return what the code does to images, in sentences."""
    changes = {
        f"turned by up to {augmentation.rotation:g} degrees": augmentation.rotation,
        f"moved by up to {_pixels(augmentation.shift)}": augmentation.shift,
        f"made larger or smaller by up to {100 * augmentation.zoom:g}%": augmentation.zoom,
        f"slanted by up to {augmentation.shear:g} degrees": augmentation.shear,
        f"warped by up to {_pixels(augmentation.elastic)}": augmentation.elastic,
        f"drawn thinner or thicker by up to {_pixels(augmentation.thickness)} on each side": augmentation.thickness,
    }
    if augmentation.continental:
        share = f"{100 * augmentation.continental:g}%"
        changes[f"for {share} of the 1s and 7s, written as on the continent of Europe"] = augmentation.continental
    *others, last = [words for words, amount in changes.items() if amount]
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"No training image is seen twice the same: each time it is {listed}, at random."


def _pixels(amount: float) -> str:
    return f"{amount:g} pixel{'' if amount == 1 else 's'}"


def augmentation_code(augmentation: Augmentation) -> str:
    """Return code with a function `augment(images, generator)` for images (n, 28, 28, 1) uint8.

    Where it depends on the digits how images are changed, it is `augment(images, labels, generator)`.
    """
    positions = _positions(augmentation)
    blocks = [_READ_BETWEEN_PIXELS] if positions else []
    blocks += [_CHANGE_THICKNESS] if augmentation.thickness else []
    blocks += [_SMOOTH_CURVES] if augmentation.elastic else []
    blocks += _continental_functions() if augmentation.continental else []
    count = 56 + (continental_strokes.NUMBERS if augmentation.continental else 0)
    body = [
        '"""Return changed copies of images (n, 28, 28, 1), each changed by random amounts of its own."""',
        f"# {count} numbers for each image, as Digit Lab draws them, used or not; 56 of them become -1 to 1.",
        f"numbers = generator.random((len(images), {count}), dtype=np.float32)",
    ]
    if positions or augmentation.thickness:
        body.append("amounts = numbers[:, :56] * 2 - 1")
    body.append("images = images[..., 0].astype(np.float32)")
    if augmentation.continental:
        body.append(f"images = write_continental(images, labels, numbers[:, 56:], {augmentation.continental!r})")
    if positions:
        body += ["# Where in the old image each pixel of the new one is read.", *positions]
        body.append("images = read_between_pixels(images, x, y)")
    if augmentation.thickness:
        body.append(f"images = change_thickness(images, amounts[:, 5, None, None] * {augmentation.thickness!r})")
    body.append("return (images + 0.5).astype(np.uint8)[..., np.newaxis]")
    arguments = "images, labels, generator" if augmentation.continental else "images, generator"
    return "\n\n\n".join([*blocks, "\n    ".join([f"def augment({arguments}):", *body])])


def _continental_functions() -> list[str]:
    """Return the import and the functions that write 1s and 7s otherwise, as they stand in `continental_strokes`."""
    functions = [each for _, each in inspect.getmembers(continental_strokes, inspect.isfunction)]
    functions.sort(key=lambda function: function.__code__.co_firstlineno)
    return ["from numpy.typing import NDArray", *(inspect.getsource(function).strip() for function in functions)]


def _positions(augmentation: Augmentation) -> list[str]:
    """Return lines that compute `x` and `y`, (n, 28, 28) or what broadcasts to it; none if pixels stay in place."""
    lines = []
    if augmentation.shift:
        lines.append(f"x = x - amounts[:, 3, None, None] * {augmentation.shift!r}  # moved right")
        lines.append(f"y = y - amounts[:, 4, None, None] * {augmentation.shift!r}  # moved down")
    if augmentation.rotation:
        lines.append(f"angle = np.radians(amounts[:, 0, None, None] * {augmentation.rotation!r})")
        lines.append("x, y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x")
    if augmentation.zoom:
        lines.append(f"size = 1 + amounts[:, 2, None, None] * {augmentation.zoom!r}")
        lines.append("x, y = x / size, y / size")
    if augmentation.shear:
        lines.append(f"slant = np.radians(amounts[:, 1, None, None] * {augmentation.shear!r})")
        lines.append("x = x + np.tan(slant) * y")
    if lines:
        start = "y, x = np.mgrid[:28, :28].astype(np.float32) - 13.5  # seen from the centre"
        lines = [start, *lines, "x, y = x + 13.5, y + 13.5"]
    if augmentation.elastic:
        lines = lines or ["y, x = np.mgrid[:28, :28].astype(np.float32)"]
        lines.append("points = amounts[:, 6:].reshape(-1, 2, 5, 5)  # moved at random; the rest follows smoothly")
        lines.append(f"moves = CURVES @ points @ CURVES.T * {augmentation.elastic!r}")
        lines.append("x, y = x + moves[:, 0], y + moves[:, 1]")
    return lines
