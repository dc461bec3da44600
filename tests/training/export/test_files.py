"""What is exported of a run: its notebook, its curves as a table and its settings, which can be brought back."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.data.dataset import Mnist
from mnist_core.training import loop
from mnist_core.training.config import ConfigError, TrainingConfig
from mnist_core.training.events import BatchesDone, Continued, EpochDone, Event
from mnist_core.training.export.files import CURVE_COLUMNS, config_json, curves_csv, notebook, read_config
from mnist_core.training.presets import PRESETS
from mnist_core.training.schedules import learning_rates
from tests.support.settings_drawn import EVERYTHING, drawn_configs
from tests.support.strategies import json_values


@pytest.mark.parametrize("config", [PRESETS["chollet"].config, EVERYTHING], ids=["plain", "everything"])
def test_the_notebook_is_a_notebook(config: TrainingConfig) -> None:
    """By the schema of nbformat 4.5: which keys there are, and what they hold."""
    text = notebook(config, 0.9)
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
    text = curves_csv(EVENTS, config)
    assert text.endswith("\n")
    assert "\r" not in text
    rows = table(text)
    assert tuple(rows[0]) == CURVE_COLUMNS
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
    assert {row["learning_rate"] for row in table(curves_csv(EVENTS))} == {""}
    assert curves_csv([]) == ",".join(CURVE_COLUMNS) + "\n"


def test_what_a_continued_run_made_void_is_no_part_of_its_curves() -> None:
    again: list[Event] = [Continued(4), BatchesDone(2, 6, 270, (0.4, 0.3), (0.9, 0.8), 3.0)]
    rows = table(curves_csv([*EVENTS, *again]))
    assert [(row["kind"], row["step"], row["images"], row["loss"]) for row in rows[4:]] == [
        ("epoch", "4", "170", "0.7"),
        ("batch", "5", "220", "0.4"),
        ("batch", "6", "270", "0.3"),
    ]


def test_curves_of_a_real_run_add_up(mnist: Mnist) -> None:
    config = TrainingConfig(notation="2C3-P4-10", train_size=530, validation_share=0.1, batch_size=50, epochs=2)
    events: list[Event] = []
    loop.train(config, mnist, events.append)
    rows = table(curves_csv(events, config))
    batches = [row for row in rows if row["kind"] == "batch"]
    epochs = [row for row in rows if row["kind"] == "epoch"]
    assert [int(row["step"]) for row in batches] == list(range(1, config.steps + 1))
    assert [int(row["images"]) for row in batches] == [*range(50, 451, 50), 477, *range(527, 928, 50), 954]
    assert [int(row["images"]) for row in epochs] == [477, 954]
    sizes = [50] * 9 + [27]
    losses = [float(row["loss"]) for row in batches]
    for number, row in enumerate(epochs):
        assert float(row["loss"]) == pytest.approx(np.average(losses[10 * number : 10 * number + 10], weights=sizes))


def test_settings_come_back_from_json() -> None:
    for config in [
        *(preset.config for preset in PRESETS.values()),
        *drawn_configs(),
        TrainingConfig(preset="Süß \ud800"),
    ]:
        text = config_json(config)
        assert read_config(text) == config
        assert read_config(text.encode()) == config
    assert read_config(b"\xef\xbb\xbf" + text.encode()) == config  # as Windows editors save it


def test_settings_of_version_1_can_be_read() -> None:
    old = {"config_version": 1, "preset": "chollet", "architecture": "8C3-10", "epochs": 4, "stop_above_accuracy": 0.98}
    config = read_config(json.dumps(old))
    assert (config.notation, config.epochs) == ("8C3-10", 4)
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
        read_config(text)
    message = str(raised.value)
    assert mentioned in message
    assert message.endswith(".")
    assert len(message) < 700


NAMES = st.sampled_from(["config_version", *(setting.name for setting in fields(TrainingConfig))])


@given(
    st.binary(max_size=200)
    | st.text(max_size=200)
    | st.dictionaries(NAMES, json_values, max_size=4).map(lambda values: json.dumps({**GOOD, **values}))
)
@settings(max_examples=300, deadline=None)
def test_reading_settings_never_fails_in_another_way(text: str | bytes) -> None:
    try:
        config = read_config(text)
    except ConfigError:
        return
    assert read_config(config_json(config)) == config
