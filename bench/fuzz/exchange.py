"""One request to an ASGI application, handed over as a server does it, and what came back."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import brotli

Header = tuple[bytes, bytes]
Messages = list[MutableMapping[str, Any]]


@dataclass(slots=True)
class Request:
    """What is sent: a target with its query as it stands on the wire, and a body in pieces."""

    method: str
    target: bytes
    headers: list[Header] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    leaves: bool = False
    """The client goes away after its pieces; it had more to say."""
    http_version: str = "1.1"

    def header(self, name: bytes) -> bytes:
        """The first of a name, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    def shown(self) -> str:
        """For a report: enough to send it again, unless it is very long."""
        return (
            f"{self.method[:80]} {_short(self.target)} {[(n, _short(v)) for n, v in self.headers]} "
            f"body {[_short(piece) for piece in self.pieces[:8]]} of {len(self.pieces)} leaves={self.leaves}"
        )


@dataclass(slots=True)
class Answer:
    """What came back: the messages as they were sent, and an exception if one came out."""

    messages: Messages = field(default_factory=list)
    error: BaseException | None = None

    @property
    def status(self) -> int:
        """The first status; 0 if there was none."""
        for message in self.messages:
            if message["type"] == "http.response.start":
                return int(message["status"])
        return 0

    @property
    def headers(self) -> list[Header]:
        """Of the first start."""
        for message in self.messages:
            if message["type"] == "http.response.start":
                return list(message["headers"])
        return []

    def header(self, name: bytes) -> bytes:
        """The first of a name, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    @property
    def content(self) -> bytes:
        """The body as a browser shows it. Raises ValueError and what decoders raise."""
        return decoded(self.body, self.header(b"content-encoding"))

    @property
    def body(self) -> bytes:
        """All pieces, as they were sent."""
        return b"".join(m.get("body", b"") for m in self.messages if m["type"] == "http.response.body")


@lru_cache(maxsize=64)
def decoded(body: bytes, coding: bytes) -> bytes:
    """What a browser makes of a body in a Content-Encoding. Raises ValueError for one that it would not know."""
    match coding:
        case b"":
            return body
        case b"gzip":
            return gzip.decompress(body)
        case b"br":
            return bytes(brotli.decompress(body))
        case _:
            raise ValueError(f"a coding that nobody knows: {coding!r}")


async def ask(app: Any, request: Request) -> Answer:
    """Send it. An exception that comes out of the application is kept, not raised."""
    answer, waiting = Answer(), list(reversed(request.pieces))
    ended = False

    async def receive() -> dict[str, Any]:
        nonlocal ended
        if waiting:
            piece = waiting.pop()
            return {"type": "http.request", "body": piece, "more_body": bool(waiting) or request.leaves}
        if request.leaves:
            return {"type": "http.disconnect"}
        if not ended:
            ended = True
            if not request.pieces:
                return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.get_running_loop().create_future()  # the client listens, and says nothing more
        raise AssertionError("unreachable")

    async def send(message: MutableMapping[str, Any]) -> None:
        answer.messages.append(message)

    path, _, query = request.target.partition(b"?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": request.http_version, "method": request.method,
        "scheme": "http", "path": unquote_to_bytes(path).decode("utf-8", "replace"), "raw_path": path,
        "query_string": query, "root_path": "", "headers": request.headers, "state": {},
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    try:
        await app(scope, receive, send)
    except Exception as error:
        answer.error = error
    return answer


def _short(text: bytes) -> str:
    return repr(text if len(text) <= 300 else text[:200] + b"..." + str(len(text)).encode() + b" bytes")
