"""What the documents say of the code: tests, programs and figures that they name are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from mnist_core import limits
from mnist_core.handwriting import class_sets

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
TEST = re.compile(r"(?:tests/)?([\w/]+\.py)::(\w+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    named = TEST.findall(document.read_text(encoding="utf-8"))
    missing = [f"{file}::{name}" for file, name in named if name not in functions_of(PROJECT / "tests" / file)]
    assert missing == []


@pytest.mark.parametrize(("document", "tests"), [("faults.md", 50), ("public-mode.md", 20)])
def test_documents_name_their_tests(document: str, tests: int) -> None:
    assert len(TEST.findall((PROJECT / "docs" / document).read_text(encoding="utf-8"))) >= tests


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_program_that_a_document_names_is_there(document: Path) -> None:
    named = re.findall(r"\b(?:benchmarks|docs|tests)/[\w/]+\.py\b", document.read_text(encoding="utf-8"))
    assert [name for name in named if not (PROJECT / name).is_file()] == []


def test_each_fault_says_what_is_seen_and_what_is_kept_and_names_its_tests() -> None:
    document = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in document.splitlines() if line.startswith("| ") and not line.startswith("| Fault")]
    assert len(rows) > 15
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    assert [row for row in cells if len(row) != 4 or not all(row) or not TEST.search(row[3])] == []


def test_each_promise_to_strangers_names_its_test() -> None:
    rows = [line for line in document_of_public_mode().splitlines() if line.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| a visitor", "| ---", "| bound"))]
    assert len(promises) > 15
    assert [row for row in promises if not TEST.search(row)] == []


def test_the_bounds_for_strangers_are_those_of_the_code() -> None:
    text = document_of_public_mode().replace(",", "")
    told = {name: int(number) for number, name in re.findall(r"\*\*(\d+)\*\* (?:[^|]*?)`(\w+\.\w+)`", text)}
    real = {f"runs.{name}": value for name, value in vars(limits.PUBLIC).items()}
    real |= {f"sets.{name}": value for name, value in vars(class_sets.PUBLIC).items()}
    assert told == real


def document_of_public_mode() -> str:
    return (PROJECT / "docs" / "public-mode.md").read_text(encoding="utf-8")


def functions_of(file: Path) -> set[str]:
    """Return the names of all functions of a file; none if there is no such file."""
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
