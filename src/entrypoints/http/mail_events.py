"""POST /mail-events: what the mail carrier reports of the mails it took; answered after the commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import post

from domain.ports import InvalidWebhook
from domain.usecases.handle_email_webhook import HandleEmailWebhook
from entrypoints.http.forms import body_of
from entrypoints.http.page import PERSONAL, AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.run.logs import log

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
