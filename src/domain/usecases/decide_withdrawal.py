"""Accept or refuse a withdrawal. Accepting asks for the refund of what is left, and ends access while that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.access import Holding
from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.emails import Email
from domain.frozen import frozen
from domain.mail import MailKind
from domain.ports import Catalogue, Clock, Payments, Randomness, Store
from domain.purchase import order_number
from domain.refund import RefundCause, refundable
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.refund_outcomes import NotRefunded
from domain.usecases.request_refund import (
    add_request,
    refund_refusal,
    refund_request,
    why_not_refundable,
)
from domain.usecases.send_email import send_email
from domain.usecases.withdrawal_outcomes import (
    DecidedOn,
    DecidingOnWithdrawal,
    Undecided,
    WhyUndecided,
)
from domain.values import Money
from domain.withdrawal import Withdrawal, WithdrawalState, unlinked
from domain.withdrawal_emails import WithdrawalAccepted, WithdrawalRefused


@frozen
class DecideWithdrawal:
    """`coatcheck withdrawals`. The checks, the decision, the refund request and the email are one transaction."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    clock: Clock
    randomness: Randomness

    async def accept(self, withdrawal: str, *, actor: Actor, form: str) -> DecidingOnWithdrawal:
        """Only of a purchase whose holder confirmed it. `form`: as ever. Raises StoreUnavailable."""
        asked = self._asked(actor, form)
        livemode, limits = self.payments.livemode, self.catalogue.current().shop.support_refunds

        def work(tx: Transaction) -> DecidingOnWithdrawal:
            found = _undecided(tx, withdrawal, AuditAction.ACCEPT_WITHDRAWAL, asked)
            if not isinstance(found, Withdrawal):
                return found
            held = None if found.checkout is None else tx.purchases.with_facts(found.checkout)
            if held is None:
                return Undecided(WhyUndecided.NO_PURCHASE, found)
            if found.proved_at is None:
                return Undecided(WhyUndecided.NOT_PROVED, found)
            return _accept(tx, found, held, asked, livemode=livemode, limits=limits)

        return await self.store.transact(work)

    async def refuse(self, withdrawal: str, *, actor: Actor, form: str, reason: str) -> DecidingOnWithdrawal:
        """The person is emailed the reason. `form`: as ever. Raises StoreUnavailable."""
        asked, why = self._asked(actor, form), reason_of(reason)

        def work(tx: Transaction) -> DecidingOnWithdrawal:
            found = _undecided(tx, withdrawal, AuditAction.REFUSE_WITHDRAWAL, asked)
            if not isinstance(found, Withdrawal):
                return found
            if why is None:
                return Undecided(WhyUndecided.NO_REASON, found)
            about = found.checkout or found.id
            write_down(tx, asked.line(AuditAction.REFUSE_WITHDRAWAL, about, reason=why))
            order = "" if found.checkout is None else order_number(found.checkout)
            refused = _decided(found, WithdrawalState.REFUSED, asked, reason=why)
            tx.withdrawals.decide(refused)
            _tell(tx, refused, WithdrawalRefused(why, unlinked(found.contract), order), now=asked.at)
            return DecidedOn(refused)

        return await self.store.transact(work)

    def _asked(self, actor: Actor, form: str) -> ByHand:
        entropy = self.randomness.token(ENTROPY)
        return ByHand.asked(actor, form=form, now=self.clock.now(), entropy=entropy)


_COMES_TO: Final = {
    AuditAction.ACCEPT_WITHDRAWAL: WithdrawalState.ACCEPTED,
    AuditAction.REFUSE_WITHDRAWAL: WithdrawalState.REFUSED,
}


def _undecided(
    tx: Transaction, withdrawal: str, action: AuditAction, asked: ByHand
) -> Withdrawal | DecidedOn | Undecided | NotAllowed:
    """The withdrawal, if the actor may decide and it waits for that; else what came of this form before, or why not."""
    found = tx.withdrawals.get(withdrawal)
    about = withdrawal if found is None else found.checkout or found.id
    not_allowed = refusal(tx, action, about, asked=asked)
    if not_allowed is not None:
        return not_allowed
    if found is None:
        return Undecided(WhyUndecided.NO_SUCH_WITHDRAWAL)
    if found.state is WithdrawalState.OPEN:
        return found
    if found.state is _COMES_TO[action] and tx.audit.by_form(asked.form) is not None:
        request = tx.refund_requests.get(found.request) if found.request else None
        return DecidedOn(found, None if request is None else request.amount)
    return Undecided(WhyUndecided.DECIDED_BEFORE, found)


def _accept(
    tx: Transaction, found: Withdrawal, held: Holding, asked: ByHand, *, livemode: bool, limits: Sequence[Money]
) -> DecidedOn | NotRefunded | NotAllowed:  # fmt: skip
    purchase, now = held.purchase, asked.at
    left = Money(refundable(held, tx.refund_requests.of_purchase(purchase.checkout)), purchase.paid.currency)
    why = why_not_refundable(tx, held, livemode=livemode) if left.amount else None
    if why is not None:
        return NotRefunded(why, purchase, left)
    action = AuditAction.ACCEPT_WITHDRAWAL
    not_allowed = refund_refusal(tx, purchase, left, asked, limits=limits, action=action)
    if not_allowed is not None:
        return not_allowed
    write_down(tx, asked.line(action, purchase.checkout))
    accepted = _decided(found, WithdrawalState.ACCEPTED, asked, request=asked.id if left.amount else "")
    tx.withdrawals.decide(accepted)
    if left.amount:
        request = refund_request(
            asked, purchase, left, reason="", tell=True, cause=RefundCause.REQUESTED, now=now
        )
        add_request(tx, held, request, close=True, now=now)
    refund = left if left.amount else None
    email = WithdrawalAccepted(purchase.product_name, order_number(purchase.checkout), refund)
    _tell(tx, accepted, email, now=now)
    return DecidedOn(accepted, refund)


def _decided(
    found: Withdrawal, state: WithdrawalState, asked: ByHand, *, reason: str = "", request: str = ""
) -> Withdrawal:
    return replace(
        found, state=state, decided_at=asked.at, decided_by=asked.actor.name, reason=reason, request=request
    )


def _tell(tx: Transaction, decided: Withdrawal, email: Email, *, now: datetime) -> None:
    """At the address that the statement gave: whose it is, was proved where it matters."""
    if decided.email is not None:
        key = outbox_keys.withdrawal_answer(decided.checkout, decided.id)
        send_email(tx, email, key=key, kind=MailKind.WITHDRAWAL, to=decided.email, now=now)
