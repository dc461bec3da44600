"""What a network made of one image, layer by layer, and what its answer rests on. `looking_inside` finds it out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Probabilities
from mnist_core.networks.insight.occlusion import Occlusion
from mnist_core.networks.layers import Layer, LayerSummary, Shape, summarize_layer

MOST_MAPS = 64  # of one layer that are kept
MOST_UNITS = 512  # of one dense layer

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Scaled:
    """Numbers in a byte each, to be shown: `steps`, int8, times `peak` / 127. `peak` is the largest absolute value."""

    steps: NDArray[np.int8]
    peak: float

    @property
    def values(self) -> FloatArray:
        """The numbers themselves, to within half a step."""
        return self.steps * np.float32(self.peak / 127)


@dataclass(frozen=True)
class LayerView:
    """What a layer made of the image: maps, (n, height, width); a flat layer's units are maps of one value, (n, 1, 1).

    They are the first `n` of all that it has, on one scale. `field` is the side, in pixels, of the square of the image
    that one value has seen; None where it has seen all of it.
    """

    layer: Layer
    input_shape: Shape
    maps: Scaled
    field: int | None

    @property
    def summary(self) -> LayerSummary:
        """What the layer does, with its name and the shape of all its maps."""
        return summarize_layer(self.layer, self.input_shape)


@dataclass(frozen=True)
class GradCam:
    """Where the last convolution found what raises the score of each digit.

    `heat`, (10, 28, 28) float32, is 0 or positive; it was interpolated from `side` × `side` values.
    """

    heat: FloatArray
    side: int


@dataclass(frozen=True)
class Insight:
    """All that is found out about one answer.

    `layers` are those that change the image: convolution, pooling and dense layers. `weights` are those of the first
    layer that has any, as pictures, (n, height, width), in the order of its maps or units; None if they are none.
    `grad_cam` is None for a network without a convolution, or if its last one has only one place.
    """

    probabilities: Probabilities  # (10,)
    erased: Occlusion
    inked: Occlusion
    grad_cam: GradCam | None
    weights: Scaled | None
    layers: tuple[LayerView, ...]


def scaled(values: FloatArray) -> Scaled:
    """Return numbers of any shape in 255 steps, zero among them; what is not finite counts as zero."""
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(np.abs(finite).max(initial=0.0))
    return Scaled(np.rint(finite * (127 / peak) if peak else finite).astype(np.int8), peak)
