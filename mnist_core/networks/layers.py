"""Network architectures, and what they imply: shapes, parameters, multiply-adds. No TensorFlow.

They are written in the notation that `mnist_core.networks.notation` explains and reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from mnist_core.common.text import percent

Activation = Literal["relu", "tanh", "sigmoid", "elu", "gelu", "silu", "linear", "softmax"]
Padding = Literal["valid", "same"]
Scaling = Literal["0-1", "0-255"]  # what the first layer makes of pixels 0-255
Shape = tuple[int, int, int] | tuple[int]  # (height, width, channels), or (units,) once flattened

INPUT_SHAPE: Shape = (28, 28, 1)
CLASS_COUNT = 10


class LayerError(ValueError):
    """A layer that cannot follow the layers before it; the message, part of a sentence of `notation`, says why."""


@dataclass(frozen=True)
class Conv:
    """A convolution of `filters` kernels of `size` × `size`."""

    filters: int
    size: int
    stride: int = 1
    padding: Padding = "valid"
    activation: Activation = "relu"


@dataclass(frozen=True)
class Pool:
    """Pooling over windows of `size` × `size`, by maximum or by average."""

    kind: Literal["max", "average"]
    size: int
    stride: int
    padding: Padding = "valid"


@dataclass(frozen=True)
class GlobalAveragePool:
    """The mean of each feature map: (height, width, channels) to (channels,)."""


@dataclass(frozen=True)
class Dropout:
    """Sets the share `rate` of values to zero while training."""

    rate: float


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalization over channels: learned scale and offset, and two running statistics."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer; what comes before is flattened."""

    units: int
    activation: Activation = "relu"


Layer = Conv | Pool | GlobalAveragePool | Dropout | BatchNorm | Dense
OUTPUT = Dense(CLASS_COUNT, "softmax")


@dataclass(frozen=True)
class Windows:
    """Where a sliding window stands along one side of feature maps: `output` places, `stride` values apart."""

    size: int  # of the window
    stride: int
    output: int
    before: int  # zeros that are put in front of the maps …
    after: int  # … and behind it


@dataclass(frozen=True)
class LayerSummary:
    """What one layer does to one image. `parameters` counts all stored numbers, trained or not, as Keras does.

    `arithmetic` says how that count comes about, as in `3×3×32×64 + 64 = 18,496`; it is `0` where nothing is stored.
    """

    token: str
    name: str
    output_shape: Shape
    parameters: int
    multiply_adds: int
    arithmetic: str


@dataclass(frozen=True)
class Architecture:
    """A sequence of layers from the 28 × 28 × 1 image to ten probabilities."""

    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """Number of stored weights, as `keras.Model.count_params` gives it."""
        return sum(layer.parameters for layer in summarize(self))

    @property
    def multiply_adds(self) -> int:
        """Multiply-add operations of convolution and dense layers for one image."""
        return sum(layer.multiply_adds for layer in summarize(self))

    def __str__(self) -> str:
        return format_architecture(self)


def format_architecture(architecture: Architecture) -> str:
    """Return the shortest notation; `notation.parse_architecture` turns it back into an equal architecture."""
    return "-".join(_format_layer(layer) for layer in architecture.layers)


def summarize(architecture: Architecture) -> tuple[LayerSummary, ...]:
    """Return output shape, parameters and multiply-adds of every layer, in order. Raises `LayerError`."""
    summaries = []
    shape = INPUT_SHAPE
    for layer in architecture.layers:
        summary = summarize_layer(layer, shape)
        summaries.append(summary)
        shape = summary.output_shape
    return tuple(summaries)


