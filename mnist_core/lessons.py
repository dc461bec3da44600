"""What the small live figures beside the words show, computed for real but small. Only NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

KERNELS: dict[str, Values] = {
    "left edges": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float),
    "right edges": np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], float),
    "upper edges": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], float),
    "lower edges": np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]], float),
    "blur": np.full((3, 3), 1 / 9),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float),
}
ACTIVATIONS = ("ReLU", "tanh", "sigmoid", "linear")
BOWL = (1.0, 12.0)  # how steep the valley of the descent is, along and across
START = (-9.0, 2.2)


def convolve(image: Values, kernel: Values) -> Values:
    """Slide a kernel (k, k) over an image (h, w), without padding, and return the sums, (h - k + 1, w - k + 1).

    As in all deep learning libraries the kernel is not flipped: mathematicians call this cross-correlation.
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    sums: Values = np.einsum("ijkl,kl->ij", windows, kernel)
    return sums


def pool(image: Values, kind: Literal["max", "average"], size: int = 2) -> Values:
    """Return the largest or the mean value of each window of size × size, side by side; a rest is left out."""
    height, width = image.shape[0] // size, image.shape[1] // size
    windows = image[: height * size, : width * size].reshape(height, size, width, size)
    pooled: Values = windows.max(axis=(1, 3)) if kind == "max" else windows.mean(axis=(1, 3))
    return pooled


def drop(image: Values, rate: float, seed: int = 1) -> Values:
    """Set the share `rate` of values to zero at random and scale up the rest, so that the expected sum stays."""
    kept = np.random.default_rng(seed).random(image.shape) >= rate
    return np.where(kept, image / (1 - rate), 0.0)


def activate(name: str, x: Values) -> Values:
    """Apply an activation function, one of `ACTIVATIONS`, to each value."""
    return {
        "ReLU": lambda: np.maximum(x, 0.0),
        "tanh": lambda: np.tanh(x),
        "sigmoid": lambda: 1 / (1 + np.exp(-x)),
        "linear": lambda: x,
    }[name]()


def softmax(logits: Values) -> Values:
    """Turn any numbers, (n,), into probabilities that sum to one: exp(x) over the sum of all exp(x)."""
    powers = np.exp(logits - logits.max())  # the largest taken off, which changes nothing, against overflow
    probabilities: Values = powers / powers.sum()
    return probabilities


def one_hot(label: int, classes: int = 10) -> Values:
    """Return a vector of zeros with a one at the label, (classes,)."""
    return np.eye(classes)[label]


def window_output(size: int, kernel: int, stride: int, padding: Literal["valid", "same"]) -> int:
    """Return how many places a window has along one side of an image, by the rules of Keras."""
    return math.ceil(size / stride) if padding == "same" else (size - kernel) // stride + 1


def descend(optimizer: Literal["SGD", "momentum", "Adam"], rate: float, steps: int = 40) -> Values:
    """Walk down a long valley, (x² · 1 + y² · 12) / 2, and return the places, (steps + 1, 2).

    Momentum is 0.9; Adam is that of Kingma and Ba (2015) with the usual 0.9 and 0.999.
    """
    place, velocity = np.array(START), np.zeros(2)
    mean, square = np.zeros(2), np.zeros(2)
    path = [place]
    for step in range(1, steps + 1):
        gradient = np.array(BOWL) * place
        if optimizer == "Adam":
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            change = -rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-7)
        else:
            velocity = (0.9 if optimizer == "momentum" else 0.0) * velocity - rate * gradient
            change = velocity
        place = np.clip(place + change, -1e6, 1e6)
        path.append(place)
    return np.array(path)


@dataclass(frozen=True)
class Neuron:
    """One weight, one input, one target: what back-propagation computes, number by number."""

    output: float  # weight × input
    loss: float  # (output - target)²
    slope: float  # of the loss, by the weight: 2 (output - target) × input
    new_weight: float


def learn_once(weight: float, value: float, target: float, rate: float) -> Neuron:
    """Take one step of gradient descent on the loss of a single neuron."""
    output = weight * value
    slope = 2 * (output - target) * value
    return Neuron(output, (output - target) ** 2, slope, weight - rate * slope)


@dataclass(frozen=True)
class Fit:
    """A polynomial fitted to a few noisy points, and how far it is from them and from others of the same kind."""

    x: Values
    y: Values
    new_x: Values
    new_y: Values
    line_x: Values
    line_y: Values
    training_error: float  # mean squares
    new_error: float


def fit_polynomial(degree: int) -> Fit:
    """Fit a polynomial to 10 noisy points of a sine; 10 others are held out."""
    generator = np.random.default_rng(3)
    x, new_x = np.linspace(-1, 1, 10), np.linspace(-0.94, 0.94, 10)
    y, new_y = (np.sin(3 * values) + generator.normal(0, 0.25, 10) for values in (x, new_x))
    polynomial = np.polynomial.Polynomial.fit(x, y, degree)
    line_x = np.linspace(-1, 1, 200)
    return Fit(
        x,
        y,
        new_x,
        new_y,
        line_x,
        polynomial(line_x),
        float(np.mean((polynomial(x) - y) ** 2)),
        float(np.mean((polynomial(new_x) - new_y) ** 2)),
    )
