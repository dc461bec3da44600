"""Take the pictures of README from the real app: `python -m docs.take_pictures` (needs requirements-dev.txt).

Starts the app with a runs folder of its own, trains a network in it, and takes screenshots in headless Chromium.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from mnist_core.common.server import PROJECT
from tests.support.serving import CHROMIUM_OPTIONS, Server, find_chromium, start_server, stop_server
from tests.support.steps import DIGITS, draw, open_canvas, reading, wait_for_points

DOCS = PROJECT / "docs"
SIZE: ViewportSize = {"width": 1360, "height": 860}


def record_training(page: Page, server: Server) -> None:
    """Save `train.gif`: a network learning, a frame every two seconds."""
    page.goto(f"{server.url}/train?preset=chollet&epochs=3")
    expect(page.locator(".network-editor")).to_be_visible()
    page.wait_for_timeout(2500)
    frames = [shot(page)]
    page.get_by_role("button", name="Train", exact=True).click()
    page.mouse.move(0, 0)
    wait_for_points(page, 3)
    while page.get_by_test_id("stProgress").count():
        frames.append(shot(page))
        page.wait_for_timeout(2000)
    expect(page.get_by_text("Test accuracy", exact=True).first).to_be_visible()
    page.wait_for_timeout(1500)
    frames.append(shot(page))
    small = [frame.resize((900, 569), Image.Resampling.LANCZOS).quantize(128) for frame in frames]
    durations = [3000] + [400] * (len(small) - 2) + [4000]
    small[0].save(DOCS / "train.gif", save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


def shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def save(page: Page, name: str) -> None:
    page.wait_for_timeout(2500)  # charts load their script
    shot(page).quantize(128).save(DOCS / name, optimize=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start_server(Path(folder))
        try:
            chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
            page = chromium.new_page(viewport=SIZE)
            record_training(page, server)
            page.goto(f"{server.url}/train?view=compare&compare=garcia,garcia-rate-1,chollet")
            expect(page.get_by_role("heading", name="Different settings")).to_be_visible()
            save(page, "compare.png")
            page.goto(f"{server.url}/explore?view=glance")
            expect(page.locator(".live-chart .legendtext").first).to_be_visible()
            save(page, "map.png")
            page.goto(f"{server.url}/explore?view=confusion&run=nehlr&digit=9&read=4")
            expect(page.locator(".digit-grid button").first).to_be_visible()
            save(page, "confusion.png")
            page.goto(f"{server.url}/explore?view=mistakes&index=2462")
            expect(page.get_by_text("The nearest with another label")).to_be_visible()
            save(page, "digit.png")
            open_canvas(page, server.url)
            for stroke in DIGITS[5]:
                draw(page, stroke)
            page.mouse.move(0, 0)
            expect(reading(page)).to_have_text("5")
            save(page, "draw.png")
            chromium.close()
        finally:
            stop_server(server)


if __name__ == "__main__":
    main()
