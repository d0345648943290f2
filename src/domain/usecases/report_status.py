"""Report the state of the shop to the merchant, and let them settle what is waiting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Final

from domain import outbox_keys
from domain.access import Holding
from domain.audit import ASKS_REASON, ENTROPY, AuditAction, AuditResult, ByHand, reason_of
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import RESENT_BY_MERCHANT
from domain.mail import Mail, MailProblem, MailState
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.records import Problem, Quarantined, Tally
from domain.refund import RefundRequest
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.list_todo import (
    ASKED_FOR,
    LATE,
    Mistakes,
    Task,
    TodoList,
    is_without_address,
    todo_list,
)
from domain.usecases.queue_anew import queue_by_hand
from domain.values import LinkId, ProviderRef

_MOST: Final = 1_000
"""Rows of each task that one command prints."""


@frozen
class Status:
    """The shop in figures, and everything that waits for the merchant."""

    tally: Tally
    todo: TodoList
    noted: Sequence[Mail]
    """Sent before under the same key, with another body: nothing to do unless their readers miss them."""
    never_asked_for: Sequence[Holding] = ()
    """Purchases that have been without an address for so long that nobody waits for one any more."""

    @property
    def all_well(self) -> bool:
        """Whether nothing urgent waits."""
        return self.todo.all_well

    @property
    def mails(self) -> Sequence[Mail]:
        """Stuck, or late."""
        return self.todo.about(Mail, Task.STUCK_EMAIL, Task.LATE_EMAIL)

    @property
    def bounced(self) -> Sequence[Mail]:
        """Access emails that came back, of customers who have not been reached since."""
        return self.todo.about(Mail, Task.BOUNCED_EMAIL)

    @property
    def quarantine(self) -> Sequence[Quarantined]:
        """Payments that the shop does not act on."""
        return self.todo.about(Quarantined, Task.QUARANTINED)

    @property
    def problems(self) -> Sequence[Problem]:
        """What the payment provider refuses."""
        return self.todo.about(Problem, Task.REFUSED_BY_PROVIDER)

    @property
    def shared_limits(self) -> Sequence[Problem]:
        """Why visitors cannot be told apart."""
        return self.todo.about(Problem, Task.LIMITS_SHARED)

    @property
    def without_owner(self) -> Sequence[Holding]:
        """Purchases that are open, and belong to no address, because the one given at the payment cannot be emailed."""
        return [*self.never_asked_for, *self.todo.about(Holding, Task.WITHOUT_ADDRESS)]

    @property
    def refunds(self) -> Sequence[RefundRequest]:
        """Asked for, and without an answer for long, refused, or failed."""
        return self.todo.about(RefundRequest, Task.REFUND)

    @property
    def fraud_warnings(self) -> Sequence[Holding]:
        """Purchases that a refund now would spare a dispute."""
        return self.todo.about(Holding, Task.FRAUD_WARNING)


class SentAgain(Enum):
    """The outcome of a request to send an email again."""

    QUEUED = auto()
    NO_SUCH_MAIL = auto()
    STILL_QUEUED = auto()
    QUEUED_BEFORE = auto()
    """It was sent again already, under the next key."""
    TOO_LATE = auto()
    """Its link can do nothing any more, or the purchase belongs to another address by now."""
    ENOUGH = auto()
    """Staff emailed its address three times again within the hour (`RESENT_BY_MERCHANT`)."""


@frozen
class ReasonMissing:
    """Nothing was dismissed: the reason is empty, or too long."""


@frozen
class ReportStatus:
    """`coatcheck status`: the list that the back office shows as "To do", in full, and the figures beside it."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self) -> Status:
        """Raises StoreUnavailable."""
        now, edition = self.clock.now(), self.catalogue.current()
        mistakes = Mistakes(tuple(self.catalogue.problems))

        def work(tx: ReadTransaction) -> Status:
            orders = filter(
                is_without_address, map(tx.purchases.with_facts, tx.problems.orders_without_owner())
            )
            return Status(
                tally=tx.shop.tally(),
                todo=todo_list(tx, edition, mistakes, now, most=_MOST),
                noted=[
                    mail
                    for mail in tx.outbox.waiting(now, late=LATE)
                    if mail.problem == MailProblem.KEY_USED
                    and tx.outbox.get(outbox_keys.anew(mail.key)) is None
                ],
                never_asked_for=[held for held in orders if now - held.purchase.booked_at >= ASKED_FOR],
            )

        return await self.store.survey(work)

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
            if not _dismiss(tx, action, ref, now=now):
                return False
            write_down(tx, asked.line(action, object_id, reason=(why or "") if asks else ""))
            return True

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
            if self._is_enough(tx, mail, asked):
                return SentAgain.ENOUGH
            queued = queue_by_hand(tx, mail, spare, asked, keyring=self.keyring)
            return SentAgain.QUEUED if queued else SentAgain.TOO_LATE

        return await self.store.transact(work)

    def _is_enough(self, tx: Transaction, mail: Mail, asked: ByHand) -> bool:
        """Whether there is no place under the limit for a further email to this address; else one is taken.

        What was refused reached nobody, and is not counted. Nor is what is done on the host.
        """
        if mail.state is MailState.STUCK or asked.actor.on_the_host:
            return False
        bucket = self.keyring.bucket(RESENT_BY_MERCHANT.kind, mail.to.canonical)
        return tx.limits.acquire(bucket, RESENT_BY_MERCHANT, now=asked.at, ref=asked.id) is not None


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
