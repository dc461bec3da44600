"""What of a run can be exported: Keras code as a script or a notebook, curves as CSV, settings as JSON."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_core.training.config import ConfigError, TrainingConfig
from mnist_core.training.events import BatchesDone, Continued, EpochDone, Event
from mnist_core.training.export.keras_code import LINE_LENGTH, Section, introduction, sections
from mnist_core.training.schedules import learning_rates

CURVE_COLUMNS = (
    "kind",  # "batch" or "epoch"
    "epoch",  # counted from 1
    "step",  # batches since the start, this one included
    "images",  # images trained on since the start
    "seconds",  # of training since the start; batches run in sequences, measured at the end of each
    "loss",
    "accuracy",
    "gradient_norm",
    "learning_rate",
    "validation_loss",
    "validation_accuracy",
    "complete",  # of epochs: False if it was broken off
)
LONGEST_CONFIG = 20_000  # bytes
_START = {"step": 0, "images": 0}


def keras_script(config: TrainingConfig, test_accuracy: float | None = None) -> str:
    """Return a Python script that repeats a run with Keras and NumPy alone: the same weights, bit for bit.

    `test_accuracy`, a share, is what the run reached, for the reader to compare with. The script is ASCII.
    """
    paragraphs = introduction(config, test_accuracy)
    docstring = "\n\n".join(textwrap.fill(paragraph, LINE_LENGTH) for paragraph in paragraphs)
    parts = []
    for section in sections(config, 'Path(__file__).with_name("mnist.npz")'):
        words = textwrap.fill(section.words, LINE_LENGTH, initial_indent="# ", subsequent_indent="# ")
        parts.append("\n".join(part for part in (f"# %% {section.title}", words, section.code) if part))
    return f'"""{docstring}\n"""\n\n' + "\n\n\n".join(parts) + "\n"


def notebook(config: TrainingConfig, test_accuracy: float | None = None) -> str:
    """Return the same as a Jupyter notebook, JSON of nbformat 4.5, with a look at the curves and at some mistakes."""
    title, *paragraphs = introduction(config, test_accuracy)
    cells = [_cell("markdown", "introduction", "\n\n".join([f"# {title}", *paragraphs]))]
    for section in (*sections(config, 'Path("mnist.npz")'), _curves(config), _mistakes(config)):
        name = section.title.lower()
        cells.append(_cell("markdown", f"{name}-words", f"## {section.title}\n\n{section.words}".strip()))
        cells.append(_cell("code", f"{name}-code", section.code))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def curves_csv(events: Sequence[Event], config: TrainingConfig | None = None) -> str:
    """Return the curves as CSV, a row for each batch and one for each epoch, in order; columns are `CURVE_COLUMNS`.

    Cells are empty for what was not measured, and for learning rates without `config`. Losses are mean cross-entropies
    in nats, accuracies shares from 0 to 1. What a continued run made void is left out.
    """
    rows: list[dict[str, Any]] = []
    rates = learning_rates(config).astype(np.float32) if config else np.empty(0, np.float32)
    for event in events:
        match event:
            case BatchesDone():
                rows += _batch_rows(event, rows[-1] if rows else _START, rates)
            case EpochDone():
                rows.append(_epoch_row(event, rows[-1] if rows else _START))
            case Continued():
                rows = [row for row in rows if row["step"] <= event.step]
    text = io.StringIO()
    writer = csv.DictWriter(text, CURVE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def config_json(config: TrainingConfig) -> str:
    """Return the settings as JSON; `read_config` reads them back."""
    return json.dumps(config.to_json(), indent=2) + "\n"


def read_config(text: str | bytes) -> TrainingConfig:
    """Read settings that `config_json` wrote, or the config.json of any run. Raises `ConfigError` for anything else."""
    if len(text) > LONGEST_CONFIG:
        raise ConfigError(f"This is too long for settings of Digit Lab: at most {LONGEST_CONFIG:,} bytes are read.")
    try:
        values = json.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except UnicodeDecodeError:
        raise ConfigError("This is not text in UTF-8, so it cannot be settings of Digit Lab.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(f"This is not JSON, as settings of Digit Lab are: see {place}.") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets
        raise ConfigError("This is JSON that no Digit Lab has written.") from None
    return TrainingConfig.from_json(values)


def _batch_rows(event: BatchesDone, before: dict[str, Any], rates: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Return a row for each batch of an event; `before` is the row that precedes them."""
    count = len(event.loss)
    size = (event.images - before["images"]) // max(event.step - before["step"], 1)
    rows = []
    for index in range(count):
        left = count - 1 - index  # batches of this event that come after this one
        step = event.step - left
        rows.append(
            {
                "kind": "batch",
                "epoch": event.epoch,
                "step": step,
                "images": event.images - left * size,
                "seconds": None if left else event.seconds,
                "loss": event.loss[index],
                "accuracy": _item(event.accuracy, index),
                "gradient_norm": _item(event.gradient_norm, index),
                "learning_rate": _item(rates, step - 1),
            }
        )
    return rows


def _epoch_row(event: EpochDone, before: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in asdict(event).items() if name in CURVE_COLUMNS}
    return {"kind": "epoch", "images": before["images"], **values}


def _item(values: Sequence[Any] | NDArray[np.float32], index: int) -> Any:
    """Return a value, or None if it is not there."""
    return values[index] if 0 <= index < len(values) else None


def _cell(kind: str, name: str, source: str) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _curves(config: TrainingConfig) -> Section:
    validation = "" if config.validation == "none" else '\n    "validation": history["val_loss"],'
    penalty = ", with its penalty" if config.l2 or config.label_smoothing else ""
    code = f"""\
history = model.history.history  # for each measure, a value for each epoch
losses = {{
    "training": history["loss"],{validation}
}}
highest = max(max(values) for values in losses.values())
for epoch in range(len(history["loss"])):
    for name, values in losses.items():
        bar = "=" * round(60 * values[epoch] / highest)
        print(f"epoch {{epoch + 1:3}}  {{name:10}}  {{values[epoch]:.4f}}  {{bar}}")"""
    return Section("Curves", f"The loss of each epoch{penalty}: the shorter the bar, the better.", code)


def _mistakes(config: TrainingConfig) -> Section:
    labels = "y_test.argmax(axis=1)" if config.label_smoothing else "y_test"
    code = f"""\
probabilities = model.predict(x_test, batch_size=1000, verbose=0)
labels, read = {labels}, probabilities.argmax(axis=1)
confidence = probabilities.max(axis=1)
wrong = np.flatnonzero(read != labels)
print(f"{{len(wrong)}} of {{len(labels)}} test images are predicted wrongly.")

for index in wrong[np.argsort(-confidence[wrong])][:3]:
    print(f"\\nImage {{index}}: {{labels[index]}} predicted as {{read[index]}} ({{confidence[index]:.0%}})")
    for row in x_test[index, 4:24, 4:24, 0]:  # the digit without its margin
        print("".join(2 * " .:-=+*#%@"[pixel // 26] for pixel in row))"""
    words = "The mistakes with the highest confidence, drawn with letters so that nothing else is needed."
    return Section("Mistakes", words, code)
