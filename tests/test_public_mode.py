"""What strangers can reach: how Streamlit is set up, what can be handed in, and that no text is taken for HTML."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_core.common.server import PROJECT

OURS = [
    PROJECT / "app.py",
    *(file for part in ("pages", "ui", "mnist_core") for file in (PROJECT / part).rglob("*.py")),
]
SCRIPTS = sorted((PROJECT / "ui" / "components").glob("*.js"))

PICTURES = {"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"}
CLASS_SETS = {"jsonl", "json", "txt"}
SETTINGS = {"json"}


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Yield every call in the project, and the file that it is in."""
    for file in OURS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield file, node


def called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


@pytest.mark.public(id="may-hand-in-files")
@pytest.mark.public(id="no-insides")
@pytest.mark.public(id="no-telemetry")
def test_streamlit_is_set_up_for_strangers() -> None:
    """Asked of Streamlit itself, in the folder that the app is started from."""
    options = {
        "server.maxUploadSize": 5,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "browser.gatherUsageStats": False,
        # What Streamlit itself does well unless it is told otherwise:
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.enableAgentApi": False,
        "global.developmentMode": False,
    }
    ask = (
        "import json, sys; from streamlit import config; config.get_config_options();"
        "print(json.dumps({name: config.get_option(name) for name in json.loads(sys.argv[1])}))"
    )
    command = [sys.executable, "-c", ask, json.dumps(list(options))]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert json.loads(answer.splitlines()[-1]) == options


@pytest.mark.public(id="no-server-files")
def test_only_what_is_meant_for_browsers_is_served_as_files() -> None:
    names = [file.name for file in (PROJECT / "static").iterdir()]
    hashed = r"plotly-[\d.]+-[0-9a-f]{8}\.min\.js|test-digits-[0-9a-f]{8}\.png"
    of_earlier_versions = r"plotly-[\d.]+\.min\.js\.gz|test-digits\.png"
    assert [name for name in names if not re.fullmatch(rf"logo\.svg|{hashed}|{of_earlier_versions}", name)] == []


@pytest.mark.public(id="may-hand-in-files")
@pytest.mark.public(id="no-code")
def test_only_pictures_class_sets_and_settings_can_be_handed_in() -> None:
    taken = []
    for file, node in calls():
        assert called(node) not in ("chat_input", "data_editor", "audio_input"), file
        if called(node) == "file_uploader":
            (types,) = (keyword.value for keyword in node.keywords if keyword.arg == "type")
            if isinstance(types, ast.Name):
                types = constant(file, types.id)
            found = ast.literal_eval(types)
            taken.append({found} if isinstance(found, str) else set(found))
    assert sorted(map(sorted, taken)) == sorted(map(sorted, (PICTURES, CLASS_SETS, SETTINGS)))


def constant(file: Path, name: str) -> ast.expr:
    """Return what a constant of a module is."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node.value
    raise AssertionError(f"{file} has no {name}")


@pytest.mark.public(id="no-code")
def test_networks_are_loaded_from_runs_only() -> None:
    """What is handed in goes to three readers, none of which is Keras; Keras is given the file of a run."""
    handed_in, loaded = [], []
    for file in OURS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.Call) and called(child) == "getvalue" and "ui" in file.parts:
                    handed_in.append(ast.unparse(node))
                if isinstance(child, ast.Call) and called(child) in ("load_model", "load_weights"):
                    loaded.append((file.name, ast.unparse(child.args[0])))
    assert sorted(handed_in) == [
        "None if photo is None else photo.getvalue()",  # a picture, see `picture_files`
        "archive.read_file(file.getvalue())",
        "read_config(file.getvalue())",
    ]
    assert set(loaded) == {("inference_worker.py", "model_file")}


@pytest.mark.public(id="no-markup")
def test_no_text_is_taken_for_html() -> None:
    for file, node in calls():
        allowed = [keyword.arg for keyword in node.keywords if keyword.arg and keyword.arg.startswith("unsafe_allow")]
        assert not allowed, f"{file.name}:{node.lineno}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_write_no_html(script: Path) -> None:
    writes = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc"
    assert not re.search(writes, script.read_text(encoding="utf-8"))
