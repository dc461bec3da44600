"""Connected components, held against SciPy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import ndimage

from mnist_core.drawing.connected_components import label

masks = st_numpy.arrays(bool, st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30))


def assert_as_scipy(mask: np.ndarray) -> None:
    labelled, count = label(mask)
    expected, expected_count = ndimage.label(mask, np.ones((3, 3)))
    assert count == expected_count
    assert labelled.dtype == np.int32
    # The numbers may differ, what hangs together may not: each number goes with one of the other's.
    assert np.array_equal(labelled > 0, mask)
    assert len(set(zip(labelled.ravel().tolist(), expected.ravel().tolist(), strict=True))) == len(np.unique(expected))


@settings(max_examples=300, deadline=None)
@given(masks)
def test_any_mask(mask: np.ndarray) -> None:
    assert_as_scipy(mask)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_scattered_ink(seed: int, share: float) -> None:
    assert_as_scipy(np.random.default_rng(seed).random((90, 110)) < share)


def test_a_spiral_hangs_together_from_end_to_end() -> None:
    rows, columns = np.mgrid[:200, :200] - 100
    turns = np.hypot(rows, columns) / 12 + np.arctan2(rows, columns) / (2 * np.pi)
    mask = (turns % 1 < 0.5) & (np.hypot(rows, columns) < 95)
    assert_as_scipy(mask)


def test_numbers_follow_the_first_pixels() -> None:
    labelled, count = label(np.array([[0, 1, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0]], bool))
    assert count == 3
    assert labelled.tolist() == [[0, 1, 0, 2], [0, 0, 0, 2], [3, 0, 0, 0]]


def test_no_ink_no_components() -> None:
    for shape in ((0, 0), (0, 4), (4, 0), (3, 5)):
        labelled, count = label(np.zeros(shape, bool))
        assert count == 0
        assert labelled.shape == shape
        assert not labelled.any()
