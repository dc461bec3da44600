"""The files of a run: what is written comes back, and no torn, foreign or missing file breaks a reader."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core import runs
from mnist_core.runs.reading import RunError
from mnist_core.runs.results import Report, read_predictions, write_predictions, write_report
from mnist_core.runs.status import STATES, write_status
from mnist_core.training.config import TrainingConfig
from tests.support.run_directories import MakeConfig, is_sentence, write_status_values
from tests.support.strategies import json_values, no_limits


@pytest.fixture
def finished(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of a finished run that may be damaged."""
    return shutil.copytree(trained_run, tmp_path / "runs" / trained_run.name)


# Predictions


def test_predictions_come_back_as_they_were_written(queued: Path) -> None:
    probabilities = np.random.default_rng(0).random((10_000, 10), np.float32)
    write_predictions(queued, probabilities)
    np.testing.assert_array_equal(read_predictions(queued), probabilities)


def test_missing_predictions_are_said_to_come_when_training_ends(queued: Path) -> None:
    with pytest.raises(RunError, match="no predictions yet"):
        read_predictions(queued)


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def npy(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def with_header_byte(content: bytes, place: int, value: int) -> bytes:
    """Change one byte of the entry in an archive's table of contents."""
    start = content.rindex(b"PK\1\2") + place
    return content[:start] + bytes([value]) + content[start + 1 :]


GOOD = np.full((10_000, 10), 0.1, np.float32)
WITH_NAN = GOOD.copy()
WITH_NAN[17, 3] = np.nan
STRANGE_PREDICTIONS = {
    "empty": b"",
    "garbage": b"garbage " * 100,
    "text": "Not found".encode("utf-16"),
    "one array that is no archive": npy(GOOD),
    "pickle": npy(np.array([{"a": 1}], object), allow_pickle=True),
    "pickle inside": npz(test_probabilities=np.array([{"a": 1}], object)),
    "encrypted": with_header_byte(npz(test_probabilities=GOOD), 8, 1),
    "unknown compression": with_header_byte(npz(test_probabilities=GOOD), 10, 1),
    "other name": npz(probabilities=GOOD),
    "no array": npz(),
    "few images": npz(test_probabilities=GOOD[:-1]),
    "flat": npz(test_probabilities=GOOD.ravel()),
    "scalar": npz(test_probabilities=np.float32(1)),
    "doubles": npz(test_probabilities=GOOD.astype(np.float64)),
    "text inside": npz(test_probabilities=GOOD.astype(str)),
    "not a number": npz(test_probabilities=WITH_NAN),
}


@pytest.mark.parametrize("content", STRANGE_PREDICTIONS.values(), ids=STRANGE_PREDICTIONS)
def test_predictions_that_are_damaged_or_foreign_give_a_sentence(content: bytes, queued: Path) -> None:
    (queued / "predictions.npz").write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_predictions(queued)
    assert is_sentence(str(caught.value))


def test_predictions_that_are_a_folder_give_a_sentence(queued: Path) -> None:
    (queued / "predictions.npz").mkdir()
    with pytest.raises(RunError, match="cannot be read"):
        read_predictions(queued)


@pytest.mark.fault(id="damaged-predictions")
@no_limits
@given(data=st.data())
def test_torn_or_changed_predictions_never_raise_anything_else(data: st.DataObject, trained_run: Path) -> None:
    content = bytearray((trained_run / "predictions.npz").read_bytes())
    end = data.draw(st.just(len(content)) | st.integers(0, len(content) - 1))
    del content[end:]
    # The headers at both ends are where single bytes matter most.
    places = st.integers(0, 120) | st.integers(max(0, end - 130), max(0, end - 1))
    for place, value in data.draw(st.dictionaries(places, st.integers(0, 255), max_size=3)).items():
        content[place : place + 1] = bytes([value])[: len(content) - place]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "predictions.npz").write_bytes(content)
        try:
            assert read_predictions(Path(folder)).shape == (10_000, 10)
        except RunError as error:
            assert is_sentence(str(error))


# Damaged JSON files

