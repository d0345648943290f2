"""Hand a customer's data to the merchant, who was asked for it (GDPR, articles 15 and 20)."""

from __future__ import annotations

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.customers import find_customer, oldest_order
from domain.usecases.own_data import OwnData, data_of
from domain.usecases.sign_out_customer import NoSuchCustomer


@frozen
class HandOverData:
    """The same file that customers download in their account. The audit log has a line of it."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, customer: str, *, actor: Actor, form: str
    ) -> OwnData | NoSuchCustomer | NotAllowed:
        """`customer`: see `find_customer`. `form`: names this request. Raises StoreUnavailable."""
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> OwnData | NoSuchCustomer | NotAllowed:
            user = find_customer(tx, customer)
            if user is None:
                return NoSuchCustomer()
            order = oldest_order(tx, user.mailbox)
            not_allowed = refusal(tx, AuditAction.HAND_OVER_DATA, order, asked=asked)
            if not_allowed is not None:
                return not_allowed
            write_down(tx, asked.line(AuditAction.HAND_OVER_DATA, order))
            return data_of(tx, user.mailbox, now=now)

        return await self.store.transact(work)
