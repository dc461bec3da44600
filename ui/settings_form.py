"""The settings of a run as widgets. A preset sets them all; what was changed is named and can be reset."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mnist_core.config import ConfigError, Optimizer, TrainingConfig, Validation, bounds
from mnist_core.presets import PRESETS
from ui.state import Keys

_OPTIMIZER_WORDS: dict[Optimizer, str] = {
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "sgd": "SGD",
    "momentum": "SGD with momentum",
    "nesterov": "SGD with Nesterov momentum",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
}
_VALIDATION_WORDS: dict[Validation, str] = {
    "last": "the last part of the training images",
    "test": "the test images",
    "none": "nothing",
}
_NAMES = {
    "architecture": "network",
    "scaling": "pixel values",
    "optimizer": "optimizer",
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "epochs": "epochs",
    "train_size": "training images",
    "validation": "validation",
    "validation_share": "share held out",
    "stop_above_accuracy": "early stop",
    "seed": "seed",
}
_DEFAULT_PRESET = "chollet"


def settings_form(main: DeltaGenerator, more: DeltaGenerator) -> TrainingConfig | None:
    """Show the main settings in one place and the others in another, and return them as a configuration.

    None, with an explanation on the page, if they cannot be used.
    """
    with main:
        preset = st.selectbox(
            "Start from a published network",
            list(PRESETS),
            format_func=lambda name: f"{PRESETS[name].title} ({name})",
            key=_with_default(Keys.PRESET, _DEFAULT_PRESET),
            persist_state="session",
            on_change=_apply_preset,
        )
        st.caption(f"{PRESETS[preset].note} Source: {PRESETS[preset].source}.")
        original = PRESETS[preset].config
        values = _main_settings(original)
    with more.expander("More settings"):
        values |= _more_settings(original)
    with main:
        try:
            config = replace(original, **values)
        except ConfigError as error:
            st.error(f"These settings cannot be used. {error}", icon=":material/error:")
            return None
        st.caption(f"{config.network.parameters:,} parameters · {config.steps_per_epoch:,} batches per epoch")
        _show_changes(original, config)
        return config


def _main_settings(original: TrainingConfig) -> dict[str, Any]:
    values: dict[str, Any] = {}
    values["architecture"] = st.text_input(
        "Network",
        key=_setting_key("architecture", original),
        persist_state="session",
        max_chars=400,
        help="Layers from input to output: 32C3 is a convolution with 32 filters of 3 × 3, P2 pools 2 × 2 pixels into "
        "one, D0.5 drops half of the values while training, a bare number is a dense layer. It ends with 10, one "
        "output for each digit.",
    ).strip()
    left, right = st.columns(2)
    with left:
        values["epochs"] = _number("Epochs", "epochs", original, "How often the network sees every training image.")
        values["optimizer"] = st.selectbox(
            "Optimizer",
            list(_OPTIMIZER_WORDS),
            format_func=lambda name: _OPTIMIZER_WORDS[name],
            key=_setting_key("optimizer", original),
            persist_state="session",
            help="The rule that turns an error into a change of the weights. Adam is a good first choice.",
        )
    with right:
        values["batch_size"] = _number(
            "Batch size", "batch_size", original, "How many images are looked at before the weights change."
        )
        values["learning_rate"] = _number(
            "Learning rate",
            "learning_rate",
            original,
            "How far one change goes. Too low and learning crawls, too high and it goes astray.",
            step=0.0005,
            format="%.4g",
        )
    return values


def _more_settings(original: TrainingConfig) -> dict[str, Any]:
    values: dict[str, Any] = {}
    values["train_size"] = _number(
        "Training images", "train_size", original, "Fewer images make a quick experiment.", step=1000
    )
    values["validation"] = st.selectbox(
        "Validate on",
        list(_VALIDATION_WORDS),
        format_func=lambda name: _VALIDATION_WORDS[name],
        key=_setting_key("validation", original),
        persist_state="session",
        help="Images to check on after every epoch. The network never trains on them. Choosing by the test images "
        "flatters the result, so hold some training images out unless you follow a published recipe.",
    )
    if values["validation"] == "last":
        values["validation_share"] = _number(
            "Share held out", "validation_share", original, "Part of the training images.", step=0.05, format="%.2f"
        )
    values["stop_above_accuracy"] = st.number_input(
        "Stop when training accuracy exceeds",
        0.0,
        1.0,
        value=None,  # what clearing the field gives
        key=_setting_key("stop_above_accuracy", original),
        persist_state="session",
        step=0.005,
        format="%.3f",
        placeholder="never",
        help="Measured over an epoch, from 0 to 1. Leave it empty to train all epochs.",
    )
    values["scaling"] = st.selectbox(
        "Pixel values",
        ["0-1", "0-255"],
        format_func={"0-1": "scaled to 0–1", "0-255": "left at 0–255"}.__getitem__,
        key=_setting_key("scaling", original),
        persist_state="session",
        help="Networks learn more easily from small numbers.",
    )
    values["seed"] = _number(
        "Seed", "seed", original, "The same seed and settings give the same network on the same machine."
    )
    return values


def _number(
    label: str, name: str, original: TrainingConfig, help_text: str, *, step: float = 1, format: str | None = None
) -> float:
    low, high = bounds(name)
    key = _setting_key(name, original)
    value: float = st.number_input(
        label, low, high, key=key, persist_state="session", step=step, format=format, help=help_text
    )
    return value


def _show_changes(original: TrainingConfig, config: TrainingConfig) -> None:
    changed = [_NAMES[name] for name in _NAMES if getattr(original, name) != getattr(config, name)]
    if changed:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Changed: {', '.join(changed)}.")
            st.button("Reset", on_click=_apply_preset, icon=":material/undo:", type="tertiary")


def _apply_preset() -> None:
    config = PRESETS[st.session_state[Keys.PRESET]].config
    for setting in fields(config):
        if setting.name in _NAMES:
            st.session_state[_widget_key(setting.name)] = getattr(config, setting.name)


def _setting_key(name: str, original: TrainingConfig) -> str:
    return _with_default(_widget_key(name), getattr(original, name))


def _with_default(key: str, default: Any) -> str:
    """Return `key`, with the value of its widget set if it has none yet."""
    st.session_state.setdefault(key, default)
    return key


def _widget_key(name: str) -> str:
    return f"setting-{name}"
