"""Close a purchase by the merchant's own decision: a fact, an email to the customer and one audit line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain import outbox_keys
from domain.access import Holding, owned
from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.decision import decided, merchant_object
from domain.emails import AccessClosed
from domain.fact import Fact, MerchantStatus
from domain.frozen import frozen
from domain.mail import MailKind
from domain.ports import Clock, Randomness, Store
from domain.purchase import PurchaseState, is_revoking, order_number
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.decision_outcomes import Decided, Deciding, Unchanged, WhyUnchanged
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.send_email import send_email
from domain.values import CheckoutId

_OPENS_OR_MAY: Final = (PurchaseState.LIVE, PurchaseState.SUSPENDED)


@frozen
class RevokePurchase:
    """`coatcheck revoke`. Any purchase can be closed: also one that is refunded, whose refund may fail yet."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, order: str, *, actor: Actor, form: str, reason: str, tell: bool = True
    ) -> Deciding:
        """`order`: see `find_order`. `form`: names this request, however often it is submitted. `tell`: by email.

        Raises StoreUnavailable.
        """
        now, why = self.clock.now(), reason_of(reason)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> Deciding:
            before = already_decided(tx, form)
            if before is not None:
                return before
            held = find_order(tx, order)
            if held is None or isinstance(held, SeveralOrders):
                return held or Unchanged(WhyUnchanged.NO_SUCH_ORDER)
            purchase, state = held.purchase, held.standing.state
            if why is None:
                return Unchanged(WhyUnchanged.NO_REASON, purchase, state)
            if any(is_revoking(fact, held.facts) and not fact.request for fact in held.facts):
                return Unchanged(WhyUnchanged.ALREADY_REVOKED, purchase, state)
            not_allowed = refusal(tx, AuditAction.REVOKE, purchase.checkout, asked=asked)
            if not_allowed is not None:
                return not_allowed
            after = decide(tx, held, MerchantStatus.REVOKED, now=now)
            write_down(tx, asked.line(AuditAction.REVOKE, purchase.checkout, reason=why))
            key = outbox_keys.revoked(purchase.checkout, asked.id)
            told = tell and _tell(tx, held, key=key, now=now)
            return Decided(purchase, after.standing.state, told)

        return await self.store.transact(work)


def already_decided(tx: ReadTransaction, form: str) -> Decided | None:
    """What came of this form, if it was submitted before."""
    done = tx.audit.by_form(form)
    held = None if done is None else tx.purchases.with_facts(CheckoutId(done.object_id))
    if done is None or held is None:
        return None
    checkout = held.purchase.checkout
    keys = (outbox_keys.revoked(checkout, done.id), outbox_keys.open_again(checkout, done.id))
    told = any(tx.outbox.get(key) is not None for key in keys)
    return Decided(held.purchase, held.standing.state, told)


def decide(
    tx: Transaction, held: Holding, status: MerchantStatus, *, now: datetime, request: str = ""
) -> Holding:
    """Write the merchant's next decision about a purchase; the purchase with it. `request`: see `decided`."""
    checkout = held.purchase.checkout
    before = tx.facts.get(merchant_object(checkout))
    word = decided(before, checkout, status, now=now, request=request, facts=held.facts)
    tx.facts.record(word)
    return with_decision(held, word)


def with_decision(held: Holding, word: Fact) -> Holding:
    """The purchase with a decision in place of the one before."""
    others = (fact for fact in held.facts if fact.object_id != word.object_id)
    return Holding(purchase=held.purchase, facts=(*others, word))


def closing_email(before: Holding, others: Iterable[Holding]) -> AccessClosed | None:
    """What the customer of a closed purchase is emailed; None if there is nobody to email, or it was closed before.

    `others`: what else is at its address.
    """
    purchase = before.purchase
    if purchase.mailbox is None or before.standing.state not in _OPENS_OR_MAY:
        return None
    return AccessClosed(
        product_name=purchase.product_name,
        order=order_number(purchase.checkout),
        elsewhere=purchase.product in owned(others),
    )


def _tell(tx: Transaction, before: Holding, *, key: str, now: datetime) -> bool:
    to, order = before.purchase.mailbox, before.purchase.checkout
    if to is None:
        return False
    others = [one for one in tx.purchases.of_address(to) if one.purchase.checkout != order]
    email = closing_email(before, others)
    return email is not None and send_email(tx, email, key=key, kind=MailKind.UPDATE, to=to, now=now)
