"""Fetch from the payment provider what no webhook delivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.claim import ProviderCheckout, Rejected
from domain.ports import Clock, Payments, Store
from domain.purchase import Fact
from domain.transaction import ReadTransaction
from domain.usecases.claim_outcome import Booked
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.record_fact import FactOutcome, RecordFact

CURSOR = "completed checkouts"
# A session can be paid for 24 h after it was made, and the provider lists by when it was made.
OVERLAP = timedelta(hours=26)
_WINDOW = timedelta(hours=12)
_AHEAD = timedelta(minutes=10)
"""How far the provider's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The same claim and the same facts as redirect and webhook, for what neither brought."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    note: RecordFact
    recheck_payments: RecheckPayments
    clock: Clock

    async def __call__(self, *, look: Callable[[Reconciled], None] = lambda found: None) -> Reconciled:
        """Sweep what happened since the cursor. Raises PaymentsUnreachable, PaymentsRefused, StoreUnavailable.

        `look` is called after each thing that was looked at; a command line shows it.
        The first sweep begins at the first checkout that is stored; without one there is nothing to ask for.
        """
        began = self.clock.now()
        found = Reconciled()
        since = await self.store.read(lambda tx: tx.shop.cursor(CURSOR) or tx.checkouts.first_started_at())
        if since is not None:
            await self._sweep_sessions(since - OVERLAP, began, found, look)
            async for fact in self.payments.list_facts(since - OVERLAP):
                await self._note(fact, found)
                look(found)
            await self.store.transact(lambda tx: tx.shop.advance_cursor(CURSOR, to=began))
        for payment, read in await self.recheck_payments():
            found.add(payment, read)
        return found

    async def _sweep_sessions(
        self, since: datetime, until: datetime, found: Reconciled, look: Callable[[Reconciled], None]
    ) -> None:
        """In the order of sale, in which licence keys were given out; the provider lists the newest first.

        Half a day at a time, so that a sweep over months needs no more memory than one over hours.
        """
        while since < until + _AHEAD:
            listed = self.payments.list_completed(since, since + _WINDOW)
            readings = [reading async for reading in listed]
            for reading in sorted(readings, key=lambda reading: (reading.reference or "", reading.ref)):
                await self._claim(reading, found)
                look(found)
            since += _WINDOW

    async def _claim(self, reading: ProviderCheckout, found: Reconciled) -> None:
        found.seen += 1
        if await self.store.read(lambda tx: _is_settled(tx, reading)):
            return
        claimed = await self.store.transact(self.claim.work(reading))
        self.claim.observe(claimed)
        if isinstance(claimed, Booked) and claimed.first:
            found.booked.append(reading.ref)
        if isinstance(claimed, Rejected):
            entry = await self.store.read(lambda tx: tx.quarantine.get(reading.ref))
            if entry is None or entry.closed_at is None:  # else the merchant dismissed it
                found.refused.append(reading.ref)

    async def _note(self, fact: Fact, found: Reconciled) -> None:
        found.seen += 1
        if await self.store.read(lambda tx: _is_recorded(tx, fact)):
            return
        if await self.store.transact(self.note.work(fact)) is FactOutcome.NEW:
            found.noted.append(fact.object_id)


def _is_settled(tx: ReadTransaction, reading: ProviderCheckout) -> bool:
    """Whether a completed session is booked already, or known to wait for its bank."""
    checkout = tx.checkouts.by_provider_ref(reading.ref)
    if checkout is None:
        return False
    if tx.purchases.get(checkout.id) is not None:
        return True
    fact = tx.facts.get(reading.ref)
    return fact is not None and fact.status == reading.status


def _is_recorded(tx: ReadTransaction, fact: Fact) -> bool:
    """Whether as much is recorded already, so that nothing has to be written."""
    held = tx.facts.get(fact.object_id)
    same = held is not None and (held.status, held.amount) == (fact.status, fact.amount)
    return same or fact.payment is None
