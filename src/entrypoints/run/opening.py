"""Open the shop that a container describes, and close it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from entrypoints.container import Container
from entrypoints.custom_adapters import CustomAdapterRefused
from entrypoints.environment import SettingsRefused
from entrypoints.settings import Settings

_CLOSES_WITHIN: Final = 10.0


class WrongShop(Exception):
    """shop.toml and the database have different shop ids; the message gives the fix."""


async def open_shop(container: Container, *, any_id: bool = False) -> str:
    """Open the store for this catalogue; return the shop's id. Raises CANNOT_OPEN, WrongShop, StoreUnavailable.

    The id is generated once and stored in the database; declared in shop.toml, it lets a shop that lost its database
    recognise its own checkouts again. `any_id`: the database may have another id, which the command is to change.

    The shop's `address_watch` knows afterwards whether this process may act under its BASE_URL.

    All custom adapters are built here, so that their problems surface at the start, as SettingsRefused.
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
    if declared is not None and declared != shop_id and not any_id:
        raise WrongShop(
            f"shop.toml says id = {declared!r}, but the database belongs to shop {shop_id!r}: "
            "set DATABASE_URL or CATALOGUE to the pair that belongs together, or take the id out of shop.toml"
        )
    catalogue.adopt(shop_id)
    if container.confirms_address():
        await container.address_watch().confirm()
    await container.address_watch().begin(serving=container.serving())
    return shop_id


def _check_parts(container: Container) -> None:
    """Build the custom adapters. Raises SettingsRefused."""
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
    """Finish pending work, and close connections and files of every part, even if another part fails.

    `within`: seconds for each part except the store. Raises the exception of a part, or an ExceptionGroup if
    several failed.
    """
    errors: list[Exception] = []
    try:
        errors += await _close_parts(container, within)
    finally:  # also on cancellation
        try:
            container.store().close()
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("parts of the shop did not close", errors)


async def _close_parts(container: Container, within: float) -> list[Exception]:
    """Close all parts but the store; return their exceptions."""
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
    """Why these settings do not allow the payment provider's mode (live or test); None if they do."""
    name = settings.payments or "the payments adapter"
    if livemode and not settings.https:
        return f"{name} moves real money, so BASE_URL must begin with https://"
    if not livemode and not settings.on_loopback and not settings.test_mode:
        return (
            f"{name} moves no real money, and BASE_URL is public, so goods would go out for no money: "
            "switch it to its live mode, or set TEST_MODE=1 to show a banner on every page"
        )
    return None
