"""The command line: `digit-lab presets | train | evaluate | predict | export | app`, or `python -m mnist_core …`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnist_core import runs
from mnist_core.cli_output import ProgressBar, print_report, print_rows
from mnist_core.common.errors import DigitLabError
from mnist_core.common.server import PROJECT, runs_dir
from mnist_core.data.dataset import load_mnist
from mnist_core.drawing import preparation
from mnist_core.drawing.photos import picture_files
from mnist_core.evaluation.metrics import ranking
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.networks.lean_keras import block_pandas
from mnist_core.processes import inference_worker, spare, worker
from mnist_core.processes.queue import wait_for_turn
from mnist_core.runs.event_log import read_events
from mnist_core.runs.status import stored_status, write_status
from mnist_core.training.export.files import config_json, curves_csv, keras_script, notebook
from mnist_core.training.presets import PRESETS


class CommandError(DigitLabError):
    """A command that cannot be carried out; the message says why."""


def digit_lab(prog: str = "digit-lab") -> int:
    """Run the command that this process was started with, without pandas: what the script `digit-lab` calls."""
    block_pandas()
    return main(prog=prog)


def main(arguments: list[str] | None = None, prog: str = "python -m mnist_core") -> int:
    """Run one command. Returns the exit status: 0, 1 if a run failed, 2 if the command cannot be carried out."""
    parser = _parser(prog)
    options, further = parser.parse_known_args(arguments)
    if options.command is _app:
        options.further = further
    elif further:
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        status: int = options.command(options)
        return status
    except (DigitLabError, OSError) as error:
        print(f"{options.program}: {error}", file=sys.stderr)
        return 2


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Train and use networks on MNIST.")
    parser.set_defaults(program=prog.split()[-1])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    presets = commands.add_parser("presets", help="list the presets")
    presets.set_defaults(command=_presets)

    train = commands.add_parser("train", help="train a network, as the Train page does")
    what = train.add_mutually_exclusive_group()
    what.add_argument("--preset", choices=PRESETS, help="start from the settings of a preset")
    what.add_argument("--run", metavar="ID", help="train a run that was created before")
    train.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="change one setting")
    train.add_argument("--name", metavar="ID", help="name the run; otherwise the time names it")
    train.set_defaults(command=_train)

    commands.add_parser(
        "spare", help="get ready to train, and wait for a run: what the Train page starts"
    ).set_defaults(command=_spare)

    evaluate = commands.add_parser("evaluate", help="evaluate a trained network on the test set again")
    evaluate.add_argument("run", metavar="RUN", help="the id of a run, or its directory")
    evaluate.set_defaults(command=_evaluate)

    predict = commands.add_parser("predict", help="predict the digits in picture files")
    predict.add_argument("run", metavar="RUN", help="the id of a run, or its directory")
    predict.add_argument("images", metavar="IMAGE", nargs="+", type=Path, help="a picture of one digit")
    predict.set_defaults(command=_predict)

    taken = commands.add_parser("export", help="export a run: as Keras code, curves or settings")
    taken.add_argument("run", metavar="RUN", help="the id of a run, or its directory")
    taken.add_argument("--as", dest="kind", choices=EXPORTS, required=True, help="what to write")
    taken.add_argument("--output", metavar="FILE", type=Path, help="where to write it, instead of standard output")
    taken.set_defaults(command=_export)

    app = commands.add_parser(
        "app",
        help="serve the app",
        usage=f"{prog} app [-h] [OPTION …]",
        description="Serve the app. Options are those of `streamlit run`, as in --server.port 8600.",
        allow_abbrev=False,
    )
    app.set_defaults(command=_app)

    for command in (train, evaluate, predict, taken):
        command.add_argument("--runs-dir", metavar="DIR", type=Path, default=runs_dir(), help="folder of the runs")
    for command in (presets, train, evaluate, predict):
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _presets(options: argparse.Namespace) -> int:
    rows = [
        {
            "preset": preset.name,
            "architecture": preset.config.notation,
            "parameters": preset.config.architecture.parameters,
            "optimizer": preset.config.optimizer,
            "batch_size": preset.config.batch_size,
            "epochs": preset.config.epochs,
            "claim": preset.claim,
        }
        for preset in PRESETS.values()
    ]
    print_rows(rows, as_json=options.json)
    return 0


def _train(options: argparse.Namespace) -> int:
    if options.run:
        if options.set or options.name:
            raise CommandError("--set and --name cannot change a run that was created before.")
        path = runs.find_run(options.run, options.runs_dir).path
        _claim(path)
        return _train_as_job(path)
    preset = options.preset or "chollet"
    config = PRESETS[preset].config.with_settings(options.set)
    path = runs.create_run(options.runs_dir, config, options.name)
    interrupted = _stop_on_signal()
    with ProgressBar(config, quiet=options.json) as bar:
        run = worker.execute(path, bar.show, lambda: bool(interrupted))
    if run.status.state == "failed":
        print(f"{options.program}: {run.status.message}", file=sys.stderr)
        return 1
    print_report(run, as_json=options.json)
    return 0


def _claim(path: Path) -> None:
    """Make this process that of a run, unless it has one or was carried out before."""
    status = stored_status(path)  # a process that was long in starting still comes in time
    if status.state != "queued":
        raise CommandError(f"Run {path.name} was carried out before ({status.state}).")
    if status.pid is not None:
        raise CommandError(f"Run {path.name} has a process already ({status.pid}).")
    # No handling of signals: a run whose machine shuts down is interrupted, and can go on afterwards.
    write_status(path, "queued", pid=os.getpid())


def _train_as_job(path: Path) -> int:
    """Wait for the run's turn, then train without printing: what the Train page starts."""
    wait_for_turn(path)
    ended = worker.execute(path)
    return 1 if ended.status.state == "failed" else 0


