"""The work of `coatcheck move`, and its final messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from domain.audit import AuditAction
from domain.usecases.import_sales import Imported
from domain.usecases.imported_sale import OldSale
from entrypoints.acting import asked_here
from entrypoints.container import Container
from entrypoints.maintenance.copy_store import CannotMove, Sum, all_rows, is_moved, move
from entrypoints.maintenance.progress import progress
from entrypoints.places import could_be_shop, place_at, shop_file
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.settings import PostgresAddress, Settings


@dataclass(frozen=True, slots=True)
class Told:
    """Lines for the terminal, and whether nothing was skipped."""

    lines: tuple[str, ...]
    all_well: bool = True


class OldShop(Protocol):
    """The file of a shop built along the tutorial: adapters.tutorial.file."""

    def count(self) -> int:
        """The number of sales."""

    def users_without_sales(self) -> int:
        """The number of users without a purchase."""

    def sales(self) -> Iterator[OldSale]:
        """Every sale, unchanged."""


def moved_lines(source: Path, target: Path | PostgresAddress) -> Told:
    """Move a shop's database to PostgreSQL. Raises CANNOT_MOVE, CANNOT_OPEN, CannotMove, StoreUnavailable."""
    with shop_file(source).opened() as opened:
        if isinstance(target, Path):
            raise CannotMove(
                "a shop on SQLite is moved to postgresql://…; to another place on a disk it is brought by "
                "`coatcheck backup` and `coatcheck restore`"
            )
        place = place_at(target)
        rows = all_rows(opened)
        with place.opened(opened.shop) as there:
            with progress("Comparing", length=2 * rows, shown=not there.is_empty) as done:
                if is_moved(opened, there, done):
                    return Told(
                        (f"Nothing is left to do: all {rows} rows stand in {target} already.", *_next(target))
                    )
            with progress("Moving", length=2 * rows) as done:
                container = Container()  # needs no settings
                asked = asked_here(container.clock(), container.randomness())
                moved = move(opened, there, done, asked=asked)
    return Told((*_moved(moved, source, target), *_next(target)))


def _moved(moved: Mapping[str, Sum], source: Path, target: PostgresAddress) -> list[str]:
    rows = sum(found.rows for found in moved.values())
    return [
        (
            f"{target}: {moved['purchases'].rows} sales, {moved['users'].rows} buyers, {rows} rows in all; counted and "
            "hashed on both sides, the same"
        ),
        f"{source} is as it was: keep it until you are content, and do not serve it again.",
    ]


def _next(target: PostgresAddress) -> list[str]:
    return [
        f"Now set DATABASE_URL to {target} (with its user and password) and start `coatcheck serve`.",
        (
            "Nobody is signed out, links in mailboxes work, and waiting emails are sent once: leave SESSION_SECRET, "
            "CATALOGUE and DATA_DIR as they are."
        ),
    ]


async def adopted_lines(
    settings: Settings, file: OldShop, target: Path | PostgresAddress, renamed: Mapping[str, str]
) -> Told:
    """Move the tutorial's sales into a shop of this catalogue. Raises as `moved_lines` does."""
    if isinstance(target, Path) and not could_be_shop(target):
        raise CannotMove(f"{target} exists, and is no shop's database: name a new file")
    container = Container(settings=replace(settings, database=target))
    await open_shop(container)
    asked = asked_here(container.clock(), container.randomness())
    try:
        await container.store().transact(
            lambda tx: tx.audit.append(asked.line(AuditAction.MOVE, tx.shop.id() or ""))
        )
        number, idle = await asyncio.to_thread(file.count), await asyncio.to_thread(file.users_without_sales)
        with progress("Moving", length=number) as done:
            adopted = await container.import_sales()(file.sales(), renamed=renamed, look=done)
    finally:
        await close_shop(container)
    return Told((*_adopted(adopted, idle, target), *_after(adopted, target)), all_well=not adopted.problems)


def _adopted(adopted: Imported, idle: int, target: Path | PostgresAddress) -> list[str]:
    lines = [f"{target}: {adopted.booked} sales were moved, {adopted.known} stood there already"]
    if adopted.doubled:
        lines.append(
            f"Rows that tell of a sale another row tells of: {adopted.doubled}; each sale was moved once"
        )
    if adopted.erased:
        lines.append(f"Sales of people who had themselves erased since: {adopted.erased}; they stay erased")
    if idle:
        lines.append(
            f"Users without a purchase: {idle}; they have nothing to come back to, and were left out"
        )
    return [*lines, *adopted.problems]


def _after(adopted: Imported, target: Path | PostgresAddress) -> list[str]:
    if not adopted.booked and not adopted.problems:
        return ["Nothing is left to do."]
    url = f"sqlite:///{target}" if isinstance(target, Path) else f"{target} (with its user and password)"
    return [
        f"Now set DATABASE_URL to {url} and start `coatcheck serve`.",
        (
            "Nobody is mailed. Buyers ask for a new link at /request-login: the tutorial's are kept in clear, and "
            "whoever reads that file could use them, so they were not moved."
        ),
    ]
