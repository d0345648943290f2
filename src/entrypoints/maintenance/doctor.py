"""Check everything a shop needs, with network calls where necessary, and explain each fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from domain.going_live import STARTED_LIVE
from domain.ports import StoreUnavailable
from entrypoints.catalogue_lines import lacking_lines
from entrypoints.container import Container
from entrypoints.environment import SettingsRefused
from entrypoints.maintenance.checks.audit import audit_findings
from entrypoints.maintenance.checks.contrast import contrast_findings
from entrypoints.maintenance.checks.example_texts import example_findings
from entrypoints.maintenance.checks.finding import Finding
from entrypoints.maintenance.checks.languages import language_findings
from entrypoints.maintenance.checks.law import law_findings
from entrypoints.maintenance.checks.machine import disk_finding, goods_finding, street_findings
from entrypoints.maintenance.checks.mail import mail_findings
from entrypoints.maintenance.checks.products import products_finding
from entrypoints.maintenance.checks.stripe import payment_findings
from entrypoints.places import CANNOT_OPEN
from entrypoints.run.address_watch import two_ways_on
from entrypoints.run.opening import WrongShop, close_shop, open_shop
from entrypoints.settings import load_settings


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
            products_finding(edition),
            *await _catalogue_findings(container),
            *law_findings(edition),
            *language_findings(container.languages(), edition.shop),
            *contrast_findings(*container.pages().style_sheets(edition.shop)),
            *example_findings(edition, folder=settings.catalogue),
            Finding("database", True, f"{settings.database}, durable; this shop's id is {shop_id}"),
            *await audit_findings(container.check_audit()),
            *await _test_purchases(container),
            *_address(container),
            disk_finding(settings.data_dir),
            await goods_finding(container),
            *await payment_findings(container, settings),
            *await mail_findings(container, settings),
            *await street_findings(container, settings),
        ]
    finally:
        problems = await _closed(container)
    return [*findings, *problems]


async def _catalogue_findings(container: Container) -> list[Finding]:
    catalogue, review = container.catalogue(), await container.review_catalogue()()
    lacking = lacking_lines(gone=review.gone, lost=review.lost)
    return [
        *(Finding("catalogue", False, words) for words in (*review.problems, *lacking)),
        *(Finding("catalogue", True, words, warns=True) for words in catalogue.warnings),
    ]


def _settings(container: Container) -> Finding:
    live = container.payments().livemode
    return Finding(
        "settings", True, f"complete; {'live: real' if live else 'test mode: no real'} money moves"
    )


async def _test_purchases(container: Container) -> list[Finding]:
    """What becomes of test purchases with a live key, and of live ones with a test key."""
    if not container.payments().livemode:
        if await container.store().read(lambda tx: tx.shop.cursor(STARTED_LIVE)) is None:
            return []
        words = (
            "this shop was live, and STRIPE_SECRET_KEY is a test key: what was bought stays open, nobody can pay with "
            "real money, and test sales take neither stock nor listed licence keys. Set the live key to sell again"
        )
        return [Finding("test key", True, words, warns=True)]
    waiting, tally = await container.store().read(
        lambda tx: (tx.shop.test_purchases(limit=1), tx.shop.tally())
    )
    about = "test purchases"
    if waiting:
        words = (
            "there are some. From the next start with the live key, they give no access, are not counted, and release "
            "the stock and licence keys they hold"
        )
        return [Finding(about, True, words)]
    words = f"{tally.test} on record: no access, not counted"
    return [Finding(about, True, words)] if tally.test else []


def _address(container: Container) -> list[Finding]:
    """Whether the database was served under another BASE_URL."""
    elsewhere = container.address_watch().elsewhere
    return [] if elsewhere is None else [Finding("address", False, two_ways_on(elsewhere))]


async def _closed(container: Container) -> list[Finding]:
    """Findings about parts that fail to close."""
    try:
        await close_shop(container)
    except Exception as error:
        return [
            Finding("closing", False, f"a part does not close ({type(error).__name__}: {error}): mend it")
        ]
    return []
