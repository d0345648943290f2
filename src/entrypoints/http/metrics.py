"""GET /metrics: for Prometheus on this machine, or for whoever has the token; for everybody else it is not there."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litestar import get
from litestar.exceptions import NotFoundException

from domain.ports import Clock, Store, StoreUnavailable
from entrypoints.http.page import PERSONAL, AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.run.metrics import Metrics, as_text

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
# A Host header comes as it was sent, so it is compared and never taken apart: urlsplit raises on some.
_LOOPBACK_HOST: Final = re.compile(r"(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{0,5})?", re.IGNORECASE)
_FORWARDED: Final = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"via")
_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """Figures for whoever watches the shop."""

    meter: Metrics
    store: Store
    clock: Clock
    token: str | None = field(repr=False)

    def routes(self) -> list[HTTPRouteHandler]:
        """The handler."""
        return [get("/metrics", status_code=200)(self.show)]

    async def show(self, request: AnyRequest) -> RawResponse:
        """Everything that is counted. Says 404 to strangers, who need not know that it is here."""
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
    """Whether a program on this machine asks, and not a proxy on it for somebody else.

    A proxy says so, or at least passes on the name that shoppers use; a scraper here asks for a loopback name.
    """
    client = request.scope["client"]
    if client is None or client[0] not in _LOOPBACK:
        return False
    if any(name.startswith(_FORWARDED) for name, _ in request.scope["headers"]):
        return False
    return _LOOPBACK_HOST.fullmatch(request.headers.get("host", "")) is not None
