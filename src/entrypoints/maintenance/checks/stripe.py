"""The key, the clock, the webhook, the codes and the prices."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from domain.amounts import charge_problem
from domain.payment_account import CheckoutTrial, checkout_trials
from domain.ports import PaymentsRefused, PaymentsUnreachable
from domain.product import CatalogueEdition
from domain.promotion import PromotionCode
from domain.usecases.report_problem import works_again
from entrypoints.cli_words import counted
from entrypoints.container import Container
from entrypoints.custom_adapters import Factory
from entrypoints.maintenance.checks.finding import Finding, broken
from entrypoints.settings import Settings

_AT_ONCE: Final = 4
"""Payment pages that are tried at the same time."""
_LATELY: Final = timedelta(days=30)
"""How old the completed checkout may be that is looked at."""
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
        said = str(error).rstrip(".")
        words = (
            f"{said}. Check STRIPE_SECRET_KEY, and the permissions of a restricted key, in Stripe's dashboard"
        )
        return [Finding("Stripe", False, words), await _checkout(container, settings)]
    except PaymentsUnreachable as error:
        return [Finding("Stripe", False, f"{error}. Is this machine online?")]
    edition = container.catalogue().current()
    return [
        Finding("Stripe", True, "the key is good"),
        clock_finding(there, before=before, after=clock.now()),
        *await _lists(container),
        *await _invoices(container, edition),
        *await asyncio.gather(
            _webhook(container, settings),
            _codes(container, edition),
            _code_links(container, edition),
            _refunds(container),
            _checkout(container, settings),
        ),
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


async def _lists(container: Container) -> list[Finding]:
    """Whether the reconciler may read its lists; a restricted key needs a permission for each."""
    payments, found = container.payments(), []
    tomorrow = container.clock().now() + timedelta(days=1)
    for name, permission, listing in (
        ("completed checkouts", "PaymentIntents", payments.list_completed(tomorrow - _LATELY, tomorrow)),
        ("refunds", "Charges and Refunds", payments.list_refunds(tomorrow)),
        ("disputes", "Disputes", payments.list_disputes(tomorrow)),
        ("fraud warnings", "Radar", payments.list_fraud_warnings(tomorrow)),
    ):
        try:
            await anext(listing, None)
        except PaymentsRefused as error:
            words = (
                f"the list of {name} cannot be read, so changes that no webhook reports are missed: "
                f"give the key {permission} *read* ({error})"
            )
            found.append(Finding(name, False, words))
        except PaymentsUnreachable as error:
            found.append(Finding(name, False, f"{error}. Run this again"))
    return found or [
        Finding("lists", True, "completed checkouts, refunds, disputes and fraud warnings can be read")
    ]


async def _invoices(container: Container, edition: CatalogueEdition) -> list[Finding]:
    """Whether customers can open their invoices: one of the last days is looked up, if there is any."""
    if not edition.shop.payment.invoices:
        return []
    payments, tomorrow = container.payments(), container.clock().now() + timedelta(days=1)
    try:
        newest = await anext(payments.list_completed(tomorrow - _LATELY, tomorrow), None)
    except (PaymentsRefused, PaymentsUnreachable):
        return []  # another finding says so
    if newest is None:
        return []
    try:
        await payments.invoice_url(newest.ref)
    except PaymentsRefused as error:
        return [
            Finding("invoices", False, f"customers cannot open them: give the key Invoices *read* ({error})")
        ]
    except PaymentsUnreachable as error:
        return [Finding("invoices", False, f"{error}. Run this again")]
    return [Finding("invoices", True, "customers can open them")]


async def _refunds(container: Container) -> Finding:
    """Whether `coatcheck refund` can work; a shop that refunds in the dashboard needs no permission for it."""
    try:
        problem = await container.account().refund_problem()
    except (PaymentsRefused, PaymentsUnreachable) as error:
        return Finding("refunding", False, f"{error}. Run this again")
    if problem is None:
        return Finding("refunding", True, "the key may refund")
    words = f"`coatcheck refund` is refused: give the key Charges and Refunds *write* ({problem})"
    return Finding("refunding", True, words, warns=True)


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
    return Finding("webhook", problem is None, problem or f"{url} receives every event, once")


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


async def _code_links(container: Container, edition: CatalogueEdition) -> Finding:
    """Whether every promotion code that links may carry is one that the shop can use."""
    listed = edition.shop.payment.code_links
    if not listed:
        return Finding("code links", True, "links carry no promotion codes (shop.toml)")
    good: list[str] = []
    for code in listed:
        try:
            found = await container.payments().find_promotion(code)
        except (PaymentsRefused, PaymentsUnreachable) as error:
            words = (
                f"links with promotion codes sell at the usual price: Stripe did not return {code} ({error})"
            )
            return Finding("code links", True, words, warns=True)
        if found is None:
            words = (
                f"{code} is no active promotion code at Stripe: create it there, or remove it from code_links"
            )
            return Finding("code links", True, words, warns=True)
        if found.restricted:
            words = (
                f"{code} is limited to certain products or first orders at Stripe, so it cannot be used here: create a "
                "code without such limits"
            )
            return Finding("code links", True, words, warns=True)
        good.append(code_words(found))
    return Finding("code links", True, "; ".join(good))


def code_words(code: PromotionCode) -> str:
    """What a code takes off, as "SPRING takes 20% off, until 1 May 2026"."""
    off = f"{code.percent_off.normalize():f}%" if code.percent_off is not None else str(code.amount_off)
    least = f", from {code.minimum}" if code.minimum is not None else ""
    until = f", until {code.expires_at:%d %B %Y, %H:%M} UTC" if code.expires_at is not None else ""
    return f"{code.code} takes {off} off{least}{until}"


async def _checkout(container: Container, settings: Settings) -> Finding:
    """Whether Stripe opens a payment page in every currency on sale; each is closed again at once.

    What it refused before is over for products in whose currencies it does; what it still refuses for one product, such
    as its own amount, comes back with the next try.
    """
    edition = container.catalogue().current()
    trials = checkout_trials(edition)
    if not trials:
        return Finding("checkout", True, "nothing is on sale at a price")
    turns = asyncio.Semaphore(_AT_ONCE)
    answers = await asyncio.gather(
        *(_tried(container, trial, turns, url=settings.base_url) for trial in trials)
    )
    opens = [trial for trial, words in zip(trials, answers, strict=True) if not words]
    if opens:
        await container.store().transact(lambda tx: works_again(tx, edition=edition, opened=opens))
    refused: dict[str, list[str]] = {}
    for trial, words in zip(trials, answers, strict=True):
        if words:
            refused.setdefault(words, []).append(trial.price.currency.upper())
    if refused:
        each = "; ".join(f"in {', '.join(codes)}: {words.rstrip('.')}" for words, codes in refused.items())
        codes = ", ".join(code for found in refused.values() for code in found)
        return Finding(
            "checkout", False, f"no payment page opens {each}. Nobody can pay in {codes} until this is fixed"
        )
    opened = ", ".join(trial.price.currency.upper() for trial in trials)
    return Finding("checkout", True, f"a payment page opens in {opened}")


async def _tried(container: Container, trial: CheckoutTrial, turns: asyncio.Semaphore, *, url: str) -> str:
    """Why no page opens, in Stripe's words; "" if one does."""
    try:
        async with turns:
            await container.account().try_checkout(trial, url=url)
    except (PaymentsRefused, PaymentsUnreachable) as error:
        return str(error)
    return ""


def _prices(edition: CatalogueEdition) -> Finding:
    """Prices that pass the catalogue's own checks, but that a buyer may be unable to pay."""
    on_sale = [product for product in edition.products.values() if product.on_sale]
    for product in on_sale:
        for price in product.prices:
            problem = charge_problem(price)
            if problem is not None:
                words = (
                    f"{product.name}: Stripe cannot charge {price} ({problem.name.lower().replace('_', ' ')})"
                )
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
        f"{counted(len(on_sale), 'product')} on sale, in {', '.join(c.upper() for c in edition.currencies)}",
    )
