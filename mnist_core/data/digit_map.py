"""Maps of the test set: the 10,000 images as points on a plane, similar ones near to each other.

`data/make_test_map.py` made the file, and says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.errors import DigitLabError
from mnist_core.data.dataset import TEST_IMAGES

BUNDLED_FILE = Path(__file__).parent / "test_map.npz"

Positions = NDArray[np.float32]


class DigitMapError(DigitLabError):
    """The file of the maps is missing or damaged."""


@dataclass(frozen=True)
class DigitMap:
    """Where each test image lies on two maps, both (10000, 2), in the order of the test set. Arrays are read-only."""

    pca: Positions  # along the first two principal components of the pixels as shares of ink, 0 to 1
    pca_variance: tuple[float, float]  # share of the variance of all pixels that each of the two holds, 0 to 1
    tsne: Positions  # neighbours stay together; directions, and distances between far points, mean nothing
    settings: str  # what both were made with


def load_digit_map(path: Path = BUNDLED_FILE) -> DigitMap:
    """Load both maps (some ms). Raises `DigitMapError`, with what to do about it, if the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            pca, tsne = (_positions(archive[name]) for name in ("pca", "tsne"))
            first, second = archive["pca_variance"].tolist()
            return DigitMap(pca, (first, second), tsne, str(archive["settings"].item()))
    except Exception as error:  # a damaged zip file raises many kinds
        raise DigitMapError(
            f"The map of the test images, {path.name}, is missing or damaged. Restore it with "
            f"`git checkout -- mnist_core/data/{path.name}`, or clone the project again."
        ) from error


def _positions(stored: NDArray[np.float16]) -> Positions:
    if stored.shape != (TEST_IMAGES, 2) or not np.isfinite(stored).all():
        raise ValueError(f"These are no positions of {TEST_IMAGES} points.")
    positions = stored.astype(np.float32)
    positions.setflags(write=False)
    return positions
