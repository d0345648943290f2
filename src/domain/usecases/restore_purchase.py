"""Take back the merchant's decision to close a purchase. What money says of it still counts."""

from __future__ import annotations

from datetime import datetime

from domain import outbox_keys
from domain.access import Holding
from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.emails import OpenAgain
from domain.fact import MerchantStatus
from domain.frozen import frozen
from domain.mail import MailKind
from domain.ports import Clock, Randomness, Store
from domain.purchase import PurchaseState, is_revoking, order_number
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.decision_outcomes import Decided, Deciding, Unchanged, WhyUnchanged
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.revoke_purchase import already_decided, decide
from domain.usecases.send_email import send_email


@frozen
class RestorePurchase:
    """`coatcheck reopen`: lifts a revocation, and nothing else."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, order: str, *, actor: Actor, form: str, reason: str, tell: bool = True
    ) -> Deciding:
        """As `RevokePurchase`. The customer is emailed only if the purchase is open then. Raises StoreUnavailable."""
        now, why = self.clock.now(), reason_of(reason)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> Deciding:
            before = already_decided(tx, form)
            if before is not None:
                return before
            held = find_order(tx, order)
            if held is None or isinstance(held, SeveralOrders):
                return held or Unchanged(WhyUnchanged.NO_SUCH_ORDER)
            purchase = held.purchase
            if why is None:
                return Unchanged(WhyUnchanged.NO_REASON, purchase, held.standing.state)
            if not any(is_revoking(fact, held.facts) for fact in held.facts):
                return Unchanged(WhyUnchanged.NOT_REVOKED, purchase, held.standing.state)
            not_allowed = refusal(tx, AuditAction.RESTORE, purchase.checkout, asked=asked)
            if not_allowed is not None:
                return not_allowed
            after = decide(tx, held, MerchantStatus.RESTORED, now=now)
            write_down(tx, asked.line(AuditAction.RESTORE, purchase.checkout, reason=why))
            key = outbox_keys.open_again(purchase.checkout, asked.id)
            told = tell and _tell(tx, after, key=key, now=now)
            return Decided(purchase, after.standing.state, told)

        return await self.store.transact(work)


def opening_email(after: Holding) -> OpenAgain | None:
    """What the customer of a restored purchase is emailed; None if there is nobody to email, or it stays closed."""
    purchase = after.purchase
    if purchase.mailbox is None or after.standing.state is not PurchaseState.LIVE:
        return None
    return OpenAgain(
        product=purchase.product, product_name=purchase.product_name, order=order_number(purchase.checkout)
    )


def _tell(tx: Transaction, after: Holding, *, key: str, now: datetime) -> bool:
    email, to = opening_email(after), after.purchase.mailbox
    if email is None or to is None:
        return False
    return send_email(tx, email, key=key, kind=MailKind.UPDATE, to=to, now=now)
