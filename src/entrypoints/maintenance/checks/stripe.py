"""The key, the clock, the webhook, the codes and the prices."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from domain.ports import PaymentsRefused, PaymentsUnreachable
from domain.product import CatalogueEdition, below_smallest_charge
from entrypoints.container import Container
from entrypoints.custom_adapters import Factory
from entrypoints.maintenance.checks.finding import Finding, broken
from entrypoints.settings import Settings

_CLOCKS_DIFFER: Final = timedelta(seconds=30)
"""Stripe's signatures are valid for five minutes; a clock that drifts this far is not synchronised."""


async def payment_findings(container: Container, settings: Settings) -> list[Finding]:
    """All findings about payments. If the provider does not answer, there is only one."""
    if settings.payments is not None:
        return await _custom(container, settings, settings.payments)
    payments, clock = container.payments(), container.clock()
    try:
        before = clock.now()
        there = await payments.check()
    except PaymentsRefused as error:
        return [Finding("Stripe", False, f"{error}. Copy STRIPE_SECRET_KEY again from Stripe's dashboard")]
    except PaymentsUnreachable as error:
        return [Finding("Stripe", False, f"{error}. Is this machine online?")]
    edition = container.catalogue().current()
    return [
        Finding("Stripe", True, "the key is good"),
        clock_finding(there, before=before, after=clock.now()),
        *await asyncio.gather(_webhook(container, settings), _codes(container, edition)),
        _prices(edition),
    ]


async def _custom(container: Container, settings: Settings, custom: Factory) -> list[Finding]:
    """Payments by another provider: the adapter's own check; there is no Stripe account to check."""
    clock = container.clock()
    try:
        before = clock.now()
        there = await container.payments().check()
    except PaymentsRefused as error:
        return [Finding("payments", False, f"{error}. Check {custom}")]
    except PaymentsUnreachable as error:
        return [Finding("payments", False, f"{error}. Is this machine online?")]
    except Exception as error:
        return [broken("payments", custom, error)]
    return [
        Finding("payments", True, f"{custom} is ready"),
        *(
            []
            if there is None
            else [clock_finding(there, before=before, after=clock.now(), whose=custom.module)]
        ),
        Finding("webhook", True, f"see that the provider reports to {settings.webhook_url}"),
        _prices(container.catalogue().current()),
    ]


def clock_finding(
    there: datetime | None, *, before: datetime, after: datetime, whose: str = "Stripe"
) -> Finding:
    """Compare the local clock with the provider's, read between two local times; its answers have whole seconds."""
    if there is None:
        return Finding("clock", True, f"{whose} did not say what time it is")
    off = max(there - after, before - there - timedelta(seconds=1), timedelta())
    if off < _CLOCKS_DIFFER:
        return Finding("clock", True, f"within a few seconds of {whose}'s")
    way = "slow" if there > after else "fast"
    words = f"{off.total_seconds():.0f} s {way}, and webhooks are refused from 300 s on: run `timedatectl set-ntp true`"
    return Finding("clock", False, words)


async def _webhook(container: Container, settings: Settings) -> Finding:
    url = settings.webhook_url
    if settings.on_loopback:
        words = f"Stripe cannot reach {url}: let `stripe listen --forward-to {url}` bring the events"
        return Finding("webhook", True, words)
    try:
        problem = await container.account().webhook_problem(url)
    except (PaymentsRefused, PaymentsUnreachable):
        words = f"the key may not list endpoints; see in Stripe's dashboard that {url} is one"
        return Finding("webhook", True, words, warns=True)
    return Finding("webhook", problem is None, problem or f"{url} is told of everything, once")


async def _codes(container: Container, edition: CatalogueEdition) -> Finding:
    if not edition.shop.payment.promotion_codes:
        return Finding("codes", True, "no promotion codes are taken (shop.toml)")
    try:
        codes = await container.account().codes_that_take_all()
    except (PaymentsRefused, PaymentsUnreachable):
        words = "the key may not list promotion codes; see in Stripe's dashboard that none takes off more than you mean"
        return Finding("codes", True, words, warns=True)
    if codes:
        words = (
            f"{', '.join(codes)}: whoever types it pays nothing; deactivate it at Stripe if that is not meant"
        )
        return Finding("codes", True, words, warns=True)
    return Finding("codes", True, "none takes everything off")


def _prices(edition: CatalogueEdition) -> Finding:
    """Prices that pass the catalogue's own checks, but that a buyer may be unable to pay."""
    on_sale = [product for product in edition.products.values() if product.on_sale]
    for product in on_sale:
        for price in product.prices:
            smallest = below_smallest_charge(price)
            if smallest is not None:
                words = f"{product.name}: {price} is below Stripe's smallest charge, {smallest}"
                return Finding("prices", False, f"{words}; change it in {product.id}/product.toml")
    missing = [
        f"{product.name} (not in {', '.join(c.upper() for c in lacking)})"
        for product in on_sale
        if product.price.amount
        and (lacking := [c for c in edition.currencies if c not in {p.currency for p in product.prices}])
    ]
    if missing:
        words = f"not offered in every currency of the shop, so shown in its own: {'; '.join(missing)}"
        return Finding("prices", True, words, warns=True)
    return Finding(
        "prices",
        True,
        f"{len(on_sale)} products on sale, in {', '.join(c.upper() for c in edition.currencies)}",
    )
