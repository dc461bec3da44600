"""Pictures as they are read and shown: their memory, and boxes around digits."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from mnist_core.drawing.photos import marking
from mnist_core.drawing.photos.picture_files import read_picture


def test_a_large_picture_of_16_bits_takes_little_memory() -> None:
    levels = np.full((5000, 5000), 60_000, np.uint16)
    levels[1000:4000, 2400:2600] = 9_000
    content = io.BytesIO()
    Image.fromarray(levels).save(content, "PNG")
    del levels
    tracemalloc.start()
    try:
        picture = read_picture(content.getvalue())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 150_000_000
    assert picture[800, 100].tolist() == [255] * 3
    assert picture[800, 800].tolist() == [round(255 * 9_000 / 60_000)] * 3


# Boxes on a picture


@pytest.mark.parametrize(("is_sure", "colour"), [(True, (15, 118, 110)), (False, (180, 83, 9))])
def test_a_box_is_drawn_around_a_digit(is_sure: bool, colour: tuple[int, int, int]) -> None:
    picture = np.full((400, 600, 3), 230, np.uint8)
    box = slice(150, 250), slice(200, 260)
    shown = marking.marked(picture, [marking.Mark(box, "7", is_sure)], 600)
    assert shown.shape == picture.shape
    assert (picture == 230).all()  # the given one is not drawn on
    assert (shown[box] == 230).all()  # nor is the digit drawn over
    coloured = np.argwhere((shown == colour).all(axis=2))
    assert (coloured.min(axis=0) < [150, 200]).all()
    assert (coloured.max(axis=0) >= [250, 260]).all()
    beyond = shown.copy()
    beyond[90:270, 180:280] = 230
    assert (beyond == 230).all()


def test_pictures_are_sent_small_and_their_boxes_with_them() -> None:
    picture = np.full((1000, 2000, 3), 90, np.uint8)
    box = slice(0, 1000), slice(0, 400)  # the tag has no room above
    shown = marking.marked(picture, [marking.Mark(box, "4", True)], 500)
    assert shown.shape == (250, 500, 3)
    assert (shown[125, 110:] == 90).all()
    assert (shown[125, 98:110] != 90).any()
