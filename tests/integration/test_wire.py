"""What goes over the connection itself: bodies that are too large or break off, and addresses without an end."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from entrypoints.http.request_body import read_body
from testkit.servers import ShopServer, a_shop
from testkit.stepping import run


class Line:
    """One connection, byte by byte."""

    def __init__(self, shop: ShopServer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", shop.port), timeout=60)
        self._host = f"Host: localhost:{shop.port}\r\n".encode()

    def say(self, head: str, body: bytes = b"") -> None:
        first, _, rest = head.partition("\n")
        lines = [line.strip() for line in rest.splitlines() if line.strip()]
        told = "".join(f"{line}\r\n" for line in lines).encode()
        self._socket.sendall(first.strip().encode() + b" HTTP/1.1\r\n" + self._host + told + b"\r\n" + body)

    def hear(self) -> tuple[int, str, bytes]:
        """The next answer, complete: status, head and body."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, body = got.partition(b"\r\n\r\n")
        told = head.decode("latin-1").lower()
        length = (
            int(told.partition("content-length: ")[2].partition("\r\n")[0]) if " 100 " not in told[:14] else 0
        )
        while len(body) < length:
            body += self._more()
        return int(told[9:12]), told, body

    def _more(self) -> bytes:
        found = self._socket.recv(65536)
        assert found, "the connection was closed before the answer was complete"
        return found

    def leave(self) -> None:
        self._socket.close()

    @property
    def is_over(self) -> bool:
        return self._socket.recv(1) == b""


@pytest.fixture
def line(shop: ShopServer) -> Iterator[Line]:
    made = Line(shop)
    yield made
    made.leave()


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/webhook", 2_000_000, 413), ("/request-login", 2_000_000, 413), ("/nothing", 2_000_000, 404), ("/logout", 500_000, 303)],
)  # fmt: skip
def test_a_body_that_nobody_wants_is_swallowed_and_the_connection_goes_on(
    line: Line, path: str, size: int, status: int
) -> None:
    """Closing with unread bytes would reset the connection, and the client could lose the answer with them."""
    line.say(f"POST {path}\nContent-Length: {size}", b"x" * size)
    assert line.hear()[0] == status
    line.say("GET /healthz")
    assert line.hear()[0] == 200


def test_a_body_without_end_is_answered_in_full_and_the_connection_closed(line: Line) -> None:
    line.say("POST /webhook\nTransfer-Encoding: chunked")
    with pytest.raises(OSError):  # noqa: PT012 - the server may close at any of them
        for _ in range(400):
            line._socket.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        line._socket.sendall(b"no chunk\r\n")
        line._socket.recv(1, socket.MSG_PEEK)
        raise ConnectionError
    status, head, body = line.hear()
    assert status == 413
    assert "connection: close" in head
    assert b"That is too much" in body


def test_who_waits_to_be_asked_is_told_before_sending_too_much(line: Line) -> None:
    """RFC 9110 §10.1.1: no "100 Continue" for a body that is refused anyway."""
    line.say("POST /webhook\nExpect: 100-continue\nContent-Length: 5000000")
    status, head, _ = line.hear()
    assert status == 413
    assert "connection: close" in head
    assert line.is_over


def test_a_client_that_leaves_in_the_middle_of_a_form_is_no_fault_of_the_shop(tmp_path: Any) -> None:
    with a_shop(tmp_path) as shop:
        for path in ("/request-login", "/login", "/buy/the-last-cloakroom", "/webhook", "/nothing"):
            line = Line(shop)
            line.say(
                f"POST {path}\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 50",
                b"email=a",
            )
            time.sleep(0.1)
            line.leave()
        lines = shop.log_lines
        assert not [one for one in lines if one["level"] == "error"]
        assert not [one for one in lines if one.get("status", 0) >= 500]


@pytest.mark.parametrize(
    "target", ["/view/" + "a" * 1000, "/view/x?session_id=" + "a" * 7000, "/?" + "&" * 30_000]
)
def test_an_address_longer_than_any_of_ours_is_refused_before_anybody_remembers_it(
    line: Line, target: str
) -> None:
    """Litestar keeps the last thousand paths and queries: a thousand of 30 KB each would be most of the memory.

    The server itself refuses heads of more than 32 KB with 431.
    """
    line.say(f"GET {target}")
    assert line.hear()[0] == 414


@pytest.mark.parametrize("first", [True, False])
def test_a_request_with_two_hosts_is_refused(shop: ShopServer, first: bool) -> None:
    """RFC 9112 §3.2: what stands between us might go by the other one."""
    line = Line(shop)
    other = "Host: evil.example"
    line._host = (f"{other}\r\n".encode() + line._host) if first else (line._host + f"{other}\r\n".encode())
    line.say("GET /")
    assert line.hear()[0] == 400
    line.leave()


def test_a_body_in_a_million_pieces_is_put_together_in_one_go() -> None:
    """Each piece added to a copy of all before it would hold the loop, and this test, for a minute."""
    pieces = iter(range(999_999, -1, -1))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x", "more_body": next(pieces) > 0}

    scope = cast("Any", {"headers": []})
    assert len(run(read_body(scope, cast("Any", receive), most=1_000_000))) == 1_000_000
