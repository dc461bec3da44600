"""A served app and a real browser.

Without a browser these tests skip, except under CI, where that is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize, WebError, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.support.engines import require
from tests.support.network_editor_page import serve_editor
from tests.support.serving import CHROMIUM_OPTIONS, WITHOUT_PLOTLY, Server, find_chromium, start_server, stop_server

TIMEOUT_MS = 120_000  # generous: two cores may be training, or loading TensorFlow for the first time ever
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not care what others did before."""
    running = start_server(tmp_path_factory.mktemp("server"))
    yield running
    stop_server(running)


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has asked for a page yet."""
    running = start_server(tmp_path)
    yield running
    stop_server(running)


@pytest.fixture(scope="module")
def editor_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that shows nothing but the editor."""
    running = serve_editor(tmp_path_factory.mktemp("editor"))
    yield running.url
    stop_server(running)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = require("Chromium", find_chromium())
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


def is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """What the page showed when a test failed is part of the report: elsewhere nobody can look at it."""
    report = yield
    tab = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and tab is not None:
        report.sections.append(("The page", shown(tab)))
    return report


def shown(tab: Page) -> str:
    """Return the address of a page, its words, and how many points its live charts have."""
    try:
        points = tab.evaluate(
            "[...document.querySelectorAll('.live-chart')].map("
            "(node) => (node._fullData ?? []).map((trace) => `${trace.name}: ${trace.x?.length}`))"
        )
        return f"{tab.url}\n{tab.inner_text('body')[:3000]}\n{points}"
    except PlaywrightError as error:
        return str(error)


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile: its cache spares each page a third of its work, compiling Streamlit's scripts above all."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture(scope="session")
def tab(profile: BrowserContext) -> Page:
    """One tab: what its process has compiled serves the next page, which halves the work of loading it."""
    return profile.new_page()


@pytest.fixture
def page(profile: BrowserContext, tab: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab without memories; no page in its profile may show or log an error, or ask another machine for anything.

    A test marked `no_charts` has charts that wait for Plotly's script for ever.
    """
    errors: list[str] = []

    def note_error(error: WebError) -> None:
        errors.append(str(error.error))

    def note_request(asked: Request) -> None:
        if not is_local(asked.url):
            errors.append(asked.url)

    profile.on("weberror", note_error)
    profile.on("request", note_request)
    with ExitStack() as scripts:
        if request.node.get_closest_marker("no_charts"):
            scripts.enter_context(tab.add_init_script(WITHOUT_PLOTLY))
        yield tab
    exceptions = sum(each.get_by_test_id("stException").count() for each in profile.pages)
    forget(profile, tab)
    profile.remove_listener("weberror", note_error)
    profile.remove_listener("request", note_request)
    assert not errors
    assert not exceptions


def forget(profile: BrowserContext, tab: Page) -> None:
    """Close all tabs of a profile but one, which becomes as it was; of what its pages stored only cached files stay."""
    for each in profile.pages:
        each.unroute_all()
        if each.url.startswith("http://127.0.0.1:"):
            each.evaluate("localStorage.clear(); sessionStorage.clear()")
        if each is not tab:
            each.close()
    tab.mouse.move(0, 0)
    tab.goto("about:blank")
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size(VIEWPORT)
    profile.clear_cookies()
    profile.clear_permissions()
