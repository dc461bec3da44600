"""The code that is exported of a run: it repeats the run bit for bit, is tidy, and no label gets into it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from mnist_core.data.dataset import BUNDLED_FILE, Mnist
from mnist_core.evaluation.metrics import accuracy
from mnist_core.networks.keras_model import predict
from mnist_core.training import loop
from mnist_core.training.config import TrainingConfig
from mnist_core.training.export.files import keras_script, notebook
from mnist_core.training.presets import PRESETS
from tests.support.settings_drawn import EVERYTHING, drawn_configs

PUBLISHED = ("chollet", "keras-steps", "nehlr", "five-layer", "garcia")
EXECUTED = {
    "plain": replace(PRESETS["chollet"].config, train_size=1000, epochs=2, validation="test"),
    "everything": EVERYTHING,
    "steps": TrainingConfig(
        notation="6C5-A2-10",
        optimizer="momentum",
        learning_rate=0.05,
        schedule="step",
        step_epochs=1,
        step_factor=0.3,
        batch_size=50,
        epochs=4,
        train_size=1030,
        early_stopping="target",
        stop_metric="validation accuracy",
        stop_target=0.75,
    ),
    "raw pixels": TrainingConfig(
        notation="4C3-P2-10",
        scaling="0-255",
        optimizer="adadelta",
        learning_rate=1.0,
        schedule="cosine",
        warm_up_epochs=0.5,
        batch_size=32,
        epochs=2,
        train_size=700,
        thickness=1,
        continental=0.5,
        keep="best",
    ),
}
IN_NOTEBOOK = replace(EVERYTHING, epochs=2, early_stopping="never")

# TensorFlow takes seconds to load: one process executes several files, one after the other, as if each were alone.
ONE_BY_ONE = """
import contextlib, os, runpy, sys
for folder in sys.argv[1:]:
    os.chdir(folder + "/empty")
    with open("../printed.txt", "w", encoding="utf-8") as printed, contextlib.redirect_stdout(printed):
        runpy.run_path("../repeat.py", run_name="__main__")
"""


def prepare(code: str, folder: Path) -> Path:
    """Write code as a file beside mnist.npz, with an empty folder to execute it in."""
    shutil.copy(BUNDLED_FILE, folder / "mnist.npz")
    (folder / "repeat.py").write_text(code, encoding="utf-8")
    (folder / "empty").mkdir()
    return folder


def execute(words: Iterable[str | Path], folder: Path) -> str:
    """Run Python in a folder, without the project; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "KERAS_BACKEND")}
    command = [sys.executable, *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Path, str]]]:
    """A function that waits until a script is executed, and returns its folder and what it printed.

    The first is alone in its process, as people execute it.
    """
    codes = {name: keras_script(config) for name, config in EXECUTED.items()}
    codes["notebook"] = code_of_notebook()
    alone, *others = (prepare(code, tmp_path_factory.mktemp("executed")) for code in codes.values())
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(execute, [alone / "repeat.py"], alone / "empty")
        rest = beside.submit(execute, ["-c", ONE_BY_ONE, *others], others[0])

        def wait(name: str) -> tuple[Path, str]:
            place = list(codes).index(name)
            if place == 0:
                return alone, first.result()
            rest.result()
            folder = others[place - 1]
            return folder, (folder / "printed.txt").read_text(encoding="utf-8")

        yield wait


def assert_same_network(saved: Path, result: loop.TrainingResult) -> None:
    network = keras.models.load_model(saved)
    for weights, expected in zip(network.get_weights(), result.model.get_weights(), strict=True):
        assert_array_equal(weights, expected)
    assert int(network.optimizer.iterations) == result.progress.steps


@pytest.mark.parametrize("name", EXECUTED)
def test_the_script_repeats_the_run_bit_for_bit(
    name: str, executed: Callable[[str], tuple[Path, str]], mnist: Mnist
) -> None:
    result = loop.train(EXECUTED[name], mnist)
    folder, printed = executed(name)
    assert_same_network(folder / "empty" / "model.keras", result)
    assert f"Test accuracy {accuracy(mnist.y_test, predict(result.model, mnist.x_test)):.4f}\n" in printed
    # What the configurations are there to show.
    epochs = result.progress.epochs_completed
    ended = {"everything": ("no more improvement", 3, 2), "steps": ("target reached", 3, 3)}
    assert (result.end_reason, epochs, result.kept.epoch) == ended.get(name, ("all epochs done", 2, 2))


def code_of_notebook() -> str:
    """The code of all cells; a kernel runs where the notebook lies, and has no __file__."""
    cells = json.loads(notebook(IN_NOTEBOOK))["cells"]
    code = ["import os\nos.chdir('..')\ndel __file__"]
    code += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return "\n\n".join(code)


def test_the_cells_of_a_notebook_repeat_the_run_and_look_at_it(
    executed: Callable[[str], tuple[Path, str]], mnist: Mnist
) -> None:
    result = loop.train(IN_NOTEBOOK, mnist)
    folder, printed = executed("notebook")
    assert_same_network(folder / "model.keras", result)

    bars = re.findall(r"^epoch +([0-9]+) +(training|validation) +([0-9.]+) +(=*)$", printed, re.MULTILINE)
    assert [(bar[0], bar[1]) for bar in bars] == [
        (number, kind) for number in "12" for kind in ("training", "validation")
    ]
    highest = max(bars, key=lambda bar: float(bar[2]))
    assert len(highest[3]) == 60

    probabilities = predict(result.model, mnist.x_test)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != mnist.y_test)
    assert f"\n{len(wrong)} of 10000 test images are predicted wrongly.\n" in printed
    surest = wrong[probabilities[wrong].max(axis=1).argmax()]
    label, read = mnist.y_test[surest], probabilities[surest].argmax()
    assert f"\nImage {surest}: {label} predicted as {read} ({probabilities[surest].max():.0%})\n" in printed
    pictures = printed.split("%)\n")[1:]
    assert len(pictures) == 3
    ink = [[letter != " " for letter in line.ljust(40)[::2]] for line in pictures[0].split("\n")[:20]]
    assert_array_equal(ink, mnist.x_test[surest, 4:24, 4:24] >= 26)


