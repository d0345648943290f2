"""Ask the payment provider by hand: sweep its lists now, or read one session or payment again."""

from __future__ import annotations

from enum import Enum

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.claim import AwaitingPayment, Rejected
from domain.frozen import frozen
from domain.ports import Clock, Payments, Randomness, Store
from domain.purchase import BookedBy
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.claim_outcome import Booked, ClaimOutcome
from domain.usecases.claim_purchase import ClaimPurchase
from domain.usecases.recheck_payments import Recheck, RecheckPayments
from domain.usecases.reconcile_by_hand import ReconcileByHand
from domain.usecases.reconcile_outcome import Reconciled
from domain.values import ProviderRef, is_payment, is_provider_ref


class ReadAgain(Enum):
    """What reading a session or payment again brought."""

    REPAIRED = "repaired"
    """It was booked, or something new of it was noted."""
    KNOWN = "known"
    """The shop knew it as it is."""
    AWAITING = "awaiting"
    """Its money is under way."""
    FOREIGN = "foreign"
    """No sale of this shop."""
    REFUSED = "refused"
    """It is in quarantine, or stays there."""
    NOT_THERE = "not-there"
    """The provider knows no such session, or nothing was paid."""
    UNREACHABLE = "unreachable"
    """A payment that is asked about again by itself."""
    NOT_AN_ID = "not-an-id"


_OF_PAYMENT = {
    Recheck.REPAIRED: ReadAgain.REPAIRED, Recheck.KNOWN: ReadAgain.KNOWN, Recheck.FOREIGN: ReadAgain.FOREIGN,
    Recheck.REFUSED: ReadAgain.REFUSED, Recheck.UNREACHABLE: ReadAgain.UNREACHABLE,
}  # fmt: skip


@frozen
class AskProvider:
    """What the reconciler does by itself, now and by hand: the same claim, so asking twice changes nothing."""

    store: Store
    payments: Payments
    claim: ClaimPurchase
    reconcile: ReconcileByHand
    recheck_payments: RecheckPayments
    clock: Clock
    randomness: Randomness

    async def sweep(self, *, actor: Actor, form: str) -> Reconciled | NotAllowed:
        """Read every list of the provider's. Raises what `Reconcile` raises."""
        return await self.reconcile(actor=actor, form=form)

    async def read(self, ref: str, *, actor: Actor, form: str) -> ReadAgain | NotAllowed:
        """Read one session or payment. Raises PaymentsUnreachable, PaymentsRefused, StoreUnavailable."""
        if not is_provider_ref(ref) and not is_payment(ref):
            return ReadAgain.NOT_AN_ID
        refused = await self._note(AuditAction.READ_AGAIN, ref, actor, form)
        if refused is not None:
            return refused
        return await self._session(ProviderRef(ref)) if is_provider_ref(ref) else await self._payment(ref)

    async def _session(self, ref: ProviderRef) -> ReadAgain:
        reading = await self.payments.retrieve_checkout(ref)
        if reading is None:
            return ReadAgain.NOT_THERE
        work = self.claim.retrying(reading, now=self.clock.now(), retry_at=None, by=BookedBy.RECONCILER)
        claimed = await self.store.transact(work)
        self.claim.observe(claimed)
        return _outcome(claimed)

    async def _payment(self, payment: str) -> ReadAgain:
        now = self.clock.now()
        await self.store.transact(lambda tx: tx.rechecks.schedule(payment, at=now, due_at=now))
        read = dict(await self.recheck_payments()).get(payment)
        # Another process may have been faster.
        return ReadAgain.KNOWN if read is None else _OF_PAYMENT[read]

    async def _note(self, action: AuditAction, of: str, actor: Actor, form: str) -> NotAllowed | None:
        asked = ByHand.asked(actor, form=form, now=self.clock.now(), entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> NotAllowed | None:
            refused = refusal(tx, action, of, asked=asked)
            if refused is None:
                write_down(tx, asked.line(action, of))
            return refused

        return await self.store.transact(work)


def _outcome(claimed: ClaimOutcome) -> ReadAgain:
    match claimed:
        case Booked():
            return ReadAgain.REPAIRED if claimed.first else ReadAgain.KNOWN
        case AwaitingPayment():
            return ReadAgain.AWAITING
        case Rejected():
            return ReadAgain.FOREIGN if claimed.reason.is_foreign else ReadAgain.REFUSED
        case _:
            return ReadAgain.NOT_THERE
