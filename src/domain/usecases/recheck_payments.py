"""Ask the provider about payments: those whose facts have no sale, and those that are not settled yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum

from domain.claim import AwaitingPayment, Rejected, RejectReason
from domain.fact import Fact
from domain.frozen import frozen
from domain.ports import (
    Catalogue,
    Clock,
    Payments,
    PaymentsRefused,
    PaymentsUnreachable,
    Store,
)
from domain.product import ShopInfo
from domain.purchase import BookedBy, Source
from domain.records import PaymentDue
from domain.transaction import Transaction
from domain.usecases.claim_outcome import Booked, ClaimOutcome
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.quarantine_payment import put_in_quarantine
from domain.usecases.record_fact import ASK_AGAIN_AFTER, FactOutcome, RecordFact

WAITS_AT_MOST = timedelta(days=3)
"""How long a fact waits for its sale before the merchant is notified."""
_AT_ONCE = 20
Claim = Callable[[Transaction], ClaimOutcome]
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=3)


class Recheck(Enum):
    """What asking about a payment brought."""

    REPAIRED = "repaired"
    """It had a sale that was not booked, or a fact that no webhook had delivered."""
    KNOWN = "known"
    FOREIGN = "foreign"
    """No sale of this shop."""
    REFUSED = "refused"
    """It was not booked: it does not match its checkout, or nothing was paid."""
    UNREACHABLE = "unreachable"
    """Asked again later; after three days in quarantine."""


@frozen
class RecheckPayments:
    """Works off what was marked to be read. Ours is claimed, with its facts; what is not goes to quarantine."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    claim: ClaimPurchase
    note: RecordFact
    clock: Clock

    async def __call__(self) -> list[tuple[str, Recheck]]:
        """Every payment that is due now, and what came of it. Raises StoreUnavailable."""
        done: list[tuple[str, Recheck]] = []
        now = self.clock.now()
        while due := await self.store.read(lambda tx: tx.rechecks.due(now, limit=_AT_ONCE)):
            done += [(entry.payment, await self._read(entry, now)) for entry in due]
        return done

    async def _read(self, entry: PaymentDue, now: datetime) -> Recheck:
        shop = self.catalogue.current().shop
        try:
            reading = await self.payments.retrieve_payment(entry.payment)
        except (PaymentsUnreachable, PaymentsRefused):
            return await self.store.transact(lambda tx: _put_off(tx, entry, shop=shop, now=now))
        if reading is None:
            return await self.store.transact(lambda tx: _give_up(tx, entry, shop=shop, now=now))
        work = self._settle(entry, reading.facts, now)
        if reading.checkout is None:
            return await self.store.transact(
                lambda tx: (
                    work(tx, None)[0] if _is_imported(tx, entry) else _give_up(tx, entry, shop=shop, now=now)
                )
            )
        claim = self.claim.retrying(
            reading.checkout, now=now, retry_at=None, by=BookedBy.RECONCILER, facts=reading.facts
        )
        read, claimed = await self.store.transact(
            lambda tx: work(tx, None if _is_imported(tx, entry) else claim)
        )
        if claimed is not None:
            self.claim.observe(claimed)
        return read

    def _settle(
        self, entry: PaymentDue, facts: Sequence[Fact], now: datetime
    ) -> Callable[[Transaction, Claim | None], tuple[Recheck, ClaimOutcome | None]]:
        """Without a claim: of a sale that was imported, which has no session of ours."""
        notes = [(fact, self.note.work(fact)) for fact in facts]

        def work(tx: Transaction, claim: Claim | None) -> tuple[Recheck, ClaimOutcome | None]:
            # Before the claim and the facts, which may mark it anew.
            tx.rechecks.cancel(entry.payment)
            claimed = None if claim is None else claim(tx)
            if claimed is not None and not isinstance(claimed, (Booked, AwaitingPayment)):
                foreign = isinstance(claimed, Rejected) and claimed.reason.is_foreign
                return Recheck.FOREIGN if foreign else Recheck.REFUSED, claimed
            noted = [note(tx) for _, note in notes]
            if any(fact.undecided for fact, _ in notes):
                tx.rechecks.schedule(entry.payment, at=now, due_at=now + ASK_AGAIN_AFTER)
            fresh = isinstance(claimed, Booked) and claimed.first
            return Recheck.REPAIRED if fresh or FactOutcome.NEW in noted else Recheck.KNOWN, claimed

        return work


def _is_imported(tx: Transaction, entry: PaymentDue) -> bool:
    held = tx.purchases.by_payment(entry.payment)
    return held is not None and held.purchase.source is Source.IMPORT


def _put_off(tx: Transaction, entry: PaymentDue, *, shop: ShopInfo, now: datetime) -> Recheck:
    if now - entry.since >= WAITS_AT_MOST and tx.purchases.by_payment(entry.payment) is None:
        tx.rechecks.cancel(entry.payment)
        put_in_quarantine(
            tx, entry.payment, RejectReason.UNREADABLE_PAYMENT, retry_at=None, shop=shop, now=now
        )
    else:
        pause = min(_FIRST_PAUSE * (1 << min(entry.tries, 10)), _LONGEST_PAUSE)
        tx.rechecks.postpone(entry.payment, due_at=now + pause)
    return Recheck.UNREACHABLE


def _give_up(tx: Transaction, entry: PaymentDue, *, shop: ShopInfo, now: datetime) -> Recheck:
    tx.rechecks.cancel(entry.payment)
    if tx.purchases.by_payment(entry.payment) is not None:
        return Recheck.KNOWN
    put_in_quarantine(tx, entry.payment, RejectReason.FOREIGN_PAYMENT, retry_at=None, shop=shop, now=now)
    return Recheck.FOREIGN
