"""Class sets as tests need them: a drawing to keep, two people, and narrow limits."""

from __future__ import annotations

import numpy as np

from mnist_core.common.server import owner_hash
from mnist_core.drawing.class_sets import contents
from mnist_core.drawing.class_sets.drawings import KeptDrawing, new_drawing
from mnist_core.drawing.class_sets.sets import ClassSet, ClassSetLimits
from mnist_core.drawing.strokes import Drawing

ANNA, BEN = owner_hash("anna"), owner_hash("ben")
NARROW = ClassSetLimits(sets=3, sets_each=2, drawings=4, bytes=100_000, deleted=5)


def drawing(label: int = 7, ink: int = 200) -> KeptDrawing:
    """A drawing of two strokes; `ink` tells it from others."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 14] = ink
    strokes = (np.array([[10, 20.25], [200.04, 40]], np.float32), np.array([[5, 5]], np.float32))
    return new_drawing(label, image, Drawing(strokes, (22.0, 8.5)))


def kept(class_set: ClassSet) -> KeptDrawing:
    """Keep such a drawing in a set and return it."""
    each = drawing()
    contents.keep(class_set, each)
    return each
