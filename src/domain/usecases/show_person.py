"""Show the merchant one customer: what is stored about them, what happened, and why each product opens or does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.access import Access, Holding, access
from domain.frozen import frozen
from domain.going_live import STARTED_LIVE
from domain.ports import Clock, Store
from domain.session import Session
from domain.timeline import Entry, Happened, timeline
from domain.transaction import ReadTransaction
from domain.usecases.customers import find_customer
from domain.usecases.show_customer import Customer, show_address
from domain.values import Digest, EmailAddress, ProductId, SessionId


@frozen
class ProductAccess:
    """What a browser gets that verified the address and asks for this product."""

    product: ProductId
    name: str
    """The name under which they bought it last; "" for what they did not buy."""
    access: Access


@frozen
class Person:
    """A customer with their access and their timeline."""

    customer: Customer
    access: Sequence[ProductAccess]
    """Of every product that they bought, alone or in a bundle, in order of id; then of the one that was asked for."""
    timeline: Sequence[Entry]


@frozen
class ShowPerson:
    """The page of one customer. Reads only, one committed state, beside the customers (`Store.survey`)."""

    store: Store
    clock: Clock

    async def __call__(self, mailbox: EmailAddress, *, product: ProductId | None = None) -> Person | None:
        """None if nothing is known of the address. `product`: one to explain, too. Raises StoreUnavailable."""
        now = self.clock.now()
        return await self.store.survey(lambda tx: _show(tx, mailbox, product, now))

    async def of_user(self, wanted: str, *, product: ProductId | None = None) -> Person | None:
        """The same of a customer by id (or address): None if there is none (any more). Raises StoreUnavailable."""
        now = self.clock.now()

        def work(tx: ReadTransaction) -> Person | None:
            user = find_customer(tx, wanted)
            return None if user is None else _show(tx, user.mailbox, product, now)

        return await self.store.survey(work)


def _show(
    tx: ReadTransaction, mailbox: EmailAddress, product: ProductId | None, now: datetime
) -> Person | None:
    customer = show_address(tx, mailbox, now)
    if customer is None:
        return None
    orders = [held.purchase.checkout for held in customer.holdings]
    begun = [checkout for checkout in map(tx.checkouts.get, orders) if checkout is not None]
    happened = Happened(
        checkouts=[*begun, *customer.pending],
        holdings=customer.holdings,
        mails=customer.mails,
        links=tx.links.used_for(None, mailbox),
        downloads=customer.downloads,
        changes=customer.changes,
        lines=tx.audit.about([*orders, *(mail.key for mail in customer.mails)]),
    )
    bought = [one for held in customer.holdings for one in held.purchase.products]
    asked = [*bought, *(() if product is None else (product,))]
    opening = customer.holdings if tx.shop.cursor(STARTED_LIVE) is None else _real(customer.holdings)
    return Person(
        customer=customer,
        access=explain(mailbox, opening, also=asked, now=now),
        timeline=timeline(happened),
    )


def explain(
    mailbox: EmailAddress, holdings: Sequence[Holding], *, also: Sequence[ProductId] = (), now: datetime
) -> Sequence[ProductAccess]:
    """What the rule of access (`domain.access`) answers to the owner of an address, product by product."""
    owner = Session(
        id=SessionId(""), token_hash=Digest(""), mailbox=mailbox, started_at=now, seen_at=now, label=""
    )
    names = {p: "" for held in holdings for p in held.purchase.products}
    names |= {held.purchase.product: held.purchase.product_name for held in holdings}
    wanted = [*sorted(names), *(product for product in dict.fromkeys(also) if product not in names)]
    return [
        ProductAccess(
            product=product,
            name=names.get(product, ""),
            access=access(owner, product=product, holdings=holdings, now=now),
        )
        for product in wanted
    ]


def _real(holdings: Sequence[Holding]) -> Sequence[Holding]:
    """Without test purchases, which open nothing once the shop has gone live."""
    return [held for held in holdings if held.purchase.livemode is not False]
