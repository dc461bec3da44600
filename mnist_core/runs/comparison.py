"""Training runs side by side: what differs in their settings, and what their results say about which is better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.text import percent
from mnist_core.evaluation.statistics import McNemar
from mnist_core.runs import Run
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import EpochDone

History = Sequence[EpochDone]  # the epochs of one run
EpochValue = Literal["accuracy", "loss", "validation_accuracy", "validation_loss"]

VERDICT_LIMITS = (
    "This compares two trained networks on the 10,000 test images, not their settings. Trained again with another "
    "seed, the same settings give another network; to say which settings are better, train each with several seeds."
)

_LABELS = ("preset",)  # settings that name a configuration and have no effect on training
_SIGNIFICANT = 0.05
_VERY_SIGNIFICANT = 0.001


@dataclass(frozen=True)
class Difference:
    """A setting in which configurations differ: the name of its field, and its value in each, in their order."""

    setting: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class SeedSummary:
    """Accuracies of the same settings, trained with several seeds, as shares. One run has no standard deviation."""

    count: int
    mean: float
    standard_deviation: float | None  # of the sample: n - 1 in the denominator
    lowest: float
    highest: float


@dataclass(frozen=True)
class Band:
    """A value of several runs, epoch by epoch: mean and sample standard deviation (n - 1); all arrays are (epochs,)."""

    epochs: NDArray[np.int64]  # counted from 1, ascending
    mean: NDArray[np.float64]
    standard_deviation: NDArray[np.float64]
    count: NDArray[np.int64]  # runs behind each mean, 2 at least


def config_differences(configs: Sequence[TrainingConfig]) -> list[Difference]:
    """Return the settings whose values are not the same in all of `configs`, in the order they are declared.

    The preset is left out even if nothing else differs: it is a label, and an empty list means equal training.
    """
    if not configs:
        return []
    names = [setting.name for setting in fields(configs[0]) if setting.name not in _LABELS]
    settings = [Difference(name, tuple(getattr(config, name) for config in configs)) for name in names]
    return [setting for setting in settings if any(value != setting.values[0] for value in setting.values)]


def verdict(name_a: str, name_b: str, result: McNemar) -> str:
    """Say in a sentence which of two networks reads better and whether that may be chance; see `VERDICT_LIMITS`."""
    a, b, p_value = result.only_a_right, result.only_b_right, result.p_value
    if a == b == 0:
        return f"{name_a} and {name_b} get exactly the same images right: nothing tells them apart."
    if a == b:
        return (
            f"{name_a} and {name_b} each get {_images(a)} right that the other gets wrong: neither is shown to be "
            "better."
        )
    if p_value >= _SIGNIFICANT:
        conclusion = "it may well be chance"
    else:
        certainty = "clearly" if p_value < _VERY_SIGNIFICANT else "probably"
        conclusion = f"{name_a if a > b else name_b} is {certainty} better"
    return (
        f"{name_a} gets {_images(a)} right that {name_b} gets wrong, and {name_b} {_images(b)} that {name_a} gets "
        "wrong: if both were equally good, a difference at least this large would arise by chance "
        f"{_how_often(p_value)} (McNemar’s exact test), so {conclusion}."
    )


def same_but_seed(config: TrainingConfig) -> TrainingConfig:
    """Return `config` with the default seed and label: equal for all that differ in their seed alone, a key to sort by.

    Settings that another one leaves without effect count too: settings that differ in them are not the same.
    """
    return replace(config, seed=TrainingConfig.seed, **{label: getattr(TrainingConfig, label) for label in _LABELS})


def group_by_settings(runs: Iterable[Run]) -> dict[TrainingConfig, list[Run]]:
    """Sort runs by `same_but_seed` of their settings. Groups, and the runs of each, come in the order given."""
    groups: defaultdict[TrainingConfig, list[Run]] = defaultdict(list)
    for run in runs:
        groups[same_but_seed(run.config)].append(run)
    return dict(groups)


def one_per_seed(runs: Iterable[Run]) -> list[Run]:
    """Return the first run of each seed. Repeats with the same seed tell nothing about how results scatter."""
    first: dict[int, Run] = {}
    for run in runs:
        first.setdefault(run.config.seed, run)
    return list(first.values())


def seed_summary(accuracies: Sequence[float]) -> SeedSummary:
    """Summarize the accuracies of runs that differ in nothing but the seed. Raises `ValueError` without any."""
    if not accuracies:
        raise ValueError("A summary needs the accuracy of one run at least.")
    deviation = float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None
    return SeedSummary(len(accuracies), float(np.mean(accuracies)), deviation, min(accuracies), max(accuracies))


def epoch_band(histories: Sequence[History], value: EpochValue) -> Band:
    """Return mean and spread over several runs, for each epoch that at least two of them completed.

    Runs may differ in length; a run that did not measure `value` in an epoch does not count there.
    """
    by_epoch: defaultdict[int, list[float]] = defaultdict(list)
    for history in histories:
        for event in history:
            measured = getattr(event, value)
            if event.complete and measured is not None:
                by_epoch[event.epoch].append(measured)
    epochs = sorted(epoch for epoch, values in by_epoch.items() if len(values) > 1)
    return Band(
        np.array(epochs, np.int64),
        np.array([np.mean(by_epoch[epoch]) for epoch in epochs], np.float64),
        np.array([np.std(by_epoch[epoch], ddof=1) for epoch in epochs], np.float64),
        np.array([len(by_epoch[epoch]) for epoch in epochs], np.int64),
    )


def _images(count: int) -> str:
    """Return a count in words: "no image", "1 image", "1,234 images"."""
    return "no image" if count == 0 else "1 image" if count == 1 else f"{count:,} images"


def _how_often(p_value: float) -> str:
    if p_value < _VERY_SIGNIFICANT:
        return "less than once in a thousand times"
    if p_value >= 0.995:
        return "nearly always"
    return f"in {percent(p_value, 1)} of cases" if p_value < 0.0995 else f"in {percent(p_value, 0)} of cases"
