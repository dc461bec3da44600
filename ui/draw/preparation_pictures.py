"""The steps of the preparation and what comes of them, as HTML. All text in it is our own."""

from __future__ import annotations

import numpy as np

from mnist_core.common import pictures
from mnist_core.common.arrays import Box, Ink
from mnist_core.drawing import preparation
from mnist_core.drawing.preparation import DIGIT_SIZE, IMAGE_SIZE
from mnist_core.drawing.preparation_steps import Step


def head_html() -> str:
    """Return what stands above the drawing, as high as the switches beside it."""
    return "<div class='step-head'>Your drawing</div>"


def drawn_html(step: Step, box: Box | None) -> str:
    """Return the drawing as it is, with a frame where it will be cut out."""
    return _figure(step, _sheet(step.picture, max(step.picture.shape), _frame(box, step.picture.shape) if box else ""))


def cropped_html(step: Step, drawn: Ink) -> str:
    """Return what was cut out of a drawing, as large as it is in there."""
    return _figure(step, _sheet(step.picture, max(drawn.shape)))


def fitted_html(step: Step) -> str:
    """Return the scaled drawing, as large as it will be in 28 × 28 pixels, and the 20 × 20 that it must fit."""
    margin = (IMAGE_SIZE - DIGIT_SIZE) // 2
    middle = slice(margin, margin + DIGIT_SIZE)
    fits = max(step.picture.shape) <= DIGIT_SIZE
    return _figure(
        step,
        _sheet(step.picture, IMAGE_SIZE) + (_frame((middle, middle), (IMAGE_SIZE, IMAGE_SIZE)) if fits else ""),
    )


def centred_html(step: Step) -> str:
    """Return the 28 × 28 pixels with their middle and the centre of mass."""
    row, column = preparation.centre_of_mass(step.picture)
    dot = f"left: {_share(column + 0.5, IMAGE_SIZE)}; top: {_share(row + 0.5, IMAGE_SIZE)}"
    marks = f"<div class='step-middle'></div><div class='step-dot' style='{dot}'></div>"
    return _figure(step, _sheet(step.picture, IMAGE_SIZE, marks))


def without_html(words: str, *, worse: bool) -> str:
    """Return a line on what is read if a step alone is left out; it stands out if that is worse than with it."""
    return f"<div class='step step-without{' is-worse' if worse else ''}'>Without this step: {words}</div>"


def given_html(title: str, how: str, image: Ink) -> str:
    """Return what the network is given, (28, 28), and how that was made."""
    picture = f"<img src='{_uri(image)}' alt='The 28 × 28 pixels that the network is given'>"
    return f"<div class='given'><b>{title}</b><div class='given-how'>{how}</div>{picture}</div>"


def _figure(step: Step, field: str) -> str:
    return (
        f"<figure class='step'><div class='step-field'>{field}</div>"
        f"<figcaption><b>{step.title}.</b> {step.line}</figcaption></figure>"
    )


def _sheet(picture: Ink, side: int, marks: str = "") -> str:
    """Return a picture with marks on it in a square field that is `side` of its pixels wide."""
    height, width = picture.shape
    size = f"width: {_share(width, side)}; height: {_share(height, side)}"
    return f"<div class='step-sheet' style='{size}'><img src='{_uri(picture)}' alt=''>{marks}</div>"


def _frame(box: Box, shape: tuple[int, ...]) -> str:
    rows, columns = box
    place = f"top: {_share(rows.start, shape[0])}; height: {_share(rows.stop - rows.start, shape[0])}"
    place += f"; left: {_share(columns.start, shape[1])}; width: {_share(columns.stop - columns.start, shape[1])}"
    return f"<div class='step-frame' style='{place}'></div>"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%"


def _uri(picture: Ink) -> str:
    return pictures.data_uri(pictures.png(np.ascontiguousarray(picture)))
