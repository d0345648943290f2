"""The body of a request on its way in: how long it may take, how many at once, and what becomes of an unwanted rest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litestar.exceptions import HTTPException

if TYPE_CHECKING:
    from litestar.types import Receive, ReceiveMessage

_MOST: Final = 10_000_000
_SECONDS: Final = 5.0


@dataclass(slots=True)
class ArrivingBodies:
    """The bodies that are still coming in. A new one is never refused: where too many wait, the oldest makes way.

    An honest body is here within moments, so the oldest is the one that was sent slowly.
    """

    seconds: float = 15.0
    """For a body to arrive in full. The largest that we take is 1 MB."""
    fresh: float = 2.0
    """Seconds that every body has, however many others there are: it may be here, and only not read yet."""
    most_of_peer: int = 32
    most: int = 1_000
    _all: dict[RequestBodies, None] = field(default_factory=dict)
    _of_peer: dict[str, dict[RequestBodies, None]] = field(default_factory=dict)

    def begin(self, inflow: RequestBodies) -> None:
        """One more."""
        theirs = self._of_peer.get(inflow.network, {})
        if len(theirs) >= self.most_of_peer:
            self._hurry(next(iter(theirs)))
        elif len(self._all) >= self.most:
            self._hurry(next(iter(self._all)))
        self._all[inflow] = None
        self._of_peer.setdefault(inflow.network, {})[inflow] = None

    def end(self, inflow: RequestBodies) -> None:
        """It has arrived, or nobody waits for it any more; may be said again."""
        if inflow in self._all:
            del self._all[inflow]
            theirs = self._of_peer[inflow.network]
            del theirs[inflow]
            if not theirs:
                del self._of_peer[inflow.network]

    def _hurry(self, inflow: RequestBodies) -> None:
        self.end(inflow)
        inflow.give_up()


class RequestBodies:
    """Passes a body on, until its deadline, and knows whether all of it was taken."""

    __slots__ = ("_arrivals", "_begun", "_deadline", "_ended", "_receive", "_timer", "network")

    def __init__(self, receive: Receive, *, network: str, arrivals: ArrivingBodies) -> None:
        self.network = network
        self._receive = receive
        self._arrivals = arrivals
        self._begun = self._ended = False
        self._deadline = 0.0
        self._timer: asyncio.Timeout | None = None

    async def __call__(self) -> ReceiveMessage:
        """The next piece. Raises HTTPException (408) if the body does not arrive in time."""
        try:
            return await self._next()
        except TimeoutError as error:
            raise HTTPException(status_code=408) from error

    async def _next(self) -> ReceiveMessage:
        if self._ended:  # whoever asks now wants to know when the client leaves
            return await self._receive()
        if not self._begun:
            self._begun = True
            self._deadline = asyncio.get_running_loop().time() + self._arrivals.seconds
            self._arrivals.begin(self)
        async with asyncio.timeout_at(self._deadline) as self._timer:
            message = await self._receive()
        self._timer = None
        if message["type"] != "http.request" or not message.get("more_body"):
            self._ended = True
            self._arrivals.end(self)
        return message

    def give_up(self) -> None:
        """Make way for another."""
        self._deadline += self._arrivals.fresh - self._arrivals.seconds
        if self._timer is not None and not self._timer.expired():
            self._timer.reschedule(self._deadline)

    def close(self) -> None:
        """The request was answered."""
        self._arrivals.end(self)

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
                    message = await self._next()
                    taken += len(message.get("body", b""))  # type: ignore[arg-type]  # a request's message has bytes
        except TimeoutError:
            return False
        return self._ended
