"""Check everything a shop needs, calling out where it must, and say what to do about each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from domain.ports import (
    GoodsUnavailable,
    MailNotSent,
    MailRefused,
    MailUnknown,
    PaymentsRefused,
    PaymentsUnreachable,
    StoreUnavailable,
)
from entrypoints.container import CANNOT_OPEN, Container, WrongShop, close_shop, open_shop
from entrypoints.settings import Settings, SettingsRefused, read_environment, settle

_TIMEOUT: Final = 8.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked, and what to do where it is not fine."""

    about: str
    fine: bool
    words: str


async def examine(environ: Mapping[str, str], *, dotenv: Path) -> list[Finding]:
    """Every finding, in the order in which a merchant sets things up. Raises nothing."""
    try:
        settings = settle(read_environment(environ, dotenv=dotenv))
    except SettingsRefused as error:
        return [Finding("settings", False, problem) for problem in error.problems]
    mode = "live: real money moves" if settings.livemode else "test mode: no real money moves"
    findings = [Finding("settings", True, f"complete; {mode}")]
    container = Container(settings=settings)
    try:
        shop_id = await open_shop(container)
    except (*CANNOT_OPEN, WrongShop, StoreUnavailable) as error:
        lines = str(error).splitlines()
        return [*findings, *(Finding("catalogue and database", False, line) for line in lines)]
    try:
        edition = container.catalogue().current()
        findings.append(
            Finding("catalogue", True, f"{len(edition.products)} products of {edition.shop.name}")
        )
        findings.append(
            Finding("database", True, f"{settings.database}, durable; this shop's id is {shop_id}")
        )
        findings.append(await _goods(container))
        findings.append(await _stripe(container))
        findings.append(await _webhook(container, settings))
        findings.append(await _mail(container, settings))
        findings.append(await _street(settings))
    finally:
        await close_shop(container)
    return findings


async def _goods(container: Container) -> Finding:
    try:
        words: str = await container.goods().check()
    except GoodsUnavailable as error:
        return Finding("goods", False, f"{error}. Check GOODS_URL and the AWS_… settings")
    return Finding("goods", True, words)


async def _stripe(container: Container) -> Finding:
    try:
        await container.payments().check()
    except PaymentsRefused as error:
        return Finding("Stripe", False, f"{error}. Copy STRIPE_SECRET_KEY again from Stripe's dashboard")
    except PaymentsUnreachable as error:
        return Finding("Stripe", False, f"{error}. Is this machine online?")
    return Finding("Stripe", True, "the key is good")


async def _webhook(container: Container, settings: Settings) -> Finding:
    url = f"{settings.base_url}/webhook"
    if settings.host.partition(":")[0] in ("localhost", "127.0.0.1"):
        words = f"Stripe cannot reach {url}: let `stripe listen --forward-to {url}` bring the events"
        return Finding("webhook", True, words)
    try:
        problem = await container.payments().webhook_problem(url)
    except (PaymentsRefused, PaymentsUnreachable):
        return Finding(
            "webhook", True, f"the key may not list endpoints; see in Stripe's dashboard that {url} is one"
        )
    return Finding("webhook", problem is None, problem or f"{url} is registered")


async def _mail(container: Container, settings: Settings) -> Finding:
    check: Callable[[], Awaitable[None]] = container.mailer().check
    if settings.resend_api_key is None and settings.smtp_url is None:
        return Finding(
            "mail", True, "no carrier is set: mails are printed where `serve` runs, on this machine only"
        )
    try:
        await check()
    except MailRefused as error:
        return Finding("mail", False, f"{error}. Check RESEND_API_KEY or SMTP_URL")
    except (MailNotSent, MailUnknown) as error:
        return Finding("mail", False, f"{error}. Is this machine online?")
    return Finding("mail", True, f"the carrier takes our key; mails come from {settings.email_from}")


async def _street(settings: Settings) -> Finding:
    """Whether the shop answers where shoppers come; that it does not yet is no fault."""
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            answer = await client.get(f"{settings.base_url}/healthz")
    except httpx.HTTPError as error:
        words = f"nothing answers there yet ({type(error).__name__}): start it with `coatcheck serve`"
        return Finding(settings.base_url, True, words)
    if answer.status_code == httpx.codes.OK and answer.text == "up\n":
        return Finding(settings.base_url, True, "the shop answers")
    return Finding(
        settings.base_url, False, f"something else answers there ({answer.status_code}): see your proxy"
    )
