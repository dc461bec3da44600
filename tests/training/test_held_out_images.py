"""What is trained on and what is held out: no image of the one is ever among the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import cross_entropy
from mnist_core.networks.keras_model import predict
from mnist_core.training.config import TrainingConfig, Validation
from mnist_core.training.events import Event
from mnist_core.training.loop import split, train
from tests.support.training_on_few import MakeConfig, assert_same_weights, differ, epochs, first_images


@pytest.fixture(scope="module")
def small(mnist: Mnist) -> Mnist:
    """Few images to train on and to test with."""
    return first_images(mnist)


def test_the_last_share_validates_and_is_never_trained_on(small: Mnist, tiny_config: MakeConfig) -> None:
    config = tiny_config(train_size=400, validation_share=0.25)
    events: list[Event] = []
    result = train(config, small, events.append)
    assert result.progress.images == 2 * 300
    held_out = cross_entropy(small.y_train[300:400], predict(result.model, small.x_train[300:400]))
    assert epochs(events)[-1].validation_loss == pytest.approx(held_out, rel=1e-5)

    images, labels = small.x_train.copy(), small.y_train.copy()
    images[300:], labels[300:] = 255 - images[300:], 9 - labels[300:]
    spoilt_events: list[Event] = []
    spoilt = train(config, replace(small, x_train=images, y_train=labels), spoilt_events.append)
    assert_same_weights(result.model, spoilt.model)
    assert epochs(spoilt_events)[-1].validation_loss != epochs(events)[-1].validation_loss

    images[299] = 255 - images[299]  # the last image that is trained on: the test above can fail
    assert differ(result.model, train(config, replace(small, x_train=images), on_event=lambda event: None).model)


def test_the_test_set_can_validate_and_is_never_trained_on(small: Mnist, tiny_config: MakeConfig) -> None:
    config = tiny_config(train_size=300, validation="test", epochs=1)
    events: list[Event] = []
    result = train(config, small, events.append)
    assert result.progress.images == 300
    loss = cross_entropy(small.y_test, predict(result.model, small.x_test))
    assert epochs(events)[0].validation_loss == pytest.approx(loss, rel=1e-5)
    without = train(replace(config, validation="none"), small, events.append)
    assert_same_weights(result.model, without.model)
    assert epochs(events)[1].validation_loss is None
    assert epochs(events)[1].validation_accuracy is None


def numbered(count: int) -> Mnist:
    """Images that hold their own number, with labels that follow from it."""
    numbers = np.arange(count)
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = numbers % 256, numbers // 256
    labels = (numbers * 7 % 10).astype(np.uint8)
    return Mnist(images, labels, images[:50] + 1, labels[:50])


def numbers_of(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    return images[:, 0, 0].astype(np.int64) + 256 * images[:, 0, 1].astype(np.int64)


def test_a_random_share_is_held_out_by_the_seed() -> None:
    data = numbered(1200)
    held_out = []
    for seed in (1, 1, 2):
        config = TrainingConfig(train_size=1000, validation="random", validation_share=0.15, seed=seed)
        images, labels, validation = split(config, data)
        assert validation is not None
        assert (len(images), len(validation[0])) == (850, 150)
        assert sorted([*numbers_of(images), *numbers_of(validation[0])]) == list(range(1000))
        assert_array_equal(labels, numbers_of(images) * 7 % 10)
        assert_array_equal(validation[1], numbers_of(validation[0]) * 7 % 10)
        held_out.append(set(numbers_of(validation[0]).tolist()))
    assert held_out[0] == held_out[1] != held_out[2]
    assert len(held_out[0] & held_out[2]) < 60  # two random shares have about 22 in common
    thirds = np.histogram(list(held_out[0]), bins=3, range=(0, 1000))[0]
    assert thirds.min() > 30  # from everywhere


def test_what_else_is_validated_on() -> None:
    data = numbered(1200)
    images, labels, validation = split(TrainingConfig(train_size=1000, validation="last", validation_share=0.15), data)
    assert_array_equal(numbers_of(images), np.arange(850))
    assert_array_equal(labels, data.y_train[:850])
    assert validation is not None
    assert_array_equal(numbers_of(validation[0]), np.arange(850, 1000))
    assert_array_equal(validation[1], data.y_train[850:1000])
    kinds: dict[Validation, Any] = {"test": (data.x_test, data.y_test), "none": None}
    for kind, expected in kinds.items():
        images, labels, validation = split(TrainingConfig(train_size=1000, validation=kind), data)
        assert_array_equal(numbers_of(images), np.arange(1000))
        assert validation is None if expected is None else validation == expected


def test_a_random_share_is_never_trained_on(small: Mnist, tiny_config: MakeConfig) -> None:
    config = tiny_config(train_size=300, validation="random", validation_share=0.3, epochs=1)
    events: list[Event] = []
    result = train(config, small, events.append)
    _, _, validation = split(config, small)
    assert validation is not None
    loss = cross_entropy(validation[1], predict(result.model, validation[0]))
    assert epochs(events)[0].validation_loss == pytest.approx(loss, rel=1e-5)

    spoilt = small.x_train.copy()
    held_out = {image.tobytes() for image in validation[0]}
    for number in range(300):
        if small.x_train[number].tobytes() in held_out:
            spoilt[number] = 255 - spoilt[number]
    assert_same_weights(result.model, train(config, replace(small, x_train=spoilt)).model)


def test_augmentation_changes_training_each_epoch_not_validation(small: Mnist, tiny_config: MakeConfig) -> None:
    # So slow that weights hardly move, and all images the same one: losses differ by how it is changed only.
    same = replace(small, x_train=small.x_train[[0] * 300], y_train=small.y_train[[0] * 300])
    still = {"notation": "10", "optimizer": "sgd", "learning_rate": 1e-6, "train_size": 300, "epochs": 2}
    losses, held_out = {}, {}
    for shift in (0, 6):
        events: list[Event] = []
        train(tiny_config(**still, shift=shift), same, events.append)
        losses[shift] = [epoch.loss for epoch in epochs(events)]
        held_out[shift] = [epoch.validation_loss for epoch in epochs(events)]
    assert losses[0][0] == pytest.approx(losses[0][1], abs=1e-3)
    assert abs(losses[6][0] - losses[0][0]) > 1e-2
    assert abs(losses[6][0] - losses[6][1]) > 1e-2
    assert held_out[6] == pytest.approx(held_out[0], abs=1e-3)
