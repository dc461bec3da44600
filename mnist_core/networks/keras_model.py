"""An architecture as a Keras model. Importing this module loads TensorFlow."""

from __future__ import annotations

import keras
import numpy as np

from mnist_core.common.arrays import Images, Probabilities
from mnist_core.networks.layers import (
    INPUT_SHAPE,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    Pool,
    Scaling,
)


def build_model(architecture: Architecture, scaling: Scaling, l2: float = 0.0) -> keras.Sequential:
    """Return an untrained model from pixels 0-255, (n, 28, 28, 1), to probabilities, (n, 10) float32.

    Scaling is its first layer, so that training and drawing cannot differ. Kernels, not biases, are held small by `l2`.
    """
    model = keras.Sequential(name="digit_lab")
    model.add(keras.Input(INPUT_SHAPE))
    model.add(keras.layers.Rescaling(1 / 255 if scaling == "0-1" else 1.0))
    for layer in architecture.layers:
        if isinstance(layer, Dense) and len(model.output_shape) > 2:
            model.add(keras.layers.Flatten())
        model.add(_keras_layer(layer, keras.regularizers.L2(l2) if l2 else None))
    return model


def predict(model: keras.Model, images: Images, batch_size: int = 1000) -> Probabilities:
    """Return the probabilities, (n, 10) float32, for images (n, 28, 28) uint8."""
    starts = range(0, len(images), batch_size)
    batches = [model.predict_on_batch(images[start : start + batch_size, ..., np.newaxis]) for start in starts]
    return np.concatenate(batches) if batches else np.empty((0, 10), np.float32)


def _keras_layer(layer: Layer, penalty: keras.Regularizer | None) -> keras.layers.Layer:
    match layer:
        case Conv(filters, size, stride, padding, activation):
            return keras.layers.Conv2D(
                filters, size, strides=stride, padding=padding, activation=activation, kernel_regularizer=penalty
            )
        case Pool("max", size, stride, padding):
            return keras.layers.MaxPooling2D(size, strides=stride, padding=padding)
        case Pool("average", size, stride, padding):
            return keras.layers.AveragePooling2D(size, strides=stride, padding=padding)
        case GlobalAveragePool():
            return keras.layers.GlobalAveragePooling2D()
        case Dropout(rate):
            return keras.layers.Dropout(rate)
        case BatchNorm():
            return keras.layers.BatchNormalization()
        case Dense(units, activation):
            return keras.layers.Dense(units, activation=activation, kernel_regularizer=penalty)
    raise TypeError(f"{layer!r} is not a layer of an architecture.")
