"""Training processes, for real: they start, wait for their turn, stop, and die.

As on a machine of two cores, whatever this one has: see `two_cores`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import pytest

from mnist_core import checkpoints, event_log, jobs, limits, runs, trash, worker
from mnist_core.config import TrainingConfig
from mnist_core.dataset import Mnist
from mnist_core.evaluation import cross_entropy
from mnist_core.events import BatchesDone, Continued, EpochDone, Progress
from mnist_core.network import predict

MakeConfig = Callable[..., TrainingConfig]
PATIENCE = 180  # seconds; other work may keep the cores busy
# What differs between two runs that are the same; child processes believe in two cores.
TIMELESS = {
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
        patch.delenv(limits.PUBLIC_VARIABLE, raising=False)
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

    def line(self) -> tuple[list[str], list[int | None]]:
        """Return who trains, and the place of each run in line."""
        queue = jobs.queue(self.folder)
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
    assert replace(theirs.report, **TIMELESS) == replace(ours.report, **TIMELESS)
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
    story.watch_until(lambda: story.ended(3))
    return story


def test_each_accident_lets_the_next_run_begin(accidents: Story) -> None:
    assert accidents.seen[-1] == ("stopped", "stopped", "interrupted", "finished")
    assert ("running", "queued", "queued", "queued") in accidents.seen
    assert ("stopped", "stopped", "running", "queued") in accidents.seen
    assert [states for states in accidents.seen if states.count("running") > 1] == []


def test_a_training_process_lets_others_go_first_and_outlives_the_server(accidents: Story) -> None:
    assert accidents.facts["nice"] > psutil.Process().nice() or psutil.Process().nice() == 19
    assert accidents.facts["process group"] != process_group(0)  # the server's Ctrl-C does not reach it


def test_a_run_stopped_while_it_waits_never_trains_and_disturbs_nobody(accidents: Story) -> None:
    run = accidents.run(1)
    assert accidents.facts["the first still trained"]
    assert run.report is None
    assert "before training" in run.status.message
    assert event_log.read_events(run.path) == []
    assert not (run.path / "model.keras").exists()


def test_the_line_moves_up_when_somebody_leaves_it(accidents: Story) -> None:
    assert accidents.facts["the line"] == ([accidents.ids[0]], [None, 1, 2, 3])
    assert accidents.facts["the line after one left it"] == ([accidents.ids[0]], [None, None, 1, 2])
    assert accidents.line() == ([], [None] * 4)
    assert jobs.queue(accidents.folder / "missing") == jobs.Queue((), ())


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
    events = event_log.read_events(run.path)
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
    assert event_log.read_events(run.path)


def test_a_run_killed_in_its_first_epoch_has_nothing_to_go_on_from(accidents: Story) -> None:
    run = accidents.run(2)
    assert accidents.epochs_done(2) == 0
    before = (run.path / "status.json").read_bytes()
    with pytest.raises(runs.RunError, match=r"before its first epoch was done\. Start it again"):
        jobs.resume(run)
    assert (run.path / "status.json").read_bytes() == before
    assert jobs.queue(run.path.parent) == jobs.Queue((), ())


@pytest.fixture(scope="module")
def kept_on(new_folder: Callable[[], Path], tiny_config: MakeConfig) -> Story:
    """A run that is killed in the middle of its third epoch, torn, and continued by two visitors at once."""
    story = Story(new_folder())
    # Dropout, batch normalization, moments, a schedule and augmentation: state of every kind; about a second an epoch.
    config = tiny_config(architecture="4C3-BN-P2-D0.2-10", train_size=10_000, epochs=4, schedule="cosine", shift=1.0)
    story.ids.append(jobs.start(config, story.folder, runs.owner_hash("somebody")))
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
    except runs.RunError as error:
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


def test_a_run_killed_in_the_middle_of_an_epoch_keeps_the_network_of_the_epoch_before(kept_on: Story) -> None:
    run, checkpoint = kept_on.facts["after the kill"], kept_on.facts["checkpoint"]
    assert run.status.state == "interrupted"
    assert {"model.keras", "checkpoint.npz"} <= kept_on.facts["files"]
    assert "report.json" not in kept_on.facts["files"]
    assert (checkpoint.progress.epochs_completed, checkpoint.progress.steps) == (2, 2 * run.config.steps_per_epoch)
    assert [epoch.epoch for epoch in checkpoint.epochs] == [1, 2]
    # All weights of the network are among the first variables of the checkpoint, in some order.
    stored = {array.tobytes() for array in checkpoint.variables}
    assert all(array.tobytes() in stored for array in kept_on.facts["weights"])


def test_of_two_visitors_who_let_a_run_go_on_one_is_refused(kept_on: Story) -> None:
    assert kept_on.facts["answers"] == {None, "Only a run that was interrupted or failed can go on."}
    assert kept_on.facts["processes"] == 1


def test_a_run_that_was_killed_and_went_on_equals_one_that_never_was(kept_on: Story, tmp_path: Path) -> None:
    run = kept_on.run(0)
    assert run.status.state == "finished", run.status.message
    assert "Traceback" not in (run.path / "log.txt").read_text()
    never = worker.carry_out(runs.create_run(tmp_path, run.config))
    for ours, theirs in zip(weights_of(run.path), weights_of(never.path), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(runs.read_predictions(run.path), runs.read_predictions(never.path))
    assert run.report is not None
    assert never.report is not None
    assert replace(run.report, **TIMELESS) == replace(never.report, **TIMELESS)
    assert (run.title, run.owner) == ("the long way", runs.owner_hash("somebody"))
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
    assert kept_on.facts["going on while it trains"] == "Only a run that was interrupted or failed can go on."
    assert refusal(lambda: jobs.resume(kept_on.run(0))) == "Only a run that was interrupted or failed can go on."
    path = broken_off(tmp_path, tiny_config())
    for state in ("finished", "stopped", "queued", "running"):
        runs.write_status(path, state, pid=os.getpid())
        before = (path / "status.json").read_bytes()
        assert "interrupted or failed" in str(refusal(lambda: jobs.resume(runs.read_run(path))))
        assert (path / "status.json").read_bytes() == before


# Without training processes


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of runs whose process would have been started, if this did not prevent it."""
    ids: list[str] = []
    monkeypatch.setattr(jobs, "_launch", lambda path: ids.append(path.name))
    return ids


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that strangers can reach."""
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")


def broken_off(folder: Path, config: TrainingConfig, owner: str = "") -> Path:
    """Make an interrupted run with a checkpoint."""
    path = runs.create_run(folder, config, owner=owner)
    checkpoints.write_checkpoint(path, checkpoints.Checkpoint(Progress(1, 9, 450, 1.0), (), (), None))
    runs.write_status(path, "interrupted")
    return path


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("settings", "too_much"),
    [
        ({"epochs": 21}, "epochs"),
        ({"architecture": "1024-1024-1024-10"}, "parameters"),
        ({"architecture": "64C3-64C3-10"}, "multiply-adds"),
        ({"architecture": "64C3-P2-10", "batch_size": 4096, "train_size": 60_000}, "MB of memory"),
    ],
)
def test_what_is_too_large_for_strangers_is_not_even_created(
    settings: dict[str, object], too_much: str, tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    with pytest.raises(limits.LimitError, match=too_much):
        jobs.start(tiny_config(**settings), tmp_path)
    path = broken_off(tmp_path / "others", tiny_config(**settings))
    with pytest.raises(limits.LimitError, match=too_much):
        jobs.resume(runs.read_run(path))
    assert launched == []
    assert list(tmp_path.iterdir()) == [tmp_path / "others"]
    assert runs.read_run(path).status.state == "interrupted"


@pytest.mark.usefixtures("public")
def test_a_stranger_has_so_many_runs_in_line_and_no_more(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    config, most = tiny_config(), limits.PUBLIC.active_runs_each
    interrupted = runs.read_run(broken_off(tmp_path, config, "a"))
    own = [jobs.start(config, tmp_path, "a") for _ in range(most)]
    for one_more in (lambda: jobs.start(config, tmp_path, "a"), lambda: jobs.resume(interrupted)):
        with pytest.raises(limits.LimitError, match=f"You have {most} runs") as caught:
            one_more()
        assert str(caught.value).endswith(".")
    others = [jobs.start(config, tmp_path, owner) for owner in ["b"] * most + [""] * most]
    for owner in ("b", ""):
        with pytest.raises(limits.LimitError, match="You have 3 runs"):
            jobs.start(config, tmp_path, owner)

    runs.write_status(tmp_path / own[0], "finished")
    jobs.resume(interrupted)
    assert launched == [*own, *others, interrupted.id]
    assert jobs.queue(tmp_path).place(interrupted.id) == 1  # it is older than all of them


@pytest.mark.usefixtures("public")
def test_all_strangers_together_have_so_many_runs_in_line_and_no_more(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUBLIC", replace(limits.PUBLIC, active_runs=4, active_runs_each=3))
    config = tiny_config()
    for owner in "abcd":
        jobs.start(config, tmp_path, owner)
    with pytest.raises(limits.LimitError, match="4 runs are waiting or training already"):
        jobs.start(config, tmp_path, "e")
    runs.write_status(tmp_path / launched[0], "running", pid=os.getpid())
    with pytest.raises(limits.LimitError, match="4 runs"):
        jobs.start(config, tmp_path, "e")
    runs.write_status(tmp_path / launched[0], "stopped")
    jobs.start(config, tmp_path, "e")
    assert len(launched) == 5


def test_who_may_change_a_run(tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = runs.owner_hash("me"), runs.owner_hash("them")
    own, other, nobodys = (
        runs.read_run(runs.create_run(tmp_path, tiny_config(), owner=owner)) for owner in (mine, theirs, "")
    )
    shipped = runs.list_runs(runs.BUNDLED_RUNS)[0]
    asked = (own, other, nobodys, shipped)
    assert [jobs.may_change(run, "") for run in asked] == [True, True, True, False]
    assert [jobs.may_change(run, mine) for run in asked] == [True, True, True, False]
    monkeypatch.setenv(limits.PUBLIC_VARIABLE, "1")
    assert [jobs.may_change(run, mine) for run in asked] == [True, False, False, False]
    assert [jobs.may_change(run, theirs) for run in asked] == [False, True, False, False]
    assert [jobs.may_change(run, "") for run in asked] == [False] * 4


def test_seeds_that_were_trained_before_are_left_out(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    config = tiny_config(seed=5)
    for settings in ({"seed": 6}, {"seed": 8}, {"seed": 4}, {"seed": 7, "epochs": 9}):
        runs.write_status(runs.create_run(tmp_path, tiny_config(**settings)), "finished")
    ids = jobs.start_seeds(config, tmp_path, 3, "me")
    started = [runs.find_run(run_id, tmp_path) for run_id in ids]
    assert [run.config for run in started] == [replace(config, seed=seed) for seed in (5, 7, 9)]
    assert {run.owner for run in started} == {"me"}
    assert ids == sorted(ids) == launched
    assert [runs.find_run(run_id, tmp_path).config.seed for run_id in jobs.start_seeds(config, tmp_path, 2)] == [10, 11]


def test_after_the_largest_seed_comes_the_smallest(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str]
) -> None:
    jobs.start_seeds(tiny_config(seed=2**31 - 2), tmp_path, 3)
    assert [runs.find_run(run_id, tmp_path).config.seed for run_id in launched] == [2**31 - 2, 2**31 - 1, 0]


@pytest.mark.usefixtures("public")
def test_seeds_start_all_or_none(tmp_path: Path, tiny_config: MakeConfig, launched: list[str]) -> None:
    with pytest.raises(limits.LimitError, match="Ask for fewer"):
        jobs.start_seeds(tiny_config(), tmp_path, limits.PUBLIC.active_runs_each + 1, "me")
    assert not launched
    assert runs.list_runs(tmp_path) == []
    assert len(jobs.start_seeds(tiny_config(), tmp_path, limits.PUBLIC.active_runs_each, "me")) == len(launched) == 3


def test_the_oldest_runs_that_have_ended_make_place(
    tmp_path: Path, tiny_config: MakeConfig, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRIVATE", replace(limits.PRIVATE, kept_runs=2))
    ended = [runs.create_run(tmp_path, tiny_config()) for _ in range(4)]
    for path in ended:
        runs.write_status(path, "stopped")
    waiting = runs.create_run(tmp_path, tiny_config())
    new = jobs.start(tiny_config(), tmp_path)
    assert [run.id for run in runs.list_runs(tmp_path)] == [new, waiting.name, ended[3].name, ended[2].name]


def test_a_run_whose_process_cannot_be_started_says_so(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], log_file: Path) -> subprocess.Popen[bytes]:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(jobs, "_spawn", fail)
    with pytest.raises(OSError, match="Cannot allocate"):
        jobs.start(tiny_config(), tmp_path)
    (run,) = runs.list_runs(tmp_path)
    assert run.status.state == "failed"
    assert "could not be started" in run.status.message
    path = broken_off(tmp_path, tiny_config())
    for _ in range(2):  # it can be tried again
        with pytest.raises(OSError, match="Cannot allocate"):
            jobs.resume(runs.read_run(path))
        assert runs.read_run(path).status.state == "interrupted"


def test_a_process_that_ends_before_it_begins_is_noticed(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = [sys.executable, "-c", "raise SystemExit(3)"]
    monkeypatch.setattr(jobs, "_spawn", lambda command, log_file: subprocess.Popen(end))
    new = tmp_path / jobs.start(tiny_config(), tmp_path)
    old = broken_off(tmp_path, tiny_config())
    jobs.resume(runs.read_run(old))
    deadline = time.monotonic() + 60
    while jobs.queue(tmp_path).waiting:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for path, state in ((new, "failed"), (old, "interrupted")):
        status = runs.read_run(path).status
        assert status.state == state
        assert "log.txt tells why" in status.message


def test_the_end_of_an_older_process_is_not_held_against_a_run_that_goes_on(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def spawn(command: list[str], log_file: Path) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return started[-1]

    monkeypatch.setattr(jobs, "_spawn", spawn)
    path = broken_off(tmp_path, tiny_config())
    before = set(threading.enumerate())
    jobs.resume(runs.read_run(path))
    runs.write_status(path, "interrupted")  # the process has just died, and nobody has waited for it yet
    (watch,) = set(threading.enumerate()) - before
    jobs.resume(runs.read_run(path))
    started[0].kill()
    watch.join(60)
    assert not watch.is_alive()
    assert runs.read_run(path).status.state == "queued"
    runs.write_status(path, "interrupted")
    started[1].kill()
    started[1].wait()


def test_a_deleted_run_is_not_in_line(tmp_path: Path, tiny_config: MakeConfig, launched: list[str]) -> None:
    path = broken_off(tmp_path, tiny_config())
    trash.delete(runs.read_run(path))
    with pytest.raises(runs.RunError):
        jobs.resume(runs.Run(path, tiny_config(), runs.Status("interrupted"), None))
    trash.restore(path.name, tmp_path)
    jobs.resume(runs.read_run(path))
    with pytest.raises(runs.RunError, match="in progress"):
        trash.delete(runs.read_run(path))
    assert launched == [path.name]


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


def test_the_further_back_in_line_the_less_often_a_run_looks_ahead(
    tmp_path: Path, tiny_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "room", lambda: 1)
    monkeypatch.setattr(jobs, "_POLL_SECONDS", 0.02)
    looks: dict[str, int] = {"next": 0, "last": 0}
    ahead = {"next": 1, "last": 30}

    def count(run_id: str, folder: Path) -> int:
        looks[run_id] += 1
        return ahead[run_id]

    monkeypatch.setattr(jobs, "runs_ahead", count)
    end = time.monotonic() + 1
    both = [
        threading.Thread(target=jobs.wait_for_turn, args=(tmp_path / name, lambda: time.monotonic() > end))
        for name in looks
    ]
    for waiting in both:
        waiting.start()
    for waiting in both:
        waiting.join(30)
        assert not waiting.is_alive()
    assert 2 <= looks["last"] <= 6  # every ten polls
    assert looks["next"] > 3 * looks["last"]


@pytest.mark.skipif(os.name == "nt", reason="Windows counts otherwise")
@pytest.mark.parametrize(("servers", "trainings"), [(0, 5), (10, 15), (17, 19), (19, 19)])
def test_a_training_process_is_nicer_than_the_server_however_nice_that_is(servers: int, trainings: int) -> None:
    script = """
import os, sys
os.nice(int(sys.argv[1]) - os.nice(0))
from mnist_core import jobs
jobs.be_nice()
print(os.nice(0))"""
    if servers < os.nice(0):
        pytest.skip("The tests themselves are nicer than that.")
    command = [sys.executable, "-c", script, str(servers)]
    done = subprocess.run(command, cwd=runs.PROJECT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == trainings


@pytest.mark.parametrize(("cores", "room"), [(None, 1), (1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_there_is_room_for_one_run_per_two_cores(cores: int | None, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert jobs.room() == room
    monkeypatch.setenv(jobs.ROOM_VARIABLE, "3")
    assert jobs.room() == 3
    for nonsense in ("0", "-1", "many", "²"):
        monkeypatch.setenv(jobs.ROOM_VARIABLE, nonsense)
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
