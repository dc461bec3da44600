"""Which pixels a value has seen: held against Keras, which is shown one column of pixels at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mnist_core.networks.insight.receptive_fields import PIXEL, Field, enlarged, field_after
from mnist_core.networks.keras_model import build_model
from mnist_core.networks.layers import Architecture, Shape, summarize_layer
from mnist_core.networks.notation import parse_architecture
from tests.support.interpolation import interpolated

STACKS = [
    "1C3",
    "1C5-P2-1C3",
    "2C3-BN-2C3-P2-D0.5-1C3-P3S2",
    "1C4:same-A2:same-1C3:same",
    "1C5S3:same-1C2S2:same",
    "1C6S2:same-P3S1:same",
    "P3:same-A2-1C3S2",
    "1C2:same-1C2:same-1C2:same",
    "1C28",
    "1C1S3",
]

IMAGE: Shape = (28, 28, 1)


def field_and_shape(architecture: Architecture) -> tuple[Field, Shape]:
    field, shape = PIXEL, IMAGE
    for layer in architecture.layers[:-1]:
        field = field_after(layer, field, shape)
        shape = summarize_layer(layer, shape).output_shape
    return field, shape


@pytest.mark.parametrize("stack", STACKS)
def test_a_value_answers_to_the_pixels_of_its_field_only(stack: str) -> None:
    """With all weights 1, a value is positive where its field holds the one column that is not black."""
    architecture = parse_architecture(f"{stack}-10")
    field, shape = field_and_shape(architecture)
    model = build_model(architecture, "0-1")
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            layer.set_weights([np.ones_like(layer.kernel), np.zeros_like(layer.bias)])
    columns = np.zeros((28, 28, 28, 1), np.float32)
    columns[range(28), :, range(28)] = 255
    flowing = columns
    for layer in model.layers:
        if len(layer.output.shape) == 2:
            break
        flowing = layer(flowing)
    answers = np.asarray(flowing)  # (28 columns, height, width, channels)
    assert answers.shape[1:] == shape
    for place in range(answers.shape[2]):
        seen = {column for column in range(28) if (answers[column, :, place] > 0).any()}
        middle = field.start + place * field.step
        first, last = middle - (field.side - 1) / 2, middle + (field.side - 1) / 2
        assert first == int(first)
        assert seen == set(range(28)) & set(range(int(first), int(last) + 1))


def test_fields_counted_by_hand() -> None:
    """LeNet's beginning: 5 × 5; a pool of 2 adds 1 and doubles the step; 5 × 5 then adds 4 × 2."""
    architecture = parse_architecture("6C5-P2-16C5-P2-10")
    fields = []
    field, shape = PIXEL, IMAGE
    for layer in architecture.layers[:-1]:
        field = field_after(layer, field, shape)
        shape = summarize_layer(layer, shape).output_shape
        fields.append((field.side, field.step, field.start))
    assert fields == [(5, 1, 2), (6, 2, 2.5), (14, 2, 6.5), (16, 4, 7.5)]


@pytest.mark.parametrize(
    ("count", "field"), [(12, Field(5, 2, 2.5)), (4, Field(16, 4, 7.5)), (28, PIXEL), (1, Field(28, 1, 13.5))]
)
def test_maps_are_enlarged_as_two_interpolations_do_it(count: int, field: Field) -> None:
    maps = np.random.default_rng(count).normal(size=(3, count, count)).astype(np.float32)
    assert_allclose(enlarged(maps, field), interpolated(maps, field.start, field.step), atol=1e-5)


def test_a_value_stands_in_the_middle_of_its_field() -> None:
    maps = np.zeros((1, 11, 11), np.float32)
    maps[0, 4, 7] = 1
    field = Field(8, 2, 4.0)
    large = enlarged(maps, field)[0]
    assert np.unravel_index(large.argmax(), large.shape) == (4 + 2 * 4, 4 + 2 * 7)
    assert large.max() == 1
