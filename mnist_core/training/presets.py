"""Settings to start from: five published networks as their authors ran them, and our own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from mnist_core.training.config import TrainingConfig


@dataclass(frozen=True)
class Preset:
    """A named configuration and what is to be known of it.

    `source` and `claim` are where a published one comes from and the result that its author stated; `differs` is what
    differs when we run it, and why. All three are empty for our own.
    """

    name: str
    title: str
    note: str
    config: TrainingConfig
    source: str = ""
    claim: str = ""
    differs: str = ""

    @property
    def is_published(self) -> bool:
        """Whether it reproduces what somebody published."""
        return bool(self.source)


def _published(
    name: str, title: str, source: str, claim: str, differs: str, note: str, notation: str, **settings: Any
) -> Preset:
    config = TrainingConfig(preset=name, notation=notation, **settings)
    return Preset(name, title, note, config, source, claim, differs)


def _own(name: str, title: str, note: str, notation: str, **settings: Any) -> Preset:
    return Preset(name, title, note, TrainingConfig(preset=name, notation=notation, **settings))


DEFAULT_PRESET = "chollet"
_MOST_NAMED = 3  # changes that a label names


_PRESETS = (
    _published(
        "chollet",
        "Simple convnet",
        "S. Gil, after F. Chollet’s “A simple convnet that achieves ~99% test accuracy on MNIST”",
        "test accuracy 0.99, test loss 0.03",
        "Its author’s log shows all 15 epochs: training accuracy, lowered by dropout, did not pass 0.99. Nor did it "
        "in our run.",
        "Two convolutions, each followed by pooling; small, and hard to beat for its size.",
        "32C3-P2-64C3-P2-D0.5-10",
        batch_size=128,
        epochs=15,
        validation="last",
        validation_share=0.1,
        early_stopping="target",
        stop_metric="training accuracy",
        stop_target=0.99,
    ),
    _published(
        "keras-steps",
        "Three convolutions",
        "“Neural Networks & Deep Learning using Keras: Convolutional NNs in Python”",
        "about 98–99%",
        "Nothing that we know of. It watches the test images while it trains, but chooses nothing by them.",
        "A third convolution and a hidden dense layer: the shape of many tutorials.",
        "32C3-P2-64C3-P2-64C3-64-10",
        batch_size=64,
        epochs=5,
        validation="test",
    ),
    _published(
        "nehlr",
        "One convolution",
        "Nehlr1, “Classification_MNIST_CNN”",
        "a classification report, no accuracy",
        "There is no accuracy to compare with.",
        "One convolution before a large dense layer: nearly all of its weights sit in that layer.",
        "32C3-P2-D0.2-128-10",
        batch_size=64,
        epochs=3,
        validation="last",
        validation_share=0.2,
    ),
    _published(
        "five-layer",
        "Raw pixels",
        "“MNIST-Handwritten-Digit-Classification”, a 5 layers sequential CNN",
        "99.51% and 98.15%, both in the same text",
        "Our result lies between the two, nearer to the lower one. The higher one may be that of the training images: "
        "ours reaches 99.4% there, which says nothing about new digits.",
        "Pixels stay at 0–255 and there is no dropout: see what scaling is good for.",
        "64C3-32C3-P2-10",
        scaling="0-255",
        batch_size=32,
        epochs=10,
        validation="test",
    ),
    _published(
        "garcia",
        "Slow start",
        "J. R. Garcia Garcia, “CNN for MNIST Classification”, March 2024",
        "no accuracy",
        "Its text mentions augmentation, which its code does not have. With Keras’s rate it is still learning when it "
        "ends; see it beside the same network at rate 1.",
        "The largest of the five, with Adadelta at Keras’s rate of 0.001: a thousandth of the one it was made for.",
        "32C3-64C3-P2-D0.25-128-D0.5-10",
        optimizer="adadelta",
        learning_rate=0.001,
        batch_size=128,
        epochs=9,
        validation="test",
    ),
    _own(
        "garcia-rate-1",
        "Slow start, fixed",
        "The network of garcia with the rate that Adadelta was made for, 1: the only thing changed.",
        "32C3-64C3-P2-D0.25-128-D0.5-10",
        optimizer="adadelta",
        learning_rate=1.0,
        batch_size=128,
        epochs=9,
        validation="test",
    ),
    _own(
        "fast",
        "Fast",
        "About 99% within seconds: a small network, and a learning rate that rises and falls once.",
        "16C5-P2-32C5-P2-128-10",
        learning_rate=0.012,
        schedule="one-cycle",
        batch_size=256,
        epochs=2,
        validation_share=0.05,
    ),
    _own(
        "champion",
        "Champion",
        "Made to read real handwriting: batch normalization, and training images that are never twice the same. It "
        "takes its time.",
        "32C3-BN-32C3-BN-P2-D0.25-64C3-BN-96C3-BN-P2-D0.25-256-BN-D0.4-10",
        learning_rate=0.004,
        schedule="one-cycle",
        batch_size=128,
        epochs=80,
        rotation=10.0,
        shift=2.0,
        zoom=0.1,
        shear=10.0,
        elastic=1.0,
        thickness=0.5,
        continental=0.03,
        validation_share=0.05,
    ),
    _own(
        "tiny",
        "Tiny",
        "For slow computers and quick experiments: few filters, and a sixth of the images.",
        "8C3-P2-16C3-P2-10",
        learning_rate=0.003,
        batch_size=64,
        epochs=3,
        train_size=10_000,
    ),
    _own(
        "blank",
        "Blank page",
        "No hidden layer at all: each pixel votes for or against each digit. Add layers, and see what they are worth.",
        "10",
        epochs=3,
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _PRESETS}


def label(config: TrainingConfig) -> str:
    """Return the preset that a configuration started from, and what was changed; another seed is no change."""
    preset = PRESETS.get(config.preset)
    if preset is None:
        return config.preset
    changed = [
        setting.name
        for setting in fields(config)
        if setting.name != "seed" and getattr(config, setting.name) != getattr(preset.config, setting.name)
    ]
    if len(changed) > _MOST_NAMED:
        return f"{config.preset}, {len(changed)} changes"
    return ", ".join([config.preset, *(_in_words(name, getattr(config, name)) for name in changed)])


def _in_words(name: str, value: Any) -> str:
    short = {
        "notation": "other network",
        "epochs": f"{value} epoch" if value == 1 else f"{value} epochs",
        "train_size": f"{value:,} images" if isinstance(value, int) else "",
        "batch_size": f"batches of {value}",
        "learning_rate": f"rate {value}",
        "optimizer": str(value),
    }
    return short.get(name, f"{name.replace('_', ' ')} {value}")
