"""What training will cost: estimates beside real reports, counts by hand, and what must hold for any settings."""

from __future__ import annotations

import inspect
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core import runs
from mnist_core.processes import cost
from mnist_core.processes.cost import Cost, Measured
from mnist_core.training.config import Optimizer, TrainingConfig
from mnist_core.training.presets import PRESETS

MakeConfig = Callable[..., TrainingConfig]

HERE = "this network was measured here"
SCALED = "scaled from runs on this machine"
REFERENCE = "from a reference machine of two cores"

# From the reports of the published networks as they were trained for release 0.1, one after the other, on two cores.
SPEEDS = {
    name: Measured(PRESETS[name].config, images_per_second)
    for name, images_per_second in {
        "chollet": 7567.5,
        "keras-steps": 6429.6,
        "nehlr": 8376.7,
        "five-layer": 1430.3,
        "garcia": 1694.4,
    }.items()
}

OPTIMIZERS: tuple[Optimizer, ...] = (
    "adam",
    "adamw",
    "nadam",
    "rmsprop",
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "adadelta",
)
ARCHITECTURES = (
    "10",
    "8C3-P2-16C3-P2-10",
    "32C3-P2-64C3-P2-D0.5-10",
    "512-512-10",
    "4000-4000-10",
    "32C3-BN-32C5S2:same-BN-D0.4-64C3-GAP-BN-10",
    "1024C3-P2-10",
    "1C28-10",
)
configs = st.builds(
    TrainingConfig,
    notation=st.sampled_from(ARCHITECTURES),
    optimizer=st.sampled_from(OPTIMIZERS),
    batch_size=st.integers(1, 4096),
    epochs=st.integers(1, 100),
    train_size=st.integers(100, 60_000),
    validation=st.sampled_from(["last", "random", "test", "none"]),
    rotation=st.sampled_from([0.0, 10.0]),
    elastic=st.sampled_from([0.0, 2.0]),
    thickness=st.sampled_from([0.0, 0.5]),
)


def config(architecture: str = "32C3-P2-64C3-P2-D0.5-10", **others: Any) -> TrainingConfig:
    return TrainingConfig(notation=architecture, **others)


def training_rate(cost_of_epoch: Cost, images: int) -> float:
    return images / cost_of_epoch.seconds_per_epoch


# Counts by hand


def test_parameters_and_multiply_adds_are_those_of_one_image() -> None:
    found = cost.estimate(config("8C3-P2-10"))
    assert found.parameters == 8 * 9 + 8 + 13 * 13 * 8 * 10 + 10
    assert found.multiply_adds == 26 * 26 * 8 * 9 + 13 * 13 * 8 * 10


def test_an_epoch_is_counted_by_hand() -> None:
    terms = cost.time_terms(config("8C3-BN-P2-10", train_size=1000, validation_share=0.1, batch_size=64, shift=1.0))
    steps = 15  # 14 full batches and one of 4 images
    maps = 26 * 26 * 8
    assert terms == {
        "multiply-adds": 900 * (maps * 9 + 1352 * 10),
        "activations": 900 * (784 + maps + maps + 1352 + 10),
        "layers of each batch": steps * 3,
        "convolutions of each batch": steps,
        "parameters of each batch": steps * (8 * 10 + 8 * 4 + 1352 * 10 + 10),
        "images moved": 900,
        "images thickened": 0,
    }


def test_every_term_has_a_coefficient() -> None:
    assert list(cost.time_terms(config())) == list(cost.SECONDS)
    assert list(cost.memory_terms(config())) == list(cost.BYTES)
    assert all(value >= 0 for value in (*cost.SECONDS.values(), *cost.BYTES.values()))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_optimizer_keeps_as_many_numbers_as_keras_says(optimizer: Optimizer) -> None:
    import keras

    from mnist_core.training.optimizers import build_optimizer

    setting = config("10", optimizer=optimizer)
    built = build_optimizer(setting)
    built.build([keras.Variable([0.0] * 7850)])
    kept = sum(math.prod(variable.shape) for variable in built.variables)
    assert kept // 7850 == cost.memory_terms(setting)["optimizer state"] / 7850


