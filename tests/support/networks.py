"""Networks for tests: published ones, any ones, and what each layer makes of an image, counted one by one."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from mnist_core.networks.layers import (
    OUTPUT,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    Padding,
    Pool,
    Shape,
)
from mnist_core.networks.notation import ACTIVATIONS

GARCIA = "32C3-64C3-P2-D0.25-128-D0.5-10"
FIVE_LAYER = "64C3-32C3-P2-10"
KERAS_STEPS = "32C3-P2-64C3-P2-64C3-64-10"
CHOLLET = "32C3-P2-64C3-P2-D0.5-10"
NEHLR = "32C3-P2-D0.2-128-10"

PUBLISHED_PARAMETERS = {
    GARCIA: 1_199_882,
    FIVE_LAYER: 65_194,
    KERAS_STEPS: 93_322,
    CHOLLET: 34_826,
    NEHLR: 693_962,
}


def window_starts(length: int, layer: Conv | Pool) -> list[int]:
    """Where a window may start along one axis, found by sliding it. `same` pads until ceil(length / stride) fit."""
    if layer.padding == "same":
        wanted = sum(1 for _ in range(0, length, layer.stride))
        length = max(length, (wanted - 1) * layer.stride + layer.size)
    starts = []
    start = 0
    while start + layer.size <= length:
        starts.append(start)
        start += layer.stride
    return starts


def brute_force(layers: tuple[Layer, ...]) -> Iterator[tuple[Shape, int]]:
    """Yield output shape and multiply-adds of each layer; each place of a window and each tap of a kernel is counted.

    Taps on padding count too, as is usual.
    """
    shape: Shape = (28, 28, 1)
    for layer in layers:
        multiply_adds = 0
        if isinstance(layer, Conv | Pool):
            assert len(shape) == 3
            height, width, channels = shape
            rows, columns = window_starts(height, layer), window_starts(width, layer)
            if isinstance(layer, Conv):
                taps = sum(channels for _ in range(layer.size) for _ in range(layer.size))
                multiply_adds = sum(taps for _ in rows for _ in columns for _ in range(layer.filters))
                channels = layer.filters
            shape = (len(rows), len(columns), channels)
        elif isinstance(layer, GlobalAveragePool):
            shape = (shape[-1],)
        elif isinstance(layer, Dense):
            inputs = 1
            for size in shape:
                inputs *= size
            multiply_adds = sum(inputs for _ in range(layer.units))
            shape = (layer.units,)
        yield shape, multiply_adds


@st.composite
def conv_layers(draw: st.DrawFn, space: int) -> Conv:
    padding: Padding = draw(st.sampled_from(["valid", "same"]))
    largest = min(space, 5) if padding == "valid" else 5
    return Conv(
        draw(st.integers(1, 6)),
        draw(st.integers(1, largest)),
        draw(st.integers(1, 3)),
        padding,
        draw(st.sampled_from(ACTIVATIONS)),
    )


@st.composite
def pool_layers(draw: st.DrawFn, space: int) -> Pool:
    padding: Padding = draw(st.sampled_from(["valid", "same"]))
    largest = min(space, 4) if padding == "valid" else 4
    return Pool(
        draw(st.sampled_from(["max", "average"])), draw(st.integers(1, largest)), draw(st.integers(1, 4)), padding
    )


# Rates with the six decimals that the notation can hold.
dropout_layers = st.integers(1, 999_999).map(lambda millionths: Dropout(millionths / 1_000_000))
dense_layers = st.builds(Dense, st.integers(1, 12), st.sampled_from(ACTIVATIONS))
anywhere_layers = dropout_layers | st.just(BatchNorm())


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Draw a small valid architecture: first layers on feature maps, then on flat values, then the output."""
    layers: list[Layer] = []
    for _ in range(draw(st.integers(0, 4))):
        space = min(list(brute_force(tuple(layers)))[-1][0][:2]) if layers else 28
        layers.append(draw(conv_layers(space) | pool_layers(space) | anywhere_layers))
    if draw(st.booleans()):
        layers.append(GlobalAveragePool())
        layers += draw(st.lists(anywhere_layers, max_size=2))
    if draw(st.booleans()):
        layers.append(draw(dense_layers))
        layers += draw(st.lists(dense_layers | anywhere_layers, max_size=2))
    return Architecture((*layers, OUTPUT))
