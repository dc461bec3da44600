"""What changes if a part of a digit is covered: with paper, or with ink. Any network can be asked so.

After M. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, who cover with grey.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Probabilities
from mnist_core.networks.insight.receptive_fields import Field, enlarged

WINDOW = 4  # pixels; about as wide as a stroke
PAPER, INK = 0, 255

Effects = NDArray[np.float32]


@dataclass(frozen=True)
class Occlusion:
    """What a window of one colour does to an image, for each of the ten digits.

    `effects`, (10, 28, 28) float32, is by how much the evidence for a digit falls when a window is laid around a pixel,
    interpolated between the windows that were tried: positive where what is there speaks for the digit, negative where
    it speaks against it. Of the window that matters most to each digit, `places`, (10, 2), has the first row and
    column, and `answers`, (10, 10), the probabilities that it leads to.
    """

    effects: Effects
    places: NDArray[np.int64]
    answers: Probabilities


def occlude(
    predict: Callable[[Images], Probabilities], image: Images, step: int = 2
) -> tuple[Probabilities, Occlusion, Occlusion]:
    """Return the ten probabilities of an image, (28, 28) uint8, and what paper and what ink in a window does to it.

    `predict` is asked once, with all images, (n, 28, 28). Windows lie `step` pixels apart; it must divide
    24, so that they reach all edges.

    The window that matters most is, for the digit that is read, the one that costs it most; for any other digit, the
    one that helps it most.
    """
    places = _places(image.shape[0], step)
    colored = [covered(image, places, color) for color in (PAPER, INK)]
    changed = [(images != image).any(axis=(1, 2)) for images in colored]  # the others need not be asked
    asked = [images[which] for images, which in zip(colored, changed, strict=True)]
    answers = predict(np.concatenate([image[None], *asked]))
    probabilities, *found = np.split(answers, np.cumsum([1, *map(len, asked)])[:-1])
    paper, ink = (
        _occlusion(probabilities[0], places, step, which, each) for which, each in zip(changed, found, strict=True)
    )
    return probabilities[0], paper, ink


def covered(image: Images, places: NDArray[np.int64], color: int) -> Images:
    """Return copies of an image, (n, 28, 28), each with a window of `color` at one of the places, (n, 2)."""
    images = np.repeat(image[None], len(places), axis=0)
    for each, (row, column) in zip(images, places, strict=True):
        each[row : row + WINDOW, column : column + WINDOW] = color
    return images


def evidence(probabilities: Probabilities) -> NDArray[np.float64]:
    """Return the evidence for each digit, (…, 10): the natural logarithm of its odds against all others.

    Unlike the probability, it still tells 99.99% from 99.9999%. Infinite odds count as the largest finite ones.
    """
    shares = np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny)
    others = shares @ (1 - np.eye(shares.shape[-1]))  # not 1 - shares: that would round to nothing
    return np.log(shares) - np.log(others)


def _places(side: int, step: int) -> NDArray[np.int64]:
    starts = np.arange(0, side - WINDOW + 1, step)
    return np.stack(np.meshgrid(starts, starts, indexing="ij"), axis=-1).reshape(-1, 2)


def _occlusion(
    before: Probabilities, places: NDArray[np.int64], step: int, changed: NDArray[np.bool_], answers: Probabilities
) -> Occlusion:
    all_answers = np.repeat(before[None], len(places), axis=0)
    all_answers[changed] = answers
    falls = evidence(before) - evidence(all_answers)  # (n, 10)
    wanted = np.where(np.arange(len(before)) == before.argmax(), falls, -falls)
    strongest = wanted.argmax(axis=0)
    side = round(len(places) ** 0.5)
    by_place = falls.T.reshape(-1, side, side).astype(np.float32)
    effects = enlarged(by_place, Field(WINDOW, step, (WINDOW - 1) / 2))
    return Occlusion(effects, places[strongest], all_answers[strongest])
