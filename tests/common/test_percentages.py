"""All text writes a percentage in one way, “99.09%”, and by one function."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_core.common.server import PROJECT
from mnist_core.common.text import percent

SOURCES = [
    PROJECT / "app.py",
    *(file for part in ("pages", "ui", "mnist_core") for file in (PROJECT / part).rglob("*.py")),
]
SCRIPTS = sorted((PROJECT / "ui" / "components").glob("*.js"))
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
SPACED = re.compile(r"[0-9}df]\s%(?![{A-Za-z0-9])|[0-9}df]\s%%|^\s%(?!{)")  # also "%.2f %%", and after a value


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield all strings of a module but its documentation, with their lines."""
    documentation = {id(each.value) for each in ast.walk(node) if isinstance(each, ast.Expr)}
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in documentation:
            yield each.lineno, each.value


@pytest.mark.parametrize(
    ("share", "decimals", "expected"),
    [
        (0.98765, 2, "98.77%"),  # rounded
        (0.9909, 2, "99.09%"),
        (1.0, 2, "100.00%"),
        (0.99999, 2, "100.00%"),
        (0.05, 0, "5%"),
        (0.0, 1, "0.0%"),
        (0.98234, None, "98.2%"),
        (0.9991, None, "over 99.9%"),
        (0.0051, None, "0.5%"),
        (0.001, None, "0.1%"),
        (0.0004, None, "under 0.1%"),
    ],
)
def test_a_probability_is_never_rounded_to_certainty(share: float, decimals: int | None, expected: str) -> None:
    assert percent(share, decimals) == expected


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_text_asks_for_percentages_in_one_place(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    own = [
        each.lineno
        for each in ast.walk(tree)
        if isinstance(each, ast.FormattedValue) and each.format_spec and ast.unparse(each.format_spec).endswith("%'")
    ]
    home = [] if "def percent(" not in file.read_text(encoding="utf-8") else own
    assert own == home
    assert [text for _, text in texts(tree) if SPACED.search(text)] == []


@pytest.mark.parametrize("file", [*SCRIPTS, *DOCUMENTS], ids=lambda file: file.name)
def test_scripts_and_documents_write_percentages_without_a_space(file: Path) -> None:
    written = re.sub(r"^\s*//.*$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert re.findall(r".*[0-9] %.*", written) == []
