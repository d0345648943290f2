"""A line to PostgreSQL that breaks when it is told to: at a word that is sent, or at the answer to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_STARTUP_CODES = 80_877_100
"""Requests for TLS, GSSAPI and cancellation have codes above it, and a startup message follows them."""


@dataclass
class _Frontend:
    """The messages that a client sends, told apart however they are cut into pieces.

    Execute, Sync, Flush and Query: https://www.postgresql.org/docs/15/protocol-message-formats.html
    """

    buffer: bytes = b""
    started: bool = False
    asked: bool = False
    """Something was to be run since the last wait."""
    waits: int | None = None
    """Since the last BEGIN; None before the first: a pool prepares its connections whenever it likes."""

    def read(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head = 5 if self.started else 8
            if len(self.buffer) < head:
                return
            size = (
                int.from_bytes(self.buffer[1:5], "big") + 1
                if self.started
                else int.from_bytes(self.buffer[:4], "big")
            )
            if len(self.buffer) < size:
                return
            if self.started:
                self._count(self.buffer[0], self.buffer[5:size])
            else:
                self.started = int.from_bytes(self.buffer[4:8], "big") < _STARTUP_CODES
            self.buffer = self.buffer[size:]

    def _count(self, kind: int, text: bytes) -> None:
        """A Flush right after a Sync is no second wait."""
        if b"BEGIN ISOLATION" in text:
            self.waits = 0
        waits = kind in b"Q" or (kind in b"SH" and self.asked)
        self.asked = kind in b"E" or (self.asked and not waits)
        if self.waits is not None:
            self.waits += waits


@dataclass
class CuttingProxy:
    """Stands between the shop and its server, and looks for a word in what the shop sends."""

    server_port: int
    word: bytes = b""
    before: bool = True
    """Cut before the word reaches the server; else when the server has answered it, before the answer comes back."""
    cuts_left: int = 0
    cuts: int = 0
    waits: int = 0
    """How often the last transaction asked for the answers so far (Sync, Flush, or a simple query): round trips."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._threads.append(self._begin(self._accept))

    def cut(self, word: str, *, before: bool, times: int = 1) -> None:
        self.word, self.before, self.cuts_left, self.cuts = word.encode(), before, times, 0

    def close(self) -> None:
        """After the store, which hangs up first."""
        _hang_up(self._listening)
        for thread in self._threads:
            thread.join(5)
        self._listening.close()

    def _begin(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._threads.append(self._begin(self._carry, client))

    def _carry(self, client: socket.socket) -> None:
        doomed = threading.Event()
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            up = self._begin(self._up, client, server, doomed)
            self._down(client, server, doomed)
            up.join()

    def _is_due(self, data: bytes) -> bool:
        with self._lock:
            if not self.cuts_left or self.word not in data:
                return False
            self.cuts_left -= 1
            self.cuts += 1
            return True

    def _up(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        asking = _Frontend()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                asking.read(data)
                if asking.waits is not None:
                    self.waits = asking.waits
                if self._is_due(data):
                    if self.before:
                        break
                    doomed.set()
                server.sendall(data)
        _hang_up(client, server)

    def _down(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if doomed.is_set():
                    break
                client.sendall(data)
        _hang_up(client, server)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
