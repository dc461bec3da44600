"""Bad input that comes through a page: addresses, drawings and files, opened and handed in as a browser does it.

The kinds are like those of `tests/bad_cases`; the answer to a case is what the pages say in errors and warnings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from mnist_core.common.server import HANDWRITING_DIR_VARIABLE, PROJECT, RUNS_DIR_VARIABLE
from mnist_core.processes import inference
from mnist_core.processes.inference_worker import InferenceError
from tests.support.bad_cases.class_sets import class_set_files
from tests.support.bad_cases.drawings import canvas_payloads, picture_files
from tests.support.bad_cases.run_files import RUN_ID, damaged_run, run_files
from tests.support.bad_cases.settings import settings_files
from tests.support.bad_cases.trials import CaseKind, Home
from tests.support.strategies import hostile_texts, queries_of_settings
from ui.session.state import Params

TITLES = {"home": "Digit Lab", "train": "Train a network", "explore": "Explore the digits", "draw": "Draw a digit"}
VIEWS = {
    "home": ("",),
    "train": ("setup", "watch", "compare", "published", "words"),
    "explore": ("digits", "glance", "mistakes", "confusion", "scores", "epochs", "two", "labels", "handwriting"),
    "draw": ("canvas", "photo"),
}


@contextmanager
def open_to_visitors(home: Home) -> Iterator[None]:
    """Let the pages use these folders, and networks that need no TensorFlow: each reads a 1, or nothing."""

    def predict(file: object, images: np.ndarray) -> np.ndarray:
        return np.repeat(np.eye(10, dtype=np.float32)[[1]], len(images), axis=0)

    def refuse(*_: object) -> None:
        raise InferenceError("The network is not asked here.")

    found = manifest_scanner.scan_component_manifests()  # once: each test runner would look through all packages
    with ExitStack() as stack:
        folders = {RUNS_DIR_VARIABLE: str(home.runs), HANDWRITING_DIR_VARIABLE: str(home.handwriting)}
        stack.enter_context(patch.dict("os.environ", folders))
        stack.enter_context(patch.object(manifest_scanner, "scan_component_manifests", lambda *_, **__: found))
        for name, stand_in in (
            ("warm_up", lambda *_: None),
            ("predict", predict),
            ("read", refuse),
            ("look_inside", refuse),
        ):
            stack.enter_context(patch.object(inference, name, stand_in))
        with patch("streamlit.components.v2.component", lambda *_, **__: lambda **_: {}):
            import streamlit_drawable_canvas  # noqa: F401  # it registers its files with a server: there is none here
        yield


def visit(page: str, query: Mapping[str, str]) -> AppTest:
    """Open an address in a new browser tab."""
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=120)
    if page != "home":
        app.switch_page(f"pages/{page}.py")
    for name, text in query.items():
        app.query_params[name] = text
    app.run()
    check(app, page)
    return app


def check(app: AppTest, page: str) -> None:
    """Raise `AssertionError` if a page is not there, shows a traceback, or takes foreign text for its own."""
    assert not app.exception, [f"{each.message} {each.stack_trace}" for each in app.exception]
    assert [title.value for title in app.title] == [TITLES[page]]
    assert not foreign_markup(app)


def problems_told(app: AppTest) -> list[str]:
    """Return what a page says in errors and warnings, as it is read."""
    return [re.sub(r"\\(.)", r"\1", each.value) for each in (*app.error, *app.warning)]


# Markup in foreign text

_markdown = MarkdownIt("commonmark").enable("table")
FOREIGN = re.compile(r"onerror|<script|javascript:|example\.org|foreign\.example", re.IGNORECASE)


def foreign_markup(app: AppTest) -> list[str]:
    """Return what a page would show as links, pictures or HTML of somebody else's; `FOREIGN` tells what that is."""
    pieces: Sequence[Any] = app.get("html")
    found = [html.value for html in pieces if FOREIGN.search(str(html.value))]
    for element in every_element(app):
        proto = element.proto
        if getattr(proto, "allow_html", False) and FOREIGN.search(proto.body):
            found.append(proto.body)
        for text in (getattr(proto, name, "") for name in ("body", "label", "help", "caption", "title", "text")):
            if isinstance(text, str) and element.type != "code" and FOREIGN.search(text):
                found += [target for target in _targets(text) if FOREIGN.search(target)]
    return found


