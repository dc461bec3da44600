"""Cached readers: what pages show comes from files, read once and shared by all visitors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import streamlit as st
from plotly.validator_cache import ValidatorCache

from mnist_core import runs
from mnist_core.common import malloc
from mnist_core.common.arrays import Probabilities
from mnist_core.common.server import runs_dir
from mnist_core.data.dataset import DatasetError, Mnist, load_mnist
from mnist_core.evaluation.epochs import EpochPredictions
from mnist_core.processes import cost, inference
from mnist_core.processes.queue import Queue, read_queue
from mnist_core.runs import epoch_predictions, event_log
from mnist_core.runs.event_log import EventReader
from mnist_core.runs.reading import RunError
from mnist_core.runs.results import read_predictions
from mnist_core.training.events import EpochDone, Event
from ui.wording import plain

FIRST_ASKED = ("champion", "chollet", "fast")  # networks that read the first drawing of a visitor
MOST_RUNS = 40  # whose answers are compared; each takes 0.4 MB


def mnist() -> Mnist:
    """Return the data, or show what is wrong with it and end the page."""
    try:
        return _load_mnist()
    except DatasetError as error:
        st.error(str(error), icon=":material/broken_image:")
        st.stop()


def usable_runs() -> list[runs.Run]:
    """Return all runs whose predictions can be looked at: made here, newest first, then those that ship."""
    return [run for run in all_runs() if run.report is not None]


def all_runs() -> list[runs.Run]:
    """Return all readable runs: made here, newest first, then those that ship with the project."""
    return runs.list_runs(runs_dir()) + bundled_runs()


def bundled_runs() -> list[runs.Run]:
    """Return the runs that ship with the project."""
    return _bundled_runs()


def predictions(run: runs.Run) -> Probabilities:
    """Return a run's stored probabilities for the test images, (10000, 10), read-only. Raises `RunError`."""
    return _predictions(str(run.path), version(run.path / "predictions.npz"))


@contextmanager
def show_errors() -> Iterator[None]:
    """Say what is wrong with a run in the place of what cannot be shown of it."""
    try:
        yield
    except RunError as error:
        st.error(plain(str(error)), icon=":material/error:")


@dataclass(frozen=True)
class AllAnswers:
    """What many runs answer to the test images, by their ids, and what there is to say about those left out."""

    by_id: dict[str, runs.Run]
    probabilities: dict[str, Probabilities]
    notes: tuple[str, ...]

    def show_notes(self) -> None:
        """Say which runs were left out, and why."""
        for note in self.notes:
            st.caption(f":material/info: {plain(note)}")


def all_answers(include: runs.Run | None = None) -> AllAnswers:
    """Return the answers of `include`, of the newest runs, and of those that ship; of at most `MOST_RUNS` in all."""
    usable = usable_runs()
    made_here = [run for run in usable if not run.is_bundled]
    ship = usable[len(made_here) :]
    asked = made_here[: MOST_RUNS - len(ship)] + ship
    if include is not None and include not in asked:
        asked.insert(0, include)
    found: dict[str, Probabilities] = {}
    notes = []
    for run in asked:
        try:
            found[run.id] = predictions(run)
        except RunError as error:
            notes.append(str(error))
    if len(usable) > len(asked):
        notes.append(f"Of {len(usable):,} networks, the {MOST_RUNS - len(ship)} newest and those that ship are used.")
    return AllAnswers({run.id: run for run in asked if run.id in found}, found, tuple(notes))


def epoch_predictions_of(run: runs.Run) -> EpochPredictions:
    """Return the answers of a run to the test images after each of its epochs; the array is read-only."""
    return _epoch_predictions(str(run.path), version(run.path / epoch_predictions.FOLDER))


def queue() -> Queue:
    """Return who trains and who waits, as it was a second ago at most: a class that waits in line asks all the time."""
    folder = runs_dir()
    return _queue(str(folder), version(folder))


def measured_speeds() -> list[cost.Measured]:
    """Return how fast this machine trained what it has trained before."""
    return cost.measured([run for run in runs.list_runs(runs_dir()) if run.report is not None])


def events(run: runs.Run) -> list[Event]:
    """Return what happened in a run so far; only what was added since the last look is read."""
    return _event_reader(str(run.path)).read()


def epochs(run: runs.Run) -> list[EpochDone]:
    """Return the epochs of a run so far; unlike `events`, it keeps no batches in memory."""
    return _epochs(str(run.path), version(run.path / event_log.FILE_NAME))


def version(path: Path) -> tuple[int, int]:
    """Return something that changes when the file does; files that are not there have a version too."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@st.cache_resource(show_spinner=False)
def prepare_server() -> None:
    """Once per server: keep it small, and start the inference process, so that the first drawing need not wait."""
    malloc.give_back()
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # Arrow's own takes 4 MB for the first small table
    # 9 MB by which Plotly checks figures, loaded for a theme of Streamlit's: no setting lets go of them, tests check
    # ours (see `mnist_core/figures/style.py`), and Plotly reads them again should it need them.
    ValidatorCache._json_cache = None
    with suppress(Exception):  # a first try only: the first drawing tries again, and tells what is wrong
        inference.warm_up([run.model_file for run in bundled_runs() if run.id in FIRST_ASKED])


@st.cache_resource(show_spinner="Loading the digits …")
def _load_mnist() -> Mnist:
    return load_mnist()


@st.cache_resource(show_spinner=False)
def _bundled_runs() -> list[runs.Run]:
    return sorted(runs.list_runs(runs.BUNDLED_RUNS), key=lambda run: run.id)


@st.cache_resource(show_spinner=False, max_entries=2 * MOST_RUNS)
def _predictions(path: str, version: tuple[int, int]) -> Probabilities:
    found = read_predictions(Path(path))
    found.setflags(write=False)
    return found


@st.cache_resource(show_spinner=False, max_entries=4)
def _epoch_predictions(path: str, version: tuple[int, int]) -> EpochPredictions:
    found = epoch_predictions.read(Path(path))
    found.probabilities.setflags(write=False)
    found.readings.setflags(write=False)
    return found


@st.cache_resource(show_spinner=False, max_entries=1, ttl=1)
def _queue(folder: str, version: tuple[int, int]) -> Queue:
    return read_queue(Path(folder))


@st.cache_resource(show_spinner=False, max_entries=64)
def _epochs(path: str, version: tuple[int, int]) -> list[EpochDone]:
    return event_log.read_epochs(Path(path))


@st.cache_resource(show_spinner=False, max_entries=24)  # some 100 bytes for each batch that was trained
def _event_reader(path: str) -> EventReader:
    return EventReader(Path(path))
