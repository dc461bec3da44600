"""A class at work on one server: thirty sessions at once with a training run going, then thirty who press *Train*.

    python -m benchmarks.classroom [--sessions 30] [--minutes 5] [--public]

Sessions speak Streamlit's own protocol, without browsers (`streamlit_session.py`); what students do is in `student.py`:
browse and filter on Explore, draw and read the answer on Draw, watch the run on Train. Server, inference and training
share two cores; the sessions' side of it takes from the same ones where there are no more.

It prints the seconds of each kind of action, memory, and the speed of training with the class and alone. Then everybody
presses *Train* within ten seconds, each with a seed of their own; their pages and the run directories tell what became
of these runs. `--public` does it all on a server for strangers (`DIGIT_LAB_PUBLIC=1`), which has room for fewer runs.
Some ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.measuring import print_conditions, print_table, say, served, with_helpers
from benchmarks.streamlit_session import SessionError
from benchmarks.student import ANSWER, Records, Student
from mnist_core import runs
from mnist_core.runs import ids
from mnist_core.runs.event_log import EventReader
from mnist_core.runs.status import ACTIVE, read_status
from mnist_core.training.events import BatchesDone
from tests.support.serving import Server

ANSWER_BAR, SPEED_BAR, GROWTH_BAR = 2.0, 0.60, 1.10
CORES = 2
LONG_RUN = "preset=garcia&epochs=20"  # of what a public server allows, a run that goes on for long
SHORT_RUN = "preset=tiny&train_size=1000&epochs=1"
PRESS_SECONDS = 10

Row = list[object]  # what was measured, its value, and what was to be reached


@dataclass(frozen=True)
class Held:
    """Memory in MB (PSS) at one moment."""

    when: str
    server: float
    inference: float


@dataclass(frozen=True)
class Moment:
    """What a run had trained by then, and the processor seconds that the sessions' side and the server had taken."""

    images: int
    trained: float  # seconds of training, by the run's own clock
    clock: float
    sessions: float
    server: float


class Watch:
    """Looks at a server that trains a run."""

    def __init__(self, server: Server, run_id: str) -> None:
        self.path = server.runs_dir / run_id
        self._server = server
        self._events = EventReader(self.path)

    async def until_it_trains(self) -> None:
        while self.now().trained < 3:  # the first batches compile
            status = read_status(self.path)
            if status.state not in ACTIVE:
                raise RuntimeError(f"The run that was to train has ended: {status}")
            await asyncio.sleep(0.5)

    def now(self) -> Moment:
        batches = [event for event in self._events.read() if isinstance(event, BatchesDone)]
        images, trained = (batches[-1].images, batches[-1].seconds) if batches else (0, 0.0)
        sessions, server = (
            sum(process.cpu_times()[:2]) for process in (psutil.Process(), psutil.Process(self._server.process.pid))
        )
        return Moment(images, trained, time.monotonic(), sessions, server)

    async def memory(self, minutes: float) -> list[Held]:
        """Look at memory now, after a minute and in the end; the last one is the highest ever."""
        looks = [self._held("at the start")]
        started, passed = time.monotonic(), 0.0
        while passed < 60 * minutes - 2:
            before = passed
            await asyncio.sleep(min(5, 60 * minutes - 2 - passed))
            passed = time.monotonic() - started
            looks.append(self._held("after a minute" if before < 60 <= passed else ""))
        looks.append(self._held("at the end"))
        highest = Held("at most", max(look.server for look in looks), max(look.inference for look in looks))
        return [look for look in looks if look.when] + [highest]

    def _held(self, when: str) -> Held:
        """The inference process is the largest helper of the server that does not train."""
        sizes = []
        for process in with_helpers(self._server):
            with suppress(psutil.NoSuchProcess):
                if "mnist_core" not in process.cmdline():
                    sizes.append(process.memory_full_info().pss / 1e6)
        return Held(when, sizes[0], max(sizes[1:], default=0))


