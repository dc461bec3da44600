"""Training processes, for real: they start, wait for their turn, stop, and die.

As on a machine of two cores, whatever this one has: see `two_cores`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import pytest

from mnist_core import jobs, runs, worker
from mnist_core.config import TrainingConfig
from mnist_core.dataset import Mnist
from mnist_core.evaluation import cross_entropy
from mnist_core.events import EpochDone
from mnist_core.network import predict

MakeConfig = Callable[..., TrainingConfig]
PATIENCE = 180  # seconds; other work may keep the cores busy


@pytest.fixture(scope="module", autouse=True)
def two_cores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let child processes believe in two cores, so that there is room for one run."""
    folder = tmp_path_factory.mktemp("two-cores")
    (folder / "sitecustomize.py").write_text("import os\nos.cpu_count = lambda: 2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Path]]:
    """A function that makes folders for runs; training processes left over in them are killed at the end."""
    folders: list[Path] = []

    def make() -> Path:
        folders.append(tmp_path_factory.mktemp("jobs"))
        return folders[-1]

    yield make
    for run in (run for folder in folders for run in runs.list_runs(folder)):
        if run.is_active and run.status.pid not in (None, os.getpid()):
            psutil.Process(run.status.pid).kill()


@dataclass
class Story:
    """What was seen of some runs: each change of their states, in order of age; and `facts` noted on the way."""

    folder: Path
    ids: list[str] = field(default_factory=list)
    seconds_to_start: list[float] = field(default_factory=list)
    seen: list[tuple[runs.State, ...]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def start(self, *configs: TrainingConfig) -> None:
        for config in configs:
            started = time.monotonic()
            self.ids.append(jobs.start(config, self.folder))
            self.seconds_to_start.append(time.monotonic() - started)

    def run(self, place: int) -> runs.Run:
        return runs.find_run(self.ids[place], self.folder)

    def watch_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {self.seen[-1]}"
            self._look()
            time.sleep(0.03)
        self._look()

    def _look(self) -> None:
        # The youngest first: if it runs, then an older one has ended by the time that it is looked at.
        states = tuple(self.run(place).status.state for place in reversed(range(len(self.ids))))[::-1]
        if not self.seen or states != self.seen[-1]:
            self.seen.append(states)

    def ended(self, place: int) -> bool:
        return not self.run(place).is_active

    def trains(self, place: int) -> bool:
        return bool(runs.read_events(self.folder / self.ids[place]))

    def epochs_done(self, place: int) -> int:
        return sum(isinstance(event, EpochDone) for event in runs.read_events(self.folder / self.ids[place]))


def process_group(pid: int) -> int:
    return os.getpgid(pid) if hasattr(os, "getpgid") else pid  # Windows has none


def kinds(report: runs.Report) -> dict[str, type]:
    return {name: type(value) for name, value in asdict(report).items()}


@pytest.fixture(scope="module")
def three_runs(new_folder: Callable[[], Path], tiny_config: MakeConfig) -> Story:
    """Three runs, started at once and watched until all have ended."""
    story = Story(new_folder())
    story.start(tiny_config(), tiny_config(preset="another", epochs=1), tiny_config(preset="a third", epochs=1))
    story.watch_until(lambda: story.ended(2))
    return story


def test_starting_a_run_does_not_wait_for_it(three_runs: Story) -> None:
    assert max(three_runs.seconds_to_start) < 2
    assert three_runs.seen[0][1:] == ("queued", "queued")
    assert three_runs.ids == sorted(three_runs.ids)


def test_runs_started_at_once_train_one_after_the_other_in_order_of_age(three_runs: Story) -> None:
    assert three_runs.seen[-1] == ("finished",) * 3
    assert ("running", "queued", "queued") in three_runs.seen
    for states in three_runs.seen:
        order = [("finished", "running", "queued").index(state) for state in states]
        assert order == sorted(order), f"a younger run overtook an older one: {states}"
        assert states.count("running") <= 1
    for place in (0, 1):
        ended = three_runs.run(place).status.updated
        assert runs.read_run(three_runs.folder / three_runs.ids[place + 1]).status.updated > ended


def test_a_run_in_a_process_of_its_own_equals_a_run_in_this_one(three_runs: Story, trained_run: Path) -> None:
    ours, theirs = runs.read_run(trained_run), three_runs.run(0)
    assert theirs.config == ours.config
    assert theirs.status.message == ours.status.message
    assert ours.report is not None
    assert theirs.report is not None
    assert kinds(theirs.report) == kinds(ours.report)
    timeless = {"training_seconds": 1.0, "images_per_second": 1.0, "finished": ""}
    assert replace(theirs.report, **timeless) == replace(ours.report, **timeless)
    np.testing.assert_array_equal(runs.read_predictions(theirs.path), runs.read_predictions(ours.path))
    made = {file.name for file in theirs.path.iterdir()}
    assert made == {file.name for file in ours.path.iterdir()} | {"log.txt"}
    assert "Traceback" not in (theirs.path / "log.txt").read_text()


@pytest.fixture(scope="module")
def accidents(new_folder: Callable[[], Path], tiny_config: MakeConfig) -> Story:
    """Four runs: the first is stopped while it trains, the second while it waits, the third is killed."""
    story = Story(new_folder())
    endless = tiny_config(train_size=60_000, epochs=100)
    story.start(endless, endless, endless, tiny_config(epochs=1))
    story.watch_until(lambda: story.trains(0))
    pid = story.run(0).status.pid
    story.facts = {"nice": psutil.Process(pid).nice(), "process group": process_group(pid)}

    runs.request_stop(story.run(1).path)
    story.watch_until(lambda: story.ended(1))
    story.facts["the first still trained"] = not story.ended(0)

    story.facts["epochs when stopped"] = story.epochs_done(0)
    runs.request_stop(story.run(0).path)
    story.watch_until(lambda: story.ended(0))

    story.watch_until(lambda: story.trains(2))
    psutil.Process(story.run(2).status.pid).kill()
    story.watch_until(lambda: story.ended(3))
    return story


def test_each_accident_lets_the_next_run_begin(accidents: Story) -> None:
    assert accidents.seen[-1] == ("stopped", "stopped", "interrupted", "finished")
    assert ("running", "queued", "queued", "queued") in accidents.seen
    assert ("stopped", "stopped", "running", "queued") in accidents.seen
    assert [states for states in accidents.seen if states.count("running") > 1] == []


def test_a_training_process_lets_others_go_first_and_outlives_the_server(accidents: Story) -> None:
    assert accidents.facts["nice"] > psutil.Process().nice()
    assert accidents.facts["process group"] != process_group(0)  # the server's Ctrl-C does not reach it


def test_a_run_stopped_while_it_waits_never_trains_and_disturbs_nobody(accidents: Story) -> None:
    run = accidents.run(1)
    assert accidents.facts["the first still trained"]
    assert run.report is None
    assert "before training" in run.status.message
    assert runs.read_events(run.path) == []
    assert not (run.path / "model.keras").exists()


def test_a_stopped_run_keeps_its_weights_and_a_complete_report(
    accidents: Story, trained_run: Path, mnist: Mnist
) -> None:
    run = accidents.run(0)
    report, finished = run.report, runs.read_run(trained_run).report
    assert report is not None
    assert finished is not None
    assert kinds(report) == kinds(finished)
    assert report.end_reason == "stopped"
    assert 0 <= report.epochs_completed - accidents.facts["epochs when stopped"] <= 3
    events = runs.read_events(run.path)
    assert isinstance(events[-1], EpochDone)
    assert events[-1].step == report.steps
    assert 0 < report.kept_step <= report.steps

    probabilities = runs.read_predictions(run.path)
    assert report.test_correct == np.count_nonzero(probabilities.argmax(axis=1) == mnist.y_test)
    assert report.test_loss == pytest.approx(cross_entropy(mnist.y_test, probabilities), rel=1e-6)
    model = keras.models.load_model(run.path / "model.keras", compile=False)
    np.testing.assert_allclose(predict(model, mnist.x_test[:1000]), probabilities[:1000], atol=1e-6)

    kept = min(event.validation_loss for event in events if isinstance(event, EpochDone))
    held_out = predict(model, mnist.x_train[54_000:])
    assert cross_entropy(mnist.y_train[54_000:], held_out) == pytest.approx(kept, rel=1e-4)


def test_a_killed_run_says_that_it_was_interrupted_and_keeps_what_was_measured(accidents: Story) -> None:
    run = accidents.run(2)
    assert run.report is None
    assert "ended before it was done" in run.status.message
    assert runs.read_events(run.path)


# Without training processes


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path, tiny_config: MakeConfig) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OSError, match="runs"):
        jobs.start(tiny_config(), tmp_path / "runs")


