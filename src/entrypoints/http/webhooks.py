"""The webhooks of the payment provider and of the email service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import post

from domain.ports import InvalidWebhook
from domain.usecases.handle_email_webhook import HandleEmailWebhook
from domain.usecases.handle_payment_webhook import HandlePaymentWebhook
from entrypoints.http.page import PERSONAL, AnyRequest
from entrypoints.http.request_body import body_of
from entrypoints.http.responses import RawResponse
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler


_LARGEST_REPORT: Final = 256_000


@dataclass(frozen=True, slots=True)
class EmailWebhook:
    """2xx: durable. 4xx: not to be believed. 5xx: tell us again."""

    hear: HandleEmailWebhook

    def routes(self) -> list[HTTPRouteHandler]:
        """The handler."""
        return [post("/mail-events", status_code=200)(self.deliver)]

    async def deliver(self, request: AnyRequest) -> RawResponse:
        """One report."""
        body = await body_of(request, most=_LARGEST_REPORT)
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]
        }
        heard = await self.hear(body, headers)
        if isinstance(heard, InvalidWebhook):
            log.warning("mail report refused", extra={"fields": {"reason": heard.reason}})
            return RawResponse(heard.reason.encode(), status=400, media_type="text/plain", headers=[PERSONAL])
        return RawResponse(heard.outcome.encode(), media_type="text/plain", headers=[PERSONAL])


# An event of Stripe's is some 4 KB; 1 MB is far beyond any, and small enough to hold many at once.
LARGEST_EVENT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PaymentWebhook:
    """Takes deliveries. 2xx: durable. 4xx: not to be believed or understood. 5xx: tell us again."""

    hear: HandlePaymentWebhook
    signature_header: str
    """In lower case."""

    def routes(self) -> list[HTTPRouteHandler]:
        """The handler."""
        return [post("/webhook", status_code=200)(self.deliver)]

    async def deliver(self, request: AnyRequest) -> RawResponse:
        """One delivery. StoreUnavailable becomes a 503, and Stripe retries for three days."""
        body = await body_of(request, most=LARGEST_EVENT)
        heard = await self.hear(body, _header(request, self.signature_header.encode()))
        if isinstance(heard, InvalidWebhook):
            log.warning("webhook refused", extra={"fields": {"reason": heard.reason}})
            return RawResponse(
                body=heard.reason.encode(), status=400, media_type="text/plain", headers=[PERSONAL]
            )
        if heard.outcome.startswith("quarantined"):
            log.warning(
                "webhook quarantined", extra={"fields": {"type": heard.type, "outcome": heard.outcome}}
            )
        return RawResponse(heard.outcome.encode(), media_type="text/plain", headers=[PERSONAL])


def _header(request: AnyRequest, wanted: bytes) -> str:
    for name, value in request.scope["headers"]:
        if name == wanted:
            return value.decode("latin-1")
    return ""
