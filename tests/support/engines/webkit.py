"""WebKitGTK, driven by Selenium: the engine of Safari, and of every browser on an iPad."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.actions.action_builder import ActionBuilder

from tests.support.engines import Look, Point, Window

MINI_BROWSERS = ("lib/*/webkit*/MiniBrowser", "libexec/webkit*/MiniBrowser")  # below /usr
NARROW_BUTTONS = "button { min-width: 0; padding: 0; }"  # of the browser itself, which else is no narrower than 447 px


def find_webkit() -> tuple[str, str] | None:
    """The paths of WebKitGTK's driver and of the browser that comes with it, if they and Xvfb are installed."""
    driver = shutil.which("WebKitWebDriver")
    browser = next((path for pattern in MINI_BROWSERS for path in Path("/usr").glob(pattern)), None)
    return (driver, str(browser)) if driver and browser and shutil.which("Xvfb") else None


@contextmanager
def webkit_window(driver: str, browser: str, look: Look) -> Iterator[Window]:
    """Start WebKitGTK without memories, on a display that nobody sees, and open a window in it."""
    with _display() as display, tempfile.TemporaryDirectory() as folder:
        style = Path(folder, "gtk-3.0", "gtk.css")
        style.parent.mkdir()
        style.write_text(NARROW_BUTTONS)
        environment = {
            **os.environ,
            "DISPLAY": display,
            "GDK_BACKEND": "x11",
            "XDG_CONFIG_HOME": folder,
            "GTK_THEME": "Adwaita:dark" if look.scheme == "dark" else "Adwaita",  # what the page is told to prefer
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # it does not start as root, and reads only our pages
        }
        options = webdriver.WebKitGTKOptions()
        options.binary_location = browser
        options.add_argument("--automation")
        opened = webdriver.WebKitGTK(options, webdriver.WebKitGTKService(driver, env=environment))
        try:
            yield _WebKitWindow(opened, look)
        finally:
            opened.quit()


@contextmanager
def _display() -> Iterator[str]:
    """Start an X server that draws into memory, under the first number that is free."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as number:
                yield f":{int(number.readline())}"
        finally:
            server.terminate()


class _WebKitWindow(Window):
    def __init__(self, driver: webdriver.WebKitGTK, look: Look) -> None:
        self._driver = driver
        driver.set_window_size(look.width, look.height)
        frame = self.evaluate(f"[{look.width} - innerWidth, {look.height} - innerHeight]")
        driver.set_window_size(look.width + frame[0], look.height + frame[1])

    def open(self, url: str) -> None:
        self._driver.get(url)

    def evaluate(self, expression: str) -> Any:
        return self._driver.execute_script(f"return {expression}")

    def drag(self, points: Sequence[Point]) -> None:
        actions = ActionBuilder(self._driver, duration=0)
        actions.pointer_action.move_to_location(*map(round, points[0])).pointer_down()
        for point in points[1:]:
            actions.pointer_action.move_to_location(*map(round, point))
        actions.pointer_action.pointer_up()
        actions.perform()

    def upload(self, file: Path) -> None:
        self._driver.find_element("css selector", "input[type=file]").send_keys(str(file))

    def screenshot(self) -> bytes:
        return self._driver.get_screenshot_as_png()