def test_runs_that_train_and_older_ones_that_wait_are_ahead(tmp_path: Path, tiny_config: MakeConfig) -> None:
    paths = [runs.create_run(tmp_path, tiny_config()) for _ in range(7)]
    for path, state in zip(paths, ("finished", "running", "queued", "failed", "stopped"), strict=False):
        runs.write_status(path, state, pid=os.getpid())
    (paths[5] / "status.json").write_text("torn")
    assert [jobs.runs_ahead(path.name, tmp_path) for path in paths] == [1, 0, 1, 2, 2, 2, 2]


@pytest.mark.parametrize(("cores", "room"), [(None, 1), (1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_there_is_room_for_one_run_per_two_cores(cores: int | None, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert jobs.room() == room


def test_a_run_stopped_before_its_turn_never_says_that_it_runs(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = runs.create_run(tmp_path, tiny_config())
    runs.request_stop(path)
    written: list[runs.State] = []
    write = runs.write_status

    def note(path: Path, state: runs.State, *message: str, pid: int | None = None) -> None:
        written.append(state)
        write(path, state, *message, pid=pid)

    monkeypatch.setattr(runs, "write_status", note)
    assert worker.carry_out(path).status.state == "stopped"
    assert set(written) == {"stopped"}


@pytest.mark.parametrize("way_out", ["an older run ends", "a stop is asked for", "a signal comes"])
def test_waiting_ends_when_there_is_room_or_a_stop(
    way_out: str, tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "room", lambda: 2)
    monkeypatch.setattr(jobs, "_POLL_SECONDS", 0.01)
    paths = [runs.create_run(tmp_path, tiny_config()) for _ in range(3)]
    for path in paths:
        runs.write_status(path, "running", pid=os.getpid())
    signalled = threading.Event()
    waiting = threading.Thread(target=jobs.wait_for_turn, args=(paths[2], signalled.is_set))
    waiting.start()
    try:
        waiting.join(0.2)
        assert waiting.is_alive()
        if way_out == "an older run ends":
            runs.write_status(paths[0], "finished")
        elif way_out == "a stop is asked for":
            runs.request_stop(paths[2])
        else:
            signalled.set()
        waiting.join(20)
        assert not waiting.is_alive()
    finally:
        signalled.set()
        waiting.join()
    runs.write_status(paths[2], "finished")
    jobs.wait_for_turn(paths[1])  # one run ahead at most, room for two: no waiting
