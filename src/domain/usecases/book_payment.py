"""Book a quarantined payment by hand: a session of ours that was paid otherwise than it was offered."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from domain.audit import ENTROPY, AuditAction, ByHand, reason_of
from domain.claim import KnownCheckout, ProviderCheckout, RejectReason, Sale, address_of, judge
from domain.frozen import frozen
from domain.keys import Keyring
from domain.limits import GRANTS_BY_SUPPORT
from domain.ports import Catalogue, Clock, Payments, Randomness, Store
from domain.purchase import Checkout, Purchase, Source
from domain.rights import NotAllowed
from domain.staff import Actor
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.authorise import refusal, write_down
from domain.usecases.book_sale import BookSale
from domain.usecases.daily_limit import over_limit
from domain.usecases.follow_change import with_owner
from domain.values import CheckoutId, Money, ProviderRef, is_provider_ref


class WhyNotBooked(Enum):
    """Why a payment was not booked."""

    NO_REASON = auto()
    """It is empty, or too long."""
    NOT_QUARANTINED = auto()
    """There is no open entry of that id."""
    NOT_OURS = auto()
    """It is no checkout of this shop, or of another mode: it can only be dismissed."""
    NOT_PAID = auto()
    """Stripe says that nothing was paid."""
    CHANGED = auto()
    """It was booked, or closed, meanwhile."""


@frozen
class NotBooked:
    """Nothing was booked."""

    why: WhyNotBooked


@frozen
class PaymentBooked:
    """A purchase came of it, now or since the same form was submitted before; its access email is queued."""

    order: Purchase


@frozen
class Bookable:
    """What would be booked: what was asked, what was paid, and whose it would be."""

    ref: ProviderRef
    reason: RejectReason
    checkout: Checkout
    sale: Sale

    @property
    def asked(self) -> Money:
        """The price of the checkout."""
        return self.checkout.price


BookingPayment = PaymentBooked | NotBooked | NotAllowed


@frozen
class BookPayment:
    """`coatcheck book`. The payment provider is asked once more what was paid, before the transaction."""

    store: Store
    payments: Payments
    catalogue: Catalogue
    keyring: Keyring
    clock: Clock
    randomness: Randomness
    booking: BookSale

    async def look(self, ref: str) -> Bookable | NotBooked:
        """What would be booked. Raises StoreUnavailable, PaymentsUnavailable and PaymentsRefused."""
        reading = await self._reading(ref)
        if isinstance(reading, NotBooked):
            return reading
        found = await self.store.read(lambda tx: self._bookable(tx, reading))
        return found if isinstance(found, NotBooked) else found[0]

    async def __call__(self, ref: str, *, actor: Actor, form: str, reason: str) -> BookingPayment:
        """`ref`: of the entry in quarantine (`cs_…`). `form`: names this request.

        Raises StoreUnavailable, PaymentsUnavailable and PaymentsRefused: then nothing was booked.
        """
        done = await self.store.read(lambda tx: _booked_before(tx, form))
        reading = done or await self._reading(ref)
        if isinstance(reading, PaymentBooked | NotBooked):
            return reading
        now, why = self.clock.now(), reason_of(reason)
        asked = ByHand.asked(actor, form=form, now=now, entropy=self.randomness.token(ENTROPY))
        booking = self.booking.prepare(now=now)

        def work(tx: Transaction) -> BookingPayment:
            before = _booked_before(tx, form)
            if before is not None:
                return before
            found = self._bookable(tx, reading)
            if isinstance(found, NotBooked):
                return found
            bookable, known = found
            if why is None:
                return NotBooked(WhyNotBooked.NO_REASON)
            action = AuditAction.BOOK_PAYMENT
            not_allowed = refusal(tx, action, reading.ref, asked=asked) or over_limit(
                tx, GRANTS_BY_SUPPORT, action, reading.ref, asked=asked, keyring=self.keyring
            )
            if not_allowed is not None:
                return not_allowed
            checkout = bookable.checkout
            if checkout.provider_ref is None:
                tx.checkouts.bind(checkout.id, ref=reading.ref, expires_at=checkout.expires_at)
            tx.facts.record(reading.fact())
            tx.quarantine.close(reading.ref, at=now)
            purchase = booking.book(
                tx, bookable.sale, known, source=Source.SALE, ref=reading.ref, payment=reading.payment
            )
            write_down(tx, asked.line(action, purchase.checkout, reason=why))
            return PaymentBooked(purchase)

        return await self.store.transact(work)

    async def _reading(self, ref: str) -> ProviderCheckout | NotBooked:
        if not is_provider_ref(ref):
            return NotBooked(WhyNotBooked.NOT_OURS)
        entry = await self.store.read(lambda tx: tx.quarantine.get(ref))
        if entry is None or entry.closed_at is not None:
            return NotBooked(WhyNotBooked.NOT_QUARANTINED)
        if not entry.reason.can_be_booked:
            return NotBooked(WhyNotBooked.NOT_OURS)
        return await self.payments.retrieve_checkout(ProviderRef(ref)) or NotBooked(WhyNotBooked.NOT_OURS)

    def _bookable(
        self, tx: ReadTransaction, reading: ProviderCheckout
    ) -> tuple[Bookable, KnownCheckout] | NotBooked:
        entry = tx.quarantine.get(reading.ref)
        known = tx.checkouts.for_claim(
            CheckoutId(reading.reference or ""), ref=reading.ref, payment=reading.payment
        )
        if entry is None or entry.closed_at is not None or known.booked:
            return NotBooked(WhyNotBooked.CHANGED)
        if known.checkout is not None and known.checkout.change is not None:
            followed = with_owner(tx, known.checkout, address_of(reading.email))
            known = replace(known, checkout=followed)
        if known.checkout is None or known.erased:
            return NotBooked(WhyNotBooked.NOT_OURS)
        shop = self.catalogue.current().shop.id
        verdict = judge(
            reading, known.checkout, keyring=self.keyring, shop=shop, livemode=self.payments.livemode, accepted=True
        )  # fmt: skip
        if not isinstance(verdict, Sale):
            paid_otherwise = getattr(verdict, "reason", None) is not None
            return NotBooked(WhyNotBooked.NOT_OURS if paid_otherwise else WhyNotBooked.NOT_PAID)
        return Bookable(reading.ref, entry.reason, known.checkout, verdict), known


def _booked_before(tx: ReadTransaction, form: str) -> PaymentBooked | None:
    done = tx.audit.by_form(form)
    purchase = None if done is None else tx.purchases.get(CheckoutId(done.object_id))
    return None if purchase is None else PaymentBooked(purchase)
