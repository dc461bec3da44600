"""A configuration as plain Keras code that repeats its run: section by section, and only what it uses.

The code has no words of a user in it but the label of the settings, and that only in letters that mean nothing to
Python or Markdown. All of it is ASCII, so that it survives any editor, clipboard or shell.
"""

from __future__ import annotations

import importlib.metadata
import math
import re
from dataclasses import dataclass

from mnist_core import __version__
from mnist_core.networks.layers import (
    INPUT_SHAPE,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    Pool,
    format_architecture,
    summarize,
)
from mnist_core.training.config import Optimizer, TrainingConfig
from mnist_core.training.export.augmentation_code import augmentation_code, augmentation_words
from mnist_core.training.export.training_code import metrics, training_code, training_words
from mnist_core.training.presets import label

LINE_LENGTH = 100


@dataclass(frozen=True)
class Section:
    """A part of a script or a cell of a notebook: what it is about, in plain words, and its code."""

    title: str
    words: str
    code: str


def introduction(config: TrainingConfig, test_accuracy: float | None = None) -> tuple[str, ...]:
    """Return paragraphs that say what the code is, what it needs and what it will print; the first is a title.

    `test_accuracy` is what the run reached in Digit Lab, a share.
    """
    versions = " ".join(f"{name}=={importlib.metadata.version(name)}" for name in ("keras", "tensorflow"))
    reached = "" if test_accuracy is None else f" In Digit Lab the run reached a test accuracy of {test_accuracy:.4f}."
    return (
        f"A network that reads handwritten digits, exported from Digit Lab {__version__}.",
        f"Settings: {_harmless(label(config))}. Network: {format_architecture(config.architecture)}.",
        f"Made for Keras and TensorFlow (pip install {versions}). MNIST is read from mnist.npz in the same folder if "
        "it is there; otherwise Keras downloads it once.",
        "It prints how each epoch went and then the accuracy on the test images, and saves the network as model.keras."
        + reached,
        "It repeats a run of Digit Lab: the same first weights, the same batches in the same order. On the same "
        "machine, with the same versions, the result is the same bit for bit; elsewhere sums are rounded differently, "
        "and training amplifies that.",
    )


def sections(config: TrainingConfig, mnist_file: str) -> tuple[Section, ...]:
    """Return the code in order. `mnist_file` is the Python expression for the path where mnist.npz may lie."""
    parts = [_settings(config), _images(config, mnist_file)]
    if config.augmentation.active:
        words, code = augmentation_words(config.augmentation), augmentation_code(config.augmentation)
        parts.append(Section("Augmentation", words, code))
    training = Section("Training", training_words(config), training_code(config))
    return (*parts, _network(config), training, _result())


def _harmless(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9 ,()+-]", "?", text)


def _settings(config: TrainingConfig) -> Section:
    code = f"""\
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"  # has to be said before Keras is imported
os.environ["TF_DETERMINISTIC_OPS"] = "1"  # numbers are added in the same order every time

import keras
import numpy as np
from keras import layers

SEED = {config.seed}
EPOCHS = {config.epochs}
BATCH_SIZE = {config.batch_size}
LEARNING_RATE = {config.learning_rate!r}"""
    if config.train_size < 60_000:
        code += f"\nTRAIN_SIZE = {config.train_size}"
    if config.holds_out:
        code += f"\nVALIDATION_SIZE = {config.validation_size}"
    return Section("Settings", "", code)


def _images(config: TrainingConfig, mnist_file: str) -> Section:
    words = "MNIST: images of 28 x 28 pixels from 0 (paper) to 255 (ink), and which digit each shows."
    code = f"""\
file = {mnist_file}
if file.exists():
    mnist = np.load(file)
    x_train, y_train = mnist["x_train"], mnist["y_train"]
    x_test, y_test = mnist["x_test"], mnist["y_test"]
else:
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = x_train[..., np.newaxis], x_test[..., np.newaxis]  # (n, 28, 28, 1)"""
    if config.train_size < 60_000:
        words += f" Only the first {config.train_size:,} of the 60,000 training images are used."
        code += "\nx_train, y_train = x_train[:TRAIN_SIZE], y_train[:TRAIN_SIZE]"
    if config.label_smoothing:
        words += " Labels become rows of ten numbers, 1 for the digit and 0 elsewhere: label smoothing asks for that."
        code += "\ny_train, y_test = (keras.utils.to_categorical(labels, 10) for labels in (y_train, y_test))"
    size = config.validation_size
    if config.validation == "last":
        words += f" The last {size:,} of the training images are held out for validation."
        code += """

x_val, y_val = x_train[-VALIDATION_SIZE:], y_train[-VALIDATION_SIZE:]
x_train, y_train = x_train[:-VALIDATION_SIZE], y_train[:-VALIDATION_SIZE]"""
    if config.validation == "random":
        words += f" A random {size:,} of the training images are held out for validation."
        code += """

order = np.random.default_rng([SEED, 0]).permutation(len(x_train))
training, held_out = np.sort(order[:-VALIDATION_SIZE]), np.sort(order[-VALIDATION_SIZE:])
x_val, y_val = x_train[held_out], y_train[held_out]
x_train, y_train = x_train[training], y_train[training]"""
    return Section("Images", words, code)


