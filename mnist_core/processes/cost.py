"""What a training run will cost: parameters, multiply-adds, seconds and memory, told before it starts. No TensorFlow.

Time is a sum of terms, each so many seconds on a reference machine, times how much slower or faster this machine was
in the runs that it made before. Memory hardly depends on the machine. `benchmarks/cost.py` measures both and prints the
coefficients that stand here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_core.data.dataset import TEST_IMAGES
from mnist_core.networks.layers import INPUT_SHAPE, BatchNorm, Conv, Dense, format_architecture, summarize
from mnist_core.networks.notation import parse_architecture
from mnist_core.processes.machine import is_this_machine
from mnist_core.runs import Run
from mnist_core.training.config import Optimizer, TrainingConfig
from mnist_core.training.events import LONGEST_SEQUENCE

Basis = Literal[
    "this network was measured here", "scaled from runs on this machine", "from a reference machine of two cores"
]

# Seconds for each unit of `time_terms` on the reference machine, when no other program disturbs it.
SECONDS: dict[str, float] = {
    "multiply-adds": 1.7e-11,
    "activations": 2.2e-9,
    "layers of each batch": 1.2e-4,
    "convolutions of each batch": 2.0e-4,  # beyond what any layer takes
    "parameters of each batch": 1.8e-9,
    "images moved": 3.2e-5,
    "images thickened": 4.7e-6,
}
# Reading an image, as for validation, takes this share of what learning from it takes in the first two terms.
READING_SHARE = 0.27

# Bytes for each unit of `memory_terms`, as they fit best to what was measured.
BYTES: dict[str, float] = {
    "process": 738e6,
    "pixels": 1.0,
    "augmentation": 47e6,
    "parameters": 43.0,
    "optimizer state": 5.7,
}
TRAINING_BYTES = 10.0  # for each of `activations_held` while training
READING_BYTES = 6.3  # the same while reading
MEMORY_MARGIN = 1.12  # rather too much than too little, since limits rest on it

# The truth probably lies between these multiples of an estimate.
_RANGES: dict[Basis, tuple[float, float]] = {
    "this network was measured here": (0.7, 1.5),
    "scaled from runs on this machine": (0.5, 2.0),
    "from a reference machine of two cores": (0.2, 3.0),
}
_START_SECONDS = 6.0  # loading TensorFlow and the images, compiling, and reading the test images at the end
_COMPILE_SECONDS = 0.8  # of the training seconds in a report
_SHORTEST_SECONDS = 4.0  # shorter runs tell too much about compiling
_MOST_RUNS = 500  # that are looked at, the first ones
_NEAREST_RUNS = 9  # that an estimate rests on
_NEARNESS = 0.1  # the distance at which a run's weight has fallen to a quarter
_SLOWEST, _FASTEST = 50.0, 0.02  # multiples of the reference machine's seconds; beyond, a report cannot be right
_READ_AT_ONCE = 1000  # images, by `keras_model.predict`

_STATE_ARRAYS: dict[Optimizer, int] = {  # numbers that an optimizer keeps for each parameter
    "sgd": 0,
    "momentum": 1,
    "nesterov": 1,
    "rmsprop": 1,
    "adagrad": 1,
    "adam": 2,
    "adamw": 2,
    "nadam": 2,
    "adadelta": 2,
}


@dataclass(frozen=True)
class Measured:
    """How fast training was on this machine, compiling left aside."""

    config: TrainingConfig
    images_per_second: float


@dataclass(frozen=True)
class Cost:
    """What a run will take. Multiply-adds are those of one image, forward; seconds are those on the clock."""

    parameters: int
    multiply_adds: int
    seconds_per_epoch: float  # training and validation
    seconds_in_all: float  # epochs, unless early stopping ends the run before, test images after each, and the start
    low: float  # the seconds probably lie between `low` and `high` times the estimate
    high: float
    basis: Basis
    runs: int  # on this machine, that the seconds rest on
    memory_mb: float  # peak of the training process, in millions of bytes; rather too much than too little


def estimate(config: TrainingConfig, measured: Sequence[Measured] = ()) -> Cost:
    """Return what training with `config` will cost on the machine where `measured` comes from.

    A run of the same network with the same batch size is the best witness: the median of these tells how this machine
    differs from the reference. Else it is the weighted median over the runs that are nearest, which means that their
    time went to the same terms: the distance of two runs is half the sum of the differences between the shares that
    terms have in their time, from 0 to 1.
    """
    ratio, basis, count = _ratio(config, measured[:_MOST_RUNS])
    low, high = _RANGES[basis]
    seconds = ratio * (_training_seconds(config) + _validation_seconds(config))
    between_epochs = ratio * _reading_seconds(config, TEST_IMAGES)  # for the epoch predictions
    network = _network(config.notation)
    return Cost(
        parameters=network.parameters,
        multiply_adds=network.multiply_adds,
        seconds_per_epoch=seconds,
        seconds_in_all=_START_SECONDS + config.epochs * (seconds + between_epochs),
        low=low,
        high=high,
        basis=basis,
        runs=count,
        memory_mb=memory_mb(config),
    )


def measured(runs: Sequence[Run]) -> list[Measured]:
    """Return the speed of those runs that were made on this machine and long enough to tell, in their order.

    Runs that ship with the project were made elsewhere, and so were those whose report tells of another machine.
    """
    return [
        Measured(
            run.config,
            report.images_per_second * (report.training_seconds / (report.training_seconds - _COMPILE_SECONDS)),
        )
        for run in runs
        if (report := run.report) is not None
        and not run.is_bundled
        and is_this_machine(report.machine)
        and math.isfinite(report.training_seconds)
        and report.training_seconds >= _SHORTEST_SECONDS
        and math.isfinite(report.images_per_second)
        and report.images_per_second > 0
    ]


def memory_mb(config: TrainingConfig) -> float:
    """Return how much memory the training process will hold at its peak, in millions of bytes."""
    terms = memory_terms(config)
    training, reading = activations_held(config)
    activations = max(TRAINING_BYTES * training, READING_BYTES * reading)  # one comes after the other
    return MEMORY_MARGIN * (sum(BYTES[name] * terms[name] for name in BYTES) + activations) / 1e6


def time_terms(config: TrainingConfig) -> dict[str, float]:
    """Return how much of each term of `SECONDS` an epoch of training takes."""
    network = _network(config.notation)
    images = config.train_size - config.validation_size
    steps = config.steps_per_epoch
    moved = any((config.rotation, config.shift, config.zoom, config.shear, config.elastic))
    return {
        "multiply-adds": images * network.multiply_adds,
        "activations": images * network.activations,
        "layers of each batch": steps * network.layers,
        "convolutions of each batch": steps * network.convolutions,
        "parameters of each batch": steps * network.parameters,
        "images moved": images * moved,
        "images thickened": images * (config.thickness > 0),
    }


def memory_terms(config: TrainingConfig) -> dict[str, float]:
    """Return how much of each term of `BYTES` a training process takes."""
    network = _network(config.notation)
    sequence = min(LONGEST_SEQUENCE * config.batch_size, config.train_size)
    return {
        "process": 1,
        "pixels": math.prod(INPUT_SHAPE) * (config.train_size + sequence),
        "augmentation": config.augmentation.active,
        "parameters": network.parameters,
        "optimizer state": network.parameters * _STATE_ARRAYS[config.optimizer],
    }


def activations_held(config: TrainingConfig) -> tuple[int, int]:
    """Return how many activations are held at once while training, all of a batch, and while reading images."""
    network = _network(config.notation)
    batch = min(config.batch_size, config.train_size)
    return batch * network.activations, _READ_AT_ONCE * network.largest_pair


@dataclass(frozen=True)
class _Network:
    """What cost depends on in an architecture. Activations are the numbers that layers put out for one image."""

    notation: str
    parameters: int
    multiply_adds: int
    activations: int
    largest_pair: int  # activations of two layers in a row, input included
    layers: int  # that have parameters
    convolutions: int


@lru_cache(maxsize=1024)
def _network(notation: str) -> _Network:
    architecture = parse_architecture(notation)
    summaries = summarize(architecture)
    outputs = [math.prod(shape) for shape in (INPUT_SHAPE, *(summary.output_shape for summary in summaries))]
    return _Network(
        notation=format_architecture(architecture),
        parameters=sum(summary.parameters for summary in summaries),
        multiply_adds=sum(summary.multiply_adds for summary in summaries),
        activations=sum(outputs),
        largest_pair=max(first + second for first, second in pairwise(outputs)),
        layers=sum(isinstance(layer, Conv | Dense | BatchNorm) for layer in architecture.layers),
        convolutions=sum(isinstance(layer, Conv) for layer in architecture.layers),
    )


def _ratio(config: TrainingConfig, known: Sequence[Measured]) -> tuple[float, Basis, int]:
    """Return this machine's seconds as a multiple of the reference's, how that is known, and from how many runs."""
    same = [one for one in known if _kind(one.config) == _kind(config)][:_NEAREST_RUNS]
    if same:
        return float(np.median([_slowness(one) for one in same])), "this network was measured here", len(same)
    if not known:
        return 1.0, "from a reference machine of two cores", 0
    here = _shares(config)
    distances = np.array([np.abs(here - _shares(one.config)).sum() / 2 for one in known])
    nearest = np.argsort(distances, kind="stable")[:_NEAREST_RUNS]
    weights = (1 + distances[nearest] / _NEARNESS) ** -2.0
    ratio = _weighted_median(np.array([_slowness(known[index]) for index in nearest]), weights)
    return ratio, "scaled from runs on this machine", len(nearest)


def _kind(config: TrainingConfig) -> tuple[str, int]:
    return _network(config.notation).notation, config.batch_size


def _slowness(one: Measured) -> float:
    expected = _training_seconds(one.config) / (one.config.train_size - one.config.validation_size)
    return float(np.clip(1 / one.images_per_second / expected, _FASTEST, _SLOWEST))


def _training_seconds(config: TrainingConfig) -> float:
    """Return the seconds of an epoch on the reference machine, validation left aside."""
    return sum(SECONDS[name] * amount for name, amount in time_terms(config).items())


def _validation_seconds(config: TrainingConfig) -> float:
    return _reading_seconds(config, TEST_IMAGES if config.validation == "test" else config.validation_size)


def _reading_seconds(config: TrainingConfig, images: int) -> float:
    network = _network(config.notation)
    return (
        images
        * READING_SHARE
        * (SECONDS["multiply-adds"] * network.multiply_adds + SECONDS["activations"] * network.activations)
    )


def _shares(config: TrainingConfig) -> NDArray[np.float64]:
    """Return the share that each term has in the training time, (terms,)."""
    seconds = np.array([SECONDS[name] * amount for name, amount in time_terms(config).items()])
    shares: NDArray[np.float64] = seconds / seconds.sum()
    return shares


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the value at which half of the weight is reached, counted from the lowest."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
