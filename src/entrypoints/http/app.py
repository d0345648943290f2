"""The Litestar application: page families in, one ASGI callable out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from litestar import Litestar

from entrypoints.http.errors import ErrorPages
from entrypoints.http.middleware import Middleware, security_headers
from entrypoints.http.speech import Speech
from entrypoints.run.access_line import AccessLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from litestar.handlers import BaseRouteHandler

    from entrypoints.http.cookies import Cookies
    from entrypoints.http.health import Leaving
    from entrypoints.run.address_watch import AddressWatch
    from entrypoints.run.peer_address import ProxyNotice

# The limit of Litestar's own reader; forms and webhooks have separate limits (`request_body.py`).
LARGEST_BODY = 1_000_000


class Family(Protocol):
    """A family of pages, as the container builds it."""

    def routes(self) -> Sequence[BaseRouteHandler]:
        """Its handlers: typed bound methods of an object that holds their use cases."""
        ...


@dataclass(frozen=True, slots=True)
class Frontage:
    """How the shop is reached: host, scheme, proxies; and the origin of its payment page."""

    base_url: str
    host: str
    admin_url: str
    https: bool
    payment_origin: str
    goods_origin: str
    proxy_notice: ProxyNotice


def build_app(
    families: Sequence[Family],
    *,
    frontage: Frontage,
    cookies: Cookies,
    problems: ErrorPages,
    access: Callable[[AccessLine], None],
    leaving: Leaving,
    address: AddressWatch,
    speech: Speech,
) -> Middleware:
    """Litestar with its handlers, behind the middleware that handles every request."""
    handlers: Any = problems.handlers()
    app = Litestar(
        [handler for family in families for handler in family.routes()],
        exception_handlers=handlers,
        request_max_body_size=LARGEST_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return Middleware(
        app,
        base_url=frontage.base_url,
        host=frontage.host,
        admin_url=frontage.admin_url,
        headers=security_headers(
            https=frontage.https, payment_origin=frontage.payment_origin, goods_origin=frontage.goods_origin
        ),
        proxy_notice=frontage.proxy_notice,
        cookies=cookies,
        refuse=problems.refusal,
        note=access,
        leaving=leaving,
        address=address,
        away=problems.away,
        speak=speech.begin,
    )
