"""Take something that costs nothing: at once in a browser that proved its mailbox, else by a mail that proves it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.emails import ConfirmOrder
from domain.keys import Keyring
from domain.limits import FREE_PER_NETWORK
from domain.magic_link import LinkPurpose, MagicLink
from domain.ports import Catalogue, Clock, Payments, Randomness, Store
from domain.product import BadAmount, Product, Saleability, asked_price, saleability
from domain.purchase import Checkout
from domain.session import NewSession, Session, Visitor
from domain.transaction import Transaction
from domain.usecases.book_free_order import book_free
from domain.usecases.book_sale import Booking, BookSale
from domain.usecases.checkout_outcomes import (
    AddressNeeded,
    AlreadyYours,
    ConfirmationEmailed,
    Free,
    FreeOrderBooked,
    NoSuchProduct,
    NotForSale,
    NotFree,
    TooManyOrders,
)
from domain.usecases.identify_viewer import Viewer, begin_session, held_by, live_session, new_session
from domain.usecases.request_limits import RequestLimits
from domain.usecases.send_email import send_link
from domain.usecases.start_checkout import draft_of
from domain.values import EmailAddress, InvalidEmail, LinkId, ProductId


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
            return AddressNeeded(product=self.product, problem=error.problem)
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
        email = ConfirmOrder(product_name=self.product.name)
        send_link(tx, link, email, urgency=self.limits.urgency(session, mailbox))
