"""Statistics and orders of images against slow and simple computations, and against what is known of MNIST."""

import time

import numpy as np
import pytest

from mnist_core.data import statistics
from mnist_core.data.dataset import Mnist


def test_balance_counts_each_digit(mnist: Mnist) -> None:
    balance = statistics.class_balance(mnist.y_test)
    assert balance.counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # as published
    assert balance.shares.sum() == pytest.approx(1)
    assert balance.shares[1] == pytest.approx(0.1135)


def test_mean_and_deviation_of_each_pixel(mnist: Mnist) -> None:
    images, labels = mnist.x_train[:600], mnist.y_train[:600]
    classes = statistics.class_images(images, labels)
    for digit in range(10):
        pixels = images[labels == digit].astype(np.float64)
        np.testing.assert_allclose(classes.mean[digit], pixels.mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(classes.deviation[digit], pixels.std(axis=0), atol=1e-6)


def test_a_digit_without_images_has_no_statistics() -> None:
    images, labels = np.full((2, 28, 28), 255, np.uint8), np.array([4, 4], np.uint8)
    classes = statistics.class_images(images, labels)
    assert np.all(classes.mean[4] == 255)
    assert np.all(classes.deviation[4] == 0)
    assert np.isnan(np.delete(classes.mean, 4, axis=0)).all()
    assert np.isnan(np.delete(classes.deviation, 4, axis=0)).all()
    summary = statistics.summary_by_class(np.array([1.0, 3.0]), labels)
    assert summary.median[4] == 2
    assert np.isnan(summary.median[5])


def test_each_grey_level_is_counted(mnist: Mnist) -> None:
    images = mnist.x_test[:300]
    histogram = statistics.pixel_histogram(images)
    expected = [np.count_nonzero(images == level) for level in range(256)]
    assert histogram.counts.tolist() == expected
    assert histogram.share(254, 255) == pytest.approx(np.mean(images >= 254))
    assert histogram.share(0, 255) == 1


def test_the_five_numbers_of_each_class() -> None:
    labels = np.array([0, 0, 0, 0, 0, 7], np.uint8)
    summary = statistics.summary_by_class(np.array([5.0, 1.0, 2.0, 4.0, 3.0, 9.0]), labels)
    assert [column[0] for column in vars(summary).values()] == [1, 2, 3, 4, 5]
    assert [column[7] for column in vars(summary).values()] == [9] * 5


def test_duplicates_are_found_wherever_they_are(mnist: Mnist) -> None:
    train, test = mnist.x_train[:40].copy(), mnist.x_test[:30].copy()
    train[7] = train[31] = train[2]
    test[29] = test[0]
    test[11] = train[2]
    test[12] = train[20]
    test[13] = train[21]
    test[13, 0, 0] += 1  # one grey level in a corner: not the same
    found = statistics.duplicates(train, test)
    assert found.within_train == ((2, 7), (2, 31), (7, 31))
    assert found.within_test == ((0, 29),)
    assert found.between == ((2, 11), (7, 11), (31, 11), (20, 12))
    assert len(found) == 8


def test_no_image_of_mnist_occurs_twice(mnist: Mnist) -> None:
    images = np.concatenate([mnist.x_train, mnist.x_test]).reshape(70_000, -1)
    assert len(np.unique(images.view("V784"))) == 70_000
    assert len(statistics.duplicates(mnist.x_train, mnist.x_test)) == 0


def test_all_of_mnist_takes_a_moment(mnist: Mnist) -> None:
    start = time.process_time()
    statistics.class_images(mnist.x_train, mnist.y_train)
    statistics.pixel_histogram(mnist.x_train)
    statistics.duplicates(mnist.x_train, mnist.x_test)
    assert time.process_time() - start < 2  # 0.7 s on a machine at rest


def test_ink_is_the_mean_of_the_pixels_in_percent(mnist: Mnist) -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    images[1] = 255
    images[2, :14] = 51  # a fifth of full ink on half the picture
    assert statistics.ink(images).tolist() == [0, 100, pytest.approx(10)]
    np.testing.assert_allclose(
        statistics.ink(mnist.x_test[:50]), [image.mean(dtype=float) / 2.55 for image in mnist.x_test[:50]]
    )


def test_typicality_is_the_distance_to_the_mean_of_the_class(mnist: Mnist) -> None:
    images, labels = mnist.x_train[:700] / 255, mnist.y_train[:700]  # more than one chunk, and not a multiple of it
    means = [images[labels == digit].mean(axis=0) for digit in range(10)]
    expected = [np.linalg.norm(images[index] - means[labels[index]]) for index in range(700)]
    np.testing.assert_allclose(statistics.typicality(mnist.x_train[:700], labels), expected, rtol=1e-5)


def test_the_most_typical_image_is_the_mean_itself() -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    images[1], images[2] = 100, 50
    assert statistics.typicality(images, np.array([3, 3, 3], np.uint8)).argmin() == 2
    alone = statistics.typicality(images, np.array([1, 2, 3], np.uint8))  # each is its own mean
    assert alone.tolist() == [0, 0, 0]


def test_all_training_images_take_a_moment(mnist: Mnist) -> None:
    start = time.process_time()
    statistics.typicality(mnist.x_train, mnist.y_train)
    assert time.process_time() - start < 1  # 0.1 s on a machine at rest


def test_a_seed_is_an_order() -> None:
    order = statistics.shuffled(1000, 7)
    assert sorted(order) == list(range(1000))
    assert order.tolist() == statistics.shuffled(1000, 7).tolist()
    assert order.tolist() != statistics.shuffled(1000, 8).tolist()
    assert order.tolist() != sorted(order)
