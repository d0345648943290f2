"""List what happened lately beside sales: refunds, disputes, what was done by hand, payments that were refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from domain.access import Holding
from domain.audit import AuditAction, AuditLine
from domain.fact import Fact, FactKind
from domain.frozen import frozen
from domain.ports import Store
from domain.records import Quarantined
from domain.transaction import ReadTransaction
from domain.values import CheckoutId

_NEWEST: Final = 10
_LOOKED_AT: Final = 50
_COMES_AND_GOES: Final = frozenset(
    {AuditAction.SIGN_IN, AuditAction.ENTER_BY_LINK, AuditAction.END_STAFF_SESSIONS}
)
"""What staff does all day, and is no news."""


@frozen
class News:
    """One thing that happened."""

    at: datetime
    about: Fact | AuditLine | Quarantined
    held: Holding | None = None
    """The purchase that it is about, if it is about one that is known."""


@frozen
class ListNews:
    """Reads only, beside the customers (`Store.survey`). Decisions of the merchant are listed once, by their lines."""

    store: Store

    async def __call__(self) -> list[News]:
        """The newest ten, the newest first. Raises StoreUnavailable."""
        return await self.store.survey(_newest)


def _newest(tx: ReadTransaction) -> list[News]:
    found = sorted(_lately(tx), key=lambda one: one.at, reverse=True)[:_NEWEST]
    return [News(at=one.at, about=one.about, held=_held(tx, one.about)) for one in found]


def _lately(tx: ReadTransaction) -> Iterator[News]:
    told = [fact for fact in tx.facts.newest(limit=_LOOKED_AT) if fact.kind is not FactKind.MERCHANT]
    yield from (News(fact.moment, fact) for fact in told[:_NEWEST])
    lines = [one for one in tx.audit.page_before("", limit=_LOOKED_AT) if one.action not in _COMES_AND_GOES]
    yield from (News(line.at, line) for line in lines[:_NEWEST])
    yield from (News(entry.first_at, entry) for entry in tx.quarantine.open_entries()[-_NEWEST:])


def _held(tx: ReadTransaction, about: Fact | AuditLine | Quarantined) -> Holding | None:
    match about:
        case Fact():
            return None if about.payment is None else tx.purchases.by_payment(about.payment)
        case AuditLine():
            return tx.purchases.with_facts(CheckoutId(about.object_id))
        case Quarantined():
            return None
