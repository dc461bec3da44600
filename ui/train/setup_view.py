"""Set up: the network and the settings of the next run, what it will cost, and the button that starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import streamlit as st

from mnist_core.common import pictures
from mnist_core.common.server import runs_dir
from mnist_core.data.augmentation import augment
from mnist_core.figures import curve_figures, network_figure
from mnist_core.figures.style import Figure
from mnist_core.networks.layers import Architecture
from mnist_core.processes import jobs
from mnist_core.training.config import TrainingConfig
from mnist_core.training.curves import curves
from mnist_core.training.presets import PRESETS
from ui.components.live_chart import live_chart
from ui.components.network_editor import network_editor, typed_text
from ui.glossary import view as glossary
from ui.session import cached_reads
from ui.train import cost_card, drafts
from ui.train.drafts import Draft
from ui.train.settings import mark_changed, setting

_EDITOR = "network"  # the key of the network editor
_PREVIEWED = (0, 2, 4, 7, 8, 15)  # training images that are a 5, 4, 9, 3, 1 and 7
_PREVIEWS = 12
_DRAWN_STEPS = 4000


def show() -> None:
    """Show the settings of the next run, and keep them in the address."""
    jobs.prestart(runs_dir())
    draft = _draft_as_typed()
    settings, side = st.columns([3, 1], gap="medium")
    with settings:
        _preset(draft)
        if draft.notes:
            st.info("  \n".join(draft.notes), icon=":material/info:")
        _network(draft)
        _settings(draft)
    with side, st.container(key="cost-card"):
        cost_card.show(draft)
    mark_changed(draft)
    drafts.show_in_address(draft)


def _draft_as_typed() -> Draft:
    """Return the draft with the network as typed last: a press of *Train* may have ended the run that took note."""
    draft = drafts.current()
    typed = typed_text(_EDITOR, draft.version)
    if typed is None or typed == draft.notation:
        return draft
    drafts.write_network(typed)
    return drafts.current()


def _preset(draft: Draft) -> None:
    st.session_state["setting-preset"] = draft.config.preset
    st.selectbox(
        "Start from",
        list(PRESETS),
        format_func=lambda name: f"{PRESETS[name].title} ({name})",
        key="setting-preset",
        on_change=lambda: drafts.load_preset(st.session_state["setting-preset"]),
    )
    preset = PRESETS[draft.config.preset]
    st.caption(f"{preset.note} Source: {preset.source}." if preset.is_published else preset.note)


def _network(draft: Draft) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header("Network", anchor=False, width="content")
        glossary.explain(
            "convolution", "padding and stride", "pooling", "activation", "dropout", "normalization", "softmax"
        )
    network_editor(
        draft.notation,
        draft.version,
        key=_EDITOR,
        on_change=drafts.write_network,
        current_version=lambda: drafts.current().version,
        skip_to=("Train", "train"),
    )
    if draft.is_complete:
        live_chart(_network_drawing(draft.config.architecture), tools="hover", key="network-drawing")


# Otherwise drawn again for each change of any setting.
@lru_cache(maxsize=64)
def _network_drawing(network: Architecture) -> Figure:
    return network_figure.network_figure(network)


@lru_cache(maxsize=64)
def _schedule_drawing(config: TrainingConfig) -> Figure:
    return curve_figures.learning_rate_figure(curves((), config))


def _settings(draft: Draft) -> None:
    st.header("Training", anchor=False)
    for tab, show in zip(st.tabs(list(_TABS), key="setting-tabs"), _TABS.values(), strict=True):
        with tab:
            show(draft)


def _basics(draft: Draft) -> None:
    glossary.explain("epoch", "batch", "optimizer", "learning rate", "back-propagation", "cross-entropy")
    left, right = st.columns(2)
    with left:
        setting("epochs", draft)
        setting("optimizer", draft)
    with right:
        setting("batch_size", draft)
        setting("learning_rate", draft)
        if draft.config.optimizer in ("momentum", "nesterov"):
            setting("momentum", draft)
        if draft.config.optimizer == "adamw":
            setting("weight_decay", draft)


def _schedule(draft: Draft) -> None:
    glossary.explain("learning rate", "schedule")
    left, right = st.columns(2)
    with left:
        setting("schedule", draft)
        if draft.config.schedule == "step":
            setting("step_epochs", draft)
            setting("step_factor", draft)
        if draft.config.schedule != "one-cycle":
            setting("warm_up_epochs", draft)
    with right:
        live_chart(_schedule_drawing(_coarse(draft.config)), tools="hover", key="schedule-drawing")


def _coarse(config: TrainingConfig) -> TrainingConfig:
    """Return settings whose schedule looks the same with a few thousand steps: millions would take long to draw."""
    return replace(config, batch_size=max(config.batch_size, config.train_size * config.epochs // _DRAWN_STEPS))


def _data(draft: Draft) -> None:
    glossary.explain("validation", "normalization", "one-hot", "seed")
    left, right = st.columns(2)
    with left:
        setting("train_size", draft)
        setting("scaling", draft)
        setting("seed", draft)
    with right:
        setting("validation", draft)
        if draft.config.holds_out:
            setting("validation_share", draft)
        if draft.config.validation == "test":
            st.caption(
                ":material/warning: Published networks may do so, but do not choose your settings by these curves: the "
                "test images would then no longer tell how well new digits are read."
            )


def _augmentation(draft: Draft) -> None:
    glossary.explain("augmentation")
    left, right = st.columns(2)
    with left:
        for name in ("rotation", "shift", "zoom"):
            setting(name, draft)
    with right:
        for name in ("shear", "elastic", "thickness", "continental"):
            setting(name, draft)
    images = cached_reads.mnist().x_train[list(_PREVIEWED)]
    labels = cached_reads.mnist().y_train[list(_PREVIEWED)]
    many, their_labels = (np.repeat(each, _PREVIEWS - 1, axis=0) for each in (images, labels))
    changed = augment(many, their_labels, draft.config.augmentation, np.random.default_rng(1))
    rows = np.concatenate([images[:, None], changed.reshape(len(images), _PREVIEWS - 1, 28, 28)], axis=1)
    sheet = pictures.montage(rows.reshape(-1, 28, 28), columns=_PREVIEWS)
    st.image(
        pictures.enlarged(sheet, 2),
        alt="Six digits, as they are stored and as training would see them",
        width="stretch",
        output_format="PNG",
    )
    st.caption(
        "Left: digits as they are stored. Right: as training would see them, different each time."
        if draft.config.augmentation.active
        else "As they are stored: nothing is changed yet."
    )


def _regularization(draft: Draft) -> None:
    glossary.explain("overfitting", "dropout", "L2", "label smoothing")
    left, right = st.columns(2)
    with left:
        setting("l2", draft)
    with right:
        setting("label_smoothing", draft)
    st.caption("Dropout and batch normalization are layers: add them to the network above.")


def _stopping(draft: Draft) -> None:
    glossary.explain("validation", "overfitting")
    left, right = st.columns(2)
    config = draft.config
    with left:
        setting("early_stopping", draft)
        if config.holds_out:
            setting("keep", draft)
        else:
            st.caption("The weights of the last epoch are saved: no images are held out to choose by.")
    with right:
        if config.early_stopping != "never":
            usable = ("training accuracy", "training loss")
            setting("stop_metric", draft, choices=None if config.holds_out else usable)
            setting("stop_target" if config.early_stopping == "target" else "patience", draft)
            if (
                config.early_stopping == "target"
                and config.stop_metric.endswith("accuracy")
                and config.stop_target >= 1
            ):
                st.caption("No accuracy is above 1: with this target, training does not end early.")


_TABS: dict[str, Callable[[Draft], None]] = {
    "Basics": _basics,
    "Schedule": _schedule,
    "Data": _data,
    "Augmentation": _augmentation,
    "Regularization": _regularization,
    "Stopping": _stopping,
}
