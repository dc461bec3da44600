"""The configuration of a run: what it accepts, what it refuses and why, and what follows from it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.data.augmentation import Augmentation
from mnist_core.networks.notation import parse_architecture
from mnist_core.training.config import ConfigError, TrainingConfig, bounds, key_of, options
from tests.support.settings_of_runs import (
    ALL_SETTINGS,
    CHOICES,
    HUGE,
    NUMBERS,
    TEXTS,
    VALIDATION_METRICS,
    WHOLE_NUMBERS,
    configs,
)

NEGATIVE_HUGE = pytest.param(-(10**400), id="negative huge")
UNWRITABLE = pytest.param(10**5000, id="unwritable")  # beyond what Python turns into text


def refused(name: str, value: Any) -> str:
    """Creating a configuration with this setting must fail; return the message, which must name the setting."""
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{name: value})
    assert str(caught.value).startswith(f"{key_of(name)}: ")
    return str(caught.value)


def with_value(name: str, value: Any) -> Any:
    return getattr(TrainingConfig(**{name: value}), name)


def test_the_defaults_are_valid() -> None:
    config = TrainingConfig()
    assert config.architecture.parameters == 34_826
    assert config.learning_rate == 0.001
    assert config.scaling == "0-1"
    assert config.train_size == 60_000


def test_every_setting_is_covered_by_these_tests() -> None:
    assert {field.name for field in dataclasses.fields(TrainingConfig)} == set(ALL_SETTINGS)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().epochs = 3  # type: ignore[misc]


def test_equal_settings_make_equal_configurations() -> None:
    assert TrainingConfig(epochs=3) == TrainingConfig(epochs=3)
    assert hash(TrainingConfig(epochs=3)) == hash(TrainingConfig(epochs=3))
    assert TrainingConfig(epochs=3) != TrainingConfig(epochs=4)


def test_the_network_is_read_from_the_notation() -> None:
    assert TrainingConfig(notation="8C3-P2-10").architecture == parse_architecture("8C3-P2-10")


@pytest.mark.parametrize(("name", "limits"), (WHOLE_NUMBERS | NUMBERS).items())
def test_bounds_are_accepted_and_told(name: str, limits: tuple[float, float]) -> None:
    assert bounds(name) == limits
    for value in limits:
        assert with_value(name, value) == value


@pytest.mark.parametrize("name", [*TEXTS, *CHOICES])
def test_settings_without_numbers_have_no_bounds(name: str) -> None:
    assert bounds(name) == (None, None)


@pytest.mark.parametrize("name", ALL_SETTINGS)
def test_options_are_told_of_settings_that_have_them(name: str) -> None:
    assert list(options(name)) == CHOICES.get(name, [])


@pytest.mark.parametrize(("name", "limits"), WHOLE_NUMBERS.items())
def test_whole_numbers_just_out_of_bounds_are_refused(name: str, limits: tuple[int, int]) -> None:
    low, high = limits
    for value in (low - 1, high + 1, -(10**9), 10**12):
        assert f"{value:,} is out of bounds; accepted are {low:,} to {high:,}" in refused(name, value)


@pytest.mark.parametrize(("name", "limits"), NUMBERS.items())
def test_numbers_just_out_of_bounds_are_refused(name: str, limits: tuple[float, float]) -> None:
    low, high = limits
    for value in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf), -1.0, 1e300):
        assert f"is out of bounds; accepted are {low:,} to {high:,}" in refused(name, value)


@pytest.mark.parametrize("name", [*WHOLE_NUMBERS, *NUMBERS])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, HUGE, NEGATIVE_HUGE, UNWRITABLE])
def test_numbers_beyond_all_bounds_are_refused(name: str, value: float) -> None:
    refused(name, value)


@pytest.mark.parametrize("name", ALL_SETTINGS)
@pytest.mark.parametrize("kind", [list, dict])
def test_deeply_nested_values_are_refused(name: str, kind: type) -> None:
    value: Any = 1
    for _ in range(10_000):  # more than `repr` can follow
        value = [value] if kind is list else {"value": value}
    refused(name, value)


@pytest.mark.parametrize("name", TEXTS)
def test_numbers_too_long_to_write_are_refused_as_text(name: str) -> None:
    """Python refuses to turn an integer of more than 4,300 digits into text."""
    refused(name, 10**5000)


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
@pytest.mark.parametrize("value", ["200", "", None, "none", True, False, 200.5, [200], {"value": 200}, b"200", 200j])
def test_what_is_no_whole_number_is_refused(name: str, value: object) -> None:
    assert f"{value!r} is not a whole number" in refused(name, value)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["0.5", "", True, False, [0.5], {"value": 0.5}, b"0.5", 0.5j])
def test_what_is_no_number_is_refused(name: str, value: object) -> None:
    assert f"{value!r} is not a number" in refused(name, value)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [None, "none"])
def test_nothing_is_no_number(name: str, value: object) -> None:
    assert f"{value!r} is not a number" in refused(name, value)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [None, True, False, 0.5, ["10"], {"10": 1}, b"10"])
def test_what_is_no_text_is_refused(name: str, value: object) -> None:
    assert f"{value!r} is not text" in refused(name, value)


@pytest.mark.parametrize(("name", "choices"), CHOICES.items())
@pytest.mark.parametrize("value", ["", "Adam", "first", None, 0, 1, True, math.nan, ["last"], {"last": 1}, HUGE])
def test_a_choice_that_is_not_offered_is_refused(name: str, choices: list[str], value: object) -> None:
    message = refused(name, value)
    assert f"{name}: {repr(value)[:60]}" in message  # absurdly long values are cut
    assert " is not accepted" in message
    assert f"choose one of {', '.join(choices)}." in message


@pytest.mark.parametrize(("name", "choices"), CHOICES.items())
def test_every_choice_is_accepted(name: str, choices: list[str]) -> None:
    for choice in choices:
        assert with_value(name, choice) == choice


def test_numbers_take_the_type_of_their_setting() -> None:
    for name in WHOLE_NUMBERS:
        value = with_value(name, 100.0)
        assert (value, type(value)) == (100, int)
    for name in ("learning_rate", "shift", "thickness", "stop_target"):
        value = with_value(name, 1)
        assert (value, type(value)) == (1.0, float)


@pytest.mark.parametrize(
    ("notation", "complaint"), [("", "an architecture is needed"), ("32C3", "last layer"), (7, "")]
)
def test_an_architecture_that_cannot_be_built_is_refused(notation: object, complaint: str) -> None:
    message = refused("notation", notation)
    assert "Token 1" in message
    assert complaint in message


def test_an_architecture_may_be_a_bare_number() -> None:
    assert with_value("notation", 10) == "10"


def test_a_preset_name_has_a_bounded_length() -> None:
    assert with_value("preset", "x" * 60) == "x" * 60
    assert "60 characters" in refused("preset", "x" * 61)


def test_a_notation_is_no_longer_than_editor_and_links_can_read() -> None:
    assert with_value("notation", "10".rjust(400)) == "10".rjust(400)
    assert "400 characters" in refused("notation", "10".rjust(401))
    refused("notation", "-".join(["1024C28S28:same:sigmoid"] * 39 + ["10"]))  # short enough in layers only


@pytest.mark.parametrize("validation", ["test", "none"])
def test_the_best_weights_can_only_be_chosen_on_images_held_out(validation: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(keep="best", validation=validation)  # type: ignore[arg-type]
    assert str(caught.value).startswith("keep: ")
    assert "Set validation to “last” or “random”, or keep to “last”" in str(caught.value)
    assert TrainingConfig(keep="best", validation="last").keep == "best"
    assert TrainingConfig(keep="best", validation="random").keep == "best"
    assert TrainingConfig(keep="last", validation=validation).validation == validation  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["target", "patience"])
@pytest.mark.parametrize("validation", CHOICES["validation"])
@pytest.mark.parametrize("metric", CHOICES["stop_metric"])
def test_stopping_by_validation_needs_images_held_out(rule: str, validation: str, metric: str) -> None:
    values: dict[str, Any] = {"early_stopping": rule, "validation": validation, "stop_metric": metric}
    if metric in VALIDATION_METRICS and validation in ("test", "none"):
        with pytest.raises(ConfigError, match=f"^stop_metric: to stop by the {metric}, images must be held out"):
            TrainingConfig(**values)
    else:
        assert TrainingConfig(**values).stop_metric == metric
    assert TrainingConfig(**values | {"early_stopping": "never"}).stop_metric == metric  # then nothing looks at it


def test_the_augmentation_is_that_of_the_settings_named_alike() -> None:
    amounts = {"rotation": 1.0, "shift": 2.0, "zoom": 0.3, "shear": 4.0, "elastic": 0.5, "thickness": 0.6}
    amounts["continental"] = 0.7
    assert TrainingConfig(**amounts).augmentation == Augmentation(**amounts)  # type: ignore[arg-type]
    assert not TrainingConfig().augmentation.active


@pytest.mark.parametrize(
    ("train_size", "share", "held_out"),
    [
        (60_000, 0.1, 6_000),  # chollet
        (60_000, 0.2, 12_000),  # nehlr
        (60_000, 0.5, 30_000),
        (100, 0.01, 1),
        (101, 0.5, 51),
        (199, 0.1, 20),
        (1000, 0.333, 333),
        (1001, 0.333, 334),
    ],
)
def test_images_held_out_of_training(train_size: int, share: float, held_out: int) -> None:
    config = TrainingConfig(train_size=train_size, validation="last", validation_share=share)
    assert config.validation_size == held_out


@settings(max_examples=300, deadline=None)
@given(st.integers(100, 60_000), st.floats(0.01, 0.5))
def test_images_held_out_follow_the_rule_of_keras(train_size: int, share: float) -> None:
    config = TrainingConfig(train_size=train_size, validation="last", validation_share=share)
    assert config.validation_size == train_size - math.floor(train_size * (1 - share))
    assert 1 <= config.validation_size < train_size


def test_images_held_out_are_as_many_as_keras_holds_out() -> None:
    import numpy as np
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    for train_size in (100, 101, 999, 12_345, 60_000):
        for share in (0.01, 0.07, 0.1, 0.15, 0.2, 0.29, 1 / 3, 0.47, 0.5):
            _, (held_out,) = train_validation_split((np.empty(train_size, np.uint8),), share)
            config = TrainingConfig(train_size=train_size, validation="last", validation_share=share)
            assert config.validation_size == len(held_out)


def test_a_random_share_is_as_large_as_the_last_share() -> None:
    assert TrainingConfig(train_size=1001, validation="random", validation_share=0.333).validation_size == 334


@pytest.mark.parametrize("validation", ["test", "none"])
def test_without_held_out_images_all_are_trained_on(validation: str) -> None:
    config = TrainingConfig(train_size=1000, validation=validation, batch_size=100)  # type: ignore[arg-type]
    assert config.validation_size == 0
    assert config.steps_per_epoch == 10


@pytest.mark.parametrize(
    ("train_size", "validation", "batch_size", "steps"),
    [
        (60_000, "none", 128, 469),  # 468 full batches and one of 96
        (60_000, "last", 128, 422),  # 54,000 images: 421 full batches and one of 112
        (60_000, "test", 64, 938),
        (60_000, "none", 100, 600),  # no partial batch
        (1000, "none", 1000, 1),
        (1000, "none", 1001, 1),
        (1000, "none", 999, 2),
        (100, "none", 4096, 1),
        (100, "last", 1, 90),
        (100, "last", 89, 2),
        (100, "last", 90, 1),
    ],
)
def test_steps_per_epoch_count_the_last_partial_batch(
    train_size: int, validation: str, batch_size: int, steps: int
) -> None:
    config = TrainingConfig(train_size=train_size, validation=validation, batch_size=batch_size)  # type: ignore[arg-type]
    assert config.steps_per_epoch == steps


@settings(max_examples=100, deadline=None)
@given(configs())
def test_steps_per_epoch_are_those_of_a_loop_over_the_images(config: TrainingConfig) -> None:
    trained_on = config.train_size - config.validation_size
    assert config.steps_per_epoch == len(range(0, trained_on, config.batch_size))
    assert config.steps == sum(len(range(0, trained_on, config.batch_size)) for _ in range(config.epochs))
    assert config.holds_out == (config.validation_size > 0)
