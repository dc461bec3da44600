"""The small live figures beside the words: one or two controls, one figure, one line that reads it.

Each function shows one example; its `key` keeps the widgets of several places apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeVar

import numpy as np
import streamlit as st

from mnist_core.common.text import percent
from mnist_core.data.dataset import TEST_IMAGES, TRAIN_IMAGES
from mnist_core.figures import concept_figures, concepts
from mnist_core.figures.concept_figures import Frame, Line, Picture
from mnist_core.figures.concepts import Pooling, Rule, Values
from mnist_core.figures.style import QUIET_COLOR, with_layout
from mnist_core.networks.layers import Padding, windows
from mnist_core.training.config import Schedule, TrainingConfig
from mnist_core.training.schedules import learning_rates
from ui.components.live_chart import live_chart
from ui.session import cached_reads

Option = TypeVar("Option", bound=str)

_SEVEN, _THREE, _EIGHT = 0, 32, 181  # test images
_BATCH_SIZES = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
_RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.18, 0.19, 0.21, 0.3, 0.5, 1.0)
_PADDINGS: tuple[Padding, ...] = ("valid", "same")
_POOLINGS: tuple[Pooling, ...] = ("max", "average")
_RULES: tuple[Rule, ...] = ("SGD", "momentum", "Adam")
_SCHEDULES: dict[Schedule, str] = {
    "cosine": "Highest at first, then ever lower, gently at both ends.",
    "step": "Halved after every third epoch.",
    "one-cycle": "A gentle start, the full rate after 30% of all steps, nearly nothing at the end.",
    "constant": "Every step has the same rate.",
}
_PIXEL = 0.8
_TOY_RATE = 2.0


def convolution(key: str) -> None:
    """Slide a kernel over a digit, and show what it finds."""
    digit = _digit(_SEVEN)
    name = st.selectbox("Kernel", concepts.KERNELS, key=f"{key}-kernel")
    kernel = concepts.KERNELS[name]
    result = concepts.convolve(digit, kernel)
    with st.container(horizontal=True):
        row = st.slider("Window, row", 1, len(result), 16, key=f"{key}-row") - 1
        column = st.slider("Window, column", 1, len(result), 15, key=f"{key}-column") - 1
    pictures = (
        Picture(digit, "28 × 28 pixels", 28),
        Picture(kernel, "kernel", 14, numbered=True),
        Picture(result, "26 × 26 results", 26),
    )
    frames = (Frame(0, row, column, 3), Frame(2, row, column, 1))
    live_chart(concept_figures.pictures_figure(pictures, frames), key=f"{key}-figure")
    st.caption(
        f"In the frame, nine pixels times nine weights add up to **{_signed(result[row, column])}**. "
        + ("Teal is positive, amber negative, black zero." if result.min() < 0 else "The brighter, the larger.")
    )


def padding_and_stride(key: str) -> None:
    """Show all places of a window, and how many there are."""
    padding = _choice("Padding", _PADDINGS, f"{key}-padding")
    with st.container(horizontal=True):
        size = st.slider("Window", 1, 7, 3, key=f"{key}-size")
        stride = st.slider("Stride", 1, 4, 2, key=f"{key}-stride")
    places = windows(28, size, stride, padding)
    live_chart(concept_figures.windows_figure(_digit(_THREE), places), key=f"{key}-figure")
    st.caption(
        f"Framed: the first window. A dot: the middle of each. There are {places.output} × {places.output} of them, so "
        f"28 × 28 becomes **{places.output} × {places.output}**."
        + (" Grey: the zeros that were put around it." if places.before + places.after else "")
    )


def pooling(key: str) -> None:
    """Keep one value of each square."""
    with st.container(horizontal=True):
        kind = _choice("Of each square, keep", _POOLINGS, f"{key}-kind", width="content")
        size = st.slider("Side of a square", 2, 4, 2, key=f"{key}-size")
    digit = _digit(_EIGHT)
    pooled = concepts.pool(digit, kind, size)
    side = len(pooled)
    pictures = (Picture(digit, "28 × 28", 28), Picture(pooled, f"{side} × {side}", 28))
    frames = (Frame(0, 8 // size * size, 12 // size * size, size), Frame(1, 8 // size, 12 // size, 1))
    live_chart(concept_figures.pictures_figure(pictures, frames), key=f"{key}-figure")
    st.caption(
        f"Of each square of {size} × {size} values the {'largest' if kind == 'max' else 'mean'} is kept: 784 values "
        f"become **{side * side}**."
    )


def activation(key: str) -> None:
    """Show what comes out for each sum that goes in."""
    name = _choice("Function", list(concepts.ACTIVATIONS), f"{key}-name")
    goes_in = st.slider("Sum", -4.0, 4.0, -1.5, 0.1, key=f"{key}-sum")
    function = concepts.ACTIVATIONS[name]
    x = np.linspace(-4, 4, 161)
    comes_out = float(function(np.array([goes_in]))[0])
    figure = concept_figures.lines_figure([Line(x, function(x))], "sum", "output", (goes_in, comes_out))
    live_chart(figure, key=f"{key}-figure")
    st.caption(f"{name} makes **{_signed(comes_out)}** of {_signed(goes_in)}.")


def dropout(key: str) -> None:
    """Let values vanish at random."""
    with st.container(horizontal=True):
        rate = st.slider("Rate", 0.0, 0.9, 0.5, 0.1, key=f"{key}-rate")
        step = st.slider("Training step", 1, 20, 1, key=f"{key}-step")
    values = concepts.pool(_digit(_THREE), "max")
    dropped = concepts.drop(values, rate, step)
    pictures = (Picture(values, "before", 28), Picture(dropped, "after", 28))
    live_chart(concept_figures.pictures_figure(pictures), key=f"{key}-figure")
    st.caption(
        f"Brown: **{np.isnan(dropped).sum()} of {values.size}** values are set to 0. The others are multiplied by "
        f"{1 / (1 - rate):.3g}, so that on average the sum stays: it was {values.sum():.0f}, this time it is "
        f"{np.nansum(dropped):.0f}."
    )


def normalization(key: str) -> None:
    """Shift and stretch values, and see them brought back."""
    with st.container(horizontal=True):
        strength = st.slider("Stretch", 0.2, 4.0, 2.5, 0.1, key=f"{key}-strength")
        shift = st.slider("Shift", -4.0, 4.0, 2.0, 0.5, key=f"{key}-shift")
    values = concepts.unit_sums(cached_reads.mnist().x_test[:512]) * strength + shift
    after = concepts.standardized(values)
    live_chart(concept_figures.spread_figure(values, after), key=f"{key}-figure")
    st.caption(
        f"The outputs of one unit for 512 digits. Before: mean {_signed(values.mean())}, standard deviation "
        f"{values.std():.2f}. After: mean **0**, standard deviation **{after.std():.0f}**, wherever you move them."
    )


def softmax(key: str) -> None:
    """Turn ten scores into probabilities; two of them can be changed."""
    scores = np.array([-2.0, -3.0, -1.0, 0.0, 0.0, 0.5, -3.0, 1.0, 1.0, 0.0])
    with st.container(horizontal=True):
        scores[4] = st.slider("Score of the 4", -5.0, 10.0, 4.0, 0.5, key=f"{key}-4")
        scores[9] = st.slider("Score of the 9", -5.0, 10.0, 5.0, 0.5, key=f"{key}-9")
    probabilities = concepts.softmax(scores)
    live_chart(concept_figures.bars_figure(probabilities, int(probabilities.argmax())), key=f"{key}-figure")
    ratio = probabilities[9] / probabilities[4]
    leader, factor = ("9", ratio) if ratio >= 1 else ("4", 1 / ratio)
    st.caption(
        "They always add up to 100%. "
        + (
            "Equal scores, equal probabilities."
            if ratio == 1
            else f"The score of the {leader} is {abs(scores[9] - scores[4]):g} higher, so it gets "
            f"{factor:,.3g} times as much."
        )
    )


def one_hot(key: str) -> None:
    """Write a label as ten numbers."""
    label = st.slider("Label", 0, 9, 3, key=f"{key}-label")
    live_chart(concept_figures.vector_figure(concepts.target(label)), key=f"{key}-figure")
    st.caption(f"The label {label}: a 1 in the place of the {label}, nine times 0.")


def label_smoothing(key: str) -> None:
    """Write a label as ten numbers that are not quite sure."""
    share = st.slider("Label smoothing", 0.0, 0.5, 0.1, 0.05, key=f"{key}-share")
    values = concepts.target(3, share)
    live_chart(concept_figures.vector_figure(values), key=f"{key}-figure")
    right, other = (percent(values[digit], 1) for digit in (3, 0))
    st.caption(f"The label 3: **{right}** for the 3, {other} for each other digit.")


def cross_entropy(key: str) -> None:
    """Tell what a probability costs."""
    share = st.slider("Probability given to the right digit", 1, 100, 10, format="%d%%", key=f"{key}-percent")
    loss = -np.log(share / 100)
    x = np.linspace(0.01, 1, 199)
    guess = Line(np.array([0.1, 0.1, 0.0]), np.array([0, -np.log(0.1), -np.log(0.1)]), "a guess", dash="dot")
    lines = [Line(x, -np.log(x)), replace(guess, color=QUIET_COLOR)]
    figure = concept_figures.lines_figure(lines, "probability of the right digit", "loss", (share / 100, float(loss)))
    axis = {"tickformat": ".0%", "dtick": 0.25, "range": [0, 1.02]}
    live_chart(with_layout(figure, {"xaxis": axis}), key=f"{key}-figure")
    st.caption(
        f"{share}% for the right digit costs **{abs(loss):.2f}**. A mere guess gives each of the ten digits 10% and "
        "costs 2.30."
    )


def back_propagation(key: str) -> None:
    """Follow one weight forward to the loss, and the slope back."""
    with st.container(horizontal=True):
        is_digit = _choice("The digit is", ("a 7", "no 7"), f"{key}-truth", width="content") == "a 7"
        weight = st.slider("Weight", -6.0, 6.0, -1.0, 0.1, key=f"{key}-weight")
    now = concepts.chain(weight, _PIXEL, is_digit)
    after = concepts.chain(weight - _TOY_RATE * now.slope, _PIXEL, is_digit)
    weights = np.linspace(-6, 6, 121)
    losses = np.array([concepts.chain(at, _PIXEL, is_digit).loss for at in weights.tolist()])
    live_chart(concept_figures.chain_figure(now, after, weights, losses), key=f"{key}-figure")
    by_probability, by_score, by_weight = map(_signed, now.slopes)
    st.caption(
        f"Forward: {_signed(weight)} × pixel {_PIXEL} = {_signed(now.score)} → “a 7”: "
        f"{percent(now.probability, 0)} → loss {now.loss:.2f}.  \n"
        f"Back: {by_probability} × {by_score} × {by_weight} = slope **{_signed(now.slope)}**: "
        f"{'up' if now.slope < 0 else 'down'} with the weight."
    )


def learning_rate(key: str) -> None:
    """Walk down a valley in steps too short, right, too long."""
    rate = st.select_slider("Learning rate", _RATES[:9], 0.02, key=f"{key}-rate")
    _descent("SGD", rate, key)


def optimizer(key: str) -> None:
    """Compare three ways down the same valley."""
    rule = _choice("Optimizer", _RULES, f"{key}-rule")
    rate = st.select_slider("Learning rate", _RATES, 0.02, key=f"{key}-rate")
    _descent(rule, rate, key)


def schedule(key: str) -> None:
    """Draw the learning rate of every step."""
    name = _choice("Schedule", list(_SCHEDULES), f"{key}-name")
    config = TrainingConfig(schedule=name, epochs=9, batch_size=512)
    rates: Values = learning_rates(config)
    epochs = np.arange(len(rates)) / config.steps_per_epoch
    figure = concept_figures.lines_figure([Line(epochs, rates)], "epoch", "learning rate")
    live_chart(with_layout(figure, {"yaxis": {"range": [0, 1.05 * rates.max()]}}), key=f"{key}-figure")
    st.caption(_SCHEDULES[name])


def batch(key: str) -> None:
    """Show how well a batch stands for all digits."""
    with st.container(horizontal=True):
        size = st.select_slider("Batch size", _BATCH_SIZES, 32, key=f"{key}-size")
        number = st.slider("Batch number", 1, 14, 1, key=f"{key}-number")
    shares = concepts.digit_shares(cached_reads.mnist().y_train, size, number)
    top = max(0.3, float(shares.max()))
    live_chart(concept_figures.bars_figure(shares, top=top, level=0.1), key=f"{key}-figure")
    steps = concepts.steps_per_epoch(TRAIN_IMAGES, size)
    st.caption(
        f"Which digits are in batch {number} of {steps:,}. Dotted: one tenth, about what each digit has among all "
        f"{TRAIN_IMAGES:,}. The smaller the batch, the less it looks like all of them."
    )


def epoch(key: str) -> None:
    """Count the steps."""
    with st.container(horizontal=True):
        size = st.select_slider("Batch size", _BATCH_SIZES, 128, key=f"{key}-size")
        epochs = st.slider("Epochs", 1, 20, 5, key=f"{key}-epochs")
    steps = concepts.steps_per_epoch(TRAIN_IMAGES, size)
    rest = TRAIN_IMAGES - (steps - 1) * size
    st.markdown(f"{epochs} × {steps:,} = **{epochs * steps:,} steps**")
    st.caption(
        f"{TRAIN_IMAGES:,} images in batches of {size:,} make {steps:,} steps for each epoch"
        + (f"; the last batch has the {rest} that remain." if rest < size else ".")
    )


def validation(key: str) -> None:
    """Divide the images."""
    share = st.slider("Validation split", 1, 50, 10, format="%d%%", key=f"{key}-percent")
    config = TrainingConfig(validation="last", validation_share=share / 100)
    training = config.train_size - config.validation_size
    live_chart(concept_figures.split_figure(training, config.validation_size, TEST_IMAGES), key=f"{key}-figure")
    st.caption(f"The network learns from {training:,} digits and is checked on {config.validation_size:,} others.")


def overfitting(key: str) -> None:
    """Let a curve that is too free learn the noise."""
    degree = st.slider("Bends allowed (degree of the polynomial)", 1, 11, 3, key=f"{key}-degree")
    fit = concepts.fit_polynomial(degree)
    live_chart(concept_figures.fit_figure(fit), key=f"{key}-figure")
    st.caption(
        f"Typical error on the points it was fitted to: **{fit.error:.2f}**; on those held out: "
        f"**{fit.held_out_error:.2f}**."
    )


def l2(key: str) -> None:
    """Show how a price on large weights moves the best one."""
    strength = st.slider("Strength of L2", 0.0, 3.0, 0.5, 0.1, key=f"{key}-strength")
    weights = np.linspace(-1, 4, 101)
    loss, total, best = concepts.penalized(weights, strength)
    lines = [Line(weights, loss, "loss alone", QUIET_COLOR, dash="dash"), Line(weights, total, "with L2")]
    lowest = float(concepts.penalized(np.array([best]), strength)[1][0])
    figure = concept_figures.lines_figure(lines, "weight", "loss", (best, lowest))
    live_chart(with_layout(figure, {"yaxis": {"range": [0, 10]}}), key=f"{key}-figure")
    st.caption(f"A made-up loss that is lowest at a weight of 2. With the penalty, the best weight is **{best:.2f}**.")


def _descent(rule: Rule, rate: float, key: str) -> None:
    path = concepts.descend(rule, rate)
    live_chart(concept_figures.descent_figure(path), key=f"{key}-figure")
    start, end = concepts.height(path[[0, -1]]).tolist()
    if end > start:
        verdict = f"**Too high**: each step leaps over the valley, further up than it was. It began at {start:.1f}."
    elif end > 0.01 * start:
        verdict = f"**Not there yet**: in 40 steps the height falls from {start:.1f} to {end:.1f}."
    else:
        verdict = f"**Good**: in 40 steps the height falls from {start:.1f} to {end:.2f}."
    st.caption(verdict)


def _choice(
    label: str, options: Sequence[Option], key: str, *, width: Literal["stretch", "content"] = "stretch"
) -> Option:
    """Show a choice whose first option is chosen at first."""
    return st.segmented_control(label, options, default=options[0], required=True, width=width, key=key)


def _digit(index: int) -> Values:
    digit: Values = cached_reads.mnist().x_test[index] / 255
    return digit


def _signed(value: float) -> str:
    """Two decimals at most, and a true minus sign; never −0."""
    return f"{round(value, 2) + 0.0:g}".replace("-", "−")