DAMAGE = {
    "empty": lambda content: b"",
    "torn": lambda content: content[: len(content) // 2],
    "garbage": lambda content: b"\x00\xff garbage",
    "list": lambda content: b"[]",
    "null": lambda content: b"null",
    "number": lambda content: b"1",
    "text": lambda content: b'"state"',
    "empty object": lambda content: b"{}",
    "deep": lambda content: b"[" * 100_000,
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "long number": lambda content: b"9" * 10_000,
    "strange keys": lambda content: json.dumps({**json.loads(content), "": 1, "self": 2}).encode(),
}
# What a reader may rightly understand all the same.
HARMLESS = {
    ("report.json", "strange keys"),
    *((name, "UTF-16") for name in ("config.json", "status.json", "report.json")),
}


@pytest.mark.fault(id="damaged-run-file")
@pytest.mark.parametrize("name", ["config.json", "status.json", "report.json"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_gives_a_sentence_and_hides_its_run_only(
    name: str, damage: str, finished: Path, tiny_config: MakeConfig
) -> None:
    other = runs.create_run(finished.parent, tiny_config())
    assert {run.id for run in runs.list_runs(finished.parent)} == {finished.name, other.name}
    file = finished / name
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    if (name, damage) in HARMLESS:
        assert runs.read_run(finished).status.state == "finished"
        return
    with pytest.raises(RunError) as caught:
        runs.read_run(finished)
    assert is_sentence(str(caught.value))
    with pytest.raises(RunError):
        runs.find_run(finished.name, finished.parent)
    assert [run.id for run in runs.list_runs(finished.parent)] == [other.name]
    assert runs.unreadable_runs(finished.parent) == {finished.name: str(caught.value)}


@pytest.mark.parametrize("name", ["config.json", "status.json"])
def test_a_missing_file_gives_a_sentence_that_names_it(name: str, finished: Path) -> None:
    (finished / name).unlink()
    with pytest.raises(RunError, match=name):
        runs.read_run(finished)
    (finished / name).mkdir()
    with pytest.raises(RunError, match=name):
        runs.read_run(finished)
    assert list(runs.unreadable_runs(finished.parent)) == [finished.name]


def test_a_run_without_a_report_is_still_a_run(finished: Path) -> None:
    assert runs.read_run(finished).report is not None
    (finished / "report.json").unlink()
    assert runs.read_run(finished).report is None


def test_a_report_is_not_shown_while_the_run_is_active(finished: Path) -> None:
    write_status(finished, "running", pid=os.getpid())
    assert runs.read_run(finished).report is None


def test_a_report_comes_back_as_it_was_written(finished: Path) -> None:
    report = runs.read_run(finished).report
    assert report is not None
    changed = replace(report, test_accuracy=0.5, end_reason="stopped")
    write_report(finished, changed)
    assert runs.read_run(finished).report == changed


def test_a_report_of_before_memory_was_measured_is_read(finished: Path) -> None:
    values = json.loads((finished / "report.json").read_text())
    assert values.pop("peak_memory_mb") > 0
    (finished / "report.json").write_text(json.dumps(values))
    report = runs.read_run(finished).report
    assert report is not None
    assert report.peak_memory_mb == 0


@pytest.mark.fault(id="newer-version")
def test_settings_of_a_newer_version_are_said_to_be_so(queued: Path) -> None:
    values = json.loads((queued / "config.json").read_text())
    (queued / "config.json").write_text(json.dumps({**values, "config_version": 3, "new_setting": 5}))
    with pytest.raises(RunError, match="version 3"):
        runs.read_run(queued)


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", 0), ("epochs", "many"), ("architecture", "32C99-10"), ("optimizer", "magic"), ("seed", None)],
)
def test_settings_that_are_not_accepted_are_named(field: str, value: object, queued: Path) -> None:
    values = json.loads((queued / "config.json").read_text())
    (queued / "config.json").write_text(json.dumps({**values, field: value}))
    with pytest.raises(RunError, match=field):
        runs.read_run(queued)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "asleep"},
        {"state": None},
        {"state": ["running"]},
        {"pid": "abc"},
        {"pid": []},
        {"pid": float("inf")},
        {"pid": float("nan")},
        {"process_started": "then"},
        {"process_started": 10**400},
        {"updated": None},
        {"updated": 10**400},
        {"mood": "good"},
    ],
    ids=lambda values: "-".join(f"{name}={str(value)[:9]}" for name, value in values.items()),
)
def test_a_status_of_another_form_gives_a_sentence(values: dict[str, object], queued: Path) -> None:
    write_status_values(queued, **values)
    with pytest.raises(RunError, match=r"status\.json") as caught:
        runs.read_run(queued)
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("pid", [-1, 0, 2**31, 2**63, 2**80])
def test_a_process_number_that_cannot_be_does_not_live(pid: int, queued: Path) -> None:
    write_status_values(queued, pid=pid)
    try:
        assert runs.read_run(queued).status.state == "interrupted"
    except RunError as error:
        assert is_sentence(str(error))


@pytest.mark.parametrize("field", [field.name for field in fields(Report)])
def test_a_report_of_another_form_gives_a_sentence(field: str, finished: Path) -> None:
    values = json.loads((finished / "report.json").read_text())
    without = {name: value for name, value in values.items() if name != field}
    for changed in ([without] if field != "peak_memory_mb" else []) + [{**values, field: [1, "x"]}]:
        (finished / "report.json").write_text(json.dumps(changed))
        with pytest.raises(RunError, match=r"report\.json") as caught:
            runs.read_run(finished)
        assert is_sentence(str(caught.value))


def reads_as_run_or_error(trained_run: Path, name: str, value: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        path.mkdir()
        for file in ("config.json", "status.json", "report.json"):
            shutil.copy(trained_run / file, path)
        (path / name).write_text(json.dumps(value))
        try:
            run = runs.read_run(path)
            assert isinstance(run.config, TrainingConfig)
            assert run.status.state in STATES
            assert [listed.id for listed in runs.list_runs(Path(folder))] == ["run"]
        except RunError as error:
            assert str(error)
            assert runs.list_runs(Path(folder)) == []
            assert runs.unreadable_runs(Path(folder)) == {"run": str(error)}


@pytest.mark.fault(id="damaged-run-file")
@no_limits
@given(name=st.sampled_from(["config.json", "status.json", "report.json"]), data=st.data())
def test_any_json_can_stand_in_a_file_of_a_run(name: str, data: st.DataObject, trained_run: Path) -> None:
    values = json.loads((trained_run / name).read_text())
    changes = st.dictionaries(st.sampled_from(sorted(values)), json_values, min_size=1, max_size=3)
    active = st.just({"state": "running"}) if name == "status.json" else st.just({})
    value = data.draw(json_values | st.builds(lambda a, b: {**values, **a, **b}, active, changes))
    reads_as_run_or_error(trained_run, name, value)
