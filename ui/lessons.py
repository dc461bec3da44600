"""The small live figures beside the words: one or two controls, one figure, one line that reads it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mnist_core import lesson_figures, lessons
from mnist_core.augmentation import Augmentation, augment
from mnist_core.config import TrainingConfig
from mnist_core.lessons import Values
from mnist_core.schedules import learning_rates
from ui import readers

_IMAGE = 18  # a test image of a 3 with many edges


def convolution(key: str) -> None:
    """Let a kernel slide over a digit."""
    name = st.selectbox("Kernel", [*lessons.KERNELS, "a random one"], key=f"{key}-kernel")
    kernel = lessons.KERNELS.get(name)
    if kernel is None:
        seed = st.slider("Throw the dice", 1, 20, 1, key=f"{key}-seed")
        kernel = np.random.default_rng(seed).normal(0, 1, (3, 3))
    digit = _digit()
    _show(
        lesson_figures.images_figure(
            [("digit, 28 × 28", digit), ("kernel, 3 × 3", kernel), ("result, 26 × 26", lessons.convolve(digit, kernel))]
        ),
        key,
    )
    st.caption("Teal: the kernel agrees with what it sees; amber: it sees the opposite. Training finds such kernels.")


def padding_and_stride(key: str) -> None:
    """Tell how large the result is."""
    left, right = st.columns(2)
    with left:
        kernel = st.slider("Window", 1, 7, 3, key=f"{key}-kernel")
        stride = st.slider("Stride", 1, 4, 1, key=f"{key}-stride")
    with right:
        padding = st.segmented_control(
            "Padding", ["valid", "same"], default="valid", required=True, key=f"{key}-padding"
        )
    side = lessons.window_output(28, kernel, stride, padding)
    st.markdown(f"28 × 28 becomes **{side} × {side}**.")


def pooling(key: str) -> None:
    """Turn windows of 2 × 2 into one value."""
    kind = st.segmented_control("Kind", ["max", "average"], default="max", required=True, key=f"{key}-kind")
    digit = _digit()
    pooled = lessons.pool(digit, kind)
    _show(
        lesson_figures.images_figure([("28 × 28", digit), ("14 × 14", pooled), ("7 × 7", lessons.pool(pooled, kind))]),
        key,
    )


def activation(key: str) -> None:
    """Draw what comes out of a neuron, for each sum that goes in."""
    name = st.segmented_control("Function", lessons.ACTIVATIONS, default="ReLU", required=True, key=f"{key}-name")
    x = np.linspace(-4, 4, 161)
    _show(lesson_figures.curve_figure(x, lessons.activate(name, x), "sum that goes in", "value that comes out"), key)


def dropout(key: str) -> None:
    """Let values vanish at random."""
    rate = st.slider("Rate", 0.0, 0.9, 0.5, 0.1, key=f"{key}-rate")
    digit = _digit()
    dropped = [(f"step {step}", lessons.drop(digit, rate, step)) for step in (1, 2, 3)]
    _show(lesson_figures.images_figure(dropped), key)
    st.caption("Other values are gone at each step. What is left is made brighter, so that the sum stays.")


def normalization(key: str) -> None:
    """Compare values before and after."""
    after = st.toggle("Normalize", key=f"{key}-on")
    values = lessons.convolve(_digit() * 255, lessons.KERNELS["left edges"]).ravel()
    if after:
        values = (values - values.mean()) / values.std()
    _show(lesson_figures.histogram_figure(values, "values of one feature map"), key)
    st.markdown(f"Mean **{values.mean():.1f}**, standard deviation **{values.std():.1f}**.")


def softmax(key: str) -> None:
    """Turn any three numbers into probabilities."""
    columns = st.columns(3)
    logits = []
    for column, digit, start in zip(columns, ("3", "5", "8"), (2.0, 1.0, -1.0), strict=True):
        with column:
            logits.append(st.slider(f"for {digit}", -5.0, 5.0, start, 0.5, key=f"{key}-{digit}"))
    probabilities = lessons.softmax(np.array(logits))
    _show(lesson_figures.bars_figure(probabilities, ["3", "5", "8"], int(probabilities.argmax())), key)
    st.caption("They always sum to 1. One more in the number makes a digit 2.7 times as likely against the others.")


def one_hot(key: str) -> None:
    """Write a label as ten numbers."""
    label = st.slider("Label", 0, 9, 3, key=f"{key}-label")
    _show(lesson_figures.bars_figure(lessons.one_hot(label), chosen=label), key)


def cross_entropy(key: str) -> None:
    """Tell what a probability costs."""
    share = st.slider("Probability given to the right digit", 0.01, 1.0, 0.1, 0.01, key=f"{key}-share")
    x = np.linspace(0.01, 1, 200)
    loss = -math.log(share)
    mark = (share, loss, f"{loss:.2f}")
    _show(lesson_figures.curve_figure(x, -np.log(x), "probability of the right digit", "loss", mark), key)
    st.caption("Guessing among ten digits, 0.1 for each, costs 2.30. Being sure and right costs nothing.")


def back_propagation(key: str) -> None:
    """Let one weight learn, number by number."""
    left, right = st.columns(2)
    with left:
        weight = st.slider("Weight", -2.0, 4.0, 3.0, 0.1, key=f"{key}-weight")
    with right:
        rate = st.slider("Learning rate", 0.0, 0.3, 0.1, 0.05, key=f"{key}-rate")
    step = lessons.learn_once(weight, 2.0, 2.0, rate)
    x = np.linspace(-2, 4, 100)
    mark = (weight, step.loss, "here")
    _show(lesson_figures.curve_figure(x, (2 * x - 2) ** 2, "weight", "loss", mark), key)
    st.markdown(
        f"Input 2, wanted 2. Output 2 × {weight:.1f} = **{step.output:.1f}**, so the loss is **{step.loss:.2f}**. The "
        f"slope "
        f"is **{step.slope:.1f}**, so the weight becomes {weight:.1f} − {rate:.2f} × {step.slope:.1f} = "
        f"**{step.new_weight:.2f}**."
    )


def learning_rate(key: str) -> None:
    """Walk down a valley in steps too short, right, too long."""
    rate = st.slider("Learning rate", 0.005, 0.18, 0.02, 0.005, format="%.3f", key=f"{key}-rate")
    path = lessons.descend("SGD", rate)
    _show(lesson_figures.descent_figure(path), key)
    distance = float(np.hypot(*path[-1]))
    st.caption(
        "Too high: each step leaps further than the last."
        if distance > 12
        else f"After 40 steps it is {distance:.1f} away from the lowest place, the star; it began 9.3 away."
    )


def optimizer(key: str) -> None:
    """Compare three ways down the same valley."""
    name = st.segmented_control(
        "Optimizer", ["SGD", "momentum", "Adam"], default="SGD", required=True, key=f"{key}-name"
    )
    rates = {"SGD": 0.02, "momentum": 0.02, "Adam": 0.6}
    path = lessons.descend(name, rates[name])
    _show(lesson_figures.descent_figure(path), key)
    st.caption(f"40 steps at a rate of {rates[name]:g}. It ends {float(np.hypot(*path[-1])):.1f} away from the star.")


def schedule(key: str) -> None:
    """Draw the rate, step by step."""
    name = st.segmented_control(
        "Schedule", ["constant", "cosine", "step", "one-cycle"], default="one-cycle", required=True, key=f"{key}-name"
    )
    config = TrainingConfig(schedule=name, epochs=9, batch_size=512, learning_rate=0.01)
    rates: Values = learning_rates(config)
    epochs = np.arange(len(rates)) / config.steps_per_epoch
    _show(lesson_figures.curve_figure(epochs, rates, "epoch", "learning rate"), key)


def batch(key: str) -> None:
    """Tell how many steps an epoch has."""
    size = st.select_slider("Batch size", [1, 8, 32, 64, 128, 256, 512, 1024], 128, key=f"{key}-size")
    steps = math.ceil(60_000 / size)
    st.markdown(f"60,000 images in batches of {size:,}: the weights change **{steps:,} times** in one epoch.")


def overfitting(key: str) -> None:
    """Let a curve that is too free learn the noise."""
    degree = st.slider("Freedom of the curve", 1, 9, 3, key=f"{key}-degree", help="The degree of a polynomial.")
    fit = lessons.fit_polynomial(degree)
    _show(lesson_figures.fit_figure(fit), key)
    st.markdown(f"Error on the points it learned: **{fit.training_error:.2f}**; on new ones: **{fit.new_error:.2f}**.")


def augmentation(key: str) -> None:
    """Show one digit as other hands might have written it."""
    strength = st.slider("Strength", 0.0, 2.0, 1.0, 0.25, key=f"{key}-strength")
    changes = Augmentation(10 * strength, 2 * strength, 0.1 * strength, 10 * strength, strength, 0.4 * strength)
    digit = readers.mnist().x_test[[_IMAGE] * 3]
    changed = augment(digit, changes, np.random.default_rng(1)).astype(float) / 255
    _show(lesson_figures.images_figure([("", _digit()), *(("", image) for image in changed)]), key)


def label_smoothing(key: str) -> None:
    """Show a target that is not quite sure."""
    share = st.slider("Label smoothing", 0.0, 0.5, 0.1, 0.05, key=f"{key}-share")
    _show(lesson_figures.bars_figure(lessons.one_hot(3) * (1 - share) + share / 10, chosen=3), key)


LESSONS: dict[str, Callable[[str], None]] = {
    "convolution": convolution,
    "padding and stride": padding_and_stride,
    "pooling": pooling,
    "activation": activation,
    "dropout": dropout,
    "normalization": normalization,
    "softmax": softmax,
    "one-hot": one_hot,
    "cross-entropy": cross_entropy,
    "back-propagation": back_propagation,
    "learning rate": learning_rate,
    "optimizer": optimizer,
    "schedule": schedule,
    "batch": batch,
    "overfitting": overfitting,
    "augmentation": augmentation,
    "label smoothing": label_smoothing,
}


def _digit() -> Values:
    digit: Values = readers.mnist().x_test[_IMAGE] / 255
    return digit


def _show(figure: go.Figure, key: str) -> Any:
    return st.plotly_chart(figure, config={"displayModeBar": False}, key=f"{key}-figure")
