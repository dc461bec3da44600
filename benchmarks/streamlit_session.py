"""One browser tab on a Streamlit server, without the browser: a class of thirty would need thirty Chromiums otherwise.

What Streamlit 1.67 and its front end say to each other, as far as pages need it:

 1. A WebSocket at `/_stcore/stream` carries one protobuf a frame: `BackMsg` to the server, `ForwardMsg` from it.
 2. `rerun_script` asks for a run, with the page, the query of the address, and the state of the widgets that were used.
    A press of a button goes with one request only.
 3. A run begins with `new_session` and ends with `script_finished`; `metadata.run` names it, and the fragments that it
    ran, if it was not the whole page.
 4. A `delta` puts an element or block into its place in the tree, `metadata.delta_path`. What a run did not send again
    is gone at its end; a run of fragments clears only what was theirs.
 5. A widget in a fragment (`delta.fragment_id`) asks for a run of that fragment alone.
 6. The server may set a widget (`set_value`): what the visitor chose before is void then.
 7. Large elements have a hash. Requests name those that the browser keeps, and the server sends `ref_hash` for them.
    They are forgotten after some runs that did not use them.
 8. `auto_rerun` has a fragment run every so many seconds, until the whole page runs or `stop_auto_rerun` comes.
 9. `page_info_changed` replaces the query of the address. Another page begins with a query of its own, and takes along
    only the state of widgets outside the page's script.
10. A component tells its state as a JSON object, and what happened once as a list of events, under an id of its own.
    Scripts of components do not run here; `on_component` may do what they would.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

_FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
_BLOCK = "block"


class SessionError(Exception):
    """Something that a visitor would see as an error: no answer in time, or a lost connection."""


@dataclass(frozen=True, eq=False)
class Shown:
    """An element in its place on the page. `kind` is the name of its message, such as `button`."""

    kind: str
    proto: Any
    fragment_id: str
    run_id: str
    script_hash: str  # of the file that put it there: `app.py` or a page
    moment: float  # when it arrived, by `time.perf_counter`

    @property
    def id(self) -> str:
        """What requests call a widget; empty for others."""
        return getattr(self.proto, "id", "")

    @property
    def label(self) -> str:
        """What stands on it, as far as it has a label."""
        return getattr(self.proto, "label", "")

    @property
    def data(self) -> Any:
        """What a component is given."""
        return json.loads(self.proto.mixed.json if self.proto.WhichOneof("data") == "mixed" else self.proto.json)


@dataclass
class _Cached:
    element: Element
    fragment_id: str
    used: int  # in this run


@dataclass(frozen=True)
class _Finished:
    """The end of a run that was not broken off: when it was, and the fragments that it ran; none: the whole page."""

    begun: int
    moment: float
    fragment_ids: tuple[str, ...]


class Session:
    """A tab. Use it in an `async with` statement; what went wrong on its pages is in `problems`.

    Methods that ask for a run return its seconds, from the request until its end was heard of. They raise
    `SessionError`.
    """

    def __init__(
        self, url: str, on_component: Mapping[str, Callable[[Session, Shown], None]] | None = None, timeout: float = 60
    ) -> None:
        self.query = ""
        self.problems: list[str] = []
        self.updates: list[float] = []  # seconds of runs that a fragment asked for by itself
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._on_component = on_component or {}
        self._timeout = timeout
        self._nodes: dict[tuple[int, ...], Shown] = {}
        self._states: dict[str, WidgetState] = {}
        self._cache: dict[str, _Cached] = {}
        self._runs_cached = 0
        self._page_hash = ""
        self._main_hash = ""
        self._max_age = 2
        self._begun = 0  # runs that began so far
        self._run_id = ""  # of the latest one
        self._first_begun: dict[str, int] = {}  # by their ids
        self._finished: list[_Finished] = []
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._news = asyncio.Event()
        self._lost = ""

    async def __aenter__(self) -> Session:
        self._socket: ClientConnection = await connect(
            self._url,
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            ping_interval=None,  # a browser waits until the server gives up
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stop_timers()
        await self._socket.close()
        await self._reader

    # What a visitor does

    async def open(self, page: str, query: str = "") -> float:
        """Go to a page by its address, such as `explore`: as the first one of this tab, or from the menu."""
        self.query = query
        if not self._page_hash:
            return await self._run(page_name=page)
        link = self.find("page_link", lambda link: link.proto.page == page)
        self._stop_timers()
        common = {each.id for each in self._nodes.values() if each.script_hash == self._main_hash}
        self._states = {key: state for key, state in self._states.items() if key in common}
        return await self._run(page_hash=link.proto.page_script_hash)

    async def press(self, button: Shown) -> float:
        """Press a button."""
        return await self._run(WidgetState(id=button.id, trigger_value=True), fragment_id=button.fragment_id)

    async def choose(self, widget: Shown, *options: str) -> float:
        """Choose from a list, a row of buttons, or write into a text field."""
        state = WidgetState(id=widget.id)
        if widget.kind in ("button_group", "multiselect"):
            state.string_array_value.data.extend(options)
        else:
            state.string_value = options[0]
        self._states[widget.id] = state
        return await self._run(fragment_id=widget.fragment_id)

    async def tell(self, component: Shown, **state: Any) -> float:
        """Let a component tell its state."""
        self._states[component.id] = WidgetState(id=component.id, json_value=json.dumps(state))
        return await self._run(fragment_id=component.fragment_id)

    async def trigger(self, component: Shown, **events: Any) -> float:
        """Let a component tell what happened on it."""
        told = json.dumps([{"event": name, "value": value} for name, value in events.items()])
        state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{component.id}__events", json_trigger_value=told)
        return await self._run(state, fragment_id=component.fragment_id)

    def soon(self, action: Any) -> None:
        """Do something as soon as this message is read: for `on_component`, which cannot wait."""
        task = asyncio.ensure_future(action)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What a visitor sees

    def all(self, kind: str, accept: Callable[[Shown], bool] = lambda shown: True) -> list[Shown]:
        """Return the elements of a kind that are on the page now, in their order."""
        return [self._nodes[path] for path in sorted(self._nodes) if self._is(self._nodes[path], kind, accept)]

    def find(self, kind: str, accept: Callable[[Shown], bool] | str) -> Shown:
        """Return the first element of a kind that is accepted, or has this label, or this key."""
        wanted = accept
        if isinstance(wanted, str):
            found = self.all(kind, lambda shown: shown.label == wanted or shown.id.endswith(f"-{wanted}"))
        else:
            found = self.all(kind, wanted)
        if not found:
            name = accept if isinstance(accept, str) else ""
            raise SessionError(f"There is no {kind} {name} on the page ({self.query or 'no query'}).")
        return found[0]

    def texts(self) -> str:
        """Return all that the page says in plain elements: texts, headings and messages."""
        kinds = ("markdown", "alert", "heading", "text")
        return "\n".join(getattr(shown.proto, "body", "") for kind in kinds for shown in self.all(kind))

    async def until(self, accept: Callable[[], Any], what: str) -> Any:
        """Wait until something is true of the page, looking after each message; return it."""
        deadline = time.perf_counter() + self._timeout
        while not (found := accept()):
            if self._lost:
                raise SessionError(f"The connection was lost: {self._lost}.")
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), deadline - time.perf_counter())
            except TimeoutError:
                raise SessionError(f"No {what} within {self._timeout:.0f} s.") from None
        return found

    # What the front end does

    async def _run(self, trigger: WidgetState | None = None, **request: Any) -> float:
        started = time.perf_counter()
        return (await self._ask(trigger, **request)).moment - started

    async def _ask(
        self,
        trigger: WidgetState | None = None,
        *,
        page_name: str = "",
        page_hash: str = "",
        fragment_id: str = "",
        by_itself: bool = False,
    ) -> _Finished:
        message = BackMsg()
        request = message.rerun_script
        request.query_string = self.query
        request.page_name = page_name
        request.page_script_hash = page_hash or self._page_hash
        request.fragment_id = fragment_id
        request.is_auto_rerun = by_itself
        request.cached_message_hashes.extend(self._cache)
        request.context_info.timezone = "Europe/London"
        request.widget_states.widgets.extend(self._states.values())
        if trigger is not None:
            request.widget_states.widgets.append(trigger)
        begun = self._begun
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            raise SessionError(f"The connection was lost: {error}.") from error
        finished: _Finished = await self.until(lambda: self._answer(begun, fragment_id), "end of a run")
        return finished

    def _answer(self, begun: int, fragment_id: str) -> _Finished | None:
        """Return the first run that began after so many others, did not end early, and ran the page or the fragment."""
        for each in self._finished:
            if each.begun > begun and (not each.fragment_ids or fragment_id in each.fragment_ids):
                return each
        return None

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                message = ForwardMsg()
                message.ParseFromString(frame)
                self._take(message)
                self._news.set()
            self._lost = "closed by the server"
        except ConnectionClosed as error:
            self._lost = str(error)
        except Exception as error:  # a message that a browser could not read, either
            self._lost = f"unreadable message, {error!r}"
        self._stop_timers()
        self._news.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        run = message.metadata.run
        if kind == "new_session":
            self._begin(message)
        elif kind in ("delta", "ref_hash"):
            self._show(message)
        elif kind == "script_finished":
            self._finish(message.script_finished, run.script_run_id, tuple(run.fragment_ids))
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
        elif kind == "page_not_found":
            self.problems.append("page not found")
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment_id in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(fragment_id)
        elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
            self.problems.append(message.session_event.script_compilation_exception.message)

    def _begin(self, message: ForwardMsg) -> None:
        run = message.metadata.run
        self._begun += 1
        self._run_id = run.script_run_id
        self._first_begun[run.script_run_id] = self._begun
        if not run.fragment_ids:
            self._stop_timers()
            self._page_hash = message.new_session.page_script_hash
            self._main_hash = message.new_session.main_script_hash
            self._max_age = message.new_session.config.max_cached_message_age

    def _show(self, message: ForwardMsg) -> None:
        metadata, fragment_id = message.metadata, message.delta.fragment_id
        if message.WhichOneof("type") == "ref_hash":
            cached = self._cache[message.ref_hash]
            cached.used = self._runs_cached
            element, fragment_id = cached.element, cached.fragment_id
        elif message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if metadata.cacheable:
                self._cache[message.hash] = _Cached(element, fragment_id, self._runs_cached)
        elif message.delta.WhichOneof("type") == "add_block":
            element = None
        else:
            return  # shown for a moment, such as a spinner
        kind = _BLOCK if element is None else str(element.WhichOneof("type"))
        proto = message.delta.add_block if element is None else getattr(element, kind)
        shown = Shown(kind, proto, fragment_id, self._run_id, metadata.active_script_hash, time.perf_counter())
        self._nodes[tuple(metadata.delta_path)] = shown
        if kind == "exception":
            self.problems.append(f"{proto.type}: {proto.message}")
        if getattr(proto, "set_value", False):
            self._states.pop(shown.id, None)
        if kind == "bidi_component" and (act := self._on_component.get(proto.component_name)):
            act(self, shown)

    def _finish(self, status: int, run_id: str, fragment_ids: tuple[str, ...]) -> None:
        if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.problems.append("a script did not compile")
        if status not in _FINISHED:
            return  # it was broken off: the next one is on its way
        for path in [path for path in self._nodes if self._is_stale(path, run_id, fragment_ids)]:
            del self._nodes[path]
        there = {shown.id for shown in self._nodes.values()}
        self._states = {key: state for key, state in self._states.items() if key in there}
        self._runs_cached += 1
        for key, cached in list(self._cache.items()):
            concerned = not fragment_ids or cached.fragment_id in fragment_ids
            if concerned and self._runs_cached - cached.used > self._max_age:
                del self._cache[key]
        begun = self._first_begun.pop(run_id, self._begun)
        self._finished = [*self._finished[-9:], _Finished(begun, time.perf_counter(), fragment_ids)]

    def _is_stale(self, path: tuple[int, ...], run_id: str, fragment_ids: tuple[str, ...]) -> bool:
        node = self._nodes[path]
        if node.run_id == run_id:
            return False
        around = [self._nodes.get(path[:length]) for length in range(1, len(path) + 1)]
        return not fragment_ids or any(each is not None and each.fragment_id in fragment_ids for each in around)

    @staticmethod
    def _is(shown: Shown, kind: str, accept: Callable[[Shown], bool]) -> bool:
        return shown.kind == kind and accept(shown)

    def _start_timer(self, fragment_id: str, interval: float) -> None:
        if fragment_id not in self._timers:
            self._timers[fragment_id] = asyncio.create_task(self._update(fragment_id, interval))

    async def _update(self, fragment_id: str, interval: float) -> None:
        """Ask for a run of a fragment again and again; a browser asks whether or not it was answered."""
        while True:
            await asyncio.sleep(interval)
            self.soon(self._note_update(fragment_id))

    async def _note_update(self, fragment_id: str) -> None:
        started = time.perf_counter()
        with suppress(SessionError):  # whoever waits for the page will hear of it
            finished = await self._ask(fragment_id=fragment_id, by_itself=True)
            if finished.fragment_ids:  # else the visitor asked for something else meanwhile
                self.updates.append(finished.moment - started)

    def _stop_timer(self, fragment_id: str) -> None:
        if timer := self._timers.pop(fragment_id, None):
            timer.cancel()

    def _stop_timers(self) -> None:
        for fragment_id in list(self._timers):
            self._stop_timer(fragment_id)
