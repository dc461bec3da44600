"""Windows of the engines that Playwright does not drive as they are installed, with one small interface to all."""

from __future__ import annotations

import io
import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

TIMEOUT_SECONDS = 120  # generous: two cores may be training, or loading TensorFlow for the first time ever
_PAUSE_SECONDS = 0.25  # between two looks at a page, which cost some milliseconds

# Finds the first element that can be seen, with its CSS and text, in shadow trees, too; brings it into sight; tells
# where it is, and whether a click on its middle would meet it.
_FIND = """((css, text) => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
        ...(node.matches(css) ? [node] : []), ...(node.shadowRoot ? all(node.shadowRoot) : [])])
    const found = all(document).find((node) => node.checkVisibility({ visibilityProperty: true })
        && node.getBoundingClientRect().width && new RegExp(text).test(node.textContent.trim()))
    if (!found) return null
    const { top, bottom } = found.getBoundingClientRect()
    if (top < 0 || bottom > innerHeight) found.scrollIntoView({ block: "center", behavior: "instant" })
    const { x, y, width, height } = found.getBoundingClientRect()
    const at = (root) => root.elementFromPoint(x + width / 2, y + height / 2)
    let met = at(document)
    while (met?.shadowRoot && at(met.shadowRoot) && at(met.shadowRoot) !== met) met = at(met.shadowRoot)
    return { box: [x, y, width, height], isOnTop: !found.disabled && found.contains(met) }
})"""

Found = TypeVar("Found")
Point = tuple[float, float] | NDArray[np.float64]  # x and y, in pixels of the window


@dataclass(frozen=True)
class Look:
    """How large the page is in a window, and which theme its visitor prefers."""

    width: int = 1280
    height: int = 900
    scheme: Literal["light", "dark"] = "light"


@dataclass(frozen=True)
class Box:
    """Where an element is in a window, in pixels."""

    x: float
    y: float
    width: float
    height: float


class Window(ABC):
    """What a journey needs of a browser. Elements are named by their CSS, and a regular expression for their text."""

    @abstractmethod
    def open(self, url: str) -> None: ...

    @abstractmethod
    def evaluate(self, expression: str) -> Any: ...

    @abstractmethod
    def drag(self, points: Sequence[Point]) -> None:
        """Press the mouse at the first point, move it along the others, and release it."""

    @abstractmethod
    def upload(self, file: Path) -> None: ...

    @abstractmethod
    def screenshot(self) -> bytes: ...

    def box(self, css: str, text: str = "", *, on_top: bool = False) -> Box:
        """Wait until an element can be seen and has come to rest, with nothing above it if `on_top`; return its place.

        It is brought into sight if it lies above or below.
        """
        deadline, before = time.monotonic() + TIMEOUT_SECONDS, None
        while time.monotonic() < deadline:
            found = self.evaluate(f"{_FIND}({json.dumps(css)}, {json.dumps(text)})")
            if found and found == before and (found["isOnTop"] or not on_top):
                return Box(*found["box"])
            before = found
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"{css} with the text {text!r} is not there, not at rest, or not on top: {before}")

    def click(self, css: str, text: str = "") -> None:
        """Click an element as soon as that meets it."""
        box = self.box(css, text, on_top=True)
        self.drag([(box.x + box.width / 2, box.y + box.height / 2)])

    def pixels(self, box: Box) -> NDArray[np.uint8]:
        """Return what the window shows in a box, in shades of grey, (height, width)."""
        picture = Image.open(io.BytesIO(self.screenshot())).convert("L")
        return np.asarray(picture)[round(box.y) : round(box.y + box.height), round(box.x) : round(box.x + box.width)]


def require(name: str, found: Found | None) -> Found:
    """Return what was found of a browser; without it a test skips, except under CI, where that is a failure."""
    if found is None:
        message = f"No {name} found: install it to run the tests that need it."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextmanager
def evidence(window: Window, folder: Path) -> Iterator[None]:
    """If what is done with a window fails, print what it shows, and keep a picture of it."""
    try:
        yield
    except BaseException:
        picture = folder / "window.png"
        picture.write_bytes(window.screenshot())
        print(window.evaluate("`${location}\\n${document.body.innerText.slice(0, 3000)}`"), picture, sep="\n")
        raise
