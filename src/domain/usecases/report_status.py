"""Report the state of the shop to the merchant, and let them settle what is waiting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain import outbox_keys
from domain.access import Holding
from domain.audit import ASKS_REASON, ENTROPY, AuditAction, AuditResult, ByHand, reason_of
from domain.frozen import frozen
from domain.keys import Keyring
from domain.mail import Mail, MailProblem, MailState
from domain.ports import Clock, Randomness, Store
from domain.purchase import PurchaseState
from domain.records import Problem, Quarantined, Tally
from domain.refund import RefundRequest
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.act_on_fraud_warnings import open_warnings
from domain.usecases.authorise import refusal
from domain.usecases.queue_anew import queue_by_hand
from domain.usecases.unreached_customers import unreached_customers
from domain.values import LinkId, ProviderRef

LATE = timedelta(minutes=10)
ASKED_FOR = timedelta(days=30)
"""How long a purchase without an address counts as waiting. Nobody but its buyer knows an address, so it must not do so
for ever."""
_CLOSED: Final = (PurchaseState.REFUNDED, PurchaseState.CHARGED_BACK, PurchaseState.REVOKED)


@frozen
class Status:
    """The shop in figures, and everything that needs the merchant."""

    tally: Tally
    mails: Sequence[Mail]
    """Stuck, or late."""
    noted: Sequence[Mail]
    """Sent before under the same key, with another body: nothing to do unless their readers miss them."""
    bounced: Sequence[Mail]
    """Access emails that came back, of customers who have not been reached since."""
    quarantine: Sequence[Quarantined]
    problems: Sequence[Problem] = ()
    without_owner: Sequence[Holding] = ()
    """Purchases that are open, and belong to no address, because the one given at the payment cannot be emailed."""
    refunds: Sequence[RefundRequest] = ()
    """Asked for, and without an answer for long, refused, or failed."""
    fraud_warnings: Sequence[Holding] = ()
    """Purchases that a refund now would spare a dispute."""
    asked_for: bool = False
    """Whether one of those is so new that its buyer may still ask for it."""

    @property
    def all_well(self) -> bool:
        """Whether nothing waits."""
        waiting = self.mails, self.bounced, self.quarantine, self.problems, self.refunds, self.fraud_warnings
        return not any((*waiting, self.asked_for))


class SentAgain(Enum):
    """The outcome of a request to send an email again."""

    QUEUED = auto()
    NO_SUCH_MAIL = auto()
    STILL_QUEUED = auto()
    QUEUED_BEFORE = auto()
    """It was sent again already, under the next key."""
    TOO_LATE = auto()
    """Its link can do nothing any more, or the purchase belongs to another address by now."""


@frozen
class ReasonMissing:
    """Nothing was dismissed: the reason is empty, or too long."""


@frozen
class ReportStatus:
    """`coatcheck status`."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self) -> Status:
        """Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: ReadTransaction) -> Status:
            mails = tx.outbox.waiting(now, late=LATE)
            orders = map(tx.purchases.with_facts, tx.problems.orders_without_owner())
            found = [held for held in orders if held is not None and held.standing.state not in _CLOSED]
            return Status(
                tally=tx.shop.tally(),
                mails=[mail for mail in mails if mail.state in (MailState.QUEUED, MailState.STUCK)],
                noted=[
                    mail
                    for mail in mails
                    if mail.problem == MailProblem.KEY_USED
                    and tx.outbox.get(outbox_keys.anew(mail.key)) is None
                ],
                bounced=unreached_customers(tx, mails),
                quarantine=tx.quarantine.open_entries(),
                problems=tx.problems.open(),
                without_owner=found,
                refunds=tx.refund_requests.waiting(before=now - LATE),
                fraud_warnings=[held for held, _ in open_warnings(tx)],
                asked_for=any(now - held.purchase.booked_at < ASKED_FOR for held in found),
            )

        return await self.store.read(work)

    async def dismiss(
        self, ref: str, *, actor: Actor, form: str, reason: str = ""
    ) -> bool | ReasonMissing | NotAllowed:
        """Take something off the list, by its id; whether it was there.

        A quarantine entry that is no sale of this shop, a bounced email (its key), a refund that came to nothing.
        `reason`: see `domain.audit.reason_of`; a quarantine entry needs one, and for nothing else it is kept.
        """
        now, why = self.clock.now(), reason_of(reason)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> bool | ReasonMissing | NotAllowed:
            if tx.audit.by_form(form) is not None:
                return True
            found = _on_the_list(tx, ref)
            action, object_id = found or (
                AuditAction.DISMISS_PAYMENT,
                "",
            )  # the log holds nothing that was typed
            not_allowed = refusal(tx, action, object_id, asked=asked)
            if not_allowed is not None:
                return not_allowed
            if found is None:
                return False
            asks = action in ASKS_REASON
            if asks and why is None:
                return ReasonMissing()
            line = asked.line(action, object_id, reason=(why or "") if asks else "")
            return _dismiss(tx, action, ref, now=now) and tx.audit.append(line)

        return await self.store.transact(work)

    async def send_again(self, key: str, *, actor: Actor, form: str) -> SentAgain | NotAllowed:
        """Queue a mail anew under a new key, with a new link. The merchant knows best whether it came."""
        now = self.clock.now()
        spare = LinkId(self.randomness.token(16).hex())
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> SentAgain | NotAllowed:
            done = tx.audit.by_form(form)
            if done is not None:
                return SentAgain.TOO_LATE if done.result is AuditResult.DROPPED else SentAgain.QUEUED
            mail = tx.outbox.get(key)
            if mail is None:
                return SentAgain.NO_SUCH_MAIL
            if mail.state is MailState.QUEUED:
                return SentAgain.STILL_QUEUED
            if mail.state is MailState.DROPPED and mail.problem == MailProblem.QUEUED_AGAIN:
                return SentAgain.QUEUED_BEFORE
            not_allowed = refusal(tx, AuditAction.SEND_AGAIN, key, asked=asked)
            if not_allowed is not None:
                return not_allowed
            queued = queue_by_hand(tx, mail, spare, asked, keyring=self.keyring)
            return SentAgain.QUEUED if queued else SentAgain.TOO_LATE

        return await self.store.transact(work)


def _on_the_list(tx: ReadTransaction, ref: str) -> tuple[AuditAction, str] | None:
    """What dismissing this id is, and the object that its audit line names; None if there is nothing of that id."""
    request = tx.refund_requests.get(ref)
    if request is not None:
        return AuditAction.DISMISS_REFUND, request.checkout
    if tx.quarantine.get(ProviderRef(ref)) is not None:
        return AuditAction.DISMISS_PAYMENT, ref
    return None if tx.outbox.get(ref) is None else (AuditAction.DISMISS_BOUNCE, ref)


def _dismiss(tx: Transaction, action: AuditAction, ref: str, *, now: datetime) -> bool:
    match action:
        case AuditAction.DISMISS_REFUND:
            return tx.refund_requests.dismiss(ref)
        case AuditAction.DISMISS_BOUNCE:
            return tx.outbox.dismiss_bounce(ref)
        case _:
            return tx.quarantine.close(ProviderRef(ref), at=now)
