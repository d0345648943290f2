"""The stand-in as one ASGI application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from litestar import Litestar, get
from litestar.enums import ScopeType
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp, Receive, Scope, Send

from entrypoints.sandbox.control import Control
from entrypoints.sandbox.doors import Doors
from entrypoints.sandbox.kept import Keeper
from entrypoints.sandbox.mail.api import MailApi
from entrypoints.sandbox.mail.reports import TO_MAIL_WEBHOOK, MailReports, mail_parcel
from entrypoints.sandbox.pages.home import HomePage
from entrypoints.sandbox.pages.hosted import HostedPages
from entrypoints.sandbox.pages.invoices import InvoicePages
from entrypoints.sandbox.pages.rendering import SandboxPages
from entrypoints.sandbox.stripe import endpoints, promotions
from entrypoints.sandbox.stripe.api import StripeApi
from entrypoints.sandbox.stripe.deliveries import Deliveries, Parcel, event_parcel
from entrypoints.sandbox.world import Undelivered, World

_READS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class _Noticing:
    """Tells the keeper of every request that may have changed the world."""

    app: ASGIApp
    keeper: Keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] == ScopeType.HTTP and scope["method"] not in _READS:
                self.keeper.changed()


def build_sandbox(world: World, keeper: Keeper | None = None) -> ASGIApp:
    """Stripe's API, its hosted page, Resend's API, a mailbox, and the controls. Without a keeper, all in memory."""
    endpoints.stock(world)
    promotions.stock(world)
    pages = SandboxPages(world)
    deliveries = Deliveries(world, **({"changed": keeper.changed} if keeper else {}))
    reports = MailReports(world, deliveries)
    families = (
        StripeApi(world, deliveries),
        HostedPages(world, deliveries, pages),
        InvoicePages(world, pages),
        MailApi(world, pages, reports),
        HomePage(world, deliveries, pages),
        Control(world, deliveries, reports),
    )

    @get("/healthz", status_code=200)
    async def healthz() -> ASGIResponse:
        return ASGIResponse(body=b"up\n", media_type="text/plain")

    async def take_up() -> None:
        for number, held in list(world.undelivered.items()):
            if held.to in (TO_MAIL_WEBHOOK, *world.endpoint_secrets):
                deliveries.take_up(number, _parcel(world, held))
            else:  # its endpoint was deleted meanwhile
                del world.undelivered[number]

    app: ASGIApp = Litestar(
        [healthz, *(handler for family in families for handler in family.routes())],
        openapi_config=None,
        logging_config=None,
        on_startup=[take_up, *([keeper.start] if keeper else [])],
        on_shutdown=[deliveries.close, *([keeper.close] if keeper else [])],
    )
    if keeper is not None:
        app = _Noticing(app, keeper)
    return Doors(app, owner=world.path, customer=urlsplit(world.pay_url).path) if world.path else app


def _parcel(world: World, held: Undelivered) -> Parcel:
    body = held.body.encode()
    if held.to == TO_MAIL_WEBHOOK:
        return mail_parcel(world, name=held.id, kind=held.type, body=body)
    return event_parcel(world, name=held.id, kind=held.type, body=body, endpoint=held.to)
