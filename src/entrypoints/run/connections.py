"""Keep useless connections from filling the server: a deadline, a cap per peer, and eviction of idle ones.

granian 2.8 has a deadline for the head of an HTTP/1.1 request. It has none for a connection that sends nothing, begins
like HTTP/2, or asks for nothing after its TLS handshake, and none for a client that does not read its answer; it
also has no limit per peer. But its connections are open files of this process, so they can be inspected and shut down
from here.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import resource
import socket
import stat
import struct
import sys
import termios
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(
    "coatcheck"
)  # the prefix of entrypoints.run.logs; the stand-in has a listener, too, but no such log lines

MOST: Final = 16_384
"""Connections that one process accepts, if the system allows as many open files."""
_OTHER_FILES: Final = 512
"""Open files reserved for the database, goods, Stripe and mail."""
_FEW_FILES: Final = 2_048
_FILES: Final = "/dev/fd"
_LAST_DATA_SENT: Final = 44
"""Where tcp_info holds the milliseconds since data were last sent (linux/tcp.h, the tenth number after eight bytes)."""
_LONG_ENOUGH: Final = 48
_QUEUED: Final = struct.Struct("i")
_BETWEEN_WARNINGS: Final = 60.0
Client = tuple[str, int]


def room_for_connections() -> int:
    """Raise the limit of open files as far as permitted; return how many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + _OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < _FEW_FILES:
        log.warning(
            "this process may open few files, so a few slow clients can fill it: raise the hard limit (LimitNOFILE=)",
            extra={"fields": {"hard_limit": hard}},
        )
    return max(most - _OTHER_FILES, most // 2)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of connections, most of them for connections without a request under way."""

    seconds: float = 20.0
    """From the connection's start, or the end of its last request, to the next one."""
    patience: float = 60.0
    """Seconds for which a client may take nothing of its answers: all answers of an HTTP/2 connection together."""
    of_peer: int = 100
    """At once, from one IPv4 address or IPv6 /64 that is no trusted proxy."""
    share: float = 0.75
    """Share of all possible connections; beyond it, those idle longest are closed."""
    fresh: float = 2.0
    """Seconds in which no connection is closed: a handshake and a head, or an answer, may be in transit."""
    every: float = 1.0
    """Seconds between two checks."""


@dataclass(slots=True)
class _Seen:
    """One connection."""

    client: Client
    network: str | None
    """None: not counted."""
    since: float
    file: int = -1


@dataclass(slots=True)
class _Busy:
    """The requests under way on one connection."""

    multiplexed: bool
    requests: int = 0
    sending: int = 0
    """Parts of answers that the server cannot buffer, since the client has not taken earlier ones."""
    moved: float = 0.0
    """When the server last took a part, or when the only waiting part began to wait."""

    async def hand_over(self, message: Any, send: Any) -> None:
        """Pass a part of an answer on."""
        if not self.sending:
            self.moved = time.monotonic()
        self.sending += 1
        try:
            await send(message)
        finally:
            self.sending -= 1
            self.moved = time.monotonic()


@dataclass(slots=True)
class Connections:
    """The connections of a port in this process; an ASGI wrapper that knows which are idle."""

    app: Any
    port: int
    most: int
    network_of: Callable[[str], str | None]
    """The name under which connections of an IP address are counted together; None: not counted."""
    limits: Limits = field(default_factory=Limits)
    _busy: dict[Client, _Busy] = field(default_factory=dict)
    _ended: dict[Client, float] = field(default_factory=dict)
    _seen: dict[int, _Seen | None] = field(default_factory=dict)
    """By inode, unique among open sockets; None is a file that is no connection of this port."""
    _warned: float = float("-inf")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on; until it is answered, its connection is left alone."""
        client = scope.get("client")
        if client is None:
            await self.app(scope, receive, send)
            return
        key = (client[0], int(client[1]))  # granian gives the port as a string
        busy = self._busy.setdefault(key, _Busy(multiplexed=scope["http_version"] == "2"))
        busy.requests += 1
        try:
            await self.app(scope, receive, lambda message: busy.hand_over(message, send))
        finally:
            busy.requests -= 1
            if not busy.requests:
                del self._busy[key]
                self._ended[key] = time.monotonic()

    async def watch(self) -> None:
        """Check all connections periodically, until cancelled."""
        while True:
            await asyncio.sleep(self.limits.every)
            with suppress(OSError):  # no file can be opened, not even to list them: retry at the next check
                self.look()

    def look(self) -> int:
        """Shut down idle, stalled and excess connections; return how many."""
        now = time.monotonic()
        found = list(self._open(now))
        clients = {one.client for one in found}
        self._ended = {client: at for client, at in self._ended.items() if client in clients}
        waiting = [one for one in found if one.client not in self._busy]
        for one in waiting:
            one.since = max(one.since, self._ended.get(one.client, one.since))
        waiting.sort(key=lambda one: one.since)
        late = [one for one in waiting if now - one.since >= self.limits.seconds]
        rest = [one for one in waiting[len(late) :] if now - one.since >= self.limits.fresh]
        closed = sum(self._shut(one, taking_within=self.limits.seconds) for one in late)
        closed += sum(self._shut(one, taking_within=within) for one, within in self._stalled(found, now))
        crowding = self._crowding(rest, more=len(found) - closed - int(self.most * self.limits.share))
        crowded_out = sum(self._shut(one, taking_within=self.limits.seconds, queued=True) for one in crowding)
        if crowded_out and now - self._warned > _BETWEEN_WARNINGS:
            self._warned = now
            log.warning("idle connections make way for others", extra={"fields": {"closed": crowded_out}})
        return closed + crowded_out

    def _stalled(self, found: list[_Seen], now: float) -> Iterator[tuple[_Seen, float]]:
        """Connections that seem stalled, each with the seconds within which data must have been sent to it.

        A slow client of HTTP/1.1 takes less than a part, but some is sent to it. In HTTP/2 that proves nothing, because
        a client that reads no answer may be sent replies to its pings.
        """
        for one in found:
            busy = self._busy.get(one.client)
            if busy is not None and busy.sending and now - busy.moved >= self.limits.patience:
                yield one, 0.0 if busy.multiplexed else self.limits.patience

    def _crowding(self, waiting: list[_Seen], *, more: int) -> list[_Seen]:
        """The oldest of each network over its limit, and the oldest of all while the total is over its limit."""
        of_network: dict[str, int] = {}
        for one in waiting:
            if one.network is not None:
                of_network[one.network] = of_network.get(one.network, 0) + 1
        chosen, left = [], []
        for one in waiting:
            if one.network is not None and of_network[one.network] > self.limits.of_peer:
                of_network[one.network] -= 1
                chosen.append(one)
            else:
                left.append(one)
        return chosen + left[: max(0, more - len(chosen))]

    def _open(self, now: float) -> Iterator[_Seen]:
        """The open connections."""
        seen: dict[int, _Seen | None] = {}
        for name in os.listdir(_FILES):  # noqa: PTH208 - strings are all we need of thousands
            number = int(name)
            try:
                found = os.fstat(number)
                if not stat.S_ISSOCK(found.st_mode):
                    continue
                inode = found.st_ino
                one = self._seen[inode] if inode in self._seen else self._identify(number, now)
            except OSError:  # closed meanwhile
                continue
            seen[inode] = one
            if one is not None:
                one.file = number
                yield one
        self._seen = seen

    def _identify(self, number: int, now: float) -> _Seen | None:
        with _copy(number) as copy:
            if copy.family not in (socket.AF_INET, socket.AF_INET6) or copy.type != socket.SOCK_STREAM:
                return None
            if copy.getsockname()[1] != self.port:
                return None
            try:
                host, port = copy.getpeername()[:2]
            except OSError:  # the listening one
                return None
        return _Seen((host, port), self.network_of(host), now)

    def _shut(self, one: _Seen, *, taking_within: float, queued: bool = False) -> bool:
        """Shut a connection down, unless data went out within so many seconds (and, if `queued`, more is waiting)."""
        with suppress(OSError), _copy(one.file) as copy:
            if copy.getpeername()[:2] != one.client:  # closed meanwhile, and its number reused
                return False
            if _is_sending(copy, within=taking_within) and not (queued and _queue(copy) == 0):
                return False
            copy.shutdown(socket.SHUT_RDWR)
            return True
        return False


def _is_sending(copy: socket.socket, *, within: float) -> bool:
    if sys.platform != "linux":
        return False
    info = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LONG_ENOUGH)
    (quiet,) = struct.unpack_from("I", info, _LAST_DATA_SENT)
    return bool(quiet < within * 1000)


def _queue(copy: socket.socket) -> int:
    """Bytes that the client has not taken yet."""
    (queued,) = _QUEUED.unpack(fcntl.ioctl(copy.fileno(), termios.TIOCOUTQ, bytes(_QUEUED.size)))
    return int(queued)


def _copy(number: int) -> socket.socket:
    """A socket to look at and to close without closing the server's own."""
    copied = os.dup(number)
    try:
        return socket.socket(fileno=copied)
    except OSError:  # no longer a socket
        os.close(copied)
        raise
