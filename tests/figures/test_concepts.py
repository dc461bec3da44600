"""The numbers behind the small live figures: against plain loops, closed forms, and Keras."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mnist_core.data.dataset import Mnist
from mnist_core.figures import concept_figures, concepts
from mnist_core.figures.concept_figures import Frame, Line, Picture
from mnist_core.networks.layers import windows
from tests.support.drawn import drawn

RANDOM = np.random.default_rng(1)


@pytest.fixture(scope="module")
def keras() -> ModuleType:
    import keras

    return keras


def digit(mnist: Mnist, index: int = 0) -> concepts.Values:
    return mnist.x_test[index] / 255


@pytest.mark.parametrize("name", concepts.KERNELS)
def test_convolution_is_a_sum_of_products_at_each_place(name: str, mnist: Mnist) -> None:
    image, kernel = digit(mnist)[:, :20], concepts.KERNELS[name]
    result = concepts.convolve(image, kernel)
    assert result.shape == (26, 18)
    for row in range(26):
        for column in range(18):
            expected = 0.0
            for i in range(3):
                for j in range(3):
                    expected += image[row + i][column + j] * kernel[i][j]
            assert result[row, column] == pytest.approx(expected)


def test_convolution_is_that_of_keras(keras: ModuleType, mnist: Mnist) -> None:
    kernel = concepts.KERNELS["a random one"]
    theirs = keras.ops.conv(
        digit(mnist)[None, ..., None].astype("float32"), kernel[..., None, None].astype("float32"), padding="valid"
    )
    assert np.asarray(theirs)[0, ..., 0] == pytest.approx(concepts.convolve(digit(mnist), kernel), abs=1e-5)


def test_each_edge_kernel_answers_most_to_the_edge_of_its_name() -> None:
    square = np.zeros((11, 11))
    square[3:8, 3:8] = 1  # ink from 3 to 7; results are one pixel less far from the corner
    places: dict[str, Any] = {
        "left edges": (4, slice(1, 3)),
        "right edges": (4, slice(6, 8)),
        "top edges": (slice(1, 3), 4),
        "bottom edges": (slice(6, 8), 4),
    }
    for name, place in places.items():
        result = concepts.convolve(square, concepts.KERNELS[name])
        assert result.max() == 3, name
        assert result[place].tolist() == [3, 3], name
        assert result.sum() == 0, name


def test_blur_keeps_ink_and_sharpen_keeps_flat_places() -> None:
    flat = np.full((5, 5), 0.4)
    assert concepts.convolve(flat, concepts.KERNELS["blur"]) == pytest.approx(np.full((3, 3), 0.4))
    assert concepts.convolve(flat, concepts.KERNELS["sharpen"]) == pytest.approx(np.full((3, 3), 0.4))


@pytest.mark.parametrize("size", [2, 3, 4])
def test_pooling_keeps_one_value_of_each_square(size: int, mnist: Mnist) -> None:
    image = digit(mnist, 181)
    largest, mean = concepts.pool(image, "max", size), concepts.pool(image, "average", size)
    assert largest.shape == mean.shape == (28 // size, 28 // size)
    for row in range(28 // size):
        for column in range(28 // size):
            square = [image[row * size + i][column * size + j] for i in range(size) for j in range(size)]
            assert largest[row, column] == max(square)
            assert mean[row, column] == pytest.approx(sum(square) / len(square))


def test_dropout_drops_its_share_and_keeps_the_sum_on_average() -> None:
    ones = np.ones((300, 300))
    dropped = concepts.drop(ones, 0.3, 1)
    assert np.isnan(dropped).mean() == pytest.approx(0.3, abs=0.01)
    assert set(dropped[~np.isnan(dropped)].tolist()) == {1 / 0.7}
    assert np.nansum(dropped) == pytest.approx(ones.sum(), rel=0.01)
    assert (np.isnan(concepts.drop(ones, 0.3, 2)) != np.isnan(dropped)).any()
    assert concepts.drop(ones, 0.0, 1).tolist() == ones.tolist()


def test_activations_are_those_of_keras(keras: ModuleType) -> None:
    x = np.linspace(-6, 6, 49)
    for name, function in concepts.ACTIVATIONS.items():
        assert np.asarray(keras.activations.get(name.lower())(x)) == pytest.approx(function(x), abs=1e-6), name
    assert concepts.ACTIVATIONS["ReLU"](np.array([-2.0, 0.0, 3.0])).tolist() == [0, 0, 3]
    assert concepts.ACTIVATIONS["sigmoid"](np.array([2.0]))[0] == pytest.approx(1 / (1 + math.exp(-2)))


@pytest.mark.parametrize("scores", [[2.0, 1.0, -1.0], [0.0] * 10, [-3.0, 4.5, 4.5]])
def test_softmax_is_its_definition(scores: list[float]) -> None:
    total = sum(math.exp(score) for score in scores)
    assert concepts.softmax(np.array(scores)) == pytest.approx([math.exp(score) / total for score in scores])


def test_softmax_does_not_overflow() -> None:
    assert concepts.softmax(np.array([1000.0, 999.0])) == pytest.approx([math.e / (1 + math.e), 1 / (1 + math.e)])


def test_targets() -> None:
    assert concepts.target(3).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert concepts.target(9, 0.1) == pytest.approx([0.01] * 9 + [0.91])


def test_smoothed_targets_give_the_loss_of_keras(keras: ModuleType) -> None:
    answer = RANDOM.dirichlet(np.ones(10))
    theirs = keras.losses.categorical_crossentropy(concepts.target(4)[None], answer[None], label_smoothing=0.2)
    assert float(theirs[0]) == pytest.approx(-float((concepts.target(4, 0.2) * np.log(answer)).sum()), rel=1e-5)


def test_standardized_values_have_mean_0_and_spread_1_always() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])  # mean 3, variance (4 + 1 + 0 + 9) / 4
    assert concepts.standardized(values) == pytest.approx(np.array([-2, -1, 0, 3]) / math.sqrt(3.5))
    assert concepts.standardized(values * 7 - 5) == pytest.approx(concepts.standardized(values))


def test_unit_sums_are_sums_of_weighted_pixels(mnist: Mnist) -> None:
    one_pixel = np.zeros((3, 28, 28), np.uint8)
    one_pixel[0, 2, 3], one_pixel[1, 2, 3] = 255, 51
    weight = concepts.unit_sums(one_pixel)[0]
    assert concepts.unit_sums(one_pixel).tolist() == pytest.approx([weight, weight / 5, 0])
    assert weight != 0
    spread = concepts.unit_sums(mnist.x_test[:512])
    assert spread.shape == (512,)
    assert np.abs(spread).max() * 4 + 4 < 25  # what the sliders of the page make of it stays in reach


def test_batches_share_out_all_labels_once(mnist: Mnist) -> None:
    labels = mnist.y_train[:100]
    counts = sum(
        concepts.digit_shares(labels, 32, number) * size for number, size in enumerate((32, 32, 32, 4), start=1)
    )
    assert counts == pytest.approx([labels.tolist().count(label) for label in range(10)])
    assert not np.array_equal(concepts.digit_shares(labels, 32, 1), np.bincount(labels[:32], minlength=10) / 32)


@pytest.mark.parametrize(("size", "steps"), [(128, 469), (60_000, 1), (1, 60_000), (4096, 15), (59_999, 2)])
def test_steps_per_epoch_by_hand(size: int, steps: int) -> None:
    assert concepts.steps_per_epoch(60_000, size) == steps


@pytest.mark.parametrize("is_digit", [True, False])
@pytest.mark.parametrize("weight", [-5.0, -0.3, 0.0, 2.0])
def test_back_propagation_finds_the_slope_of_a_small_change(weight: float, is_digit: bool) -> None:
    def loss(at: float) -> float:
        probability = 1 / (1 + math.exp(-at * 0.8))
        return -math.log(probability if is_digit else 1 - probability)

    link = concepts.chain(weight, 0.8, is_digit)
    assert link.loss == pytest.approx(loss(weight))
    assert link.slope == pytest.approx((loss(weight + 1e-6) - loss(weight - 1e-6)) / 2e-6, rel=1e-4)
    assert link.slopes[0] * link.slopes[1] * link.slopes[2] == pytest.approx(link.slope)
    assert (link.slope < 0) == is_digit
    assert loss(weight - 2 * link.slope) < link.loss


def test_plain_descent_follows_its_closed_form() -> None:
    for step, (x, y) in enumerate(concepts.descend("SGD", 0.05)):
        assert (x, y) == pytest.approx((-9 * 0.95**step, 3 * 0.5**step))


def test_plain_descent_diverges_beyond_two_over_the_curvature() -> None:
    def last(rate: float) -> float:
        return abs(float(concepts.descend("SGD", rate)[-1][1]))

    assert last(0.199) < 3 < last(0.201)


def test_a_walk_that_diverges_ends_in_numbers() -> None:
    for rule in ("SGD", "momentum"):
        path = concepts.descend(rule, 1.0)
        assert np.isfinite(path).all()
        assert len(path) < 41
        assert np.isfinite(concepts.height(path)).all()


@pytest.mark.parametrize(("rule", "rate"), [("SGD", 0.15), ("momentum", 0.05), ("Adam", 0.5)])
def test_optimizers_walk_as_those_of_keras(rule: concepts.Rule, rate: float, keras: ModuleType) -> None:
    theirs = {
        "SGD": keras.optimizers.SGD(rate),
        "momentum": keras.optimizers.SGD(rate, momentum=0.9),
        "Adam": keras.optimizers.Adam(rate),
    }[rule]
    place = keras.Variable(np.array(concepts.START, "float32"))
    theirs.build([place])
    for expected in concepts.descend(rule, rate, steps=25)[1:]:
        theirs.apply([keras.ops.convert_to_tensor(np.array([1, 10], "float32") * place.numpy())])
        assert place.numpy() == pytest.approx(expected, abs=2e-3)


def test_heights_by_hand() -> None:
    assert concepts.height(np.array([[0.0, 0.0], [-9.0, 3.0], [2.0, 1.0]])).tolist() == [0, 85.5, 7]


def test_a_polynomial_is_the_one_of_least_squares() -> None:
    fit = concepts.fit_polynomial(2)
    powers = np.stack([np.ones(12), fit.x, fit.x**2], axis=1)
    a, b, c = np.linalg.solve(powers.T @ powers, powers.T @ fit.y)  # the normal equations
    assert fit.curve_y == pytest.approx(a + b * fit.curve_x + c * fit.curve_x**2)
    errors = [(a + b * x + c * x * x - y) ** 2 for x, y in zip(fit.held_out_x, fit.held_out_y, strict=True)]
    assert fit.held_out_error == pytest.approx(math.sqrt(sum(errors) / len(errors)))


def test_more_freedom_fits_better_and_generalizes_worse() -> None:
    fits = [concepts.fit_polynomial(degree) for degree in range(1, 12)]
    assert all(fit.x.tolist() == fits[0].x.tolist() and fit.y.tolist() == fits[0].y.tolist() for fit in fits)
    errors = [fit.error for fit in fits]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6  # twelve points, twelve coefficients
    held_out = [fit.held_out_error for fit in fits]
    assert held_out.index(min(held_out)) + 1 in (3, 4, 5)
    assert held_out[-1] > 5 * min(held_out)


@pytest.mark.parametrize("strength", [0.0, 0.5, 3.0])
def test_l2_moves_the_lowest_place_towards_zero(strength: float) -> None:
    weights = np.linspace(-1, 4, 5001)
    loss, total, best = concepts.penalized(weights, strength)
    assert weights[loss.argmin()] == pytest.approx(2)
    assert weights[total.argmin()] == pytest.approx(best, abs=1e-3)


def test_pictures_stand_side_by_side_upright_and_to_scale() -> None:
    small = np.array([[1.0, 2.0], [3.0, np.nan]])
    pictures = [Picture(np.ones((28, 28)), "big", 28), Picture(small, "small", 10, numbered=True)]
    figure = drawn(concept_figures.pictures_figure(pictures, [Frame(1, 0, 1, 1)]))
    first, second = figure.data
    assert np.array(second.z)[::-1].tolist()[0] == [1, 2]  # rows count upwards on the axis
    assert (first.zmin, first.zmax, second.zmax) == (0, 1, 3)
    assert list(second.text[1]) == ["1", "2"]
    assert (second.x0, second.dx, second.y0, second.dy) == (33.5, 5, -2.5, 5)  # after 28 pixels and a gap of 3
    *_, frame = figure.layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (36, 41, 0, 5)
    assert list(figure.layout.xaxis.tickvals) == [14, 36]


def test_a_picture_with_negative_values_is_black_at_zero() -> None:
    (trace,) = drawn(concept_figures.pictures_figure([Picture(np.array([[-2.0, 0.0, 1.0]]), "signed", 3)])).data
    assert (trace.zmin, trace.zmax) == (-2, 2)
    assert trace.colorscale[1] == (0.5, "#000000")


def test_every_place_of_a_window_has_its_dot(mnist: Mnist) -> None:
    _, dots = drawn(concept_figures.windows_figure(digit(mnist), windows(28, 3, 2, "same"))).data
    assert len(dots.x) == 14 * 14
    assert (dots.x[0], dots.x[1], dots.y[14]) == (1, 3, 3)  # the first window covers 0, 1, 2
    image, dots = drawn(concept_figures.windows_figure(digit(mnist), windows(28, 5, 1, "same"))).data
    assert (dots.x[0], image.x0) == (0, -2)
    assert np.array(image.z).shape == (32, 32)


def test_a_walk_out_of_the_valley_can_be_drawn() -> None:
    figure = drawn(concept_figures.descent_figure(concepts.descend("SGD", 1.0)))
    steps = next(trace for trace in figure.data if trace.name == "steps")
    assert 1 < len(steps.x) < 10
    assert max(map(abs, steps.y)) < 50


def test_the_chain_figure_marks_now_the_slope_and_after() -> None:
    before, after = concepts.chain(-1, 0.8, True), concepts.chain(0, 0.8, True)
    figure = drawn(concept_figures.chain_figure(before, after, np.array([-6.0, 6.0]), np.array([4.8, 0.01])))
    by_name = {trace.name: trace for trace in figure.data}
    slope = by_name["slope"]
    assert (slope.y[1] - slope.y[0]) / (slope.x[1] - slope.x[0]) == pytest.approx(before.slope)
    assert (by_name["now"].x[0], by_name["now"].y[0]) == (-1, before.loss)
    assert (by_name["after the step"].x[0], by_name["after the step"].y[0]) == (0, after.loss)


def test_a_histogram_counts_every_value() -> None:
    figure = drawn(concept_figures.spread_figure(np.array([-30.0, 0.1, 0.1, 20.0]), np.array([1.0, -1.0])))
    assert [sum(trace.y) for trace in figure.data] == [4, 2]


def test_bars_and_vectors_show_their_values() -> None:
    shares = concepts.softmax(np.arange(10.0))
    figure = drawn(concept_figures.bars_figure(shares, chosen=9, level=0.1))
    assert list(figure.data[0].y) == shares.tolist()
    assert len(set(figure.data[0].marker.color[:9])) == 1
    assert figure.data[0].marker.color[9] != figure.data[0].marker.color[0]
    assert "63%" in figure.layout.xaxis.ticktext[9]  # 1 - 1/e, nearly
    assert figure.layout.shapes[0].y0 == 0.1
    vector = drawn(concept_figures.vector_figure(concepts.target(3, 0.1))).data[0]
    assert list(vector.text[0])[2:4] == ["0.01", "0.91"]


def test_lines_have_a_legend_when_they_have_names() -> None:
    x = np.arange(3.0)
    named = drawn(concept_figures.lines_figure([Line(x, x, "this"), Line(x, x)], "x", "y", (1, 2)))
    assert [bool(trace.showlegend) for trace in named.data] == [True, False, False]
    assert (named.data[2].x, named.data[2].y) == ((1,), (2,))


def test_the_split_figure_adds_up() -> None:
    figure = drawn(concept_figures.split_figure(54_000, 6_000, 10_000))
    assert [trace.x[0] for trace in figure.data] == [54_000, 6_000, 10_000]


def test_the_fit_figure_tells_held_out_points_from_the_others() -> None:
    fit = concepts.fit_polynomial(3)
    curve, fitted, held_out = drawn(concept_figures.fit_figure(fit)).data
    assert (curve.mode, fitted.mode, held_out.mode) == ("lines", "markers", "markers")
    assert (list(fitted.y), list(held_out.y)) == (fit.y.tolist(), fit.held_out_y.tolist())
    assert fitted.marker.color != held_out.marker.color
