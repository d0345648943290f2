"""What staff see of a sale, or of a customer, before they act on it, and by which they notice that it has changed."""

from __future__ import annotations

from collections.abc import Sequence

from domain.access import Holding
from domain.frozen import frozen
from domain.note import Note
from domain.ports import Payments, Store
from domain.records import User
from domain.refund import RefundRequest, refundable
from domain.transaction import ReadTransaction
from domain.usecases.customers import find_customer
from domain.usecases.refund_outcomes import WhyNotRefunded
from domain.usecases.request_refund import why_not_refundable
from domain.values import CheckoutId, Money, digest_of

_DIGITS = 6


@frozen
class SaleSeen:
    """A sale to act on."""

    held: Holding
    requests: Sequence[RefundRequest]
    note: Note | None
    erased: bool
    why_not_refunded: WhyNotRefunded | None
    done: bool
    """Whether the form that was named was submitted before."""

    @property
    def left(self) -> Money:
        """What can still be refunded."""
        return Money(refundable(self.held, self.requests), self.held.purchase.paid.currency)

    @property
    def digest(self) -> str:
        """Of what an action depends on, part by part (`changed_since`)."""
        purchase = self.held.purchase
        parts: tuple[object, ...] = (
            sorted(map(repr, self.held.facts)),
            [(one.id, one.state, one.amount) for one in self.requests],
            purchase.mailbox,
            purchase.licences,
            self.note and (self.note.text, self.note.written_at),
        )
        return ".".join(digest_of(repr(part).encode())[:_DIGITS] for part in parts)


@frozen
class CustomerSeen:
    """A customer to act on."""

    user: User
    holdings: Sequence[Holding]
    waiting: int
    """Changes of their address that wait to be confirmed or could still be undone."""

    @property
    def digest(self) -> str:
        """Of what an action depends on."""
        parts = (self.user.mailbox, [held.purchase.checkout for held in self.holdings], self.waiting)
        return digest_of(repr(parts).encode())[: 2 * _DIGITS]


SALE_PARTS = ("facts", "refunds", "address", "licences", "note")
"""The parts of a digest of a sale, in their order."""


def changed_since(seen: str, now: str) -> list[str]:
    """Which parts of a sale differ between two digests of it; all of them if the first is none."""
    before, after = seen.split("."), now.split(".")
    if len(before) != len(after):
        return list(SALE_PARTS)
    return [part for part, one, other in zip(SALE_PARTS, before, after, strict=True) if one != other]


@frozen
class LookAtSale:
    """Reads only."""

    store: Store
    payments: Payments

    async def __call__(self, order: CheckoutId, *, form: str = "") -> SaleSeen | None:
        """None if there is no such sale. `form`: the one that is submitted, if any. Raises StoreUnavailable."""
        livemode = self.payments.livemode

        def work(tx: ReadTransaction) -> SaleSeen | None:
            held = tx.purchases.with_facts(order)
            if held is None:
                return None
            return SaleSeen(
                held=held, requests=tx.refund_requests.of_purchase(order), note=tx.notes.get(order),
                erased=tx.erasures.is_erased(order),
                why_not_refunded=why_not_refundable(tx, held, livemode=livemode),
                done=bool(form) and tx.audit.by_form(form) is not None,
            )  # fmt: skip

        return await self.store.read(work)


@frozen
class LookAtCustomer:
    """Reads only."""

    store: Store

    async def __call__(self, customer: str) -> CustomerSeen | None:
        """`customer`: see `find_customer`. None if there is none. Raises StoreUnavailable."""

        def work(tx: ReadTransaction) -> CustomerSeen | None:
            user = find_customer(tx, customer)
            if user is None:
                return None
            changes = tx.address_changes.of_address(user.mailbox)
            waiting = sum(change.undone_at is None for change in changes)
            return CustomerSeen(user, tx.purchases.of_address(user.mailbox), waiting)

        return await self.store.read(work)

    async def done(self, form: str) -> bool:
        """Whether this form was submitted before. Raises StoreUnavailable."""
        return await self.store.read(lambda tx: tx.audit.by_form(form) is not None)
