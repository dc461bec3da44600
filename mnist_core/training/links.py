"""A configuration as the query part of a link: its preset, and only what differs from that.

    v=2&preset=chollet&epochs=3&learning_rate=0.01

Names are those of the settings, values are typed as they are. A link from outside may hold anything: what cannot be
used is corrected, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from mnist_core.networks.notation import MAX_CHARACTERS, ArchitectureError, parse_architecture
from mnist_core.training.config import (
    CONFIG_VERSION,
    HOLDING_OUT,
    ConfigError,
    TrainingConfig,
    bounds,
    checked,
    key_of,
    keys,
    name_of,
    read_text,
)
from mnist_core.training.presets import DEFAULT_PRESET, PRESETS

VERSION_NAME = "v"
_MOST_NOTES = 8


@dataclass(frozen=True)
class LinkedSettings:
    """What a link means. `notation` is its network as written, which may be faulty: `config` then has the preset's."""

    config: TrainingConfig
    notation: str
    notes: tuple[str, ...]


def setting_names() -> tuple[str, ...]:
    """Return all names that a link to a configuration may hold."""
    return (VERSION_NAME, *keys())


def to_query(config: TrainingConfig) -> dict[str, str]:
    """Return the query of a link to these settings; `from_query` gives them back exactly.

    Settings that started from no known preset come back the same, but under the name of the default one.
    """
    preset = config.preset if config.preset in PRESETS else DEFAULT_PRESET
    original = PRESETS[preset].config
    changed = {
        setting.name: getattr(config, setting.name)
        for setting in fields(config)
        if setting.name != "preset" and getattr(config, setting.name) != getattr(original, setting.name)
    }
    settings = {key_of(name): _text(value) for name, value in changed.items()}
    return {VERSION_NAME: str(CONFIG_VERSION), "preset": preset, **settings}


def from_query(query: Mapping[str, str]) -> LinkedSettings:
    """Read a query. Never fails: unknown names and values that cannot be used are left out or clamped, with a note."""
    notes = []
    version = query.get(VERSION_NAME, str(CONFIG_VERSION))
    if version != str(CONFIG_VERSION):
        notes.append("The link was made by another version of Digit Lab: check the settings.")
    preset = query.get("preset", DEFAULT_PRESET)
    if preset not in PRESETS:
        notes.append(f"There is no preset called {_quoted(preset)}: these are the settings of {DEFAULT_PRESET}.")
        preset = DEFAULT_PRESET
    config = PRESETS[preset].config
    notation = config.notation
    values: dict[str, Any] = {}
    for key, text in query.items():
        name = name_of(key)
        if key in (VERSION_NAME, "preset"):
            continue
        if key not in setting_names():
            notes.append(f"{_quoted(key)} is not a setting, so it was ignored.")
        elif name == "notation" and len(text) > MAX_CHARACTERS:
            notes.append(f"The network of the link is too long to be read, so it is that of {preset}.")
        elif name == "notation":
            notation = text
            if _is_network(notation):
                values[name] = notation
        else:
            try:
                values[name], note = _read(name, text)
                notes += [note] if note else []
            except ConfigError:
                notes.append(f"{_words(name)} cannot be {_quoted(text)}, so it is {_text(getattr(config, name))}.")
    config, note = combine(config, values)
    notes += [note] if note else []
    return LinkedSettings(config, notation, tuple(notes[:_MOST_NOTES]))


def combine(config: TrainingConfig, changes: Mapping[str, Any]) -> tuple[TrainingConfig, str]:
    """Return settings with these changes, and a note if others had to follow them.

    What chooses by validation images needs some that are held out: without them early stopping looks at the training
    images instead, and the last weights are kept. Raises `ConfigError` for a value that is wrong by itself.
    """
    wanted = {name: checked(name, value) for name, value in changes.items()}

    def value(name: str) -> Any:
        return wanted.get(name, getattr(config, name))

    words = []
    if value("validation") not in HOLDING_OUT:
        metric = value("stop_metric")
        if value("early_stopping") != "never" and metric.startswith("validation"):
            wanted["stop_metric"] = metric.replace("validation", "training")
            words.append(f"early stopping monitors the {wanted['stop_metric']}")
        if value("keep") == "best":
            wanted["keep"] = "last"
            words.append("the last weights are saved")
    note = f"As no images are held out of training, {' and '.join(words)}." if words else ""
    return replace(config, **wanted), note


def within_bounds(name: str, value: Any) -> Any:
    """Return the accepted value of a setting that is nearest to a number; other values as they are."""
    low, high = bounds(name)
    if low is None or high is None:
        return value
    return min(max(value, type(value)(low)), type(value)(high))


def _read(name: str, text: str) -> tuple[Any, str]:
    """Return the value of a setting, clamped to its bounds, and a note if it was. Raises `ConfigError`."""
    value = read_text(name, text)
    if value != value:
        raise ConfigError("not a number")
    clamped = within_bounds(name, value)
    if clamped == value:
        return value, ""
    return clamped, f"{_words(name)} of {_quoted(text)} is out of bounds, so it is {_text(clamped)}."


def _is_network(notation: str) -> bool:
    try:
        parse_architecture(notation)
    except ArchitectureError:
        return False
    return True


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _quoted(text: str) -> str:
    """Return foreign text for a note: short, and without anything that Markdown or HTML could take for its own.

    A dot stays after a digit only: Streamlit makes a link of `www.`.
    """
    plain = re.sub(r"[^\w .,+-]|_|(?<=[^\W\d])\.", " ", text[:30])
    return f"“{plain.strip()}”"
