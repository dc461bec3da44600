"""What tests do on the pages: draw strokes, set numbers, start a run, wait for its curves."""

import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Locator, Page, expect

from mnist_core import runs
from mnist_core.runs import event_log

Stroke = list[tuple[float, float]]  # x, y from 0 to 1 over the canvas


def arc(center: tuple[float, float], radius: tuple[float, float], start: float, end: float) -> Stroke:
    """Points along an ellipse, by angles in degrees, clockwise from three o'clock."""
    angles = [math.radians(start + (end - start) * step / 16) for step in range(17)]
    return [(center[0] + radius[0] * math.cos(a), center[1] + radius[1] * math.sin(a)) for a in angles]


DIGITS: dict[int, list[Stroke]] = {
    0: [arc((0.5, 0.5), (0.2, 0.32), -90, 270)],
    1: [[(0.5, 0.18), (0.5, 0.82)]],
    2: [[*arc((0.5, 0.35), (0.18, 0.17), 190, 390), (0.3, 0.8), (0.72, 0.8)]],
    3: [arc((0.48, 0.34), (0.17, 0.16), 200, 440) + arc((0.48, 0.66), (0.19, 0.17), -80, 160)],
    4: [[(0.35, 0.2), (0.3, 0.52), (0.7, 0.52)], [(0.62, 0.2), (0.6, 0.85)]],
    5: [[(0.36, 0.2), (0.34, 0.47), *arc((0.48, 0.63), (0.18, 0.19), -120, 130)], [(0.36, 0.2), (0.68, 0.2)]],
    6: [[(0.6, 0.16), (0.42, 0.4), *arc((0.5, 0.64), (0.15, 0.17), -160, 200)]],
    7: [[(0.28, 0.22), (0.72, 0.22), (0.45, 0.84)]],
    8: [arc((0.5, 0.34), (0.14, 0.15), 90, 450) + arc((0.5, 0.66), (0.17, 0.17), -90, 270)],
    9: [[*arc((0.5, 0.36), (0.15, 0.17), 0, -360), (0.63, 0.84)]],
}


def draw(page: Page, stroke: Stroke) -> None:
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()


def open_canvas(page: Page, url: str) -> None:
    page.goto(f"{url}/draw")
    expect(reading(page)).to_have_text("?")
    expect(page.get_by_role("button", name="Clear")).to_be_visible()  # the tools have found their canvas


def reading(page: Page) -> Locator:
    """The digit in large type."""
    return page.locator(".st-key-answer .answer .digit")


def press_shortcut(page: Page, key: str) -> None:
    """Press a key that a button answers to: in a busy browser, it does so only some time after it can be seen."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.evaluate("() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 10_000 }))")
    page.keyboard.press(key)


RUN_IN_URL = re.compile(r"run=([0-9]{8}-[0-9]{9}-[a-z-]+)")


def set_number(page: Page, label: str, value: object) -> None:
    field = page.get_by_role("spinbutton", name=label, exact=True)
    field.fill(str(value))
    field.press("Enter")


def start_run(page: Page, url: str, *, images: int, epochs: int, seed: int = 1) -> str:
    """Open a link to the settings of a small run, start it, and return its id."""
    page.goto(f"{url}/train?preset=chollet&train_size={images}&epochs={epochs}&seed={seed}")
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value(str(epochs))
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url(RUN_IN_URL)
    match = RUN_IN_URL.search(page.url)
    assert match is not None
    return match[1]


def wait_for_end(path: Path, seconds: float = 120) -> runs.Run:
    deadline = time.monotonic() + seconds
    while (run := runs.read_run(path)).is_active:
        assert time.monotonic() < deadline, run.status
        time.sleep(0.2)
    return run


def wait_for_epochs(path: Path, epochs: float = 0.0, seconds: float = 300) -> None:
    """Wait until a run has trained for longer than some epochs: other work may keep the cores busy, and goes first."""
    deadline = time.monotonic() + seconds
    steps = epochs * runs.read_run(path).config.steps_per_epoch
    while not any(event.step > steps for event in event_log.read_events(path)):
        assert time.monotonic() < deadline, runs.read_run(path).status
        time.sleep(0.1)


@contextmanager
def halted(path: Path) -> Iterator[None]:
    """Halt the training of a run while pages are looked at, so that it neither ends meanwhile nor slows them down."""
    wait_for_epochs(path)
    process = psutil.Process(runs.read_run(path).status.pid)
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):  # it was killed on purpose
            process.resume()


# The training curve of a chart, as Plotly has it after decoding.
TRAINING_CURVE = "(node) => node?._fullData?.find((trace) => trace.name?.startsWith('training'))?.x ?? []"


def trained_epochs(chart: Locator) -> float:
    """How far the training curve of a chart has come, in epochs."""
    return chart.evaluate(f"(node) => ({TRAINING_CURVE})(node).at(-1) ?? 0")


def wait_for_training(page: Page, epochs: float) -> None:
    """Wait until the first live chart shows training beyond some epochs."""
    page.wait_for_function(
        f"(epochs) => ({TRAINING_CURVE})(document.querySelector('.live-chart')).at(-1) > epochs", arg=epochs
    )


def wait_for_points(page: Page, count: int) -> Locator:
    """Wait until the live chart of the accuracy has `count` points of training, and return it."""
    page.wait_for_function(
        f"(count) => ({TRAINING_CURVE})(document.querySelector('.live-chart')).length >= count", arg=count
    )
    return page.locator(".live-chart").first
