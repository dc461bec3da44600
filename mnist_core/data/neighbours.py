"""The images that are most like one: the smallest distances between pixels, and what they say about its digit.

The distance of two images is the Euclidean distance of their 784 pixels, each a share of full ink from 0 to 1: 0 for
equal images, 28 for white and black. It knows nothing of shapes: the same digit moved by two pixels is far away.

By hand: scikit-learn's `NearestNeighbors` takes 157 MB and 1.8 s in the server, and its distances are not exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Indices, Labels

VOTERS = 5
_CHUNK = 512  # images: 1.6 MB as float32, which stays in a processor's cache
_BLOCKS = 4  # of 196 pixels: sums of so many squares up to 255² stay below 2²⁴, whole numbers that float32 holds


@dataclass(frozen=True)
class Neighbour:
    """An image of a set, and how far it is from the image that is looked at."""

    index: int
    label: int
    distance: float


@dataclass(frozen=True)
class Neighbours:
    """The nearest images with the same label and with other labels, the nearest first."""

    same: tuple[Neighbour, ...]
    other: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Vote:
    """How the nearest neighbours would read an image."""

    digit: int
    votes: tuple[int, ...]  # for each digit from 0 to 9
    voters: tuple[Neighbour, ...]  # the nearest first


def squared_distances(image: Images, images: Images) -> NDArray[np.int64]:
    """Return the sum of the squared differences of grey levels, 0 to 255, of `image`, (28, 28), to each of (n, 28, 28).

    The result, (n,), is exact. 60,000 images take about 0.1 s and a few MB.
    """
    pixels, wanted = images.reshape(len(images), -1), image.ravel().astype(np.float32)
    squares = np.empty(len(images), np.int64)
    for start in range(0, len(images), _CHUNK):
        difference = (pixels[start : start + _CHUNK] - wanted).reshape(-1, _BLOCKS, wanted.size // _BLOCKS)
        squares[start : start + _CHUNK] = np.einsum("ijk,ijk->ij", difference, difference).sum(axis=1, dtype=np.int64)
    return squares


def nearest(
    image: Images, label: int, images: Images, labels: Labels, count: int = VOTERS, *, leave_out: int | None = None
) -> Neighbours:
    """Return the `count` nearest neighbours of an image, (28, 28) uint8, with its `label`, and as many with others.

    They are looked for in `images`, (n, 28, 28) uint8, with their `labels`, (n,); `leave_out` is the index of the image
    itself if it is one of these. Of equally near images the first comes first. There are fewer if the set has no more.
    """
    squares = squared_distances(image, images)
    is_same, is_other = labels == label, labels != label
    if leave_out is not None:
        is_same[leave_out] = is_other[leave_out] = False

    def first(candidates: Indices) -> tuple[Neighbour, ...]:
        chosen = candidates[np.argsort(squares[candidates], kind="stable")[:count]]
        distances = np.sqrt(squares[chosen]) / 255
        return tuple(map(Neighbour, chosen.tolist(), labels[chosen].tolist(), distances.tolist()))

    return Neighbours(same=first(np.flatnonzero(is_same)), other=first(np.flatnonzero(is_other)))


def vote(neighbours: Neighbours, voters: int = VOTERS) -> Vote:
    """Return the digit that most of the nearest `voters` images show, whatever the label of the image looked at is.

    This is the k-nearest-neighbour classifier, the classic that networks have to beat: it learns nothing, and compares
    with every image instead. If digits have equally many votes, the one with the nearest voter wins.
    Raises `ValueError` unless `neighbours` holds at least `voters` of either kind, for all the nearest may be of one.

    Source: T. Cover and P. Hart (1967), IEEE Transactions on Information Theory 13, 21-27.
    """
    if min(len(neighbours.same), len(neighbours.other)) < voters:
        raise ValueError(f"A vote of {voters} needs {voters} neighbours of the same label and {voters} of others.")
    both = sorted((*neighbours.same, *neighbours.other), key=lambda each: (each.distance, each.index))[:voters]
    votes = np.bincount([each.label for each in both], minlength=10)
    digit = next(each.label for each in both if votes[each.label] == votes.max())
    return Vote(digit, tuple(votes.tolist()), tuple(both))
