"""Open the shop that a container describes, and close it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from entrypoints.container import Container
from entrypoints.custom_adapters import CustomAdapterRefused
from entrypoints.settings import Settings, SettingsRefused

_CLOSES_WITHIN: Final = 10.0


class WrongShop(Exception):
    """shop.toml declares another id than the database; the message says what to do."""


async def open_shop(container: Container) -> str:
    """Open the store for this catalogue; the shop's id. Raises CANNOT_OPEN, WrongShop, StoreUnavailable.

    The id is made once and kept in the database; one declared in shop.toml lets a shop whose database was lost
    recognise its own checkouts again.

    Custom adapters are made here, all of them, so that what is wrong is said at the start: as SettingsRefused.
    """
    _check_parts(container)
    try:
        catalogue, store = container.catalogue(), container.store()
    except BaseException:
        await _close_parts(container, _CLOSES_WITHIN)
        raise
    declared = catalogue.declared_id
    proposed = declared or container.randomness().token(8).hex()
    shop_id = await store.transact(lambda tx: tx.shop.open(proposed))
    if declared is not None and declared != shop_id:
        raise WrongShop(
            f"shop.toml says id = {declared!r}, but the database belongs to shop {shop_id!r}: "
            "set DATABASE_URL or CATALOGUE to the pair that belongs together, or take the id out of shop.toml"
        )
    catalogue.adopt(shop_id)
    return shop_id


def _check_parts(container: Container) -> None:
    """Raises SettingsRefused."""
    problems: list[str] = []
    for part in (container.payments, container.mailer, container.goods):
        try:
            part()
        except CustomAdapterRefused as error:
            problems.append(str(error))
    if not problems:
        problem = _mode_problem(container.settings(), livemode=container.payments().livemode)
        problems += [] if problem is None else [problem]
    if problems:
        raise SettingsRefused(tuple(problems))


async def close_shop(container: Container, *, within: float = _CLOSES_WITHIN) -> None:
    """Finish what waits, and let go of connections and files: of every part, even where another fails to.

    `within`: seconds that each may take, the store excepted. Raises what a part raised, or an ExceptionGroup if
    several did.
    """
    errors: list[Exception] = []
    try:
        errors += await _close_parts(container, within)
    finally:  # also where this is cancelled
        try:
            container.store().close()
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("parts of the shop did not close", errors)


async def _close_parts(container: Container, within: float) -> list[Exception]:
    """All but the store; what they raised."""
    errors: list[Exception] = []
    parts: tuple[Callable[[], Awaitable[None]], ...] = (
        lambda: container.payments().close(),
        lambda: container.mailer().close(),
        lambda: container.goods().close(),
    )
    for close in parts:
        try:
            async with asyncio.timeout(within):
                await close()
        except Exception as error:
            errors.append(error)
    return errors


def _mode_problem(settings: Settings, *, livemode: bool) -> str | None:
    """Why a shop cannot be served in the mode of its payments, whoever takes them; None if it can."""
    name = settings.payments or "the payments adapter"
    if livemode and not settings.https:
        return f"{name} moves real money, so BASE_URL must begin with https://"
    if not livemode and not settings.on_loopback and not settings.test_mode:
        return (
            f"{name} moves no real money, and BASE_URL is public, so goods would go out for no money: "
            "switch it to its live mode, or set TEST_MODE=1 to show a banner on every page"
        )
    return None
