"""Seconds of training until 99% of the test images are read: `fast` beside two published presets.

    python -m benchmarks.time_to_99 [--seeds 5]

Each seed trains the preset `fast` as the app does it, then `chollet` and `keras-steps` as the plain Keras scripts that
they are, each in a process of its own. After each epoch the test accuracy is measured, for the table only, and not
counted; a plain script ends there once it has passed 99%. Seconds are of training alone, without validation: those
that the app notes, and those in `model.fit`. The share of the machine's dense-multiply limit comes from the same run.
About a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, replace

from benchmarks.measuring import output_of, print_conditions, print_table, say
from mnist_core.data.dataset import load_mnist
from mnist_core.training.config import TrainingConfig
from mnist_core.training.presets import PRESETS

OURS = "fast"
PLAIN = ("chollet", "keras-steps")
GOAL = 0.99
LIMIT = "limit"
SIZES = (1024, 2048, 4096)  # of the square matrices that are multiplied
MULTIPLICATIONS = 12


@dataclass(frozen=True)
class Measured:
    """Test accuracy, and seconds of training so far, after each epoch; and the seconds of all that was done."""

    accuracy: list[float]
    seconds: list[float]
    wall_seconds: float = 0.0

    @property
    def passed(self) -> int | None:
        """The first epoch, counted from 1, after which the goal was reached."""
        return next((epoch for epoch, share in enumerate(self.accuracy, start=1) if share >= GOAL), None)

    @property
    def seconds_to_goal(self) -> float | None:
        return self.seconds[self.passed - 1] if self.passed else None


def train_ours(config: TrainingConfig) -> Measured:
    """Train in this process as the app's training processes do."""
    import keras

    from mnist_core.evaluation import metrics
    from mnist_core.networks.keras_model import predict
    from mnist_core.training.checkpoints import Checkpoint
    from mnist_core.training.loop import train

    data = load_mnist()
    accuracy: list[float] = []
    seconds: list[float] = []
    measuring = 0.0

    def measure(model: keras.Model, checkpoint: Checkpoint) -> None:
        nonlocal measuring
        started = time.perf_counter()
        accuracy.append(metrics.accuracy(data.y_test, predict(model, data.x_test)))
        seconds.append(checkpoint.progress.seconds)
        measuring += time.perf_counter() - started

    started = time.perf_counter()
    train(config, data, on_checkpoint=measure)
    return Measured(accuracy, seconds, time.perf_counter() - started - measuring)


def train_plain(config: TrainingConfig) -> Measured:
    """Train in this process as the preset's script does, on the same images."""
    from benchmarks.plain_keras import PlainScript
    from mnist_core.training.loop import split

    data = load_mnist()
    images, labels, _ = split(config, data)
    script = PlainScript(config)
    accuracy: list[float] = []

    def passed() -> bool:
        accuracy.append(script.accuracy(data.x_test, data.y_test))
        return accuracy[-1] >= GOAL

    return Measured(accuracy, script.fit(images, labels, config.epochs, enough=passed))


def multiply_limit() -> float:
    """Return the most multiplications and additions a second, in 10⁹, with which TensorFlow multiplies matrices."""
    import tensorflow as tf

    best = 0.0
    for size in SIZES:
        left, right = tf.random.normal([2, size, size])
        for _ in range(MULTIPLICATIONS):
            started = time.perf_counter()
            tf.linalg.matmul(left, right)  # on a processor, this waits for the result
            best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best / 1e9


def operations(config: TrainingConfig) -> float:
    """Return the multiplications and additions of training, in 10⁹: forward once, backward for inputs and weights."""
    trained_on = (config.train_size - config.validation_size) * config.epochs
    return 3 * 2 * config.architecture.multiply_adds * trained_on / 1e9


def in_a_process(side: str, seed: int, images: int) -> str:
    """Carry out one side in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.time_to_99",
        "--side",
        side,
        "--seeds",
        str(seed),
        "--images",
        str(images),
    ]
    return output_of(command).splitlines()[-1]


def main() -> None:
    options = _options()
    if options.side == LIMIT:
        print(multiply_limit())
    elif options.side:
        train = train_ours if options.side == OURS else train_plain
        print(json.dumps(asdict(train(_config(options.side, options.seeds, options.images)))))
    else:
        compare(options.seeds, options.images)


def compare(seeds: int, images: int) -> None:
    """Measure both sides in turn and print the tables."""
    measured: dict[str, list[Measured]] = {side: [] for side in (OURS, *PLAIN)}
    limits = []
    for seed in range(1, seeds + 1):
        limits.append(float(in_a_process(LIMIT, seed, images)))
        for side, results in measured.items():
            results.append(Measured(**json.loads(in_a_process(side, seed, images))))
            say(f"seed {seed}, {side}: {_told(results[-1])}")
    _print_each(measured)
    _print_sums(measured, max(limits), operations(_config(OURS, 1, images)))
    print_conditions("tensorflow", "keras")


def _print_each(measured: dict[str, list[Measured]]) -> None:
    columns = ["seed", f"`{OURS}`: test accuracy after each epoch", "s", "s with all else"]
    columns += [f"plain `{name}`, s to {GOAL:.0%}" for name in PLAIN] + ["times faster than the quicker"]
    rows = []
    for place, ours in enumerate(measured[OURS]):
        plain = [measured[name][place] for name in PLAIN]
        reached = [each.seconds_to_goal for each in plain if each.seconds_to_goal is not None]
        accuracies = ", ".join(f"{share:.2%}" for share in ours.accuracy)
        ratio = f"{min(reached) / ours.seconds[-1]:.1f}" if reached else "–"
        seconds = (f"{value:.1f}" for value in (ours.seconds[-1], ours.wall_seconds))
        rows.append([place + 1, accuracies, *seconds, *map(_told, plain), ratio])
    print_table(columns, rows)


def _print_sums(measured: dict[str, list[Measured]], limit: float, work: float) -> None:
    ours = measured[OURS]
    seconds = statistics.median(each.seconds[-1] for each in ours)
    lowest = min(each.accuracy[-1] for each in ours)
    print(f"\n- `{OURS}`: {seconds:.1f} s, median; lowest test accuracy at its end {lowest:.2%}.")
    for name in PLAIN:
        reached = [each.seconds_to_goal for each in measured[name] if each.seconds_to_goal is not None]
        if len(reached) == len(ours):
            median = statistics.median(reached)
            print(f"- plain `{name}`: {median:.1f} s, median, {median / seconds:.1f} times as long.")
        else:
            print(f"- plain `{name}` reached {GOAL:.0%} with {len(reached)} of {len(ours)} seeds.")
    print(
        f"- Dense multiply: {limit:.0f} GFLOP/s at best (float32, squares of {SIZES[0]} to {SIZES[-1]}). At that speed "
        f"the {work:,.0f} GFLOP of `{OURS}` would take {work / limit:.1f} s: it reaches {work / seconds / limit:.0%} "
        "of the limit."
    )


def _told(measured: Measured) -> str:
    if measured.passed is None:
        return f"not passed in {len(measured.accuracy)} epochs ({max(measured.accuracy):.2%})"
    return f"{measured.seconds_to_goal:.1f} (epoch {measured.passed})"


def _config(preset: str, seed: int, images: int) -> TrainingConfig:
    return replace(PRESETS[preset].config, seed=seed, train_size=images)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=60_000, help="fewer only to try the program")
    parser.add_argument("--side", choices=(OURS, *PLAIN, LIMIT), help=argparse.SUPPRESS)  # with --seeds: that seed
    return parser.parse_args()


if __name__ == "__main__":
    main()
