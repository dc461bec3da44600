"""What a set of images is like: its classes, its pixels, its ink, what it can be ordered by, and what occurs twice.

Throughout, `images` is (n, 28, 28) uint8, 0 = paper, 255 = ink, and `labels` is (n,) of their digits. All is computed
class by class or chunk by chunk: 60,000 images in floating point would take 376 MB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, combinations, product

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Indices, Labels
from mnist_core.data.dataset import CLASSES

_CHUNK = 256  # images


@dataclass(frozen=True)
class ClassBalance:
    """How many images each digit has; both arrays are (10,). `shares` are of all images, 0 to 1."""

    counts: NDArray[np.int64]
    shares: NDArray[np.float64]


@dataclass(frozen=True)
class ClassImages:
    """What the images of each digit have in common, and where they differ; both (10, 28, 28) in grey levels, 0 to 255.

    NaN for a digit without images.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]  # the standard deviation of each pixel, over all images (divided by n)


@dataclass(frozen=True)
class PixelHistogram:
    """How many pixels have each of the 256 grey levels."""

    counts: NDArray[np.int64]  # (256,)

    def share(self, low: int, high: int) -> float:
        """Return the share of the pixels, 0 to 1, whose level is from `low` to `high`, both included."""
        return float(self.counts[low : high + 1].sum() / self.counts.sum())


@dataclass(frozen=True)
class Summary:
    """The five-number summary of some values for each digit; all arrays are (10,), NaN for a digit without images."""

    smallest: NDArray[np.float64]
    lower_quartile: NDArray[np.float64]
    median: NDArray[np.float64]
    upper_quartile: NDArray[np.float64]
    largest: NDArray[np.float64]


@dataclass(frozen=True)
class Duplicates:
    """Pairs of images that are the same in every pixel, as indices, the smaller of a set's own pairs first."""

    within_train: tuple[tuple[int, int], ...]
    within_test: tuple[tuple[int, int], ...]
    between: tuple[tuple[int, int], ...]  # (training image, test image)

    def __len__(self) -> int:
        """Return the number of all pairs."""
        return len(self.within_train) + len(self.within_test) + len(self.between)


def class_balance(labels: Labels) -> ClassBalance:
    """Return how many images each digit has, and which share of all."""
    counts = np.bincount(labels, minlength=10)
    return ClassBalance(counts, counts / counts.sum())


def class_means(images: Images, labels: Labels) -> NDArray[np.float64]:
    """Return the mean image of each digit, (10, 28, 28), 0 to 255; NaN for a digit without images."""
    return _means(images, labels, lambda pixels: pixels)


def class_images(images: Images, labels: Labels) -> ClassImages:
    """Return the mean image of each digit and the standard deviation of each of its pixels."""
    mean = class_means(images, labels)
    mean_square = _means(images, labels, lambda pixels: np.square(pixels, dtype=np.uint16))  # 255² just fits
    return ClassImages(mean, np.sqrt(np.maximum(mean_square - mean**2, 0)))


def pixel_histogram(images: Images) -> PixelHistogram:
    """Return how many pixels of all images have each grey level."""
    counts = np.zeros(256, np.int64)
    for start in range(0, len(images), _CHUNK):
        counts += np.bincount(images[start : start + _CHUNK].ravel(), minlength=256)
    return PixelHistogram(counts)


def summary_by_class(values: NDArray[np.float64], labels: Labels) -> Summary:
    """Return the smallest, the quartiles and the largest of `values`, (n,), for each digit.

    Quartiles between two values are interpolated linearly, as numpy does by default.
    """
    rows = np.full((len(CLASSES), 5), np.nan)
    for digit in CLASSES:
        if (of_digit := values[labels == digit]).size:
            rows[digit] = np.quantile(of_digit, (0, 0.25, 0.5, 0.75, 1))
    return Summary(*rows.T)


def duplicates(train: Images, test: Images) -> Duplicates:
    """Find all images that occur more than once in the training set, in the test set, or in both.

    Images are the same if the SHA-256 of their bytes is.
    """
    first = len(train)  # of the test images, among all
    hashes = (hashlib.sha256(image.tobytes()).digest() for image in chain(train, test))
    digests = np.fromiter(hashes, "V32", first + len(test))
    _, same_as, counts = np.unique(digests, return_inverse=True, return_counts=True)
    groups = sorted(
        [np.flatnonzero(same_as == each) for each in np.flatnonzero(counts > 1)], key=lambda group: group[0]
    )
    repeated = [(group[group < first].tolist(), (group[group >= first] - first).tolist()) for group in groups]
    return Duplicates(
        within_train=tuple(pair for in_train, _ in repeated for pair in combinations(in_train, 2)),
        within_test=tuple(pair for _, in_test in repeated for pair in combinations(in_test, 2)),
        between=tuple(pair for in_train, in_test in repeated for pair in product(in_train, in_test)),
    )


def _means(
    images: Images, labels: Labels, of_pixels: Callable[[Images], NDArray[np.unsignedinteger]]
) -> NDArray[np.float64]:
    """Return the mean, over the images of each digit, of a value of each pixel: (10, 28, 28), or NaN without images."""
    means = np.full((len(CLASSES), *images.shape[1:]), np.nan)
    for digit in np.unique(labels):
        of_digit = np.flatnonzero(labels == digit)
        total = np.zeros(images.shape[1:], np.int64)
        for start in range(0, len(of_digit), _CHUNK):
            total += of_pixels(images[of_digit[start : start + _CHUNK]]).sum(axis=0, dtype=np.int64)
        means[digit] = total / len(of_digit)
    return means


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
