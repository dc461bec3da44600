"""Windows of paper and ink: against a loop over single questions, and against answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mnist_core.common.arrays import Images, Probabilities
from mnist_core.data.dataset import Mnist
from mnist_core.networks.insight.occlusion import INK, PAPER, Occlusion, covered, evidence, occlude
from tests.support.interpolation import interpolated


class Linear:
    """A network without hidden layers, in float64, that counts how often it is asked."""

    def __init__(self, seed: int) -> None:
        self.weights = np.random.default_rng(seed).normal(0, 0.05, (784, 10))
        self.asked: list[int] = []

    def __call__(self, images: Images) -> Probabilities:
        self.asked.append(len(images))
        powers = np.exp(images.reshape(len(images), 784) / 255 @ self.weights)
        return powers / powers.sum(axis=1, keepdims=True)


def looped(network: Linear, image: Images, color: int, step: int) -> Occlusion:
    """Ask about one window at a time; the middle of the first one is at 1.5."""
    starts = range(0, 25, step)
    before = network(image[None])[0]
    odds = np.zeros((10, len(starts), len(starts)))
    answers = {}
    for i, row in enumerate(starts):
        for j, column in enumerate(starts):
            changed = image.copy()
            changed[row : row + 4, column : column + 4] = color
            answers[row, column] = after = network(changed[None])[0]
            odds[:, i, j] = np.log(before / (1 - before)) - np.log(after / (1 - after))
    effects = interpolated(odds, 1.5, step)
    places = []
    for digit in range(10):
        best = odds[digit] if digit == before.argmax() else -odds[digit]
        i, j = np.unravel_index(best.argmax(), best.shape)
        places.append((starts[i], starts[j]))
    return Occlusion(effects, np.array(places), np.stack([answers[place] for place in places]))


@pytest.mark.parametrize("step", [2, 4])
def test_it_finds_what_a_loop_over_single_questions_finds(mnist: Mnist, step: int) -> None:
    network = Linear(step)
    image = mnist.x_test[18]
    probabilities, erased, inked = occlude(network, image, step)
    assert len(network.asked) == 1
    assert_allclose(probabilities, network(image[None])[0])
    for color, found in ((PAPER, erased), (INK, inked)):
        expected = looped(network, image, color, step)
        assert (found.effects.shape, found.effects.dtype) == ((10, 28, 28), np.float32)
        assert_allclose(found.effects, expected.effects, atol=1e-5)
        assert_array_equal(found.places, expected.places)
        assert_allclose(found.answers, expected.answers)


def test_windows_that_change_nothing_are_not_asked_about(mnist: Mnist) -> None:
    network = Linear(0)
    blank = np.zeros((28, 28), np.uint8)
    _, erased, inked = occlude(network, blank)
    assert network.asked == [1 + 169]
    assert not erased.effects.any()
    assert inked.effects.any()
    occlude(network, np.full((28, 28), 255, np.uint8))
    assert network.asked[-1] == 1 + 169
    occlude(network, mnist.x_test[0])
    assert network.asked[-1] < 1 + 2 * 169


def one_pixel_network(images: Images) -> Probabilities:
    """Read a 3 with 0.6 while there is ink at row 9, column 15, and a 5 with 0.8 otherwise; the rest is even."""
    has_ink = images[:, 9, 15] > 0
    answers = np.full((len(images), 10), 0.4 / 9, np.float32)
    answers[:, 3] = 0.6
    answers[~has_ink] = 0.2 / 9
    answers[~has_ink, 5] = 0.8
    return answers


def test_the_one_pixel_that_matters_is_found() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[5:20, 15] = 200
    probabilities, erased, inked = occlude(one_pixel_network, image)
    assert probabilities.argmax() == 3
    for digit in (3, 5):  # the same window decides for the one and against the other
        row, column = erased.places[digit]
        assert row <= 9 < row + 4
        assert column <= 15 < column + 4
        assert erased.answers[digit].argmax() == 5
    fall = np.log(0.6 / 0.4) - np.log((0.2 / 9) / (1 - 0.2 / 9))
    assert erased.effects[3].max() == pytest.approx(fall, rel=1e-5)
    assert erased.effects[3].min() == 0
    assert erased.effects[5].min() == pytest.approx(np.log((0.4 / 9) / (1 - 0.4 / 9)) - np.log(0.8 / 0.2), rel=1e-5)
    far = np.ones((28, 28), bool)
    far[4:15, 10:21] = False
    assert not erased.effects[:, far].any()
    assert not inked.effects.any()
    assert_allclose(inked.answers, np.repeat(probabilities[None], 10, axis=0))


def test_a_window_covers_16_pixels_and_leaves_the_image_alone() -> None:
    image = np.full((28, 28), 7, np.uint8)
    first, last = covered(image, np.array([[0, 0], [24, 22]]), 255)
    assert (image == 7).all()
    assert [(first == 255).sum(), (last == 255).sum()] == [16, 16]
    assert (first[:4, :4] == 255).all()
    assert (last[24:, 22:26] == 255).all()


def test_evidence_is_the_logarithm_of_the_odds() -> None:
    answer = np.array([0.5, 0.25, 0.125, 0.125, 0, 0, 0, 0, 0, 0], np.float32)
    assert_allclose(evidence(answer)[:4], np.log([1, 1 / 3, 1 / 7, 1 / 7]), atol=1e-6)
    assert evidence(np.full((3, 10), 0.1, np.float32)) == pytest.approx(np.full((3, 10), -np.log(9)))


def test_evidence_tells_what_probabilities_of_nearly_one_do_not() -> None:
    sure, surer = np.zeros((2, 10), np.float32)
    sure[0] = surer[0] = 1.0  # in 32 bits, 1 less one in a thousand million is 1
    sure[1], surer[1] = 1e-9, 1e-12
    assert evidence(sure)[0] == pytest.approx(np.log(1e9), rel=1e-6)
    assert evidence(surer)[0] == pytest.approx(np.log(1e12), rel=1e-6)
    certain = evidence(np.eye(10, dtype=np.float32))
    assert np.isfinite(certain).all()
    assert certain.diagonal().min() > evidence(surer)[0]
