"""Request bodies: limits of size and time, and the fields of a form."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from litestar.exceptions import ClientException, HTTPException

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, ReceiveMessage

    from entrypoints.http.page import AnyRequest


_LARGEST_FORM: Final = 16_384
_MOST_FIELDS: Final = 20
_MOST_DIGITS: Final = 18


async def read_body(scope: HTTPScope, receive: Receive, *, most: int) -> bytes:
    """The body, as it comes from the server: nearly always in one piece. Raises HTTPException (413, 400).

    Read here and not by Litestar, whose own reader treats a disconnected client as a server error.
    """
    if _announced(scope) > most:
        raise HTTPException(status_code=413)
    message = await receive()
    first: bytes = message.get("body", b"")  # type: ignore[assignment]  # a request's message has bytes
    if message["type"] == "http.request" and not message.get("more_body") and len(first) <= most:
        return first
    body = bytearray(first)
    while message.get("more_body") and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")  # type: ignore[arg-type]  # as above
    if message["type"] == "http.disconnect":
        raise ClientException("the client went away")
    if len(body) > most:
        raise HTTPException(status_code=413)
    return bytes(body)


def _announced(scope: HTTPScope) -> int:
    """The declared Content-Length; 0 if there is none. The server counts the received bytes in any case."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) <= _MOST_DIGITS else 0
    return 0


async def fields_of(request: AnyRequest, *, most: int = _MOST_FIELDS) -> list[tuple[str, str]]:
    """Names and values of an urlencoded form. Raises HTTPException (413, 400)."""
    body = await read_body(request.scope, request.receive, most=_LARGEST_FORM)
    if not body:
        return []
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise ClientException("not a form of ours")
    return parsed_fields(body, most=most)


def parsed_fields(encoded: bytes, *, most: int) -> list[tuple[str, str]]:
    """Names and values of a form or a query. Raises HTTPException (400)."""
    try:
        return parse_qsl(encoded.decode(), keep_blank_values=True, max_num_fields=most, errors="strict")
    except ValueError as error:
        raise ClientException("not a form of ours") from error


async def form_of(request: AnyRequest, *, most_fields: int = _MOST_FIELDS) -> dict[str, str]:
    """The fields of an urlencoded form; only the first of each name. Raises HTTPException (413, 400)."""
    fields: dict[str, str] = {}
    for name, value in await fields_of(request, most=most_fields):
        fields.setdefault(name, value)
    return fields


async def field_of(request: AnyRequest, name: str) -> str:
    """One field; "" if it is not there."""
    return (await form_of(request)).get(name, "")


_MOST: Final = 10_000_000
_SECONDS: Final = 5.0
_LOOKS_EVERY: Final = 0.5


@dataclass(slots=True)
class ArrivingBodies:
    """The bodies still arriving. A new one is never refused: beyond the limit, the oldest is dropped.

    An honest body arrives within moments, so the oldest is a slow sender's.
    """

    seconds: float = 15.0
    """Time for a body to arrive in full. The largest accepted body is 1 MB."""
    fresh: float = 2.0
    """Seconds that every body is kept, whatever the load: it may have arrived but not been read yet."""
    most_of_peer: int = 32
    most: int = 1_000
    _all: dict[RequestBodies, None] = field(default_factory=dict)
    """Oldest first."""
    _of_peer: dict[str, dict[RequestBodies, None]] = field(default_factory=dict)
    _watched: bool = False

    def begin(self, body: RequestBodies) -> None:
        """Add a body."""
        theirs = self._of_peer.get(body.network, {})
        if len(theirs) >= self.most_of_peer:
            self._hurry(next(iter(theirs)))
        elif len(self._all) >= self.most:
            self._hurry(next(iter(self._all)))
        self._all[body] = None
        self._of_peer.setdefault(body.network, {})[body] = None
        if not self._watched:
            self._watch(asyncio.get_running_loop())

    def end(self, body: RequestBodies) -> None:
        """Remove a body that has arrived or is no longer awaited; idempotent."""
        if body in self._all:
            del self._all[body]
            theirs = self._of_peer[body.network]
            del theirs[body]
            if not theirs:
                del self._of_peer[body.network]

    def _hurry(self, body: RequestBodies) -> None:
        self.end(body)
        loop = asyncio.get_running_loop()
        loop.call_at(body.began_at + self.fresh, body.give_up)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Check for late bodies periodically: a timer for each body would cost more than the body."""
        overdue = loop.time() - self.seconds
        for body in [body for body in self._all if body.began_at <= overdue]:
            self.end(body)
            body.give_up()
        self._watched = bool(self._all)
        if self._watched:
            loop.call_later(_LOOKS_EVERY, self._watch, loop)


class RequestBodies:
    """Passes a body on until it is late, and records whether it was read in full."""

    __slots__ = ("_arrivals", "_late", "_receive", "_waiting", "began_at", "ended", "network")

    def __init__(self, receive: Receive, *, network: str, arrivals: ArrivingBodies) -> None:
        self.network = network
        self.began_at = 0.0
        """When the body was first requested, by the loop's clock; 0 before that."""
        self.ended = False
        """Whether the body was read in full."""
        self._receive = receive
        self._arrivals = arrivals
        self._late = False
        self._waiting: asyncio.Task[Any] | None = None

    async def __call__(self) -> ReceiveMessage:
        """The next message. Raises HTTPException (408) if the body does not arrive in time."""
        if self.ended:  # a caller that asks now waits for the client's disconnect
            return await self._receive()
        if not self.began_at:
            self.began_at = asyncio.get_running_loop().time()
            self._arrivals.begin(self)
        self._waiting = asyncio.current_task()
        try:
            if self._late:
                raise HTTPException(status_code=408)
            message = await self._receive()
        except asyncio.CancelledError:
            # As in asyncio.timeout: the body was given up, and nothing else cancelled the task.
            if self._late and self._waiting is not None and self._waiting.uncancel() == 0:
                raise HTTPException(status_code=408) from None
            raise
        finally:
            self._waiting = None
        if message["type"] != "http.request" or not message.get("more_body"):
            self.ended = True
            self._arrivals.end(self)
        return message

    def give_up(self) -> None:
        """Stop waiting for the body."""
        self._late = True
        if self._waiting is not None:
            self._waiting.cancel()

    def close(self) -> None:
        """The request was answered."""
        self._arrivals.end(self)

    async def drain(self, *, asked_first: bool) -> bool:
        """Read the rest, within bounds; return whether nothing is left, so that the connection can be reused.

        A server that closes a connection with unread bytes in it resets it, and the client may lose the answer with
        them. `asked_first`: the client waits for a 100 before it sends its body (`Expect: 100-continue`); reading
        would make it upload in vain (RFC 9110 §10.1.1).
        """
        if self.ended:
            return True
        if asked_first and not self.began_at:
            return False
        taken = 0
        try:
            async with asyncio.timeout(_SECONDS):
                while not self.ended and taken < _MOST:
                    message = await self()
                    taken += len(message.get("body", b""))  # type: ignore[arg-type]  # a request's message has bytes
        except (TimeoutError, HTTPException):
            return False
        return self.ended
