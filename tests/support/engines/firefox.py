"""Firefox, as it is installed: it speaks WebDriver BiDi itself.

Playwright's own way to drive it asks for what Firefox ESR does not know yet; Selenium needs geckodriver.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.engines import TIMEOUT_SECONDS, Look, Point, Window

FIREFOX_NAMES = ("firefox-esr", "firefox")


def find_firefox() -> str | None:
    """The path of an installed Firefox, if there is one."""
    return next((path for path in map(shutil.which, FIREFOX_NAMES) if path), None)


@contextmanager
def firefox_window(executable: str, look: Look) -> Iterator[Window]:
    """Start an installed Firefox without memories, and open a window in it."""
    preferences: dict[str, object] = {
        "layout.css.prefers-color-scheme.content-override": 0 if look.scheme == "dark" else 1,
        "network.proxy.type": 1,  # what it asks other machines for goes nowhere
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": 9,
        "network.proxy.ssl": "127.0.0.1",
        "network.proxy.ssl_port": 9,
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items())
        Path(profile, "user.js").write_text("\n".join(lines))
        command = [executable, "--headless", "--profile", profile, "--remote-debugging-port=0"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                with connect(_bidi_address(Path(profile)), max_size=None, proxy=None) as connection:
                    yield _FirefoxWindow(connection, look)
            finally:
                process.kill()


def _bidi_address(profile: Path) -> str:
    """Wait until Firefox has written where it listens."""
    file, deadline = profile / "WebDriverBiDiServer.json", time.monotonic() + TIMEOUT_SECONDS
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline, "Firefox does not start."
        time.sleep(0.05)
    server = json.loads(file.read_text())
    return f"ws://{server['ws_host']}:{server['ws_port']}/session"


class _FirefoxWindow(Window):
    def __init__(self, connection: ClientConnection, look: Look) -> None:
        self._connection = connection
        self._numbers = count(1)
        self._send("session.new", capabilities={})
        self._context = self._send("browsingContext.getTree")["contexts"][0]["context"]
        viewport = {"width": look.width, "height": look.height}
        self._send("browsingContext.setViewport", context=self._context, viewport=viewport)

    def _send(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._connection.recv(TIMEOUT_SECONDS))).get("id") != number:
            pass  # an event
        assert answer["type"] == "success", answer
        return answer["result"]

    def open(self, url: str) -> None:
        self._send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        answer = self._send(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self._context},
            awaitPromise=False,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    def drag(self, points: Sequence[Point]) -> None:
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0} for x, y in points]
        down, up = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
        mouse = {"type": "pointer", "id": "mouse", "actions": [moves[0], down, *moves[1:], up]}
        self._send("input.performActions", context=self._context, actions=[mouse])

    def upload(self, file: Path) -> None:
        locator = {"type": "css", "value": "input[type=file]"}
        (node,) = self._send("browsingContext.locateNodes", context=self._context, locator=locator)["nodes"]
        element = {"sharedId": node["sharedId"]}
        self._send("input.setFiles", context=self._context, element=element, files=[str(file)])

    def screenshot(self) -> bytes:
        return base64.b64decode(self._send("browsingContext.captureScreenshot", context=self._context)["data"])
