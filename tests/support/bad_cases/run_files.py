"""Files of a run of which one holds something else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from mnist_core import runs
from mnist_core.runs import epoch_predictions, event_log
from mnist_core.runs.reading import RunError
from mnist_core.runs.results import read_predictions
from mnist_core.training import checkpoints, diagnosis
from mnist_core.training.config import TrainingConfig
from mnist_core.training.curves import by_epoch, curves
from mnist_core.training.events import Progress
from tests.support.bad_cases.damage import damaged, dumped, titles
from tests.support.bad_cases.trials import CaseKind, Home
from tests.support.strategies import hostile_texts, json_values

RUN_ID = "20260101-000000000-some"
RUN_FILES = (
    *("config.json", "status.json", "report.json", "metrics.jsonl", "predictions.npz", "epochs/0001.npz"),
    *("checkpoint.npz", "title.txt", "owner.txt"),
)


@cache
def _run_file(name: str) -> bytes:
    """Return a file of a run that ships with the project, or one like those of others."""
    if name == "checkpoint.npz":
        with tempfile.TemporaryDirectory() as folder:
            progress = Progress(1, 9, 450, 1.0)
            checkpoints.write_checkpoint(
                Path(folder), checkpoints.Checkpoint(progress, (), (np.zeros(3, np.float32),), None)
            )
            return (Path(folder) / name).read_bytes()
    if name in ("title.txt", "owner.txt"):
        return b"text"
    content = (runs.BUNDLED_RUNS / "fast" / name).read_bytes()
    return b"".join(content.splitlines(keepends=True)[:8]) if name == "metrics.jsonl" else content


def _changed_json(content: bytes, changes: dict[str, object]) -> bytes:
    """Change values of the first object in a file of JSON or JSON lines."""
    try:
        first, *others = content.splitlines() if content.count(b"\n{") else [content]
        return b"\n".join([dumped({**json.loads(first), **changes}), *others])
    except ValueError:
        return dumped(changes)


@st.composite
def run_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw the name of a file of a run, and something else for what it holds."""
    name = draw(st.sampled_from(RUN_FILES))
    content = _run_file(name)
    if name.endswith((".json", ".jsonl")):
        first = json.loads(content if name.endswith(".json") else content.splitlines()[0])
        changes = st.dictionaries(st.sampled_from(sorted(first)), json_values | hostile_texts, min_size=1, max_size=3)
        changed = changes.map(lambda changes: _changed_json(content, changes))
        return name, draw(changed | damaged(st.just(content)) | json_values.map(dumped) | st.binary(max_size=100))
    return name, draw(damaged(st.just(content)) | st.binary(max_size=100) | titles.map(_encoded))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@contextmanager
def damaged_run(home: Home, damaged: str, content: bytes, others: Sequence[str] = RUN_FILES) -> Iterator[Path]:
    """Make a run of these files, of which one holds something else, and remove it again."""
    path = home.runs / RUN_ID
    (path / "epochs").mkdir(parents=True)
    for name in {damaged, *others}:
        (path / name).write_bytes(content if name == damaged else _run_file(name))
    try:
        yield path
    finally:
        home.clear()


def _answer_run(case: tuple[str, bytes], home: Home) -> Sequence[str]:
    told = []
    with damaged_run(home, *case, others=("config.json", "status.json", "report.json")) as path:
        config = TrainingConfig()
        try:
            config = runs.read_run(path).config
            assert [run.id for run in runs.list_runs(home.runs)] == [RUN_ID]
        except RunError as error:
            assert runs.unreadable_runs(home.runs) == {RUN_ID: str(error)}
            told.append(str(error))
        history = curves(event_log.read_events(path), config)
        by_epoch(history)
        diagnosis.diagnose(history, config)
        epoch_predictions.read(path)
        for name, read in (
            ("predictions.npz", read_predictions),
            ("checkpoint.npz", checkpoints.read_checkpoint),
        ):
            try:
                if (path / name).exists():
                    read(path)
            except (RunError, checkpoints.CheckpointError) as error:
                told.append(str(error))
        assert not home.strays()
    return told


KINDS = (CaseKind("files of a run", run_files(), _answer_run),)
