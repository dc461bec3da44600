"""The log of events: what is written comes back, no torn or foreign line breaks a reader, and nothing void is told."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core import runs
from mnist_core.runs import event_log
from mnist_core.runs.event_log import EventReader, EventWriter
from mnist_core.training.events import BatchesDone, Continued, EpochDone, Event
from tests.support.strategies import json_values, no_limits

BATCHES = BatchesDone(1, 2, 100, (2.5, 1.25), (0.25, 0.5), 0.5, gradient_norm=(3.5, 1.5))
EPOCH = EpochDone(1, 2, True, 1.875, 0.375, 0.75, 0.875, 0.5)
UNMEASURED = EpochDone(2, 4, False, 1.5, 0.5, None, None, 1.0)
FILE = "metrics.jsonl"


def write_lines(path: Path, *lines: str | bytes) -> None:
    encoded = [line if isinstance(line, bytes) else line.encode() for line in lines]
    (path / FILE).write_bytes(b"\n".join(encoded))


def lines_of(*events: Event) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        with EventWriter(Path(folder)) as log:
            for event in events:
                log.append(event)
        return (Path(folder) / FILE).read_text(encoding="utf-8").splitlines()


def append(path: Path, *events: Event) -> None:
    """Write events as one more training process would."""
    with EventWriter(path) as log:
        for event in events:
            log.append(event)


def epoch(number: int, step: int) -> EpochDone:
    return replace(EPOCH, epoch=number, step=step)


def numbers(path: Path) -> list[int]:
    found = []
    for line in (path / FILE).read_bytes().splitlines():
        try:
            found.append(json.loads(line)["n"])
        except ValueError:
            continue
    return found


def test_events_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_lines(tmp_path, *lines_of(BATCHES, EPOCH, UNMEASURED))
    assert event_log.read_events(tmp_path) == [BATCHES, EPOCH, UNMEASURED]


def test_events_keep_six_decimals(tmp_path: Path) -> None:
    write_lines(tmp_path, *lines_of(replace(BATCHES, loss=(1 / 3, 2 / 3)), replace(EPOCH, loss=1 / 3)))
    batches, epoch = event_log.read_events(tmp_path)
    assert isinstance(batches, BatchesDone)
    assert batches.loss == pytest.approx((1 / 3, 2 / 3), abs=1e-6)
    assert isinstance(epoch, EpochDone)
    assert epoch.loss == pytest.approx(1 / 3, abs=1e-6)


def test_events_of_a_real_run_come_back(trained_run: Path) -> None:
    events = event_log.read_events(trained_run)
    assert sum(len(event.loss) for event in events if isinstance(event, BatchesDone)) == 18
    assert sum(isinstance(event, EpochDone) for event in events) == 2


def test_epochs_are_those_among_all_events(tmp_path: Path) -> None:
    append(tmp_path, BATCHES, epoch(1, 2), replace(BATCHES, step=3), epoch(2, 4), BATCHES)
    append(tmp_path, Continued(2), replace(BATCHES, step=3), epoch(2, 5))
    with (tmp_path / FILE).open("ab") as log:
        log.write(b'\xff\n{"n":3,"kind":"epoch"}\n' + (tmp_path / FILE).read_bytes().splitlines()[1] + b'\n{"n":99,')
    assert event_log.read_epochs(tmp_path) == [epoch(1, 2), epoch(2, 5)]
    assert event_log.read_epochs(tmp_path) == [e for e in event_log.read_events(tmp_path) if isinstance(e, EpochDone)]
    assert event_log.read_epochs(tmp_path / "missing") == []


def test_no_file_and_an_empty_file_mean_no_events(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").unlink(missing_ok=True)
    assert event_log.read_events(tmp_path) == []
    write_lines(tmp_path)
    assert event_log.read_events(tmp_path) == []
    assert event_log.read_events(tmp_path / "missing") == []


@pytest.mark.fault(id="damaged-metrics")
def test_a_torn_last_line_is_ignored_wherever_it_is_torn(tmp_path: Path) -> None:
    first, second = lines_of(BATCHES, EPOCH)
    for end in range(len(second)):
        write_lines(tmp_path, first, second[:end])
        assert event_log.read_events(tmp_path) == [BATCHES]


FOREIGN_LINES = [
    b"\x00\xff\xfe",
    b"null",
    b"17",
    b'"text"',
    b"[]",
    b'["kind"]',
    b"{}",
    b"NaN",
    b"[" * 100_000,
    b'{"n":1,"kind":"epoch"}',
    b'{"n":1,"kind":"weather","step":3}',
    b'{"n":1,"kind":["batches"]}',
    b'{"n":1,"kind":"batches","epoch":1,"step":2,"images":3,"loss":5,"accuracy":[],"seconds":1}',
    b'{"n":1,"kind":"batches","epoch":1,"step":2,"images":3,"loss":["x"],"accuracy":[0.5],"seconds":1}',
]


@pytest.mark.fault(id="newer-version")
@pytest.mark.parametrize("line", FOREIGN_LINES)
def test_foreign_lines_are_skipped_and_the_rest_is_read(line: bytes, tmp_path: Path) -> None:
    first, second = lines_of(BATCHES, EPOCH)
    write_lines(tmp_path, line, first, line, second, line)
    assert event_log.read_events(tmp_path) == [BATCHES, EPOCH]


@pytest.mark.parametrize(
    ("field", "value"),
    [("step", "2"), ("step", None), ("loss", "low"), ("loss", None), ("seconds", {}), ("epoch", "one")],
)
@pytest.mark.parametrize("event", [BATCHES, EPOCH], ids=["batches", "epoch"])
def test_events_with_values_of_the_wrong_type_are_skipped(
    event: Event, field: str, value: object, tmp_path: Path
) -> None:
    first, strange, last = lines_of(BATCHES, event, UNMEASURED)
    write_lines(tmp_path, first, json.dumps({**json.loads(strange), field: value}), last)
    assert event_log.read_events(tmp_path) == [BATCHES, UNMEASURED]


def test_a_number_too_large_for_a_float_is_skipped(tmp_path: Path) -> None:
    first, second = lines_of(BATCHES, EPOCH)
    write_lines(tmp_path, json.dumps({**json.loads(first), "loss": [10**400, 1]}), second)
    assert event_log.read_events(tmp_path) == [EPOCH]


def test_repeated_lines_are_read_once(tmp_path: Path) -> None:
    first, second, third = lines_of(BATCHES, EPOCH, UNMEASURED)
    write_lines(tmp_path, first, first, second, first, second, third)
    assert event_log.read_events(tmp_path) == [BATCHES, EPOCH, UNMEASURED]


@pytest.mark.fault(id="damaged-metrics")
@no_limits
@given(st.binary(max_size=300))
def test_any_bytes_can_stand_in_the_metrics_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, last = lines_of(BATCHES, EPOCH)
        write_lines(Path(folder), first, content, last)
        events = event_log.read_events(Path(folder))
    assert events[0] == BATCHES
    assert events[-1] == EPOCH


@no_limits
@given(
    st.lists(
        st.builds(
            lambda event, changes: {**json.loads(lines_of(event)[0]), **changes},
            st.sampled_from([BATCHES, EPOCH, Continued(2)]),
            st.dictionaries(st.sampled_from([*asdict(BATCHES), *asdict(EPOCH), "n", "kind"]), json_values, max_size=2),
        ),
        max_size=3,
    )
)
def test_any_values_can_stand_in_events(lines: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_lines(Path(folder), *(json.dumps(line) for line in lines))
        events = event_log.read_events(Path(folder))
    for event in events:
        for name, value in asdict(event).items():  # what figures are made of
            if value is not None and name != "complete":
                assert np.array(value).dtype in (np.float64, np.int64), f"{name} of {event}"


# Files of older versions


def test_batches_of_before_gradients_were_measured_are_read(tmp_path: Path) -> None:
    line = '{"n":0,"kind":"batches","epoch":1,"step":1,"images":128,"loss":[2.33109],"accuracy":[0.0625],"seconds":0.6}'
    write_lines(tmp_path, line)
    assert event_log.read_events(tmp_path) == [BatchesDone(1, 1, 128, (2.33109,), (0.0625,), 0.6, gradient_norm=())]


@pytest.mark.parametrize("path", sorted(runs.BUNDLED_RUNS.iterdir()), ids=lambda path: path.name)
def test_every_line_of_the_runs_that_ship_is_read(path: Path) -> None:
    lines = [json.loads(line) for line in (path / FILE).read_text(encoding="utf-8").splitlines()]
    events = event_log.read_events(path)
    assert len(events) == len(lines) > 10
    report = runs.read_run(path).report
    assert report is not None
    assert sum(len(event.loss) for event in events if isinstance(event, BatchesDone)) == report.steps
    assert sum(isinstance(event, EpochDone) for event in events) == report.epochs_completed


# Training that went on


def test_what_a_continuation_makes_void_is_not_told(tmp_path: Path) -> None:
    void: list[Event] = [replace(BATCHES, epoch=2, step=3), epoch(2, 4), replace(BATCHES, epoch=3, step=6)]
    append(tmp_path, BATCHES, epoch(1, 2), *void)
    assert event_log.read_events(tmp_path) == [BATCHES, epoch(1, 2), *void]
    again: list[Event] = [Continued(2), replace(BATCHES, epoch=2, step=4), epoch(2, 4)]
    append(tmp_path, *again)
    assert event_log.read_events(tmp_path) == [BATCHES, epoch(1, 2), *again]
    append(tmp_path, Continued(4), epoch(3, 6))
    assert event_log.read_events(tmp_path) == [BATCHES, epoch(1, 2), *again, Continued(4), epoch(3, 6)]
    append(tmp_path, Continued(2))
    assert event_log.read_events(tmp_path) == [BATCHES, epoch(1, 2), Continued(2), Continued(2)]
    assert numbers(tmp_path) == list(range(11))


@pytest.mark.parametrize("end_of_line", ["", "\n"])
def test_a_log_is_continued_wherever_its_last_line_is_torn(end_of_line: str, tmp_path: Path) -> None:
    first, second = lines_of(BATCHES, epoch(1, 4))
    for end in range(len(second) + 1):
        write_lines(tmp_path, first, second[:end] + end_of_line)
        reader = EventReader(tmp_path)
        before = reader.read()
        assert before == [BATCHES, epoch(1, 4)][: 1 + (end == len(second))]
        append(tmp_path, Continued(2), epoch(1, 4), epoch(2, 8))
        assert event_log.read_events(tmp_path) == [BATCHES, Continued(2), epoch(1, 4), epoch(2, 8)]
        assert reader.read() == event_log.read_events(tmp_path)
        assert all(later > earlier for earlier, later in pairwise(numbers(tmp_path)))


def test_a_new_log_begins_with_its_first_event(tmp_path: Path) -> None:
    append(tmp_path, BATCHES)
    assert (tmp_path / FILE).read_text(encoding="utf-8").startswith('{"n":0,"kind":"batches"')
    append(tmp_path)
    append(tmp_path, EPOCH)
    assert event_log.read_events(tmp_path) == [BATCHES, EPOCH]


def test_an_event_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    reader = EventReader(tmp_path)
    with EventWriter(tmp_path) as log:
        assert reader.read() == []
        log.append(BATCHES)
        assert reader.read() == [BATCHES]
        log.append(EPOCH)
        assert reader.read() == [BATCHES, EPOCH]


# One reader that looks again and again

TOLD = st.one_of(
    st.builds(lambda step: replace(BATCHES, step=step), st.integers(0, 9)),
    st.builds(epoch, st.integers(1, 3), st.integers(0, 9)),
    st.builds(Continued, st.integers(0, 9)),
)


def told_by_hand(events: list[Event]) -> list[Event]:
    """Return the events that no later continuation makes void."""
    return [
        event
        for place, event in enumerate(events)
        if all(event.step <= later.step for later in events[place + 1 :] if isinstance(later, Continued))
    ]


@no_limits
@given(events=st.lists(TOLD, max_size=12), data=st.data())
def test_a_reader_tells_at_every_moment_what_a_new_one_would(events: list[Event], data: st.DataObject) -> None:
    content = "".join(line + "\n" for line in lines_of(*events)).encode()
    looks = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        reader = EventReader(path)
        for end in [*looks, len(content)]:
            (path / FILE).write_bytes(content[:end])
            complete = content[:end].count(b"}")  # brackets that close an event; none of these holds others
            assert reader.read() == event_log.read_events(path) == told_by_hand(events[:complete])


def test_what_a_reader_returns_is_the_callers_own(tmp_path: Path) -> None:
    append(tmp_path, BATCHES, EPOCH)
    reader = EventReader(tmp_path)
    reader.read().clear()
    assert reader.read() == [BATCHES, EPOCH]


def test_a_reader_follows_a_log_that_goes_comes_back_and_is_new(tmp_path: Path) -> None:
    append(tmp_path, BATCHES, EPOCH)
    reader = EventReader(tmp_path)
    assert reader.read() == [BATCHES, EPOCH]
    (tmp_path / FILE).rename(tmp_path / "aside")
    assert reader.read() == []
    (tmp_path / "aside").rename(tmp_path / FILE)
    assert reader.read() == [BATCHES, EPOCH]
    write_lines(tmp_path, lines_of(UNMEASURED)[0])
    assert reader.read() == [UNMEASURED]


def test_threads_may_share_a_reader(tmp_path: Path) -> None:
    events = [epoch(number, number) for number in range(400)]
    reader = EventReader(tmp_path)
    wrong: list[list[Event]] = []

    def look() -> None:
        seen: list[Event] = []
        while len(seen) < len(events):
            seen = reader.read()
            if seen != events[: len(seen)]:
                wrong.append(seen)
                return

    threads = [threading.Thread(target=look, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    append(tmp_path, *events)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == []


def test_reading_time_grows_with_events_not_with_their_square(tmp_path: Path) -> None:
    line = json.loads(lines_of(EPOCH)[0])
    folders = {count: tmp_path / str(count) for count in (5_000, 40_000)}
    for count, folder in folders.items():
        folder.mkdir()
        write_lines(folder, *(json.dumps({**line, "n": number}) for number in range(count)))

    def seconds(count: int) -> float:
        started = time.process_time()
        assert len(event_log.read_events(folders[count])) == count
        return time.process_time() - started

    # Other work on the machine only ever adds time: the least of several is the nearest to what reading takes.
    rounds = [(seconds(5_000), seconds(40_000)) for _ in range(5)]
    few, many = (min(times) for times in zip(*rounds, strict=True))
    assert many < 16 * few  # 8 times as many events
