"""What a network predicts for the test images after each epoch, one file an epoch in the run directory.

    epochs/0001.npz  probabilities for the 10,000 test images after epoch 1, (10000, 10), in half precision

Nothing is chosen by these answers; they are kept to be looked at. Runs of before they were kept have none.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from mnist_core.common.arrays import Probabilities
from mnist_core.common.atomic_files import remove_leftovers, replacing
from mnist_core.data.dataset import TEST_IMAGES
from mnist_core.evaluation.epochs import EpochPredictions, HalfProbabilities

FOLDER = "epochs"


def write(path: Path, epoch: int, probabilities: Probabilities) -> None:
    """Store the answers after an epoch, (10000, 10) float32, in the run directory `path`; about 0.1 MB."""
    (path / FOLDER).mkdir(exist_ok=True)
    with replacing(_file(path, epoch)) as beside, beside.open("wb") as file:
        np.savez_compressed(file, test_probabilities=halved(probabilities))


def cut(path: Path, epochs: int) -> None:
    """Remove the answers after later epochs than the first `epochs`: the run goes on from there."""
    remove_leftovers(path / FOLDER)
    for epoch, file in _files(path).items():
        if epoch > epochs:
            with suppress(OSError):  # what cannot be removed will be replaced
                file.unlink()


def read(path: Path) -> EpochPredictions:
    """Read the predictions after each epoch of a run; what is missing or damaged is left out."""
    files = _files(path)
    probabilities = np.empty((len(files), TEST_IMAGES, 10), np.float16)
    epochs: list[int] = []
    for epoch, file in files.items():
        if (found := _read_file(file)) is not None:
            probabilities[len(epochs)] = found
            epochs.append(epoch)
    return EpochPredictions(tuple(epochs), probabilities[: len(epochs)])


def halved(probabilities: Probabilities) -> HalfProbabilities:
    """Round (n, 10) to half precision, three digits or so, without changing which digit is the most probable."""
    half = probabilities.astype(np.float16)
    winner = probabilities.argmax(axis=1)
    tied = np.flatnonzero(half.argmax(axis=1) != winner)
    half[tied, winner[tied]] = np.nextafter(half[tied].max(axis=1), np.float16(2))
    return half


def _file(path: Path, epoch: int) -> Path:
    return path / FOLDER / f"{epoch:04}.npz"


def _files(path: Path) -> dict[int, Path]:
    """Return the files of a run by epoch, in order."""
    return {int(file.stem): file for file in sorted((path / FOLDER).glob("[0-9][0-9][0-9][0-9].npz"))}


def _read_file(file: Path) -> HalfProbabilities | None:
    try:
        with np.load(file, allow_pickle=False) as archive:
            found: HalfProbabilities = archive["test_probabilities"]
    except Exception:  # a damaged zip file raises many kinds
        return None
    usable = found.shape == (TEST_IMAGES, 10) and found.dtype == np.float16 and not np.isnan(found).any()
    return found if usable else None
