"""Whether the tests catch small faults: `python -m benchmarks.seeded_faults [--only N …]`.

Puts 25 small faults into a copy of the project, one at a time, and runs against each the tests that reach it. The
faults were chosen before anyone looked at whether a test catches them. Prints a table; the exit status is 1 if one was
not caught.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import print_conditions, print_table, say
from mnist_core.common.server import PROJECT

_PATIENCE = 900  # seconds; a fault may make tests wait for ever
_SHOWN = 44  # characters of code in the table


@dataclass(frozen=True)
class Fault:
    """A slip: in `file`, `before`, which stands there once, becomes `after`; `tests` are what reaches it."""

    file: str
    before: str
    after: str
    tests: str


FAULTS = (
    Fault("mnist_core/common/text.py", "share >= 0.001", "share >= 0.01", "tests/common"),
    Fault(
        "mnist_core/common/trash.py",
        "left < 0",
        "left <= 0",
        "tests/runs/test_trash.py tests/drawing/class_sets/test_trash.py",
    ),
    Fault(
        "mnist_core/data/augmentation.py",
        "source_y + field[:, 1]",
        "source_y + field[:, 0]",
        "tests/data/test_augmentation.py",
    ),
    Fault("mnist_core/data/index_lists.py", "int(end) >= count", "int(end) > count", "tests/data/test_index_lists.py"),
    Fault(
        "mnist_core/data/neighbours.py",
        "next(each.label for each in both if votes[each.label] == votes.max())",
        "int(votes.argmax())",
        "tests/data/test_neighbours.py",
    ),
    Fault(
        "mnist_core/networks/layers.py",
        "zeros // 2, zeros - zeros // 2",
        "zeros - zeros // 2, zeros // 2",
        "tests/networks",
    ),
    Fault(
        "mnist_core/networks/notation.py",
        "parameters += summary.parameters",
        "parameters = summary.parameters",
        "tests/networks/test_notation.py",
    ),
    Fault(
        "mnist_core/networks/insight/occlusion.py",
        "np.where(np.arange(len(before)) == before.argmax(), falls, -falls)",
        "falls",
        "tests/networks/insight",
    ),
    Fault(
        "mnist_core/evaluation/epochs.py",
        "-count[forgotten]",
        "count[forgotten]",
        "tests/evaluation tests/runs/test_epoch_predictions.py",
    ),
    Fault("mnist_core/evaluation/agreement.py", "2 * failed >= networks", "2 * failed > networks", "tests/evaluation"),
    Fault(
        "mnist_core/evaluation/scores.py",
        "np.searchsorted(edges[1:-1], sure)",
        'np.searchsorted(edges[1:-1], sure, "right")',
        "tests/evaluation/test_scores.py",
    ),
    Fault(
        "mnist_core/drawing/verdict.py",
        "2 * len(against) > len(others)",
        "2 * len(against) >= len(others)",
        "tests/drawing/test_verdict.py",
    ),
    Fault("mnist_core/drawing/photos/finding_digits.py", "[-MOST_DIGITS:]", "[:MOST_DIGITS]", "tests/drawing/photos"),
    Fault(
        "mnist_core/drawing/class_sets/trash.py",
        "_drawings(source) + _drawings(target) > bounds.drawings",
        "_drawings(source) > bounds.drawings",
        "tests/drawing/class_sets",
    ),
    Fault(
        "mnist_core/training/schedules.py",
        "(steps + 1) / max(warm_up, 1)",
        "steps / max(warm_up, 1)",
        "tests/training/test_schedules.py",
    ),
    Fault(
        "mnist_core/training/diagnosis.py",
        'min(max(float(f"{config.learning_rate * factor:.1g}"), low or 0), high or math.inf)',
        'max(float(f"{config.learning_rate * factor:.1g}"), low or 0)',
        "tests/training/test_diagnosis.py",
    ),
    Fault(
        "mnist_core/training/export/files.py",
        'row["step"] <= event.step',
        'row["step"] < event.step',
        "tests/training/export",
    ),
    Fault(
        "mnist_core/runs/comparison.py",
        "if event.complete and measured is not None",
        "if measured is not None",
        "tests/runs/test_comparison.py",
    ),
    Fault(
        "mnist_core/runs/status.py",
        "abs(time.time() - status.updated)",
        "time.time() - status.updated",
        "tests/runs/test_status.py tests/faults/test_clocks.py",
    ),
    Fault(
        "mnist_core/processes/queue.py",
        "max(1, cores // CORES_PER_RUN)",
        "cores // CORES_PER_RUN",
        "tests/processes/test_queue.py",
    ),
    Fault(
        "mnist_core/processes/machine.py",
        "min(available, numbers[0] - numbers[1])",
        "numbers[0] - numbers[1]",
        "tests/processes/test_machine.py",
    ),
    Fault("mnist_core/figures/curve_figures.py", "x > end / 2", "x < end / 2", "tests/figures/test_curve_figures.py"),
    Fault("ui/session/bound.py", "() if keeps_place else _OF_ONE_LIST", "()", "tests/pages/test_explore.py"),
    Fault(
        "ui/explore/two_networks_view.py",
        "a, b = cached_reads.predictions(pair.a), cached_reads.predictions(pair.b)",
        "b, a = cached_reads.predictions(pair.a), cached_reads.predictions(pair.b)",
        "tests/pages/test_explore_scores.py",
    ),
    Fault(
        "ui/train/progress.py",
        "(last.epoch - 1) * config.steps_per_epoch",
        "last.epoch * config.steps_per_epoch",
        "tests/pages/test_pages.py tests/pages/test_starting.py",
    ),
)


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", type=int, nargs="+", metavar="N", help="only these faults, counted from 1")
    only = options.parse_args().only or range(1, len(FAULTS) + 1)
    chosen = [FAULTS[number - 1] for number in only]
    rows, missed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_project(copy)
        say("The tests without a fault …")
        if failed := first_failure(copy, " ".join(dict.fromkeys(fault.tests for fault in chosen))):
            raise SystemExit(f"They fail without a fault: {failed}")
        for number, fault in zip(only, chosen, strict=True):
            started = time.perf_counter()
            caught = first_failure_with(fault, copy)
            seconds = time.perf_counter() - started
            missed += not caught
            said = f"`{caught}`" if caught else "NOT CAUGHT"
            say(f"{number}: {fault.file}: {said}, {seconds:.0f} s")
            change = f"{shown(fault.before)} → {shown(fault.after)}"
            rows.append([number, f"`{fault.file}`", change, f"`{fault.tests}`", said, f"{seconds:.0f}"])
    print_table(["", "file", "fault", "tests", "caught by", "s"], rows)
    print(f"\n{len(chosen) - missed} of {len(chosen)} caught.")
    print_conditions("pytest")
    return 1 if missed else 0


def copy_project(target: Path) -> None:
    """Copy the files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, target / name)


def first_failure_with(fault: Fault, copy: Path) -> str:
    """Return the first test that fails with a fault, "" if none does; afterwards, the copy is as before."""
    file = copy / fault.file
    source = file.read_text(encoding="utf-8")
    if source.count(fault.before) != 1:
        raise SystemExit(f"{fault.file} has this {source.count(fault.before)} times, not once: {fault.before}")
    file.write_text(source.replace(fault.before, fault.after), encoding="utf-8")
    try:
        return first_failure(copy, fault.tests)
    finally:
        file.write_text(source, encoding="utf-8")


def first_failure(copy: Path, tests: str) -> str:
    """Run tests in the copy until one fails, and return its name; "" if none does."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests.split()]
    # Bytecode would stay behind when a file changes twice within a second.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return f"no end within {_PATIENCE} s"
    if not done.returncode:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (?:[^\s:]+::)?(\w+)", done.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"pytest ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return found[1]


def shown(code: str) -> str:
    return f"`{code if len(code) <= _SHOWN else code[: _SHOWN - 2] + ' …'}`"


if __name__ == "__main__":
    sys.exit(main())
