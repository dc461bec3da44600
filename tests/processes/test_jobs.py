"""Training processes, for real: they start, wait for their turn, stop, and die.

As on a machine of two cores, whatever this one has: see `two_cores`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import pytest

from mnist_core import runs
from mnist_core.common.server import PUBLIC_VARIABLE, owner_hash
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import cross_entropy
from mnist_core.networks.keras_model import predict
from mnist_core.processes import jobs, worker
from mnist_core.processes.queue import Queue, read_queue
from mnist_core.runs import event_log
from mnist_core.runs.reading import RunError
from mnist_core.runs.results import Report, read_predictions
from mnist_core.runs.status import ACTIVE, State, write_status
from mnist_core.training import checkpoints
from mnist_core.training.config import TrainingConfig
from mnist_core.training.events import BatchesDone, Continued, EpochDone
from tests.support.run_directories import MakeConfig, broken_off

PATIENCE = 180  # seconds; other work may keep the cores busy
# What differs between two runs that are the same; child processes believe in two cores.
TIMELESS: dict[str, Any] = {
    **{"training_seconds": 1.0, "images_per_second": 1.0, "finished": "", "peak_memory_mb": 1.0},
    "machine": {},
}


@pytest.fixture(scope="module", autouse=True)
def two_cores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let child processes believe in two cores, so that there is room for one run."""
    folder = tmp_path_factory.mktemp("two-cores")
    (folder / "sitecustomize.py").write_text("import os\nos.cpu_count = lambda: 2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.delenv(PUBLIC_VARIABLE, raising=False)
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
    seen: list[tuple[State, ...]] = field(default_factory=list)
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

    def line(self) -> tuple[list[str], list[int | None]]:
        """Return who trains, and the place of each run in line."""
        queue = read_queue(self.folder)
        return [run.id for run in queue.training], [queue.place(run_id) for run_id in self.ids]

    def ended(self, place: int) -> bool:
        return not self.run(place).is_active

    def trains(self, place: int) -> bool:
        return bool(event_log.read_events(self.folder / self.ids[place]))

    def batches_of(self, place: int, epoch: int) -> int:
        events = event_log.read_events(self.folder / self.ids[place])
        return sum(isinstance(event, BatchesDone) and event.epoch == epoch for event in events)

    def epochs_done(self, place: int) -> int:
        return sum(isinstance(event, EpochDone) for event in event_log.read_events(self.folder / self.ids[place]))


def process_group(pid: int) -> int:
    return os.getpgid(pid) if hasattr(os, "getpgid") else pid  # Windows has none


def kinds(report: Report) -> dict[str, type]:
    return {name: type(value) for name, value in asdict(report).items()}


@pytest.fixture(scope="module")
def five_runs(new_folder: Callable[[], Path], tiny_config: MakeConfig) -> Story:
    """Five runs, started at once and watched until all have ended.

    The first is stopped while it trains, the second while it waits, the third is killed; the last two may finish.
    """
    story = Story(new_folder())
    endless = tiny_config(train_size=60_000, epochs=100)
    story.start(endless, endless, endless, tiny_config(), tiny_config(preset="another", epochs=1))
    story.watch_until(lambda: story.trains(0))
    pid = story.run(0).status.pid
    story.facts = {"nice": psutil.Process(pid).nice(), "process group": process_group(pid)}

    story.facts["the line"] = story.line()
    runs.request_stop(story.run(1).path)
    story.watch_until(lambda: story.ended(1))
    story.facts["the first still trained"] = not story.ended(0)
    story.facts["the line after one left it"] = story.line()

    story.facts["epochs when stopped"] = story.epochs_done(0)
    runs.request_stop(story.run(0).path)
    story.watch_until(lambda: story.ended(0))

    story.watch_until(lambda: story.trains(2))
    psutil.Process(story.run(2).status.pid).kill()
    story.watch_until(lambda: story.ended(4))
    return story


def test_starting_a_run_does_not_wait_for_it(five_runs: Story) -> None:
    assert max(five_runs.seconds_to_start) < 2
    assert five_runs.seen[0][1:] == ("queued",) * 4
    assert five_runs.ids == sorted(five_runs.ids)


def test_runs_started_at_once_train_one_by_one_in_order_of_age(five_runs: Story) -> None:
    in_line = (0, 2, 3, 4)  # the second leaves it before its turn
    for states in five_runs.seen:
        order = [("running", "queued").index(state) if state in ACTIVE else -1 for state in states]
        ordered = [order[place] for place in in_line]
        assert ordered == sorted(ordered), f"a younger run overtook an older one: {states}"
        assert states.count("running") <= 1
    for place, following in pairwise(in_line):
        assert five_runs.run(following).status.updated > five_runs.run(place).status.updated


def test_a_run_in_a_process_of_its_own_equals_a_run_in_this_one(five_runs: Story, trained_run: Path) -> None:
    ours, theirs = runs.read_run(trained_run), five_runs.run(3)
    assert theirs.config == ours.config
    assert theirs.status.message == ours.status.message
    assert ours.report is not None
    assert theirs.report is not None
    assert kinds(theirs.report) == kinds(ours.report)
    assert replace(theirs.report, **TIMELESS) == replace(ours.report, **TIMELESS)
    np.testing.assert_array_equal(read_predictions(theirs.path), read_predictions(ours.path))
    made = {file.name for file in theirs.path.iterdir()}
    assert made == {file.name for file in ours.path.iterdir()} | {"log.txt"}
    assert "Traceback" not in (theirs.path / "log.txt").read_text()


def test_each_accident_lets_the_next_run_begin(five_runs: Story) -> None:
    assert five_runs.seen[-1] == ("stopped", "stopped", "interrupted", "finished", "finished")
    assert ("running", "queued", "queued", "queued", "queued") in five_runs.seen
    assert ("stopped", "stopped", "running", "queued", "queued") in five_runs.seen
    assert [states for states in five_runs.seen if states.count("running") > 1] == []


@pytest.mark.fault(id="server-killed")
def test_training_lets_others_go_first_and_outlives_the_server(five_runs: Story) -> None:
    assert five_runs.facts["nice"] > psutil.Process().nice() or psutil.Process().nice() == 19
    assert five_runs.facts["process group"] != process_group(0)  # the server's Ctrl-C does not reach it


def test_a_run_stopped_in_line_never_trains_and_disturbs_nobody(five_runs: Story) -> None:
    run = five_runs.run(1)
    assert five_runs.facts["the first still trained"]
    assert run.report is None
    assert "before training" in run.status.message
    assert event_log.read_events(run.path) == []
    assert not (run.path / "model.keras").exists()


def test_the_line_moves_up_when_somebody_leaves_it(five_runs: Story) -> None:
    assert five_runs.facts["the line"] == ([five_runs.ids[0]], [None, 1, 2, 3, 4])
    assert five_runs.facts["the line after one left it"] == ([five_runs.ids[0]], [None, None, 1, 2, 3])
    assert five_runs.line() == ([], [None] * 5)
    assert read_queue(five_runs.folder / "missing") == Queue((), ())


def test_a_stopped_run_keeps_its_weights_and_a_complete_report(
    five_runs: Story, trained_run: Path, mnist: Mnist
) -> None:
    run = five_runs.run(0)
    report, finished = run.report, runs.read_run(trained_run).report
    assert report is not None
    assert finished is not None
    assert kinds(report) == kinds(finished)
    assert report.end_reason == "stopped"
    assert 0 <= report.epochs_completed - five_runs.facts["epochs when stopped"] <= 3
    events = event_log.read_events(run.path)
    assert isinstance(events[-1], EpochDone)
    assert events[-1].step == report.steps
    assert 0 < report.kept_step <= report.steps

    probabilities = read_predictions(run.path)
    assert report.test_correct == np.count_nonzero(probabilities.argmax(axis=1) == mnist.y_test)
    assert report.test_loss == pytest.approx(cross_entropy(mnist.y_test, probabilities), rel=1e-6)
    model = keras.models.load_model(run.path / "model.keras", compile=False)
    np.testing.assert_allclose(predict(model, mnist.x_test[:1000]), probabilities[:1000], atol=1e-6)

    kept = min(event.validation_loss for event in events if isinstance(event, EpochDone))
    held_out = predict(model, mnist.x_train[54_000:])
    assert cross_entropy(mnist.y_train[54_000:], held_out) == pytest.approx(kept, rel=1e-4)


def test_a_killed_run_is_interrupted_and_keeps_what_was_measured(five_runs: Story) -> None:
    run = five_runs.run(2)
    assert run.report is None
    assert "ended before it was done" in run.status.message
    assert event_log.read_events(run.path)


def test_a_run_killed_in_its_first_epoch_cannot_go_on(five_runs: Story) -> None:
    run = five_runs.run(2)
    assert five_runs.epochs_done(2) == 0
    before = (run.path / "status.json").read_bytes()
    with pytest.raises(RunError, match=r"before its first epoch was done\. Run it again"):
        jobs.resume(run)
    assert (run.path / "status.json").read_bytes() == before
    assert read_queue(run.path.parent) == Queue((), ())


@pytest.fixture(scope="module")
def kept_on(new_folder: Callable[[], Path], tiny_config: MakeConfig) -> Story:
    """A run that is killed in the middle of its third epoch, torn, and continued by two visitors at once."""
    story = Story(new_folder())
    # Dropout, batch normalization, moments, a schedule and augmentation: state of every kind; about a second an epoch.
    config = tiny_config(notation="4C3-BN-P2-D0.2-10", train_size=10_000, epochs=4, schedule="cosine", shift=1.0)
    story.ids.append(jobs.start(config, story.folder, owner_hash("somebody")))
    path = story.folder / story.ids[0]
    runs.rename(path, "the long way")
    story.watch_until(lambda: story.batches_of(0, epoch=3) > 0)
    story.facts["going on while it trains"] = refusal(lambda: jobs.resume(story.run(0)))
    psutil.Process(story.run(0).status.pid).kill()
    story.watch_until(lambda: story.ended(0))

    story.facts["after the kill"] = story.run(0)
    story.facts["checkpoint"] = checkpoints.read_checkpoint(path)
    story.facts["weights"] = weights_of(path)
    story.facts["files"] = {file.name for file in path.iterdir()}
    story.facts["last number"] = event_log.EventReader(path).last_number()
    with (path / "metrics.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"n":1000000,"kind":"batches","epoch":3,"st')
    runs.request_stop(path)  # asked for in vain before the process died

    both = threading.Barrier(2)

    def go_on() -> str | None:
        both.wait()
        return refusal(lambda: jobs.resume(story.facts["after the kill"]))

    with ThreadPoolExecutor(2) as visitors:
        answers = [visitors.submit(go_on) for _ in range(2)]
        story.facts["answers"] = {answer.result() for answer in answers}
    story.facts["processes"] = processes_of(story.ids[0])
    story.watch_until(lambda: story.ended(0))
    return story


def refusal(action: Callable[[], object]) -> str | None:
    """Return why an action is refused; None if it is not."""
    try:
        action()
    except RunError as error:
        return str(error)
    return None


def weights_of(path: Path) -> list[np.ndarray]:
    weights: list[np.ndarray] = keras.models.load_model(path / "model.keras", compile=False).get_weights()
    return weights


def processes_of(run_id: str) -> int:
    """Return how many processes that this one started train a run."""
    found = 0
    for process in psutil.Process().children():
        with suppress(psutil.Error):
            found += run_id in process.cmdline()
    return found


@pytest.mark.fault(id="training-killed")
def test_a_killed_run_keeps_the_network_of_the_epoch_before(kept_on: Story) -> None:
    run, checkpoint = kept_on.facts["after the kill"], kept_on.facts["checkpoint"]
    assert run.status.state == "interrupted"
    assert {"model.keras", "checkpoint.npz"} <= kept_on.facts["files"]
    assert "report.json" not in kept_on.facts["files"]
    assert (checkpoint.progress.epochs_completed, checkpoint.progress.steps) == (2, 2 * run.config.steps_per_epoch)
    assert [epoch.epoch for epoch in checkpoint.epochs] == [1, 2]
    # All weights of the network are among the first variables of the checkpoint, in some order.
    stored = {array.tobytes() for array in checkpoint.variables}
    assert all(array.tobytes() in stored for array in kept_on.facts["weights"])


@pytest.mark.fault(id="two-continue-a-run")
def test_of_two_visitors_who_let_a_run_go_on_one_is_refused(kept_on: Story) -> None:
    assert kept_on.facts["answers"] == {None, "Only a run that was interrupted or failed can continue."}
    assert kept_on.facts["processes"] == 1


@pytest.mark.fault(id="training-killed")
def test_a_run_killed_that_went_on_equals_one_that_never_was(kept_on: Story, tmp_path: Path) -> None:
    run = kept_on.run(0)
    assert run.status.state == "finished", run.status.message
    assert "Traceback" not in (run.path / "log.txt").read_text()
    never = worker.execute(runs.create_run(tmp_path, run.config))
    for ours, theirs in zip(weights_of(run.path), weights_of(never.path), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(read_predictions(run.path), read_predictions(never.path))
    assert run.report is not None
    assert never.report is not None
    assert replace(run.report, **TIMELESS) == replace(never.report, **TIMELESS)
    assert (run.title, run.owner) == ("the long way", owner_hash("somebody"))
    assert not (run.path / "checkpoint.npz").exists()


def test_the_log_of_a_run_that_went_on_tells_each_epoch_once(kept_on: Story) -> None:
    run = kept_on.run(0)
    done = 2 * run.config.steps_per_epoch
    events = event_log.read_events(run.path)
    assert [event.epoch for event in events if isinstance(event, EpochDone)] == [1, 2, 3, 4]
    assert [event for event in events if isinstance(event, Continued)] == [Continued(done)]
    batches = [event for event in events if isinstance(event, BatchesDone)]
    assert sum(len(event.loss) for event in batches) == run.config.steps
    assert [event.step for event in events] == sorted(event.step for event in events)
    seconds = [event.seconds for event in events if not isinstance(event, Continued)]
    assert seconds == sorted(seconds)

    numbers = []
    for line in (run.path / "metrics.jsonl").read_bytes().splitlines():
        with suppress(ValueError):
            numbers.append(json.loads(line)["n"])
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > len(events)  # the void ones are still there, but not told
    assert numbers[-1] > kept_on.facts["last number"]


def test_who_can_go_on(kept_on: Story, tmp_path: Path, tiny_config: MakeConfig) -> None:
    assert kept_on.facts["going on while it trains"] == "Only a run that was interrupted or failed can continue."
    assert refusal(lambda: jobs.resume(kept_on.run(0))) == "Only a run that was interrupted or failed can continue."
    path = broken_off(tmp_path, tiny_config())
    for state in ("finished", "stopped", "queued", "running"):
        write_status(path, state, pid=os.getpid())
        before = (path / "status.json").read_bytes()
        assert "interrupted or failed" in str(refusal(lambda: jobs.resume(runs.read_run(path))))
        assert (path / "status.json").read_bytes() == before
