"""What the app makes of bad input, in thousands of generated cases: `python -m benchmarks.bad_input [--cases 12000]`.

The cases are those of the tests (`tests/support/bad_cases`, `tests/support/bad_visits.py`) in larger numbers. Nine of
ten go to the functions that read what comes from outside, one of ten goes through a page, run by Streamlit's own test
runner. A failure is anything but an answer: an exception that stands for no message, a message that is unclear, a page
with a traceback or with markup of somebody else's, a file where none belongs. Prints a table in Markdown with cases,
answers, failures and the slowest case of each kind, then the failures; the exit code tells whether there were any. No
browser, no TensorFlow.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.measuring import print_conditions, print_table, say
from mnist_core.common.server import PROJECT
from tests.support.bad_cases import KINDS
from tests.support.bad_cases.trials import CaseKind, Home, tried
from tests.support.bad_visits import VISITS, open_to_visitors

_SHARE_OF_PAGES = 0.1
_MOST_FAILURES = 5  # of a kind that are printed


@dataclass
class Tally:
    """What came of the cases of one kind."""

    cases: int = 0
    told: int = 0
    slowest: float = 0.0  # seconds
    failures: list[str] = field(default_factory=list)


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--cases", type=int, default=12_000, help="in all (12,000)")
    options.add_argument("--seed", type=int, default=1, help="other seeds draw other cases (1)")
    chosen = options.parse_args()
    warnings.simplefilter("ignore")  # Pillow and NumPy warn of what they are given
    logging.disable()
    tallies: dict[CaseKind, Tally] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for number, kind in enumerate((*KINDS, *VISITS)):
            of_pages = kind in VISITS
            share = _SHARE_OF_PAGES / len(VISITS) if of_pages else (1 - _SHARE_OF_PAGES) / len(KINDS)
            home = Home(Path(folder) / str(number))
            os.chdir(home.elsewhere)  # what is written to a relative path is found there
            if of_pages:
                stack.enter_context(open_to_visitors(home))
            tallies[kind] = tally(kind, home, round(share * chosen.cases), chosen.seed)
            say(f"{kind.name}: {tallies[kind].cases:,} cases, {len(tallies[kind].failures)} failures")
        os.chdir(PROJECT)
    report(tallies)
    return 1 if any(each.failures for each in tallies.values()) else 0


def tally(kind: CaseKind, home: Home, count: int, chosen_seed: int) -> Tally:
    """Try `count` cases of a kind."""
    result = Tally()

    @seed(chosen_seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(kind.cases)
    def try_one(case: Any) -> None:
        home.clear()
        result.cases += 1
        started = time.perf_counter()
        try:
            result.told += tried(kind, case, home)
        except Exception as error:
            result.failures.append(f"{case!r:.200}: {type(error).__name__}: {error!s:.300}")
        result.slowest = max(result.slowest, time.perf_counter() - started)

    try_one()
    return result


def report(tallies: dict[CaseKind, Tally]) -> None:
    """Print the table, and failures if there were any."""
    rows = [(kind.name, kind in VISITS, each) for kind, each in tallies.items()]
    print_table(
        ("bad input", "goes to", "cases", "taken without a word", "answered in words", "failures", "slowest"),
        [
            (
                name,
                "a page" if of_pages else "the reader",
                f"{each.cases:,}",
                f"{each.cases - each.told - len(each.failures):,}",
                f"{each.told:,}",
                len(each.failures),
                f"{each.slowest:.2f} s",
            )
            for name, of_pages, each in rows
        ],
    )
    cases = sum(each.cases for _, _, each in rows)
    visits = sum(each.cases for _, of_pages, each in rows if of_pages)
    print(
        f"\n{cases:,} cases, {visits:,} of them through pages; {sum(len(each.failures) for *_, each in rows)} failures."
    )
    print_conditions("streamlit", "hypothesis", "pillow", "numpy")
    for name, _, each in rows:
        for failure in each.failures[:_MOST_FAILURES]:
            print(f"\n{name}: {failure}")


if __name__ == "__main__":
    sys.exit(main())
