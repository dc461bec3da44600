"""The published networks are set exactly as their authors ran them; our own are what their descriptions say."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from mnist_core.networks.layers import BatchNorm, Conv, Dense
from mnist_core.training.config import TrainingConfig
from mnist_core.training.presets import DEFAULT_PRESET, PRESETS, label

# What most have in common: pixels scaled to 0-1, Adam at Keras's rate, all 60,000 images as they are, the weights at
# the end, and nothing that their authors did not write down.
COMMON = {
    "scaling": "0-1",
    "optimizer": "adam",
    "learning_rate": 0.001,
    "schedule": "constant",
    "warm_up_epochs": 0,
    "train_size": 60_000,
    "rotation": 0,
    "shift": 0,
    "zoom": 0,
    "shear": 0,
    "elastic": 0,
    "thickness": 0,
    "continental": 0,
    "l2": 0,
    "label_smoothing": 0,
    "early_stopping": "never",
    "keep": "last",
}
# Settings that mean nothing beside those above.
WITHOUT_EFFECT = {"momentum", "weight_decay", "step_epochs", "step_factor", "patience"}

PUBLISHED: dict[str, dict[str, Any]] = {
    "garcia": COMMON
    | {
        "notation": "32C3-64C3-P2-D0.25-128-D0.5-10",
        "optimizer": "adadelta",
        "batch_size": 128,
        "epochs": 9,
        "validation": "test",
    },
    "five-layer": COMMON
    | {
        "notation": "64C3-32C3-P2-10",
        "scaling": "0-255",
        "batch_size": 32,
        "epochs": 10,
        "validation": "test",
    },
    "keras-steps": COMMON
    | {
        "notation": "32C3-P2-64C3-P2-64C3-64-10",
        "batch_size": 64,
        "epochs": 5,
        "validation": "test",
    },
    "chollet": COMMON
    | {
        "notation": "32C3-P2-64C3-P2-D0.5-10",
        "batch_size": 128,
        "epochs": 15,
        "validation": "last",
        "validation_share": 0.1,
        "early_stopping": "target",
        "stop_metric": "training accuracy",
        "stop_target": 0.99,
    },
    "nehlr": COMMON
    | {
        "notation": "32C3-P2-D0.2-128-10",
        "batch_size": 64,
        "epochs": 3,
        "validation": "last",
        "validation_share": 0.2,
    },
}

PARAMETERS = {"garcia": 1_199_882, "five-layer": 65_194, "keras-steps": 93_322, "chollet": 34_826, "nehlr": 693_962}

# Words of the column “claimed”.
CLAIMS = {
    "garcia": ["no accuracy"],
    "five-layer": ["99.51%", "98.15%", "both"],
    "keras-steps": ["about 98–99%"],
    "chollet": ["0.99", "0.03"],
    "nehlr": ["classification report", "no accuracy"],
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
    """Only the name, the seed, and what is not used, are free."""
    named = set(expected) | {"preset", "seed"} | WITHOUT_EFFECT
    unnamed = {setting.name for setting in fields(TrainingConfig)} - named
    unused = {"validation_share"} if expected["validation"] == "test" else set()
    unused |= {"stop_metric", "stop_target"} if expected["early_stopping"] == "never" else set()
    assert unnamed <= unused


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters_are_as_published(name: str, parameters: int) -> None:
    assert PRESETS[name].config.architecture.parameters == parameters


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
    assert preset.title and preset.note
    assert preset.is_published == (name in PUBLISHED)
    assert [bool(preset.source), bool(preset.claim), bool(preset.differs)] == [name in PUBLISHED] * 3


def test_there_is_a_preset_to_begin_with() -> None:
    assert DEFAULT_PRESET in PRESETS


def test_the_mended_slow_start_differs_in_its_rate_only() -> None:
    mended, slow = PRESETS["garcia-rate-1"].config, PRESETS["garcia"].config
    assert mended.learning_rate == 1.0
    assert replace(mended, preset=slow.preset, learning_rate=slow.learning_rate) == slow


def test_our_own_presets_are_what_they_say() -> None:
    fast, champion, tiny, blank = (PRESETS[name].config for name in ("fast", "champion", "tiny", "blank"))
    assert fast.schedule == champion.schedule == "one-cycle"
    assert fast.epochs <= 3
    assert min(vars(champion.augmentation).values()) > 0
    assert any(isinstance(layer, BatchNorm) for layer in champion.architecture.layers)
    assert tiny.train_size == 60_000 // 6
    assert max(layer.filters for layer in tiny.architecture.layers if isinstance(layer, Conv)) <= 16
    assert blank.architecture.layers == (Dense(10, "softmax"),)
    assert blank.architecture.parameters == 785 * 10


def test_no_preset_chooses_by_the_test_images() -> None:
    for preset in PRESETS.values():
        if preset.config.validation == "test":
            assert preset.config.keep == "last"
            assert preset.config.early_stopping == "never"


def test_a_label_tells_whether_a_preset_was_changed() -> None:
    chollet = PRESETS["chollet"].config
    assert label(chollet) == "chollet"
    assert label(replace(chollet, seed=chollet.seed + 1)) == "chollet"
    assert label(replace(chollet, epochs=2)) == "chollet, 2 epochs"
    assert label(replace(chollet, notation="10", seed=3)) == "chollet, other network"
    few = replace(chollet, train_size=3000, learning_rate=0.01, l2=0.001)
    assert label(few) == "chollet, rate 0.01, 3,000 images, l2 0.001"
    assert label(replace(few, epochs=1)) == "chollet, 4 changes"
    assert label(TrainingConfig()) == "custom"
    assert label(replace(chollet, preset="of old")) == "of old"


def test_titles_tell_presets_apart() -> None:
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: str) -> None:
    config = PRESETS[name].config
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
