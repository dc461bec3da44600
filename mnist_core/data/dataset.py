"""The MNIST images, from the file that ships with the project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Labels
from mnist_core.common.errors import DigitLabError

Split = Literal["train", "test"]

CLASSES = tuple(range(10))
TRAIN_IMAGES, TEST_IMAGES = 60_000, 10_000
BUNDLED_FILE = Path(__file__).parent / "mnist.npz"

# Shapes and SHA-256 of the arrays' bytes; `data/convert_idx.py` printed them from the original files.
_EXPECTED: dict[str, tuple[tuple[int, ...], str]] = {
    "x_train": ((TRAIN_IMAGES, 28, 28), "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"),
    "y_train": ((TRAIN_IMAGES,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"),
    "x_test": ((TEST_IMAGES, 28, 28), "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"),
    "y_test": ((TEST_IMAGES,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"),
}


class DatasetError(DigitLabError):
    """The data file is missing or is not the one that ships with the project."""


@dataclass(frozen=True)
class Mnist:
    """All of MNIST: images (n, 28, 28) uint8, 0 = paper, 255 = ink; labels (n,) uint8, 0-9. Arrays are read-only."""

    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels

    def split(self, name: Split) -> tuple[Images, Labels]:
        """Return `(images, labels)` of the training or the test set."""
        return (self.x_train, self.y_train) if name == "train" else (self.x_test, self.y_test)


def load_mnist(path: Path = BUNDLED_FILE) -> Mnist:
    """Load and check the 70,000 images (about 0.4 s).

    Raises `DatasetError`, with what to do about it, if the file is missing, unreadable or not the original data.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _EXPECTED}
    except Exception as error:  # a damaged zip file raises many kinds
        # The text of an OSError names the server's folders, which are no visitor's business.
        detail = type(error).__name__ if isinstance(error, OSError) else error
        raise DatasetError(f"{_cannot_use(path)} ({detail})") from error

    for name, (shape, digest) in _EXPECTED.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.uint8 or _sha256(array) != digest:
            raise DatasetError(f"{_cannot_use(path)} (its array {name} is not the original one)")
        array.setflags(write=False)
    return Mnist(**arrays)


def _sha256(array: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()  # `tobytes` would copy 47 MB


def _cannot_use(path: Path) -> str:
    return (
        f"The MNIST file {path.name} is missing or damaged. Restore it with "
        f"`git checkout -- mnist_core/data/{path.name}`, or clone the project again."
    )
