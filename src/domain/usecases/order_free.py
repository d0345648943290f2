"""Order something free: booked at once in a browser that verified an address, else once an email has verified it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.claim import draft_of
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import FREE_PER_NETWORK
from domain.magic_link import REPEATED_WITHIN
from domain.ports import Catalogue, Clock, Payments, Randomness, Store
from domain.product import BadAmount, Product, Saleability, asked_price, offered
from domain.purchase import Checkout, Source
from domain.session import Visitor
from domain.transaction import Transaction
from domain.translations import in_language
from domain.usecases.admit_checkout import why_not
from domain.usecases.book_free_order import book_free
from domain.usecases.book_sale import Booking, BookSale
from domain.usecases.checkout_outcomes import (
    AlreadyYours,
    Free,
    FreeOrderBooked,
    NoSuchProduct,
    NotForSale,
    NotFree,
    TooManyOrders,
)
from domain.usecases.confirm_order import email_confirmation
from domain.usecases.identify_viewer import Viewer, new_session, recognise
from domain.usecases.request_limits import RequestLimits
from domain.values import EmailAddress, ProductId


@frozen
class OrderFree:
    """Nothing goes to the payment provider. The order is a purchase like any other, of a verified address."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    booking: BookSale

    async def __call__(
        self,
        visitor: Visitor,
        product: ProductId,
        *,
        currency: str,
        amount: str,
        email: str | None,
        again: bool,
        language: str = "",
    ) -> Free:
        """`email`: the address that was typed, None before one was asked for; `language`: as for a checkout.

        Raises StoreUnavailable.
        """
        edition = in_language(self.catalogue.current(), language)
        wanted = edition.shown(product)
        if wanted is None:
            return NoSuchProduct()
        now = self.clock.now()
        if (why := offered(wanted, now=now)) is not Saleability.ON_SALE:
            return NotForSale(product=wanted, why=why)
        price = asked_price(wanted, currency=currency, amount=amount)
        if isinstance(price, BadAmount) or price.amount:
            return NotFree()
        entropy, ref = self.randomness.token(10), self.randomness.token(16).hex()
        draft = draft_of(wanted, price, livemode=None, entropy=entropy, now=now, language=language)
        booking = self.booking.prepare(now=now)
        limits = RequestLimits(self.keyring, visitor, now=now, ref=ref)
        fresh = new_session(self.randomness, now=now)

        def work(tx: Transaction) -> Free:
            viewer = recognise(tx, visitor, now=now)
            if _has_just_got(tx, viewer, wanted, now=now):
                return FreeOrderBooked(product=wanted)
            refused = why_not(tx, wanted, viewer)
            if refused is not None and not (again and isinstance(refused, AlreadyYours)):
                return refused
            session = viewer.session
            if session is not None and session.mailbox is not None:
                return _book(tx, wanted, draft, session.mailbox, limits, booking)
            return email_confirmation(tx, wanted, draft, session, fresh, limits, typed=email)

        return await self.store.transact(work)


def _has_just_got(tx: Transaction, viewer: Viewer, product: Product, *, now: datetime) -> bool:
    """Whether this account ordered it here a moment ago: the form was submitted twice."""
    mailbox = None if viewer.session is None else viewer.session.mailbox
    lately = [held.purchase for held in viewer.holdings if now - held.purchase.booked_at < REPEATED_WITHIN]
    free = [one for one in lately if one.product == product.id and one.source is Source.FREE]
    orders = [tx.checkouts.get(one.checkout) for one in free]
    return mailbox is not None and any(order is not None and order.mailbox == mailbox for order in orders)


def _book(
    tx: Transaction,
    product: Product,
    draft: Checkout,
    mailbox: EmailAddress,
    limits: RequestLimits,
    booking: Booking,
) -> FreeOrderBooked | TooManyOrders:
    """Book at once: this browser has verified the address of the order."""
    until = limits.take_in_networks(tx, FREE_PER_NETWORK)
    if until is not None:
        tx.limits.release(limits.ref)
        return TooManyOrders(until=until)
    tx.checkouts.add(replace(draft, mailbox=mailbox))
    book_free(tx, draft, mailbox, booking=booking)
    return FreeOrderBooked(product=product)
