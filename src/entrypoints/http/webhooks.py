"""The webhooks of the payment provider and of the email service: 2xx: stored; 4xx: rejected; 5xx: retry.

They are plain ASGI: they need no request object, signature or response of Litestar's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import asgi
from litestar.enums import ScopeType
from litestar.exceptions import MethodNotAllowedException

from domain.claim import Rejected
from domain.ports import InvalidWebhook
from domain.usecases.handle_email_webhook import HandleEmailWebhook
from domain.usecases.handle_payment_webhook import HandlePaymentWebhook
from entrypoints.http.page import PERSONAL
from entrypoints.http.request_body import read_body
from entrypoints.http.responses import RawResponse
from entrypoints.run.logs import log

if TYPE_CHECKING:
    from litestar.handlers import ASGIRouteHandler
    from litestar.types import HTTPScope, Receive, Scope, Send

_LARGEST_REPORT: Final = 256_000
# A Stripe event has some 4 KB; 1 MB is far above any, and small enough to hold many at once.
LARGEST_EVENT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class EmailWebhook:
    """Receives delivery reports of emails."""

    hear: HandleEmailWebhook

    def routes(self) -> list[ASGIRouteHandler]:
        """The handler."""
        return [asgi("/mail-events", copy_scope=False)(self.deliver)]

    async def deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one report."""
        body = await read_body(_posted(scope), receive, most=_LARGEST_REPORT)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        heard = await self.hear(body, headers)
        if isinstance(heard, InvalidWebhook):
            log.warning("mail report refused", extra={"fields": {"reason": heard.reason}})
            answer = _plain(heard.reason, status=400)
        else:
            answer = _plain(heard.outcome.value)
        await answer(scope, receive, send)


@dataclass(frozen=True, slots=True)
class PaymentWebhook:
    """Receives events. StoreUnavailable becomes a 503, and Stripe retries the event for three days."""

    hear: HandlePaymentWebhook
    signature_header: str
    """In lower case."""

    def routes(self) -> list[ASGIRouteHandler]:
        """The handler."""
        return [asgi("/webhook", copy_scope=False)(self.deliver)]

    async def deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one delivery."""
        body = await read_body(_posted(scope), receive, most=LARGEST_EVENT)
        heard = await self.hear(body, _header(scope, self.signature_header.encode()))
        if isinstance(heard, InvalidWebhook):
            log.warning("webhook refused", extra={"fields": {"reason": heard.reason}})
            answer = _plain(heard.reason, status=400)
        else:
            if isinstance(heard.outcome, Rejected):
                log.warning(
                    "webhook quarantined", extra={"fields": {"type": heard.type, "outcome": heard.name}}
                )
            answer = _plain(heard.name)
        await answer(scope, receive, send)


def _posted(scope: Scope) -> HTTPScope:
    """The scope of a POST. Raises MethodNotAllowedException."""
    if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
        raise MethodNotAllowedException(headers={"allow": "POST"})
    return scope


def _header(scope: Scope, wanted: bytes) -> str:
    for name, value in scope["headers"]:
        if name == wanted:
            return value.decode("latin-1")
    return ""


def _plain(text: str, *, status: int = 200) -> RawResponse:
    return RawResponse(text.encode(), status=status, media_type="text/plain", headers=[PERSONAL])
