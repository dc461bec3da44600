"""The command line: `python -m mnist_core presets | train | evaluate | predict | export`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mnist_core import drawing, export, jobs, run_status, runs, spare, worker
from mnist_core.answers import percent
from mnist_core.config import ConfigError, TrainingConfig
from mnist_core.dataset import TEST_IMAGES, DatasetError, load_mnist
from mnist_core.evaluation import ranking, wilson_interval
from mnist_core.event_log import read_events
from mnist_core.events import BatchesDone, EpochDone, Event
from mnist_core.lean_keras import leave_out_tables
from mnist_core.limits import LimitError
from mnist_core.photos import picture_files
from mnist_core.presets import PRESETS
from mnist_core.run_files import RunError


class CommandError(Exception):
    """A command that cannot be carried out; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0, 1 if a run failed, 2 if the command cannot be carried out."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        status: int = options.command(options)
        return status
    except (CommandError, ConfigError, DatasetError, LimitError, RunError, OSError) as error:
        print(f"mnist_core: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mnist_core", description="Train and use networks on MNIST.")
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

    for command in (train, evaluate, predict, taken):
        command.add_argument("--runs-dir", metavar="DIR", type=Path, default=runs.runs_dir(), help="folder of the runs")
    for command in (presets, train, evaluate, predict):
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _presets(options: argparse.Namespace) -> int:
    rows = [
        {
            "preset": preset.name,
            "architecture": preset.config.architecture,
            "parameters": preset.config.network.parameters,
            "optimizer": preset.config.optimizer,
            "batch_size": preset.config.batch_size,
            "epochs": preset.config.epochs,
            "claim": preset.claim,
        }
        for preset in PRESETS.values()
    ]
    _print_rows(rows, as_json=options.json)
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
    with _ProgressBar(config, quiet=options.json) as bar:
        run = worker.carry_out(path, bar.show, lambda: bool(interrupted))
    if run.status.state == "failed":
        print(f"mnist_core: {run.status.message}", file=sys.stderr)
        return 1
    _print_report(run, as_json=options.json)
    return 0


def _claim(path: Path) -> None:
    """Make this process that of a run, unless it has one or was carried out before."""
    status = run_status.stored_status(path)  # a process that was long in starting still comes in time
    if status.state != "queued":
        raise CommandError(f"Run {path.name} was carried out before ({status.state}).")
    if status.pid is not None:
        raise CommandError(f"Run {path.name} has a process already ({status.pid}).")
    # No handling of signals: a run whose machine shuts down is interrupted, and can go on afterwards.
    run_status.write_status(path, "queued", pid=os.getpid())


def _train_as_job(path: Path) -> int:
    """Wait for the run's turn, then train without printing: what the Train page starts."""
    jobs.wait_for_turn(path)
    ended = worker.carry_out(path)
    return 1 if ended.status.state == "failed" else 0


def _spare(options: argparse.Namespace) -> int:
    """Load TensorFlow, and carry out the run that is given on standard input, if one is."""
    return _train_as_job(spare.wait_for_run(_claim))


def _evaluate(options: argparse.Namespace) -> int:
    run = _find(options)
    data = load_mnist()
    probabilities = _probabilities(run, data.x_test)
    measured = worker.measure(probabilities, data)
    low, high = wilson_interval(int(measured["test_correct"]), len(data.y_test))
    row = {"run": run.id, **measured, "interval_95_low": low, "interval_95_high": high}
    _print_rows([row], as_json=options.json)
    return 0


def _predict(options: argparse.Namespace) -> int:
    run = _find(options)
    rows: list[dict[str, Any]] = []
    for file in options.images:
        try:
            digit = drawing.prepare(picture_files.ink_from_picture(file.read_bytes()))
        except (picture_files.PictureError, drawing.NoInkError) as error:
            raise CommandError(f"{file}: {error}") from error
        probabilities = _probabilities(run, digit[None])[0]
        (reading, confidence), *_ = ranking(probabilities)
        rows.append({"image": str(file), "reading": reading, "confidence": confidence})
        rows[-1] |= {"probabilities": [float(value) for value in probabilities]} if options.json else {}
    _print_rows(rows, as_json=options.json)
    return 0


def _export(options: argparse.Namespace) -> int:
    run = _find(options)
    text = EXPORTS[options.kind](run)
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.write_text(text, encoding="utf-8", newline="\n")
    return 0


def _reached(run: runs.Run) -> float | None:
    """Return the test accuracy that training all over again will reach; None if somebody ended the run before."""
    return run.report.test_accuracy if run.report and run.report.end_reason != "stopped" else None


EXPORTS: dict[str, Callable[[runs.Run], str]] = {
    "script": lambda run: export.keras_script(run.config, _reached(run)),
    "notebook": lambda run: export.notebook(run.config, _reached(run)),
    "csv": lambda run: export.curves_csv(read_events(run.path), run.config),
    "json": lambda run: export.config_json(run.config),
}


def _find(options: argparse.Namespace) -> runs.Run:
    directory = Path(options.run)
    if (directory / "config.json").is_file():
        return runs.read_run(directory.resolve())
    return runs.find_run(options.run, options.runs_dir)


def _probabilities(run: runs.Run, images: Any) -> Any:
    import keras

    from mnist_core.network import predict

    if not run.model_file.exists():
        raise CommandError(f"Run {run.id} has no network yet.")
    try:
        model = keras.models.load_model(run.model_file, compile=False)
    except Exception as error:  # Keras raises many kinds for a torn file
        raise CommandError(f"The network of run {run.id} cannot be loaded; its file is damaged.") from error
    return predict(model, images)


def _stop_on_signal() -> list[int]:
    """Let Ctrl-C and a termination request end training with the best weights kept; the list fills when they come."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received_number, frame: received.append(received_number))
    return received


class _ProgressBar:
    """A line on standard error that grows with training, and one line for each epoch."""

    def __init__(self, config: TrainingConfig, *, quiet: bool) -> None:
        self._steps_per_epoch = config.steps_per_epoch
        self._epochs = config.epochs
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  loss {task.fields[loss]}  {task.fields[rate]} images/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._task = self._progress.add_task(
            "", total=self._steps_per_epoch * self._epochs, epoch=1, epochs=self._epochs, loss="–", rate="–"
        )

    def __enter__(self) -> _ProgressBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Take note of one event of training."""
        match event:
            case BatchesDone():
                rate = f"{event.images / max(event.seconds, 1e-9):,.0f}"
                loss = f"{event.loss[-1]:.4f}"
                self._progress.update(self._task, completed=event.step, epoch=event.epoch, loss=loss, rate=rate)
            case EpochDone():
                line = f"epoch {event.epoch}: loss {event.loss:.4f}, accuracy {event.accuracy:.4f}"
                if event.validation_accuracy is not None:
                    line += f", validation loss {event.validation_loss:.4f}, accuracy {event.validation_accuracy:.4f}"
                self._progress.console.print(line, highlight=False)


def _print_report(run: runs.Run, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"run": run.id, "state": run.status.state, **(asdict(run.report) if run.report else {})}))
        return
    print(f"Run {run.id}: {run.status.state}, {run.status.message}")
    if run.report:
        low, high = wilson_interval(run.report.test_correct, TEST_IMAGES)
        accuracy, least, most = (percent(share, 2) for share in (run.report.test_accuracy, low, high))
        print(f"Test accuracy {accuracy} (95% interval {least} to {most})")
        print(f"Test loss {run.report.test_loss:.4f}, {run.report.training_seconds:.1f} s of training")


def _print_rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(_format(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _format(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    leave_out_tables()
    sys.exit(main())
