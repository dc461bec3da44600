"""What programs of this folder share: the served app, a browser with a stopwatch in it, and how results are printed.

Importing it makes the project and the helpers of its browser tests importable.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mnist_core import runs
from mnist_core.processes import jobs
from mnist_core.training.config import TrainingConfig
from tests.support.serving import CHROMIUM_OPTIONS, Server, find_chromium, start_server, stop_server

PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)

# Runs in each tab before anything else: notes when a button or key was last used, and knows how to look at the page.
_STOPWATCH = """
window.acted = 0
for (const kind of ["pointerup", "keydown"]) {
    window.addEventListener(kind, () => { window.acted = performance.now() }, true)
}
window.found = (selector, root = document) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].flatMap((node) => node.shadowRoot ? found(selector, node.shadowRoot) : []),
]
window.shows = (text) => Boolean(document.querySelector("[data-testid=stMain]")?.innerText.includes(text))
window.rests = () => found("[data-testid=stApp]")[0]?.dataset.testScriptState === "notRunning"
"""


@contextmanager
def served(**environment: Any) -> Iterator[Server]:
    """Serve the app from this folder, its runs in a temporary one; in the end, nothing of it is left."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = start_server(Path(folder), **environment)
        try:
            yield server
        finally:
            helpers = psutil.Process(server.process.pid).children(recursive=True)
            stop_server(server)
            for process in helpers:  # training outlives a server
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(helpers, 10)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Open a headless browser of the Chromium family."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


def new_tab(browser: Browser) -> Page:
    """Open a tab of a visitor who was never here before. Close its context in the end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(_STOPWATCH)
    return context.new_page()


def seconds_until(page: Page, act: Callable[[], object], shown: str) -> float:
    """Act, and return the seconds from the last press of a button or key until `shown` holds, by the tab's own clock.

    `shown` is an expression of JavaScript that may use `found(selector)`, `shows(text)` and `rests()`; it is looked at
    before each frame that the browser draws. Raises `RuntimeError` if it holds before anything was done.
    """
    if page.evaluate(f"() => Boolean({shown})"):
        raise RuntimeError(f"Nothing to wait for, the page has this already: {shown}")
    act()
    return float(page.wait_for_function(f"() => ({shown}) && performance.now() - acted").json_value()) / 1000


def rest(page: Page) -> None:
    """Wait until the server is done with the page, and a moment more, as a visitor does."""
    page.wait_for_function("() => rests()")
    page.wait_for_timeout(300)


def wait_until_idle(server: Server, seconds: float = 60) -> None:
    """Wait until the server and its helpers have had nothing to do for two seconds; they load much when they start."""
    quiet, deadline = 0, time.monotonic() + seconds
    before = _processor_seconds(server)
    while quiet < 4 and time.monotonic() < deadline:
        time.sleep(0.5)
        now = _processor_seconds(server)
        quiet = quiet + 1 if abs(now - before) < 0.05 else 0
        before = now


def _processor_seconds(server: Server) -> float:
    total = 0.0
    for process in with_helpers(server):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:2])
    return total


def with_helpers(server: Server) -> list[psutil.Process]:
    """Return the process of the server, and those that it started."""
    own = psutil.Process(server.process.pid)
    return [own, *own.children(recursive=True)]


@contextmanager
def training(config: TrainingConfig, folder: Path) -> Iterator[runs.Run]:
    """Let a run train as the app does it while something else is measured, and stop it in the end."""
    path = folder / jobs.start(config, folder)
    try:
        while (run := runs.read_run(path)).status.message != "Training":
            if not run.is_active:
                raise RuntimeError(f"The run that was to train meanwhile has ended: {run.status.message}")
            time.sleep(0.2)
        yield run
    finally:
        runs.request_stop(path)
        wait_for_end(path)


def wait_for_end(path: Path, seconds: float = 3600) -> runs.Run:
    """Wait until a run has ended, and return it. Raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while (run := runs.read_run(path)).is_active:
        if time.monotonic() > deadline:
            raise TimeoutError(f"Run {run.id} has not ended in {seconds:,.0f} s: {run.status}")
        time.sleep(0.5)
    return run


def output_of(command: Sequence[str]) -> str:
    """Return what a program prints. What it says on standard error is told only if it fails, and ends this one too."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def say(text: str) -> None:
    """Tell on standard error how far a program has come."""
    print(text, file=sys.stderr, flush=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    for cells in (columns, ["---"] * len(columns), *rows):
        print("| " + " | ".join(map(str, cells)) + " |")


def print_conditions(*packages: str) -> None:
    """Print when and where this was measured, with the versions of Python and of some packages."""
    today = date.today()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load at the end {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = ", ".join(f"{name.capitalize()} {importlib.metadata.version(name)}" for name in packages)
    print(
        f"\n{today.day} {today:%B %Y}, {platform.system()}, {cores} cores ({_processor()}, {platform.machine()}), "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB, Python {platform.python_version()}, {versions}{load}."
    )


def _processor() -> str:
    with suppress(OSError):  # only Linux has it
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "processor unknown"
