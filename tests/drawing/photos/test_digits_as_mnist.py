"""Digits of a photo as MNIST would hold them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_core.data.dataset import Mnist
from mnist_core.drawing.photos.reading_digits import as_mnist, thickened
from mnist_core.drawing.photos.touching_digits import stroke_width
from mnist_core.drawing.preparation import prepare
from tests.support.inked import FIVE_BAR, FIVE_BODY, drawn, enlarged, moved


def test_the_width_of_strokes_is_measured() -> None:
    for width in (3, 6, 12, 21):
        assert stroke_width(drawn([[(40, 100), (360, 100)]], width) > 0) == pytest.approx(width, rel=0.35)
        slanted = drawn([[(40, 40), (300, 180)], [(60, 180), (200, 30)]], width) > 0
        assert stroke_width(slanted) == pytest.approx(width, rel=0.25)


@pytest.mark.parametrize("pen", [3, 5, 8])
def test_a_thin_pen_becomes_as_thick_as_mnists(pen: int) -> None:
    body = drawn([FIVE_BODY, moved(FIVE_BAR, 0, 6)], pen)
    image = as_mnist(body[40:180, 40:120])
    # In MNIST, strokes are 2.4 pixels wide on the average, in the darkest pixels 255.
    large = np.asarray(Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC))
    assert 1.6 <= stroke_width(large >= 128) / 10 <= 2.6
    assert image.max() > 240


@pytest.mark.parametrize("side", [400, 1600])
@pytest.mark.parametrize("points", [[(0.05, 0.05), (0.95, 0.95)], [(0.5, 0.05), (0.95, 0.5), (0.5, 0.95), (0.05, 0.5)]])
def test_a_hairline_across_a_large_picture_is_no_less_ink(points: list[tuple[float, float]], side: int) -> None:
    """Averaged with the paper beside it, it would fade to nothing."""
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).line([(side * x, side * y) for x, y in points], fill=255, width=2)
    image = as_mnist(np.asarray(picture))
    assert image.max() > 240
    assert len(np.flatnonzero((image > 128).any(axis=1))) >= 18  # of 20 rows


def test_a_thick_pen_stays_as_it_is(mnist: Mnist) -> None:
    for digit in mnist.x_test[:50]:
        large = enlarged(digit)
        if stroke_width(large >= 128) >= 9:
            assert thickened(large) is large
            assert np.array_equal(as_mnist(large), prepare(large))
