"""The claim: turn a paid checkout into a purchase, once, whoever comes first and however often.

Redirect, webhook and reconciler all run this same work inside a transaction of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import outbox_keys
from domain.claim import (
    AwaitingPayment,
    NotPaid,
    ProviderCheckout,
    Rejected,
    RejectReason,
    Sale,
    Unsettled,
    address_of,
    judge,
    restored_checkout,
)
from domain.keys import Keyring
from domain.letters import payment_failed_letter
from domain.mail import MailKind
from domain.ports import Catalogue, Clock, Payments
from domain.product import CatalogueEdition, ShopInfo
from domain.purchase import Checkout, Purchase
from domain.transaction import Transaction
from domain.usecases.book_sale import Booking, BookSale
from domain.usecases.record_fact import ASK_AGAIN_AFTER
from domain.usecases.send_email import notify_merchant, send_email
from domain.values import CheckoutId

RETRY_QUARANTINE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Booked:
    """The sale is booked; `first` says whether this very claim wrote it."""

    purchase: Purchase
    first: bool


ClaimOutcome = Booked | AwaitingPayment | NotPaid | Rejected


def outcome_of(claimed: ClaimOutcome) -> str:
    """What the log says of a claim."""
    match claimed:
        case Booked(_, first):
            return "booked" if first else "known"
        case AwaitingPayment():
            return "awaiting bank"
        case NotPaid(status):
            return status
        case Rejected(reason):
            return f"quarantined: {reason.name.lower().replace('_', ' ')}"


def _unobserved(outcome: str) -> None:
    """Where nobody counts."""


@dataclass(frozen=True, slots=True)
class ClaimPurchase:
    """Prepares the one work that books a sale; the caller runs it in its transaction."""

    payments: Payments
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    booking: BookSale
    observe: Callable[[str], None] = _unobserved
    """Told the outcome (`outcome_of`) of each claim by whoever ran it, after its transaction."""

    def work(self, reading: ProviderCheckout) -> Callable[[Transaction], ClaimOutcome]:
        """The claim of this reading. Ids and time are drawn here, so that the work may run more than once.

        A session that goes to quarantine is looked at again after a few minutes.
        """
        now = self.clock.now()
        return self.retrying(reading, now=now, retry_at=now + RETRY_QUARANTINE_AFTER)

    def retrying(
        self, reading: ProviderCheckout, *, now: datetime, retry_at: datetime | None
    ) -> Callable[[Transaction], ClaimOutcome]:
        """The same; `retry_at` says when to look again if it is refused, None for never."""
        claim = _Claim(
            reading=reading,
            edition=self.catalogue.current(),
            keyring=self.keyring,
            livemode=self.payments.livemode,
            booking=self.booking.prepare(now=now),
            now=now,
            retry_at=retry_at,
        )
        return claim.run


@dataclass(frozen=True, slots=True)
class _Claim:
    reading: ProviderCheckout
    edition: CatalogueEdition
    keyring: Keyring
    livemode: bool
    booking: Booking
    now: datetime
    retry_at: datetime | None

    def run(self, tx: Transaction) -> ClaimOutcome:
        checkout = self._checkout(tx)
        if isinstance(checkout, RejectReason):
            return self._reject(tx, checkout)
        verdict = judge(
            self.reading, checkout, keyring=self.keyring, shop=self.edition.shop.id, livemode=self.livemode
        )
        match verdict:
            case Rejected(reason):
                return self._reject(tx, reason)
            case Unsettled(checkout):
                return self._note(tx, checkout)
            case Sale():
                return self._book(tx, verdict)

    def _checkout(self, tx: Transaction) -> Checkout | RejectReason:
        if self.reading.mode != "payment":
            return RejectReason.NOT_A_PAYMENT
        if self.reading.livemode != self.livemode:
            return RejectReason.OTHER_MODE
        if self.reading.reference is not None:
            held = tx.checkouts.get(CheckoutId(self.reading.reference))
            if held is not None:
                return held
        return restored_checkout(self.reading, keyring=self.keyring, edition=self.edition)

    def _keep(self, tx: Transaction, checkout: Checkout) -> bool:
        """Write what was missing of the checkout: its session's id, or (in a restored shop) all of it."""
        if checkout.session is None and tx.checkouts.get(checkout.id) is None:
            return tx.checkouts.add(checkout)
        if checkout.provider_ref is None:
            return tx.checkouts.bind(checkout.id, ref=self.reading.ref, expires_at=checkout.expires_at)
        return True

    def _note(self, tx: Transaction, checkout: Checkout) -> ClaimOutcome:
        if self.reading.status in ("open", "expired") and tx.checkouts.get(checkout.id) is None:
            return NotPaid(status=self.reading.status)
        if not self._keep(tx, checkout):
            return self._reject(tx, RejectReason.ANOTHER_SESSION)
        kept = tx.facts.record(self.reading.fact())
        booked = tx.purchases.get(checkout.id)
        if booked is not None:
            return Booked(purchase=booked, first=False)
        tx.quarantine.close(self.reading.ref, at=self.now)
        if kept.status == "unpaid":
            self._ask_again_tomorrow(tx)
            return AwaitingPayment()
        if kept.status == "failed":
            self._tell_of_failure(tx, checkout)
        return NotPaid(status=kept.status)

    def _ask_again_tomorrow(self, tx: Transaction) -> None:
        """A debit takes days; if nobody tells how it ended we ask."""
        if self.reading.payment is not None:
            tx.rechecks.schedule(self.reading.payment, at=self.now, due_at=self.now + ASK_AGAIN_AFTER)

    def _tell_of_failure(self, tx: Transaction, checkout: Checkout) -> None:
        if self.reading.payment is not None:
            tx.rechecks.cancel(self.reading.payment)
        to = checkout.mailbox or address_of(self.reading.email)
        if to is None or tx.erasures.is_erased(checkout.id):
            return
        letter = payment_failed_letter(checkout, base_url=self.booking.base_url, shop=self.edition.shop)
        key = outbox_keys.payment_failed(checkout.id)
        send_email(tx, letter, key=key, kind=MailKind.UPDATE, to=to, now=self.now)

    def _book(self, tx: Transaction, sale: Sale) -> ClaimOutcome:
        checkout = sale.checkout
        if not self._keep(tx, checkout):
            return self._reject(tx, RejectReason.ANOTHER_SESSION)
        tx.facts.record(self.reading.fact())
        held = tx.purchases.get(checkout.id)
        if held is not None:
            return Booked(purchase=held, first=False)
        purchase = self.booking.book(tx, sale, ref=self.reading.ref, payment=self.reading.payment)
        tx.quarantine.close(self.reading.ref, at=self.now)
        return Booked(purchase=purchase, first=True)

    def _reject(self, tx: Transaction, reason: RejectReason) -> Rejected:
        put_in_quarantine(
            tx, self.reading.ref, reason, retry_at=self.retry_at, shop=self.edition.shop, now=self.now
        )
        return Rejected(reason=reason)


def put_in_quarantine(
    tx: Transaction,
    ref: str,
    objection: RejectReason,
    *,
    retry_at: datetime | None,
    shop: ShopInfo,
    now: datetime,
) -> None:
    """Keep what is not acted on, and tell the merchant of the first that waits with this objection."""
    if not tx.quarantine.add(ref, objection, at=now, retry_at=retry_at):
        return
    notify_merchant(
        tx,
        "A payment waits for you",
        f"Stripe told us of something that was not acted on: {ref}.",
        objection.value,
        "Nobody was given anything for it. If it is a sale of this shop, see Stripe's dashboard for what was paid.",
        "`coatcheck status` lists everything that waits, and how to settle it.",
        key=outbox_keys.quarantined(ref),
        shop=shop,
        now=now,
    )
