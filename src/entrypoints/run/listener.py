"""Listen on an address: one ASGI application in this process and loop, until stopped."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]  # as granian passes it to its own workers
from granian.server.embed import Server

from entrypoints.run.connections import Connections, Limits, room_for_connections

if TYPE_CHECKING:
    from collections.abc import Callable

_DRAIN: Final = 10.0
_BACKLOG: Final = 1024
_UP_WITHIN: Final = 10.0
# The server's buffer for one unread answer, beside the chunks under way. A request's head fits, too.
_BUFFER: Final = 32 * 1024
_STREAMS: Final = 24
# The system buffers so many unsent bytes for a connection (by default up to 4 MB), and closes one whose peer has taken
# nothing for a minute. Connections inherit both from the listening socket. https://man7.org/linux/man-pages/man7/tcp.7.html
_UNSENT: Final = 128 * 1024
_UNTAKEN_FOR_MS: Final = 60_000
# Otherwise granian's own configuration closes all existing log handlers, including the shop's.
_LEAVE_LOGGING_ALONE: Final[dict[str, Any]] = {
    "incremental": True,
    "handlers": {},
    "formatters": {},
    "loggers": {},
}


class CannotListen(Exception):
    """The address cannot be listened on; the message gives the fix."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; with certificate and key, for TLS (1.2 or newer)."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    inherited: int | None = None
    """A socket that listens there already, inherited from the parent process."""

    def listen(self) -> socket.socket:
        """A socket that listens there, for processes to inherit. Raises CannotListen."""
        host = _resolved(self)
        _check_free(self, host)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        both = family is socket.AF_INET6  # otherwise `::` accepts no IPv4
        listening = socket.create_server(
            (host, self.port), family=family, backlog=_BACKLOG, dualstack_ipv6=both
        )
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN_FOR_MS)
        listening.setblocking(False)
        return listening


class _Server(Server):
    """granian's server, on a socket that already listens."""

    listening: int

    def _init_shared_socket(self) -> None:
        of_unix = False
        self._shd: Any = SocketHolder(self.listening, of_unix, _BACKLOG)  # type: ignore[call-arg]  # as it is built


@dataclass(slots=True)
class Listener:
    """One ASGI application on one address, in this process and loop."""

    app: Any
    address: Address
    network_of: Callable[[str], str | None] = lambda _: None
    """The name under which connections of an IP address are counted together; None: not counted."""
    limits: Limits = field(default_factory=Limits)

    async def run(self, *, until: asyncio.Event, when_up: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped, then finish the requests under way. Raises CannotListen."""
        host = _resolved(self.address)
        listening = self.address.inherited
        if listening is None:
            listening = self.address.listen().detach()
        most = room_for_connections()
        connections = Connections(self.app, self.address.port, most, self.network_of, self.limits)
        server = _Server(
            connections,
            address=host,
            port=self.address.port,
            interface=Interfaces.ASGI,
            log_enabled=False,
            log_dictconfig=_LEAVE_LOGGING_ALONE,
            websockets=False,
            http2_settings=HTTP2Settings(
                max_concurrent_streams=_STREAMS, max_headers_size=_BUFFER, max_send_buffer_size=_BUFFER
            ),
            backlog=_BACKLOG,
            backpressure=most,
            # For the head of a request, from the connection's beginning or the last answer. Milliseconds.
            http1_settings=HTTP1Settings(
                header_read_timeout=int(self.limits.seconds * 1000), max_buffer_size=_BUFFER
            ),
            ssl_cert=self.address.certificate,
            ssl_key=self.address.key,
            ssl_protocol_min=SSLProtocols.tls12,
        )
        server.listening = listening
        serving = asyncio.create_task(server.serve())
        watching = asyncio.create_task(connections.watch())
        try:
            await _answering(host, self.address.port, serving)
            when_up()
            stop = asyncio.create_task(until.wait())
            await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
        finally:
            watching.cancel()
            if not serving.done():
                server.stop()  # type: ignore[no-untyped-call]  # untyped in granian
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(serving, _DRAIN)


def _resolved(address: Address) -> str:
    """The IP address of a host name; the server accepts nothing else. IPv4 first, the usual meaning of `localhost`."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(f"--host {address.host}: there is no such address ({error})") from error
    return str(min(found, key=lambda one: one[0] is not socket.AF_INET)[4][0])


def _check_free(address: Address, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, address.port))
        except OSError as error:
            raise CannotListen(
                f"cannot listen on {address.host}:{address.port} ({error.strerror}): "
                "stop what is there, or choose another port"
            ) from error


async def _answering(host: str, port: int, serving: asyncio.Task[None]) -> None:
    """Wait until the port accepts connections."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    deadline = asyncio.get_running_loop().time() + _UP_WITHIN
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            if asyncio.get_running_loop().time() > deadline:
                raise CannotListen(f"nothing answers on {host}:{port}") from None
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
