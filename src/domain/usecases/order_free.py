"""Take something that costs nothing: at once in a browser that proved its mailbox, else by a mail that proves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from domain.claim import Sale
from domain.keys import Keyring
from domain.letters import order_letter
from domain.limits import FREE_PER_NETWORK
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Letter
from domain.ports import Catalogue, Clock, Payments, Randomness, Store
from domain.product import BadAmount, Product, Saleability, asked_price, saleability
from domain.purchase import Checkout, Purchase
from domain.session import NewSession, Session, Visitor
from domain.transaction import Transaction
from domain.usecases.book_sale import Booking, BookSale
from domain.usecases.identify_viewer import Viewer, begin_session, held_by, live_session, new_session
from domain.usecases.request_limits import RequestLimits
from domain.usecases.send_email import send_link
from domain.usecases.start_checkout import AlreadyYours, NoSuchProduct, NotForSale, draft_of
from domain.values import EmailAddress, InvalidEmail, LinkId, Money, ProductId


@dataclass(frozen=True, slots=True)
class FreeOrderBooked:
    """Booked: it opens in this browser."""

    product: Product


@dataclass(frozen=True, slots=True)
class AddressNeeded:
    """This browser has proved no mailbox: ask for an address. `sentence`: what is wrong with the one that was typed."""

    product: Product
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmationEmailed:
    """A mail with link and code is on its way; `new_token` is the cookie of a browser that had no session."""

    product: Product
    new_token: str | None


@dataclass(frozen=True, slots=True)
class TooManyOrders:
    """This network ordered too much, or asked for too many mails; a place is free again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class NotFree:
    """It has a price: it is bought, not taken."""


Free = (
    FreeOrderBooked
    | AddressNeeded
    | ConfirmationEmailed
    | TooManyOrders
    | NoSuchProduct
    | NotForSale
    | AlreadyYours
    | NotFree
)


@dataclass(frozen=True, slots=True)
class OrderFree:
    """Nothing goes to the payment provider. The order is a purchase like any other, of a mailbox that was proved."""

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
    ) -> Free:
        """`email`: what was typed, None if nobody was asked yet. Raises StoreUnavailable."""
        edition = self.catalogue.current()
        wanted = edition.products.get(product)
        if wanted is None:
            return NoSuchProduct()
        price = asked_price(wanted, currency=currency, amount=amount)
        if isinstance(price, BadAmount) or price.amount:
            return NotFree()
        now = self.clock.now()
        entropy = self.randomness.token(10)
        order = _Order(
            product=wanted,
            draft=draft_of(wanted, price, livemode=self.payments.livemode, entropy=entropy, now=now),
            letter=order_letter(wanted.name, shop=edition.shop),
            booking=self.booking.prepare(now=now),
            limits=RequestLimits(self.keyring, visitor, now=now, ref=self.randomness.token(16).hex()),
            fresh=new_session(self.randomness, now=now),
        )

        def work(tx: Transaction) -> Free:
            sold = tx.purchases.count_sold(wanted.id) if wanted.stock is not None else 0
            why = saleability(wanted, sold=sold)
            if why is not Saleability.ON_SALE:
                return NotForSale(product=wanted, why=why)
            session = live_session(tx, visitor, now=now)
            if session is not None and not again:
                holdings = held_by(tx, session, now=now)
                if wanted.id in Viewer(session=session, holdings=holdings).owned:
                    return AlreadyYours(product=wanted)
            if session is not None and session.mailbox is not None:
                return order.take(tx, session.mailbox)
            return order.ask(tx, session, email)

        return await self.store.transact(work)


@dataclass(frozen=True, slots=True)
class _Order:
    """An order that may be booked at once, or by the email that verifies whose it is."""

    product: Product
    draft: Checkout
    letter: Letter
    booking: Booking
    limits: RequestLimits
    fresh: NewSession

    def take(self, tx: Transaction, mailbox: EmailAddress) -> Free:
        """Book it: this browser has verified that address."""
        until = self.limits.take_in_networks(tx, FREE_PER_NETWORK)
        if until is not None:
            tx.limits.release(self.limits.ref)
            return TooManyOrders(until=until)
        tx.checkouts.add(replace(self.draft, mailbox=mailbox))
        book_free(tx, self.draft, mailbox, booking=self.booking)
        return FreeOrderBooked(product=self.product)

    def ask(self, tx: Transaction, held: Session | None, typed: str | None) -> Free:
        """Email the address that was typed, if any was."""
        if typed is None:
            return AddressNeeded(product=self.product)
        try:
            mailbox = EmailAddress.parse(typed)
        except InvalidEmail as error:
            return AddressNeeded(product=self.product, sentence=str(error))
        until = self.limits.take_network(tx)
        if until is None:
            until = self.limits.take_shop(tx, held, mailbox)
        if until is not None:
            return TooManyOrders(until=until)
        session = held or begin_session(tx, self.fresh, self.limits.visitor, now=self.limits.now)
        if self.limits.take_address(tx, session, mailbox):
            self._send(tx, session, mailbox)
        return ConfirmationEmailed(product=self.product, new_token=None if held else self.fresh.token)

    def _send(self, tx: Transaction, session: Session, mailbox: EmailAddress) -> None:
        tx.checkouts.add(self.draft)
        link = MagicLink(
            id=LinkId(self.limits.ref),
            key=self.limits.keyring.signing.name,
            purpose=LinkPurpose.ORDER,
            mailbox=mailbox,
            asked_by=session.id,
            product=self.product.id,
            made_at=self.limits.now,
            checkout=self.draft.id,
        )
        send_link(tx, link, self.letter, urgency=self.limits.urgency(session, mailbox))


def is_sold_out(tx: Transaction, checkout: Checkout, *, booking: Booking) -> bool:
    """Whether a free order that waited for its confirmation comes too late: the stock went to others meanwhile."""
    product = booking.edition.products.get(checkout.product)
    if product is None or product.stock is None or tx.purchases.get(checkout.id) is not None:
        return False
    return tx.purchases.count_sold(product.id) >= product.stock


def book_free(tx: Transaction, checkout: Checkout, mailbox: EmailAddress, *, booking: Booking) -> Purchase:
    """Book a free order for a mailbox that was proved. It opens by the mailbox alone, in whatever browser.

    The browser that asked gets nothing by having asked: anybody can type anybody's address.
    """
    held = tx.purchases.get(checkout.id)
    if held is not None:
        return held
    sale = Sale(
        checkout=replace(checkout, session=None),
        owner=mailbox,
        paid_email=None,
        paid=Money(0, checkout.price.currency),
    )
    return booking.book(tx, sale, ref=None, payment=None)
