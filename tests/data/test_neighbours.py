"""Nearest neighbours against brute force in whole numbers, and against scikit-learn."""

import time
import tracemalloc

import numpy as np
import pytest

from mnist_core.data import neighbours
from mnist_core.data.dataset import Mnist
from mnist_core.data.neighbours import Neighbour, Neighbours


def brute_force(image: np.ndarray, images: np.ndarray) -> np.ndarray:
    return ((images.astype(np.int64) - image.astype(np.int64)) ** 2).sum(axis=(1, 2))


def test_squared_distances_are_exact(mnist: Mnist) -> None:
    images = np.concatenate([mnist.x_train[:1500], np.zeros((1, 28, 28)), np.full((1, 28, 28), 255)]).astype(np.uint8)
    for image in (mnist.x_test[0], images[-1], images[-2]):  # also the largest distance there is
        assert neighbours.squared_distances(image, images).tolist() == brute_force(image, images).tolist()


def test_the_nearest_of_the_same_and_of_other_labels(mnist: Mnist) -> None:
    images, labels = mnist.x_train[:3000], mnist.y_train[:3000]
    image, label = mnist.x_test[18], int(mnist.y_test[18])
    found = neighbours.nearest(image, label, images, labels, 7)
    order = sorted(zip(brute_force(image, images).tolist(), range(3000), strict=True))
    for kind, belongs in ((found.same, labels == label), (found.other, labels != label)):
        expected = [(index, np.sqrt(square) / 255) for square, index in order if belongs[index]][:7]
        assert [each.index for each in kind] == [index for index, _ in expected]
        assert [each.distance for each in kind] == pytest.approx([distance for _, distance in expected])
        assert [each.label for each in kind] == labels[[each.index for each in kind]].tolist()


def test_an_image_is_not_its_own_neighbour(mnist: Mnist) -> None:
    images, labels = mnist.x_test[:200], mnist.y_test[:200]
    with_itself = neighbours.nearest(images[60], int(labels[60]), images, labels)
    assert with_itself.same[0] == Neighbour(60, int(labels[60]), 0.0)
    without = neighbours.nearest(images[60], int(labels[60]), images, labels, leave_out=60)
    assert without.same[:4] == with_itself.same[1:]
    assert without.other == with_itself.other


def test_a_small_set_has_few_neighbours_and_ties_in_stored_order() -> None:
    images = np.zeros((4, 28, 28), np.uint8)
    images[:, 0, 0] = (5, 3, 1, 3)
    found = neighbours.nearest(images[0] * 0, 8, images, np.array([8, 8, 8, 8], np.uint8))
    assert [each.index for each in found.same] == [2, 1, 3, 0]
    assert found.other == ()


def test_the_vote_is_that_of_the_classic(mnist: Mnist) -> None:
    """scikit-learn settles ties by the smaller digit, so images with ties are left out."""
    from sklearn.neighbors import KNeighborsClassifier

    images, labels = mnist.x_train[:2000], mnist.y_train[:2000]
    classic = KNeighborsClassifier(5, algorithm="brute").fit(images.reshape(2000, -1).astype(float), labels)
    compared = 0
    for image, label in zip(mnist.x_test[:150], mnist.y_test[:150].tolist(), strict=True):
        vote = neighbours.vote(neighbours.nearest(image, label, images, labels))
        wrong_label = neighbours.nearest(image, (label + 1) % 10, images, labels)
        assert neighbours.vote(wrong_label) == vote  # the label is not looked at
        assert sum(vote.votes) == len(vote.voters) == 5
        if vote.votes.count(max(vote.votes)) == 1:
            assert vote.digit == classic.predict(image.reshape(1, -1).astype(float))[0]
            compared += 1
    assert compared > 130


def test_a_tied_vote_goes_to_the_nearest() -> None:
    same = tuple(Neighbour(index, 3, distance) for index, distance in ((0, 2.0), (1, 3.0)))
    other = tuple(Neighbour(index, 5, distance) for index, distance in ((2, 1.0), (3, 4.0)))
    assert neighbours.vote(Neighbours(same, other[:1] * 2), 2).digit == 5
    tied = neighbours.vote(Neighbours(same + (Neighbour(4, 3, 9.0),) * 2, other + (Neighbour(5, 5, 9.0),) * 2), 4)
    assert tied.digit == 5
    assert tied.votes[3] == tied.votes[5] == 2
    with pytest.raises(ValueError, match="needs 5 neighbours"):
        neighbours.vote(Neighbours(same, other))


def test_all_training_images_take_a_moment_and_little_memory(mnist: Mnist) -> None:
    start = time.process_time()
    neighbours.nearest(mnist.x_test[0], 7, mnist.x_train, mnist.y_train)
    assert time.process_time() - start < 0.75  # 0.1 s on a machine at rest
    tracemalloc.start()
    neighbours.nearest(mnist.x_test[0], 7, mnist.x_train, mnist.y_train)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
