"""Starting and stopping the served app, and finding a browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mnist_core.common.server import PROJECT

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Run before the scripts of a page: charts believe that Plotly is on its way already. See ui/components/live_chart.js.
WITHOUT_PLOTLY = "window.digitLabPlotly = new Promise(() => {})"


@dataclass(frozen=True)
class Server:
    """A running `streamlit run` with folders of its own for runs and class sets."""

    url: str
    process: subprocess.Popen[bytes]
    runs_dir: Path
    log: Path


def free_port() -> int:
    """Return a free port; the same again once its server has ended, so that a browser's cache serves the next one."""
    owner = f"{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())} {os.environ.get('PYTEST_XDIST_WORKER')}"
    first = 10_000 + zlib.crc32(owner.encode()) % 20_000  # below those that systems give to clients
    for port in range(first, first + 1000):
        with socket.socket() as probe:
            if os.name == "posix":  # where this means: also if connections of the server before linger
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RuntimeError(f"No port is free from {first} on.")


def start_server(folder: Path, script: Path = PROJECT / "app.py", **environment: str) -> Server:
    """Serve the app, or another script, on a free port; return once it answers, before any page was asked for."""
    port = free_port()
    runs_dir, log = folder / "runs", folder / "server.log"
    options = ["headless=true", f"port={port}", "address=127.0.0.1", "fileWatcherType=none"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script.name, *(f"--server.{option}" for option in options)],
            cwd=script.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "DIGIT_LAB_RUNS_DIR": str(runs_dir),
                "DIGIT_LAB_HANDWRITING_DIR": str(folder / "handwriting"),
                **environment,
            },
        )
    server = Server(f"http://127.0.0.1:{port}", process, runs_dir, log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                return server
        except OSError:
            time.sleep(0.1)
    stop_server(server)
    raise RuntimeError(f"The app did not start:\n{log.read_text()}")


def stop_server(server: Server) -> None:
    """End a server at once: asked politely, it would wait for its visitors, who only leave later."""
    server.process.kill()
    server.process.wait()


def find_chromium() -> str | None:
    """The path of an installed browser of the Chromium family, if there is one."""
    return next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)
