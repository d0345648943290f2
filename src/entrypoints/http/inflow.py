"""The body of a request on its way in, and what is done with a rest that nobody asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litestar.types import Receive, ReceiveMessage

_MOST: Final = 10_000_000
_SECONDS: Final = 5.0


class Inflow:
    """Passes a body on, and knows whether all of it was taken."""

    __slots__ = ("_begun", "_ended", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._begun = self._ended = False

    async def __call__(self) -> ReceiveMessage:
        """The next piece."""
        self._begun = True
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            self._ended = True
        return message

    async def drain(self, *, asked_first: bool) -> bool:
        """Take in what is left, within bounds; whether nothing is left, so that the connection can be used again.

        A server that closes a connection with unread bytes in it resets it, and the client may lose the answer with
        them. `asked_first`: the client waits to be told to send its body (`Expect: 100-continue`); asking for it
        would have it sent for nothing (RFC 9110 §10.1.1).
        """
        if self._ended:
            return True
        if asked_first and not self._begun:
            return False
        taken = 0
        try:
            async with asyncio.timeout(_SECONDS):
                while not self._ended and taken < _MOST:
                    message = await self()
                    taken += len(message.get("body", b""))  # type: ignore[arg-type]  # a request's message has bytes
        except TimeoutError:
            return False
        return self._ended
