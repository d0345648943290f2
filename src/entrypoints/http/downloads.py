"""The active downloads of this process: limits, and which download ends to make room for another."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from domain.limits import networks_around

if TYPE_CHECKING:
    from litestar.types import Send

    from domain.values import Digest

PER_SESSION: Final = 8
"""Download managers open up to eight connections for one file."""
PER_NETWORK: Final = 32
"""Schools and offices share one address."""
IN_ALL: Final = 200
OF_SAMPLES: Final = IN_ALL // 2
"""The other half is for customers."""
IN_A_SITE: Final = IN_ALL // 2
"""For one IPv4 /24 or IPv6 /48, which a single party may hold entirely."""
_PATIENCE: Final = 30.0
_MOST_WAITING: Final = 500
# At capacity, a reader that took nothing for so long is ended to make room. (After a minute without progress, the
# connection is closed: entrypoints.run.connections.)
_IDLE: Final = 10.0


class Full(Enum):
    """Which limit leaves no room for one more download."""

    SESSION = "session"
    NETWORK = "network"
    ALL = "all"


class MadeRoom(Exception):
    """The place was needed for another download."""


@dataclass(slots=True, eq=False)
class Download:
    """One active download. Call `leave` when it is over."""

    session: Digest | None
    networks: tuple[tuple[str, int], ...]
    """Of the reader, from the narrowest to the widest, as domain.limits.networks_around gives them."""
    _places: set[Download]
    _freed: asyncio.Event
    _sending: asyncio.Timeout | None = None
    _since: float = 0.0
    _ended: bool = False

    async def hand_over(self, chunk: bytes, send: Send) -> None:
        """Wait until the server has taken a chunk. Raises MadeRoom."""
        if self._ended:
            raise MadeRoom
        self._since = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(None) as self._sending:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError as error:
            raise MadeRoom from error
        finally:
            self._sending = None

    def waited(self, now: float) -> float:
        """Seconds since the reader last took data; 0 while the shop reads from disk."""
        return 0.0 if self._sending is None else now - self._since

    def make_room(self) -> None:
        """End it: `hand_over` raises MadeRoom."""
        self.leave()
        self._ended = True
        if self._sending is not None:
            self._sending.reschedule(0)

    def leave(self) -> None:
        """Free the place, however the download ended."""
        self._places.discard(self)
        self._freed.set()


@dataclass(frozen=True, slots=True)
class Downloads:
    """Admits downloads. At capacity, the places are shared out between networks. `patience`: seconds of `wait`."""

    patience: float = _PATIENCE
    _places: set[Download] = field(default_factory=set)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a place becomes free, for those that wait."""
    _waiting: set[object] = field(default_factory=set)

    def begin(self, *, session: Digest | None, network: str, now: float) -> Download | Full:
        """Take a place for one more download, at this time of the event loop. `session`: None for a sample."""
        alike = sum(one.session == session for one in self._places)
        if session is None and alike >= OF_SAMPLES:
            return Full.ALL
        if session is not None and alike >= PER_SESSION:
            return Full.SESSION
        networks = networks_around(network)
        held = Counter(name for one in self._places for name, _ in one.networks)
        if any(held[name] >= min(PER_NETWORK * times, IN_A_SITE) for name, times in networks):
            return Full.NETWORK
        download = Download(session, networks, self._places, self._freed)
        if len(self._places) >= IN_ALL and not self._make_room(download, held, now):
            return Full.ALL
        self._places.add(download)
        return download

    async def wait(self, *, session: Digest | None, network: str) -> Download | Full:
        """Like `begin`, but wait a while for a place: over HTTP/2 a page asks for all its pictures at once."""
        loop = asyncio.get_running_loop()
        patience = asyncio.timeout(self.patience)
        with suppress(TimeoutError):
            async with patience:
                while True:
                    self._freed.clear()
                    begun = self.begin(session=session, network=network, now=loop.time())
                    if not isinstance(begun, Full) or len(self._waiting) >= _MOST_WAITING:
                        return begun
                    self._waiting.add(patience)
                    try:
                        await self._freed.wait()
                    finally:
                        self._waiting.discard(patience)
        return begun

    def _make_room(self, coming: Download, held: Counter[str], now: float) -> bool:
        """End the download that has waited longest for its reader, or one of the widest network that has the most."""
        slowest = max(self._places, key=lambda one: one.waited(now))
        if slowest.waited(now) < _IDLE:
            slowest = max(
                self._places,
                key=lambda one: (*(held[name] for name, _ in reversed(one.networks)), one.waited(now)),
            )
            if held[slowest.networks[-1][0]] <= held[coming.networks[-1][0]] + 1:
                return False
        slowest.make_room()
        return True
