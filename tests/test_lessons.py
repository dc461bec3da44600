"""The numbers behind the small live figures, against loops and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_core import lesson_figures, lessons


@pytest.mark.parametrize("name", lessons.KERNELS)
def test_convolution_is_the_sum_at_each_place(name: str) -> None:
    image, kernel = np.random.default_rng(1).random((9, 7)), lessons.KERNELS[name]
    result = lessons.convolve(image, kernel)
    assert result.shape == (7, 5)
    for row in range(7):
        for column in range(5):
            expected = sum(image[row + i, column + j] * kernel[i, j] for i in range(3) for j in range(3))
            assert result[row, column] == pytest.approx(expected)


def test_edge_kernels_find_the_edges_that_they_are_named_for() -> None:
    square = np.zeros((11, 11))
    square[3:8, 3:8] = 1
    for name, place in (
        ("left edges", (4, 1)),
        ("right edges", (4, 7)),
        ("upper edges", (1, 4)),
        ("lower edges", (7, 4)),
    ):
        found = lessons.convolve(square, lessons.KERNELS[name])
        assert found[place] == found.max() > 0, name


def test_pooling() -> None:
    image = np.array([[1.0, 2, 3, 4, 9], [5, 6, 7, 8, 9], [0, 0, 1, 1, 9], [0, 4, 1, 1, 9]])
    assert lessons.pool(image, "max").tolist() == [[6, 8], [4, 1]]
    assert lessons.pool(image, "average").tolist() == [[3.5, 5.5], [1, 1]]


def test_dropout_keeps_the_sum_on_average() -> None:
    image = np.ones((200, 200))
    dropped = lessons.drop(image, 0.3)
    assert np.mean(dropped == 0) == pytest.approx(0.3, abs=0.01)
    assert dropped.mean() == pytest.approx(1, abs=0.02)
    assert (lessons.drop(image, 0.3, 2) != dropped).any()
    assert (lessons.drop(image, 0.0) == image).all()


@pytest.mark.parametrize("logits", [[2.0, 1.0, -1.0], [0.0] * 10, [1000.0, 999.0]])
def test_softmax(logits: list[float]) -> None:
    probabilities = lessons.softmax(np.array(logits))
    assert probabilities.sum() == pytest.approx(1)
    for i in range(len(logits)):
        for j in range(len(logits)):
            assert math.log(probabilities[i] / probabilities[j]) == pytest.approx(logits[i] - logits[j])


def test_activations_one_hot_and_windows() -> None:
    x = np.array([-2.0, 0.0, 3.0])
    assert lessons.activate("ReLU", x).tolist() == [0, 0, 3]
    assert lessons.activate("tanh", x) == pytest.approx([math.tanh(value) for value in x])
    assert lessons.activate("sigmoid", x) == pytest.approx([1 / (1 + math.exp(-value)) for value in x])
    assert lessons.activate("linear", x).tolist() == x.tolist()
    assert lessons.one_hot(3).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    for size, kernel, stride in ((28, 3, 1), (28, 5, 2), (7, 7, 3)):
        places = [start for start in range(0, size, stride) if start + kernel <= size]
        assert lessons.window_output(size, kernel, stride, "valid") == len(places)
        assert lessons.window_output(size, kernel, stride, "same") == len(range(0, size, stride))


def test_gradient_descent_follows_its_closed_form_and_diverges_beyond_the_limit() -> None:
    path = lessons.descend("SGD", 0.05, steps=10)
    for step, (x, y) in enumerate(path):
        assert x == pytest.approx(lessons.START[0] * (1 - 0.05 * lessons.BOWL[0]) ** step)
        assert y == pytest.approx(lessons.START[1] * (1 - 0.05 * lessons.BOWL[1]) ** step)
    limit = 2 / lessons.BOWL[1]
    assert abs(lessons.descend("SGD", limit * 0.98)[-1, 1]) < lessons.START[1]
    assert abs(lessons.descend("SGD", limit * 1.05)[-1, 1]) > lessons.START[1]
    assert np.hypot(*lessons.descend("momentum", 0.02)[-1]) < np.hypot(*lessons.descend("SGD", 0.02)[-1])
    first = lessons.descend("Adam", 0.5)[1] - lessons.START
    assert np.abs(first) == pytest.approx([0.5, 0.5], abs=1e-4)  # Adam's first step has the length of the rate


def test_one_neuron_against_a_numerical_slope() -> None:
    step = lessons.learn_once(3.0, 2.0, 2.0, 0.1)
    loss = lambda weight: (weight * 2.0 - 2.0) ** 2  # noqa: E731
    assert step.slope == pytest.approx((loss(3.0 + 1e-6) - loss(3.0 - 1e-6)) / 2e-6)
    assert step.loss == loss(3.0)
    assert loss(step.new_weight) < step.loss


def test_more_freedom_fits_better_and_holds_worse() -> None:
    fits = [lessons.fit_polynomial(degree) for degree in range(1, 10)]
    errors = [fit.training_error for fit in fits]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-10  # ten points, ten coefficients
    new = [fit.new_error for fit in fits]
    assert new[-1] > 2 * min(new)
    assert 2 <= new.index(min(new)) + 1 <= 6


def test_figures_hold_what_they_are_given() -> None:
    digit = np.random.default_rng(1).random((4, 4))
    figure = lesson_figures.images_figure([("a", digit), ("b", digit - 0.5)])
    assert np.array(figure.data[0].z)[::-1].tolist() == digit.tolist()
    assert (figure.data[0].zmin, figure.data[1].zmin) == (0, -figure.data[1].zmax)
    bars = lesson_figures.bars_figure(lessons.one_hot(7), chosen=7)
    assert list(bars.data[0].y) == lessons.one_hot(7).tolist()
    assert len(set(bars.data[0].marker.color)) == 2