def summarize_layer(layer: Layer, shape: Shape) -> LayerSummary:
    """Return what one layer does to an image, or feature maps, of `shape`. Raises `LayerError` if it cannot follow."""
    token = _format_layer(layer)
    match layer:
        case Conv():
            height, width, channels = _maps(shape, "a convolution")
            output = (*_window_output(layer, height, width), layer.filters)
            kernel = layer.size * layer.size * channels * layer.filters
            name = f"Convolution {layer.size} × {layer.size}"
            multiply_adds = output[0] * output[1] * kernel
            arithmetic = _arithmetic((layer.size, layer.size, channels, layer.filters), layer.filters)
            return LayerSummary(token, name, output, kernel + layer.filters, multiply_adds, arithmetic)
        case Pool():
            height, width, channels = _maps(shape, "pooling")
            name = f"{layer.kind.capitalize()} pooling {layer.size} × {layer.size}"
            return LayerSummary(token, name, (*_window_output(layer, height, width), channels), 0, 0, "0")
        case GlobalAveragePool():
            features = _maps(shape, "global average pooling")[2:]
            return LayerSummary(token, "Global average pooling", features, 0, 0, "0")
        case Dropout():
            return LayerSummary(token, f"Dropout {percent(layer.rate, 0)}", shape, 0, 0, "0")
        case BatchNorm():
            return LayerSummary(token, "Batch normalization", shape, 4 * shape[-1], 0, _arithmetic((4, shape[-1])))
        case Dense():
            inputs = math.prod(shape)
            parameters = (inputs + 1) * layer.units
            name = "Output, softmax" if layer == OUTPUT else "Dense"
            arithmetic = _arithmetic((inputs, layer.units), layer.units)
            return LayerSummary(token, name, (layer.units,), parameters, inputs * layer.units, arithmetic)


def windows(side: int, size: int, stride: int, padding: Padding) -> Windows:
    """Return the places of a window of `size` on feature maps of `side` × `side` values, by the rules of Keras.

    `same` pads as little as gives ceil(side / stride) places, the odd zero behind; `valid` never pads.
    """
    if padding == "valid":
        return Windows(size, stride, (side - size) // stride + 1, 0, 0)
    output = math.ceil(side / stride)
    zeros = max((output - 1) * stride + size - side, 0)
    return Windows(size, stride, output, zeros // 2, zeros - zeros // 2)


def _format_layer(layer: Layer) -> str:
    match layer:
        case Conv():
            stride = f"S{layer.stride}" if layer.stride != 1 else ""
            return f"{layer.filters}C{layer.size}{stride}{_padding_suffix(layer)}{_activation_suffix(layer)}"
        case Pool():
            stride = f"S{layer.stride}" if layer.stride != layer.size else ""
            return f"{'P' if layer.kind == 'max' else 'A'}{layer.size}{stride}{_padding_suffix(layer)}"
        case GlobalAveragePool():
            return "GAP"
        case Dropout():
            return f"D{layer.rate:.6f}".rstrip("0")
        case BatchNorm():
            return "BN"
        case Dense():
            return f"{layer.units}{'' if layer == OUTPUT else _activation_suffix(layer)}"


def _padding_suffix(layer: Conv | Pool) -> str:
    return ":same" if layer.padding == "same" else ""


def _activation_suffix(layer: Conv | Dense) -> str:
    return f":{layer.activation}" if layer.activation != "relu" else ""


def _arithmetic(factors: tuple[int, ...], biases: int = 0) -> str:
    weights = "×".join(f"{factor:,}" for factor in factors)
    return f"{weights}{f' + {biases:,}' if biases else ''} = {math.prod(factors) + biases:,}"


def _maps(shape: Shape, what: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise LayerError(
            f"{what} needs feature maps, but the layers before have flattened them. "
            f"After a dense layer or GAP, use dense layers, D or BN."
        )
    return shape


def _window_output(layer: Conv | Pool, height: int, width: int) -> tuple[int, int]:
    if layer.padding == "valid" and layer.size > min(height, width):
        raise LayerError(
            f"a window of {layer.size} × {layer.size} does not fit into feature maps of {height} × {width}. "
            f"Use a smaller window, less pooling before it, or :same padding."
        )
    down, across = (windows(side, layer.size, layer.stride, layer.padding).output for side in (height, width))
    return down, across
