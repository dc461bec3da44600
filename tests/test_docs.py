"""What the documents say of the code: programs and figures that they name are there, and every row has its tests."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from mnist_core.common import server
from mnist_core.common.server import PROJECT
from mnist_core.drawing.class_sets import sets
from mnist_core.processes import limits

DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]
MADE_HERE = {"models/runs/", "handwriting/", "epochs/"}  # folders that runs and class sets make
MARKED = {"fault": "faults.md", "public": "public-mode.md"}  # the marks of tests, and the document that has their ids


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_program_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = {*re.findall(r"\b[\w/]+/\w+\.py\b", text), *re.findall(r"`([\w/]+/)`", text)}
    named |= {f"{name.replace('.', '/')}.py" for name in re.findall(r"python -m ((?:benchmarks|docs)\.\w+)", text)}
    places = (PROJECT, PROJECT / "mnist_core")  # whose packages are named without it
    assert [name for name in named - MADE_HERE if not any((place / name).exists() for place in places)] == []


def test_the_readme_lists_every_environment_variable() -> None:
    known = {value for name, value in vars(server).items() if name.endswith("_VARIABLE")}
    listed = re.findall(r"^\| `(DIGIT_LAB_\w+)` \|", (PROJECT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(known)


@pytest.mark.parametrize("mark", MARKED)
def test_every_row_of_a_document_has_an_id_of_its_own(mark: str) -> None:
    found = rows(mark)
    assert len(found) > 30
    assert [row for row in found if not re.fullmatch(r"`[a-z][a-z_.-]+`", row[0])] == []
    assert len({row[0] for row in found}) == len(found)


@pytest.mark.parametrize("mark", MARKED)
def test_every_row_has_a_test_and_every_mark_of_a_test_a_row(mark: str) -> None:
    assert {row[0].strip("`") for row in rows(mark)} == marks_of_tests(mark)


def test_each_fault_says_what_is_seen_and_what_is_kept() -> None:
    assert [row for row in rows("fault") if len(row) != 4 or not all(row)] == []


def test_each_promise_to_strangers_says_within_what_or_why() -> None:
    assert [row for row in rows("public") if len(row) != 3 or not all(row)] == []


def test_marks_are_found_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PROJECT", tmp_path)
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    source = """
@pytest.mark.fault(id="a-b")
@pytest.mark.public(id="no-fault")
@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.fault(id="c-d"))])
def test_of_two(x): pass
class TestMore:
    @pytest.mark.fault("not-by-name")
    def test_by_place(self): pass
    @pytest.mark.fault
    def test_of_no_row(self): pass
    @pytest.mark.fault(id="of-no-test")
    def helper(self): pass
"""
    (tmp_path / "tests" / "deep" / "test_it.py").write_text(source)
    assert marks_of_tests("fault") == {"a-b", "c-d", "('not-by-name')", ""}


def test_the_bounds_for_strangers_are_those_of_the_code() -> None:
    text = (PROJECT / "docs" / MARKED["public"]).read_text(encoding="utf-8").replace(",", "")
    told = {name: int(number) for name, number in re.findall(r"`(\w+\.\w+)` \|[^|]*\| \*\*(\d+)\*\*", text)}
    real = {f"runs.{name}": value for name, value in vars(limits.PUBLIC).items()}
    real |= {f"sets.{name}": value for name, value in vars(sets.PUBLIC).items()}
    assert told == real


def rows(mark: str) -> list[list[str]]:
    """Return the cells of all rows that stand in the tables of a document, without the heads of tables."""
    text = (PROJECT / "docs" / MARKED[mark]).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.lower().startswith("| id |")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def marks_of_tests(mark: str) -> set[str]:
    """Return the ids that marks of tests name, read from the source; what is no id stands in for a mark without one."""
    named = re.compile(rf"pytest\.mark\.{mark}\b(?:\(id='([^']*)'\)|(\([^)]*\))?)")
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (PROJECT / "tests").rglob("test_*.py")]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    decorators = [each for test in functions if test.name.startswith("test_") for each in test.decorator_list]
    return {id_ or other for each in decorators for id_, other in named.findall(ast.unparse(each))}
