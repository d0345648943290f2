"""Send what was asked for to the payment provider: never twice, and never lost, whoever dies between any two steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from domain.decision import merchant_object, without_request
from domain.fact import Fact, MerchantStatus
from domain.frozen import frozen
from domain.ports import Clock, Payments, PaymentsFailed, PaymentsRefused, PaymentsUnreachable, Store
from domain.refund import PAUSE_AFTER_FAILURE, RefundRequest, RefundState
from domain.transaction import Transaction
from domain.usecases.record_fact import RecordFact
from domain.usecases.revoke_purchase import decide

LEASE: Final = timedelta(minutes=2)
"""Longer than the two calls that a try takes. Two workers with one request would be safe all the same: one key."""
_LONGEST_WORDS: Final = 500


@frozen
class SendRefunds:
    """Works off the requests that are due, on any number of nodes.

    No answer: the same key again, under which the provider repeats what it did. An error of the provider's own: it
    would repeat that, too, so a minute later its refunds are listed; what is not among them is sent under the next key.
    A refusal ends the request.
    """

    store: Store
    payments: Payments
    note: RecordFact
    clock: Clock
    base_url: str

    async def __call__(self) -> int:
        """How many requests were taken up. Raises StoreUnavailable."""
        taken = 0
        while (request := await self._lease()) is not None:
            taken += 1
            await self._send(request)
        return taken

    async def take_back(self) -> int:
        """End the leases that a dead process left behind; how many requests are due again.

        Only for the one process of a shop, at its start, as `LeaseMail.take_back`. Raises StoreUnavailable.
        """
        now = self.clock.now()
        return await self.store.transact(
            lambda tx: tx.refund_requests.free_leases(now=now, until=now + LEASE)
        )

    async def _lease(self) -> RefundRequest | None:
        """None while the database belongs to another address (`OwnAddress`): the shop there sends them."""
        now = self.clock.now()

        def work(tx: Transaction) -> RefundRequest | None:
            if tx.shop.base_url() not in (None, self.base_url):
                return None
            return tx.refund_requests.lease(now=now, until=now + LEASE)

        return await self.store.transact(work)

    async def _send(self, request: RefundRequest) -> None:
        try:
            current = await self._with_good_key(request)
            if current is None:
                return
            fact = await self.payments.refund(
                current.payment,
                current.amount.amount,
                key=current.key,
                request=current.id,
                cause=current.cause,
            )
        except PaymentsFailed as error:
            await self._put_off(request, str(error), failed=True)
        except PaymentsUnreachable as error:
            await self._put_off(request, str(error))
        except PaymentsRefused as error:
            await self._refused(request, str(error))
        else:
            await self._done(request, fact)

    async def _with_good_key(self, request: RefundRequest) -> RefundRequest | None:
        """The request under a key that was never answered; None if it is settled, or another worker has it."""
        now = self.clock.now()
        if not request.must_look_first(now=now):
            return request
        try:
            made = await self._made(request)
        except PaymentsRefused as error:  # without its refunds nobody knows what another key would do
            await self._put_off(request, str(error))
            return None
        if made is not None:
            await self._done(request, made)
            return None
        renewed = replace(request, attempt=request.attempt + 1, keyed_at=now, failed=False)
        ours = await self.store.transact(lambda tx: tx.refund_requests.follow_up(request, by=renewed))
        return renewed if ours else None

    async def _made(self, request: RefundRequest) -> Fact | None:
        """The refund that the provider made of this request, if it made one."""
        return next(
            (fact for fact in await self.payments.refunds_of(request.payment) if fact.request == request.id),
            None,
        )

    async def _done(self, request: RefundRequest, fact: Fact) -> None:
        """The same object as the webhook's, with the same effects, whoever comes first; it settles the request."""
        await self.store.transact(self.note.work(replace(fact, request=request.id, payment=request.payment)))

    async def _put_off(self, request: RefundRequest, said: str, *, failed: bool = False) -> None:
        now = self.clock.now()

        def work(tx: Transaction) -> None:
            held = _still_ours(tx, request)
            if held is None:
                return
            doubtful = failed or held.failed
            pause = max(PAUSE_AFTER_FAILURE, request.pause()) if doubtful else request.pause()
            by = replace(held, due_at=now + pause, failed=doubtful, problem=said[:_LONGEST_WORDS])
            tx.refund_requests.follow_up(held, by=by)

        await self.store.transact(work)

    async def _refused(self, request: RefundRequest, said: str) -> None:
        """It ends, unless an earlier try was done after all: then the provider refuses to refund the same twice."""
        try:
            made = await self._made(request) if request.tries > 1 else None
        except PaymentsUnreachable as error:
            await self._put_off(request, str(error))
            return
        except PaymentsRefused:
            made = None
        if made is not None:
            await self._done(request, made)
            return
        now = self.clock.now()
        await self.store.transact(lambda tx: _end(tx, request, said, now=now))


def _still_ours(tx: Transaction, request: RefundRequest) -> RefundRequest | None:
    """The request as it stands, if it is open and no other worker has taken it up since."""
    held = tx.refund_requests.get(request.id)
    if held is None or (held.due_at, held.tries) != (request.due_at, request.tries):
        return None
    return held


def _end(tx: Transaction, request: RefundRequest, said: str, *, now: datetime) -> None:
    """Refused, with the provider's words. Access that ended with it alone is back."""
    held = _still_ours(tx, request)
    if held is None:
        return
    by = replace(held, state=RefundState.REFUSED, problem=said[:_LONGEST_WORDS], settled_at=now)
    if not tx.refund_requests.follow_up(held, by=by):
        return
    others = without_request(tx.facts.get(merchant_object(request.checkout)), request.id)
    purchase = tx.purchases.with_facts(request.checkout)
    if others is not None and purchase is not None:
        status = MerchantStatus.REVOKED if others else MerchantStatus.RESTORED
        decide(tx, purchase, status, now=now, request=others)