def _network(config: TrainingConfig) -> Section:
    words = f"{config.architecture.parameters:,} parameters. The comments show the output shape of each layer."
    lines = ["keras.utils.set_random_seed(SEED)  # the same first weights every time"]
    loss = '"sparse_categorical_crossentropy"'
    if config.l2:
        words += " To keep weights small, the L2 penalty adds their squares, times a factor, to the loss."
        lines.append(f"l2 = keras.regularizers.L2({config.l2!r})")
    if config.label_smoothing:
        words += (
            f" Label smoothing takes {config.label_smoothing:g} of the target from the right digit and spreads it over "
            "all ten, so that the network does not become overconfident."
        )
        loss = f"keras.losses.CategoricalCrossentropy(label_smoothing={config.label_smoothing!r})"
    measured = ", ".join(f'"{name}"' for name in metrics(config))
    lines += ["model = keras.Sequential(", "    [", *_layers(config), "    ]", ")"]
    lines += [
        "model.compile(",
        _optimizer(config),
        f"    loss={loss},",
        f"    metrics=[{measured}],",
        ")",
    ]
    return Section("Network", words, "\n".join(lines))


def _layers(config: TrainingConfig) -> list[str]:
    """Return a line for each layer, or three for a long one, with its output shape as a comment."""
    margin = "        "
    factor, meaning = ("1 / 255", "0 to 1") if config.scaling == "0-1" else ("1", "pixels stay at 0 to 255")
    lines = [f"{margin}keras.Input((28, 28, 1)),", _call(f"{margin}layers.Rescaling", [factor], meaning)]
    shape = INPUT_SHAPE
    for layer, summary in zip(config.architecture.layers, summarize(config.architecture), strict=True):
        if isinstance(layer, Dense) and len(shape) == 3:
            lines.append(_call(f"{margin}layers.Flatten", [], f"{math.prod(shape):,}"))
        shape = summary.output_shape
        name, arguments = _layer(layer)
        if config.l2 and isinstance(layer, Conv | Dense):
            arguments.append("kernel_regularizer=l2")
        lines.append(_call(f"{margin}{name}", arguments, " x ".join(f"{side:,}" for side in shape)))
    return lines


def _layer(layer: Layer) -> tuple[str, list[str]]:
    """Return a layer's name in Keras and its arguments, those that are not Keras's defaults."""
    match layer:
        case Conv(filters, size, stride, padding, activation):
            strides = [f"strides={stride}"] if stride != 1 else []
            return "layers.Conv2D", [f"{filters}", f"{size}", *strides, *_padding(padding), *_activation(activation)]
        case Pool(kind, size, stride, padding):
            name = "layers.MaxPooling2D" if kind == "max" else "layers.AveragePooling2D"
            strides = [f"strides={stride}"] if stride != size else []
            return name, [f"{size}", *strides, *_padding(padding)]
        case GlobalAveragePool():
            return "layers.GlobalAveragePooling2D", []
        case Dropout(rate):
            return "layers.Dropout", [repr(rate)]
        case BatchNorm():
            return "layers.BatchNormalization", []
        case Dense(units, activation):
            return "layers.Dense", [f"{units}", *_activation(activation)]
    raise TypeError(f"{layer!r} is not a layer of an architecture.")


def _padding(padding: str) -> list[str]:
    return ['padding="same"'] if padding == "same" else []


def _activation(activation: str) -> list[str]:
    return [f'activation="{activation}"'] if activation != "linear" else []


def _optimizer(config: TrainingConfig) -> str:
    """Return the line that gives `compile` the optimizer."""
    names: dict[Optimizer, str] = {
        "adam": "Adam",
        "adamw": "AdamW",
        "nadam": "Nadam",
        "rmsprop": "RMSprop",
        "sgd": "SGD",
        "momentum": "SGD",
        "nesterov": "SGD",
        "adagrad": "Adagrad",
        "adadelta": "Adadelta",
    }
    arguments = ["learning_rate=LEARNING_RATE"]
    if config.optimizer in ("momentum", "nesterov"):
        arguments.append(f"momentum={config.momentum!r}")
    if config.optimizer == "nesterov":
        arguments.append("nesterov=True")
    if config.optimizer == "adamw":
        arguments.append(f"weight_decay={config.weight_decay!r}")
    return _call(f"    optimizer=keras.optimizers.{names[config.optimizer]}", arguments)


def _call(start: str, arguments: list[str], comment: str = "") -> str:
    """Return a line that ends in a call and a comma; three lines if it is too long for one."""
    comment = f"  # {comment}" if comment else ""
    listed = ", ".join(arguments)
    if len(line := f"{start}({listed}),{comment}") <= LINE_LENGTH:
        return line
    margin = " " * (len(start) - len(start.lstrip()))
    return f"{start}(\n{margin}    {listed}\n{margin}),{comment}"


def _result() -> Section:
    code = """\
result = model.evaluate(x_test, y_test, batch_size=1000, verbose=0, return_dict=True)
print(f"Test accuracy {result['accuracy']:.4f}")
model.save("model.keras")"""
    return Section("Result", "The network has not been trained on the test images: how well does it read them?", code)