async def lesson(server: Server, options: argparse.Namespace) -> tuple[Records, list[Row]]:
    """Let a class work while a run trains."""
    records = Records()
    teacher = Student(10_000, server.url, Records(), 0.2, patience=600)
    async with teacher.tab as tab:
        await warm_up(teacher)
        run_id = await teacher.train(LONG_RUN)
        if not ids.is_run_id(run_id):
            raise RuntimeError(f"The run that was to train was refused: {run_id}")
        await tab.open("")

        watch = Watch(server, run_id)
        await watch.until_it_trains()
        begin = watch.now()
        await asyncio.sleep(options.alone)
        before = watch.now()
        say("alone: done")
        end = time.monotonic() + 60 * options.minutes
        students = [Student(number, server.url, records, options.pause) for number in range(options.sessions)]
        memory, *_ = await asyncio.gather(
            watch.memory(options.minutes), *(student.take_part(run_id, end) for student in students)
        )
        after = watch.now()
    if not (run := runs.read_run(watch.path)).is_active:
        records.problems.append(f"the run that trained has ended: {run.status}")
    return records, [*memory_rows(memory), *speed_rows(begin, before, after), drawing_row(records)]


async def warm_up(teacher: Student) -> None:
    """See each page once, and wait until the first drawing is answered: a server in class has done so before."""
    await teacher.tab.open("")
    await teacher.explore()
    await teacher.tab.open("draw")
    await teacher.draw(7)


def memory_rows(looks: list[Held]) -> list[Row]:
    rows: list[Row] = []
    for part in ("server", "inference"):
        rows += [[f"memory of {part} {look.when}, MB (PSS)", f"{getattr(look, part):.0f}", ""] for look in looks]
    by_time = {look.when: look.server + look.inference for look in looks}
    if "after a minute" in by_time:
        growth = by_time["at the end"] / by_time["after a minute"]
        rows.append(["memory of both at the end / after a minute", f"{growth:.2f}", f"{GROWTH_BAR:.2f} at most"])
    return rows


def speed_rows(begin: Moment, before: Moment, after: Moment) -> list[Row]:
    alone, together = (
        (later.images - earlier.images) / (later.trained - earlier.trained)
        for earlier, later in ((begin, before), (before, after))
    )
    clock = after.clock - before.clock
    return [
        ["training alone, images/s", f"{alone:,.0f}", ""],
        ["training with the class, images/s", f"{together:,.0f}", ""],
        ["with the class / alone", f"{together / alone:.2f}", f"{SPEED_BAR:.2f} at least"],
        ["cores that the server's process took", f"{(after.server - before.server) / clock:.2f}", ""],
        ["cores that the sessions' side took", f"{(after.sessions - before.sessions) / clock:.2f}", ""],
    ]


def drawing_row(records: Records) -> Row:
    return ["drawings read as they were meant", f"{records.read_as_meant:,} of {records.drawn:,}", ""]


async def all_press_train(server: Server, options: argparse.Namespace) -> tuple[Records, list[Row]]:
    """Let everybody start a short run within ten seconds while another one trains, and wait until all have ended."""
    records, folder = Records(), server.runs_dir
    before = {run.id: run for run in runs.list_runs(folder)}
    students = [Student(number, server.url, records, 0.1) for number in range(options.sessions)]

    async def press(student: Student) -> str:
        await student.tab.open("")
        await asyncio.sleep(PRESS_SECONDS * student.number / options.sessions)
        return await student.train(f"{SHORT_RUN}&seed={seed_of(student)}")

    async with AsyncExitStack() as tabs:
        for student in students:
            await tabs.enter_async_context(student.tab)
        told = await asyncio.gather(*map(press, students), return_exceptions=True)
        say("all have pressed Train")
        own = {
            student: str(answer) for student, answer in zip(students, told, strict=True) if ids.is_run_id(str(answer))
        }
        for run in before.values():  # the one that trains makes way
            runs.request_stop(run.path)
        order, at_once = await follow(folder, set(own.values()), options.patience)
        found = await asyncio.gather(*(finds_its_own(student, folder / run_id) for student, run_id in own.items()))
        for student in students:
            student.collect_problems()
    made = {run.id: run for run in runs.list_runs(folder) if run.id not in before}
    refusals = [answer for answer in told if isinstance(answer, str) and answer not in own.values()]
    records.problems += [f"{answer!r}" for answer in told if isinstance(answer, BaseException)]
    said: list[Row] = [["what they were told", f"“{refusals[0]}”", ""]] if refusals else []
    return records, [
        ["students who pressed", len(students), ""],
        ["told the id of a run", len(own), ""],
        ["refused", len(refusals), ""],
        *said,
        ["neither", len(students) - len(own) - len(refusals), 0],
        ["new run directories", len(made), len(own)],
        ["of these, finished", sum(run.status.state == "finished" for run in made.values()), len(own)],
        ["trained in the order of their ids", "yes" if order == sorted(own.values()) else f"no: {order}", "yes"],
        ["trained at once, at most", at_once, 1],
        ["found the result of their own run", sum(found), len(own)],
    ]


