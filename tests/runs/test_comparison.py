"""Runs side by side: what differs, what verdicts say, and what several seeds have in common."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.statistics import McNemar, mcnemar
from mnist_core.runs import BUNDLED_RUNS, Run, list_runs
from mnist_core.runs.comparison import (
    VERDICT_LIMITS,
    Difference,
    config_differences,
    epoch_band,
    group_by_settings,
    one_per_seed,
    same_but_seed,
    seed_summary,
    verdict,
)
from mnist_core.runs.results import read_predictions
from mnist_core.runs.status import Status
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import EpochDone
from mnist_core.training.presets import PRESETS

BASE = TrainingConfig()


def epochs(*values: Any, field: str = "accuracy") -> list[EpochDone]:
    """Make whole epochs from the first on, with these values in one field and 0.5 in all others."""
    plain = EpochDone(1, 100, True, 0.5, 0.5, 0.5, 0.5, 1.0)
    return [replace(plain, **{"epoch": number, field: value}) for number, value in enumerate(values, start=1)]


def run(name: str, **settings: Any) -> Run:
    return Run(Path(name), replace(BASE, **settings), Status("finished"), None)


def test_equal_configurations_differ_in_nothing() -> None:
    assert config_differences([BASE, TrainingConfig(), replace(BASE)]) == []


def test_one_configuration_or_none_has_no_differences() -> None:
    assert config_differences([]) == []
    assert config_differences([BASE]) == []


def test_differences_are_listed_with_the_value_of_each_config() -> None:
    configs = [BASE, replace(BASE, batch_size=32, seed=7), replace(BASE, batch_size=32)]
    assert config_differences(configs) == [Difference("batch_size", (128, 32, 32)), Difference("seed", (1, 7, 1))]


def test_differences_come_in_the_order_of_the_settings() -> None:
    found = config_differences([PRESETS["chollet"].config, PRESETS["garcia"].config])
    names = [difference.setting for difference in found]
    declared = [setting.name for setting in fields(TrainingConfig)]
    assert {"notation", "optimizer", "epochs", "validation"} <= set(names)
    assert names == sorted(names, key=declared.index)
    assert not {"batch_size", "scaling", "seed"} & set(names)


def test_a_label_is_no_difference() -> None:
    assert config_differences([BASE, replace(BASE, preset="another name")]) == []


def test_settings_that_are_yet_to_come_are_compared_as_well() -> None:
    @dataclass(frozen=True)
    class Future:
        preset: str = "custom"
        epochs: int = 5
        moon_phase: str = "full"

    configs: list[Any] = [Future(), Future(moon_phase="new", preset="mine")]
    found = config_differences(configs)
    assert found == [Difference("moon_phase", ("full", "new"))]


@pytest.mark.parametrize("names", [("A", "B"), ("keras-steps", "my run")])
def test_a_verdict_that_is_probably_right(names: tuple[str, str]) -> None:
    a, b = names
    assert verdict(a, b, McNemar(9900, 38, 21, 41, 0.0363)) == (
        f"{a} gets 38 images right that {b} gets wrong, and {b} 21 images that {a} gets wrong: if both were equally "
        "good, a difference at least this large would arise by chance in 3.6% of cases (McNemar’s exact test), "
        f"so {a} is probably better."
    )


def test_a_verdict_names_the_better_network_in_either_order() -> None:
    assert verdict("A", "B", McNemar(0, 38, 21, 0, 0.0363)).endswith("so A is probably better.")
    assert verdict("A", "B", McNemar(0, 21, 38, 0, 0.0363)).endswith("so B is probably better.")
    assert verdict("A", "B", McNemar(0, 2100, 3800, 0, 1e-9)).endswith("so B is clearly better.")


@pytest.mark.parametrize(
    ("p_value", "words", "conclusion"),
    [
        (0.0499, "in 5.0% of cases", "A is probably better."),
        (0.0501, "in 5.0% of cases", "so it may well be chance."),
        (0.42, "in 42% of cases", "so it may well be chance."),
        (0.0994, "in 9.9% of cases", "so it may well be chance."),
        (0.0997, "in 10% of cases", "so it may well be chance."),
        (1.0, "nearly always", "so it may well be chance."),
        (0.001, "in 0.1% of cases", "A is probably better."),
        (0.000999, "less than once in a thousand times", "A is clearly better."),
        (1e-300, "less than once in a thousand times", "A is clearly better."),
    ],
)
def test_verdicts_say_how_likely_chance_is(p_value: float, words: str, conclusion: str) -> None:
    text = verdict("A", "B", McNemar(0, 38, 21, 0, p_value))
    assert f"by chance {words} (McNemar" in text
    assert text.endswith(conclusion)


def test_verdicts_word_none_and_one_and_put_commas_in_thousands() -> None:
    assert verdict("A", "B", McNemar(0, 1, 0, 0, 1.0)).startswith(
        "A gets 1 image right that B gets wrong, and B no image that A gets wrong: "
    )
    assert verdict("A", "B", McNemar(0, 1960, 15, 0, 1e-99)).startswith("A gets 1,960 images right that B gets wrong, ")


def test_verdicts_on_networks_that_nothing_tells_apart() -> None:
    same = verdict("A", "B", McNemar(9900, 0, 0, 100, 1.0))
    assert same == "A and B get exactly the same images right: nothing tells them apart."
    even = verdict("A", "B", McNemar(9900, 20, 20, 60, 1.0))
    assert even == "A and B each get 20 images right that the other gets wrong: neither is shown to be better."


def test_verdicts_on_networks_that_ship_with_the_project(mnist: Mnist) -> None:
    chollet, garcia, keras_steps = (
        read_predictions(BUNDLED_RUNS / name) for name in ("chollet", "garcia", "keras-steps")
    )
    assert verdict("chollet", "garcia", mcnemar(mnist.y_test, chollet, garcia)).endswith(
        "so chollet is clearly better."
    )
    assert verdict("garcia", "chollet", mcnemar(mnist.y_test, garcia, chollet)).endswith(
        "so chollet is clearly better."
    )
    assert "may well be chance" in verdict("chollet", "keras-steps", mcnemar(mnist.y_test, chollet, keras_steps))


def test_what_a_verdict_does_not_say_is_said() -> None:
    assert "10,000" in VERDICT_LIMITS
    assert "seed" in VERDICT_LIMITS


def changes_of_each_setting() -> dict[str, Any]:
    """Give each setting with effect another value than it has in BASE."""
    changes: dict[str, Any] = {"notation": "10"}
    for name, hint in get_type_hints(TrainingConfig).items():
        setting, value = TrainingConfig.__dataclass_fields__[name], getattr(BASE, name)
        if get_origin(hint) is Literal:
            changes[name] = next(option for option in get_args(hint) if option != value)
        elif name not in ("preset", "notation"):
            changes[name] = setting.metadata["low"] if value != setting.metadata["low"] else setting.metadata["high"]
    assert set(changes) == {setting.name for setting in fields(TrainingConfig)} - {"preset"}
    return changes


@pytest.mark.parametrize(("name", "value"), changes_of_each_setting().items())
def test_every_setting_with_effect_is_compared(name: str, value: Any) -> None:
    changed = replace(BASE, preset="mine", **{name: value})
    assert config_differences([BASE, changed]) == [Difference(name, (getattr(BASE, name), value))]
    assert (same_but_seed(changed) == same_but_seed(BASE)) == (name == "seed")
    assert name == "seed" or getattr(same_but_seed(changed), name) == value


def test_runs_are_grouped_by_settings_in_the_order_given() -> None:
    runs = [
        run("a", seed=3),
        run("b", epochs=9),
        run("c", seed=1, preset="mine"),
        run("d", epochs=9, seed=5),
        run("e", batch_size=32),
    ]
    groups = group_by_settings(runs)
    assert [[one.id for one in group] for group in groups.values()] == [["a", "c"], ["b", "d"], ["e"]]
    assert [group.epochs for group in groups] == [5, 9, 5]
    assert group_by_settings([]) == {}


def test_networks_that_ship_have_different_settings() -> None:
    bundled = list_runs(BUNDLED_RUNS)
    assert len(group_by_settings(bundled)) == len(bundled) > 1


def test_one_run_per_seed_counts() -> None:
    runs = [run("a", seed=2), run("b", seed=1), run("c", seed=2), run("d", seed=3), run("e", seed=1)]
    assert [one.id for one in one_per_seed(runs)] == ["a", "b", "d"]


@pytest.mark.parametrize(
    "accuracies",
    [[0.99, 0.992], [0.9901, 0.9912, 0.9899, 0.9934, 0.9915], [0.5, 0.5, 0.5], [0.1 * k for k in range(10)]],
)
def test_summaries_of_seeds_are_those_of_the_standard_library(accuracies: list[float]) -> None:
    summary = seed_summary(accuracies)
    assert summary.count == len(accuracies)
    assert summary.mean == pytest.approx(statistics.fmean(accuracies))
    assert summary.standard_deviation == pytest.approx(statistics.stdev(accuracies), abs=1e-15)
    assert (summary.lowest, summary.highest) == (min(accuracies), max(accuracies))


def test_a_summary_worked_out_by_hand() -> None:
    """Deviations from 0.98 are -0.01, 0 and 0.01: a sum of squares of 0.0002, over n - 1 = 2."""
    assert seed_summary([0.97, 0.98, 0.99]).standard_deviation == pytest.approx(0.01)


def test_one_run_has_no_standard_deviation_and_none_no_summary() -> None:
    summary = seed_summary([0.99])
    assert (summary.count, summary.mean, summary.standard_deviation) == (1, 0.99, None)
    with pytest.raises(ValueError, match="one run at least"):
        seed_summary([])


def test_a_band_covers_the_epochs_that_two_runs_completed() -> None:
    band = epoch_band([epochs(0.90, 0.94, 0.96), epochs(0.92), epochs(0.97, 0.98, 0.98, 0.99)], "accuracy")
    assert band.epochs.tolist() == [1, 2, 3]
    assert band.count.tolist() == [3, 2, 2]
    assert band.mean.tolist() == pytest.approx([0.93, 0.96, 0.97])
    assert band.standard_deviation.tolist() == pytest.approx(
        [statistics.stdev([0.90, 0.92, 0.97]), statistics.stdev([0.94, 0.98]), statistics.stdev([0.96, 0.98])]
    )


@pytest.mark.parametrize("value", ["accuracy", "loss", "validation_accuracy", "validation_loss"])
def test_a_band_is_about_the_value_asked_for(value: Any) -> None:
    band = epoch_band([epochs(0.1, 0.2, field=value), epochs(0.3, 0.6, field=value)], value)
    assert band.mean.tolist() == pytest.approx([0.2, 0.4])


def test_a_band_leaves_out_what_was_not_measured_or_completed() -> None:
    measured = epochs(0.9, 0.8, 0.7, field="validation_loss")
    partly = epochs(0.7, None, 0.5, field="validation_loss")
    broken_off = [*measured[:2], replace(measured[2], complete=False, validation_loss=9.0)]
    band = epoch_band([measured, partly, broken_off], "validation_loss")
    assert band.epochs.tolist() == [1, 2, 3]
    assert band.count.tolist() == [3, 2, 2]
    assert band.mean.tolist() == pytest.approx([2.5 / 3, 0.8, 0.6])
    never = epochs(None, None, field="validation_loss")
    assert epoch_band([measured, never], "validation_loss").epochs.tolist() == []


@pytest.mark.parametrize("histories", [[], [epochs(0.9, 0.95)], [[], []], [epochs(0.9), []]])
def test_there_is_no_band_without_two_runs(histories: list[list[EpochDone]]) -> None:
    band = epoch_band(histories, "accuracy")
    for array in (band.epochs, band.mean, band.standard_deviation, band.count):
        assert array.shape == (0,)
