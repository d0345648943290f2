"""Whether the shop is alive and ready, and its metrics."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litestar import get, route
from litestar.exceptions import NotFoundException

from domain.ports import Clock, Store, StoreBusy, StoreUnavailable
from entrypoints.http.page import PERSONAL, AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.shop import PAGE
from entrypoints.run.metrics import Metrics, as_text
from entrypoints.run.peer_address import SHARED_HEADER, why_shared

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from entrypoints.settings import Network

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
# A Host header arrives unvalidated, so it is compared and never parsed: urlsplit raises on some.
_LOOPBACK_HOST: Final = re.compile(r"(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{0,5})?", re.IGNORECASE)
_FORWARDED: Final = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"via")
_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """Metrics for monitoring."""

    meter: Metrics
    store: Store
    clock: Clock
    token: str | None = field(repr=False)

    def routes(self) -> list[HTTPRouteHandler]:
        """The handler."""
        return [get("/metrics", status_code=200)(self.show)]

    async def show(self, request: AnyRequest) -> RawResponse:
        """All metrics. Unauthorised clients get a 404, which hides the page."""
        if not (_is_local(request) or self._knows_token(request)):
            raise NotFoundException
        try:
            backlog = await self.store.read(lambda tx: tx.shop.backlog())
        except StoreUnavailable:
            backlog = None
        body = as_text(self.meter, backlog=backlog, store=self.store.figures(), now=self.clock.now())
        answer = RawResponse(body, headers=[PERSONAL])
        answer.raw_headers[0] = (b"content-type", _FORMAT.encode())
        return answer

    def _knows_token(self, request: AnyRequest) -> bool:
        told = request.headers.get("authorization", "")
        expected = f"Bearer {self.token}"
        return self.token is not None and hmac.compare_digest(told.encode(), expected.encode())


def _is_local(request: AnyRequest) -> bool:
    """Whether the client is a program on this machine, and not a proxy on it that forwards a request.

    Proxies add forwarding headers or at least keep the public host name; a local scraper uses a loopback name.
    """
    client = request.scope["client"]
    if client is None or client[0] not in _LOOPBACK:
        return False
    if any(name.startswith(_FORWARDED) for name, _ in request.scope["headers"]):
        return False
    return _LOOPBACK_HOST.fullmatch(request.headers.get("host", "")) is not None


_OK: Final = 200
_NOT_NOW: Final = 503


@dataclass(slots=True)
class Leaving:
    """Whether the shop is shutting down: still serving, but it should get no new requests on any connection."""

    told: bool = False


@dataclass(frozen=True, slots=True)
class HealthPages:
    """healthz, readyz. Ready means store and catalogue; Stripe and the mail service may be unreachable."""

    store: Store
    trusted_proxies: tuple[Network, ...]
    leaving: Leaving = field(default_factory=Leaving)

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/healthz", http_method=PAGE, status_code=200)(self.up),
            route("/readyz", http_method=PAGE, status_code=200)(self.ready),
        ]

    async def up(self, request: AnyRequest) -> RawResponse:
        """Liveness: the process answers."""
        answer = _plain(_OK, b"up\n")
        why = why_shared(request.scope, self.trusted_proxies)
        if why is not None:
            answer.raw_headers.append((SHARED_HEADER, why.value.encode()))
        return answer

    async def ready(self) -> RawResponse:
        """Readiness: load balancers may send requests here."""
        if self.leaving.told:
            return _plain(_NOT_NOW, b"stopping\n")
        try:
            await self.store.ready()
        except StoreBusy:  # a busy store is as busy for other nodes, so taking this one out would not help
            return _plain(_OK, b"busy\n")
        except StoreUnavailable:
            return _plain(_NOT_NOW, b"the store cannot write\n")
        return _plain(_OK, b"ready\n")


def _plain(status: int, body: bytes) -> RawResponse:
    return RawResponse(body, status=status, media_type="text/plain", headers=[PERSONAL])
