"""Figures of answers over the epochs: of one image, and of all."""

from __future__ import annotations

import numpy as np

from mnist_core.figures import epoch_figures
from tests.support.drawn import drawn


def test_one_image_over_the_epochs_with_its_strongest_rival() -> None:
    probabilities = np.zeros((3, 10), np.float16)
    probabilities[:, 4] = [0.25, 0.5, 0.75]
    probabilities[[0, 1, 2], [9, 9, 7]] = [0.5, 0.25, 0.125]
    figure = drawn(epoch_figures.one_image_figure([1, 2, 3], probabilities, label=4))
    label, rival = figure.data
    assert list(label.y) == [0.25, 0.5, 0.75]
    assert list(rival.y) == [0.5, 0.25, 0.125]
    assert list(rival.text) == ["9", "9", "7"]


def test_the_epoch_that_is_shown_is_marked() -> None:
    figure = drawn(epoch_figures.accuracy_figure([1, 2, 4], np.array([0.9, 0.95, 0.97]), 4))
    sizes = figure.data[0].marker.size
    assert sizes[2] > sizes[0] == sizes[1]
    assert list(figure.data[0].y) == [0.9, 0.95, 0.97]
