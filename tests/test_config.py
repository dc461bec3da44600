"""The configuration of a run: what it accepts, what it refuses and how it says so, and what follows from it."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.architecture import parse_architecture
from mnist_core.config import CONFIG_VERSION, ConfigError, TrainingConfig, bounds

OPTIMIZERS = ["adam", "adamw", "rmsprop", "sgd", "momentum", "nesterov", "adagrad", "adadelta"]

# Lowest and highest accepted values.
WHOLE_NUMBERS = {
    "batch_size": (1, 4096),
    "epochs": (1, 100),
    "train_size": (100, 60_000),
    "seed": (0, 2**31 - 1),
}
NUMBERS = {
    "learning_rate": (1e-6, 10.0),
    "validation_share": (0.01, 0.5),
    "stop_above_accuracy": (0.0, 1.0),
}
CHOICES = {
    "scaling": ["0-1", "0-255"],
    "optimizer": OPTIMIZERS,
    "validation": ["last", "test", "none"],
    "keep": ["last", "best"],
}
TEXTS = ["preset", "architecture"]
# Beyond any float, and beyond what Python turns into text; named, since their digits would fill the report.
HUGE = pytest.param(10**400, id="huge")
NEGATIVE_HUGE = pytest.param(-(10**400), id="negative huge")
UNWRITABLE = pytest.param(10**5000, id="unwritable")

ALL_SETTINGS = [*TEXTS, *CHOICES, *NUMBERS, *WHOLE_NUMBERS]


@st.composite
def configs(draw: st.DrawFn) -> TrainingConfig:
    """Draw any valid configuration."""
    values: dict[str, Any] = {
        "preset": draw(st.text(max_size=60)),
        "architecture": draw(st.sampled_from(["10", "4C3-P2-10", " 32C3 - P2 - 10 ", "BN-D0.5-16:tanh-10"])),
        "stop_above_accuracy": draw(st.none() | st.floats(0, 1)),
    }
    values |= {name: draw(st.integers(*limits)) for name, limits in WHOLE_NUMBERS.items()}
    values |= {name: draw(st.floats(*NUMBERS[name])) for name in ("learning_rate", "validation_share")}
    values |= {name: draw(st.sampled_from(options)) for name, options in CHOICES.items()}
    if values["keep"] == "best":
        values["validation"] = "last"
    return TrainingConfig(**values)


def refused(name: str, value: object) -> str:
    """Creating a configuration with this setting must fail; return the message, which must name the setting."""
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{name: value})
    assert str(caught.value).startswith(f"{name}: ")
    return str(caught.value)


def with_value(name: str, value: object) -> Any:
    return getattr(TrainingConfig(**{name: value}), name)


def test_the_defaults_are_valid() -> None:
    config = TrainingConfig()
    assert config.network.parameters == 34_826
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
    assert TrainingConfig(architecture="8C3-P2-10").network == parse_architecture("8C3-P2-10")


@pytest.mark.parametrize(("name", "limits"), (WHOLE_NUMBERS | NUMBERS).items())
def test_bounds_are_accepted_and_told(name: str, limits: tuple[float, float]) -> None:
    assert bounds(name) == limits
    for value in limits:
        assert with_value(name, value) == value


@pytest.mark.parametrize("name", [*TEXTS, *CHOICES])
def test_settings_without_numbers_have_no_bounds(name: str) -> None:
    assert bounds(name) == (None, None)


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


@pytest.mark.parametrize("name", ["learning_rate", "validation_share"])
@pytest.mark.parametrize("value", [None, "none"])
def test_nothing_is_no_number(name: str, value: object) -> None:
    assert f"{value!r} is not a number" in refused(name, value)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [None, True, False, 0.5, ["10"], {"10": 1}, b"10"])
def test_what_is_no_text_is_refused(name: str, value: object) -> None:
    assert f"{value!r} is not text" in refused(name, value)


@pytest.mark.parametrize(("name", "options"), CHOICES.items())
@pytest.mark.parametrize("value", ["", "Adam", "first", None, 0, 1, True, ["last"], {"last": 1}, HUGE])
def test_a_choice_that_is_not_offered_is_refused(name: str, options: list[str], value: object) -> None:
    message = refused(name, value)
    assert f"{name}: {repr(value)[:60]}" in message  # absurdly long values are cut
    assert " is not accepted" in message
    assert f"choose one of {', '.join(options)}." in message


@pytest.mark.parametrize(("name", "options"), CHOICES.items())
def test_every_choice_is_accepted(name: str, options: list[str]) -> None:
    for option in options:
        assert with_value(name, option) == option


def test_numbers_take_the_type_of_their_setting() -> None:
    for name in WHOLE_NUMBERS:
        value = with_value(name, 100.0)
        assert (value, type(value)) == (100, int)
    for name in ("learning_rate", "stop_above_accuracy"):
        value = with_value(name, 1)
        assert (value, type(value)) == (1.0, float)


@pytest.mark.parametrize("value", [None, "none"])
def test_stopping_early_can_be_switched_off(value: object) -> None:
    assert with_value("stop_above_accuracy", value) is None


@pytest.mark.parametrize(
    ("notation", "complaint"), [("", "an architecture is needed"), ("32C3", "last layer"), (7, "")]
)
def test_an_architecture_that_cannot_be_built_is_refused(notation: object, complaint: str) -> None:
    message = refused("architecture", notation)
    assert "Token 1" in message
    assert complaint in message


def test_an_architecture_may_be_a_bare_number() -> None:
    assert with_value("architecture", 10) == "10"


def test_a_preset_name_has_a_bounded_length() -> None:
    assert with_value("preset", "x" * 60) == "x" * 60
    assert "60 characters" in refused("preset", "x" * 61)


@pytest.mark.parametrize("validation", ["test", "none"])
def test_the_best_weights_can_only_be_chosen_on_images_held_out(validation: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(keep="best", validation=validation)  # type: ignore[arg-type]
    assert str(caught.value).startswith("keep: ")
    assert "Set validation to “last”, or keep to “last”" in str(caught.value)
    assert TrainingConfig(keep="best", validation="last").keep == "best"
    assert TrainingConfig(keep="last", validation=validation).validation == validation  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(configs())
def test_json_returns_the_same_configuration(config: TrainingConfig) -> None:
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_json_names_its_version_and_every_setting() -> None:
    values = TrainingConfig().to_json()
    assert values["config_version"] == CONFIG_VERSION
    assert set(values) == {"config_version", *ALL_SETTINGS}


def test_json_is_strict_json() -> None:
    json.dumps(TrainingConfig(stop_above_accuracy=None).to_json(), allow_nan=False)


def test_settings_missing_in_json_take_their_defaults() -> None:
    config = TrainingConfig.from_json({"config_version": CONFIG_VERSION, "epochs": 3})
    assert config == TrainingConfig(epochs=3)


def test_reading_json_leaves_the_given_object_alone() -> None:
    values = TrainingConfig().to_json()
    TrainingConfig.from_json(values)
    assert values == TrainingConfig().to_json()


@pytest.mark.parametrize("version", [0, CONFIG_VERSION + 1, -1, "1", None, [1], HUGE])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig.from_json({**TrainingConfig().to_json(), "config_version": version})
    assert f"version {version!r}; this Digit Lab reads {CONFIG_VERSION}" in str(caught.value)


def test_a_missing_version_is_refused() -> None:
    values = TrainingConfig().to_json()
    del values["config_version"]
    with pytest.raises(ConfigError, match="version None"):
        TrainingConfig.from_json(values)


@pytest.mark.parametrize("values", [None, 1, "text", [], [("config_version", 1)], math.nan, True])
def test_json_that_is_no_object_is_refused(values: object) -> None:
    with pytest.raises(ConfigError, match="must be a JSON object"):
        TrainingConfig.from_json(values)


@pytest.mark.parametrize("name", ["", "Epochs", "epoch", "network", "validation_size", "__class__", "self"])
def test_an_unknown_setting_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(ConfigError) as from_json:
        TrainingConfig.from_json({"config_version": CONFIG_VERSION, name: 1})
    with pytest.raises(ConfigError) as from_text:
        TrainingConfig().with_settings([f"{name}=1"])
    for caught in (from_json, from_text):
        assert f"“{name}” is not a setting" in str(caught.value)
        assert [known for known in ALL_SETTINGS if known not in str(caught.value)] == []


def test_json_values_are_checked() -> None:
    with pytest.raises(ConfigError, match="epochs: 0 is out of bounds"):
        TrainingConfig.from_json({"config_version": CONFIG_VERSION, "epochs": 0})


@pytest.mark.parametrize(
    ("assignment", "name", "value"),
    [
        ("epochs=3", "epochs", 3),
        (" epochs = 3 ", "epochs", 3),
        ("epochs=3.0", "epochs", 3),
        ("epochs=1e1", "epochs", 10),
        ("learning_rate=1e-3", "learning_rate", 0.001),
        ("learning_rate=1", "learning_rate", 1.0),
        ("stop_above_accuracy=0.99", "stop_above_accuracy", 0.99),
        ("stop_above_accuracy=none", "stop_above_accuracy", None),
        ("stop_above_accuracy=null", "stop_above_accuracy", None),
        ("validation=none", "validation", "none"),
        ("scaling=0-255", "scaling", "0-255"),
        ('optimizer="sgd"', "optimizer", "sgd"),
        ("architecture=8C3-P2-10", "architecture", "8C3-P2-10"),
        ("architecture=10", "architecture", "10"),
        ("preset=007", "preset", "007"),
        ("preset=a=b", "preset", "a=b"),
        ("preset=", "preset", ""),
    ],
)
def test_settings_are_read_from_text(assignment: str, name: str, value: object) -> None:
    start = TrainingConfig(stop_above_accuracy=0.5)
    changed = start.with_settings([assignment])
    assert getattr(changed, name) == value
    assert changed == dataclasses.replace(start, **{name: value})


def test_several_settings_apply_together_and_the_last_one_wins() -> None:
    config = TrainingConfig(validation="test").with_settings(["keep=best", "validation=last", "epochs=2", "epochs=3"])
    assert (config.keep, config.validation, config.epochs) == ("best", "last", 3)


def test_no_settings_change_nothing() -> None:
    assert TrainingConfig(epochs=7).with_settings([]) == TrainingConfig(epochs=7)


@pytest.mark.parametrize("assignment", ["epochs", "", "epochs:3", "epochs 3"])
def test_text_that_assigns_nothing_is_refused(assignment: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig().with_settings([assignment])
    assert f"“{assignment}” is not of the form name=value, such as epochs=3" in str(caught.value)


@pytest.mark.parametrize(
    "assignment",
    [
        "epochs=",
        "epochs=many",
        "epochs=true",
        "epochs=null",
        "epochs=[3]",
        "epochs={}",
        "epochs=3.5",
        "epochs=1_0",
        "epochs=0x3",
        "epochs=NaN",
        "epochs=Infinity",
        "epochs=-Infinity",
        "epochs=1e999",
        pytest.param("epochs=" + "9" * 400, id="400 digits"),
        pytest.param("epochs=" + "9" * 5000, id="5,000 digits"),
        pytest.param("epochs=" + "[" * 100_000, id="deeply nested"),
    ],
)
def test_text_that_does_not_fit_a_setting_is_refused(assignment: str) -> None:
    with pytest.raises(ConfigError, match=r"^epochs: "):
        TrainingConfig().with_settings([assignment])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ALL_SETTINGS), st.text(max_size=20))
def test_any_text_for_a_setting_is_either_taken_or_refused(name: str, text: str) -> None:
    try:
        config = TrainingConfig().with_settings([f"{name}={text}"])
    except ConfigError as error:
        assert str(error)
    else:
        assert TrainingConfig.from_json(config.to_json()) == config


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values, max_size=2),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ALL_SETTINGS), json_values)
def test_any_json_for_a_setting_is_either_taken_or_refused(name: str, value: object) -> None:
    try:
        config = TrainingConfig.from_json({"config_version": CONFIG_VERSION, name: value})
    except ConfigError as error:
        assert str(error)
    else:
        assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


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
