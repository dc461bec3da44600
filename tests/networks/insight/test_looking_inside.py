"""Looking inside: layers against NumPy, Grad-CAM against finite differences, and networks of every kind and size."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_allclose

from mnist_core import runs
from mnist_core.common.arrays import Images, Probabilities
from mnist_core.data.dataset import Mnist
from mnist_core.networks import keras_model
from mnist_core.networks.insight import looking_inside
from mnist_core.networks.insight.looking_inside import grad_cam, layer_of, look_inside
from mnist_core.networks.insight.results import MOST_MAPS, MOST_UNITS, Insight
from mnist_core.networks.keras_model import build_model
from mnist_core.networks.layers import Architecture, Dense, summarize
from mnist_core.networks.notation import parse_architecture
from tests.support.interpolation import interpolated
from tests.support.networks import CHOLLET, KERAS_STEPS, architectures


@pytest.fixture(scope="module")
def image(mnist: Mnist) -> Images:
    return mnist.x_test[18]


@cache
def model_of(notation: str) -> keras.Model:
    """A network with random weights, biases among them."""
    model = build_model(parse_architecture(notation), "0-1")
    rng = np.random.default_rng(len(notation))
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            spread = 1.5 / math.sqrt(math.prod(layer.kernel.shape[:-1]))
            layer.set_weights([rng.normal(0, spread, layer.kernel.shape), rng.normal(0, 0.1, layer.bias.shape)])
    return model


def weights_of(model: keras.Model) -> list[tuple[np.ndarray, ...]]:
    return [
        tuple(np.asarray(weight, float) for weight in layer.get_weights())
        for layer in model.layers
        if hasattr(layer, "kernel")
    ]


# The same in NumPy, in 64 bits, value by value


def convolved(maps: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int = 1, zeros: int = 0) -> np.ndarray:
    """Slide a kernel (size, size, channels, filters) over maps (height, width, channels); `zeros` on each side."""
    maps = np.pad(maps, ((zeros, zeros), (zeros, zeros), (0, 0)))
    size = len(kernel)
    places = range(0, len(maps) - size + 1, stride)
    return np.array(
        [
            [
                [(maps[r : r + size, c : c + size] * kernel[..., k]).sum() + bias[k] for k in range(len(bias))]
                for c in places
            ]
            for r in places
        ]
    )


def pooled(maps: np.ndarray, size: int) -> np.ndarray:
    places = range(0, len(maps) - size + 1, size)
    return np.array([[maps[r : r + size, c : c + size].max(axis=(0, 1)) for c in places] for r in places])


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def channels_first(maps: np.ndarray) -> np.ndarray:
    return np.moveaxis(maps, -1, 0)


def assert_shown(insight: Insight, place: int, expected: np.ndarray) -> None:
    """Kept in 255 steps, values differ by half a step at most."""
    found = insight.layers[place].maps
    assert found.steps.shape == expected.shape
    assert found.peak == pytest.approx(np.abs(expected).max(), rel=1e-4)
    assert np.abs(found.values - expected).max() <= found.peak * 0.51 / 127


def test_every_layer_is_what_numpy_makes_of_the_image(image: Images) -> None:
    model = model_of("3C3:same:tanh-P2-4C4S2-6:sigmoid-10")
    (first, first_bias), (second, second_bias), (hidden, hidden_bias), (last, last_bias) = weights_of(model)
    pixels = image[..., None] / 255
    one = np.tanh(convolved(pixels, first, first_bias, zeros=1))
    two = pooled(one, 2)
    three = np.maximum(convolved(two, second, second_bias, stride=2), 0)
    four = 1 / (1 + np.exp(-(three.ravel() @ hidden + hidden_bias)))
    five = softmax(four @ last + last_bias)

    insight = look_inside(model, image)
    assert [view.summary.name for view in insight.layers] == [
        "Convolution 3 × 3",
        "Max pooling 2 × 2",
        "Convolution 4 × 4",
        "Dense",
        "Output, softmax",
    ]
    for place, maps in enumerate((one, two, three)):
        assert_shown(insight, place, channels_first(maps))
    for place, units in ((3, four), (4, five)):
        assert_shown(insight, place, units[:, None, None])
    assert_allclose(insight.probabilities, five, atol=1e-6)
    assert [view.field for view in insight.layers] == [3, 4, 10, None, None]
    assert insight.weights is not None
    assert_allclose(insight.weights.values, channels_first(first[:, :, 0]), atol=insight.weights.peak / 253)


def test_grad_cam_is_what_finite_differences_find(image: Images) -> None:
    """The mean gradient of a map is how the score answers when all of the map is raised, by its number of places."""
    model = model_of("5C7S2-4C3-P2-5:tanh-10")
    (first, first_bias), (second, second_bias), (hidden, hidden_bias), (last, last_bias) = weights_of(model)
    before = np.maximum(convolved(image[..., None] / 255, first, first_bias, stride=2), 0)
    maps = np.maximum(convolved(before, second, second_bias), 0)  # (9, 9, 4)

    def scores(maps: np.ndarray) -> np.ndarray:
        return np.tanh(pooled(maps, 2).ravel() @ hidden + hidden_bias) @ last + last_bias

    heat = np.zeros((10, 9, 9))
    for k in range(4):
        step = np.zeros(4)
        step[k] = 1e-5
        importance = (scores(maps + step) - scores(maps - step)) / 2e-5 / 81
        heat += importance[:, None, None] * maps[..., k]
    heat = np.maximum(heat, 0)
    expected = interpolated(heat, 3 + 2, 2)  # 7 wide, then 3 more at a step of 2

    found = grad_cam(model, image)
    assert found is not None
    assert found.side == 9
    assert expected.any(axis=(1, 2)).sum() >= 3
    assert_allclose(found.heat, expected, rtol=1e-3, atol=1e-5 * expected.max())


def test_grad_cam_reads_scores_before_softmax(image: Images) -> None:
    """A network that is certain has no gradient left behind its softmax; its scores still have one."""
    model = keras.models.clone_model(model_of(CHOLLET))
    model.set_weights(model_of(CHOLLET).get_weights())
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 1000, bias])
    assert keras_model.predict(model, image[None]).max() == 1
    plain, certain = grad_cam(model_of(CHOLLET), image), grad_cam(model, image)
    assert plain is not None
    assert certain is not None
    assert_allclose(certain.heat, plain.heat * 1000, rtol=1e-3, atol=1e-3 * plain.heat.max())


@pytest.mark.parametrize("notation", ["10", "32-10", "P2-10", "3C28-10", "2C5-P24-4C1-10"])
def test_without_a_convolution_with_places_there_is_no_grad_cam(notation: str, image: Images) -> None:
    assert grad_cam(model_of(notation), image) is None


def test_windows_are_asked_about_with_the_network_itself(trained_run: Path, image: Images) -> None:
    model = keras.models.load_model(trained_run / "model.keras", compile=False)
    insight = look_inside(model, image)
    before = keras_model.predict(model, image[None])[0]
    reading = before.argmax()
    least, answer = math.inf, before
    for row in range(0, 25, 2):
        for column in range(0, 25, 2):
            changed = image.copy()
            changed[row : row + 4, column : column + 4] = 0
            after = keras_model.predict(model, changed[None])[0]
            odds = after[reading] / (after.sum() - after[reading])
            if odds < least:
                least, answer = odds, after
    assert_allclose(insight.probabilities, before, atol=1e-5)
    assert_allclose(insight.erased.answers[reading], answer, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(architectures())
def test_every_layer_of_a_model_is_recognised(architecture: Architecture) -> None:
    found = [layer_of(layer) for layer in build_model(architecture, "0-1").layers]
    assert tuple(layer for layer in found if layer is not None) == architecture.layers


NOTATIONS = [
    "10",
    "512-512-10",
    "GAP-10",
    "BN-D0.3-10",
    "A2-10",
    "2C28-10",
    "4C3-BN-P2-D0.2-6C3:same:elu-BN-GAP-D0.1-BN-12:tanh-BN-10",
    "2C3S3:same-A3S1:same-2C5:same-10",
    KERAS_STEPS,
]


@pytest.mark.parametrize("notation", NOTATIONS)
def test_networks_of_every_kind_can_be_looked_into(notation: str, image: Images) -> None:
    model = model_of(notation)
    insight = look_inside(model, image)
    assert_allclose(insight.probabilities, keras_model.predict(model, image[None])[0], atol=1e-5)
    tokens = parse_architecture(notation)
    kept = [each for each in summarize(tokens) if each.token != "BN" and not each.token.startswith("D")]
    assert [view.summary for view in insight.layers] == kept
    for view in insight.layers:
        shape = view.summary.output_shape
        height, width = shape[:2] if len(shape) == 3 else (1, 1)
        assert view.maps.steps.shape == (min(shape[-1], MOST_MAPS if len(shape) == 3 else MOST_UNITS), height, width)
    assert insight.erased.effects.shape == insight.inked.effects.shape == (10, 28, 28)
    assert np.isfinite(insight.erased.effects).all()
    assert np.isfinite(insight.inked.effects).all()


def test_weights_of_a_dense_layer_on_pixels_are_pictures(image: Images) -> None:
    for notation, side, units in (("10", 28, 10), ("P2-10", 14, 10), ("70-10", 28, MOST_MAPS)):
        ((kernel, _), *_) = weights_of(model_of(notation))
        found = look_inside(model_of(notation), image).weights
        assert found is not None
        expected = np.array([kernel[:, unit].reshape(side, side) for unit in range(units)])
        assert found.steps.shape == expected.shape
        assert np.abs(found.values - expected).max() <= found.peak * 0.51 / 127
    assert look_inside(model_of("GAP-10"), image).weights is None


def test_of_many_maps_and_units_the_first_are_kept(image: Images) -> None:
    model = model_of("70C3-P6-600-10")
    (kernel, bias), *_ = weights_of(model)
    insight = look_inside(model, image)
    convolution, _, dense, _ = insight.layers
    assert convolution.summary.output_shape == (26, 26, 70)
    assert_shown(
        insight, 0, channels_first(np.maximum(convolved(image[..., None] / 255, kernel, bias), 0)[..., :MOST_MAPS])
    )
    assert len(dense.maps.steps) == MOST_UNITS
    assert dense.layer == Dense(600)
    assert insight.weights is not None
    assert insight.weights.steps.shape == (MOST_MAPS, 3, 3)


def test_large_networks_get_small_batches_of_fewer_windows(image: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def even(model: keras.Model, images: Images, batch_size: int) -> Probabilities:
        asked.append((len(images), batch_size))
        return np.full((len(images), 10), 0.1, np.float32)

    monkeypatch.setattr(looking_inside, "predict", even)
    look_inside(model_of("256C5:same-32C3-GAP-10"), image)
    ((images, batch_size),) = asked
    assert images <= 1 + 2 * 49
    assert batch_size * 28 * 28 * 256 * 4 <= 64_000_000
    look_inside(model_of(CHOLLET), image)
    images, batch_size = asked[-1]
    assert 1 + 169 < images <= batch_size


@pytest.mark.parametrize("run", sorted(path.name for path in runs.BUNDLED_RUNS.iterdir() if path.is_dir()))
def test_networks_that_ship_get_all_windows_in_one_batch(
    run: str, image: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def even(model: keras.Model, images: Images, batch_size: int) -> Probabilities:
        asked.append((len(images), batch_size))
        return np.full((len(images), 10), 0.1, np.float32)

    monkeypatch.setattr(looking_inside, "predict", even)
    look_inside(keras.models.load_model(runs.BUNDLED_RUNS / run / "model.keras", compile=False), image)
    ((images, batch_size),) = asked
    assert 1 + 169 < images <= batch_size


def test_other_models_are_refused() -> None:
    image = np.zeros((28, 28), np.uint8)
    dense, flatten = keras.layers.Dense, keras.layers.Flatten
    for layers in (
        [keras.Input((32, 32, 3)), flatten(), dense(10, "softmax")],
        [keras.Input((28, 28, 1)), flatten(), dense(7, "softmax")],
        [keras.Input((28, 28, 1)), flatten(), dense(10)],
        [keras.Input((28, 28, 1)), keras.layers.DepthwiseConv2D(3), flatten(), dense(10, "softmax")],
    ):
        with pytest.raises(ValueError, match="not a"):
            look_inside(keras.Sequential(layers), image)
