"""The settings in force and where each comes from. Secrets are fingerprints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litestar import route

from domain.keys import Key, Keyring
from domain.product import ShopInfo, Tax
from entrypoints.admin.frame import AdminFrame
from entrypoints.environment import HELP
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _
from entrypoints.http.shop import PAGE
from entrypoints.settings import Settings

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

AT: Final = "/admin/settings"
_PLAIN: Final = frozenset(
    {
        "BASE_URL", "CATALOGUE", "EMAIL_FROM", "TRUSTED_PROXIES", "ADMIN_HOST", "TEST_MODE", "DATA_DIR", "AWS_REGION",
        "MAILER", "GOODS", "PAYMENTS",
    }
)  # fmt: skip
"""What no secret is ever written into. Everything else is shown as a fingerprint, or without what may be a password."""
_ADDRESSES: Final = frozenset(
    {"STRIPE_API_BASE", "RESEND_API_URL", "GOODS_URL", "AWS_ENDPOINT_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"}
)
"""Shown unless they have a user and a password in them, or options."""


@dataclass(frozen=True, slots=True)
class SettingsPages:
    """settings."""

    frame: AdminFrame
    settings: Settings
    keyring: Keyring

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [route(AT, http_method=PAGE, status_code=200)(self.show)]

    async def show(self, request: AnyRequest) -> RawResponse:
        """Every setting. Everybody may look: no secret is shown."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        shop = self.frame.catalogue.current().shop
        return self.frame.html(
            request, "settings.html", here=here, variables=variables(self.settings, self.keyring, os.environ),
            shop_rows=shop_rows(shop), shop_file=str(self.settings.catalogue / "shop.toml"),
        )  # fmt: skip


def variables(
    settings: Settings, keyring: Keyring, environ: Mapping[str, str]
) -> list[tuple[str, str, str, str]]:
    """Of each variable: name, what it is for, the value as it may be shown ("" if not set), and where it comes from."""
    return [
        (name, told, _shown(name, settings.environment.get(name, "").strip(), settings, keyring),
         _source(name, settings, environ))
        for name, told in HELP.items()
    ]  # fmt: skip


def _shown(name: str, value: str, settings: Settings, keyring: Keyring) -> str:
    if name == "DATABASE_URL":
        return str(settings.database)
    if not value or name in _PLAIN:
        return value
    if name in _ADDRESSES and not any(mark in value for mark in "@?#"):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if name == "SESSION_SECRET":
        prints = [Key.of(part).name for part in parts]
    else:
        prints = [keyring.signing.fingerprint_of(part) for part in parts]
    return _("set; fingerprint %(fingerprint)s", fingerprint=", ".join(prints))


def _source(name: str, settings: Settings, environ: Mapping[str, str]) -> str:
    value = settings.environment.get(name, "")
    if not value:
        return _("default")
    return _("environment") if environ.get(name) == value else _(".env")


def shop_rows(shop: ShopInfo) -> list[tuple[str, str]]:
    """What shop.toml says of how the shop works: names and values."""

    def switched(on: bool) -> str:
        return _("on") if on else _("off")

    taxes = {Tax.OFF: _("off"), Tax.INCLUSIVE: _("in the price"), Tax.EXCLUSIVE: _("on top of the price")}
    return [
        (_("Id of the shop"), shop.id),
        (_("Name"), shop.name),
        (_("Address for support"), shop.support.canonical),
        (_("Currency"), shop.currency.upper()),
        (_("Time zone"), shop.timezone),
        (_("Tax"), taxes[shop.payment.tax]),
        (_("Promotion codes"), switched(shop.payment.promotion_codes)),
        (_("Invoices"), switched(shop.payment.invoices)),
        (_("Payment methods"), ", ".join(shop.payment.methods) or _("those of the Stripe account")),
        (_("Emails about sales"), shop.sale_notices.value),
    ]