def test_reading_takes_as_many_images_at_once_as_cost_thinks() -> None:
    from mnist_core.networks import keras_model

    assert inspect.signature(keras_model.predict).parameters["batch_size"].default == cost._READ_AT_ONCE


# Beside what was measured


def test_without_runs_the_reference_machine_is_told_of() -> None:
    found = cost.estimate(PRESETS["chollet"].config)
    assert (found.basis, found.runs) == (REFERENCE, 0)
    assert found.low < 1 < found.high


@pytest.mark.parametrize("name", SPEEDS)
def test_published_networks_are_foretold_within_a_factor_of_two(name: str) -> None:
    known = replace(SPEEDS[name].config, validation="none")
    others = [speed for other, speed in SPEEDS.items() if other != name]
    found = cost.estimate(known, others)
    assert (found.basis, found.runs) == (SCALED, 4)
    assert 0.5 < training_rate(found, known.train_size) / SPEEDS[name].images_per_second < 2


@pytest.mark.parametrize("name", SPEEDS)
def test_a_machine_of_another_speed_is_foretold_as_well(name: str) -> None:
    known = replace(SPEEDS[name].config, validation="none")
    others = [replace(speed, images_per_second=8 * speed.images_per_second) for speed in SPEEDS.values()]
    found = cost.estimate(known, [speed for speed in others if speed.config.notation != known.notation])
    assert 0.5 < training_rate(found, known.train_size) / (8 * SPEEDS[name].images_per_second) < 2


def test_validation_takes_less_than_learning_from_equal_images() -> None:
    without = cost.estimate(config(validation="none", train_size=10_000)).seconds_per_epoch
    with_test = cost.estimate(config(validation="test", train_size=10_000)).seconds_per_epoch
    assert 1.05 * without < with_test < 2 * without


# Peaks of training processes as `benchmarks/cost.py` found them, 22 November 2026; see docs/benchmarks.md.
PEAKS_MB = [
    (config(batch_size=128, train_size=6_000), 902),
    (config("64C3-32C3-P2-10", batch_size=32, train_size=6_000), 1141),
    (config("10", batch_size=16, train_size=6_000), 744),
    (config("2048-2048-10", batch_size=128, optimizer="sgd", train_size=6_000), 1024),
    (config("4000-4000-10", batch_size=256, train_size=6_000), 1850),
    (config("16C3-P2-10", batch_size=4096, train_size=32_768), 1377),
    (config("10", batch_size=512, train_size=60_000, rotation=10.0), 866),
    # These had no part in fitting the coefficients.
    (config("32C3:same-32C3:same-P2-10", batch_size=2048, train_size=3_000), 1731),
    (config("16C7-32C7-P2-10", batch_size=256, train_size=2_000), 846),
    (config("128C3-P2-128C3-P2-256C3-10", batch_size=64, train_size=1_500), 1378),
    (config("4096-2048-2048-10", batch_size=32, train_size=1_000, optimizer="momentum"), 1433),
    (config("64C3:same-BN-64C3:same-A2-10", train_size=1_000, batch_size=64, elastic=2.0, thickness=0.5), 1346),
    (PRESETS["champion"].config, 1268),  # on two cores; the run that ships had one
]


@pytest.mark.parametrize(("setting", "peak"), PEAKS_MB)
def test_memory_is_rather_too_much_than_too_little(setting: TrainingConfig, peak: float) -> None:
    assert peak <= cost.memory_mb(setting) <= 1.3 * peak
    assert cost.estimate(setting).memory_mb == cost.memory_mb(setting)


@pytest.mark.parametrize("run", runs.list_runs(runs.BUNDLED_RUNS), ids=lambda run: run.id)
def test_memory_of_runs_that_ship_with_the_project_was_foretold(run: runs.Run) -> None:
    assert run.report is not None
    if not run.report.peak_memory_mb:
        pytest.skip("from before memory was measured")
    assert run.report.peak_memory_mb <= cost.memory_mb(run.config) <= 1.3 * run.report.peak_memory_mb


