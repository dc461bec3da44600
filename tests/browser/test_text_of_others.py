"""A public server and a browser that somebody else's text could harm; and what the server refuses without any page."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, expect

from mnist_core import runs
from mnist_core.drawing.class_sets import contents, sets
from mnist_core.drawing.class_sets.drawings import new_drawing
from mnist_core.drawing.strokes import Drawing
from tests.support.serving import Server, start_server, stop_server

# Whatever of it is taken for HTML calls a function that tells; whatever is taken for a picture asks another machine,
# and at that the fixture `page` fails.
HOSTILE = "<img src=x onerror=harm()>![](//foreign.example/x.png)"
ADDRESS = "</style><script>harm()</script><img src=x onerror=harm()>"
RUN = "20260101-000000000-some"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def public_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for strangers, with a run and a class set of somebody who means harm."""
    folder = tmp_path_factory.mktemp("public")
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", folder / "runs" / RUN)
    runs.rename(folder / "runs" / RUN, HOSTILE)
    class_set = sets.open_set(folder / "handwriting", HOSTILE)
    drawn = Drawing((np.array([[10, 10], [200, 300]], np.float32),), (26.0,))
    contents.keep(class_set, new_drawing(7, np.eye(28, dtype=np.uint8) * 255, drawn))
    running = start_server(folder, DIGIT_LAB_PUBLIC="1")
    yield running
    stop_server(running)


@pytest.mark.public(id="no-markup")
def test_what_others_typed_is_text_in_a_browser_too(page: Page, public_server: Server) -> None:
    harm: list[str] = []
    set_id = sets.set_id(HOSTILE)
    chosen = {"run": RUN, "compare": f"{RUN},fast", "ghosts": RUN, "other": RUN, "beside": RUN}
    visits = (
        ("train", {**chosen, "view": "compare"}, "Different settings"),
        ("explore", {**chosen, "index": "3"}, "predict its label"),
        ("explore", {"view": "handwriting", "set": set_id}, "drawing"),
        (
            "train",
            {"preset": ADDRESS, "epochs": ADDRESS, "architecture": ADDRESS, ADDRESS: ADDRESS},
            "no preset called",
        ),
        (
            "explore",
            {"view": ADDRESS, "run": ADDRESS, "digit": ADDRESS, "only": ADDRESS},
            "is no index",
        ),
    )
    foreign = page.locator("img[onerror], img[src='x'], img[src*='foreign'], a[href*='//foreign']")
    with page.expose_function("harm", lambda: harm.append(page.url)):
        for path, query, shown in visits:
            page.goto(f"{public_server.url}/{path}?{urlencode(query)}")
            expect(page.get_by_text(re.compile(shown)).first).to_be_visible()
            expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
            expect(foreign).to_have_count(0)
    assert harm == []


@pytest.mark.public(id="no-large-files")
def test_the_server_itself_refuses_large_files(page: Page, public_server: Server) -> None:
    page.goto(f"{public_server.url}/draw?view=photo")
    uploader = page.locator("input[type=file]")
    with page.expect_request(re.compile("/_stcore/upload_file/")) as small:
        uploader.set_input_files({"name": "small.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.get_by_text("This is not a picture that can be read")).to_be_visible()
    # Again, by hand, as a browser would do that does not look at the size.
    headers = {"x-xsrftoken": small.value.headers.get("x-xsrftoken", "")}

    def hand_in(size: int) -> int:
        file: FilePayload = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(size)}
        return page.request.put(small.value.url, multipart={"file": file}, headers=headers).status

    assert hand_in(MEGABYTE) == 204
    assert hand_in(6 * MEGABYTE) == 413


@pytest.mark.public(id="no-server-files")
@pytest.mark.parametrize(
    "path",
    [
        "app/static/../app.py",
        "app/static/%2e%2e/app.py",
        "app/static/..%2fmodels/runs",
        "app/static//etc/passwd",
        "app/static/",
    ],
)
def test_only_what_is_static_is_served(path: str, public_server: Server) -> None:
    with urllib.request.urlopen(f"{public_server.url}/app/static/logo.svg") as answer:
        assert b"<svg" in answer.read()
    try:
        with urllib.request.urlopen(f"{public_server.url}/{path}") as answer:
            assert b"<!doctype html>" in answer.read().lower()[:200]  # the app itself, whatever its address
    except urllib.error.HTTPError as error:
        assert error.code in (400, 403, 404)