# What the code of each published network must hold, and what it must not, as its author's settings ask for it.
CONTAINS = {
    "chollet": (
        [
            "SEED = 1\nEPOCHS = 15\nBATCH_SIZE = 128\nLEARNING_RATE = 0.001\nVALIDATION_SIZE = 6000\n",
            "layers.Rescaling(1 / 255),",
            'layers.Conv2D(32, 3, activation="relu"),  # 26 x 26 x 32',
            "layers.MaxPooling2D(2),  # 13 x 13 x 32",
            "layers.Dropout(0.5),",
            "layers.Flatten(),  # 1,600",
            'layers.Dense(10, activation="softmax"),',
            "keras.optimizers.Adam(learning_rate=LEARNING_RATE)",
            'logs["accuracy"] > np.float32(0.99)',
            "validation_data=(x_val, y_val)",
            "callbacks=[StopAtTarget()]",
        ],
        ["EarlyStopping", "x_test, y_test),"],
    ),
    "keras-steps": (["BATCH_SIZE = 64\n", 'layers.Dense(64, activation="relu"),', "=(x_test, y_test)"], ["x_val"]),
    "nehlr": (["EPOCHS = 3\n", "VALIDATION_SIZE = 12000\n", "layers.Dropout(0.2),"], ["Callback"]),
    "five-layer": (["BATCH_SIZE = 32\n", "layers.Rescaling(1),", "layers.Conv2D(64, 3,"], ["1 / 255", "Dropout"]),
    "garcia": (["keras.optimizers.Adadelta(learning_rate=LEARNING_RATE)", "layers.Dropout(0.25),"], ["Adam", "x_val"]),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_scripts_of_published_networks_hold_just_what_they_use(name: str) -> None:
    script = keras_script(PRESETS[name].config, 0.98765)
    compile(script, name, "exec")
    holds, lacks = CONTAINS[name]
    for text in holds:
        assert text in script
    for text in [*lacks, "augment", "rates", "l2", "TRAIN_SIZE", "Categorical"]:
        assert text not in script
    introduction = " ".join((ast.get_docstring(ast.parse(script)) or "").split())
    assert f"Settings: {name}. Network: {PRESETS[name].config.notation}." in introduction
    assert "Digit Lab 0.1.0" in introduction
    assert f"keras=={keras.__version__} tensorflow==" in introduction
    assert "the run reached a test accuracy of 0.9877" in introduction
    assert "reached" not in keras_script(PRESETS[name].config)


def test_scripts_are_tidy_whatever_the_settings(tmp_path: Path) -> None:
    for number, config in enumerate(drawn_configs()):
        (tmp_path / f"script_{number}.py").write_text(keras_script(config, 0.5), encoding="ascii")
        cells = json.loads(notebook(config))["cells"]
        code = "\n\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        (tmp_path / f"notebook_{number}.py").write_text(f"{code}\n", encoding="ascii")
    ruff = [sys.executable, "-m", "ruff"]
    # F: nothing is imported or assigned in vain, nothing undefined is used.
    for command in (["check", "--output-format=concise", "--select=F,W,E501,B,N,SIM"], ["format", "--diff"]):
        done = subprocess.run(
            [*ruff, *command, "--isolated", "--line-length=100", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr


HOSTILE = [
    '"""\nimport os\nos.abort()\n"""',
    "\\",
    '\\"""',
    "'''#",
    "a\rimport os",
    "a\u2028b\x0cc\x00d\x85e",
    "{config.seed} %s {{}}",
    "\ud800",
    "\u202eevil",
    "](javascript:x) <script>`$$",
    "www.example.org",
    "",
]


def essence(script: str) -> str:
    """Return what a script does, without its docstring."""
    tree = ast.parse(script)
    assert ast.get_docstring(tree)
    return ast.dump(ast.Module(tree.body[1:], []))


def check_that_a_label_changes_nothing(preset: str) -> None:
    harmless, hostile = TrainingConfig(preset="custom"), TrainingConfig(preset=preset)
    script = keras_script(hostile)
    assert script.isascii()
    assert essence(script) == essence(keras_script(harmless))
    assert len(script.split("\n")) - len(keras_script(harmless).split("\n")) in (0, 1)  # a longer label may wrap
    cells, expected = (json.loads(notebook(config))["cells"] for config in (hostile, harmless))
    assert cells[1:] == expected[1:]
    (line,) = [line for line in cells[0]["source"] if line.startswith("Settings: ")]
    assert re.fullmatch(r"Settings: [A-Za-z0-9 ,()+?-]*\. Network: 32C3-P2-64C3-P2-D0\.5-10\.\n", line)


@pytest.mark.parametrize("preset", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_labels_inject_nothing(preset: str) -> None:
    check_that_a_label_changes_nothing(preset)


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_label_injects_anything(preset: str) -> None:
    check_that_a_label_changes_nothing(preset)
