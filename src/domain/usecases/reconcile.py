"""Fetch from the payment provider what no webhook delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from domain.claim import ProviderCheckout, Rejected
from domain.fact import Fact
from domain.frozen import frozen
from domain.ports import Clock, Payments, PaymentsRefused, PaymentsUnreachable, Store
from domain.purchase import BookedBy
from domain.usecases import reconcile_cursors as lists
from domain.usecases.claim_outcome import Booked
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.expire_duplicates import ExpireDuplicates
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile_outcome import Reconciled
from domain.usecases.record_fact import FactOutcome, RecordFact

_WINDOW = timedelta(hours=12)
_AHEAD = timedelta(minutes=10)
"""How far the provider's clock may be ahead of this machine's."""
_Look = Callable[[Reconciled], None]
_Listing = Callable[[datetime], AsyncIterator[Fact]]
_Sweep = Callable[[datetime, datetime, Reconciled, _Look], Awaitable[None]]


@frozen
class Reconcile:
    """The same claim and the same facts as redirect and webhook, for what neither brought."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    note: RecordFact
    recheck_payments: RecheckPayments
    expire_duplicates: ExpireDuplicates
    clock: Clock

    async def __call__(self, *, look: _Look = lambda found: None) -> Reconciled:
        """Sweep each of the provider's lists from its own cursor. Raises PaymentsUnreachable, StoreUnavailable.

        A list that the provider refuses is reported, and keeps its cursor; the others are swept. One that cannot be
        reached keeps it, too, and is raised at the end. If none can be, the provider is down: nothing else is tried.
        The first sweep begins at the first checkout that is stored; without one there is nothing to ask for.
        `look` is called after each thing that was looked at.
        """
        began, found = self.clock.now(), Reconciled()
        # Refunds and disputes before the sales: one that was refunded meanwhile must take no licence key.
        sweeps: tuple[tuple[lists.ProviderList, _Sweep], ...] = (
            (lists.REFUNDS, partial(self._sweep_facts, self.payments.list_refunds)),
            (lists.DISPUTES, partial(self._sweep_facts, self.payments.list_disputes)),
            (lists.SESSIONS, self._sweep_sessions),
            (lists.WARNINGS, partial(self._sweep_facts, self.payments.list_fraud_warnings)),
        )
        down: list[PaymentsUnreachable] = []
        for which, sweep in sweeps:
            since = await self.store.read(partial(lists.begins_at, which=which, now=began))
            if since is None:
                continue
            try:
                await sweep(since, began, found, look)
                result = partial(lists.note_listed, which=which, now=began)
            except PaymentsUnreachable as error:
                down.append(error)
                continue
            except PaymentsRefused as refused:
                found.unlisted[which.name] = str(refused)
                said, shop = str(refused), self.claim.catalogue.current().shop
                result = partial(lists.note_refused, which=which, said=said, shop=shop, now=began)
            await self.store.transact(result)
        if len(down) < len(sweeps):
            for payment, read in await self.recheck_payments():
                found.add(payment, read)
            await self.expire_duplicates()
        if down:
            raise down[0]
        return found

    async def _sweep_facts(
        self, listing: _Listing, since: datetime, _until: datetime, found: Reconciled, look: _Look
    ) -> None:
        async for fact in listing(since):
            await self._note(fact, found)
            look(found)

    async def _sweep_sessions(self, since: datetime, until: datetime, found: Reconciled, look: _Look) -> None:
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
        if await self.store.read(lambda tx: lists.is_settled(tx, reading)):
            return
        claimed = await self.store.transact(self.claim.work(reading, by=BookedBy.RECONCILER))
        self.claim.observe(claimed)
        if isinstance(claimed, Booked) and claimed.first:
            found.booked.append(reading.ref)
        if isinstance(claimed, Rejected) and claimed.reason.is_foreign:
            found.foreign += 1
        elif isinstance(claimed, Rejected):
            entry = await self.store.read(lambda tx: tx.quarantine.get(reading.ref))
            if entry is None or entry.closed_at is None:  # else the merchant dismissed it
                found.refused.append(reading.ref)

    async def _note(self, fact: Fact, found: Reconciled) -> None:
        found.seen += 1
        if await self.store.read(lambda tx: lists.is_recorded(tx, fact)):
            return
        if await self.store.transact(self.note.work(fact)) is FactOutcome.NEW:
            found.noted.append(fact.object_id)
