"""Augmentation: training images changed at random, as if somebody else had written the same digit.

Only NumPy, so that a page can show what training will see, and so that one generator gives the same images everywhere.
Keras's preprocessing layers need TensorFlow, and bend and thicken nothing.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.data import continental_strokes

_Floats = NDArray[np.floating]

_SIDE = 28
_CHUNK = 1024  # images at a time: what they need then fits into the processor's cache
_KNOTS = 5  # an elastic distortion is a smooth field through random displacements at 5 × 5 points
_AFFINE = 6  # rotation, shear, zoom, shift twice, thickness
_AMOUNTS = _AFFINE + 2 * _KNOTS**2


@dataclass(frozen=True)
class Augmentation:
    """How far each image may be changed; each change is drawn evenly from minus to plus this amount."""

    rotation: float = 0.0  # degrees
    shift: float = 0.0  # pixels, across and down
    zoom: float = 0.0  # 0.1: from 90% to 110% of the size
    shear: float = 0.0  # degrees that upright strokes lean
    elastic: float = 0.0  # pixels that parts of the image move against each other
    thickness: float = 0.0  # 1: strokes lose or gain up to a pixel on each side
    continental: float = 0.0  # share of 1s that get an upstroke and of 7s that get a bar, see `continental_strokes`

    @property
    def active(self) -> bool:
        """Whether images are changed at all."""
        return any(astuple(self))


def augment(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], augmentation: Augmentation, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Return changed copies of images (n, 28, 28) uint8 with labels (n,), each with its own random numbers.

    The result does not depend on how images are divided among calls: each takes the same number of random numbers.
    """
    if not augmentation.active:
        return images
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(images), _CHUNK)]
    changed = (_augment_chunk(images[chunk], labels[chunk], augmentation, generator) for chunk in chunks)
    return np.concatenate([images[:0], *changed])


def _augment_chunk(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], augmentation: Augmentation, generator: np.random.Generator
) -> NDArray[np.uint8]:
    further = continental_strokes.NUMBERS if augmentation.continental else 0
    numbers = generator.random((len(images), _AMOUNTS + further), dtype=np.float32)
    amounts = numbers[:, :_AMOUNTS] * 2 - 1  # -1 to 1
    changed: _Floats = images.astype(np.float32)
    if augmentation.continental:
        changed = continental_strokes.write_continental(
            changed, labels, numbers[:, _AMOUNTS:], augmentation.continental
        )
    if any((augmentation.rotation, augmentation.shift, augmentation.zoom, augmentation.shear, augmentation.elastic)):
        x, y = _sources(amounts, augmentation)
        changed = _sample(changed, x, y)
    if augmentation.thickness:
        changed = _change_thickness(changed, amounts[:, 5] * augmentation.thickness)
    return (changed + 0.5).astype(np.uint8)


def _sources(
    amounts: NDArray[np.float32], augmentation: Augmentation
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return for each pixel of each result where in the original it is taken from: x and y, (n, 28, 28)."""
    angle = np.radians(amounts[:, 0] * augmentation.rotation)[:, None, None]
    lean = np.tan(np.radians(amounts[:, 1] * augmentation.shear))[:, None, None]
    size = (1 + amounts[:, 2] * augmentation.zoom)[:, None, None]
    right = (amounts[:, 3] * augmentation.shift)[:, None, None]
    down = (amounts[:, 4] * augmentation.shift)[:, None, None]
    centre = (_SIDE - 1) / 2
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32) - np.float32(centre)
    x, y = x[None] - right, y[None] - down
    turned_x = (np.cos(angle) * x + np.sin(angle) * y) / size
    turned_y = (np.cos(angle) * y - np.sin(angle) * x) / size
    source_x, source_y = turned_x + lean * turned_y + centre, turned_y + centre
    if augmentation.elastic:
        knots = amounts[:, _AFFINE:].reshape(-1, 2, _KNOTS, _KNOTS)
        field = _SPREAD @ knots @ _SPREAD.T * augmentation.elastic  # (n, 2, 28, 28)
        source_x, source_y = source_x + field[:, 0], source_y + field[:, 1]
    return source_x, source_y


def _spread() -> NDArray[np.float32]:
    """Return the weights, (28, knots), that make a smooth curve of values at the knots."""
    distance = np.arange(_SIDE)[:, None] - np.linspace(0, _SIDE - 1, _KNOTS)[None]
    weights = np.exp(-((distance / (_SIDE / _KNOTS)) ** 2))
    spread: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return spread


_SPREAD = _spread()


def _sample(images: _Floats, x: NDArray[np.float32], y: NDArray[np.float32]) -> _Floats:
    """Return images (n, 28, 28) read at fractional positions, bilinearly; outside of an image is black."""
    width = _SIDE + 2
    framed = np.zeros((len(images), width, width), np.float32)
    framed[:, 1:-1, 1:-1] = images
    flat = framed.reshape(-1)
    x, y = np.clip(x + 1, 0, width - 1.001), np.clip(y + 1, 0, width - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    across, down = x - column, y - row
    corner = row * width + column + (np.arange(len(images), dtype=np.int32) * width * width)[:, None, None]
    above = flat[corner] * (1 - across) + flat[corner + 1] * across
    below = flat[corner + width] * (1 - across) + flat[corner + width + 1] * across
    sampled: _Floats = above * (1 - down) + below * down
    return sampled


def _change_thickness(images: _Floats, amounts: NDArray[np.float32]) -> _Floats:
    """Blend each image with itself grown (amount above 0) or shrunk (below 0) by one pixel."""
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    neighbours = (framed[:, :-2, 1:-1], framed[:, 2:, 1:-1], framed[:, 1:-1, :-2], framed[:, 1:-1, 2:])
    grown, shrunk = images, images
    for neighbour in neighbours:
        grown, shrunk = np.maximum(grown, neighbour), np.minimum(shrunk, neighbour)
    amounts = amounts[:, None, None]
    blended: _Floats = images + np.abs(amounts) * (np.where(amounts > 0, grown, shrunk) - images)
    return blended
