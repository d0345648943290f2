"""Ask for a refund: our own row first. A worker sends it to the payment provider (`SendRefunds`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.access import Holding
from domain.amounts import AmountProblem, typed_amount
from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.decision import merchant_object, with_request
from domain.fact import FactKind, MerchantStatus
from domain.frozen import frozen
from domain.ports import Catalogue, Clock, Payments, Randomness, Store
from domain.purchase import Purchase, is_revoking
from domain.refund import CAME_TO_NOTHING, RefundCause, RefundRequest, refundable
from domain.rights import NotAllowed, Verdict
from domain.staff import Actor, Role
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, refuse, write_down
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.refund_outcomes import (
    AskingForRefund,
    NotAnAmount,
    NotRefunded,
    RefundAsked,
    WhyNotRefunded,
)
from domain.usecases.revoke_purchase import decide
from domain.values import CheckoutId, Money


@frozen
class RequestRefund:
    """`coatcheck refund`. All checks and the row are one transaction, so two people cannot refund the same money."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    clock: Clock
    randomness: Randomness

    async def __call__(
        self,
        order: str,
        typed: str = "",
        *,
        actor: Actor,
        form: str,
        reason: str,
        close: bool = False,
        tell: bool = True,
        cause: RefundCause = RefundCause.REQUESTED,
    ) -> AskingForRefund:
        """`order`: see `find_order`. `typed`: the amount in major units; "" for all that is left. `form`: as ever.

        `close`: access ends as well, for as long as this refund counts, whatever becomes of others. `tell`: the
        customer is emailed once the provider confirms it. Raises StoreUnavailable.
        """
        now, why = self.clock.now(), reason_of(reason)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        livemode, limits = self.payments.livemode, self.catalogue.current().shop.support_refunds

        def work(tx: Transaction) -> AskingForRefund:
            before = _asked_before(tx, form)
            if before is not None:
                return before
            held = find_order(tx, order)
            if held is None or isinstance(held, SeveralOrders):
                return held or NotRefunded(WhyNotRefunded.NO_SUCH_ORDER)
            purchase = held.purchase
            if why is None:
                return NotRefunded(WhyNotRefunded.NO_REASON, purchase)
            refused = _refused(tx, held, livemode=livemode)
            amount = refused or _amount_of(tx, held, typed)
            if not isinstance(amount, Money):
                return amount
            not_allowed = refund_refusal(tx, purchase, amount, asked, limits=limits)
            if not_allowed is not None:
                return not_allowed
            write_down(tx, asked.line(AuditAction.REFUND, purchase.checkout, reason=why))
            request = refund_request(asked, purchase, amount, reason=why, tell=tell, cause=cause, now=now)
            return add_request(tx, held, request, close=close, now=now)

        return await self.store.transact(work)


def add_request(
    tx: Transaction, held: Holding, request: RefundRequest, *, close: bool, now: datetime
) -> RefundAsked:
    """Write a request that may be made. `close`: access ends for as long as that refund counts."""
    purchase = held.purchase
    tx.refund_requests.add(request)
    closes = close and not any(is_revoking(fact, held.facts) and not fact.request for fact in held.facts)
    if closes:
        requests = with_request(tx.facts.get(merchant_object(purchase.checkout)), request.id)
        decide(tx, held, MerchantStatus.REVOKED, now=now, request=requests)
    return RefundAsked(request, purchase, closes=closes)


def _asked_before(tx: ReadTransaction, form: str) -> RefundAsked | None:
    done = tx.audit.by_form(form)
    request = None if done is None else tx.refund_requests.get(done.id)
    held = None if request is None else tx.purchases.with_facts(request.checkout)
    if request is None or held is None:
        return None
    named = any(f.kind is FactKind.MERCHANT and request.id in f.request.split() for f in held.facts)
    return RefundAsked(request, held.purchase, closes=named)


def _refused(tx: ReadTransaction, held: Holding, *, livemode: bool) -> NotRefunded | None:
    why = why_not_refundable(tx, held, livemode=livemode)
    return None if why is None else NotRefunded(why, held.purchase)


def why_not_refundable(tx: ReadTransaction, held: Holding, *, livemode: bool) -> WhyNotRefunded | None:
    """Why nothing of a purchase can be refunded here, whatever the amount; None if something may be left."""
    purchase = held.purchase
    if purchase.payment is None or not purchase.paid.amount:
        return WhyNotRefunded.NOT_PAID_HERE
    if purchase.livemode not in (None, livemode):
        return WhyNotRefunded.OTHER_MODE
    if purchase.mailbox is None and tx.erasures.is_erased(purchase.checkout):
        return WhyNotRefunded.ERASED
    if held.in_dispute:
        return WhyNotRefunded.IN_DISPUTE
    return None


def _amount_of(tx: ReadTransaction, held: Holding, typed: str) -> Money | NotRefunded | NotAnAmount:
    purchase = held.purchase
    currency, requests = purchase.paid.currency, tx.refund_requests.of_purchase(purchase.checkout)
    left = Money(refundable(held, requests), currency)
    if not left.amount:
        return NotRefunded(WhyNotRefunded.NOTHING_LEFT, purchase, left)
    amount = typed_amount(typed, currency=currency, charged=False) if typed.strip() else left
    if isinstance(amount, AmountProblem):
        return NotAnAmount(amount, purchase)
    if not amount.amount:
        return NotRefunded(WhyNotRefunded.NOTHING_ASKED, purchase, left)
    return amount if amount.amount <= left.amount else NotRefunded(WhyNotRefunded.TOO_MUCH, purchase, left)


def refund_refusal(
    tx: Transaction,
    order: Purchase,
    amount: Money,
    asked: ByHand,
    *,
    limits: Sequence[Money],
    action: AuditAction = AuditAction.REFUND,
) -> NotAllowed | None:
    """Whoever is no owner refunds no more of one purchase than the limit in its currency, in all they ask for."""
    not_allowed = refusal(tx, action, order.checkout, asked=asked)
    if not_allowed is not None or asked.actor.role is Role.OWNER:
        return not_allowed
    before = sum(
        one.amount.amount
        for one in tx.refund_requests.of_purchase(order.checkout)
        if one.by == asked.actor.name and one.state not in CAME_TO_NOTHING
    )
    most = next((limit.amount for limit in limits if limit.currency == amount.currency), 0)
    if before + amount.amount <= most:
        return None
    return refuse(tx, Verdict.ABOVE_LIMIT, action, order.checkout, asked=asked)


def refund_request(
    asked: ByHand, purchase: Purchase, amount: Money, *, reason: str, tell: bool, cause: RefundCause, now: datetime
) -> RefundRequest:  # fmt: skip
    """A request for a refund of a purchase that was paid for."""
    if purchase.payment is None:
        raise AssertionError(f"purchase {purchase.checkout} has no payment")
    return RefundRequest(
        id=asked.id, payment=purchase.payment, checkout=CheckoutId(purchase.checkout), amount=amount, reason=reason,
        by=asked.actor.name, at=now, due_at=now, keyed_at=now, cause=cause, tells=tell,
    )  # fmt: skip
