"""Cached readers: what pages show comes from files, read once and shared by all visitors."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st

from mnist_core import cost, film, inference, runs
from mnist_core.dataset import DatasetError, Mnist, load_mnist
from mnist_core.evaluation import Probabilities
from mnist_core.event_log import EventReader
from mnist_core.events import Event

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
    return runs.list_runs(runs.runs_dir()) + bundled_runs()


def bundled_runs() -> list[runs.Run]:
    """Return the runs that ship with the project."""
    return _bundled_runs()


def predictions(run: runs.Run) -> Probabilities:
    """Return a run's stored probabilities for the test images, or show what is wrong and end the page."""
    try:
        return _predictions(str(run.path), _version(run.path / "predictions.npz"))
    except runs.RunError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def predictions_of_all() -> tuple[dict[str, runs.Run], dict[str, Probabilities]]:
    """Return, by id, the runs that have answers to the test images, and these; at most `MOST_RUNS`, the newest first.

    Those that ship are always among them. Those whose answers cannot be read are named in a caption and left out.
    """
    usable = usable_runs()
    made_here = [run for run in usable if not run.is_bundled]
    ship = usable[len(made_here) :]
    found: dict[str, Probabilities] = {}
    problems = []
    for run in made_here[: MOST_RUNS - len(ship)] + ship:
        try:
            found[run.id] = _predictions(str(run.path), _version(run.path / "predictions.npz"))
        except runs.RunError as error:
            problems.append(str(error))
    if problems:
        st.caption(f":material/error: {' '.join(problems)}")
    if len(usable) > MOST_RUNS:
        st.caption(
            f"Of {len(usable):,} networks, the {MOST_RUNS - len(ship)} newest and those that ship are asked here."
        )
    return {run.id: run for run in usable if run.id in found}, found


def film_of(run: runs.Run) -> film.Film:
    """Return the answers of a run to the test images after each of its epochs."""
    return _film(str(run.path), _version(run.path / film.FOLDER))


def measured_speeds() -> list[cost.Measured]:
    """Return how fast this machine trained what it has trained before."""
    return cost.measured([run for run in runs.list_runs(runs.runs_dir()) if run.report is not None])


def events(run: runs.Run) -> list[Event]:
    """Return what happened in a run so far; only what was added since the last look is read."""
    return _event_reader(str(run.path)).read()


@st.cache_resource(show_spinner=False)
def start_inference() -> None:
    """Start the inference process in the background, once per server, so that the first drawing need not wait."""
    with suppress(Exception):  # a first try only: the first drawing tries again, and tells what is wrong
        inference.warm_up()


def _version(path: Path) -> tuple[int, int]:
    """Return something that changes when the file does; files that are not there have a version too."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@st.cache_resource(show_spinner="Loading the digits …")
def _load_mnist() -> Mnist:
    return load_mnist()


@st.cache_resource(show_spinner=False)
def _bundled_runs() -> list[runs.Run]:
    return sorted(runs.list_runs(runs.BUNDLED_RUNS), key=lambda run: run.id)


@st.cache_resource(show_spinner=False, max_entries=2 * MOST_RUNS)
def _predictions(path: str, version: tuple[int, int]) -> Probabilities:
    return runs.read_predictions(Path(path))


@st.cache_resource(show_spinner=False, max_entries=4)
def _film(path: str, version: tuple[int, int]) -> film.Film:
    return film.read_film(Path(path))


@st.cache_resource(show_spinner=False, max_entries=64)
def _event_reader(path: str) -> EventReader:
    return EventReader(Path(path))
