"""Settings given as text, as on the command line and in links."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.training.config import ConfigError, TrainingConfig, checked, read_text
from tests.support.settings_of_runs import ALL_SETTINGS


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
        ("notation", "10", "10"),
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
        ("architecture=8C3-P2-10", "notation", "8C3-P2-10"),
        ("architecture=10", "notation", "10"),
        ("preset=007", "preset", "007"),
        ("preset=a=b", "preset", "a=b"),
        ("preset=", "preset", ""),
    ],
)
def test_settings_are_read_from_text(assignment: str, name: str, value: Any) -> None:
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
