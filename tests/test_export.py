"""What is taken away from a run: code that trains the same network all over again, curves, settings."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from mnist_core import export, training
from mnist_core.augmentation import Augmentation, augment
from mnist_core.config import ConfigError, Optimizer, Schedule, TrainingConfig, bounds, options
from mnist_core.dataset import BUNDLED_FILE, Mnist
from mnist_core.early_stopping import reason_to_stop
from mnist_core.evaluation import accuracy, cross_entropy
from mnist_core.events import BatchesDone, Continued, EpochDone, Event
from mnist_core.keras_code import sections
from mnist_core.network import build_model, build_optimizer, predict
from mnist_core.presets import PRESETS
from mnist_core.schedules import learning_rates

PUBLISHED = ("chollet", "keras-steps", "nehlr", "five-layer", "garcia")
EVERYTHING = TrainingConfig(
    architecture="8C3:same-BN-P2-D0.2-16C3S2:tanh-32:gelu-10",
    optimizer="adamw",
    learning_rate=0.1,
    schedule="one-cycle",
    batch_size=128,
    epochs=3,
    train_size=1000,
    validation="random",
    validation_share=0.2,
    rotation=10,
    shift=2,
    zoom=0.1,
    shear=10,
    elastic=1,
    thickness=0.5,
    l2=0.001,
    label_smoothing=0.1,
    early_stopping="patience",
    stop_metric="validation loss",
    patience=1,
    keep="best",
    seed=7,
)
EXECUTED = {
    "plain": replace(PRESETS["chollet"].config, train_size=1000, epochs=2, validation="test"),
    "everything": EVERYTHING,
    "steps": TrainingConfig(
        architecture="6C5-A2-10",
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
        architecture="4C3-P2-10",
        scaling="0-255",
        optimizer="adadelta",
        learning_rate=1.0,
        schedule="cosine",
        warm_up_epochs=0.5,
        batch_size=32,
        epochs=2,
        train_size=700,
        thickness=1,
        keep="best",
    ),
}


def execute(code: str, folder: Path) -> str:
    """Run code as a file beside mnist.npz, from an empty folder and without the project; return what it printed."""
    shutil.copy(BUNDLED_FILE, folder / "mnist.npz")
    (folder / "repeat.py").write_text(code, encoding="utf-8")
    (folder / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "KERAS_BACKEND")}
    command = [sys.executable, str(folder / "repeat.py")]
    done = subprocess.run(
        command, cwd=folder / "empty", env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


def code_of(config: TrainingConfig, title: str) -> str:
    return next(section.code for section in sections(config, "None") if section.title == title)


def assert_same_network(saved: Path, result: training.TrainingResult) -> None:
    network = keras.models.load_model(saved)
    for weights, expected in zip(network.get_weights(), result.model.get_weights(), strict=True):
        assert_array_equal(weights, expected)
    assert int(network.optimizer.iterations) == result.progress.steps


@pytest.mark.parametrize("config", EXECUTED.values(), ids=EXECUTED)
def test_the_script_repeats_the_run_bit_for_bit(config: TrainingConfig, mnist: Mnist, tmp_path: Path) -> None:
    printed = execute(export.keras_script(config), tmp_path)
    result = training.train(config, mnist)
    assert_same_network(tmp_path / "empty" / "model.keras", result)
    assert f"Test accuracy {accuracy(mnist.y_test, predict(result.model, mnist.x_test)):.4f}\n" in printed
    # What the configurations are there to show.
    epochs = result.progress.epochs_completed
    ended = {"everything": ("no more improvement", 2, 1), "steps": ("target reached", 3, 3)}
    name = next(name for name, each in EXECUTED.items() if each == config)
    assert (result.end_reason, epochs, result.kept.epoch) == ended.get(name, ("all epochs done", 2, 2))


def test_the_cells_of_a_notebook_repeat_the_run_and_look_at_it(mnist: Mnist, tmp_path: Path) -> None:
    config = replace(EVERYTHING, epochs=2, early_stopping="never")
    cells = json.loads(export.notebook(config))["cells"]
    # A kernel runs where the notebook lies, and has no __file__.
    code = [f"import os\nos.chdir({str(tmp_path)!r})\ndel __file__"]
    code += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    printed = execute("\n\n".join(code), tmp_path)
    result = training.train(config, mnist)
    assert_same_network(tmp_path / "model.keras", result)

    bars = re.findall(r"^epoch +([0-9]+) +(training|validation) +([0-9.]+) +(=*)$", printed, re.MULTILINE)
    assert [(bar[0], bar[1]) for bar in bars] == [
        (number, kind) for number in "12" for kind in ("training", "validation")
    ]
    highest = max(bars, key=lambda bar: float(bar[2]))
    assert len(highest[3]) == 60

    probabilities = predict(result.model, mnist.x_test)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != mnist.y_test)
    assert f"\n{len(wrong)} of 10000 test images are read wrongly.\n" in printed
    surest = wrong[probabilities[wrong].max(axis=1).argmax()]
    label, read = mnist.y_test[surest], probabilities[surest].argmax()
    assert f"\nImage {surest}, a {label} read as {read}, {probabilities[surest].max():.0%} sure\n" in printed
    pictures = printed.split("sure\n")[1:]
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
def test_scripts_of_published_networks_hold_what_they_use_and_nothing_else(name: str) -> None:
    script = export.keras_script(PRESETS[name].config, 0.98765)
    compile(script, name, "exec")
    holds, lacks = CONTAINS[name]
    for text in holds:
        assert text in script
    for text in [*lacks, "augment", "rates", "l2", "TRAIN_SIZE", "Categorical"]:
        assert text not in script
    introduction = " ".join((ast.get_docstring(ast.parse(script)) or "").split())
    assert f"Settings: {name}. Network: {PRESETS[name].config.architecture}." in introduction
    assert "Digit Lab 0.1.0" in introduction
    assert f"keras=={keras.__version__} tensorflow==" in introduction
    assert "the run reached a test accuracy of 0.9877" in introduction
    assert "reached" not in export.keras_script(PRESETS[name].config)


def drawn(generator: np.random.Generator) -> TrainingConfig:
    """Draw a configuration: each setting has its default or anything that is accepted."""
    while True:
        values: dict[str, Any] = {}
        for setting in fields(TrainingConfig):
            low, high = bounds(setting.name)
            if generator.random() < 0.5:
                continue
            if options(setting.name):
                values[setting.name] = str(generator.choice(options(setting.name)))
            elif isinstance(setting.default, int):
                values[setting.name] = int(generator.integers(int(low or 0), int(high or 0) + 1))
            elif isinstance(setting.default, float):
                assert high is not None
                values[setting.name] = float(generator.choice([low, high, generator.uniform(low, high)]))
        architectures = ["10", "1024C28S28:same:sigmoid-10", "8C3S2:same:tanh-BN-A2S1-P3:same-D0.25-GAP-16:silu-10"]
        try:
            return TrainingConfig(architecture=str(generator.choice(architectures)), **values)
        except ConfigError:
            continue


@pytest.fixture(scope="module")
def drawn_configs() -> list[TrainingConfig]:
    generator = np.random.default_rng(1)
    return [drawn(generator) for _ in range(150)]


def test_scripts_are_tidy_whatever_the_settings(drawn_configs: list[TrainingConfig], tmp_path: Path) -> None:
    for number, config in enumerate(drawn_configs):
        (tmp_path / f"script_{number}.py").write_text(export.keras_script(config, 0.5), encoding="ascii")
        cells = json.loads(export.notebook(config))["cells"]
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
    script = export.keras_script(hostile)
    assert script.isascii()
    assert essence(script) == essence(export.keras_script(harmless))
    assert len(script.split("\n")) - len(export.keras_script(harmless).split("\n")) in (0, 1)  # a longer label may wrap
    cells, expected = (json.loads(export.notebook(config))["cells"] for config in (hostile, harmless))
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


LAYERS = ["8C3S2:same:tanh-BN-A2S1-P3:same-P2S1-D0.25-GAP-16:gelu-BN-10", "4C5:linear-A3-8:elu-10", "10"]


@pytest.mark.parametrize("architecture", LAYERS)
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_the_network_is_the_one_that_digit_lab_builds(architecture: str, l2: float) -> None:
    config = TrainingConfig(architecture=architecture, l2=l2, scaling="0-255" if l2 else "0-1")
    names: dict[str, Any] = {"keras": keras, "layers": keras.layers, "SEED": 1, "LEARNING_RATE": 1.0}
    exec(code_of(config, "Network"), names)
    expected = build_model(config.network, config.scaling, l2)
    assert len(names["model"].layers) == len(expected.layers)
    for layer, other in zip(names["model"].layers, expected.layers, strict=True):
        assert type(layer) is type(other)
        assert layer.output.shape == other.output.shape
        settings_of = [{**each.get_config(), "name": "", "seed": None} for each in (layer, other)]
        assert settings_of[0] == settings_of[1]


@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_the_optimizer_is_the_one_that_digit_lab_builds(optimizer: Optimizer) -> None:
    config = TrainingConfig(architecture="10", optimizer=optimizer, learning_rate=0.02, momentum=0.7, weight_decay=0.3)
    names: dict[str, Any] = {"keras": keras, "layers": keras.layers, "SEED": 1, "LEARNING_RATE": 0.02}
    exec(code_of(config, "Network"), names)
    built, expected = names["model"].optimizer, build_optimizer(config)
    assert type(built) is type(expected)
    assert {**built.get_config(), "name": ""} == {**expected.get_config(), "name": ""}


class Recorder:
    """Stands for `model` and for the parts of Keras that the code of the section Training uses."""

    def __init__(self) -> None:
        self.callbacks = SimpleNamespace(
            Callback=object,
            EarlyStopping=lambda **settings: settings,
            LearningRateScheduler=lambda rate: {"rate": rate},
        )
        self.optimizer = SimpleNamespace(iterations=0, learning_rate=None)
        self.stop_training = False

    def fit(self, batches: Any, **arguments: Any) -> None:
        self.batches, self.arguments = batches, arguments


def recorded(config: TrainingConfig, **data: Any) -> Recorder:
    """Carry out the code of the section Training without training."""
    count = config.train_size - config.validation_size
    model = Recorder()
    names = {
        **{"np": np, "keras": model, "model": model, "x_train": np.arange(count), "y_train": np.arange(count) % 10},
        **{"x_val": "x_val", "y_val": "y_val", "x_test": "x_test", "y_test": "y_test", "augment": lambda x, _: x},
        **{"SEED": config.seed, "EPOCHS": config.epochs, "BATCH_SIZE": config.batch_size},
        **{"LEARNING_RATE": config.learning_rate, **data},
    }
    exec(code_of(config, "Training"), names)
    return model


@given(
    schedule=st.sampled_from(get_args(Schedule)),
    warm_up_epochs=st.sampled_from([0.0, 0.01, 0.5, 1.0, 3.0, 20.0]),
    epochs=st.integers(1, 6),
    step_epochs=st.integers(1, 4),
    batch_size=st.sampled_from([32, 50, 200, 4096]),
    learning_rate=st.floats(1e-6, 10),
    step_factor=st.floats(0.01, 1),
)
@settings(max_examples=150, deadline=None)
def test_every_step_gets_the_learning_rate_of_digit_lab(**values: Any) -> None:
    config = TrainingConfig(**values, train_size=200, validation="none")
    model = recorded(config)
    rates = []
    for step in range(config.steps):
        rate: Any = config.learning_rate
        for callback in model.arguments.get("callbacks", []):
            if isinstance(callback, dict):
                rate = callback["rate"](step // config.steps_per_epoch, rate)
            else:
                callback.model = model
                model.optimizer.iterations = step
                callback.on_train_batch_begin(step % config.steps_per_epoch)
                rate = model.optimizer.learning_rate
        rates.append(rate)
    assert_array_equal(np.array(rates).astype(np.float32), learning_rates(config).astype(np.float32))
    assert (config.schedule == "constant" and not config.warm_up_epochs) <= ("callbacks" not in model.arguments)


def test_batches_hold_each_image_once_an_epoch_in_the_order_of_digit_lab() -> None:
    config = TrainingConfig(train_size=250, validation_share=0.2, batch_size=64, epochs=2, seed=5, rotation=1)
    model = recorded(config)
    assert (model.arguments["steps_per_epoch"], model.arguments["epochs"], model.arguments["shuffle"]) == (4, 2, False)
    batches = list(model.batches)
    assert [len(images) for images, _ in batches] == [64, 64, 64, 8] * 2
    for epoch in (1, 2):
        order = np.concatenate([images for images, _ in batches[4 * epoch - 4 : 4 * epoch]])
        assert_array_equal(order, np.random.default_rng([5, epoch]).permutation(200))
    assert all((labels == images % 10).all() for images, labels in batches)


EPOCH = EpochDone(1, 4, True, 0.5, 0.8, 0.4, 0.9, 1.0)


@pytest.mark.parametrize(
    ("metric", "target", "stops", "goes_on"),
    [
        ("training accuracy", 0.99, 53_461 / 54_000, 53_460 / 54_000),  # exactly the target is not above it
        ("validation accuracy", 0.9, 181 / 200, 180 / 200),
        ("training loss", 0.25, 0.24, 0.25),
        ("validation loss", 0.25, 0.24, 0.26),
    ],
)
@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_the_target_stops_as_in_digit_lab(
    metric: str, target: float, stops: float, goes_on: float, l2: float, label_smoothing: float
) -> None:
    config = TrainingConfig(
        early_stopping="target", stop_metric=metric, stop_target=target, l2=l2, label_smoothing=label_smoothing
    )
    model = recorded(config)
    *others, callback = model.arguments["callbacks"]
    assert [type(other).__name__ for other in others] == (["ValidationLoss"] if metric == "validation loss" else [])
    callback.model = model
    part, measure = metric.split()
    field = f"validation_{measure}" if part == "validation" else measure
    name = {"accuracy": "accuracy", "validation_accuracy": "val_accuracy", "validation_loss": "val_cross_entropy"}.get(
        field, "categorical_crossentropy" if label_smoothing else "sparse_categorical_crossentropy" if l2 else "loss"
    )
    for value, expected in ((goes_on, False), (stops, True)):
        assert (reason_to_stop(config, [replace(EPOCH, **{field: value})]) is not None) == expected
        # Keras measures in 32 bits and reports a Python float.
        callback.on_epoch_end(0, {name: float(np.float32(value))})
        assert model.stop_training == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"early_stopping": "patience"}, [("val_cross_entropy", "min", 3, False)]),
        ({"early_stopping": "patience", "keep": "best"}, [("val_cross_entropy", "min", 3, True)]),
        ({"keep": "best", "l2": 0.1}, [("val_cross_entropy", "min", 5, True)]),
        (
            {"early_stopping": "patience", "stop_metric": "training accuracy", "patience": 1, "keep": "best"},
            [("accuracy", "max", 1, False), ("val_cross_entropy", "min", 5, True)],
        ),
        ({"early_stopping": "patience", "stop_metric": "training loss"}, [("loss", "min", 3, False)]),
    ],
)
def test_patience_and_best_weights_are_keras_early_stopping(
    values: dict[str, Any], expected: list[tuple[str, str, int, bool]]
) -> None:
    callbacks = [each for each in recorded(TrainingConfig(**values)).arguments["callbacks"] if isinstance(each, dict)]
    names = ("monitor", "mode", "patience")
    assert [
        (*(each[name] for name in names), each.get("restore_best_weights", False)) for each in callbacks
    ] == expected


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_the_validation_loss_that_decides_is_the_one_of_digit_lab(label_smoothing: float) -> None:
    probabilities = np.random.default_rng(1).dirichlet(np.full(10, 0.02), 200).astype(np.float32)
    labels = np.arange(200, dtype=np.uint8) % 10
    assert (probabilities[np.arange(200), labels] < 1e-12).any()
    config = TrainingConfig(keep="best", label_smoothing=label_smoothing, l2=0.1)
    y_val = keras.utils.to_categorical(labels, 10) if label_smoothing else labels
    callback = recorded(config, y_val=y_val, x_val=probabilities).arguments["callbacks"]
    logs = {"val_loss": 0.0}
    callback[0].model = SimpleNamespace(predict=lambda x, batch_size, verbose: x)
    callback[0].on_epoch_end(0, logs)
    assert logs["val_cross_entropy"] == pytest.approx(cross_entropy(labels, probabilities), rel=1e-6)


AMOUNTS = st.sampled_from([0.0, 0.0, 0.3, 1.0])


@given(
    augmentation=st.builds(
        Augmentation,
        rotation=AMOUNTS.map(lambda amount: 45 * amount),
        shift=AMOUNTS.map(lambda amount: 6 * amount),
        zoom=AMOUNTS.map(lambda amount: amount / 2),
        shear=AMOUNTS.map(lambda amount: 45 * amount),
        elastic=AMOUNTS.map(lambda amount: 4 * amount),
        thickness=AMOUNTS,
    ).filter(lambda augmentation: augmentation.active),
    seed=st.integers(0, 1000),
)
@settings(max_examples=80, deadline=None)
def test_augmentation_gives_the_same_pixels(mnist: Mnist, augmentation: Augmentation, seed: int) -> None:
    config = TrainingConfig(**vars(augmentation))
    names: dict[str, Any] = {"np": np}
    exec(code_of(config, "Augmentation"), names)
    noise = np.random.default_rng(seed).integers(0, 256, (3, 28, 28), np.uint8)  # has ink at its margin, too
    images = np.concatenate([mnist.x_train[seed : seed + 4], noise])
    generators = [np.random.default_rng(seed) for _ in range(2)]
    for batch in (images[:5], images[5:]):
        changed = names["augment"](batch[..., np.newaxis], generators[0])
        assert (changed.shape, changed.dtype) == ((len(batch), 28, 28, 1), np.uint8)
        assert_array_equal(changed[..., 0], augment(batch, augmentation, generators[1]))


@pytest.mark.parametrize("config", [PRESETS["chollet"].config, EVERYTHING], ids=["plain", "everything"])
def test_the_notebook_is_a_notebook(config: TrainingConfig) -> None:
    """By the schema of nbformat 4.5: which keys there are, and what they hold."""
    text = export.notebook(config, 0.9)
    values = json.loads(text)
    assert text.isascii()
    assert set(values) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (values["nbformat"], values["nbformat_minor"]) == (4, 5)
    assert values["metadata"]["kernelspec"] == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert values["metadata"]["language_info"]["name"] == "python"
    for cell in values["cells"]:
        common = {"cell_type", "id", "metadata", "source"}
        assert set(cell) == common | ({"execution_count", "outputs"} if cell["cell_type"] == "code" else set())
        assert cell["cell_type"] in ("markdown", "code")
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        assert cell["metadata"] == {}
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        assert cell["source"][-1].strip()
        if cell["cell_type"] == "code":
            assert (cell["execution_count"], cell["outputs"]) == (None, [])
            compile("".join(cell["source"]), cell["id"], "exec")
    ids = [cell["id"] for cell in values["cells"]]
    assert len(set(ids)) == len(ids)
    titles = [cell["source"][0].strip() for cell in values["cells"] if cell["cell_type"] == "markdown"]
    assert titles[0].startswith("# A network that reads handwritten digits")
    augmented = ["## Augmentation"] if config is EVERYTHING else []
    rest = ["## Network", "## Training", "## Result", "## Curves", "## Mistakes"]
    assert titles[1:] == ["## Settings", "## Images", *augmented, *rest]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


EVENTS: list[Event] = [
    BatchesDone(1, 1, 50, (2.5,), (0.1,), 0.25, (1.5,)),
    BatchesDone(1, 3, 150, (1 / 3, 1.25), (0.5, 0.75), 1.5, (0.1, 1e-9)),
    BatchesDone(1, 4, 170, (1.0,), (0.9,), 2.0, ()),
    EpochDone(1, 4, True, 0.7, 0.8, 0.6, None, 2.0),
    BatchesDone(2, 5, 220, (0.5,), (1.0,), 2.5, (0.25,)),
    EpochDone(2, 5, False, 0.5, 1.0, None, None, 2.5),
]


def test_curves_come_back_from_csv_as_they_were() -> None:
    config = TrainingConfig(epochs=2, train_size=100, batch_size=25, validation="none", schedule="cosine")
    text = export.curves_csv(EVENTS, config)
    assert text.endswith("\n")
    assert "\r" not in text
    rows = table(text)
    assert tuple(rows[0]) == export.CURVE_COLUMNS
    assert [(row["kind"], row["epoch"], row["step"], row["images"]) for row in rows] == [
        ("batch", "1", "1", "50"),
        ("batch", "1", "2", "100"),
        ("batch", "1", "3", "150"),
        ("batch", "1", "4", "170"),
        ("epoch", "1", "4", "170"),
        ("batch", "2", "5", "220"),
        ("epoch", "2", "5", "220"),
    ]
    assert [row["seconds"] for row in rows] == ["0.25", "", "1.5", "2.0", "2.0", "2.5", "2.5"]
    assert [float(row["loss"]) for row in rows] == [2.5, 1 / 3, 1.25, 1.0, 0.7, 0.5, 0.5]
    assert [float(row["accuracy"]) for row in rows] == [0.1, 0.5, 0.75, 0.9, 0.8, 1.0, 1.0]
    norms = [float(row["gradient_norm"]) if row["gradient_norm"] else None for row in rows]
    assert norms == [1.5, 0.1, 1e-9, None, None, 0.25, None]
    assert [row["validation_loss"] for row in rows] == ["", "", "", "", "0.6", "", ""]
    assert {row["validation_accuracy"] for row in rows} == {""}
    assert [row["complete"] for row in rows] == ["", "", "", "", "True", "", "False"]
    rates = [np.float32(row["learning_rate"]) for row in rows if row["kind"] == "batch"]
    assert rates == learning_rates(config)[:5].astype(np.float32).tolist()
    assert {row["learning_rate"] for row in rows if row["kind"] == "epoch"} == {""}


def test_curves_need_neither_settings_nor_events() -> None:
    assert {row["learning_rate"] for row in table(export.curves_csv(EVENTS))} == {""}
    assert export.curves_csv([]) == ",".join(export.CURVE_COLUMNS) + "\n"


def test_what_a_continued_run_made_void_is_no_part_of_its_curves() -> None:
    again = [Continued(4), BatchesDone(2, 6, 270, (0.4, 0.3), (0.9, 0.8), 3.0)]
    rows = table(export.curves_csv([*EVENTS, *again]))
    assert [(row["kind"], row["step"], row["images"], row["loss"]) for row in rows[4:]] == [
        ("epoch", "4", "170", "0.7"),
        ("batch", "5", "220", "0.4"),
        ("batch", "6", "270", "0.3"),
    ]


def test_curves_of_a_real_run_add_up(mnist: Mnist) -> None:
    config = TrainingConfig(architecture="2C3-P4-10", train_size=530, validation_share=0.1, batch_size=50, epochs=2)
    events: list[Event] = []
    training.train(config, mnist, events.append)
    rows = table(export.curves_csv(events, config))
    batches = [row for row in rows if row["kind"] == "batch"]
    epochs = [row for row in rows if row["kind"] == "epoch"]
    assert [int(row["step"]) for row in batches] == list(range(1, config.steps + 1))
    assert [int(row["images"]) for row in batches] == [*range(50, 451, 50), 477, *range(527, 928, 50), 954]
    assert [int(row["images"]) for row in epochs] == [477, 954]
    sizes = [50] * 9 + [27]
    losses = [float(row["loss"]) for row in batches]
    for number, row in enumerate(epochs):
        assert float(row["loss"]) == pytest.approx(np.average(losses[10 * number : 10 * number + 10], weights=sizes))


def test_settings_come_back_from_json(drawn_configs: list[TrainingConfig]) -> None:
    for config in [
        *(preset.config for preset in PRESETS.values()),
        *drawn_configs,
        TrainingConfig(preset="Süß \ud800"),
    ]:
        text = export.config_json(config)
        assert export.read_config(text) == config
        assert export.read_config(text.encode()) == config
    assert export.read_config(b"\xef\xbb\xbf" + text.encode()) == config  # as Windows editors save it


def test_settings_of_version_1_can_be_read() -> None:
    old = {"config_version": 1, "preset": "chollet", "architecture": "8C3-10", "epochs": 4, "stop_above_accuracy": 0.98}
    config = export.read_config(json.dumps(old))
    assert (config.architecture, config.epochs) == ("8C3-10", 4)
    assert (config.early_stopping, config.stop_metric, config.stop_target) == ("target", "training accuracy", 0.98)


GOOD = {"config_version": 2}
BAD: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "not JSON"),
    "prose": ("Dear Digit Lab,", "line 1, column 1"),
    "cut off": ('{\n"epochs": 3,', "line 2"),
    "list": ("[1, 2]", "JSON object"),
    "number": ("7", "JSON object"),
    "not UTF-8": ('{"preset": "Süß"}'.encode("latin-1"), "UTF-8"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
    "too long": (json.dumps(GOOD) + " " * 20_000, "20,000"),
    "too long in bytes": (b" " * 20_001, "20,000"),
    "deeply nested": ("[" * 19_000, "no Digit Lab"),
    "nested value": (json.dumps({**GOOD, "epochs": json.loads("[" * 90 + "]" * 90)}), "epochs"),
    "endless number": ('{"config_version": 2, "epochs": ' + "9" * 5000 + "}", "no Digit Lab"),
    "no number": ('{"config_version": 2, "learning_rate": NaN}', "learning_rate"),
    "no version": ("{}", "version"),
    "newer version": ('{"config_version": 3}', "version 3"),
    "foreign setting": (json.dumps({**GOOD, "colour": "red"}), "colour"),
    "out of bounds": (json.dumps({**GOOD, "epochs": 1000}), "epochs"),
    "bad network": (json.dumps({**GOOD, "architecture": "os.system-10"}), "architecture"),
}


@pytest.mark.parametrize(("text", "mentioned"), BAD.values(), ids=BAD)
def test_what_is_not_ours_is_refused_with_a_sentence(text: str | bytes, mentioned: str) -> None:
    with pytest.raises(ConfigError) as raised:
        export.read_config(text)
    message = str(raised.value)
    assert mentioned in message
    assert message.endswith(".")
    assert len(message) < 700


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["config_version", *(setting.name for setting in fields(TrainingConfig))])


@given(
    st.binary(max_size=200)
    | st.text(max_size=200)
    | st.dictionaries(NAMES, JSON_VALUES, max_size=4).map(lambda values: json.dumps({**GOOD, **values}))
)
@settings(max_examples=300, deadline=None)
def test_reading_settings_never_fails_in_another_way(text: str | bytes) -> None:
    try:
        config = export.read_config(text)
    except ConfigError:
        return
    assert export.read_config(export.config_json(config)) == config
