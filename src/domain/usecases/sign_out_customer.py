"""Sign a customer out everywhere, by hand: after a lost device, or when somebody else has their mailbox."""

from __future__ import annotations

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.ports import Clock, Randomness, Store
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.customers import find_customer, oldest_order
from domain.usecases.sign_out import end_all_of
from domain.values import EmailAddress


@frozen
class NoSuchCustomer:
    """Nobody is known by that, or not any more."""


@frozen
class SignedOutByHand:
    """No browser is signed in to the account, nor opens its purchases by having paid for them."""

    mailbox: EmailAddress


SigningOut = SignedOutByHand | NoSuchCustomer | NotAllowed


@frozen
class SignOutCustomer:
    """`coatcheck sign-out`. Purchases stay; a link in an email signs in again."""

    store: Store
    clock: Clock
    randomness: Randomness

    async def __call__(self, customer: str, *, actor: Actor, form: str) -> SigningOut:
        """`customer`: see `find_customer`. `form`: names this request. Raises StoreUnavailable."""
        now = self.clock.now()
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> SigningOut:
            user = find_customer(tx, customer)
            if user is None:
                return NoSuchCustomer()
            if tx.audit.by_form(form) is not None:
                return SignedOutByHand(user.mailbox)
            order = oldest_order(tx, user.mailbox)
            not_allowed = refusal(tx, AuditAction.SIGN_OUT_CUSTOMER, order, asked=asked)
            if not_allowed is not None:
                return not_allowed
            end_all_of(tx, user.mailbox, now)
            write_down(tx, asked.line(AuditAction.SIGN_OUT_CUSTOMER, order))
            return SignedOutByHand(user.mailbox)

        return await self.store.transact(work)
