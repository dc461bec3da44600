"""A line between browser and server that tests can cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


class Line:
    """Passes on all connections to a port of this machine, unless it is cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_cut = False
        self._turns_away = False
        self._open: set[socket.socket] = set()
        self._entrance = socket.create_server((HOST, 0))
        self.url = f"http://{HOST}:{self._entrance.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    @contextmanager
    def cut(self, *, silently: bool = False) -> Iterator[None]:
        """Until the block is left, pass on nothing: turn everybody away, or silently take all and answer nothing."""
        self._is_cut, self._turns_away = True, not silently
        if not silently:
            self._close_all()
        yield
        self._close_all()
        self._is_cut = False

    def close(self) -> None:
        """End it for good."""
        self._entrance.close()
        self._close_all()

    def _close_all(self) -> None:
        for end in list(self._open):
            with suppress(OSError):  # closed by its other side
                end.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with suppress(OSError):  # the entrance is closed
            while True:
                caller, _ = self._entrance.accept()
                if self._is_cut and self._turns_away:
                    caller.close()
                    continue
                server = socket.create_connection((HOST, self._port))
                for ends in ((caller, server), (server, caller)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        self._open.add(source)
        with suppress(OSError), source:
            while data := source.recv(65536):
                if not self._is_cut:
                    sink.sendall(data)
        self._open.discard(source)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
