"""The downloads under way in this process: how many at once, and how long one may wait for its reader."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litestar.types import Send

    from domain.values import Digest

PER_SESSION: Final = 8
"""Download managers open up to eight connections for one file."""
PER_NETWORK: Final = 32
"""A school or an office shares one address."""
IN_ALL: Final = 200
_PATIENCE: Final = timedelta(seconds=60)
# When every place is taken, a reader that took nothing for so long makes room.
_IDLE: Final = timedelta(seconds=10)


class Full(Enum):
    """Which limit leaves no room for one more download."""

    SESSION = "session"
    NETWORK = "network"
    ALL = "all"


class Stalled(Exception):
    """The reader took nothing for too long, or its place was needed for another download."""


@dataclass(slots=True, eq=False)
class Download:
    """One download under way. Leave it when it is over."""

    session: Digest | None
    network: str
    _places: set[Download]
    _patience: float
    _sending: asyncio.Timeout | None = None
    _ended: bool = False

    async def hand_over(self, chunk: bytes, send: Send) -> None:
        """Wait until the server has taken a chunk. Raises Stalled."""
        if self._ended:
            raise Stalled
        try:
            async with asyncio.timeout(self._patience) as self._sending:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError as error:
            raise Stalled from error
        finally:
            self._sending = None

    def waited(self, now: float) -> float:
        """Seconds since the reader took something; 0 while we read from the disk."""
        until = None if self._sending is None else self._sending.when()
        return 0.0 if until is None else now - (until - self._patience)

    def end(self) -> None:
        """Make room: `hand_over` raises Stalled."""
        self.leave()
        self._ended = True
        if self._sending is not None:
            self._sending.reschedule(0)

    def leave(self) -> None:
        """It is over, however it ended."""
        self._places.discard(self)


@dataclass(frozen=True, slots=True)
class Downloads:
    """Admits downloads. When all places are taken, networks share them out among themselves.

    `patience`: how long a reader may take nothing.
    """

    patience: timedelta = _PATIENCE
    _places: set[Download] = field(default_factory=set)

    def begin(self, *, session: Digest | None, network: str, now: float) -> Download | Full:
        """Take a place for one more download, at this time of the event loop."""
        if sum(one.session == session for one in self._places) >= PER_SESSION:
            return Full.SESSION
        of_network = Counter(one.network for one in self._places)
        if of_network[network] >= PER_NETWORK:
            return Full.NETWORK
        if len(self._places) >= IN_ALL and not self._make_room(of_network, network, now):
            return Full.ALL
        download = Download(session, network, self._places, self.patience.total_seconds())
        self._places.add(download)
        return download

    def _make_room(self, of_network: Counter[str], network: str, now: float) -> bool:
        """End the download that has waited longest for its reader, or one of the network that has the most."""
        slowest = max(self._places, key=lambda one: one.waited(now))
        if slowest.waited(now) < _IDLE.total_seconds():
            largest, held = of_network.most_common(1)[0]
            if held <= of_network[network] + 1:
                return False
            of_largest = (one for one in self._places if one.network == largest)
            slowest = max(of_largest, key=lambda one: one.waited(now))
        slowest.end()
        return True
