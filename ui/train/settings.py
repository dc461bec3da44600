"""The knobs of training: what each is called, how it is explained, and the widget that turns it."""

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
        "How often the network sees every training image. More epochs teach more, until it begins to learn the images "
        "by heart.",
    ),
    "batch_size": Setting(
        "Batch size",
        "How many images are looked at before the weights change once. Large batches are faster per image and "
        "steadier, small ones change the weights more often.",
    ),
    "optimizer": Setting(
        "Optimizer",
        "The rule that turns an error into a change of the weights. Adam is a good first choice; plain SGD shows best "
        "what the learning rate does.",
        words=OPTIMIZERS,
    ),
    "learning_rate": Setting(
        "Learning rate",
        "How far each change of the weights goes. Too low and learning crawls, too high and it goes astray.",
        step=0.0005,
        format="%.4g",
    ),
    "momentum": Setting(
        "Momentum",
        "How much of the last change is carried on into the next, like a ball that keeps rolling. 0.9 smooths the "
        "way; 0 is plain SGD.",
        step=0.05,
        format="%.3g",
    ),
    "weight_decay": Setting(
        "Weight decay",
        "Pulls all weights a little towards zero at every step. That keeps the network simple, and is what sets AdamW "
        "apart from Adam.",
        step=0.001,
        format="%.4g",
    ),
    "schedule": Setting(
        "Schedule",
        "How the learning rate changes while training goes on. Large steps first and small ones at the end find better "
        "weights than the same rate all along.",
        words={
            "constant": "Constant",
            "cosine": "Cosine: falls gently to zero",
            "step": "Step: falls by a factor",
            "one-cycle": "One cycle: rises, then falls",
        },
    ),
    "warm_up_epochs": Setting(
        "Warm-up",
        "For so many epochs the learning rate rises from zero. Fresh weights are random, and large first steps on "
        "them can spoil a run.",
        step=0.5,
        format="%.3g",
    ),
    "step_epochs": Setting(
        "Epochs per step",
        "After every so many epochs the learning rate falls. Few epochs per step mean a fast fall.",
    ),
    "step_factor": Setting(
        "Decay factor",
        "The share of the learning rate that is left after each fall. 0.5 halves it.",
        step=0.05,
        format="%.3g",
    ),
    "train_size": Setting(
        "Training images",
        "How many of the 60,000 training images are used, the first ones as stored. Fewer make a quick experiment, "
        "and show why data matter.",
        step=1000,
    ),
    "validation": Setting(
        "Validate on",
        "Images to check on after every epoch; the network never trains on them. The test images should be kept for "
        "the very end: whoever chooses settings by them gets a flattering result.",
        words={
            "last": "Last part of the training images",
            "random": "Random part of the training images",
            "test": "Test images",
            "none": "Nothing",
        },
    ),
    "validation_share": Setting(
        "Share held out",
        "The part of the training images that is kept for validation. More of them give a surer check, fewer leave "
        "more to learn from.",
        step=0.05,
        format="%.2f",
    ),
    "scaling": Setting(
        "Pixel values",
        "Pixels are stored as 0 to 255. Networks learn more easily from small numbers, so most recipes divide by 255.",
        words={"0-1": "Scaled to 0–1", "0-255": "Left at 0–255"},
    ),
    "seed": Setting(
        "Seed",
        "Where all random numbers begin: first weights, order of images, dropout. The same seed and settings give the "
        "same network on the same machine.",
    ),
    "rotation": Setting(
        "Rotation",
        "Each training image is turned by up to so many degrees, to either side. Too much, and a 6 could pass for a 9.",
        step=1.0,
        format="%g°",
        slider=True,
    ),
    "shift": Setting(
        "Shift",
        "Each training image is moved by up to so many pixels, across and down. The network learns that place does not "
        "matter.",
        step=0.5,
        format="%g px",
        slider=True,
    ),
    "zoom": Setting(
        "Zoom",
        "Each training image is made larger or smaller by up to this share. 0.1 means from 90 % to 110 % of its size.",
        step=0.01,
        format="%.2f",
        slider=True,
    ),
    "shear": Setting(
        "Shear",
        "Upright strokes are made to lean by up to so many degrees, to either side. Some people write upright, some "
        "lean.",
        step=1.0,
        format="%g°",
        slider=True,
    ),
    "elastic": Setting(
        "Elastic",
        "Parts of the image move against each other by up to about so many pixels, as if a hand had trembled. It is "
        "the change most like another person’s writing.",
        step=0.25,
        format="%g px",
        slider=True,
    ),
    "thickness": Setting(
        "Thickness",
        "Strokes grow or shrink by up to this share of a pixel on each side. Pens differ, and MNIST knows only a few.",
        step=0.1,
        format="%.1f",
        slider=True,
    ),
    "continental": Setting(
        "Continental 1 and 7",
        "This share of the 1s gets an upstroke and of the 7s a bar, as much of the world writes them. MNIST was "
        "written in the United States: without this, a network reads such a 1 as a 7.",
        step=0.05,
        format="%.2f",
        slider=True,
    ),
    "l2": Setting(
        "L2",
        "Adds the squares of all kernel weights, times this number, to what training makes small. Large weights then "
        "cost something, which works against learning by heart; 0.0001 is a usual value.",
        step=0.0001,
        format="%.4g",
    ),
    "label_smoothing": Setting(
        "Label smoothing",
        "Takes this share off the right digit and spreads it over all ten as the target. The network becomes less "
        "sure of itself, and often a little better.",
        step=0.05,
        format="%.2f",
    ),
    "early_stopping": Setting(
        "Stop early",
        "Training can end before all epochs are done: at a target, or when nothing gets better any more. That saves "
        "time, and can keep the network from learning by heart.",
        words={"never": "Never", "target": "At a target", "patience": "When it gets no better"},
    ),
    "stop_metric": Setting(
        "Monitored metric",
        "What early stopping looks at after each epoch. Figures of the training images tell what was learned, those "
        "of the validation images what will hold for new ones.",
        words={
            "training accuracy": "Training accuracy",
            "training loss": "Training loss",
            "validation accuracy": "Validation accuracy",
            "validation loss": "Validation loss",
        },
    ),
    "stop_target": Setting(
        "Target",
        "Training ends once the watched accuracy rises above it, or the watched loss falls below it. Accuracies are "
        "written from 0 to 1.",
        step=0.005,
        format="%.4g",
    ),
    "patience": Setting(
        "Patience",
        "Training ends after so many epochs in a row without a new best. More patience survives a bad epoch, less "
        "saves time.",
    ),
    "keep": Setting(
        "Weights to keep",
        "Either those after the last epoch, or those of the epoch that did best on the validation images. The test "
        "images are never used to choose.",
        words={"last": "Of the last epoch", "best": "Of the lowest validation loss"},
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
