"""The layout of the project: imports go one way, TensorFlow and Streamlit never meet, nothing is tied to a machine."""

from __future__ import annotations

import ast
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.watcher.path_watcher import NoOpPathWatcher, get_default_path_watcher_class

import mnist_core
from benchmarks.seeded_faults import FAULTS
from mnist_core.common.server import PROJECT

TENSORFLOW = {"tensorflow", "keras"}
WITH_TENSORFLOW = (
    "mnist_core.networks.insight.looking_inside",
    "mnist_core.networks.keras_model",
    "mnist_core.training.loop",
    "mnist_core.training.optimizers",
)
# What import-linter cannot see: scripts at the top, and names given to import_module. For all else there are the
# contracts in pyproject.toml.
FORBIDDEN = {
    "app": {"pages", "numpy", *TENSORFLOW},
    "pages": {"app", "numpy", *TENSORFLOW},
    "ui": {"app", "pages", *TENSORFLOW},
    "mnist_core": {"app", "pages", "ui", "streamlit", "streamlit_drawable_canvas"},
}
TESTING = {"tests", "benchmarks", "conftest", "pytest", "hypothesis", "playwright", "selenium"}
SKIPPED_FOLDERS = {"__pycache__", "node_modules", "venv"}


def files(part: str) -> list[Path]:
    return [PROJECT / "app.py"] if part == "app" else sorted((PROJECT / part).rglob("*.py"))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of every import of a file, those inside functions and for type checkers included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(file.relative_to(PROJECT).parts[: -node.level]) if node.level else ""
            module = ".".join(part for part in (package, node.module) if part)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module"):
            names = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            yield node.lineno, str(names[0]) if names else "(a computed name)"


def offences(part: str, forbidden: set[str]) -> list[str]:
    return [
        f"{file.relative_to(PROJECT)}:{line} imports {name}"
        for file in files(part)
        for line, name in imports(file)
        if name.split(".")[0] in forbidden
    ]


@pytest.mark.parametrize("part", FORBIDDEN)
def test_nothing_is_imported_where_it_does_not_belong(part: str) -> None:
    assert files(part), f"{part} has no files"
    assert offences(part, FORBIDDEN[part]) == []


@pytest.mark.parametrize("part", FORBIDDEN)
def test_the_project_never_imports_its_tests(part: str) -> None:
    assert offences(part, TESTING) == []


def test_only_two_modules_lie_at_the_top_of_the_core() -> None:
    top = {file.name for file in (PROJECT / "mnist_core").glob("*.py")}
    assert top == {"__init__.py", "__main__.py", "cli_output.py"}


def test_imports_are_found_wherever_they_hide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PROJECT", tmp_path)
    (tmp_path / "ui" / "deep").mkdir(parents=True)
    source = """
import a.b, c as d
from e import f
from . import g
from ..h import i
def later():
    if True:
        import j
        importlib.import_module("k.l")
"""
    (tmp_path / "ui" / "deep" / "file.py").write_text(source)
    (file,) = files("ui")
    assert {name for _, name in imports(file)} == {"a.b", "c", "e.f", "ui.deep.g", "ui.h.i", "j", "k.l"}
    assert offences("ui", {"j", "k"}) == ["ui/deep/file.py:8 imports j", "ui/deep/file.py:9 imports k.l"]


def core_modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages(mnist_core.__path__, "mnist_core.")]
    assert {
        "mnist_core.runs",
        "mnist_core.processes.worker",
        "mnist_core.processes.inference",
        *WITH_TENSORFLOW,
    } <= set(found)
    return found


@cache
def loaded_after_importing(*modules: str) -> set[str]:
    """Return the names of all packages that a fresh process has loaded after importing `modules`."""
    script = "import importlib, json, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    script += "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    command = [sys.executable, "-c", script, *modules]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_core_loads_neither_streamlit_nor_tensorflow() -> None:
    light = [name for name in core_modules() if name not in WITH_TENSORFLOW]
    loaded = loaded_after_importing(*light)
    assert {"mnist_core", "numpy", "loky"} <= loaded
    assert not loaded & {"streamlit", *TENSORFLOW}


def test_training_loads_tensorflow_but_not_streamlit() -> None:
    loaded = loaded_after_importing(*WITH_TENSORFLOW)
    assert {"mnist_core", *TENSORFLOW} <= loaded
    assert "streamlit" not in loaded


def project_files() -> list[Path]:
    """The files that belong to the project: as git tells, new ones included; all of them where there is no git."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60)
        paths = [PROJECT / name for name in listed.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [path for path in PROJECT.rglob("*") if not set(path.relative_to(PROJECT).parts) & SKIPPED_FOLDERS]
        paths = [path for path in paths if not any(part[0] == "." for part in path.relative_to(PROJECT).parts[:1])]
    return [path for path in paths if path.is_file()]


def absolute_paths(text: str) -> list[str]:
    """Find paths to places that only one machine or one person has."""
    homes = ("work", "home", "root", "Users", "tmp", "private", "mnt")
    # Not after a letter, dot, slash or colon: those are URLs and relative paths.
    unix = rf"(?<![\w.:/~-])/(?:{'|'.join(homes)})/[\w.-]+"
    return re.findall(rf"{unix}|\b[A-Z]:\\+\w+", text)


def test_absolute_paths_are_recognized() -> None:
    slash, backslash = "/", "\\"
    for path in ("work/project", "home/me", "root/.cache", "Users/me", "tmp/x"):
        assert absolute_paths(f"open('{slash}{path}')"), path
    assert absolute_paths(f"C:{backslash}Users{backslash}me")
    for place in ("home", "work", "tmp", "root"):
        assert not absolute_paths(f"https://example.org/{place}/page ../{place}/project models/{place}/x docs/{place}/")
    assert not absolute_paths("/train")


def test_no_file_names_a_place_of_one_machine() -> None:
    contents = {path: path.read_bytes() for path in project_files()}
    texts = {path: content.decode() for path, content in contents.items() if b"\0" not in content}
    assert PROJECT / "mnist_core" / "runs" / "run.py" in texts
    found = {str(path.relative_to(PROJECT)): absolute_paths(text) for path, text in texts.items()}
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_the_project_can_be_used_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from mnist_core.data.dataset import load_mnist; print(len(load_mnist().x_train))"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "60000", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_names_of_tests_have_at_most_60_characters() -> None:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (PROJECT / "tests").rglob("test_*.py")]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    names = [function.name for function in functions if function.name.startswith("test_")]
    assert len(names) > 1000
    assert [name for name in names if len(name) > 60] == []


def test_the_seeded_faults_still_fit_the_code() -> None:
    for fault in FAULTS:
        assert (PROJECT / fault.file).read_text(encoding="utf-8").count(fault.before) == 1, fault
        assert [name for name in fault.tests.split() if not (PROJECT / name).exists()] == []


def test_no_folder_of_the_project_is_watched() -> None:
    """Streamlit would watch all of them, a virtual environment among them, also those on its `folderWatchBlacklist`."""
    assert get_default_path_watcher_class() is NoOpPathWatcher
