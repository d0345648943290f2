"""How a server leaves: nobody who was connected loses a request."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from testkit.servers import ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.long


@pytest.fixture
def leaving(tmp_path: Path) -> Iterator[ShopServer]:
    with a_shop(tmp_path) as shop:
        yield shop


class Line:
    """One connection, byte by byte."""

    def __init__(self, shop: ShopServer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", shop.port), timeout=60)
        self._host = f"Host: localhost:{shop.port}"

    def get(self, path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\n{self._host}\r\n\r\n".encode()

    def form(self, path: str, body: str) -> bytes:
        lines = (
            f"POST {path} HTTP/1.1",
            self._host,
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def say(self, told: bytes) -> None:
        self._socket.sendall(told)

    def hear(self) -> str:
        """The head of the next answer; its short body is thrown away."""
        got = b""
        while b"\r\n\r\n" not in got:
            more = self._socket.recv(65536)
            assert more, "the connection was closed without an answer"
            got += more
        return got.partition(b"\r\n\r\n")[0].decode().lower()

    def leave(self) -> None:
        self._socket.close()

    @property
    def is_over(self) -> bool:
        return self._socket.recv(65536) == b""


Connect = Callable[[], Line]


@pytest.fixture
def connect(leaving: ShopServer) -> Iterator[Connect]:
    made: list[Line] = []

    def one() -> Line:
        made.append(Line(leaving))
        return made[-1]

    yield one
    for line in made:
        line.leave()


def _tell(shop: ShopServer, number: int = signal.SIGTERM) -> None:
    assert shop.process.child is not None
    shop.process.child.send_signal(number)
    wait_until(lambda: _hears_no_more(shop) if number == signal.SIGINT else _says_so(shop))


def _says_so(shop: ShopServer) -> bool:
    return httpx.get(f"{shop.url}/readyz").status_code == 503


def _hears_no_more(shop: ShopServer) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", shop.port)) == errno.ECONNREFUSED


def test_who_keeps_a_connection_is_told_to_leave_it_while_there_is_time(
    leaving: ShopServer, connect: Connect
) -> None:
    """A connection closed in silence may be closed just when the next request is on its way: that one is reset."""
    kept = connect()
    kept.say(kept.get("/healthz"))
    assert "connection: close" not in kept.hear()
    _tell(leaving)
    kept.say(kept.get("/healthz"))
    answer = kept.hear()
    assert answer.startswith("http/1.1 200")
    assert "connection: close" in answer
    assert kept.is_over


@pytest.mark.parametrize("first", [0, 10, 60, -3], ids=["nothing", "half a head", "a head", "half a body"])
def test_a_request_of_which_a_part_has_come_is_answered(
    leaving: ShopServer, connect: Connect, first: int
) -> None:
    """Even when all of the five seconds pass meanwhile; of which nothing has come may go elsewhere."""
    line = connect()
    told = line.form("/request-login", "email=anna%40example.com")
    line.say(told[:first])
    _tell(leaving, signal.SIGTERM if first == 0 else signal.SIGINT)
    line.say(told[first:])
    answer = line.hear()
    assert answer.startswith("http/1.1 200")
    assert "connection: close" in answer
    assert leaving.process.child is not None
    assert leaving.process.child.wait(60) == 0


def test_a_new_connection_is_refused_once_the_listener_is_closed_and_not_reset(
    leaving: ShopServer, connect: Connect
) -> None:
    """A proxy may go elsewhere with what was refused; with what was reset, it must not."""
    slow = connect()
    told = slow.form("/request-login", "email=anna%40example.com")
    slow.say(told[:-3])
    _tell(leaving, signal.SIGINT)
    with pytest.raises(ConnectionRefusedError):
        connect()
    slow.say(told[-3:])
    assert slow.hear().startswith("http/1.1 200")
