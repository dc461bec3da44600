"""Ones with an upstroke and sevens with a bar, as much of the world writes them and MNIST does not.

The digits of MNIST were written in the United States, where a 1 is a single line. A network that
has only seen these reads the 1 of a German, French or Brazilian hand as a 7. Here training images
are given the missing strokes. Only NumPy is used, and no name of another module: an exported script
takes these functions as they stand, so lines are at most 100 characters long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NUMBERS = 6  # random numbers that each image takes


def write_continental(
    images: NDArray[np.float32],
    labels: NDArray[np.uint8],
    numbers: NDArray[np.float32],
    share: float,
) -> NDArray[np.float32]:
    """Return images (n, 28, 28) in which about `share` of the 1s have an upstroke, of the 7s a bar.

    `numbers` are random, (n, 6) from 0 to 1; labels are (n,). Grey levels are 0 to 255. The centre
    of mass of a changed digit is moved back to where it was, by whole pixels, as MNIST has it.
    """
    chosen = (numbers[:, 0] < share) & images.any(axis=(1, 2))
    written = images.copy()
    for digit, add_stroke in ((1, add_upstroke), (7, add_bar)):
        which = np.flatnonzero(chosen & (labels == digit))
        if len(which):
            written[which] = recentre(add_stroke(images[which], numbers[which]), images[which])
    return written


def add_upstroke(images: NDArray[np.float32], numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add a stroke that falls to the left from the top of each 1, and to some of them a foot."""
    top, bottom = first_and_last_row(images)
    height = bottom - top
    leftwards = column_at(images, top + 1) - column_at(images, bottom - 1)
    lean = np.arctan2(leftwards, np.maximum(height - 2, 1))
    pen = np.clip(images.sum(axis=(1, 2)) / 255 / np.maximum(height, 1) * np.cos(lean), 1.6, 4) / 2
    # At least 20 degrees from the stem, or there is no corner; at most 65 from upright, or it is
    # the top of a 7.
    angle = np.minimum(np.maximum(lean, 0) + np.radians(20 + 40 * numbers[:, 1]), np.radians(65))
    length = height * (0.2 + 0.6 * numbers[:, 2])
    tip_x, tip_y = column_at(images, top + 1), top + pen
    end_x, end_y = tip_x - length * np.sin(angle), tip_y + length * np.cos(angle)
    written = add_line(images, tip_x, tip_y, end_x, end_y, pen)
    has_foot = numbers[:, 3] < 0.25
    half, foot_x, foot_y = (
        has_foot * (2 + 4 * numbers[:, 4]),
        column_at(images, bottom - 1),
        bottom - pen / 2,
    )
    with_foot = add_line(written, foot_x - half, foot_y, foot_x + half, foot_y, pen)
    return np.where(has_foot[:, None, None], with_foot, written)


def add_bar(images: NDArray[np.float32], numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add a short stroke across the stem of each 7."""
    top, bottom = first_and_last_row(images)
    y = top + (bottom - top) * (0.45 + 0.2 * numbers[:, 1])
    row = np.round(y).astype(int)
    x = column_at(images, row)
    pen = np.clip(images[np.arange(len(images)), row].sum(axis=1) / 255 * 0.8, 1.6, 4) / 2
    half = 2.5 + 3 * numbers[:, 2]
    rise = np.radians(30 * numbers[:, 3] - 10)
    across, up = half * np.cos(rise), half * np.sin(rise)
    return add_line(images, x - across, y + up, x + across, y - up, pen)


def add_line(
    images: NDArray[np.float32],
    x0: NDArray[np.floating],
    y0: NDArray[np.floating],
    x1: NDArray[np.floating],
    y1: NDArray[np.floating],
    radius: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Add to each image a straight stroke with round ends from (x0, y0) to (x1, y1), each (n,)."""
    x0, y0, x1, y1, radius = (value[:, None, None] for value in (x0, y0, x1, y1, radius))
    y, x = np.mgrid[:28, :28]
    length = np.maximum((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-6)
    along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
    distance = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
    stroke = 255 * np.clip(radius + 0.5 - distance, 0, 1)
    written: NDArray[np.float32] = np.maximum(images, stroke).astype(np.float32)
    return written


def recentre(images: NDArray[np.float32], like: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move images by whole pixels: their centres of mass go to where those of other images are."""
    places = zip(centre_of_mass(images), centre_of_mass(like), strict=True)
    moves = [np.round(new - old).astype(int) for new, old in places]
    columns, rows = (np.arange(28) + move[:, None] for move in moves)
    framed = np.pad(images, ((0, 0), (28, 28), (28, 28)))
    which = np.arange(len(images))[:, None, None]
    moved: NDArray[np.float32] = framed[which, rows[:, :, None] + 28, columns[:, None, :] + 28]
    return moved


def centre_of_mass(images: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return column and row of the centre of mass of each image, (n,); no image may be empty."""
    mass, places = images.sum(axis=(1, 2), dtype=np.float64), np.arange(28)
    return images.sum(axis=1) @ places / mass, images.sum(axis=2) @ places / mass


def first_and_last_row(images: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first and last row of each image with ink of at least half its darkest, (n,)."""
    darkest: NDArray[np.float32] = images.max(axis=2)  # of each row
    has_ink: NDArray[np.bool_] = np.asarray(darkest >= darkest.max(axis=1, keepdims=True) / 2)
    return has_ink.argmax(axis=1), 27 - has_ink[:, ::-1].argmax(axis=1)


def column_at(images: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the middle of the ink in one row of each image, (n,); in all rows if that is empty."""
    ink = images[np.arange(len(images)), np.clip(rows, 0, 27)].astype(np.float64)
    has_ink: NDArray[np.bool_] = np.asarray(ink.any(axis=1))
    ink = np.where(has_ink[:, None], ink, images.sum(axis=1))
    middle: NDArray[np.float64] = ink @ np.arange(28) / ink.sum(axis=1)
    return middle
