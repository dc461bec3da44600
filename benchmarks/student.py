"""A student of a class: what one does on the pages of Digit Lab, in a tab without a browser, and how long it takes."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.Alert_pb2 import Alert

from benchmarks.streamlit_session import Session, SessionError, Shown
from mnist_core.common.server import PROJECT
from mnist_core.drawing.strokes import BRUSH_WIDTH, CANVAS_SIDE
from tests.support.steps import DIGITS, Stroke

assert PROJECT

VIEWS = ("At a glance", "Mistakes", "Confusion matrix", "Scores", "Epochs", "Two networks", "Labels")
EMPTY = "Draw a digit from 0 to 9."
ANSWER = "Draw: from a stroke to its answer"


class Records:
    """What a class went through: seconds of each kind of action, what went wrong, and how drawings were read."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.problems: list[str] = []
        self.read_as_meant = 0
        self.drawn = 0

    def note(self, action: str, seconds: float) -> None:
        self.seconds[action].append(seconds)


class Student:
    """Someone with a tab: looks at a page for `pause` seconds on average, and waits for one for `patience` at most."""

    def __init__(self, number: int, url: str, records: Records, pause: float, patience: float = 60) -> None:
        self.number = number
        self.records = records
        self._url = url
        self._pause = pause
        self._patience = patience
        self._random = random.Random(number)
        self._secret = secrets.token_hex(16)  # what visitor.js keeps in the browser
        self._told_secret = False
        self.tab = self.new_tab()

    def new_tab(self) -> Session:
        """Return a tab in which the scripts of our components that matter here do what they do in a browser."""
        self._told_secret = False
        on_component: dict[str, Callable[[Session, Shown], None]] = {
            "digit_lab_visitor": self._tell_secret,
            "digit_lab_address": _show_address,
        }
        return Session(self._url, on_component, self._patience)

    async def take_part(self, run_id: str, until: float) -> None:
        """Browse, draw and watch a run until it is time, by `time.monotonic`; go on in a new tab if one breaks."""
        activities = [self.explore, self.draw_digits, lambda: self.watch(run_id)]
        turn = self.number
        await asyncio.sleep(self._random.uniform(0, 2) * self._pause)  # they do not all come at once
        while time.monotonic() < until:
            self.tab = self.new_tab()
            try:
                async with self.tab:
                    await self._time("Home: open", self.tab.open(""))
                    while time.monotonic() < until:
                        await activities[turn % len(activities)]()
                        turn += 1
            except (SessionError, OSError) as error:
                self.records.problems.append(f"student {self.number}: {error}")
                await asyncio.sleep(1)
            self.collect_problems()

    async def explore(self) -> None:
        """Open Explore, filter, turn a page, open a digit, and look at two other views."""
        tab = self.tab
        await self._time("Explore: open", tab.open("explore"))
        choice = str(self._random.randrange(10))
        await self._time("Explore: filter", tab.choose(tab.find("button_group", "Digit"), choice))
        await self._time("Explore: next page", tab.press(tab.find("button", "Next")))
        if self._random.random() < 0.5:
            images = tab.choose(tab.find("button_group", "Images"), "60,000 training images")
            await self._time("Explore: filter", images)
        grid = tab.find("bidi_component", "grid-digits")
        opened = self._random.choice(grid.data["tiles"])["index"]
        await self._time("Explore: one digit", tab.trigger(grid, opened=opened))
        for view in self._random.sample(VIEWS, 2):
            await self._time("Explore: another view", tab.choose(tab.find("button_group", "View"), view))

    async def draw_digits(self) -> None:
        """Open Draw, and draw three digits, each stroke answered and all taken away after each digit."""
        await self._time("Draw: open", self.tab.open("draw"))
        for digit in self._random.sample(range(10), 3):
            await self.draw(digit)
            await self._time("Draw: clear", self._tell_canvas([]))

    async def draw(self, digit: int) -> str:
        """Draw a digit stroke by stroke, waiting for each answer; return the digit that stands there at last."""
        right, down = (self._random.uniform(-0.08, 0.08) for _ in range(2))
        strokes: list[Stroke] = []
        for stroke in DIGITS[digit]:
            strokes.append([(x + right, y + down) for x, y in stroke])
            started = time.perf_counter()
            told = asyncio.create_task(self._tell_canvas(strokes))
            try:
                answer: Shown = await self.tab.until(partial(self._answer, started), "answer to a stroke")
            except SessionError:
                told.cancel()
                raise
            self.records.note(ANSWER, answer.moment - started)
            self.records.note("Draw: until all below stands, too", await told)
            await asyncio.sleep(self._random.uniform(0.3, 0.9))
        read: str = answer.data["digit"]
        self.records.drawn += 1
        self.records.read_as_meant += read == str(digit)
        await self._look()
        return read

    async def watch(self, run_id: str) -> None:
        """Open a run on Train, watch it for a while, then look at the settings of the next one."""
        tab = self.tab
        await self._time("Train: open a run", tab.open("train", f"run={run_id}"))
        await asyncio.sleep(3 * self._pause)
        for seconds in tab.updates:
            self.records.note("Train: update while watching", seconds)
        tab.updates.clear()
        await self._time("Train: set up", tab.choose(tab.find("button_group", "View"), "Set up"))

    async def train(self, query: str) -> str:
        """Open the settings of a run by their link and press *Train*; return its id, or what the page says instead."""
        tab = self.tab
        await self._time("Train: set up", tab.open("train", query))
        self.records.note("Train: press Train", await tab.press(tab.find("button", "train")))  # it may be refused
        await tab.until(lambda: self.run_id() or self._refusal(), "run or refusal")
        return self.run_id() or self._refusal()

    def run_id(self) -> str:
        """Return the run that the address names."""
        return dict(parse_qsl(self.tab.query)).get("run", "")

    def _refusal(self) -> str:
        alerts = self.tab.all("alert", lambda shown: shown.proto.format == Alert.ERROR)
        told = alerts[0].proto.body if alerts else ""
        return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", told)  # without Markdown's escapes

    async def _time(self, action: str, doing: asyncio.Future[float] | object) -> None:
        self.records.note(action, await doing)  # type: ignore[misc]
        if refusal := self._refusal():
            self.records.problems.append(f"student {self.number}: {action}: {refusal}")
        await self._look()

    async def _look(self) -> None:
        await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._pause)

    async def _tell_canvas(self, strokes: list[Stroke]) -> float:
        canvas = self.tab.find("bidi_component", "canvas")
        drawing = {"version": "7.4.0", "objects": [_fabric_path(stroke) for stroke in strokes], "background": "#000000"}
        return await self.tab.tell(canvas, drawing={"raw": drawing, "data": None})

    def _answer(self, since: float) -> Shown | None:
        for reading in self.tab.all("bidi_component", lambda shown: shown.id.endswith("-reading")):
            if reading.moment > since and reading.data["headline"] != EMPTY:
                return reading
        return None

    def _tell_secret(self, tab: Session, component: Shown) -> None:
        if not self._told_secret:
            self._told_secret = True
            tab.soon(tab.tell(component, secret=self._secret))

    def collect_problems(self) -> None:
        """Take note of what the pages of this tab showed as errors."""
        self.records.problems += [f"student {self.number}: {problem}" for problem in self.tab.problems]


