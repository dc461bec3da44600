"""`python -m mnist_core …` or `digit-lab …`, as people type it: what it prints, where it writes, how it ends."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from mnist_core import runs
from mnist_core.__main__ import digit_lab, main
from mnist_core.common.server import PROJECT, PUBLIC_VARIABLE
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import ranking
from mnist_core.runs import event_log
from mnist_core.runs.results import read_predictions
from mnist_core.training.export.files import read_config
from mnist_core.training.presets import PRESETS
from tests.support.serving import free_port

PARAMETERS = {"chollet": 34_826, "keras-steps": 93_322, "nehlr": 693_962, "five-layer": 65_194, "garcia": 1_199_882}
SMALL = [
    *("--set", "architecture=4C3-P2-10", "--set", "train_size=2000", "--set", "batch_size=50"),
    *("--set", "epochs=4", "--set", "learning_rate=0.01", "--set", "early_stopping=never"),
]


def words_of(*words: object) -> list[str]:
    return [sys.executable, "-m", "mnist_core", *map(str, words)]


def command(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command and check how it ends."""
    done = subprocess.run(words_of(*words), cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder that does not exist yet."""
    return tmp_path_factory.mktemp("command-line") / "new" / "runs"


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, Any]:
    """What `train --json` printed for a small network named `small-net`."""
    words = ("--preset", "chollet", *SMALL, "--name", "small-net", "--runs-dir", folder, "--json")
    printed: dict[str, Any] = json.loads(command("train", *words).stdout)
    return printed


@pytest.fixture(scope="module")
def network(folder: Path, trained: dict[str, Any]) -> runs.Run:
    return runs.find_run("small-net", folder)


@pytest.fixture(scope="module")
def digits(network: runs.Run, mnist: Mnist) -> dict[int, int]:
    """Test images that the small network reads right and is sure of, as label: index."""
    probabilities = read_predictions(network.path)
    of_label = probabilities[np.arange(10_000), mnist.y_test]
    best = [int(np.where(mnist.y_test == digit, of_label, 0).argmax()) for digit in range(10)]
    return {int(mnist.y_test[i]): i for i in sorted(best, key=lambda i: -of_label[i])[:4]}


def test_presets_lists_the_published_networks() -> None:
    printed = command("presets").stdout
    assert "\x1b" not in printed
    for name, parameters in PARAMETERS.items():
        (line,) = [line for line in printed.splitlines() if f" {name} " in line]
        assert f"{parameters:,}" in line


def test_presets_as_json_can_be_trained_from() -> None:
    rows = json.loads(command("presets", "--json").stdout)
    assert {row["preset"] for row in rows} == set(PRESETS)
    assert PARAMETERS.items() <= {row["preset"]: row["parameters"] for row in rows}.items()
    assert {"architecture", "optimizer", "batch_size", "epochs", "claim"} <= set(rows[0])


def test_training_prints_the_report_that_it_stores(trained: dict[str, Any], network: runs.Run) -> None:
    stored = json.loads((network.path / "report.json").read_text())
    assert trained == {"run": "small-net", "state": "finished", **stored}
    assert {"test_accuracy", "test_loss", "training_seconds", "parameters", "versions"} <= set(stored)
    assert stored["parameters"] == network.config.architecture.parameters
    assert {"python", "tensorflow", "keras", "numpy", "digit_lab"} <= set(stored["versions"])
    assert stored["training_seconds"] > 0
    assert stored["test_accuracy"] > 0.8
    assert stored["epochs_completed"] == 4
    assert stored["steps"] == 4 * network.config.steps_per_epoch


def test_training_uses_the_preset_with_the_settings_changed(network: runs.Run) -> None:
    config = network.config
    assert (config.preset, config.validation, config.optimizer) == ("chollet", "last", "adam")
    assert (config.notation, config.train_size, config.batch_size) == ("4C3-P2-10", 2000, 50)
    assert (config.epochs, config.learning_rate, config.early_stopping) == (4, 0.01, "never")


def test_training_writes_into_the_given_folder_and_nowhere_else(
    network: runs.Run, folder: Path, own_runs_dir: Path
) -> None:
    assert [run.id for run in runs.list_runs(folder)] == ["small-net"]
    files = {file.relative_to(network.path).as_posix() for file in network.path.rglob("*") if file.is_file()}
    epochs = {f"epochs/{epoch:04}.npz" for epoch in range(1, network.config.epochs + 1)}
    assert files == epochs | {f"{name}.json" for name in ("config", "status", "report")} | {
        "metrics.jsonl",
        "model.keras",
        "predictions.npz",
    }
    assert list(own_runs_dir.iterdir()) == []


def test_evaluation_agrees_with_the_report(network: runs.Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(folder)
    assert main(["evaluate", "small-net", "--runs-dir", str(folder), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert network.report is not None
    assert row["test_correct"] == network.report.test_correct
    assert row["test_accuracy"] == pytest.approx(network.report.test_accuracy)
    assert row["test_loss"] == pytest.approx(network.report.test_loss, rel=1e-5)
    assert row["interval_95_low"] < row["test_accuracy"] < row["interval_95_high"]
    assert snapshot(folder) == before


def test_evaluation_prints_a_table_and_takes_a_directory(network: runs.Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(network.path)]) == 0
    printed = capsys.readouterr().out
    assert network.report is not None
    assert "small-net" in printed
    assert f"{network.report.test_accuracy:.4f}" in printed
    assert f"{network.report.test_correct:,}" in printed


def test_prediction_reads_real_digits_from_pictures(
    network: runs.Run, folder: Path, digits: dict[int, int], mnist: Mnist, tmp_path: Path
) -> None:
    files = []
    for place, index in enumerate(digits.values()):
        image = mnist.x_test[index] if place % 2 else 255 - mnist.x_test[index]  # light on dark, dark on light
        files.append(tmp_path / f"digit {place}.png")
        Image.fromarray(image).save(files[-1])
    rows = json.loads(command("predict", "small-net", *files, "--runs-dir", folder, "--json").stdout)
    assert [row["image"] for row in rows] == [str(file) for file in files]
    assert [row["reading"] for row in rows] == list(digits)
    for row in rows:
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert row["confidence"] == row["probabilities"][row["reading"]] == max(row["probabilities"])


def test_prediction_prints_a_table(
    network: runs.Run, digits: dict[int, int], mnist: Mnist, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label, index = next(iter(digits.items()))
    Image.fromarray(mnist.x_test[index]).save(tmp_path / "digit.png")
    assert main(["predict", str(network.path), str(tmp_path / "digit.png")]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "digit.png" in line or "0." in line]
    (reading, confidence) = ranking(read_predictions(network.path)[index], 1)[0]
    assert reading == label
    assert f" {reading} " in line
    shown = [float(cell) for cell in line.split("│") if cell.strip().startswith(("0.", "1."))]
    assert shown[0] == pytest.approx(confidence, abs=0.2)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a picture without ink and a file that is no picture."""
    Image.new("L", (28, 28)).save(tmp_path / "blank.png")
    (tmp_path / "text.png").write_text("no picture")
    return tmp_path


# What is asked for, and what the answer must mention. RUN and PICTURES stand for folders.
ERRORS = {
    "unknown setting": (["train", "--set", "epoch=3"], ["“epoch”", "epochs"]),
    "bad value": (["train", "--set", "epochs=many"], ["epochs", "many", "whole number"]),
    "bad run": (["evaluate", "no-such-run"], ["no-such-run"]),
    "missing picture": (["predict", "RUN", "PICTURES/missing.png"], ["missing.png"]),
    "picture without ink": (["predict", "RUN", "PICTURES/blank.png"], ["blank.png", "no ink"]),
}
MORE_ERRORS = {
    "value out of bounds": (["train", "--set", "epochs=0"], ["epochs", "1 to 100"]),
    "no value": (["train", "--set", "epochs"], ["“epochs”", "name=value"]),
    "bad architecture": (["train", "--set", "architecture=32C99-10"], ["32C99"]),
    "settings that contradict": (["train", "--set", "validation=none", "--set", "keep=best"], ["keep"]),
    "unsafe name": (["train", "--name", "../x"], ["../x", "lower-case"]),
    "run with settings": (["train", "--run", "RUN", "--set", "epochs=1"], ["--set"]),
    "missing run to train": (["train", "--run", "no-such-run"], ["no-such-run"]),
    "unsafe run": (["evaluate", "../x"], ["../x"]),
    "no picture": (["predict", "RUN", "PICTURES/text.png"], ["text.png", "picture"]),
    "folder as picture": (["predict", "RUN", "PICTURES"], []),
    "untrained run": (["evaluate", "untrained"], ["untrained", "is missing"]),
    "damaged network": (["evaluate", "damaged"], ["damaged"]),
    "taken name": (["train", "--name", "taken"], ["taken", "already"]),
}


def filled_in(words: list[str], network: runs.Run, pictures: Path) -> list[str]:
    return [word.replace("RUN", str(network.path)).replace("PICTURES", str(pictures)) for word in words]


@pytest.mark.parametrize(("words", "mentioned"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_done_is_said_on_standard_error(
    words: list[str], mentioned: list[str], network: runs.Run, pictures: Path
) -> None:
    done = command(*filled_in(words, network, pictures), "--runs-dir", pictures / "runs", status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("mnist_core: ")
    assert all(text in done.stderr for text in mentioned)
    assert not (pictures / "runs").exists()


@pytest.mark.parametrize(("words", "mentioned"), MORE_ERRORS.values(), ids=MORE_ERRORS)
def test_other_things_that_cannot_be_done_are_said_too(
    words: list[str],
    mentioned: list[str],
    network: runs.Run,
    pictures: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = pictures / "runs"
    for name in ("untrained", "taken"):
        runs.create_run(folder, network.config, name)
    damaged = shutil.copytree(network.path, folder / "damaged")
    (damaged / "model.keras").write_bytes(b"torn")
    before = snapshot(folder)
    assert main([*filled_in(words, network, pictures), "--runs-dir", str(folder)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mnist_core: ")
    assert all(text in printed.err for text in mentioned)
    assert snapshot(folder) == before


@pytest.mark.parametrize("words", [[], ["fly"], ["train", "--preset", "magic"], ["predict", "run"]])
def test_a_command_that_does_not_exist_gives_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_run_that_was_carried_out_before_is_not_trained_again(network: runs.Run, tmp_path: Path) -> None:
    path = shutil.copytree(network.path, tmp_path / "done")
    before = snapshot(path)
    done = command("train", "--run", "done", "--runs-dir", tmp_path, status=2)
    assert "done" in done.stderr
    assert snapshot(path) == before


def test_a_run_that_fails_says_why_and_ends_with_status_1(tmp_path: Path) -> None:
    settings = {
        **{"architecture": "16:linear-16:linear-16:linear-10", "scaling": "0-255", "optimizer": "sgd"},
        **{"learning_rate": 10, "train_size": 100, "batch_size": 10, "epochs": 3},
    }
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    done = command("train", *words, "--name", "diverging", "--runs-dir", tmp_path, status=1)
    assert "mnist_core: The loss is no longer a finite number" in done.stderr
    assert "lower learning rate" in done.stderr
    assert runs.find_run("diverging", tmp_path).status.state == "failed"


def test_a_server_for_strangers_trains_nothing_that_is_too_large(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    words = ["train", "--set", "epochs=81", "--name", "too-long", "--runs-dir", str(tmp_path)]
    assert main(words) == 1
    assert "81 epochs: at most 80 are allowed here" in capsys.readouterr().err
    run = runs.find_run("too-long", tmp_path)
    assert run.status.state == "failed"
    assert event_log.read_events(run.path) == []


def test_export_prints_a_script_of_the_run_with_what_it_reached(trained_run: Path) -> None:
    report = runs.read_run(trained_run).report
    assert report is not None
    script = command("export", trained_run, "--as", "script").stdout
    compile(script, "script", "exec")
    assert f"reached a test accuracy of {report.test_accuracy:.4f}" in " ".join(script.split())
    assert 'layers.Conv2D(4, 3, activation="relu"),' in script


def test_export_promises_no_result_of_a_run_that_was_stopped(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = shutil.copytree(trained_run, tmp_path / "stopped")
    report = json.loads((stopped / "report.json").read_text())
    (stopped / "report.json").write_text(json.dumps({**report, "end_reason": "stopped"}))
    assert main(["export", str(stopped), "--as", "script"]) == 0
    assert "reached" not in capsys.readouterr().out


def test_export_prints_a_notebook_curves_and_settings(trained_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = runs.read_run(trained_run).config
    printed = {}
    for kind in ("notebook", "csv", "json"):
        assert main(["export", str(trained_run), "--as", kind]) == 0
        printed[kind] = capsys.readouterr().out
    assert json.loads(printed["notebook"])["nbformat"] == 4
    header, *rows = printed["csv"].splitlines()
    assert header.startswith("kind,epoch,step,")
    assert [row.split(",")[0] for row in rows].count("batch") == config.steps
    assert [row.split(",")[0] for row in rows].count("epoch") == config.epochs
    assert all(",0.01," in row for row in rows if row.startswith("batch"))  # the learning rate
    assert read_config(printed["json"]) == config


def test_export_writes_into_a_file(trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(trained_run)
    words = ["export", trained_run.name, "--runs-dir", str(trained_run.parent), "--as", "json"]
    assert main([*words, "--output", str(tmp_path / "settings.json")]) == 0
    assert capsys.readouterr().out == ""
    assert read_config((tmp_path / "settings.json").read_bytes()) == runs.read_run(trained_run).config
    assert main([*words, "--output", str(tmp_path / "missing" / "settings.json")]) == 2
    assert "missing" in capsys.readouterr().err
    assert snapshot(trained_run) == before


def test_export_says_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "no-such-run", "--as", "csv", "--runs-dir", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mnist_core: ")
    assert "no-such-run" in printed.err
    for words in (["export", "run"], ["export", "run", "--as", "poem"]):
        with pytest.raises(SystemExit):
            main(words)
        assert "--as" in capsys.readouterr().err


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        assert process.poll() is None, "the process ended"
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process alone")
def test_ctrl_c_ends_training_and_keeps_a_report(tmp_path: Path) -> None:
    endless = ["--set", "architecture=4C3-P2-10", "--set", "epochs=100", "--name", "endless", "--runs-dir", tmp_path]
    with subprocess.Popen(
        words_of("train", "--preset", "nehlr", *endless),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: len(event_log.read_events(tmp_path / "endless")) > 3, process)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=180)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "stopped" in out
    assert "Test accuracy" in out
    run = runs.find_run("endless", tmp_path)
    assert run.status.state == "stopped"
    assert run.report is not None
    assert f"{run.report.test_accuracy:.2%}" in out
    assert run.report.epochs_completed < 100
    assert read_predictions(run.path).shape == (10_000, 10)


def test_the_script_of_the_project_is_this_command_line() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, target),) = project["scripts"].items()
    script = importlib.metadata.EntryPoint(name, target, "console_scripts")
    assert (name, script.load()) == ("digit-lab", digit_lab)


def test_the_installed_script_works_in_any_folder_under_its_name(tmp_path: Path) -> None:
    script = shutil.which("digit-lab", path=Path(sys.executable).parent)
    if script is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this takes `pip install -r requirements-dev.txt`")
    done = subprocess.run([script, "evaluate", "no-such-run"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("digit-lab: ")
    assert "no-such-run" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_calls_the_program_as_it_was_called(capsys: pytest.CaptureFixture[str]) -> None:
    for words, usage in ([], "digit-lab "), (["app"], "digit-lab app "), (["train"], "digit-lab train "):
        with pytest.raises(SystemExit):
            main([*words, "--help"], prog="digit-lab")
        assert capsys.readouterr().out.startswith(f"usage: {usage}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_app_is_served_with_the_options_of_streamlit() -> None:
    address, port = "127.0.0.1", str(free_port())
    options = ["--server.headless=true", "--server.address", address, "--server.port", port]
    with subprocess.Popen(words_of("app", *options), cwd=PROJECT, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            wait_until(lambda: answers(f"http://{address}:{port}/_stcore/health"), process)
            assert answers(f"http://{address}:{port}/app/static/logo.svg")  # so .streamlit/config.toml is heeded
            assert os.name == "nt" or "streamlit" in psutil.Process(process.pid).cmdline()
        finally:
            for part in [*psutil.Process(process.pid).children(recursive=True), process]:
                part.terminate()


def test_windows_serves_the_app_in_a_child_process(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored: list[int] = []
    monkeypatch.setattr(signal, "signal", lambda number, _: ignored.append(number))
    with monkeypatch.context() as windows:
        windows.setattr(sys, "platform", "win32")
        status = main(["app", "--server.port", "none"])
    assert (status, ignored) == (2, [signal.SIGINT])
    assert "'none' is not a valid integer" in capfd.readouterr().err
