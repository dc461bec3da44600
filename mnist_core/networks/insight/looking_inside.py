"""Looking inside a network while it reads one image. Importing this module loads TensorFlow.

Layers are called one by one, which needs no model of its own for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_core.common.arrays import Images
from mnist_core.networks.insight.occlusion import occlude
from mnist_core.networks.insight.receptive_fields import PIXEL, Field, enlarged, field_after
from mnist_core.networks.insight.results import (
    MOST_MAPS,
    MOST_UNITS,
    FloatArray,
    GradCam,
    Insight,
    LayerView,
    Scaled,
    scaled,
)
from mnist_core.networks.keras_model import predict
from mnist_core.networks.layers import (
    CLASS_COUNT,
    INPUT_SHAPE,
    OUTPUT,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    LayerSummary,
    Pool,
    Shape,
    summarize_layer,
)

# Bounds for networks of any size; those that ship stay below them.
_MOST_MULTIPLY_ADDS = 5_000_000_000  # of all images with a window; beyond, windows lie side by side
_MOST_VALUES = 16_000_000  # that the largest layer makes of one batch: 64 MB
_WINDOWS = 2 * 169  # at a step of 2, at most


@dataclass(frozen=True)
class _Step:
    """A Keras layer, what the notation calls it, and the shapes around it. `layer` is None if it has no token."""

    keras_layer: keras.layers.Layer
    layer: Layer | None
    input_shape: Shape
    field: Field  # of its output

    @property
    def summary(self) -> LayerSummary | None:
        return summarize_layer(self.layer, self.input_shape) if self.layer else None


def look_inside(model: keras.Model, image: Images) -> Insight:
    """Return what a network made of an image, (28, 28) uint8, and what speaks for each of the ten digits.

    Raises `ValueError` if it is not a network that the notation can describe.
    """
    steps = _steps(model)
    summaries = [step.summary for step in steps if step.summary]
    multiply_adds = sum(summary.multiply_adds for summary in summaries)
    values = max(int(np.prod(summary.output_shape)) for summary in summaries)
    ask = partial(predict, model, batch_size=max(1, min(1000, _MOST_VALUES // values)))
    window_step = 2 if _WINDOWS * multiply_adds <= _MOST_MULTIPLY_ADDS else 4
    probabilities, erased, inked = occlude(ask, image, window_step)
    return Insight(probabilities, erased, inked, grad_cam(model, image), _weights(steps), tuple(_views(steps, image)))


def grad_cam(model: keras.Model, image: Images) -> GradCam | None:
    """Return Grad-CAM of the last convolution for the score before softmax of each digit.

    The maps are added up, each times the mean of the score's gradient over its places; of the sum, what is positive
    stays. None without a convolution that has more than one place.

    After R. Selvaraju and others, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
    ICCV 2017.
    """
    steps = _steps(model)
    last = max((place for place, step in enumerate(steps) if isinstance(step.layer, Conv)), default=None)
    if last is None:
        return None
    *_, (step, maps) = _outputs(steps[: last + 1], image)  # (1, height, width, channels)
    if maps.shape[1] == 1:
        return None
    maps = tf.repeat(maps, CLASS_COUNT, axis=0)  # one for each digit, so that one pass backward does for all
    with tf.GradientTape() as tape:
        tape.watch(maps)
        flowing = maps
        for later in steps[last + 1 : -1]:
            flowing = later.keras_layer(flowing, training=False)
        output = steps[-1].keras_layer
        scores = tf.linalg.trace(tf.matmul(flowing, output.kernel) + output.bias)
    importance = tf.reduce_mean(tape.gradient(scores, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(importance * maps, axis=-1)).numpy()  # (10, height, width)
    return GradCam(enlarged(heat, step.field), heat.shape[1])


def layer_of(keras_layer: keras.layers.Layer) -> Layer | None:
    """Return the layer that `keras_model.build_model` made this one for; None for scaling and flattening.

    Raises `ValueError` for any other.
    """
    match keras_layer:
        case keras.layers.Rescaling() | keras.layers.Flatten():
            return None
        case keras.layers.Conv2D(filters=filters, kernel_size=(size, _), strides=(stride, _), padding=padding):
            return Conv(filters, size, stride, padding, _activation(keras_layer))
        case keras.layers.MaxPooling2D(pool_size=(size, _), strides=(stride, _), padding=padding):
            return Pool("max", size, stride, padding)
        case keras.layers.AveragePooling2D(pool_size=(size, _), strides=(stride, _), padding=padding):
            return Pool("average", size, stride, padding)
        case keras.layers.GlobalAveragePooling2D():
            return GlobalAveragePool()
        case keras.layers.Dropout(rate=rate):
            return Dropout(rate)
        case keras.layers.BatchNormalization():
            return BatchNorm()
        case keras.layers.Dense(units=units):
            return Dense(units, _activation(keras_layer))
    raise ValueError(f"{type(keras_layer).__name__} is not a layer of an architecture.")


def _activation(keras_layer: Any) -> Any:
    return keras.activations.serialize(keras_layer.activation)


def _steps(model: keras.Model) -> list[_Step]:
    if tuple(model.input_shape[1:]) != INPUT_SHAPE or layer_of(model.layers[-1]) != OUTPUT:
        raise ValueError("This is not a network from 28 × 28 pixels to ten probabilities.")
    steps = []
    shape, field = INPUT_SHAPE, PIXEL
    for keras_layer in model.layers:
        layer = layer_of(keras_layer)
        if layer is not None:
            field = field_after(layer, field, shape)
        step = _Step(keras_layer, layer, shape, field)
        steps.append(step)
        shape = step.summary.output_shape if step.summary else shape
    return steps


def _outputs(steps: Sequence[_Step], image: Images) -> Iterator[tuple[_Step, Any]]:
    """Yield each step with what it makes of one image, as a batch of one."""
    flowing = tf.constant(image[None, :, :, None], tf.float32)
    for step in steps:
        flowing = step.keras_layer(flowing, training=False)
        yield step, flowing


def _views(steps: Sequence[_Step], image: Images) -> Iterator[LayerView]:
    """Yield the first maps of each layer that makes new ones; dropout and batch normalization do not."""
    for step, output in _outputs(steps, image):
        match step.layer:
            case Conv() | Pool():
                maps = np.moveaxis(output[0, ..., :MOST_MAPS].numpy(), -1, 0)  # (n, height, width)
                yield LayerView(step.layer, step.input_shape, scaled(maps), step.field.side)
            case GlobalAveragePool() | Dense():
                units = output[0, :MOST_UNITS].numpy()[:, None, None]  # (n, 1, 1)
                yield LayerView(step.layer, step.input_shape, scaled(units), None)


def _weights(steps: Sequence[_Step]) -> Scaled | None:
    """Return the kernels of the first convolution, or what each unit of a dense layer on one map weighs its places."""
    first = next(step for step in steps if isinstance(step.layer, Conv | Dense))
    if len(first.input_shape) == 1 or first.input_shape[2] != 1:
        return None
    kernel: FloatArray = first.keras_layer.kernel[..., :MOST_MAPS].numpy()
    shape = kernel.shape[:2] if isinstance(first.layer, Conv) else first.input_shape[:2]
    return scaled(np.moveaxis(kernel.reshape(*shape, -1), -1, 0))
