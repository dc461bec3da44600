"""What figures say in words, against what they were drawn from."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from mnist_core.figures import answer_figures, data_figures, description, epoch_figures
from mnist_core.figures.network_figure import network_figure
from mnist_core.figures.style import styled
from mnist_core.networks.notation import parse_architecture


def words(figure) -> str:
    return figure["layout"]["meta"]["words"]


def test_the_example_runs() -> None:
    assert not doctest.testmod(description).failed


def test_a_curve_says_where_it_begins_ends_and_reaches() -> None:
    figure = epoch_figures.accuracy_figure([1, 2, 3], np.array([0.91, 0.995, 0.9876]), 2)
    assert words(figure) == "Test accuracy, by epoch. 91.00% at 1, 98.76% at 3, between 91.00% and 99.50%."


def test_bars_say_which_is_highest_and_lowest() -> None:
    probabilities = np.full(10, 0.01)
    probabilities[7], probabilities[2] = 0.915, 0.005
    said = words(answer_figures.probability_figure(probabilities))
    assert said == "Probability of each digit. highest for 7, 91.50%; lowest for 2, 0.50%."


def test_answers_say_what_each_network_predicts() -> None:
    answers = (np.eye(10)[[7, 1]] * 0.9 + 0.01).astype(np.float32)
    said = words(answer_figures.answers_figure(["A & <b>", "B"], answers, 7))
    assert said == "Predictions: A &amp; &lt;b&gt;: 7, 91.0%; B: 1, 91.0%."


def test_a_map_of_answers_says_how_many_are_right() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 60)
    predicted = np.where(np.arange(600) < 51, 9 - labels, labels)
    said = words(data_figures.map_by_answer(np.random.default_rng(1).random((600, 2), np.float32), labels, predicted))
    assert said == "Map of the images. Right: 549; wrong: 51."


def test_a_drawn_network_says_its_layers() -> None:
    said = words(network_figure(parse_architecture("8C3-P2-10")))
    assert said == "The layers of the network and their outputs: image 28×28×1, 8C3 26×26×8, P2 13×13×8, 10 10."


@pytest.mark.parametrize("opacity, said", [(1, "line: 1 at 0, 3 at 1."), (0.4, "")])
def test_pale_curves_only_accompany_others(opacity: float, said: str) -> None:
    line = {"type": "scatter", "name": "line", "x": [0, 1, 2], "y": [1, 3, np.nan], "opacity": opacity}
    assert words(styled([line], {}, height=100)) == said
