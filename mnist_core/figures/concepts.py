"""What the small live figures beside the words show: computed for real, in NumPy, small enough to follow a slider."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Labels
from mnist_core.data.dataset import CLASSES

Values = NDArray[np.float64]
Pooling = Literal["max", "average"]
Rule = Literal["SGD", "momentum", "Adam"]

KERNELS: dict[str, Values] = {
    "left edges": np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], float),
    "right edges": np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]], float),
    "top edges": np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]], float),
    "bottom edges": np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]], float),
    "blur": np.full((3, 3), 1 / 9),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float),
    "a random one": np.random.default_rng(2).normal(0, 0.5, (3, 3)).round(1),
}
ACTIVATIONS: dict[str, Callable[[Values], Values]] = {
    "ReLU": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "linear": lambda x: x,
}
CURVATURE = (1.0, 10.0)  # of the valley of `descend`: gentle along it, steep across it
START = (-9.0, 3.0)

_FAR_OUT = 1e6  # a path that leads here leads nowhere
_POINTS = 12
_NOISE = 0.25
_FIT_SEED = 183  # of 200 seeds, the one whose held-out errors are closest to the medians: a typical case


def convolve(image: Values, kernel: Values) -> Values:
    """Slide a kernel (k, k) over an image (h, w) without padding; return the sums of products, (h - k + 1, w - k + 1).

    As in all deep learning libraries the kernel is not turned round: mathematicians call this cross-correlation.
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    sums: Values = np.einsum("ijkl,kl->ij", windows, kernel)
    return sums


def pool(image: Values, kind: Pooling, size: int = 2) -> Values:
    """Return the largest or the mean value of each size × size square of an image (h, w); what is left over is cut."""
    height, width = image.shape[0] // size, image.shape[1] // size
    squares = image[: height * size, : width * size].reshape(height, size, width, size)
    pooled: Values = squares.max(axis=(1, 3)) if kind == "max" else squares.mean(axis=(1, 3))
    return pooled


def drop(values: Values, rate: float, seed: int) -> Values:
    """Set each value to NaN with probability `rate`, 0 to below 1; divide the others by 1 - rate, as Keras does.

    Keras sets them to zero; NaN tells them from values that were zero before.
    """
    kept = np.random.default_rng(seed).random(values.shape) >= rate
    return np.where(kept, values / (1 - rate), np.nan)


def softmax(scores: Values) -> Values:
    """Return probabilities (n,) for scores (n,): e to each score, divided by the sum of them all."""
    powers = np.exp(scores - scores.max())  # taking the largest off changes nothing but avoids overflow
    probabilities: Values = powers / powers.sum()
    return probabilities


def target(label: int, smoothing: float = 0.0) -> Values:
    """Return the one-hot vector of a label, (10,); `smoothing`, 0 to 1, is the share spread evenly over all ten."""
    one_hot: Values = np.eye(len(CLASSES))[label]
    return one_hot * (1 - smoothing) + smoothing / len(CLASSES)


def standardized(values: Values) -> Values:
    """Return values (n,) less their mean, divided by their standard deviation, which must not be zero."""
    shifted: Values = (values - values.mean()) / values.std()
    return shifted


def unit_sums(images: Images) -> Values:
    """Return what one unit with random weights makes of images (n, 28, 28): n weighted sums of pixels of 0 to 1."""
    weights = np.random.default_rng(5).normal(0, 0.1, images[0].size)
    sums: Values = images.reshape(len(images), -1) / 255 @ weights
    return sums


