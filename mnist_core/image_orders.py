"""Which images of a set, and what they can be ordered by.

Throughout, `images` is (n, 28, 28) uint8, 0 = paper, 255 = ink, and `labels` is (n,) of their digits.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Indices, Labels
from mnist_core.image_statistics import class_means

MAX_CHARACTERS = 2_000  # some four hundred indices; more are ranges
_TOKEN = re.compile(r"([0-9]+)(?:[-–]([0-9]+))?")
_MAX_DIGITS = 12  # Python refuses to read thousands of them
_CHUNK = 256  # images turned into floating point at a time
_SHOWN_CHARACTERS = 24  # of a wrong token in a message


class IndicesError(ValueError):
    """A list of indices cannot be read. The message, for the visitor, names the wrong part and what would be right.

    It repeats what was typed: a page that shows it as Markdown escapes it first.
    """


def parse_indices(text: str, count: int) -> Indices:
    """Read a list of indices such as `5, 17, 100-120 947` for a set of `count` images.

    Commas, semicolons, blanks or new lines stand between them; a range includes both its ends. The order is kept,
    an index that comes again is left out. Without any index the result is empty.
    Raises `IndicesError` if a part is no index or range, or lies outside 0 … `count` - 1, or if the text is longer
    than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise IndicesError(f"The list has {len(text):,} characters, {MAX_CHARACTERS:,} are allowed. Use ranges: 0-499.")
    fresh = np.ones(count, bool)
    parts = [np.empty(0, np.intp)]
    for token in re.split(r"[,;\s]+", re.sub(r"\s*([-–])\s*", r"\1", text)):
        if token:
            first, last = _range(token, count)
            parts.append(first + np.flatnonzero(fresh[first : last + 1]))
            fresh[first : last + 1] = False
    return np.concatenate(parts)


def ink(images: Images) -> NDArray[np.float64]:
    """Return how much ink each image has, (n,): the mean of its pixels in percent of full ink, 0 to 100."""
    pixels = images.reshape(len(images), -1)
    sums: NDArray[np.float64] = pixels.sum(axis=1, dtype=np.uint32).astype(np.float64)
    return sums * (100 / (255 * pixels.shape[1]))


def typicality(images: Images, labels: Labels) -> NDArray[np.float32]:
    """Return how far each image is from the mean image of its class, (n,): the smaller, the more typical.

    Measured as the Euclidean distance of the 784 pixels, each a share of full ink from 0 to 1. The means are those of
    the images given.
    """
    means = class_means(images, labels).reshape(10, -1).astype(np.float32)
    pixels = images.reshape(len(images), -1)
    distances = np.empty(len(images), np.float32)
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        difference = pixels[part] - means[labels[part]]
        distances[part] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return distances / np.float32(255)


def shuffled(count: int, seed: int) -> Indices:
    """Return the positions 0 … `count` - 1 in a random order, always the same for a seed (0 or greater)."""
    return np.random.default_rng(seed).permutation(count)


def _range(token: str, count: int) -> tuple[int, int]:
    shown = token if len(token) <= _SHOWN_CHARACTERS else token[:_SHOWN_CHARACTERS] + "…"
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise IndicesError(f"“{shown}” is no index. Give numbers from 0 to {count - 1:,} and ranges such as 100-120.")
    ends = [end for end in match.groups() if end is not None]
    if any(len(end) > _MAX_DIGITS or int(end) >= count for end in ends):
        raise IndicesError(f"“{shown}” is too large: indices go from 0 to {count - 1:,}.")
    first, last = int(ends[0]), int(ends[-1])
    if first > last:
        raise IndicesError(f"“{shown}” runs backwards: the smaller number of a range comes first, {last}-{first}.")
    return first, last
