"""Delete a customer's data by hand, because they asked for it: the sales stay, and nothing that names them."""

from __future__ import annotations

import contextlib
from enum import Enum, auto

from domain import outbox_keys
from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.emails import AccountDeleted
from domain.frozen import frozen
from domain.mail import MailKind
from domain.ports import Clock, Randomness, Store, StoreUnavailable
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.customers import find_customer, oldest_order
from domain.usecases.erase_me import EraseMe, erase_person
from domain.usecases.erase_refusal import Erased, why_not_yet
from domain.usecases.send_email import send_email
from domain.values import EmailAddress


class WhyNotErased(Enum):
    """Why nothing was deleted."""

    NO_REASON = auto()
    """It is empty, or too long."""
    NO_SUCH_CUSTOMER = auto()
    TOO_SOON = auto()
    """A change of address that brought something here can still be undone."""
    PAYMENT_PENDING = auto()
    """A payment is under way: what it pays for would belong to nobody."""


_WHY = {Erased.TOO_SOON: WhyNotErased.TOO_SOON, Erased.PAYMENT_PENDING: WhyNotErased.PAYMENT_PENDING}


@frozen
class NotErased:
    """Nothing was deleted. `mailbox`: whose data was to be."""

    why: WhyNotErased
    mailbox: EmailAddress | None = None


@frozen
class CustomerErased:
    """It is deleted, now or since the same form was submitted before. A last email is sent to the address."""


ErasingByHand = CustomerErased | NotErased | NotAllowed


@frozen
class EraseCustomer:
    """`coatcheck erase`. What `EraseMe` does for whoever is signed in; the reason goes with the person, too."""

    store: Store
    clock: Clock
    randomness: Randomness
    erase_me: EraseMe

    async def __call__(self, customer: str, *, actor: Actor, form: str, reason: str) -> ErasingByHand:
        """`customer`: see `find_customer`. `form`: names this request. Raises StoreUnavailable: nothing was done."""
        now, why = self.clock.now(), reason_of(reason)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> ErasingByHand:
            if tx.audit.by_form(form) is not None:
                return CustomerErased()
            user = find_customer(tx, customer)
            if user is None:
                return NotErased(WhyNotErased.NO_SUCH_CUSTOMER)
            if why is None:
                return NotErased(WhyNotErased.NO_REASON, user.mailbox)
            kept = why_not_yet(tx, user.mailbox, now=now)
            if kept is not None:
                return NotErased(_WHY[kept], user.mailbox)
            order = oldest_order(tx, user.mailbox)
            not_allowed = refusal(tx, AuditAction.ERASE_CUSTOMER, order, asked=asked)
            if not_allowed is not None:
                return not_allowed
            write_down(tx, asked.line(AuditAction.ERASE_CUSTOMER, order, reason=why))
            erase_person(tx, user.mailbox, keyring=self.erase_me.keyring, now=now)
            key = outbox_keys.farewell(asked.id)
            send_email(tx, AccountDeleted(), key=key, kind=MailKind.FAREWELL, to=user.mailbox, now=now)
            return CustomerErased()

        erased = await self.store.transact(work)
        if isinstance(erased, CustomerErased):
            with contextlib.suppress(StoreUnavailable):
                await self.erase_me.scrub_what_waits()
        return erased
