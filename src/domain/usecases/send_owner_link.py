"""The merchant names an address for a purchase that was paid without a usable one: email the link that gives it."""

from __future__ import annotations

from enum import Enum, auto

from domain.audit import ENTROPY, AuditAction, ByHand
from domain.frozen import frozen
from domain.keys import Keyring
from domain.ports import Clock, Randomness, Store
from domain.purchase import Purchase
from domain.rights import NotAllowed
from domain.session import Visitor
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.find_order import SeveralOrders, find_order
from domain.usecases.name_owner import send_owner_email
from domain.usecases.request_limits import RequestLimits
from domain.usecases.request_login import NotAnAddress
from domain.values import EmailAddress, InvalidEmail

_NOBODY = Visitor(token_hash=None, network="", label="", device=None)


class OwnerLink(Enum):
    """The outcome of the request."""

    QUEUED = auto()
    NO_SUCH_ORDER = auto()
    AMBIGUOUS = auto()
    """Several orders begin like that."""
    HAS_OWNER = auto()
    """It belongs to an address already."""
    ERASED = auto()
    """Its buyer deleted their account."""


@frozen
class SendOwnerLink:
    """Assigns nothing: the purchase belongs to the address once the link sent there is used."""

    store: Store
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    async def __call__(
        self, order: str, typed: str, *, actor: Actor, form: str
    ) -> OwnerLink | NotAllowed | NotAnAddress:
        """`order`: its id, or the beginning of it that receipts show (`find_order`). `form`: as in `GrantProduct`.

        Raises StoreUnavailable.
        """
        try:
            mailbox = EmailAddress.parse(typed)
        except InvalidEmail as error:
            return NotAnAddress(error.problem)
        ref = self.randomness.token(16).hex()
        now = self.clock.now()
        limits = RequestLimits(self.keyring, _NOBODY, now=now, ref=ref)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))

        def work(tx: Transaction) -> OwnerLink | NotAllowed:
            if tx.audit.by_form(form) is not None:
                return OwnerLink.QUEUED
            purchase = _find(tx, order)
            if isinstance(purchase, OwnerLink):
                return purchase
            if purchase.mailbox is not None:
                return OwnerLink.HAS_OWNER
            if tx.erasures.is_erased(purchase.checkout):
                return OwnerLink.ERASED
            not_allowed = refusal(tx, AuditAction.SEND_LINK, purchase.checkout, asked=asked)
            if not_allowed is not None:
                return not_allowed
            send_owner_email(tx, purchase, mailbox, asked_by=None, limits=limits)
            write_down(tx, asked.line(AuditAction.SEND_LINK, purchase.checkout))
            return OwnerLink.QUEUED

        return await self.store.transact(work)


def _find(tx: ReadTransaction, order: str) -> Purchase | OwnerLink:
    found = find_order(tx, order, shortest=1)
    if found is None:
        return OwnerLink.NO_SUCH_ORDER
    return OwnerLink.AMBIGUOUS if isinstance(found, SeveralOrders) else found.purchase
