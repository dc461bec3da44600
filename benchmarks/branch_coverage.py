"""How much of the code the tests reach, branches included: `python -m benchmarks.branch_coverage [options of pytest]`.

Child processes count: training, inference and servers; only what a process did that was killed is not known. Prints
what is not reached, then a table of packages. What to measure can be narrowed, as in `tests/processes -n 0`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measuring import print_conditions, print_table
from mnist_core.common.server import PROJECT


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        environment = {**os.environ, "COVERAGE_FILE": str(Path(folder) / "data")}

        def coverage(*words: str) -> int:
            return subprocess.call([sys.executable, "-m", "coverage", *words], cwd=PROJECT, env=environment)

        status = coverage("run", "-m", "pytest", *sys.argv[1:])
        for words in (["combine", "--quiet"], ["report"], ["json", "--quiet", "-o", str(result)]):
            if coverage(*words):
                return 1
        files = json.loads(result.read_text(encoding="utf-8"))["files"]
    print()
    print_table(["package", "lines", "reached", "branches", "reached", "lines and branches reached"], rows_of(files))
    print_conditions("coverage", "pytest")
    if status:
        print(f"\npytest ended with status {status}: what failed tests had yet to reach is missing.")
    return status


def rows_of(files: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for `mnist_core`, `ui` and each package in them, from what `coverage json` tells of each file."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for file, told in files.items():
        part, package, *_ = Path(file).with_suffix("").parts
        for name in (part, f"{part}.{package}"):
            sums[name].update(told["summary"])
    return [[f"`{name}`", *cells(counts)] for name, counts in sorted(sums.items()) if counts["num_statements"]]


def cells(counts: Mapping[str, int]) -> list[str]:
    lines, reached = counts["num_statements"], counts["covered_lines"]
    branches, taken = counts["num_branches"], counts["covered_branches"]
    share = (reached + taken) / (lines + branches)
    return [*(f"{count:,}" for count in (lines, reached, branches, taken)), f"{share:.1%}"]


if __name__ == "__main__":
    sys.exit(main())
