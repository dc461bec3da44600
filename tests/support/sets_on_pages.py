"""Class sets filled with drawings, and pressing the buttons of the pages that show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from mnist_core.drawing.class_sets import contents, sets
from mnist_core.drawing.class_sets.drawings import KeptDrawing, new_drawing
from mnist_core.drawing.class_sets.sets import ClassSet
from mnist_core.drawing.strokes import Drawing


def picture(label: int, ink: int = 255) -> np.ndarray:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 10:18] = ink
    image[0, 0] = label
    return image


def told(*points: tuple[float, float]) -> Drawing:
    return Drawing((np.array(points or [(10, 10), (200, 300)], np.float32),), (26.0,))


def fill(
    folder: Path, labels: list[int], title: str = "Class 4b", owner: str = ""
) -> tuple[ClassSet, list[KeptDrawing]]:
    class_set = sets.open_set(folder, title, owner)
    kept = [new_drawing(label, picture(label, 255 - place % 200), told()) for place, label in enumerate(labels)]
    contents.add(class_set, kept)
    return class_set, kept


def press(app: AppTest, label: str) -> AppTest:
    app = next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def has(app: AppTest, label: str) -> bool:
    return any(button.label == label for button in app.button)


def titled_labels(folder: Path) -> dict[str, list[int]]:
    return {each.title: sorted(contents.read_contents(each).labels.tolist()) for each in sets.list_sets(folder)}
