"""How well `mnist_core.processes.cost` foretells time and memory of training, and the coefficients it should have.

    python -m benchmarks.cost [--rounds 2] [--seconds 2] [--results FILE] [--fit]

Each setting trains for a few seconds as the app would train it, in a process of its own, on few images. The fastest
half second counts, since other programs only ever slow it down; memory is the highest peak. With `--results`,
measurements are kept in a file of JSON lines and join those that are there (`--rounds 0` measures nothing new). `--fit`
prints coefficients of this machine, to be pasted into `mnist_core/processes/cost.py`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray

from mnist_core import runs
from mnist_core.data.augmentation import Augmentation, augment
from mnist_core.data.dataset import load_mnist
from mnist_core.processes import cost
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, EpochDone, Event

WINDOW_SECONDS = 0.5  # that the fastest training is taken from
BATCH_NORM_NETWORK = (
    "32C3-BN-32C3-BN-32C5S2:same-BN-D0.4-64C3-BN-64C3-BN-64C5S2:same-BN-D0.4-128-BN-D0.4-10"  # after C. Deotte
)
GEOMETRY = {"rotation": 10.0, "shift": 2.0, "zoom": 0.1, "shear": 5.0}
SETTINGS: tuple[dict[str, Any], ...] = (
    {"notation": "32C3-P2-64C3-P2-D0.5-10", "batch_size": 128},  # the published five
    {"notation": "32C3-P2-64C3-P2-64C3-64-10", "batch_size": 64},
    {"notation": "32C3-P2-D0.2-128-10", "batch_size": 64},
    {"notation": "64C3-32C3-P2-10", "batch_size": 32},
    {"notation": "32C3-64C3-P2-D0.25-128-D0.5-10", "batch_size": 128, "optimizer": "adadelta"},
    {"notation": "16C5-P2-32C5-P2-128-10", "batch_size": 128},
    {"notation": BATCH_NORM_NETWORK, "batch_size": 64},
    {"notation": "32C3-32C3-P2-64C3-64C3-GAP-10", "batch_size": 128},
    {"notation": "8C3-P2-16C3-P2-10", "batch_size": 16},
    {"notation": "8C3-P2-16C3-P2-10", "batch_size": 512},
    {"notation": "10", "batch_size": 16},
    {"notation": "10", "batch_size": 512},
    {"notation": "512-512-10", "batch_size": 64},
    {"notation": "2048-2048-10", "batch_size": 128, "optimizer": "sgd"},
    {"notation": "4000-4000-10", "batch_size": 256},
    {"notation": "32C3:same-32C3:same-P2-10", "batch_size": 512},
    {"notation": "16C3-P2-10", "batch_size": 4096},
    {"notation": "8C3-P2-16C3-P2-10", "batch_size": 512, **GEOMETRY},
    {"notation": "512-512-10", "batch_size": 64, "elastic": 1.0},
    {"notation": "10", "batch_size": 128, "thickness": 0.5},
    {"notation": "16C5-P2-32C5-P2-128-10", "batch_size": 128, "train_size": 60_000},
    {"notation": "10", "batch_size": 512, "train_size": 60_000, **GEOMETRY},
)


@dataclass(frozen=True)
class Measurement:
    """What training in one setting took. Times are of one image."""

    settings: dict[str, Any]
    training_seconds: float
    validation_seconds: float
    start_seconds: float  # from the start of the process to the end of the first batches
    memory_mb: float

    @property
    def config(self) -> TrainingConfig:
        return TrainingConfig(**self.settings)

    @property
    def name(self) -> str:
        """The setting in a few words."""
        architecture = self.config.notation
        words = [f"`{architecture}`" if len(architecture) <= 35 else f"`{architecture[:35]}…`"]
        words += [self.config.optimizer] if "optimizer" in self.settings else []
        words += [name for name in ("rotation", "elastic", "thickness") if name in self.settings]
        words += [f"{self.config.train_size:,} images"] if self.config.train_size == 60_000 else []
        return ", ".join(words)

    @property
    def epoch_seconds(self) -> float:
        """Seconds of an epoch on all images, of which 6,000 are held out."""
        return 54_000 * self.training_seconds + 6_000 * self.validation_seconds

    @property
    def epoch(self) -> TrainingConfig:
        """The settings that `epoch_seconds` belong to."""
        return replace(self.config, train_size=60_000, validation_share=0.1)


def train(settings: dict[str, Any], seconds: float) -> Measurement:
    """Train in this process until `seconds` are over after the first batches, for two epochs at least."""
    from mnist_core.processes.worker import execute  # once started, so that these seconds count

    started = time.perf_counter()
    batches: list[BatchesDone] = []
    validations: list[float] = []
    last_event = first_done = 0.0
    done = False

    def note(event: Event) -> None:
        nonlocal last_event, first_done, done
        now = time.perf_counter() - started
        first_done = first_done or now
        if isinstance(event, BatchesDone):
            batches.append(event)
        elif isinstance(event, EpochDone):
            validations.append(now - last_event)
            done = len(validations) > 1 and batches[-1].seconds - batches[0].seconds > seconds
        last_event = now

    config = TrainingConfig(**settings)
    with tempfile.TemporaryDirectory() as folder:
        run = execute(runs.create_run(Path(folder), config), note, lambda: done)
    if run.report is None:
        raise SystemExit(f"{config.notation}: {run.status.message}")
    return Measurement(
        settings, _fastest(batches), min(validations) / config.validation_size, first_done, run.report.peak_memory_mb
    )


def measure(settings: dict[str, Any], seconds: float) -> Measurement:
    """Train in a process of its own that gives way to others."""
    settings = {
        "learning_rate": 1e-4,  # so that nothing diverges
        "epochs": 100,
        "train_size": max(6_000, 8 * settings["batch_size"]),
        "validation_share": 0.2,
        **settings,
    }
    command = [sys.executable, "-m", "benchmarks.cost", "--setting", json.dumps(settings), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, preexec_fn=lambda: os.nice(5))
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


def joined(measurements: list[Measurement]) -> list[Measurement]:
    """Return one measurement for each setting: its fastest times and its highest peak."""
    by_setting: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        by_setting.setdefault(json.dumps(measurement.settings, sort_keys=True), []).append(measurement)
    return [
        replace(
            same[0],
            training_seconds=min(one.training_seconds for one in same),
            validation_seconds=min(one.validation_seconds for one in same),
            start_seconds=min(one.start_seconds for one in same),
            memory_mb=max(one.memory_mb for one in same),
        )
        for same in by_setting.values()
    ]


def _fastest(batches: list[BatchesDone]) -> float:
    """Return seconds per image in the fastest stretch of half a second; without the first batches, which compile."""
    best = (batches[-1].seconds - batches[0].seconds) / (batches[-1].images - batches[0].images)
    for first, event in enumerate(batches):
        later = (other for other in itertools.islice(batches, first + 1, None))
        last = next((other for other in later if other.seconds - event.seconds >= WINDOW_SECONDS), None)
        if last is not None:
            best = min(best, (last.seconds - event.seconds) / (last.images - event.images))
    return best


def table(measurements: list[Measurement]) -> str:
    """Return measured beside estimated figures; "scaled" are estimates that rest on all other networks of the table."""
    lines = [
        "| setting | batch | s per epoch | reference | ratio | scaled | ratio | MB | estimated | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ratios = []
    for one in measurements:
        others = [
            cost.Measured(other.config, 1 / other.training_seconds)
            for other in measurements
            if other.config.notation != one.config.notation
        ]
        seconds = one.epoch_seconds
        reference = cost.estimate(one.epoch).seconds_per_epoch
        scaled = cost.estimate(one.epoch, others).seconds_per_epoch
        memory = cost.memory_mb(one.config)
        ratios.append((reference / seconds, scaled / seconds, memory / one.memory_mb))
        lines.append(
            f"| {one.name} | {one.config.batch_size} | {seconds:.1f} | {reference:.1f} | {ratios[-1][0]:.2f} "
            f"| {scaled:.1f} | {ratios[-1][1]:.2f} | {one.memory_mb:,.0f} | {memory:,.0f} | {ratios[-1][2]:.2f} |"
        )
    for what, values in zip(("Reference", "Scaled", "Memory"), zip(*ratios, strict=True), strict=True):
        lines.append(
            f"\n{what}: ratio of estimate to measurement {min(values):.2f} to {max(values):.2f}, "
            f"median {statistics.median(values):.2f}."
        )
    lines.append(
        f"\nTo the first batches: {statistics.median(one.start_seconds for one in measurements):.1f} s, median."
    )
    return "\n".join(lines)


def fit_time(measurements: list[Measurement]) -> tuple[dict[str, float], float]:
    """Return `cost.SECONDS` and `cost.READING_SHARE` as these measurements have them."""
    names = list(cost.SECONDS)
    images = np.array([one.config.train_size - one.config.validation_size for one in measurements])
    terms = np.array([list(cost.time_terms(one.config).values()) for one in measurements]) / images[:, None]
    training = np.array([one.training_seconds for one in measurements])
    augmentation = augmentation_seconds()
    first = names.index(next(iter(augmentation)))  # the terms from here on are measured by themselves
    changing = terms[:, first:] @ np.array(list(augmentation.values()))
    plain = changing == 0
    coefficients = non_negative_fit(terms[plain, :first], training[plain])
    share = sum(one.validation_seconds for one in measurements) / float((terms[:, :2] @ coefficients[:2]).sum())
    return dict(zip(names, [*coefficients, *augmentation.values()], strict=True)), share


def augmentation_seconds() -> dict[str, float]:
    """Return the last terms of `cost.SECONDS`: processor seconds to change an image, the median of many times."""

    def typical(**changes: float) -> float:
        seconds = []
        for _ in range(50):
            started = time.thread_time()
            augment(images, labels, Augmentation(**changes), generator)
            seconds.append((time.thread_time() - started) / len(images))
        return statistics.median(seconds)

    data = load_mnist()
    images, labels = data.x_train[:1024], data.y_train[:1024]
    generator = np.random.default_rng(0)
    return {
        "images moved": typical(**GEOMETRY),
        "images thickened": typical(thickness=0.5),
    }


def fit_memory(measurements: list[Measurement]) -> tuple[dict[str, float], float, float]:
    """Return `cost.BYTES`, `cost.TRAINING_BYTES` and `cost.READING_BYTES` as these measurements have them.

    The peak comes either while training or while reading: which one it is follows from the coefficients, in turn.
    """
    terms = np.array([list(cost.memory_terms(one.config).values()) for one in measurements], np.float64)
    activations = np.array([cost.activations_held(one.config) for one in measurements], np.float64)
    measured = np.array([one.memory_mb * 1e6 for one in measurements])
    each = np.array([cost.TRAINING_BYTES, cost.READING_BYTES])
    for _ in range(20):
        larger = (activations * each).argmax(axis=1)[:, None] == np.arange(2)
        coefficients = non_negative_fit(np.hstack([terms, activations * larger]), measured)
        each = coefficients[-2:]
    return dict(zip(cost.BYTES, coefficients, strict=False)), float(each[0]), float(each[1])


def non_negative_fit(terms: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coefficients (terms,), none below 0, with the least squares of about log(estimate / value)."""
    fitted = values
    used = list(range(terms.shape[1]))
    for _ in range(30):
        weights = 1 / np.sqrt(fitted * values)  # |a - b| / √(ab) is nearly |log(a / b)|
        scale = np.abs(terms).max(axis=0)
        while True:
            solution = np.linalg.lstsq((terms / scale)[:, used] * weights[:, None], values * weights, rcond=None)[0]
            if (solution >= 0).all():
                break
            used.pop(int(solution.argmin()))
        coefficients = np.zeros(terms.shape[1])
        coefficients[used] = solution
        coefficients /= scale
        fitted = terms @ coefficients
    return coefficients


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="of training, in each measurement")
    parser.add_argument("--results", type=Path, metavar="FILE")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--setting", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.setting:
        print(json.dumps(asdict(train(options.setting, options.seconds))))
        return
    measurements = []
    if options.results and options.results.exists():
        measurements = [Measurement(**json.loads(line)) for line in options.results.read_text().splitlines()]
    for _ in range(options.rounds):
        for settings in SETTINGS:
            measurements.append(measure(settings, options.seconds))
            if options.results:
                with options.results.open("a") as file:
                    file.write(json.dumps(asdict(measurements[-1])) + "\n")
    measurements = joined(measurements)
    print(table(measurements))
    if options.fit:
        seconds, share = fit_time(measurements)
        memory, training, reading = fit_memory(measurements)
        print("\nSECONDS:", *(f"{name}: {value:.2g}" for name, value in seconds.items()), sep="\n    ")
        print(f"READING_SHARE: {share:.2f}")
        print("BYTES:", *(f"{name}: {value:.3g}" for name, value in memory.items()), sep="\n    ")
        print(f"TRAINING_BYTES: {training:.2g}, READING_BYTES: {reading:.2g}")


if __name__ == "__main__":
    main()
