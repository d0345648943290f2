"""Access: which purchases open for a viewer, and the reason if one does not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from domain.fact import Fact, FactKind
from domain.frozen import frozen
from domain.purchase import LicenceKey, Purchase, PurchaseState, Standing, standing
from domain.session import Session
from domain.values import EmailAddress, ProductId

CHECKOUT_GRANT: Final = timedelta(hours=24)
"""How long a purchase opens in the browser that started its checkout, without any address being verified there."""


@frozen
class Holding:
    """A purchase a browser may know of, and the facts about it."""

    purchase: Purchase
    facts: tuple[Fact, ...]

    @property
    def standing(self) -> Standing:
        """What the facts add up to."""
        return standing(self.purchase, self.facts)

    @property
    def refunded(self) -> int:
        """How much was refunded, in minor units of the purchase's currency; at most what was paid."""
        return min(sum(fact.refunded for fact in self.facts), self.purchase.paid.amount)

    @property
    def charged_back(self) -> int:
        """How much lost disputes took of the rest, in minor units."""
        lost = sum(fact.charged_back for fact in self.facts)
        return min(lost, self.purchase.paid.amount - self.refunded)

    @property
    def in_dispute(self) -> bool:
        """Whether a dispute that is not decided suspends it, and not a status that we do not know."""
        return any(fact.suspends and fact.kind is FactKind.DISPUTE for fact in self.facts)

    def usable_keys(self, now: datetime) -> tuple[LicenceKey, ...]:
        """The licence keys to show to its buyer: those of a purchase that is closed, in dispute or waits are not."""
        live = self.standing.state is PurchaseState.LIVE
        return self.purchase.licences if live and not waits(self.purchase, now=now) else ()


@frozen
class Opens:
    """The product opens, by this purchase. `by_checkout`: only because this browser paid for it."""

    purchase: Purchase
    by_checkout: bool


@frozen
class Closed:
    """Bought, but not open; `standing` says why."""

    purchase: Purchase
    standing: Standing


@frozen
class Waits:
    """Bought without a waiver: it opens at its `opens_at`, once the period for withdrawal is over."""

    purchase: Purchase


@frozen
class NotYours:
    """Nothing this browser has proved opens it."""


Access = Opens | Waits | Closed | NotYours


def waits(purchase: Purchase, *, now: datetime) -> bool:
    """Whether it is still to open. Nothing but the clock ends that."""
    return purchase.opens_at is not None and now < purchase.opens_at


def holds_by_checkout(session: Session, purchase: Purchase, *, now: datetime) -> bool:
    """Whether a browser holds a purchase only because it started the checkout.

    That grant ends a day after the payment was booked, when an address is verified in the browser (then the address
    decides), and when the owner ends it (`Transaction.release`): a public computer must not keep a key.
    """
    if session.mailbox is not None or purchase.session is None or purchase.session != session.id:
        return False
    return now - purchase.booked_at < CHECKOUT_GRANT


def holds(session: Session, purchase: Purchase, *, now: datetime) -> bool:
    """Whether a browser may know of a purchase: it verified the purchase's mailbox, or lately made the checkout.

    A paid checkout is no authentication: the address typed at the payment opens nothing by itself.
    """
    if session.mailbox is not None:
        return session.mailbox == purchase.mailbox
    return holds_by_checkout(session, purchase, now=now)


def names_here(session: Session, purchase: Purchase, mailbox: EmailAddress | None, *, now: datetime) -> bool:
    """Whether a browser may name this address for a purchase without one: the one that started the checkout, for a day.

    Verifying an address in it does not end that, although the purchase does not open any more: it ends for every other
    address. Of two such purchases, the second can be given the address that was verified for the first.
    """
    if purchase.session is None or purchase.session != session.id or session.mailbox not in (None, mailbox):
        return False
    return now - purchase.booked_at < CHECKOUT_GRANT


def without_owner(session: Session, holdings: Iterable[Holding], *, now: datetime) -> list[Holding]:
    """The purchases, of those that a browser paid for, for which it may name an address."""
    return [
        h
        for h in holdings
        if h.purchase.mailbox is None
        and names_here(session, h.purchase, session.mailbox, now=now)
        and h.standing.state is PurchaseState.LIVE
    ]


def access(
    session: Session | None, *, product: ProductId, holdings: Iterable[Holding], now: datetime
) -> Access:
    """What a browser gets when it asks for a product: the union of its live grants."""
    if session is None:
        return NotYours()
    mine = [h for h in holdings if product in h.purchase.products and holds(session, h.purchase, now=now)]
    live = [h for h in mine if h.standing.state is PurchaseState.LIVE]
    begun = [h for h in live if not waits(h.purchase, now=now)]
    if begun:
        newest = max(begun, key=lambda h: (h.purchase.booked_at, h.purchase.checkout))
        by_checkout = session.mailbox is None
        return Opens(purchase=newest.purchase, by_checkout=by_checkout)
    if live:
        return Waits(
            purchase=min(live, key=lambda h: (h.purchase.opens_at or now, h.purchase.checkout)).purchase
        )
    if mine:
        newest = max(mine, key=lambda h: (h.purchase.booked_at, h.purchase.checkout))
        return Closed(purchase=newest.purchase, standing=newest.standing)
    return NotYours()


def owned(holdings: Iterable[Holding]) -> frozenset[ProductId]:
    """The products that what a browser holds opens, for the shop to say "Open" where it would say "Buy"."""
    return frozenset(
        product for h in holdings if h.standing.state is PurchaseState.LIVE for product in h.purchase.products
    )
