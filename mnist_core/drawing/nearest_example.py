"""How like an image is to the digits of the training set.

A network answers with a digit whatever it is shown. Whether something is like a digit at all has to be asked in another
way; here it is compared with training images, by which way their lines run in each part of the picture. That says more
than grey levels, which differ as soon as a line lies beside another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Labels
from mnist_core.data.continental_strokes import NUMBERS, write_continental
from mnist_core.data.dataset import CLASSES

Features = NDArray[np.float32]  # (n, 245), each row of length 1

_CELLS = 7  # the picture is looked at in 7 × 7 parts
_DIRECTIONS = 4  # of lines: upright, level and the two between
_INK_WEIGHT = 0.2  # of how much ink there is in each part, the rest is for the directions
_EVERY = 3  # one of so many training images is kept: more make hardly a difference
_CHUNK = 512


@dataclass(frozen=True)
class Examples:
    """What training images look like: features for each digit from 0 to 9."""

    features: tuple[Features, ...]


def learn_examples(images: Images, labels: Labels) -> Examples:
    """Describe a third of training images, (n, 28, 28) uint8 with labels (n,): about 2 s and 22 MB for all of MNIST.

    Added are 1s with an upstroke and 7s with a bar, which MNIST hardly has. Raises `ValueError` if a digit is missing.
    """
    images, labels = images[::_EVERY], labels[::_EVERY]
    if len(np.unique(labels)) < len(CLASSES):
        raise ValueError("Examples of all ten digits are needed.")
    plain = np.isin(labels, (1, 7))
    numbers = np.random.default_rng(0).random((int(plain.sum()), NUMBERS), dtype=np.float32)
    written = write_continental(images[plain].astype(np.float32), labels[plain], numbers, share=1.0)
    features = np.concatenate([describe(images), describe(written.round().astype(np.uint8))])
    labels = np.concatenate([labels, labels[plain]])
    return Examples(tuple(features[labels == digit] for digit in CLASSES))


def similarity(digit: Images, reading: int, examples: Examples) -> float:
    """Return how like an image, (28, 28) uint8, is to the most similar example of the digit `reading`.

    It is the cosine of the angle between their features: 1 for the same image, 0 if they have nothing in common.
    """
    # Not a matrix product: its threads would wait for each other longer than the sums take.
    return float(np.vecdot(examples.features[reading], describe(digit[None])[0]).max())


def describe(images: Images) -> Features:
    """Return what images (n, 28, 28) uint8 have in each of 7 × 7 parts: lines of four directions, and ink.

    The directions are those of a histogram of oriented gradients: N. Dalal and B. Triggs (2005), Histograms of Oriented
    Gradients for Human Detection, CVPR, here with parts that overlap and square roots instead of normalised blocks.
    """
    chunks = [_describe(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    return np.concatenate([np.zeros((0, (_DIRECTIONS + 1) * _CELLS**2), np.float32), *chunks])


def _describe(images: Images) -> Features:
    ink: NDArray[np.float32] = np.divide(images, 255, dtype=np.float32)
    framed = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    across, down = framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2], framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]
    # The edges on both sides of a line point to opposite ways; half a turn makes them one direction.
    direction = np.arctan2(down, across)[:, None] % np.pi * (_DIRECTIONS / np.pi)
    apart = np.abs(direction - np.arange(_DIRECTIONS, dtype=np.float32)[:, None, None])
    shares = np.maximum(1 - np.minimum(apart, _DIRECTIONS - apart), 0)
    edges: NDArray[np.float32] = shares * np.hypot(across, down)[:, None]
    lines, amounts = _unit(_pooled(edges)), _unit(_pooled(ink[:, None]))
    return np.hstack([math.sqrt(1 - _INK_WEIGHT) * lines, math.sqrt(_INK_WEIGHT) * amounts])


def _pooled(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the square roots of the sums over overlapping parts, (n, k, 28, 28) to (n, k × 49)."""
    pooled: NDArray[np.float32] = np.sqrt(_PARTS.T @ maps @ _PARTS).reshape(len(maps), -1)
    return pooled


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows scaled to length 1; empty ones stay 0."""
    scaled: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return scaled


def _parts() -> NDArray[np.float32]:
    """Return how much each of 28 rows counts for each of 7 parts, (28, 7): most in its middle, nothing two parts on."""
    size = 28 / _CELLS
    middles = np.arange(_CELLS) * size + (size - 1) / 2
    return np.maximum(1 - np.abs(np.arange(28)[:, None] - middles) / size, 0).astype(np.float32)


_PARTS = _parts()
