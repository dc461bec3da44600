"""What a network read after each epoch: a film of its learning, one file an epoch in the run directory.

    epochs/0001.npz  probabilities for the 10,000 test images after epoch 1, (10000, 10), in half precision

Nothing is chosen by these answers; they are kept to be looked at. Runs of before they were kept have none.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Indices, Labels, Probabilities
from mnist_core.common.atomic_files import remove_leftovers, replacing
from mnist_core.data.dataset import TEST_IMAGES

FOLDER = "epochs"

HalfProbabilities = NDArray[np.float16]
Kind = Literal["learned", "forgotten"]


@dataclass(frozen=True)
class Film:
    """The answers after some epochs, in order; epochs whose file is missing or damaged are left out."""

    epochs: tuple[int, ...]  # counted from 1
    probabilities: HalfProbabilities  # (epochs, 10000, 10)

    def __len__(self) -> int:
        """Return the number of epochs that can be shown."""
        return len(self.epochs)

    def frame(self, position: int) -> Probabilities:
        """Return the answers after one epoch, (10000, 10) float32; `position` counts from 0."""
        frame: Probabilities = self.probabilities[position].astype(np.float32)
        return frame

    @property
    def missing(self) -> tuple[int, ...]:
        """The epochs before the last one whose answers are missing."""
        return tuple(epoch for epoch in range(1, max(self.epochs, default=0)) if epoch not in self.epochs)

    @cached_property
    def readings(self) -> NDArray[np.uint8]:
        """The most probable digit of each image after each epoch, (epochs, 10000)."""
        readings: NDArray[np.uint8] = self.probabilities.argmax(axis=2).astype(np.uint8)
        return readings


@dataclass(frozen=True)
class Turn:
    """An epoch in which a network's answer to one image changed from wrong to right, or back."""

    epoch: int
    kind: Kind


def write_frame(path: Path, epoch: int, probabilities: Probabilities) -> None:
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


def read_film(path: Path) -> Film:
    """Read what is there of the film of a run; what is missing or damaged is left out."""
    files = _files(path)
    frames = np.empty((len(files), TEST_IMAGES, 10), np.float16)
    epochs: list[int] = []
    for epoch, file in files.items():
        if (frame := _read_frame(file)) is not None:
            frames[len(epochs)] = frame
            epochs.append(epoch)
    return Film(tuple(epochs), frames[: len(epochs)])


def halved(probabilities: Probabilities) -> HalfProbabilities:
    """Round (n, 10) to half precision, three digits or so, without changing which digit is the most probable."""
    half = probabilities.astype(np.float16)
    winner = probabilities.argmax(axis=1)
    tied = np.flatnonzero(half.argmax(axis=1) != winner)
    half[tied, winner[tied]] = np.nextafter(half[tied].max(axis=1), np.float16(2))
    return half


def accuracies(labels: Labels, film: Film) -> NDArray[np.float64]:
    """Return the share of test images that are right after each epoch, (epochs,)."""
    shares: NDArray[np.float64] = np.mean(film.readings == labels, axis=1)
    return shares


def turned(labels: Labels, film: Film, position: int, kind: Kind) -> Indices:
    """Return the images that the epoch at `position` made right (learned) or wrong (forgotten), by index.

    The first epoch has learned what is right after it: before it, nothing counts as right.
    """
    right = film.readings[position] == labels
    before = film.readings[position - 1] == labels if position else np.zeros(len(labels), bool)
    return np.flatnonzero(right & ~before if kind == "learned" else before & ~right)


def turns(labels: Labels, film: Film, index: int) -> list[Turn]:
    """Return when the answer to one image became right or wrong; it counts as wrong before the first epoch."""
    right = film.readings[:, index] == labels[index]
    before = np.concatenate([[False], right[:-1]])
    return [
        Turn(epoch, "learned" if now else "forgotten")
        for epoch, now, then in zip(film.epochs, right.tolist(), before.tolist(), strict=True)
        if now != then
    ]


def unsettled(labels: Labels, film: Film) -> tuple[Indices, NDArray[np.int64]]:
    """Return the images that were forgotten at least once, those with the most turns first, and the turns of all.

    Indices are (k,), turns (10000,): how often the answer became right or wrong, as `turns` counts.
    """
    right = film.readings == labels
    before = np.concatenate([np.zeros((1, len(labels)), bool), right[:-1]])
    count = (right != before).sum(axis=0)
    forgotten = np.flatnonzero((before & ~right).any(axis=0))
    return forgotten[np.argsort(-count[forgotten], kind="stable")], count


def _file(path: Path, epoch: int) -> Path:
    return path / FOLDER / f"{epoch:04}.npz"


def _files(path: Path) -> dict[int, Path]:
    """Return the files of a film by epoch, in order."""
    return {int(file.stem): file for file in sorted((path / FOLDER).glob("[0-9][0-9][0-9][0-9].npz"))}


def _read_frame(file: Path) -> HalfProbabilities | None:
    try:
        with np.load(file, allow_pickle=False) as archive:
            frame: HalfProbabilities = archive["test_probabilities"]
    except Exception:  # a damaged zip file raises many kinds
        return None
    usable = frame.shape == (TEST_IMAGES, 10) and frame.dtype == np.float16 and not np.isnan(frame).any()
    return frame if usable else None
