"""The sessions without a browser that `benchmarks/classroom.py` loads a server with: pages answer as they should."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.streamlit_session import Session
from benchmarks.student import Records, Student
from tests.support.serving import Server


def tiles(tab: Session) -> list[dict[str, object]]:
    found: list[dict[str, object]] = tab.find("bidi_component", "grid-digits").data["tiles"]
    return found


def in_another_thread(visit: Coroutine[None, None, None]) -> None:
    """Where no event loop of Playwright runs."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, visit).result()


@pytest.mark.parametrize(
    ("path", "title"),
    [("", "Digit Lab"), ("train", "Train a network"), ("explore", "Explore the digits"), ("draw", "Draw a digit")],
)
def test_any_page_can_be_the_first_request(fresh_server: Server, path: str, title: str) -> None:
    async def visit() -> None:
        async with Session(fresh_server.url) as tab:
            await tab.open(path)
            assert [shown.proto.body for shown in tab.all("heading") if shown.proto.tag == "h1"] == [title]
            assert [link.label for link in tab.all("page_link")][-4:] == ["Home", "Train", "Explore", "Draw"]
            assert not tab.problems

    in_another_thread(visit())


def test_two_at_once_each_get_what_they_asked_for(server: Server) -> None:
    records = Records()

    async def browse() -> None:
        async with Session(server.url) as tab:
            await tab.open("explore")
            assert [tile["index"] for tile in tiles(tab)] == list(range(100))
            await tab.choose(tab.find("button_group", "Digit"), "3")
            assert len(tiles(tab)) == 100
            assert all(re.search("labelled 3$", str(tile["label"]).partition("\n")[0]) for tile in tiles(tab))
            first = tiles(tab)
            await tab.press(tab.find("button", "Next"))
            assert not {tile["index"] for tile in first} & {tile["index"] for tile in tiles(tab)}
            await tab.press(tab.find("button", "Previous"))  # the server does not send large elements twice
            assert tiles(tab) == first
            await tab.open("train")
            assert "digit=3" not in tab.query
            assert tab.find("button", "train").label == "Train"
            assert not tab.all("bidi_component", lambda shown: shown.id.endswith("grid-digits"))
            assert not tab.problems

    async def draw() -> None:
        student = Student(1, server.url, records, pause=0)
        async with student.tab as tab:
            await tab.open("draw")
            assert await student.draw(1) == "1"
            assert not tab.problems

    async def both() -> None:
        await asyncio.gather(browse(), draw())

    in_another_thread(both())
    assert not records.problems


def test_a_busy_browser_does_not_throw_back_who_starts_a_run(server: Server) -> None:
    async def train() -> None:
        async with Session(server.url) as tab:
            await tab.open("train", "preset=tiny&epochs=1&train_size=200")
            before = tab.find("button_group", "View")
            await tab.press(tab.find("button", "train"))
            assert "view=watch" in tab.query
            await tab.choose(before, "Set up")
            assert "view=watch" in tab.query
            await tab.choose(tab.find("button_group", "View"), "Set up")
            assert "view=setup" in tab.query
            assert not tab.problems

    in_another_thread(train())
