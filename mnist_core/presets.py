"""The published networks, with the settings that their authors used."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mnist_core.config import TrainingConfig


@dataclass(frozen=True)
class Preset:
    """A named configuration and where it comes from. `claim` is the result its author stated."""

    name: str
    title: str
    source: str
    claim: str
    note: str
    config: TrainingConfig


def _published(
    name: str, title: str, source: str, claim: str, note: str, architecture: str, **settings: object
) -> Preset:
    config = TrainingConfig.from_json({"config_version": 1, "preset": name, "architecture": architecture, **settings})
    return Preset(name, title, source, claim, note, config)


_PRESETS = (
    _published(
        "chollet",
        "Simple convnet",
        "S. Gil, after F. Chollet’s “A simple convnet that achieves ~99% test accuracy on MNIST”",
        "test accuracy 0.99, test loss 0.03",
        "Two convolutions, each followed by pooling; small, and hard to beat for its size.",
        "32C3-P2-64C3-P2-D0.5-10",
        batch_size=128,
        epochs=15,
        validation="last",
        validation_share=0.1,
        stop_above_accuracy=0.99,
    ),
    _published(
        "keras-steps",
        "Three convolutions",
        "“Neural Networks & Deep Learning using Keras: Convolutional NNs in Python”",
        "about 98–99 %",
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
        "a classification report, no figure",
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
        "99.51 % and 98.15 %, both in the same text",
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
        "no figure",
        "The largest of the five, with Adadelta at Keras’s rate of 0.001: a thousandth of the one it was made for.",
        "32C3-64C3-P2-D0.25-128-D0.5-10",
        optimizer="adadelta",
        learning_rate=0.001,
        batch_size=128,
        epochs=9,
        validation="test",
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _PRESETS}


def label(config: TrainingConfig) -> str:
    """Return the preset that a configuration started from, and whether it was changed; another seed is no change."""
    preset = PRESETS.get(config.preset)
    if preset is None or replace(config, seed=preset.config.seed) == preset.config:
        return config.preset
    return f"{config.preset}, changed"
