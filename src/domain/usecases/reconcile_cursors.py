"""The provider's lists that the reconciler reads: how far each was read, and how far it looks back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.claim import ProviderCheckout
from domain.fact import Fact
from domain.frozen import frozen
from domain.product import ShopInfo
from domain.records import ProblemKind
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.report_problem import report_problem

# A session can be paid for 24 h after it was made, and the provider lists by when it was made.
OVERLAP: Final = timedelta(hours=26)


@frozen
class ProviderList:
    """A list of the provider. Each has a cursor of its own, so that one that is refused stops no other."""

    name: str
    """Names the cursor, and the list where the merchant reads of it."""
    looks_back: timedelta = timedelta()
    """How long after it was made a thing of this list may still change."""


SESSIONS: Final = ProviderList("completed checkouts")
# https://docs.stripe.com/refunds#failed-refunds: a bank may return a refund up to 30 days later, longer in practice.
REFUNDS: Final = ProviderList("refunds", looks_back=timedelta(days=90))
# https://docs.stripe.com/disputes/how-disputes-work: evidence takes up to 21 days, the decision up to 75, and more.
DISPUTES: Final = ProviderList("disputes", looks_back=timedelta(days=180))
# https://docs.stripe.com/radar/early-fraud-warnings: they follow within weeks, and end with a refund or a dispute.
WARNINGS: Final = ProviderList("fraud warnings", looks_back=timedelta(days=90))


def begins_at(tx: ReadTransaction, *, which: ProviderList, now: datetime) -> datetime | None:
    """From which time of creation on a list is read; None if there is nothing to ask for yet."""
    first = tx.checkouts.first_started_at()
    cursor = tx.shop.cursor(which.name) or first
    if cursor is None:
        return None
    since = cursor - OVERLAP
    if which.looks_back:
        since = min(since, now - which.looks_back)
        # Nothing of this shop is older than its first checkout.
        since = since if first is None else max(since, first - OVERLAP)
    return since


def note_listed(tx: Transaction, *, which: ProviderList, now: datetime) -> None:
    """It was read to its end."""
    tx.shop.advance_cursor(which.name, to=now)
    tx.problems.resolve(ProblemKind.LIST_REFUSED, which.name)
    if which is SESSIONS:  # sessions can be read: so can each of them
        tx.problems.resolve(ProblemKind.LOOKUP_REFUSED, "")


def note_refused(tx: Transaction, *, which: ProviderList, said: str, shop: ShopInfo, now: datetime) -> None:
    """The provider refuses it: a restricted key without its permission. The cursor stays where it is."""
    report_problem(tx, ProblemKind.LIST_REFUSED, subject=which.name, detail=said, shop=shop, now=now)


def is_settled(tx: ReadTransaction, reading: ProviderCheckout) -> bool:
    """Whether a completed session is booked already, or known to wait for its bank."""
    checkout = tx.checkouts.by_provider_ref(reading.ref)
    if checkout is None:
        return False
    if tx.purchases.get(checkout.id) is not None:
        return True
    fact = tx.facts.get(reading.ref)
    return fact is not None and fact.status == reading.status


def is_recorded(tx: ReadTransaction, fact: Fact) -> bool:
    """Whether as much is recorded already, so that nothing has to be written."""
    held = tx.facts.get(fact.object_id)
    same = held is not None and (held.status, held.amount) == (fact.status, fact.amount)
    return same or fact.payment is None
