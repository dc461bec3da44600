"""The published networks are set exactly as their authors ran them; the table is the one of the issue Train."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mnist_core.config import TrainingConfig
from mnist_core.presets import PRESETS

# What most have in common: pixels scaled to 0-1, Adam at Keras's rate, all 60,000 images, the weights at the end.
COMMON = {
    "scaling": "0-1",
    "optimizer": "adam",
    "learning_rate": 0.001,
    "train_size": 60_000,
    "stop_above_accuracy": None,
    "keep": "last",
}

PUBLISHED: dict[str, dict[str, Any]] = {
    "garcia": COMMON
    | {
        "architecture": "32C3-64C3-P2-D0.25-128-D0.5-10",
        "optimizer": "adadelta",
        "batch_size": 128,
        "epochs": 9,
        "validation": "test",
    },
    "five-layer": COMMON
    | {
        "architecture": "64C3-32C3-P2-10",
        "scaling": "0-255",
        "batch_size": 32,
        "epochs": 10,
        "validation": "test",
    },
    "keras-steps": COMMON
    | {
        "architecture": "32C3-P2-64C3-P2-64C3-64-10",
        "batch_size": 64,
        "epochs": 5,
        "validation": "test",
    },
    "chollet": COMMON
    | {
        "architecture": "32C3-P2-64C3-P2-D0.5-10",
        "batch_size": 128,
        "epochs": 15,
        "validation": "last",
        "validation_share": 0.1,
        "stop_above_accuracy": 0.99,
    },
    "nehlr": COMMON
    | {
        "architecture": "32C3-P2-D0.2-128-10",
        "batch_size": 64,
        "epochs": 3,
        "validation": "last",
        "validation_share": 0.2,
    },
}

PARAMETERS = {"garcia": 1_199_882, "five-layer": 65_194, "keras-steps": 93_322, "chollet": 34_826, "nehlr": 693_962}

# Words of the column “claimed”.
CLAIMS = {
    "garcia": ["no figure"],
    "five-layer": ["99.51 %", "98.15 %", "both"],
    "keras-steps": ["about 98–99 %"],
    "chollet": ["0.99", "0.03"],
    "nehlr": ["classification report", "no figure"],
}

STEPS_PER_EPOCH = {"garcia": 469, "five-layer": 1875, "keras-steps": 938, "chollet": 422, "nehlr": 750}


def test_the_five_published_networks_are_there() -> None:
    assert set(PUBLISHED) <= set(PRESETS)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [(name, setting, value) for name, expected in PUBLISHED.items() for setting, value in expected.items()],
)
def test_a_setting_is_as_published(name: str, setting: str, value: object) -> None:
    assert getattr(PRESETS[name].config, setting) == value


@pytest.mark.parametrize(("name", "expected"), PUBLISHED.items())
def test_no_setting_is_forgotten(name: str, expected: dict[str, Any]) -> None:
    """Only the name, the seed, and a share of validation that is not used, are free."""
    unnamed = set(TrainingConfig().to_json()) - set(expected) - {"config_version", "preset", "seed"}
    assert unnamed <= ({"validation_share"} if expected["validation"] == "test" else set())


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters_are_as_published(name: str, parameters: int) -> None:
    assert PRESETS[name].config.network.parameters == parameters


@pytest.mark.parametrize(("name", "steps"), STEPS_PER_EPOCH.items())
def test_an_epoch_has_the_batches_of_the_published_run(name: str, steps: int) -> None:
    assert PRESETS[name].config.steps_per_epoch == steps


@pytest.mark.parametrize(("name", "words"), CLAIMS.items())
def test_the_claim_is_the_one_of_the_author(name: str, words: list[str]) -> None:
    assert [word for word in words if word not in PRESETS[name].claim] == []


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_knows_its_name_and_describes_itself(name: str) -> None:
    preset = PRESETS[name]
    assert preset.name == preset.config.preset == name
    assert all([preset.title, preset.source, preset.claim, preset.note])


def test_titles_tell_presets_apart() -> None:
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: str) -> None:
    config = PRESETS[name].config
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