# What runs of this machine say


def test_the_same_network_with_equal_batches_is_the_best_witness() -> None:
    known = config(validation="none", train_size=30_000)
    crowd = [Measured(config(f"{filters}C3-P2-10"), 100.0) for filters in range(8, 40)]
    own = [Measured(replace(known, epochs=9, seed=7), speed) for speed in (1000.0, 4000.0, 2000.0)]
    found = cost.estimate(known, [*crowd, *own])
    assert (found.basis, found.runs) == (HERE, 3)
    assert found.seconds_per_epoch == pytest.approx(30_000 / 2000)


def test_the_same_network_written_otherwise_counts_as_the_same() -> None:
    known = config("32C3S1-P2S2-10", validation="none")
    found = cost.estimate(known, [Measured(config("32C3:relu-P2-10"), 500.0)])
    assert found.basis == HERE
    assert found.seconds_per_epoch == pytest.approx(60_000 / 500, rel=0.01)


def test_another_batch_size_is_another_case() -> None:
    found = cost.estimate(config(batch_size=64), [Measured(config(batch_size=128), 5000.0)])
    assert (found.basis, found.runs) == (SCALED, 1)


def test_one_run_of_a_fast_machine_makes_all_estimates_faster() -> None:
    slow = cost.estimate(config("512-512-10"))
    speed = training_rate(cost.estimate(config(validation="none")), 60_000)
    fast = cost.estimate(config("512-512-10"), [Measured(config(validation="none"), 10 * speed)])
    assert fast.seconds_per_epoch == pytest.approx(slow.seconds_per_epoch / 10, rel=0.01)


def test_runs_that_spend_their_time_alike_count_most() -> None:
    """As on a graphics processor: convolutions are twenty times as fast, and small batches no faster."""

    def on_gpu(setting: TrainingConfig, faster: float) -> Measured:
        return Measured(setting, faster * training_rate(cost.estimate(replace(setting, validation="none")), 60_000))

    convolutions = [config(f"{filters}C3-64C3-P2-10", batch_size=512, validation="none") for filters in (32, 48, 64)]
    small = [config(f"{units}-10", batch_size=1, validation="none") for units in (8, 16, 24, 32)]
    known = [*(on_gpu(setting, 20) for setting in convolutions), *(on_gpu(setting, 1) for setting in small)]
    for setting, faster in ((config("40C3-48C3-P2-10", batch_size=256), 20), (config("12-10", batch_size=2), 1)):
        expected = cost.estimate(setting).seconds_per_epoch / faster
        assert cost.estimate(setting, known).seconds_per_epoch == pytest.approx(expected, rel=0.01)


def test_an_absurd_speed_does_not_make_an_absurd_estimate() -> None:
    usual = cost.estimate(config()).seconds_per_epoch
    for speed in (1e-300, 1e300):
        found = cost.estimate(config(), [Measured(config(), speed)]).seconds_per_epoch
        assert usual / 100 < found < 100 * usual


def test_thousands_of_runs_are_no_more_work_than_some() -> None:
    many = [Measured(config(f"{1 + number % 1000}C3-P2-10"), 1000.0) for number in range(20_000)]
    cost.estimate(config(), many)
    started = time.process_time()
    cost.estimate(config(), many)
    assert time.process_time() - started < 1


# Which runs count


@pytest.fixture
def own_run(tmp_path: Path, trained_run: Path) -> runs.Run:
    """A run of this machine, as the worker reports it, that would have taken 20.8 seconds."""
    run = runs.read_run(shutil.copytree(trained_run, tmp_path / trained_run.name))
    assert run.report is not None
    return replace(run, report=replace(run.report, training_seconds=20.8, images_per_second=500.0))


def changed(run: runs.Run, **values: Any) -> runs.Run:
    assert run.report is not None
    return replace(run, report=replace(run.report, **values))


def test_a_long_run_here_tells_its_speed_without_compiling(own_run: runs.Run) -> None:
    (found,) = cost.measured([own_run])
    assert found.config == own_run.config
    assert found.images_per_second == pytest.approx(500 * 20.8 / 20)


