"""From paper to ink: which lines are ink, what light does, and where Otsu's method puts the threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as st_numpy

from mnist_core.data.dataset import Mnist
from mnist_core.drawing.photos.binarisation import LEAST_CONTRAST, Contrast, automatic_threshold, contrast, ink
from mnist_core.drawing.photos.picture_files import grey, read_picture
from tests.support.photographed import SIZE, Scene, photo

levels_arrays = st_numpy.arrays(np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=50))


@pytest.fixture(scope="module")
def clean_ink(mnist: Mnist) -> np.ndarray:
    """Where the ink of the first six test digits is on a photo without grain and noise, in even light."""
    clean = looked_at(photo([mnist.x_test[:6]], Scene(grain=0, noise=0)))
    expected = ink(clean, automatic_threshold(clean)) >= 128
    assert 0.01 < expected.mean() < 0.1
    return expected


def looked_at(content: bytes) -> Contrast:
    return contrast(grey(read_picture(content)))


def otsu(values: np.ndarray) -> float:
    """Try every threshold, as N. Otsu defined it: the largest variance between the two groups."""
    best, largest = 0.0, -1.0
    for threshold in np.arange(1, 256) / 256:
        low, high = values[values < threshold], values[values >= threshold]
        if len(low) and len(high):
            between = len(low) * len(high) * (low.mean() - high.mean()) ** 2
            if between > largest * (1 + 1e-9):
                best, largest = float(threshold), between
    return best


def test_the_threshold_is_otsus() -> None:
    """Paper, ink of many shades, and soft edges, evenly mixed: nothing is far from ink, so nothing is left out."""
    generator = np.random.default_rng(3)
    for ink_level, edges in ((0.6, 0.1), (0.8, 0.3), (0.3, 0.2)):
        kinds = generator.random((100, 100))
        values = generator.normal(0, 0.004, (100, 100))
        values = np.where(kinds < 0.4, generator.uniform(0, ink_level, (100, 100)), values)
        values = np.where(kinds < 0.4 - edges, generator.normal(ink_level, 0.05, (100, 100)), values).clip(0, 1)
        found = automatic_threshold(Contrast(values.astype(np.float32), True))
        assert found == pytest.approx(otsu(values.ravel()), abs=2 / 256)


@pytest.mark.parametrize("scene", [Scene(), Scene(darker=0.5), Scene(shadow=0.5), Scene(grain=0.03, noise=0.03)])
@pytest.mark.parametrize("paper", [0.2, 0.85])
def test_blank_paper_has_no_ink(scene: Scene, paper: float) -> None:
    blank = Scene(**{**vars(scene), "paper": paper})
    for seed in range(3):
        found = looked_at(photo([], blank, seed))
        assert np.mean(ink(found, automatic_threshold(found)) >= 128) < 1e-4


@pytest.mark.parametrize(("paper", "pen"), [(0.85, 0.15), (0.85, 0.6), (0.6, 0.2), (0.2, 0.8), (0.25, 0.6)])
@pytest.mark.parametrize("light", [{}, {"darker": 0.5}, {"shadow": 0.5}, {"shadow": 0.5, "softness": 3.0}])
def test_ink_is_found_out_in_any_light(
    mnist: Mnist, clean_ink: np.ndarray, paper: float, pen: float, light: dict[str, Any]
) -> None:
    scene = Scene(paper=paper, pen=pen, **light)
    found = looked_at(photo([mnist.x_test[:6]], scene))
    assert found.ink_is_dark == (pen < paper)
    row = np.s_[SIZE[1] // 4 : SIZE[1] * 3 // 4, 100:-100]  # a hard shadow ends in a line, at the edge of the picture
    is_ink = ink(found, automatic_threshold(found)) >= 128
    union = (is_ink[row] | clean_ink[row]).sum()
    assert (is_ink[row] & clean_ink[row]).sum() / union > 0.85


def test_ink_has_the_same_contrast_in_light_and_in_shadow(mnist: Mnist) -> None:
    """A share of the paper's level: pen 0.2 on paper 0.8 is three quarters darker, wherever it is."""
    scene = Scene(paper=0.8, pen=0.2, shadow=0.5, grain=0, noise=0, blur=0.3, quality=95)
    values = looked_at(photo([mnist.x_test[:6]], scene)).values
    for half in (values[:, : SIZE[0] * 2 // 5], values[:, SIZE[0] * 3 // 5 :]):
        ink_values = half[half > 0.5]
        assert len(ink_values) > 2_000
        assert np.percentile(ink_values, [60, 90]) == pytest.approx([0.75] * 2, abs=0.04)
        assert np.median(np.abs(half)) < 0.02


def test_mnist_itself_stays_as_it_is(mnist: Mnist) -> None:
    """White on black or black on white, 28 × 28: the same pixels come back, a little clearer."""
    for images in (mnist.x_train[:300], 255 - mnist.x_train[:300]):
        is_dark = images[0, 0, 0] == 255
        for image, original in zip(images, mnist.x_train[:300], strict=True):
            found = contrast(image)
            assert found.ink_is_dark == is_dark
            assert np.abs(ink(found, automatic_threshold(found)).astype(int) - original).mean() < 6


def test_the_threshold_decides_what_is_ink() -> None:
    values = np.linspace(0, 1, 101, dtype=np.float32)[None]
    for threshold in (0.105, 0.355, 0.805):
        level = ink(Contrast(values, True), threshold)[0].astype(int)
        assert np.array_equal(level >= 128, values[0] >= threshold)
        assert (np.diff(level) >= 0).all()
        assert level[0] == 0
        assert level[-1] == 255


def test_above_all_contrast_there_is_no_ink() -> None:
    assert not ink(Contrast(np.full((5, 7), 0.4, np.float32), True), 0.5).any()


@settings(max_examples=200, deadline=None)
@given(levels_arrays)
def test_any_picture_is_turned_to_ink(levels: np.ndarray) -> None:
    found = contrast(levels)
    assert found.values.shape == levels.shape
    assert np.isfinite(found.values).all()
    threshold = automatic_threshold(found)
    assert LEAST_CONTRAST <= threshold <= 1
    drawn = ink(found, threshold)
    assert drawn.shape == levels.shape
    assert drawn.dtype == np.uint8


@pytest.mark.parametrize("levels", [np.zeros((0, 4), np.uint8), np.zeros((2, 3, 3), np.uint8), np.zeros((4, 4))])
def test_what_is_no_grey_picture_is_refused(levels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Levels must be \(height, width\) uint8"):
        contrast(levels)
