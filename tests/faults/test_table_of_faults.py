"""The table of faults in docs/faults.md."""

from __future__ import annotations

import ast
import re

from mnist_core import runs


def test_every_test_in_the_table_of_faults_exists() -> None:
    table = (runs.PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith("| ") and "::" in line]
    assert len(rows) > 15
    known: dict[str, set[str]] = {}
    for row in rows:
        fault, seen, kept, tests = (cell.strip() for cell in row.strip("| ").split(" | "))
        assert fault
        assert seen
        assert kept
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
        assert len(named) == tests.count("::") > 0, row
        for file, name in named:
            if file not in known:
                tree = ast.parse((runs.PROJECT / "tests" / file).read_text(encoding="utf-8"))
                known[file] = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert name in known[file], f"{file} has no {name}"