def _show_address(tab: Session, component: Shown) -> None:
    """Do what address.js does."""
    data = component.data
    kept = [(name, text) for name, text in parse_qsl(tab.query) if name not in data["names"]]
    tab.query = urlencode([*kept, *data["query"].items()])


def _fabric_path(stroke: Stroke) -> dict[str, object]:
    """Return a stroke as the canvas tells it: with a point for each move of the mouse, and all that Fabric adds."""
    points = [(x * CANVAS_SIDE, y * CANVAS_SIDE) for x, y in stroke]
    moves = [points[0]]
    for (x, y), (next_x, next_y) in itertools.pairwise(points):
        moves += [(x + (next_x - x) * step / 3, y + (next_y - y) * step / 3) for step in (1, 2, 3)]
    path: list[list[str | float]] = [["M", *moves[0]]]
    for (x, y), (next_x, next_y) in itertools.pairwise(moves[1:]):
        path.append(["Q", x, y, (x + next_x) / 2, (y + next_y) / 2])
    path.append(["L", *moves[-1]])
    left, top = (min(move[axis] for move in moves) for axis in (0, 1))
    width, height = (max(move[axis] for move in moves) - low for axis, low in ((0, left), (1, top)))
    return {
        **{"type": "Path", "version": "7.4.0", "originX": "center", "originY": "center", "left": left, "top": top},
        **{"width": width, "height": height, "fill": None, "stroke": "#ffffff", "strokeWidth": BRUSH_WIDTH},
        **{"strokeDashArray": None, "strokeLineCap": "round", "strokeDashOffset": 0, "strokeLineJoin": "round"},
        **{"strokeUniform": False, "strokeMiterLimit": 10, "scaleX": 1, "scaleY": 1, "angle": 0, "opacity": 1},
        **{"flipX": False, "flipY": False, "shadow": None, "visible": True, "backgroundColor": "", "path": path},
    }
