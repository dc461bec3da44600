"""Which pixels of the image a value of a feature map has seen.

After A. Araujo, W. Norris and J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.networks.layers import INPUT_SHAPE, Conv, Layer, Pool, Shape, windows

_SIDE = INPUT_SHAPE[0]


@dataclass(frozen=True)
class Field:
    """The receptive fields of all values of a feature map, along one axis, in pixels of the image.

    Each is `side` pixels wide, its neighbour lies `step` pixels on, and the middle of the first one is at `start`,
    where 0 is the middle of the first pixel. With padding, fields can reach beyond the image.
    """

    side: int
    step: int
    start: float


PIXEL = Field(1, 1, 0.0)


def field_after(layer: Layer, field: Field, shape: Shape) -> Field:
    """Return the fields of what a layer makes of feature maps of `shape`, whose own fields are given."""
    if not isinstance(layer, Conv | Pool):
        return field
    padding = windows(shape[0], layer.size, layer.stride, layer.padding).before
    return Field(
        field.side + (layer.size - 1) * field.step,
        field.step * layer.stride,
        field.start + ((layer.size - 1) / 2 - padding) * field.step,
    )


def enlarged(maps: NDArray[np.float32], field: Field) -> NDArray[np.float32]:
    """Return square maps, (…, n, n), as large as the image, (…, 28, 28): each value stands in the middle of its field.

    Between these, it is interpolated linearly; beyond the outermost, it fades to zero within one step.
    """
    count = maps.shape[-1]
    place = (np.arange(_SIDE) - field.start) / field.step  # of each pixel, among the values
    weights = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(count))).astype(np.float32)  # (28, n)
    return np.asarray(weights @ maps @ weights.T, np.float32)
