"""How fast our training is beside the plain Keras script of the same network, in one run on one machine.

    python -m benchmarks.training_speed [PRESET …] [--images 12800] [--rounds 3]

Both train on the same images with the same settings, each in a process of its own, in turn; the first epoch, which
compiles, is not counted. The table gives the medians and their ratio; below 1 our training is faster.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.measuring import output_of
from mnist_core.data.dataset import load_mnist
from mnist_core.training.config import TrainingConfig
from mnist_core.training.presets import PRESETS

EPOCHS = 3


def seconds_with_ours(config: TrainingConfig) -> list[float]:
    """Seconds of each epoch after the first, as `mnist_core.training.loop` runs it."""
    from mnist_core.training.events import EpochDone, Event
    from mnist_core.training.loop import train

    marks: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, EpochDone):
            marks.append(event.seconds)

    train(config, load_mnist(), note)
    return [later - earlier for earlier, later in itertools.pairwise(marks)]


def seconds_with_keras(config: TrainingConfig) -> list[float]:
    """Seconds of each epoch after the first, as the published scripts do it: float images, one-hot labels, `fit`."""
    from benchmarks.plain_keras import PlainScript

    data = load_mnist()
    marks = PlainScript(config).fit(data.x_train[: config.train_size], data.y_train[: config.train_size], EPOCHS)
    return [later - earlier for earlier, later in itertools.pairwise(marks)]


def measure(side: str, preset: str, images: int) -> list[float]:
    """Run one side in a process of its own and return its epochs' seconds."""
    command = [sys.executable, "-m", "benchmarks.training_speed", preset, "--images", str(images), "--side", side]
    return [float(word) for word in output_of(command).split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=list(PRESETS), metavar="PRESET")
    parser.add_argument("--images", type=int, default=12_800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=("ours", "keras"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    changes = [f"train_size={options.images}", f"epochs={EPOCHS}", "validation=none", "early_stopping=never"]
    if options.side:
        config = PRESETS[options.presets[0]].config.with_settings(changes)
        print(*(seconds_with_ours if options.side == "ours" else seconds_with_keras)(config))
        return
    print(f"| preset | ours, s per {options.images:,} images | plain Keras | ratio |\n|---|---|---|---|")
    for preset in options.presets:
        seconds: dict[str, list[float]] = {"ours": [], "keras": []}
        for _ in range(options.rounds):
            for side, measured in seconds.items():
                measured.extend(measure(side, preset, options.images))
        ours, keras = (statistics.median(measured) for measured in seconds.values())
        print(f"| `{preset}` | {ours:.2f} | {keras:.2f} | {ours / keras:.2f} |", flush=True)


if __name__ == "__main__":
    main()
