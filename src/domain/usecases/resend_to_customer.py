"""The merchant has the access link emailed again: to the address that the order belongs to, and to no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.access import Holding
from domain.audit import ENTROPY, AuditAction, AuditLine, ByHand
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.keys import Keyring
from domain.limits import RESENT_BY_MERCHANT
from domain.mail import Delivery, Mail, MailKind, MailState
from domain.outbox_keys import sale_of
from domain.ports import Catalogue, Clock, Randomness, Store
from domain.purchase import Purchase, PurchaseState
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.request_login import NotAnAddress
from domain.usecases.resend_access_link import send_access_again
from domain.usecases.resend_outcomes import AccessQueued, NotSent, Resending, WhyNotSent
from domain.values import CheckoutId, EmailAddress, InvalidEmail, LinkId

_CLOSED: Final = {
    PurchaseState.REFUNDED: WhyNotSent.REFUNDED,
    PurchaseState.CHARGED_BACK: WhyNotSent.CHARGED_BACK,
    PurchaseState.REVOKED: WhyNotSent.REVOKED,
}


@frozen
class ResendToCustomer:
    """`coatcheck resend`. One email at most: for an address it names the newest order that is open."""

    store: Store
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(self, wanted: str, *, actor: Actor, form: str) -> Resending:
        """`wanted`: an order (`find_order`), or the address of a customer. `form`: as in `GrantProduct`.

        Raises StoreUnavailable.
        """
        mailbox = None
        if "@" in wanted:
            try:
                mailbox = EmailAddress.parse(wanted)
            except InvalidEmail as error:
                return NotAnAddress(error.problem)
        now, edition = self.clock.now(), self.catalogue.current()
        link = LinkId(self.randomness.token(16).hex())
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> Resending:
            done = tx.audit.by_form(form)
            if done is not None:
                return _first_result(tx, done)
            held = find_order(tx, wanted) if mailbox is None else _newest(tx, mailbox)
            if isinstance(held, SeveralOrders):
                return held
            if held is None:
                return NotSent(WhyNotSent.NO_SUCH_ORDER if mailbox is None else WhyNotSent.NO_SUCH_CUSTOMER)
            to, why = held.purchase.mailbox, _why_closed(tx, held)
            if to is None or why is not None:
                return NotSent(why or WhyNotSent.WITHOUT_ADDRESS, held.purchase)
            mails = [mail for mail in tx.outbox.to_address(to) if mail.kind is MailKind.ACCESS]
            if any(_waits(mail, held.purchase) for mail in mails):
                return NotSent(WhyNotSent.STILL_QUEUED, held.purchase)
            refused = self._refusal(tx, held.purchase, to, asked, ref=link)
            if refused is not None:
                return refused
            send_access_again(
                tx, held, to, link=link, edition=edition, key=self.keyring.signing.name, now=now
            )
            write_down(tx, asked.line(AuditAction.RESEND, held.purchase.checkout))
            bounced = bool(mails) and mails[-1].delivery is Delivery.BOUNCED
            return AccessQueued(
                mailbox=to, order=held.purchase, others=_others(tx, to, held.purchase), bounced=bounced
            )

        return await self.store.transact(work)

    def _refusal(
        self, tx: Transaction, order: Purchase, to: EmailAddress, asked: ByHand, *, ref: str
    ) -> NotAllowed | NotSent | None:
        """None if the actor may, and there is a place under the limit, which is taken then."""
        not_allowed = refusal(tx, AuditAction.RESEND, order.checkout, asked=asked)
        bucket = self.keyring.bucket(RESENT_BY_MERCHANT.kind, to.canonical)
        if not_allowed is not None:
            return not_allowed
        if tx.limits.acquire(bucket, RESENT_BY_MERCHANT, now=asked.at, ref=ref) is not None:
            return NotSent(WhyNotSent.ENOUGH, order)
        return None


def _first_result(tx: ReadTransaction, done: AuditLine) -> Resending:
    order = tx.purchases.get(CheckoutId(done.object_id))
    if order is None or order.mailbox is None:
        return NotSent(WhyNotSent.ERASED, order)
    return AccessQueued(
        mailbox=order.mailbox, order=order, others=_others(tx, order.mailbox, order), bounced=False
    )


def _others(tx: ReadTransaction, mailbox: EmailAddress, order: Purchase) -> tuple[Purchase, ...]:
    found = (held.purchase for held in _open(tx, mailbox))
    return tuple(purchase for purchase in found if purchase.checkout != order.checkout)


def _open(tx: ReadTransaction, mailbox: EmailAddress) -> Sequence[Holding]:
    return [held for held in tx.purchases.of_address(mailbox) if _why_closed(tx, held) is None]


def _newest(tx: ReadTransaction, mailbox: EmailAddress) -> Holding | None:
    """The newest order of an address that is open; if none is, the newest."""
    found = _open(tx, mailbox) or tx.purchases.of_address(mailbox)
    return found[-1] if found else None


def _why_closed(tx: ReadTransaction, held: Holding) -> WhyNotSent | None:
    """Why there is nothing to open."""
    purchase = held.purchase
    if purchase.livemode is False and tx.shop.cursor(STARTED_LIVE) is not None:
        return WhyNotSent.TEST_PURCHASE
    if purchase.mailbox is None and tx.erasures.is_erased(purchase.checkout):
        return WhyNotSent.ERASED
    if held.standing.state is PurchaseState.SUSPENDED:
        return WhyNotSent.IN_DISPUTE if held.in_dispute else WhyNotSent.UNKNOWN_STATUS
    return _CLOSED.get(held.standing.state)


def _waits(mail: Mail, purchase: Purchase) -> bool:
    return mail.state is MailState.QUEUED and sale_of(mail.key) == purchase.checkout