def digit_shares(labels: Labels, size: int, number: int) -> Values:
    """Return the share of each digit, (10,), in batch `number`, from 1, of `size` shuffled labels (n,)."""
    order = np.random.default_rng(1).permutation(len(labels))
    chosen = labels[order[(number - 1) * size : number * size]]
    return np.bincount(chosen, minlength=len(CLASSES)) / len(chosen)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return the number of batches that hold all images; the last may be smaller."""
    return -(-images // batch_size)


@dataclass(frozen=True)
class Chain:
    """One weight and what follows from it, forward to the loss, and the slopes of the three links on the way back."""

    weight: float
    score: float  # weight × pixel
    probability: float  # sigmoid of the score
    loss: float  # -log(probability of what is true)
    slopes: tuple[float, float, float]  # loss by probability, probability by score, score by weight

    @property
    def slope(self) -> float:
        """The slope of the loss by the weight: by the chain rule, the product of the three."""
        return math.prod(self.slopes)


def chain(weight: float, pixel: float, is_digit: bool) -> Chain:
    """Follow one weight forward to the loss of a yes-or-no question, and the slope of the loss back to the weight."""
    score = weight * pixel
    probability = 1 / (1 + math.exp(-score))
    of_truth = probability if is_digit else 1 - probability
    by_probability = -1 / of_truth if is_digit else 1 / of_truth
    slopes = (by_probability, probability * (1 - probability), pixel)
    return Chain(weight, score, probability, -math.log(of_truth), slopes)


def height(places: Values) -> Values:
    """Return the height (n,) of the valley at places (n, 2): half of x² + 10 y²."""
    heights: Values = (places**2 @ np.array(CURVATURE)) / 2
    return heights


def descend(rule: Rule, rate: float, steps: int = 40) -> Values:
    """Walk down the valley; return the places, (steps + 1, 2), or fewer if the walk leads far out of it.

    Rules and constants are those of Keras: momentum 0.9; Adam (Kingma and Ba, 2015) with 0.9, 0.999 and 1e-7.
    """
    place = np.array(START)
    velocity, mean, square = np.zeros(2), np.zeros(2), np.zeros(2)
    path = [place]
    for step in range(1, steps + 1):
        gradient = np.array(CURVATURE) * place
        if rule == "Adam":
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            step_size = rate * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            place = place - step_size * mean / (np.sqrt(square) + 1e-7)
        else:
            velocity = (0.9 if rule == "momentum" else 0.0) * velocity - rate * gradient
            place = place + velocity
        path.append(place)
        if np.abs(place).max() > _FAR_OUT:
            break
    return np.array(path)


@dataclass(frozen=True)
class Fit:
    """A polynomial fitted to twelve noisy points of a wave, and twelve more that it has not seen."""

    x: Values
    y: Values
    held_out_x: Values
    held_out_y: Values
    curve_x: Values
    curve_y: Values
    error: float  # root of the mean square, on the points that were fitted …
    held_out_error: float  # … and on the others


def fit_polynomial(degree: int) -> Fit:
    """Fit a polynomial of a degree from 1 to 11 by least squares; the points are the same for every degree."""
    generator = np.random.default_rng(_FIT_SEED)
    centres = (np.arange(_POINTS) + 0.5) / _POINTS
    x, held_out_x = (centres + generator.uniform(-0.35, 0.35, _POINTS) / _POINTS for _ in range(2))
    y, held_out_y = (np.sin(2 * np.pi * at) + generator.normal(0, _NOISE, _POINTS) for at in (x, held_out_x))
    polynomial = np.polynomial.Polynomial.fit(x, y, degree)
    curve_x = np.linspace(x.min(), x.max(), 241)
    errors = [float(np.sqrt(np.mean((polynomial(at) - true) ** 2))) for at, true in ((x, y), (held_out_x, held_out_y))]
    return Fit(x, y, held_out_x, held_out_y, curve_x, polynomial(curve_x), *errors)


def penalized(weights: Values, strength: float) -> tuple[Values, Values, float]:
    """Return a made-up loss (weight - 2)² of weights (n,), the same with L2, and the weight at which that is lowest."""
    loss: Values = (weights - 2) ** 2
    return loss, loss + strength * weights**2, 2 / (1 + strength)
