"""What an architecture implies, held against Keras and against counting by hand."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import example, given, settings

from mnist_core.networks.layers import Architecture, Padding, Windows, summarize, windows
from mnist_core.networks.notation import parse_architecture
from tests.support.networks import CHOLLET, PUBLISHED_PARAMETERS, architectures, brute_force


def keras_layers(architecture: Architecture) -> list[Any]:
    """Build the network and return its Keras layers, without scaling and flattening, which have no token."""
    import keras

    from mnist_core.networks.keras_model import build_model

    model = build_model(architecture, "0-1")
    assert model.count_params() == architecture.parameters
    return [layer for layer in model.layers if not isinstance(layer, keras.layers.Rescaling | keras.layers.Flatten)]


def assert_as_keras(architecture: Architecture) -> None:
    summaries = summarize(architecture)
    ours = [(summary.output_shape, summary.parameters) for summary in summaries]
    theirs = [(tuple(layer.output.shape[1:]), layer.count_params()) for layer in keras_layers(architecture)]
    assert ours == theirs


@pytest.mark.parametrize(("notation", "parameters"), PUBLISHED_PARAMETERS.items())
def test_published_networks_have_their_published_parameters(notation: str, parameters: int) -> None:
    architecture = parse_architecture(notation)
    assert architecture.parameters == parameters
    assert sum(layer.parameters for layer in summarize(architecture)) == parameters


@pytest.mark.parametrize("notation", PUBLISHED_PARAMETERS)
def test_published_networks_are_as_in_keras_layer_by_layer(notation: str) -> None:
    assert_as_keras(parse_architecture(notation))


@settings(max_examples=40, deadline=None)
@given(architectures())
def test_random_networks_are_as_in_keras_layer_by_layer(architecture: Architecture) -> None:
    assert_as_keras(architecture)


@pytest.mark.parametrize(
    "notation",
    [
        "3C28-10",
        "3C5S28:same-10",
        "2C28S28:same-P28:same-A28S1:same-10",
        "4C3S2-P3S1-4C2S3:same-A2S1:same-GAP-BN-D0.1-7:tanh-BN-10",
        "P1S3-A5S2-GAP-10",
        "BN-D0.5-10",
        "10-10",
        "10",
    ],
)
def test_unusual_networks_are_as_in_keras_layer_by_layer(notation: str) -> None:
    assert_as_keras(parse_architecture(notation))


def test_keras_layers_get_every_option_of_the_notation() -> None:
    conv, maximum, average, dropout, norm, dense, output = keras_layers(
        parse_architecture("6C5S2:same:tanh-P3S2:same-A2S1-D0.25-BN-7:sigmoid-10")
    )
    assert (conv.filters, conv.kernel_size, conv.strides, conv.padding) == (6, (5, 5), (2, 2), "same")
    assert conv.activation.__name__ == "tanh"
    assert type(maximum).__name__ == "MaxPooling2D"
    assert (maximum.pool_size, maximum.strides, maximum.padding) == ((3, 3), (2, 2), "same")
    assert type(average).__name__ == "AveragePooling2D"
    assert (average.pool_size, average.strides, average.padding) == ((2, 2), (1, 1), "valid")
    assert dropout.rate == 0.25
    assert type(norm).__name__ == "BatchNormalization"
    assert (dense.units, dense.activation.__name__) == (7, "sigmoid")
    assert (output.units, output.activation.__name__) == (10, "softmax")


@pytest.mark.parametrize("notation", PUBLISHED_PARAMETERS)
def test_multiply_adds_of_published_networks_are_counted_right(notation: str) -> None:
    architecture = parse_architecture(notation)
    counted = list(brute_force(architecture.layers))
    assert [(layer.output_shape, layer.multiply_adds) for layer in summarize(architecture)] == counted
    assert architecture.multiply_adds == sum(count for _, count in counted)


@settings(max_examples=200, deadline=None)
@given(architectures())
def test_multiply_adds_of_random_networks_are_counted_right(architecture: Architecture) -> None:
    counted = list(brute_force(architecture.layers))
    assert [(layer.output_shape, layer.multiply_adds) for layer in summarize(architecture)] == counted


def test_multiply_adds_are_those_worked_out_on_paper() -> None:
    counts = [layer.multiply_adds for layer in summarize(parse_architecture(CHOLLET))]
    assert counts == [26 * 26 * 3 * 3 * 32, 0, 11 * 11 * 3 * 3 * 32 * 64, 0, 0, 5 * 5 * 64 * 10]
    assert parse_architecture(CHOLLET).multiply_adds == 194_688 + 2_230_272 + 16_000


def worked_out(arithmetic: str) -> tuple[int, int]:
    """Return both sides of an arithmetic text as numbers; a bare number is both."""
    assert re.fullmatch(r"[0-9,]+((×[0-9,]+)+( \+ [0-9,]+)? = [0-9,]+)?", arithmetic), arithmetic
    left, _, right = arithmetic.replace(",", "").partition(" = ")
    terms = [math.prod(map(int, term.split("×"))) for term in left.split(" + ")]
    return sum(terms), int(right or left)


@settings(max_examples=200, deadline=None)
@given(architectures())
@example(parse_architecture("1024C3:same-A28-10"))
@example(parse_architecture("4096-4080-10"))
def test_the_arithmetic_of_a_layer_gives_its_parameters(architecture: Architecture) -> None:
    for layer in summarize(architecture):
        assert worked_out(layer.arithmetic) == (layer.parameters, layer.parameters)


def test_the_arithmetic_names_weights_and_biases() -> None:
    notation = "32C3-P2-64C3-BN-P2-D0.5-10"
    assert [layer.arithmetic for layer in summarize(parse_architecture(notation))] == [
        "3×3×1×32 + 32 = 320",
        "0",
        "3×3×32×64 + 64 = 18,496",
        "4×64 = 256",
        "0",
        "0",
        "1,600×10 + 10 = 16,010",
    ]


def test_summaries_carry_the_tokens_in_order() -> None:
    notation = "6C5S2:same:tanh-P3S2:same-A2S1-BN-D0.25-GAP-7:sigmoid-10"
    assert "-".join(layer.token for layer in summarize(parse_architecture(notation))) == notation


def test_summaries_have_names_that_a_reader_understands() -> None:
    names = [layer.name for layer in summarize(parse_architecture("6C5-P3-A2-BN-D0.25-GAP-7-10"))]
    assert names == [
        "Convolution 5 × 5",
        "Max pooling 3 × 3",
        "Average pooling 2 × 2",
        "Batch normalization",
        "Dropout 25%",
        "Global average pooling",
        "Dense",
        "Output, softmax",
    ]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("stride", range(1, 5))
def test_windows_are_where_a_walk_along_the_image_finds_them(size: int, stride: int, padding: Padding) -> None:
    places = windows(28, size, stride, padding)
    padded = 28 + places.before + places.after
    assert places.output == len([start for start in range(0, padded, stride) if start + size <= padded])
    assert places.output == summarize(parse_architecture(f"1C{size}S{stride}:{padding}-10"))[0].output_shape[0]
    assert padding == "same" or places.before == places.after == 0
    assert places.after - places.before in (0, 1)


def test_padding_by_hand() -> None:
    assert windows(28, 3, 1, "same") == Windows(3, 1, 28, 1, 1)
    assert windows(28, 3, 2, "same") == Windows(3, 2, 14, 0, 1)  # as TensorFlow: the odd zero behind
    assert windows(28, 5, 2, "valid") == Windows(5, 2, 12, 0, 0)
