"""The style of figures: how strongly a cell of a confusion matrix is coloured."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_core.figures.style import shades


def test_shades_follow_the_square_root_without_the_diagonal() -> None:
    matrix = np.diag(np.full(10, 1000))
    matrix[4, 9], matrix[7, 2], matrix[0, 6] = 100, 25, 1
    shade = shades(matrix)
    assert (shade[4, 9], shade[7, 2], shade[0, 6]) == (1.0, 0.5, pytest.approx(0.1))
    assert shade.sum() == pytest.approx(1.6)
    by_share = shades(matrix / matrix.sum(axis=1, keepdims=True))
    assert by_share[7, 2] == pytest.approx(math.sqrt((25 / 1025) / (100 / 1100)))


def test_shades_of_a_network_without_mistakes() -> None:
    matrix = np.diag(np.full(10, 1000))
    assert not shades(matrix).any()
