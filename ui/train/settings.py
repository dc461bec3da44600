"""The settings of training: what each is called, how it is explained, and the widget that changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from mnist_core.training import config
from ui.train import drafts
from ui.train.drafts import Draft

OPTIMIZERS: dict[str, str] = {
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "Nadam",
    "rmsprop": "RMSprop",
    "sgd": "SGD",
    "momentum": "SGD with momentum",
    "nesterov": "SGD with Nesterov momentum",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
}


@dataclass(frozen=True)
class Setting:
    """One setting for a learner: two sentences on what it does, and how its numbers are stepped and written."""

    label: str
    help: str
    step: float = 1
    format: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)  # of its choices
    slider: bool = False


SETTINGS: dict[str, Setting] = {
    "epochs": Setting(
        "Epochs",
        "How often the network sees every training image. More epochs teach it more, until it begins to learn the "
        "images by heart. Keras: `fit(epochs=…)`.",
    ),
    "batch_size": Setting(
        "Batch size",
        "How many images the network sees before its weights change once. Large batches are faster per image and "
        "steadier; small ones change the weights more often. Keras: `fit(batch_size=…)`.",
    ),
    "optimizer": Setting(
        "Optimizer",
        "The rule that turns the gradients into a change of the weights. Adam is a good first choice; plain SGD shows "
        "best what the learning rate does. Keras: `compile(optimizer=…)`.",
        words=OPTIMIZERS,
    ),
    "learning_rate": Setting(
        "Learning rate",
        "How far each change of the weights goes. Too low, and learning crawls; too high, and it goes astray. Keras: "
        "`Adam(learning_rate=…)`.",
        step=0.0005,
        format="%.4g",
    ),
    "momentum": Setting(
        "Momentum",
        "How much of the last change is carried over into the next, like a ball that keeps rolling. 0.9 smooths the "
        "way; 0 is plain SGD. Keras: `SGD(momentum=…)`.",
        step=0.05,
        format="%.3g",
    ),
    "weight_decay": Setting(
        "Weight decay",
        "Pulls all the weights a little towards zero at every step. That keeps the network simple, and is what sets "
        "AdamW apart from Adam. Keras: `AdamW(weight_decay=…)`.",
        step=0.001,
        format="%.4g",
    ),
    "schedule": Setting(
        "Schedule",
        "How the learning rate changes during training. Large steps first and small ones at the end find better "
        "weights than the same rate throughout. Keras: `LearningRateScheduler(schedule=…)`, or a schedule such as "
        "`CosineDecay`.",
        words={
            "constant": "Constant",
            "cosine": "Cosine: falls gently to zero",
            "step": "Step: falls by a factor",
            "one-cycle": "One cycle: rises, then falls",
        },
    ),
    "warm_up_epochs": Setting(
        "Warm-up",
        "For this many epochs, the learning rate rises from zero. New weights are random, and large first steps can "
        "spoil a run. Keras, counted in steps: `CosineDecay(warmup_steps=…)`.",
        step=0.5,
        format="%.3g",
    ),
    "step_epochs": Setting(
        "Epochs per step",
        "The learning rate falls each time this many epochs are done. Few epochs per step make it fall fast. Keras, "
        "counted in steps: `ExponentialDecay(decay_steps=…, staircase=…)`.",
    ),
    "step_factor": Setting(
        "Decay factor",
        "The learning rate is multiplied by this number at each fall. 0.5 halves it. Keras: "
        "`ExponentialDecay(decay_rate=…)`.",
        step=0.05,
        format="%.3g",
    ),
    "train_size": Setting(
        "Training images",
        "How many of the 60,000 training images are used: the first ones, as stored. Fewer images make a quick "
        "experiment, and show why data matters. Not a setting in Keras; in the exported script: "
        "`x_train[:TRAIN_SIZE]`.",
        step=1000,
    ),
    "validation": Setting(
        "Validation data",
        "The images that the network is checked on after every epoch; it never trains on them. Keep the test images "
        "for the very end: if you choose your settings by them, the result will flatter you. Keras: "
        "`fit(validation_data=…)`.",
        words={
            "last": "Last part of the training images",
            "random": "Random part of the training images",
            "test": "Test images",
            "none": "None",
        },
    ),
    "validation_share": Setting(
        "Validation split",
        "The fraction of the training images that is held out for validation. A larger one makes the check more "
        "reliable; a smaller one leaves more images to learn from. Keras: `fit(validation_split=…)`.",
        step=0.05,
        format="%.2f",
    ),
    "scaling": Setting(
        "Pixel values",
        "Pixels are stored as numbers from 0 to 255. Networks learn more easily from small numbers, so most examples "
        "divide them by 255. Keras: `Rescaling(scale=…)`.",
        words={"0-1": "Scaled to 0–1", "0-255": "Left at 0–255"},
    ),
    "seed": Setting(
        "Seed",
        "Where all the random numbers start: the first weights, the order of the images, dropout. The same seed and "
        "settings give the same network on the same machine. Keras: `set_random_seed(seed=…)`.",
    ),
    "rotation": Setting(
        "Rotation",
        "Each training image is rotated by up to this many degrees, to either side. Too much, and a 6 could pass for "
        "a 9. Keras, as a fraction of a full turn: `RandomRotation(factor=…)`.",
        step=1.0,
        format="%g°",
        slider=True,
    ),
    "shift": Setting(
        "Shift",
        "Each training image is moved by up to this many pixels, across and down. The network learns that position "
        "does not matter. Keras, as a fraction of the image: `RandomTranslation(height_factor=…, width_factor=…)`.",
        step=0.5,
        format="%g px",
        slider=True,
    ),
    "zoom": Setting(
        "Zoom",
        "Each training image is made larger or smaller by up to this fraction. 0.1 means from 90% to 110% of its "
        "size. Keras: `RandomZoom(height_factor=…)`.",
        step=0.01,
        format="%.2f",
        slider=True,
    ),
    "shear": Setting(
        "Shear",
        "Each training image is slanted by up to this many degrees, to either side. Some people write upright, some "
        "slant their digits. Keras: `RandomShear(x_factor=…)`.",
        step=1.0,
        format="%g°",
        slider=True,
    ),
    "elastic": Setting(
        "Elastic distortion",
        "Parts of the image move against each other by up to about this many pixels, as if the hand had trembled. Of "
        "all these changes, this one is most like another person’s writing. Keras: `RandomElasticTransform(scale=…)`.",
        step=0.25,
        format="%g px",
        slider=True,
    ),
    "thickness": Setting(
        "Stroke thickness",
        "Strokes grow or shrink by up to this fraction of a pixel on each side. Pens differ, and MNIST knows only a "
        "few. Not in Keras; in the exported script: `change_thickness`.",
        step=0.1,
        format="%.1f",
        slider=True,
    ),
    "continental": Setting(
        "Continental 1 and 7",
        "This fraction of the 1s gets an upstroke, and of the 7s a bar, as much of the world writes them. MNIST was "
        "written in the United States: without this, a network reads such a 1 as a 7. Not in Keras; in the exported "
        "script: `write_continental`.",
        step=0.05,
        format="%.2f",
        slider=True,
    ),
    "l2": Setting(
        "L2",
        "Adds the squares of all kernel weights, times this number, to the loss that training makes small. Large "
        "weights then cost something, which works against learning by heart; 0.0001 is a usual value. Keras: "
        "`Conv2D(kernel_regularizer=…)` with `L2(l2=…)`.",
        step=0.0001,
        format="%.4g",
    ),
    "label_smoothing": Setting(
        "Label smoothing",
        "Takes this fraction of the target from the right digit and spreads it over all ten. The network becomes less "
        "sure of itself, and often a little better. Keras: `CategoricalCrossentropy(label_smoothing=…)`.",
        step=0.05,
        format="%.2f",
    ),
    "early_stopping": Setting(
        "Early stopping",
        "Training can end before all epochs are done: at a target, or when it stops improving. That saves time, and "
        "can keep the network from learning by heart. Keras: `EarlyStopping`.",
        words={"never": "Never", "target": "At a target", "patience": "When it stops improving"},
    ),
    "stop_metric": Setting(
        "Monitored metric",
        "What early stopping looks at after each epoch. The training metrics tell what was learned; the validation "
        "metrics tell what will hold for new images. Keras: `EarlyStopping(monitor=…)`.",
        words={
            "training accuracy": "Training accuracy",
            "training loss": "Training loss",
            "validation accuracy": "Validation accuracy",
            "validation loss": "Validation loss",
        },
    ),
    "stop_target": Setting(
        "Target",
        "Training ends once the monitored accuracy rises above this number, or the monitored loss falls below it. "
        "Accuracies are written from 0 to 1. Keras: a `Callback` that sets `stop_training`.",
        step=0.005,
        format="%.4g",
    ),
    "patience": Setting(
        "Patience",
        "Training ends after this many epochs in a row without a new best. More patience survives a bad epoch; less "
        "saves time. Keras: `EarlyStopping(patience=…)`.",
    ),
    "keep": Setting(
        "Saved weights",
        "Either those of the last epoch, or those of the epoch that did best on the validation images. The test "
        "images are never used to choose. Keras: `EarlyStopping(restore_best_weights=…)`.",
        words={"last": "Of the last epoch", "best": "Of the epoch with the lowest validation loss"},
    ),
}
NAMES = {"notation": "Network", **{name: setting.label for name, setting in SETTINGS.items()}}


def setting(name: str, draft: Draft, *, choices: Sequence[str] | None = None) -> None:
    """Show the widget of a setting."""
    what = SETTINGS[name]
    key = f"setting-{name}"
    value = getattr(draft.config, name)
    st.session_state[key] = value
    common: dict[str, Any] = {
        "label": what.label,
        "help": what.help,
        "key": key,
        "on_change": _take,
        "args": (name, key),
    }
    if what.words:
        st.selectbox(options=choices or config.options(name), format_func=lambda choice: what.words[choice], **common)
        return
    step = what.step if isinstance(value, float) else int(what.step)
    if what.slider:
        low, high = config.bounds(name)
        st.slider(min_value=low, max_value=high, step=step, format=what.format, **common)
    else:  # without bounds of its own, since it would keep a wrong number in red and to itself
        st.number_input(step=step, format=what.format, **common)


def mark_changed(draft: Draft) -> None:
    """Put a mark beside the label of each setting that differs from the preset; labels themselves stay as they are."""
    marked = ", ".join(f".st-key-setting-{name} label p::after" for name in draft.changed if name in SETTINGS)
    if marked:
        st.html(f"<style>{marked} {{ content: ' ●'; color: var(--changed-color); }}</style>")


def shown(name: str, value: Any) -> str:
    """Return the value of a setting as people read it."""
    words = SETTINGS[name].words if name in SETTINGS else {}
    if isinstance(value, float):
        return f"{value:.4g}"
    return words.get(value, f"{value:,}" if isinstance(value, int) else str(value))


def _take(name: str, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        drafts.change(**{name: value})
