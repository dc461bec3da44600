"""The configuration of a run as JSON: it comes back as it was, older versions are read, and nonsense is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.runs import BUNDLED_RUNS
from mnist_core.training.config import CONFIG_VERSION, ConfigError, TrainingConfig, key_of, name_of
from tests.support.settings_of_runs import ALL_SETTINGS, HUGE, configs
from tests.support.strategies import json_values

BUNDLED = sorted(BUNDLED_RUNS.glob("*/config.json"))


@settings(max_examples=200, deadline=None)
@given(configs())
def test_json_returns_the_same_configuration(config: TrainingConfig) -> None:
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_json_names_its_version_and_every_setting() -> None:
    values = TrainingConfig().to_json()
    assert values["config_version"] == CONFIG_VERSION
    assert set(values) == {"config_version", *map(key_of, ALL_SETTINGS)}


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
    assert {key: getattr(config, name_of(key)) for key in expected} == expected
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
        assert getattr(config, name_of(name)) == written[name]


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
def test_an_unknown_setting_is_refused_and_the_known_are_named(name: str) -> None:
    with pytest.raises(ConfigError) as from_json:
        TrainingConfig.from_json({"config_version": CONFIG_VERSION, name: 1})
    with pytest.raises(ConfigError) as from_text:
        TrainingConfig().with_settings([f"{name}=1"])
    for caught in (from_json, from_text):
        assert f"“{name}” is not a setting" in str(caught.value)
        assert [known for known in map(key_of, ALL_SETTINGS) if known not in str(caught.value)] == []


def test_json_values_are_checked() -> None:
    with pytest.raises(ConfigError, match="epochs: 0 is out of bounds"):
        TrainingConfig.from_json({"config_version": CONFIG_VERSION, "epochs": 0})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ALL_SETTINGS), json_values)
def test_any_json_for_a_setting_is_either_taken_or_refused(name: str, value: object) -> None:
    try:
        config = TrainingConfig.from_json({"config_version": CONFIG_VERSION, key_of(name): value})
    except ConfigError as error:
        assert str(error)
    else:
        assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
