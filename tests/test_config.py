"""The configuration of a run: what it accepts, what it refuses and how it says so, and what follows from it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.architecture import parse_architecture
from mnist_core.augmentation import Augmentation
from mnist_core.config import CONFIG_VERSION, ConfigError, TrainingConfig, bounds, checked, options, read_text

BUNDLED = sorted((Path(__file__).resolve().parent.parent / "models" / "bundled").glob("*/config.json"))
OPTIMIZERS = ["adam", "adamw", "nadam", "rmsprop", "sgd", "momentum", "nesterov", "adagrad", "adadelta"]
TRAINING_METRICS = ["training accuracy", "training loss"]
VALIDATION_METRICS = ["validation accuracy", "validation loss"]

# Lowest and highest accepted values.
WHOLE_NUMBERS = {
    "step_epochs": (1, 100),
    "batch_size": (1, 4096),
    "epochs": (1, 100),
    "train_size": (100, 60_000),
    "patience": (1, 100),
    "seed": (0, 2**31 - 1),
}
NUMBERS = {
    "learning_rate": (1e-6, 10.0),
    "momentum": (0.0, 0.999),
    "weight_decay": (0.0, 1.0),
    "warm_up_epochs": (0.0, 20.0),
    "step_factor": (0.01, 1.0),
    "validation_share": (0.01, 0.5),
    "rotation": (0.0, 45.0),
    "shift": (0.0, 6.0),
    "zoom": (0.0, 0.5),
    "shear": (0.0, 45.0),
    "elastic": (0.0, 4.0),
    "thickness": (0.0, 1.0),
    "l2": (0.0, 0.1),
    "label_smoothing": (0.0, 0.5),
    "stop_target": (0.0, 10.0),
}
CHOICES = {
    "scaling": ["0-1", "0-255"],
    "optimizer": OPTIMIZERS,
    "schedule": ["constant", "cosine", "step", "one-cycle"],
    "validation": ["last", "random", "test", "none"],
    "early_stopping": ["never", "target", "patience"],
    "stop_metric": [*TRAINING_METRICS, *VALIDATION_METRICS],
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
    }
    values |= {name: draw(st.integers(*limits)) for name, limits in WHOLE_NUMBERS.items()}
    values |= {name: draw(st.floats(*limits)) for name, limits in NUMBERS.items()}
    values |= {name: draw(st.sampled_from(choices)) for name, choices in CHOICES.items()}
    if values["validation"] in ("test", "none"):
        values["keep"] = "last"
        if values["early_stopping"] != "never":
            values["stop_metric"] = draw(st.sampled_from(TRAINING_METRICS))
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


@pytest.mark.parametrize("name", ALL_SETTINGS)
def test_options_are_told_of_settings_that_have_them(name: str) -> None:
    assert list(options(name)) == CHOICES.get(name, [])


def test_a_value_can_be_checked_by_itself() -> None:
    assert checked("epochs", 3.0) == 3
    assert type(checked("epochs", 3.0)) is int
    assert type(checked("rotation", 3)) is float
    assert checked("optimizer", "nadam") == "nadam"
    assert checked("keep", "best") == "best"  # whatever the other settings are
    for name, value in (("epochs", 101), ("epochs", 2.5), ("optimizer", "Adam"), ("preset", None)):
        with pytest.raises(ConfigError, match=f"^{name}: "):
            checked(name, value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "3", 3),
        ("epochs", " 3 ", 3),
        ("epochs", "1e1", 10),
        ("epochs", "-1000000", -1_000_000),  # out of bounds, which is for the caller to judge
        ("learning_rate", "0.5", 0.5),
        ("learning_rate", "7", 7.0),
        ("learning_rate", "1e-300", 1e-300),
        ("learning_rate", "Infinity", math.inf),
        ("optimizer", "adam", "adam"),
        ("optimizer", '"adam"', "adam"),
        ("validation", "none", "none"),
        ("architecture", "10", "10"),
        ("preset", "1e3", "1e3"),
        ("preset", "null", "null"),
        ("preset", ' "a" ', ' "a" '),
    ],
)
def test_a_text_is_read_as_the_type_of_its_setting(name: str, text: str, value: object) -> None:
    read = read_text(name, text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epochs", ""),
        ("epochs", "1.5"),
        ("epochs", "three"),
        ("epochs", "true"),
        ("l2", "null"),
        ("l2", "[1]"),
        ("shift", "0,5"),
        ("shift", "{}"),
        ("optimizer", "SGD"),
        ("optimizer", "1"),
        ("keep", "null"),
    ],
)
def test_a_text_without_meaning_for_its_setting_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: "):
        read_text(name, text)


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
    message = refused("architecture", notation)
    assert "Token 1" in message
    assert complaint in message


def test_an_architecture_may_be_a_bare_number() -> None:
    assert with_value("architecture", 10) == "10"


def test_a_preset_name_has_a_bounded_length() -> None:
    assert with_value("preset", "x" * 60) == "x" * 60
    assert "60 characters" in refused("preset", "x" * 61)


def test_a_notation_has_the_length_that_the_editor_and_links_can_read() -> None:
    assert with_value("architecture", "10".rjust(400)) == "10".rjust(400)
    assert "400 characters" in refused("architecture", "10".rjust(401))
    refused("architecture", "-".join(["1024C28S28:same:sigmoid"] * 39 + ["10"]))  # short enough in layers only


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


def test_the_augmentation_is_that_of_the_settings_of_the_same_names() -> None:
    amounts = {"rotation": 1.0, "shift": 2.0, "zoom": 0.3, "shear": 4.0, "elastic": 0.5, "thickness": 0.6}
    assert TrainingConfig(**amounts).augmentation == Augmentation(**amounts)  # type: ignore[arg-type]
    assert not TrainingConfig().augmentation.active


@settings(max_examples=200, deadline=None)
@given(configs())
def test_json_returns_the_same_configuration(config: TrainingConfig) -> None:
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_json_names_its_version_and_every_setting() -> None:
    values = TrainingConfig().to_json()
    assert values["config_version"] == CONFIG_VERSION
    assert set(values) == {"config_version", *ALL_SETTINGS}


def test_json_is_strict_json() -> None:
    json.dumps(TrainingConfig().to_json(), allow_nan=False)


def test_settings_missing_in_json_take_their_defaults() -> None:
    config = TrainingConfig.from_json({"config_version": CONFIG_VERSION, "epochs": 3})
    assert config == TrainingConfig(epochs=3)


def test_reading_json_leaves_the_given_object_alone() -> None:
    values = TrainingConfig().to_json()
    TrainingConfig.from_json(values)
    assert values == TrainingConfig().to_json()


VERSION_1 = {
    "config_version": 1,
    "preset": "chollet",
    "architecture": "32C3-P2-64C3-P2-D0.5-10",
    "scaling": "0-255",
    "optimizer": "adadelta",
    "learning_rate": 0.5,
    "batch_size": 64,
    "epochs": 15,
    "train_size": 6000,
    "validation": "last",
    "validation_share": 0.2,
    "stop_above_accuracy": 0.97,
    "keep": "best",
    "seed": 7,
}


def test_version_1_is_read() -> None:
    config = TrainingConfig.from_json(VERSION_1)
    expected = {name: VERSION_1[name] for name in VERSION_1 if name not in ("config_version", "stop_above_accuracy")}
    assert {name: getattr(config, name) for name in expected} == expected
    assert (config.early_stopping, config.stop_metric, config.stop_target) == ("target", "training accuracy", 0.97)
    # What version 1 could not set is as it was then.
    assert (config.schedule, config.warm_up_epochs, config.l2, config.label_smoothing) == ("constant", 0, 0, 0)
    assert not config.augmentation.active
    assert TrainingConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("changes", [{"stop_above_accuracy": None}, {}])
def test_version_1_without_a_target_never_stops_early(changes: dict[str, None]) -> None:
    without = {name: value for name, value in VERSION_1.items() if name != "stop_above_accuracy"}
    config = TrainingConfig.from_json({**without, **changes})
    assert config.early_stopping == "never"


@pytest.mark.parametrize("validation", ["test", "none"])
def test_version_1_could_stop_early_without_images_held_out(validation: str) -> None:
    config = TrainingConfig.from_json({**VERSION_1, "keep": "last", "validation": validation})
    assert (config.validation, config.early_stopping) == (validation, "target")


@pytest.mark.parametrize("value", ["many", [], -0.5, math.nan, HUGE, True])
def test_version_1_with_a_wrong_target_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^stop_target: "):
        TrainingConfig.from_json({**VERSION_1, "stop_above_accuracy": value})


def test_version_2_has_no_setting_of_version_1_only() -> None:
    with pytest.raises(ConfigError, match="“stop_above_accuracy” is not a setting"):
        TrainingConfig.from_json({**VERSION_1, "config_version": 2})


def test_there_are_bundled_configurations() -> None:
    assert {path.parent.name for path in BUNDLED} >= {"chollet", "five-layer", "garcia", "keras-steps", "nehlr"}


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.parent.name)
def test_a_bundled_configuration_is_read(path: Path) -> None:
    written = json.loads(path.read_text(encoding="utf-8"))
    config = TrainingConfig.from_json(written)
    for name in ("preset", "architecture", "scaling", "optimizer", "learning_rate", "batch_size", "epochs", "seed"):
        assert getattr(config, name) == written[name]


@pytest.mark.parametrize("version", [0, CONFIG_VERSION + 1, -1, "1", None, [1], math.nan, HUGE])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig.from_json({**TrainingConfig().to_json(), "config_version": version})
    assert f"version {repr(version)[:60]}" in str(caught.value)
    assert f"readable are 1 and {CONFIG_VERSION}" in str(caught.value)


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
        ("stop_metric=training loss", "stop_metric", "training loss"),
        ("schedule=one-cycle", "schedule", "one-cycle"),
        ("early_stopping=never", "early_stopping", "never"),
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
    start = TrainingConfig(early_stopping="target", stop_metric="training accuracy", stop_target=0.5)
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
