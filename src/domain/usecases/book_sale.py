"""Book a sale: user, purchase, licence keys and the one access email, in the transaction that found it paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain import outbox_keys
from domain.access import Holding
from domain.claim import KnownCheckout, Sale
from domain.keys import Keyring
from domain.magic_link import access_link
from domain.mail import Urgency
from domain.ports import Catalogue, Clock, Randomness
from domain.product import CatalogueEdition
from domain.purchase import Purchase
from domain.transaction import Transaction
from domain.usecases.assign_licences import assign_licences
from domain.usecases.notify_buyer import notify_buyer
from domain.usecases.send_email import access_email, send_link
from domain.values import EmailAddress, ProviderRef, UserId, sortable_id


@dataclass(frozen=True, slots=True)
class BookSale:
    """Draws what a booking needs from outside, so that its transaction may run more than once."""

    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    def prepare(self, *, now: datetime) -> Booking:
        """A booking at a moment, of any sale."""
        return Booking(
            edition=self.catalogue.current(),
            keyring=self.keyring,
            user=UserId(sortable_id(now=now, entropy=self.randomness.token(10))),
            now=now,
        )


@dataclass(frozen=True, slots=True)
class Booking:
    """Runs inside a transaction."""

    edition: CatalogueEdition
    keyring: Keyring
    user: UserId
    now: datetime

    def book(
        self,
        tx: Transaction,
        sale: Sale,
        known: KnownCheckout,
        *,
        ref: ProviderRef | None,
        payment: str | None,
    ) -> Purchase:
        """Write a sale that is not booked yet, with everything it causes.

        The sale of an erased buyer is written without user and email.
        """
        checkout, owner = sale.checkout, None if known.erased else sale.owner
        purchase = Purchase(
            checkout=checkout.id,
            provider_ref=ref,
            payment=payment,
            user=None if owner is None else tx.users.get_or_add(owner, new_id=self.user, now=self.now),
            mailbox=owner,
            paid_email=None if owner is None else sale.paid_email,
            product=checkout.product,
            product_name=checkout.product_name,
            paid=sale.paid,
            livemode=checkout.livemode,
            session=None if owner is None else checkout.session,
            booked_at=self.now,
            contents=checkout.contents,
            licences=()
            if owner is None
            else assign_licences(tx, checkout, edition=self.edition, keyring=self.keyring, now=self.now),
        )
        if not tx.purchases.book(purchase):
            # The transaction is serializable, so it cannot have been booked since it was read.
            raise AssertionError(f"checkout {purchase.checkout} was booked within its own claim")
        if known.holds_place:
            tx.limits.release(purchase.checkout)
        if owner is not None:
            self._send_access_link(tx, purchase, owner)
        if payment is not None and known.has_facts:
            self._catch_up(tx, purchase, payment)
        return purchase

    def _send_access_link(self, tx: Transaction, purchase: Purchase, mailbox: EmailAddress) -> None:
        """The one access email of this purchase: the same bytes, whichever claim books it, and whenever."""
        key = self.keyring.signing
        link_id = key.access_link_of(purchase.checkout, mailbox)
        link = access_link(purchase.product, mailbox, link=link_id, key=key.name, now=self.now)
        # Anybody can order any number of free things: their access emails must not delay those of a payment.
        urgency = Urgency.KNOWN if purchase.provider_ref is None else Urgency.PAYMENT
        email = access_email(purchase, edition=self.edition)
        send_link(tx, link, email, key=outbox_keys.access(purchase.checkout), urgency=urgency)

    def _catch_up(self, tx: Transaction, purchase: Purchase, payment: str) -> None:
        """Notify the buyer of facts that arrived before their sale."""
        held = Holding(purchase=purchase, facts=())
        for fact in sorted(tx.facts.of_payment(payment), key=lambda f: f.weight):
            after = Holding(purchase=purchase, facts=(*held.facts, fact))
            notify_buyer(tx, held, after, of=fact, now=self.now)
            held = after
