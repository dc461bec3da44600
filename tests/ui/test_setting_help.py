"""The help of each setting names what Keras calls it; all that it names is in Keras, or in the exported script."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, replace
from typing import Any

import keras
import pytest

from mnist_core.training.config import TrainingConfig
from mnist_core.training.export.files import keras_script
from mnist_core.training.presets import PRESETS
from ui.train.settings import SETTINGS

# Where Keras keeps what users import by name.
PLACES: tuple[Any, ...] = (
    keras.layers,
    keras.optimizers,
    keras.optimizers.schedules,
    keras.callbacks,
    keras.losses,
    keras.regularizers,
    keras.utils,
    keras.Model,
)
NOT_IN_KERAS = ("train_size", "thickness", "continental")


def code_of(name: str) -> list[str]:
    return re.findall(r"`([^`]+)`", SETTINGS[name].help)


def of_keras(name: str) -> Any:
    return next(found for place in PLACES if (found := getattr(place, name, None)) is not None)


def test_every_setting_has_a_help() -> None:
    settings = {setting.name for setting in fields(TrainingConfig)}
    assert set(SETTINGS) == settings - {"preset", "notation"}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_help_is_two_sentences_and_the_name_in_keras(name: str) -> None:
    sentences, _, named = SETTINGS[name].help.rpartition("Not " if name in NOT_IN_KERAS else "Keras")
    assert sentences.count(". ") == 2
    assert code_of(name) == re.findall(r"`([^`]+)`", named) != []
    assert SETTINGS[name].help.endswith(".")


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in NOT_IN_KERAS])
def test_what_a_help_names_is_in_keras(name: str) -> None:
    for code in code_of(name):
        if code == "stop_training":  # of a model while it trains, not of its class
            assert "self.model.stop_training = True" in inspect.getsource(keras.callbacks.EarlyStopping)
            continue
        called, arguments = re.findall(r"^(\w+)(?:\((.+)\))?$", code)[0]
        parameters = inspect.signature(of_keras(called)).parameters
        named = [argument.removesuffix("=…") for argument in arguments.split(", ") if argument]
        assert set(named) <= set(parameters), code


@pytest.mark.parametrize("name", NOT_IN_KERAS)
def test_what_a_help_names_beside_keras_is_in_the_script(name: str) -> None:
    config = replace(PRESETS["champion"].config, train_size=10_000)
    (code,) = code_of(name)
    assert code in keras_script(config)
