"""What is too much, for strangers and at home: said with figures and advice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mnist_core.common.server import PUBLIC_VARIABLE, is_public
from mnist_core.processes import limits
from mnist_core.processes.limits import PRIVATE, PUBLIC, LimitError, Limits
from mnist_core.training.config import TrainingConfig
from mnist_core.training.presets import PRESETS, Preset

# Worked out by hand: 26 × 26 × 1,000 outputs of 9 multiply-adds each, and 13 × 13 × 1,000 × 10 for the ten digits.
WIDE = TrainingConfig(notation="1000C3-P2-10", batch_size=100, epochs=7)
PARAMETERS = 1000 * (9 + 1) + (13 * 13 * 1000 + 1) * 10
MULTIPLY_ADDS = 26 * 26 * 1000 * 9 + 13 * 13 * 1000 * 10


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PUBLIC_VARIABLE, raising=False)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Limits that the wide network just meets; it needs 1,234.4 MB."""
    monkeypatch.setattr(limits, "memory_mb", lambda config: 1234.4)
    return replace(PUBLIC, epochs=7, parameters=PARAMETERS, multiply_adds=MULTIPLY_ADDS, memory_mb=1234)


def test_what_just_meets_the_limits_is_allowed(exact: Limits) -> None:
    limits.check(WIDE, exact)


@pytest.mark.public(id="runs.epochs")
@pytest.mark.public(id="runs.multiply_adds")
@pytest.mark.public(id="runs.parameters")
@pytest.mark.public(id="runs.memory_mb")
@pytest.mark.parametrize(
    ("limit", "wanted", "advice"),
    [
        ("epochs", "7 epochs", "fewer"),
        ("parameters", f"{PARAMETERS:,} parameters", "fewer filters or units"),
        ("multiply_adds", f"{MULTIPLY_ADDS:,} multiply-adds per image", "Pool earlier"),
        ("memory_mb", "About 1,234 MB of memory", "smaller batches"),
    ],
)
def test_just_too_much_is_refused_with_figures_and_advice(limit: str, wanted: str, advice: str, exact: Limits) -> None:
    most = getattr(exact, limit) - 1
    with pytest.raises(LimitError) as caught:
        limits.check(WIDE, replace(exact, **{limit: most}))
    message = str(caught.value)
    assert message.startswith(f"{wanted}: at most {most:,} are allowed here. ")
    assert advice in message
    assert message.endswith(".")


def test_a_server_is_private_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_public()
    assert limits.current() == PRIVATE
    for text in ("1", "true", " Yes ", "ON"):
        monkeypatch.setenv(PUBLIC_VARIABLE, text)
        assert is_public(), text
        assert limits.current() == PUBLIC
    for text in ("", "0", "false", "no", "off"):
        monkeypatch.setenv(PUBLIC_VARIABLE, text)
        assert not is_public(), text
        assert limits.current() == PRIVATE


def test_strangers_may_do_no_more_than_people_at_home() -> None:
    for name, most in vars(PUBLIC).items():
        assert 0 < most <= getattr(PRIVATE, name), name
    assert PUBLIC.active_runs_each < PUBLIC.active_runs


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_preset_can_be_trained_everywhere(preset: Preset) -> None:
    for bounds in (PUBLIC, PRIVATE):
        limits.check(preset.config, bounds)


@pytest.mark.public(id="no-endless-work")
@pytest.mark.parametrize(
    ("settings", "too_much"),
    [
        ({"epochs": 81}, "epochs"),
        ({"notation": "1024-1024-1024-10"}, "parameters"),
        ({"notation": "64C3-64C3-10"}, "multiply-adds"),
        ({"notation": "64C3-P2-10", "batch_size": 4096}, "MB of memory"),
    ],
)
def test_strangers_cannot_train_what_is_too_large(settings: dict[str, Any], too_much: str) -> None:
    config = TrainingConfig(**settings)
    limits.check(config, PRIVATE)
    with pytest.raises(LimitError, match=too_much):
        limits.check(config, PUBLIC)