def seed_of(student: Student) -> int:
    """Return the seed that only this student's run has."""
    return 1000 + student.number


async def follow(folder: Path, run_ids: set[str], patience: float) -> tuple[list[str], int]:
    """Wait until runs have ended; return them in the order in which they trained, and how many trained at once."""
    order: list[str] = []
    at_once = 0
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        states = {run_id: read_status(folder / run_id).state for run_id in run_ids}
        order += sorted(run_id for run_id, state in states.items() if state != "queued" and run_id not in order)
        at_once = max(at_once, sum(state == "running" for state in states.values()))
        if not any(state in ACTIVE for state in states.values()):
            break
        await asyncio.sleep(0.3)
    return order, at_once


async def finds_its_own(student: Student, path: Path) -> bool:
    """Whether a student's page comes to show the seed they asked for and the accuracy that the directory tells."""
    run, tab = runs.read_run(path), student.tab
    if run.report is None or run.config.seed != seed_of(student) or student.run_id() != run.id:
        return False
    accuracy = f"{run.report.test_accuracy:.2%}"
    try:
        await tab.until(
            lambda: (
                f"· seed {seed_of(student)}" in tab.texts()
                and any(metric.proto.body == accuracy for metric in tab.all("metric"))
            ),
            f"result of {run.id}",
        )
    except SessionError as error:
        student.records.problems.append(f"student {student.number}: {error}")
        return False
    return True


def print_part(records: Records, rows: list[Row], log: Path) -> None:
    actions = []
    for name, seconds in sorted(records.seconds.items()):
        percentiles = (f"{value:.2f}" for value in np.percentile(seconds, [50, 95, 100]))
        actions.append([name, f"{len(seconds):,}", *percentiles, f"{ANSWER_BAR:.0f}" if name == ANSWER else ""])
    print_table(["action", "times", "median, s", "95th percentile, s", "longest, s", "bar for the 95th, s"], actions)
    lines = [line for line in log.read_text(errors="replace").splitlines() if "does not exist anymore" not in line]
    tracebacks = sum("Traceback" in line for line in lines)
    errors: list[Row] = [["errors on pages, lost connections, no answer", len(records.problems), 0]]
    print()
    print_table(["measured", "value", "bar"], [*errors, ["tracebacks in the server's log", tracebacks, 0], *rows])
    print("".join(f"- {problem}\n" for problem in records.problems[:20]), flush=True)
    if tracebacks:
        say("\n".join(lines[-200:]))


PARTS = {"lesson": lesson, "train": all_press_train}


@contextmanager
def on_few_cores() -> Iterator[None]:
    """Let what is started meanwhile have two cores only, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(own)[:CORES])
    yield
    os.sched_setaffinity(0, own)


async def all_parts(server: Server, options: argparse.Namespace) -> None:
    for name in options.parts:
        records, rows = await PARTS[name](server, options)
        print_part(records, rows, server.log)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--public", action="store_true", help="as strangers find it")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--pause", type=float, default=4, help="mean seconds that a student looks at what came")
    parser.add_argument("--alone", type=float, default=30, help="seconds of training without a class")
    parser.add_argument("--patience", type=float, default=900, help="seconds until all short runs must have ended")
    options = parser.parse_args()
    with ExitStack() as stack:
        with on_few_cores():
            server = stack.enter_context(served(DIGIT_LAB_PUBLIC="1" if options.public else ""))
        asyncio.run(all_parts(server, options))
    mode = "public" if options.public else "private"
    print(f"{options.sessions} sessions for {options.minutes:g} minutes, {options.pause:g} s between actions, {mode}.")
    print_conditions("streamlit", "tensorflow", "keras")


if __name__ == "__main__":
    main()
