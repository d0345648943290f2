"""Check everything a shop needs, with network calls where necessary, and explain each fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from domain.ports import StoreUnavailable
from entrypoints.container import Container
from entrypoints.maintenance.checks.finding import Finding
from entrypoints.maintenance.checks.machine import disk_finding, goods_finding, street_finding
from entrypoints.maintenance.checks.mail import mail_findings
from entrypoints.maintenance.checks.stripe import payment_findings
from entrypoints.places import CANNOT_OPEN
from entrypoints.run.opening import WrongShop, close_shop, open_shop
from entrypoints.settings import SettingsRefused, load_settings


async def examine(environ: Mapping[str, str], *, dotenv: Path) -> list[Finding]:
    """All findings, in the order of a shop's setup. Raises nothing."""
    try:
        settings = load_settings(environ, dotenv=dotenv)
        container = Container(settings=settings)
        shop_id = await open_shop(container)
    except SettingsRefused as error:
        return [Finding("settings", False, problem) for problem in error.problems]
    except (*CANNOT_OPEN, WrongShop, StoreUnavailable) as error:
        lines = str(error).splitlines()
        return [_settings(container), *(Finding("catalogue and database", False, line) for line in lines)]
    try:
        edition = container.catalogue().current()
        findings = [
            _settings(container),
            Finding("catalogue", True, f"{len(edition.products)} products of {edition.shop.name}"),
            *(Finding("catalogue", False, problem) for problem in container.catalogue().left_out),
            Finding("database", True, f"{settings.database}, durable; this shop's id is {shop_id}"),
            disk_finding(settings.data_dir),
            await goods_finding(container),
            *await payment_findings(container, settings),
            *await mail_findings(container, settings),
            await street_finding(settings),
        ]
    finally:
        problems = await _closed(container)
    return [*findings, *problems]


def _settings(container: Container) -> Finding:
    live = container.payments().livemode
    return Finding(
        "settings", True, f"complete; {'live: real' if live else 'test mode: no real'} money moves"
    )


async def _closed(container: Container) -> list[Finding]:
    """Findings about parts that fail to close."""
    try:
        await close_shop(container)
    except Exception as error:
        return [
            Finding("closing", False, f"a part does not close ({type(error).__name__}: {error}): mend it")
        ]
    return []