def every_element(app: AppTest) -> list[Any]:
    """Return all elements of a page that show something."""
    return [node for node in app if hasattr(node, "proto")]


def _targets(markdown: str) -> list[str]:
    """Return where links and pictures of a Markdown text point to."""
    targets = []
    for block in _markdown.parse(markdown):
        for token in (block, *(block.children or ())):
            targets += [str(target) for name, target in token.attrs.items() if name in ("href", "src")]
    return targets


# Addresses

_view_names = st.sampled_from([view for views in VIEWS.values() for view in views])
_ids = st.sampled_from(["chollet", "garcia", "fast", RUN_ID, "0" * 20, "0" * 32, "../../etc", "chollet,fast,x"])
_WORDS = (
    "yes no all test train mistakes unsure percent counts neighbours networks insight preparation answer digit "
    "shuffled typical hardest 1,2,3 5-9 0,99999 ٣"
)
_words = st.sampled_from(_WORDS.split())
_whole = st.integers(-3, 12).map(str) | st.integers().map(str) | st.sampled_from(["9999", "10000", "60000", "1e3"])
_values = _view_names | _ids | _words | _whole | hostile_texts | st.text(max_size=30)
_params = st.dictionaries(st.sampled_from([name.value for name in Params if name != Params.VIEW]), _values, max_size=6)
_others = st.dictionaries(st.text(max_size=10) | st.sampled_from(["embed", "EMBED", "_", "page"]), _values, max_size=2)


def _address(place: tuple[str, str], params: dict[str, str], others: dict[str, str]) -> tuple[str, dict[str, str]]:
    page, view = place
    query = {**others, **({Params.VIEW.value: view} if view else {}), **params}
    # A browser sends UTF-8; half a letter cannot be in an address.
    return page, {name: text for name, text in query.items() if _is_unicode(name + text)}


def _is_unicode(text: str) -> bool:
    return text.encode("utf-8", "replace").decode() == text


_places = st.sampled_from([(page, view) for page, views in VIEWS.items() for view in views])
addresses = st.builds(_address, _places, _params, _others | queries_of_settings)


def _answer_address(case: tuple[str, dict[str, str]], home: Home) -> Sequence[str]:
    return problems_told(visit(*case))


# Files and drawings


def _upload(page: str, query: Mapping[str, str], key: str) -> Callable[[bytes, Home], Sequence[str]]:
    """Return a function that hands a file in on a page."""

    def answer(content: bytes, home: Home) -> Sequence[str]:
        app = visit(page, query)
        uploader = next(each for each in app.file_uploader if each.key == key)
        suffix = {"uploaded-set": "jsonl", "uploaded-settings": "json", "photo-file": "png"}[key]
        name = f"{home.elsewhere}/../../evil.{suffix}"
        uploader.set_value((name, content, "application/octet-stream")).run()
        check(app, page)
        told = problems_told(app)
        assert not home.strays()
        home.clear()
        return told

    return answer


def _answer_canvas(told: object, home: Home) -> Sequence[str]:
    import streamlit_drawable_canvas

    with patch.object(streamlit_drawable_canvas, "out", lambda **_: {"drawing": {"raw": told}}):
        app = visit("draw", {})
        app.run()  # once more, with what was told on the canvas before
        check(app, "draw")
    return problems_told(app)


def _answer_run(case: tuple[str, bytes], home: Home) -> Sequence[str]:
    told = []
    with damaged_run(home, *case):
        for page, view in (("train", "watch"), ("train", "compare"), ("explore", "mistakes"), ("explore", "epochs")):
            told += problems_told(visit(page, {"view": view, "run": RUN_ID, "compare": f"{RUN_ID},chollet"}))
    return told


# What a page says of a link may be followed by what it shows instead.
VISITS = (
    CaseKind("addresses of pages", addresses, _answer_address, 4),
    CaseKind("settings as JSON files, handed in", settings_files, _upload("train", {}, "uploaded-settings")),
    CaseKind("drawings, told to the page", canvas_payloads, _answer_canvas),
    CaseKind("picture files, handed in", picture_files, _upload("draw", {"view": "photo"}, "photo-file")),
    CaseKind("class sets, handed in", class_set_files, _upload("explore", {"view": "handwriting"}, "uploaded-set")),
    CaseKind("files of a run, on four views", run_files(), _answer_run, 4),
)
