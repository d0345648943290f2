"""Slow clients: connections that say nothing, half of something, or one byte of a body, while others shop."""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bench.fuzz.report import Outcome
from entrypoints.sandbox.stripe.deliveries import sign

_BODY: Final = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 50"
SAID: Final[dict[str, str]] = {
    "silent": "",
    "half of the HTTP/2 preface": "PRI * HT",
    "half a head": "GET / HTTP/1.1\r\nHost: {host}\r\nX-Half",
    "an answered request": "GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "one byte of a webhook": "POST /webhook HTTP/1.1\r\nHost: {host}\r\nContent-Length: 50\r\n\r\nx",
    "one byte of a form": f"POST /request-login HTTP/1.1\r\nHost: {{host}}\r\n{_BODY}\r\n\r\ne",
    "one byte for a page that is not there": f"POST /nothing HTTP/1.1\r\nHost: {{host}}\r\n{_BODY}\r\n\r\ne",
    "one byte with a GET": f"GET / HTTP/1.1\r\nHost: {{host}}\r\n{_BODY}\r\n\r\ne",
}
"""What each kind of slow client sends before it falls silent."""
_CLOSED_WITHIN: Final = 30.0
HALF_A_HELLO: Final = bytes.fromhex("16030100f8010000f40303")
"""The beginning of a TLS handshake, which says that more than two hundred bytes will follow."""


@dataclass
class SlowClients:
    """Connections that are held open until the server closes them."""

    port: int
    opened: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    """Connections that could not even be made."""
    statuses: Counter[str] = field(default_factory=Counter)
    last_closed: float = 0.0
    """Seconds after the last connection was opened."""
    _waiting: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _began: float = 0.0

    def open(self, number: int, *, kinds: dict[str, bytes], source: str = "127.0.0.1") -> None:
        """So many more, of each kind in turn; fewer if the server cannot be reached any more."""
        names, most_refused = list(kinds), self.refused + 5
        for at in range(number):
            if self.refused >= most_refused:
                return
            name = names[at % len(names)]
            try:
                wire = socket.create_connection(("127.0.0.1", self.port), 2, source_address=(source, 0))
                wire.sendall(kinds[name])
            except OSError:
                self.refused += 1
                continue
            self.keep(wire, name)

    def keep(self, wire: socket.socket, name: str) -> None:
        """One more, made elsewhere."""
        wire.settimeout(0)
        self._waiting.register(wire, selectors.EVENT_READ, name)
        self.opened[name] += 1
        self._began = time.monotonic()

    @property
    def held(self) -> int:
        """Those that the server has not closed yet."""
        return self.opened.total() - self.closed.total()

    def wait(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Note which of them the server closes, until it closed all."""
        deadline = time.monotonic() + seconds
        while self.held and time.monotonic() < deadline and not until():
            for key, _ in self._waiting.select(0.2):
                wire = key.fileobj
                assert isinstance(wire, socket.socket)
                try:
                    got = wire.recv(65536)
                except (BlockingIOError, ssl.SSLWantReadError):
                    continue
                except OSError:
                    got = b""
                if got:
                    self.statuses[f"{key.data}: {got[9:12].decode('latin-1')}"] += got.startswith(b"HTTP/1.1")
                else:
                    self._waiting.unregister(wire)
                    wire.close()
                    self.closed[key.data] += 1
                    self.last_closed = time.monotonic() - self._began

    def left_open(self) -> Counter[str]:
        """Of which kind how many are still open."""
        return self.opened - self.closed

    def leave(self) -> None:
        """Close what is left."""
        for key in list(self._waiting.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._waiting.close()


def kinds_for(port: int) -> dict[str, bytes]:
    """What each kind sends to a shop on a port."""
    return {name: text.format(host=f"localhost:{port}").encode() for name, text in SAID.items()}


def fuzz_slowly(port: int, secret: str, number: int, outcome: Outcome) -> None:
    """Hold so many connections, each kind in turn, while others shop; the server must close them all."""
    allow_files(number + 500)
    slow, customers = SlowClients(port), Customers(port, secret)
    with customers.shopping():
        slow.open(number, kinds=kinds_for(port))
        slow.wait(2 * _CLOSED_WITHIN)
    outcome.requests += slow.opened.total()
    if slow.refused:
        outcome.breaks("slow clients keep others from connecting", f"after {slow.opened.total()}")
    for kind, left in slow.left_open().items():
        outcome.breaks(f"slow clients: {kind}: the connection is held for ever", f"{left} of them")
    if slow.last_closed > _CLOSED_WITHIN:
        outcome.breaks("slow clients are held for too long", f"{slow.last_closed:.1f} s")
    for failure in customers.failed:
        outcome.breaks("slow clients: others are not served", failure)
    told = ", ".join(f"{what} {customers.percentile(what) * 1000:.0f} ms" for what in customers.seconds)
    outcome.notes.append(
        f"{slow.opened.total():,} slow clients, the last closed after {slow.last_closed:.0f} s; meanwhile, p99: {told}"
    )
    slow.leave()


def allow_files(number: int) -> None:
    """Have the system give this process so many open files, if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@dataclass
class Customers:
    """Others, who open the shop and deliver webhooks meanwhile, each on a connection of its own."""

    port: int
    secret: str
    tls: ssl.SSLContext | None = None
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"page": [], "webhook": [], "readyz": []})
    failed: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def shopping(self, *, pause: float = 0.01) -> Iterator[None]:
        """In a thread, until the block ends."""
        over = threading.Event()
        thread = threading.Thread(target=self._go, args=(over, pause))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _go(self, over: threading.Event, pause: float) -> None:
        while not over.wait(pause):
            self.ask_all()

    def ask_all(self) -> None:
        """One page, one webhook, one look at /readyz."""
        host = f"Host: localhost:{self.port}\r\nConnection: close"
        event = b'{"id":"evt_slow","object":"event","type":"unheard.of","created":1,"data":{"object":{}}}'
        head = f"POST /webhook HTTP/1.1\r\n{host}\r\nStripe-Signature: {sign(event, self.secret)}\r\n"
        self._ask("page", f"GET / HTTP/1.1\r\n{host}\r\n\r\n".encode())
        self._ask("webhook", f"{head}Content-Length: {len(event)}\r\n\r\n".encode() + event)
        self._ask("readyz", f"GET /readyz HTTP/1.1\r\n{host}\r\n\r\n".encode())

    def _ask(self, what: str, request: bytes) -> None:
        began = time.monotonic()
        got = b""
        try:
            with self._connect() as wire:
                wire.sendall(request)
                while more := wire.recv(65536):
                    got += more
        except OSError as error:
            self.failed.append(f"{what}: {error!r} after {got[:40]!r}")
        if not got.startswith(b"HTTP/1.1 2"):
            self.failed.append(f"{what}: {got[:40]!r}")
        self.seconds[what].append(time.monotonic() - began)

    def _connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), 10)
        return self.tls.wrap_socket(plain, server_hostname="localhost") if self.tls else plain

    def percentile(self, what: str, share: float = 0.99) -> float:
        """Seconds within which so many of the answers came."""
        found = sorted(self.seconds[what])
        return found[min(len(found) - 1, int(len(found) * share))] if found else float("inf")
