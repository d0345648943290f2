"""Clients that ask for a file and do not read it, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from testkit.servers import Shopper

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
_END_STREAM, _END_HEADERS = 0x1, 0x4
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4


@dataclass
class Reader:
    """A connection over which one file was asked for."""

    connection: socket.socket

    def head(self) -> str:
        """Status line and headers of the answer."""
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.connection.recv(1)
            assert more, "the connection was closed without an answer"
            got += more
        return got.decode("latin-1").lower()

    def read(self, most: int) -> int:
        """Bytes taken; less than asked for once the connection has ended."""
        taken = 0
        with contextlib.suppress(ConnectionError):
            while taken < most and (got := self.connection.recv(min(most - taken, 1_000_000))):
                taken += len(got)
        return taken

    def leave(self) -> None:
        self.connection.close()


def fields_of(shopper: Shopper) -> dict[str, str]:
    """What a browser with this shopper's cookies sends, through a proxy."""
    cookies = "; ".join(f"{name}={value}" for name, value in shopper.http.cookies.items())
    return {"cookie": cookies, "x-forwarded-for": shopper.address}


def ask(port: int, path: str, fields: Mapping[str, str] = MappingProxyType({})) -> Reader:
    """Ask for a file over HTTP/1.1."""
    connection = _connect(port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{lines}\r\n".encode())
    return Reader(connection)


@dataclass
class Multiplexed:
    """A connection of HTTP/2, whose client allows the server no byte of any body until it calls `allow`."""

    port: int
    settings: dict[int, int] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    taken: Counter[int] = field(default_factory=Counter)
    """Bytes of the body, by stream."""

    def __post_init__(self) -> None:
        self.connection = _connect(self.port)
        self.connection.sendall(
            _PREFACE + _frame(_SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
        )
        self._stream = -1

    def ask(self, path: str, fields: Mapping[str, str] = MappingProxyType({})) -> int:
        """Ask for a file; the number of the stream."""
        self._stream += 2
        pseudo = {":method": "GET", ":scheme": "http", ":path": path, ":authority": f"localhost:{self.port}"}
        block = b"".join(_literal(*pair) for pair in (pseudo | dict(fields)).items())
        self.connection.sendall(_frame(_HEADERS, _END_STREAM | _END_HEADERS, self._stream, block))
        return self._stream

    def allow(self, stream: int, number: int) -> None:
        """Let the server send so many bytes more of a body (RFC 9113 §6.9)."""
        more = struct.pack(">I", number)
        for what in (0, stream):
            self.connection.sendall(_frame(_WINDOW_UPDATE, 0, what, more))

    def take(self, stream: int, number: int) -> bool:
        """Take so many bytes of a body; False if the connection has ended before."""
        wanted = self.taken[stream] + number
        self.allow(stream, number)
        while self.taken[stream] < wanted:
            if not self.hear():
                return False
        return True

    def ping(self) -> None:
        """Ask for a sign of life (RFC 9113 §6.7)."""
        with contextlib.suppress(ConnectionError):
            self.connection.sendall(_frame(_PING, 0, 0, bytes(8)))

    def listen(self, *, answers: int) -> None:
        """Take in frames until so many requests were answered or refused, or the connection has ended."""
        while len(self.answered | self.refused) < answers and self.hear():
            pass

    def hear(self) -> bool:
        """Take in a frame; False once the connection has ended."""
        try:
            head = self._exactly(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            body = self._exactly(int.from_bytes(head[:3], "big"))
        except ConnectionError:
            return False
        if kind == _SETTINGS and not flags:
            self.settings |= dict(struct.iter_unpack(">HI", body))
        elif kind == _DATA:
            self.taken[stream] += len(body)
        elif kind == _HEADERS:
            self.answered.add(stream)
        elif kind == _RST_STREAM:
            self.refused.add(stream)
        return True

    def _exactly(self, number: int) -> bytes:
        got = b""
        while len(got) < number:
            more = self.connection.recv(number - len(got))
            if not more:
                raise ConnectionResetError
            got += more
        return got


@contextlib.contextmanager
def all_closed(*connections: Reader | Multiplexed) -> Iterator[None]:
    """Whatever happens, nothing of them is left."""
    try:
        yield
    finally:
        for one in connections:
            one.connection.close()


def _connect(port: int) -> socket.socket:
    connection = socket.socket()
    # Little of an answer is kept by the system of a client that does not read it; and one that reads a little at a
    # time says so each time, as over a real network, where packets are small.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1_400)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.settimeout(90)
    connection.connect(("127.0.0.1", port))
    return connection


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """RFC 9113 §4.1."""
    return len(body).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + body


def _literal(name: str, value: str) -> bytes:
    """A field as it is, with nothing compressed (RFC 7541 §6.2.2)."""
    return b"\x00" + _string(name.encode()) + _string(value.encode())


def _string(text: bytes) -> bytes:
    """RFC 7541 §5.2; a length in seven bits, or 127 and the rest."""
    assert len(text) < 255
    length = bytes([len(text)]) if len(text) < 127 else bytes([127, len(text) - 127])
    return length + text
