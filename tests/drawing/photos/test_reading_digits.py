"""Photos, made up of test digits: which digits are found, and in which order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_core.common.arrays import Ink
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.photos.reading_digits import read
from tests.support.inked import Predict, found_in
from tests.support.photographed import Scene, photo


@pytest.fixture(scope="module")
def by_similarity(mnist: Mnist) -> Predict:
    """A reader without a network: the label of the nearest of 6,000 training images, by cosine."""
    known = mnist.x_train[:6000].reshape(6000, -1).astype(np.float32)
    known /= np.linalg.norm(known, axis=1, keepdims=True)

    def predict(images: Ink) -> NDArray[np.float32]:
        asked = images.reshape(len(images), -1).astype(np.float32)
        nearest = (asked @ known.T).argmax(axis=1)
        return np.eye(10, dtype=np.float32)[mnist.y_train[:6000][nearest]]

    return predict


SCENES = {
    "even light": Scene(),
    "uneven light": Scene(darker=0.5),
    "a shadow with a soft edge": Scene(shadow=0.5),
    "a shadow with a hard edge": Scene(shadow=0.5, softness=3),
    "grain and noise": Scene(grain=0.03, noise=0.03),
    "out of focus": Scene(blur=3),
    "strongly compressed": Scene(quality=30),
    "pencil": Scene(pen=0.6),
    "chalk on a board": Scene(paper=0.2, pen=0.8),
    "chalk in uneven light": Scene(paper=0.25, pen=0.8, darker=0.5, grain=0.03),
    "rows that slope": Scene(degrees=5),
    "small digits": Scene(height=40),
    "close together": Scene(gap=0.12),
    "squared paper": Scene(squares=0.3),
    "a sheet on a table": Scene(table=True),
    "camera to the left": Scene(orientation=8),
    "camera upside down": Scene(orientation=3),
    "everything at once": Scene(
        pen=0.3, darker=0.4, shadow=0.35, grain=0.02, noise=0.02, degrees=-4, blur=1.5, quality=60
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_all_digits_of_a_photo_are_found_and_read_in_order(mnist: Mnist, by_similarity: Predict, name: str) -> None:
    right = total = 0
    for seed, row in enumerate(mnist.x_test[:12].reshape(2, 6, 28, 28)):
        labels = mnist.y_test[6 * seed : 6 * seed + 6]
        rows = found_in(photo([row], SCENES[name], seed))
        assert [len(each) for each in rows] == [6]
        (readings,) = read(rows, by_similarity)
        assert not any(reading.was_cut for reading in readings)
        right += sum(reading.digit == label for reading, label in zip(readings, labels, strict=True))
        total += 6
    # The reader, no network, reads 95% of test images. Digits in any other order would come out 10% right.
    assert right / total >= 0.8


@pytest.mark.parametrize("degrees", [0, 4, -4])
def test_rows_are_read_downwards_each_from_left_to_right(mnist: Mnist, by_similarity: Predict, degrees: float) -> None:
    rows = found_in(photo([mnist.x_test[:6], mnist.x_test[6:9], mnist.x_test[9:16]], Scene(degrees=degrees)))
    assert [len(row) for row in rows] == [6, 3, 7]
    labels = [reading.digit for row in read(rows, by_similarity) for reading in row]
    assert np.mean(np.array(labels) == mnist.y_test[:16]) >= 0.8
