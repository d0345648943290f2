"""Book a sale: user, purchase, licence keys and the one access email, in the transaction that found it paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import outbox_keys
from domain.access import Holding
from domain.claim import KnownCheckout, Sale
from domain.fact import Fact
from domain.frozen import frozen, maker
from domain.keys import Keyring
from domain.magic_link import access_link
from domain.mail import Urgency
from domain.ports import Catalogue, Clock, Randomness
from domain.product import CatalogueEdition, SaleNotices
from domain.purchase import OPEN_AT_MOST, BookedBy, LicenceKey, Purchase, PurchaseState, Source, standing_of
from domain.transaction import Transaction
from domain.usecases.announce_sale import announce_sale
from domain.usecases.assign_licences import assign_licences
from domain.usecases.notify_buyer import notify_buyer
from domain.usecases.paid_for_nobody import note_paid_for_nobody
from domain.usecases.send_email import access_email, send_link
from domain.values import EmailAddress, ProviderRef, UserId, sortable_id

_purchase = maker(Purchase)


@frozen
class BookSale:
    """Draws what a booking needs from outside, so that its transaction may run more than once."""

    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    def prepare(self, *, now: datetime) -> Booking:
        """A booking at a moment, of any sale."""
        return _booking(
            edition=self.catalogue.current(),
            keyring=self.keyring,
            user=UserId(sortable_id(now=now, entropy=self.randomness.token(10))),
            now=now,
        )


@frozen
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
        source: Source,
        ref: ProviderRef | None,
        payment: str | None,
        by: BookedBy | None = None,
    ) -> Purchase:
        """Write a sale that is not booked yet, with everything it causes.

        The sale of an erased buyer is written without user, browser and email, and the merchant is notified; that of a
        buyer who cannot be emailed without user and email.
        """
        checkout, owner = sale.checkout, None if known.erased else sale.owner
        facts = tx.facts.of_payment(payment) if payment is not None and known.has_facts else ()
        live = not facts or standing_of(sale.paid, facts).state is PurchaseState.LIVE
        purchase = _purchase(
            checkout=checkout.id,
            provider_ref=ref,
            payment=payment,
            user=None
            if owner is None
            else tx.users.get_or_add(owner, new_id=self.user, now=self.now, language=checkout.language),
            mailbox=owner,
            paid_email=None if owner is None else sale.paid_email,
            product=checkout.product,
            product_name=checkout.product_name,
            paid=sale.paid,
            breakdown=sale.breakdown,
            tax_country=sale.tax_country,
            invoice=sale.invoice,
            tax_number="" if known.erased else sale.tax_number,
            livemode=checkout.livemode,
            session=None if known.erased else checkout.session,
            booked_at=self.now,
            source=source,
            booked_by=by,
            contents=checkout.contents,
            waiver=checkout.waiver,
            opens_at=checkout.opens_at,
            licences=()
            if known.erased
            else assign_licences(
                tx, checkout, live=live, edition=self.edition, keyring=self.keyring, now=self.now
            ),
        )
        if known.erased:
            note_paid_for_nobody(tx, purchase, known, facts, shop=self.edition.shop, now=self.now)
        if not tx.purchases.book(purchase, facts):
            raise AssertionError(f"checkout {purchase.checkout} was booked within its own serializable claim")
        if known.holds_place:
            tx.limits.release(purchase.checkout)
        if owner is not None:
            self.send_access_link(
                tx,
                purchase,
                owner,
                purchase.licences if live and purchase.opens_at is None else (),
                language=checkout.language,
            )
        if self.edition.shop.sale_notices is SaleNotices.EACH and not known.erased:
            announce_sale(tx, purchase, edition=self.edition, now=self.now)
        if facts:
            tx.day_sums.touch([fact.moment for fact in facts])
        if self.now - checkout.started_at > OPEN_AT_MOST:  # of a bank debit: that day may be closed
            tx.day_sums.touch([checkout.started_at])
        if facts:
            self.catch_up(tx, purchase, facts)
        return purchase

    def send_access_link(
        self,
        tx: Transaction,
        purchase: Purchase,
        mailbox: EmailAddress,
        licences: tuple[LicenceKey, ...],
        *,
        language: str | None = None,
    ) -> None:
        """The one access email of this purchase: the same bytes, whichever claim books it, and whenever.

        `language`: None for that of the user.
        """
        key = self.keyring.signing
        link_id = key.access_link_of(purchase.checkout, mailbox)
        link = access_link(purchase.product, mailbox, link=link_id, key=key.name, now=self.now)
        # Anybody can order any number of free things: their access emails must not delay those of a payment.
        urgency = Urgency.KNOWN if purchase.provider_ref is None else Urgency.PAYMENT
        email = access_email(purchase, licences, edition=self.edition)
        send_link(
            tx, link, email, key=outbox_keys.access(purchase.checkout), urgency=urgency, language=language
        )

    def catch_up(self, tx: Transaction, purchase: Purchase, facts: Sequence[Fact]) -> None:
        """Notify the buyer of facts that arrived before their sale, or before their address."""
        held = Holding(purchase=purchase, facts=())
        for fact in sorted(facts, key=lambda f: f.weight):
            after = Holding(purchase=purchase, facts=(*held.facts, fact))
            notify_buyer(tx, held, after, of=fact, now=self.now)
            held = after


_booking = maker(Booking)
