"""The claim: turn a paid checkout into a purchase, once, whoever comes first and however often.

Redirect, webhook and reconciler all run this same work inside a transaction of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.books import Books
from domain.claim import CheckoutReading, Foreign, Objection, Ours, Sale, judge, restored_checkout
from domain.keys import Keyring
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Mail, MailKind, notice_letter, ticket_letter
from domain.ports import Catalogue, Clock, Payments, Randomness
from domain.product import CatalogueEdition, ShopInfo
from domain.purchase import Checkout, Purchase
from domain.values import CheckoutId, LinkId, ProviderRef, UserId, sortable_id

RETRY_QUARANTINE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Booked:
    """The sale stands in the books; `first` says whether this very claim wrote it."""

    purchase: Purchase
    first: bool


@dataclass(frozen=True, slots=True)
class AwaitingBank:
    """The shopper is done, the money is under way (a bank debit): days, not seconds."""

    checkout: Checkout


@dataclass(frozen=True, slots=True)
class NotPaid:
    """Nothing was paid (yet); `status` is the session's."""

    checkout: Checkout
    status: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not a sale of ours, or not one to act on: in quarantine, with the reason."""

    objection: Objection


Claimed = Booked | AwaitingBank | NotPaid | Refused


@dataclass(frozen=True, slots=True)
class ClaimPurchase:
    """Prepares the one work that books a sale; the caller runs it in its transaction."""

    payments: Payments
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness

    def work(self, reading: CheckoutReading) -> Callable[[Books], Claimed]:
        """The claim of this reading. Ids and time are drawn here, so that the work may run more than once.

        A session that goes to quarantine is looked at again after a few minutes.
        """
        now = self.clock.now()
        return self.retrying(reading, now=now, retry_at=now + RETRY_QUARANTINE_AFTER)

    def retrying(
        self, reading: CheckoutReading, *, now: datetime, retry_at: datetime | None
    ) -> Callable[[Books], Claimed]:
        """The same; `retry_at` says when to look again if it is refused, None for never."""
        claim = _Claim(
            reading=reading,
            edition=self.catalogue.current(),
            keyring=self.keyring,
            livemode=self.payments.livemode,
            link=LinkId(self.randomness.token(16).hex()),
            user=UserId(sortable_id(now=now, chance=self.randomness.token(10))),
            now=now,
            retry_at=retry_at,
        )
        return claim.run


@dataclass(frozen=True, slots=True)
class _Claim:
    reading: CheckoutReading
    edition: CatalogueEdition
    keyring: Keyring
    livemode: bool
    link: LinkId
    user: UserId
    now: datetime
    retry_at: datetime | None

    def run(self, books: Books) -> Claimed:
        checkout = self._checkout(books)
        if isinstance(checkout, Objection):
            return self._refuse(books, checkout)
        verdict = judge(
            self.reading, checkout, keyring=self.keyring, shop=self.edition.shop.id, livemode=self.livemode
        )
        match verdict:
            case Foreign(objection):
                return self._refuse(books, objection)
            case Ours(checkout):
                return self._note(books, checkout)
            case Sale():
                return self._book(books, verdict)

    def _checkout(self, books: Books) -> Checkout | Objection:
        if self.reading.mode != "payment":
            return Objection.NOT_A_PAYMENT
        if self.reading.livemode != self.livemode:
            return Objection.OTHER_MODE
        if self.reading.reference is not None:
            held = books.checkout(CheckoutId(self.reading.reference))
            if held is not None:
                return held
        return restored_checkout(self.reading, keyring=self.keyring, edition=self.edition)

    def _keep(self, books: Books, checkout: Checkout) -> bool:
        """Write what was missing of the checkout: its session's id, or (in a restored shop) all of it."""
        if checkout.session is None and books.checkout(checkout.id) is None:
            return books.add_checkout(checkout)
        if checkout.provider_ref is None:
            return books.bind_checkout(checkout.id, ref=self.reading.ref, expires_at=checkout.expires_at)
        return True

    def _note(self, books: Books, checkout: Checkout) -> Claimed:
        if self.reading.status in ("open", "expired") and books.checkout(checkout.id) is None:
            return NotPaid(checkout=checkout, status=self.reading.status)
        if not self._keep(books, checkout):
            return self._refuse(books, Objection.ANOTHER_SESSION)
        kept = books.tell(self.reading.fact())
        booked = books.purchase(checkout.id)
        if booked is not None:
            return Booked(purchase=booked, first=False)
        books.close_quarantine(self.reading.ref, at=self.now)
        if kept.status == "unpaid":
            return AwaitingBank(checkout=checkout)
        return NotPaid(checkout=checkout, status=kept.status)

    def _book(self, books: Books, sale: Sale) -> Claimed:
        checkout = sale.checkout
        if not self._keep(books, checkout):
            return self._refuse(books, Objection.ANOTHER_SESSION)
        books.tell(self.reading.fact())
        held = books.purchase(checkout.id)
        if held is not None:
            return Booked(purchase=held, first=False)
        purchase = Purchase(
            checkout=checkout.id,
            provider_ref=self.reading.ref,
            payment=self.reading.payment,
            user=books.user_for(sale.owner, new_id=self.user, now=self.now),
            mailbox=sale.owner,
            paid_email=sale.paid_email,
            product=checkout.product,
            product_name=checkout.product_name,
            paid=sale.paid,
            livemode=checkout.livemode,
            session=checkout.session,
            booked_at=self.now,
        )
        if not books.book(purchase):
            # The transaction is serializable, so nobody can have booked it since we looked.
            raise AssertionError(f"checkout {checkout.id} was booked within its own claim")
        self._hand_out_ticket(books, purchase)
        books.give_back(checkout.id)
        books.close_quarantine(self.reading.ref, at=self.now)
        return Booked(purchase=purchase, first=True)

    def _hand_out_ticket(self, books: Books, purchase: Purchase) -> None:
        """The one ticket of this purchase, in the transaction that books it: whoever comes first sends it."""
        key = self.keyring.signing.name
        books.add_link(
            MagicLink(
                id=self.link,
                key=key,
                purpose=LinkPurpose.TICKET,
                mailbox=purchase.mailbox,
                asked_by=None,
                product=purchase.product,
                made_at=self.now,
            )
        )
        books.queue(
            Mail(
                key=f"ticket:{purchase.checkout}",
                kind=MailKind.TICKET,
                to=purchase.mailbox,
                letter=ticket_letter(purchase, shop=self.edition.shop),
                link=self.link,
                key_name=key,
                queued_at=self.now,
                due_at=self.now,
            )
        )

    def _refuse(self, books: Books, objection: Objection) -> Refused:
        ref = self.reading.ref
        if books.quarantine(ref, objection, at=self.now, retry_at=self.retry_at):
            books.queue(quarantine_notice(ref, objection, shop=self.edition.shop, now=self.now))
        return Refused(objection=objection)


def quarantine_notice(ref: ProviderRef, objection: Objection, *, shop: ShopInfo, now: datetime) -> Mail:
    """The word to the merchant about the first session that waits with this objection."""
    lines = (
        f"A checkout session that Stripe told us of was not acted on: {ref}.",
        objection.value,
        "Nobody was given anything for it. If it is a sale of this shop, see Stripe's dashboard for what was paid.",
        "`coatcheck status` lists everything that waits, and how to settle it.",
    )
    return Mail(
        key=f"notice:quarantine:{ref}",
        kind=MailKind.NOTICE,
        to=shop.support,
        letter=notice_letter(subject="A payment waits for you", lines=lines, shop=shop),
        link=None,
        key_name=None,
        queued_at=now,
        due_at=now,
    )