def _spare(options: argparse.Namespace) -> int:
    """Load TensorFlow, and carry out the run that is given on standard input, if one is."""
    return _train_as_job(spare.wait_for_run(_claim))


def _evaluate(options: argparse.Namespace) -> int:
    run = _find(options)
    data = load_mnist()
    probabilities = inference_worker.predict(run.model_file, data.x_test)
    measured = worker.measure(probabilities, data)
    low, high = wilson_interval(int(measured["test_correct"]), len(data.y_test))
    row = {"run": run.id, **measured, "interval_95_low": low, "interval_95_high": high}
    print_rows([row], as_json=options.json)
    return 0


def _predict(options: argparse.Namespace) -> int:
    run = _find(options)
    rows: list[dict[str, Any]] = []
    for file in options.images:
        try:
            digit = preparation.prepare(picture_files.ink_from_picture(file.read_bytes()))
        except (picture_files.PictureError, preparation.NoInkError) as error:
            raise CommandError(f"{file}: {error}") from error
        probabilities = inference_worker.predict(run.model_file, digit[None])[0]
        (reading, confidence), *_ = ranking(probabilities)
        rows.append({"image": str(file), "reading": reading, "confidence": confidence})
        rows[-1] |= {"probabilities": [float(value) for value in probabilities]} if options.json else {}
    print_rows(rows, as_json=options.json)
    return 0


def _export(options: argparse.Namespace) -> int:
    run = _find(options)
    text = EXPORTS[options.kind](run)
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.write_text(text, encoding="utf-8", newline="\n")
    return 0


def _app(options: argparse.Namespace) -> int:
    """Let Streamlit serve the app in place of this process; on Windows, which cannot do that, in a child of it."""
    if not (PROJECT / "app.py").is_file():
        raise CommandError("The app is not here: install Digit Lab from its folder with `pip install -e .`.")
    # -P: modules are not looked for in the current folder, just as `streamlit` does not.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(PROJECT / "app.py"), *options.further]
    if sys.platform != "win32":
        os.execv(sys.executable, command)
    with subprocess.Popen(command) as server:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server answers Ctrl-C
        return server.wait()


def _reached(run: runs.Run) -> float | None:
    """Return the test accuracy that training all over again will reach; None if somebody ended the run before."""
    return run.report.test_accuracy if run.report and run.report.end_reason != "stopped" else None


EXPORTS: dict[str, Callable[[runs.Run], str]] = {
    "script": lambda run: keras_script(run.config, _reached(run)),
    "notebook": lambda run: notebook(run.config, _reached(run)),
    "csv": lambda run: curves_csv(read_events(run.path), run.config),
    "json": lambda run: config_json(run.config),
}


def _find(options: argparse.Namespace) -> runs.Run:
    directory = Path(options.run)
    if (directory / "config.json").is_file():
        return runs.read_run(directory.resolve())
    return runs.find_run(options.run, options.runs_dir)


def _stop_on_signal() -> list[int]:
    """Let Ctrl-C and a termination request end training with the best weights kept; the list fills when they come."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received_number, frame: received.append(received_number))
    return received


if __name__ == "__main__":
    sys.exit(digit_lab("python -m mnist_core"))