def test_runs_that_cannot_tell_are_left_out(own_run: runs.Run) -> None:
    assert own_run.report is not None
    unfit = [
        replace(own_run, report=None),
        changed(own_run, training_seconds=0.5),
        changed(own_run, training_seconds=math.nan),
        changed(own_run, images_per_second=0.0),
        changed(own_run, images_per_second=math.inf),
        changed(own_run, machine={**own_run.report.machine, "cores": 4096}),
        changed(own_run, machine={}),
        *runs.list_runs(runs.BUNDLED_RUNS),
    ]
    assert cost.measured(unfit) == []
    assert len(cost.measured([*unfit, own_run])) == 1


# What holds for any settings


def test_more_epochs_take_in_proportion_longer() -> None:
    one, two, eleven = (cost.estimate(config(epochs=epochs)) for epochs in (1, 2, 11))
    assert one.seconds_per_epoch == eleven.seconds_per_epoch
    each = two.seconds_in_all - one.seconds_in_all
    assert eleven.seconds_in_all - one.seconds_in_all == pytest.approx(10 * each)
    assert 0 < one.seconds_in_all - each < 30  # starting


@pytest.mark.parametrize("train_size", [1_000, 60_000])
def test_the_test_images_are_read_after_each_epoch(train_size: int) -> None:
    training, validated_by_them = (
        cost.estimate(config(validation=validation, train_size=train_size)).seconds_per_epoch
        for validation in ("none", "test")
    )
    one, two = (cost.estimate(config(validation="none", train_size=train_size, epochs=epochs)) for epochs in (1, 2))
    each = two.seconds_in_all - one.seconds_in_all
    assert each - training == pytest.approx(validated_by_them - training)


def test_more_images_take_in_proportion_longer() -> None:
    half, whole = (cost.estimate(config(train_size=size, batch_size=100)) for size in (30_000, 60_000))
    assert whole.seconds_per_epoch == pytest.approx(2 * half.seconds_per_epoch)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (config("32C3-P2-10"), config("64C3-P2-10")),
        (config("32C3:same-P2-10"), config("32C5:same-P2-10")),
        (config("32C3-P2-10"), config("32C3-32C3-P2-10")),
        (config("256-10"), config("2048-10")),
        (config("32C3-P2-10"), config("32C3-BN-P2-10")),
        (config(), config(rotation=5.0)),
        (config(thickness=0.5), config(thickness=0.5, elastic=1.0)),
        (config("2048-2048-10", optimizer="sgd"), config("2048-2048-10", optimizer="adam")),
    ],
)
def test_more_work_costs_more(small: TrainingConfig, large: TrainingConfig) -> None:
    less, more = cost.estimate(small), cost.estimate(large)
    assert less.seconds_per_epoch <= more.seconds_per_epoch
    assert less.memory_mb <= more.memory_mb
    assert (less.seconds_per_epoch, less.memory_mb) != (more.seconds_per_epoch, more.memory_mb)


def test_larger_batches_take_more_memory_and_less_time() -> None:
    found = [cost.estimate(config(batch_size=size)) for size in (16, 128, 512, 1024, 4096)]
    memory = [each.memory_mb for each in found]
    assert memory == sorted(memory)
    assert memory[-1] > memory[2] + 500
    seconds = [each.seconds_per_epoch for each in found]
    assert seconds == sorted(seconds, reverse=True)


@settings(deadline=None)
@given(configs, st.lists(st.builds(Measured, configs, st.floats(1e-3, 1e9)), max_size=5))
def test_any_estimate_is_finite_and_positive(setting: TrainingConfig, known: list[Measured]) -> None:
    found = cost.estimate(setting, known)
    for value in (found.seconds_per_epoch, found.seconds_in_all, found.memory_mb, found.parameters):
        assert math.isfinite(value)
        assert value > 0
    assert found.seconds_in_all > setting.epochs * found.seconds_per_epoch
    assert found.memory_mb > 700  # TensorFlow alone
    assert 0 < found.low < 1 < found.high
    assert (found.basis == REFERENCE) == (not known) == (found.runs == 0)
