"""The stand-in as one ASGI application."""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar import Litestar, get
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp

from entrypoints.sandbox.control import Control
from entrypoints.sandbox.doors import Doors
from entrypoints.sandbox.mail.api import MailApi
from entrypoints.sandbox.mail.reports import MailReports
from entrypoints.sandbox.pages.home import HomePage
from entrypoints.sandbox.pages.hosted import HostedPages
from entrypoints.sandbox.pages.invoices import InvoicePages
from entrypoints.sandbox.pages.rendering import SandboxPages
from entrypoints.sandbox.stripe import endpoints, promotions
from entrypoints.sandbox.stripe.api import StripeApi
from entrypoints.sandbox.stripe.deliveries import Deliveries
from entrypoints.sandbox.world import World


def build_sandbox(world: World) -> ASGIApp:
    """Stripe's API, its hosted page, Resend's API, a mailbox, and the controls."""
    endpoints.stock(world)
    promotions.stock(world)
    pages = SandboxPages(world)
    deliveries = Deliveries(world)
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

    app = Litestar(
        [healthz, *(handler for family in families for handler in family.routes())],
        openapi_config=None,
        logging_config=None,
        on_shutdown=[deliveries.close],
    )
    return Doors(app, owner=world.path, customer=urlsplit(world.pay_url).path) if world.path else app
