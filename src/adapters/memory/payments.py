"""A payment provider in memory: honest about idempotency, signatures and what it does not know."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from domain.claim import ProviderCheckout
from domain.fact import CheckoutStatus, Fact, FactKind
from domain.ports import (
    CheckoutEvent,
    CheckoutOffer,
    Clock,
    FactEvent,
    IgnoredEvent,
    InvalidWebhook,
    PaymentChangedEvent,
    PaymentDetails,
    PaymentPage,
    PaymentsFailed,
    PaymentsRefused,
    PaymentsUnreachable,
    PromotionRefused,
    ProviderPayment,
    ProviderSaid,
    WebhookEvent,
)
from domain.promotion import PromotionCode
from domain.records import EventRecord
from domain.refund import RefundCause
from domain.values import CheckoutId, ProviderRef
from domain.waiver import terms_written

_SECRET = b"a secret that the provider and the shop share"
_PAGE_LIFETIME = timedelta(hours=24)


async def _no_pause(place: str) -> None:
    """The pause between two steps; tests replace it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the provider would post: a body and its signature."""

    body: bytes
    signature: str


class MemoryPayments:
    """Sessions are made by `start`, paid by `pay`; `calls` counts the calls.

    `failing` makes every call unreachable; `refusing` makes every call refused, with these words.
    `forbidden`: the calls, by their names in `calls`, that the key may not make; `cut_off`: those that fail.
    """

    livemode = False
    page_origin = "https://pay.example"
    signature_header = "stripe-signature"

    def __init__(self, *, clock: Clock, pause: Callable[[str], Awaitable[None]] = _no_pause) -> None:
        self.sessions: dict[ProviderRef, ProviderCheckout] = {}
        self.invoices: dict[ProviderRef, str] = {}
        self.details: dict[ProviderRef, PaymentDetails] = {}
        self.made_at: dict[ProviderRef, datetime] = {}
        self.languages: dict[ProviderRef, str] = {}
        self.promotions: dict[str, PromotionCode] = {}
        """The active promotion codes, by their text in upper case."""
        self.failing = False
        self.forbidden: set[str] = set()
        self.cut_off: set[str] = set()
        self.refusing = ""
        self.facts: dict[str, Fact] = {}
        self.refund_fault = ""
        """"failed": an error of its own, saved under the key; "failed but done"; "lost": done, and no answer."""
        self.refund_status = "succeeded"
        self._refund_answers: dict[str, Fact | ProviderSaid] = {}
        self.told_at: dict[str, datetime] = {}
        self.calls: list[str] = []
        self._clock = clock
        self._pause = pause
        self._by_checkout: dict[CheckoutId, ProviderRef] = {}

    async def _call(self, name: str) -> None:
        self.calls.append(name)
        await self._pause(f"{name} sent")
        if self.failing or name in self.cut_off:
            raise PaymentsUnreachable("told to fail")
        if self.refusing:
            raise PaymentsRefused(self.refusing)
        if name in self.forbidden:
            raise PaymentsRefused(f"the key may not {name}")

    async def create_checkout(self, offer: CheckoutOffer) -> PaymentPage:
        """See Payments."""
        await self._call("start")
        checkout = offer.checkout
        if checkout.promotion and all(code.ref != checkout.promotion for code in self.promotions.values()):
            raise PromotionRefused("no such promotion code")
        ref = self._by_checkout.setdefault(
            checkout.id,
            ProviderRef(
                f"cs_{'live' if self.livemode else 'test'}_{hashlib.sha256(checkout.id.encode()).hexdigest()}"
            ),
        )
        if ref not in self.sessions:
            self.made_at[ref], self.languages[ref] = self._clock.now(), offer.language
            self.sessions[ref] = ProviderCheckout(
                ref=ref,
                as_of=self._second(),
                livemode=self.livemode,
                mode="payment",
                status=CheckoutStatus.OPEN,
                currency=checkout.price.currency,
                subtotal=checkout.price.amount,
                total=checkout.price.amount,
                discount=0,
                tax=0,
                email=str(checkout.mailbox) if checkout.mailbox else None,
                payment=None,
                reference=checkout.id,
                product=checkout.product,
                shop=offer.shop,
                seal=offer.seal,
                contents=checkout.contents,
                discounts=checkout.discounts,
                waiver=terms_written(checkout.waiver, checkout.opens_at),
            )
        await self._pause("start answered")
        expires_at = self.made_at[ref] + _PAGE_LIFETIME
        return PaymentPage(ref=ref, url=f"{self.page_origin}/{ref}", expires_at=expires_at)

    async def find_promotion(self, code: str) -> PromotionCode | None:
        """See Payments."""
        await self._call("promotion")
        return self.promotions.get(code.upper())

    async def retrieve_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """See Payments."""
        await self._call("look")
        held = self.sessions.get(ref)
        reading = None if held is None else replace(held, as_of=self._second())
        await self._pause("look answered")
        return reading

    async def expire_checkout(self, ref: ProviderRef) -> ProviderCheckout | None:
        """See Payments."""
        await self._call("expire")
        held = self.sessions.get(ref)
        if held is not None and held.status is CheckoutStatus.OPEN:
            self.expire(ref)
        reading = None if held is None else replace(self.sessions[ref], as_of=self._second())
        await self._pause("expire answered")
        return reading

    async def list_completed(self, since: datetime, until: datetime) -> AsyncIterator[ProviderCheckout]:
        """See Payments."""
        await self._call("list")
        for ref, reading in list(self.sessions.items()):
            if since <= self.made_at[ref] < until and reading.status not in (
                CheckoutStatus.OPEN,
                CheckoutStatus.EXPIRED,
            ):
                yield replace(reading, as_of=self._second())

    def list_refunds(self, since: datetime) -> AsyncIterator[Fact]:
        """See Payments."""
        return self._list(FactKind.REFUND, since)

    def list_disputes(self, since: datetime) -> AsyncIterator[Fact]:
        """See Payments."""
        return self._list(FactKind.DISPUTE, since)

    def list_fraud_warnings(self, since: datetime) -> AsyncIterator[Fact]:
        """See Payments."""
        return self._list(FactKind.WARNING, since)

    async def _list(self, kind: FactKind, since: datetime) -> AsyncIterator[Fact]:
        await self._call(f"list {kind.value}s")
        for object_id, fact in list(self.facts.items()):
            if fact.kind is kind and self.told_at[object_id] >= since:
                yield replace(fact, as_of=self._second())

    async def retrieve_payment(self, payment: str) -> ProviderPayment | None:
        """See Payments."""
        await self._call("payment")
        held = next((s for s in self.sessions.values() if s.payment == payment), None)
        facts = tuple(
            replace(f, as_of=self._second())
            for f in self.facts.values()
            if f.payment == payment and f.kind is not FactKind.WARNING
        )
        reading = None if held is None else replace(held, as_of=self._second())
        await self._pause("payment answered")
        return None if reading is None and not facts else ProviderPayment(checkout=reading, facts=facts)

    async def refund(self, payment: str, amount: int, *, key: str, request: str, cause: RefundCause) -> Fact:
        """See Payments. As at Stripe, an answer is saved under its key and repeated, failures included."""
        await self._call("refund")
        saved = self._refund_answers.get(key)
        if saved is None:
            saved = self._refund_answers[key] = self.refund_now(payment, amount, request)
        await self._pause("refund answered")
        if self.refund_fault == "lost":
            raise PaymentsUnreachable("told to lose the answer")
        if isinstance(saved, ProviderSaid):
            raise saved
        return saved

    async def refunds_of(self, payment: str) -> Sequence[Fact]:
        """See Payments."""
        await self._call("refunds")
        found = (f for f in self.facts.values() if f.payment == payment and f.kind is FactKind.REFUND)
        listed = [replace(fact, as_of=self._second()) for fact in found]
        await self._pause("refunds answered")
        return listed

    async def invoice_url(self, ref: ProviderRef) -> str | None:
        """See Payments. It has the invoices that were put there."""
        await self._call("invoice")
        return self.invoices.get(ref)

    async def payment_details(self, ref: ProviderRef) -> PaymentDetails | None:
        """See Payments. It knows the details that were put there."""
        await self._call("details")
        return self.details.get(ref, PaymentDetails()) if ref in self.sessions else None

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> WebhookEvent:
        """See Payments."""
        if not hmac.compare_digest(_sign(body).encode(), signature.encode()):
            return InvalidWebhook(reason="the signature does not match")
        told = json.loads(body)
        event = EventRecord(id=told["id"], type=told["type"], object_id=told["ref"])
        if told["reading"] is not None:
            reading = ProviderCheckout(**told["reading"])
            status, contents = CheckoutStatus(reading.status), tuple(reading.contents)
            return CheckoutEvent(event=event, reading=replace(reading, status=status, contents=contents))
        if told["fact"] is not None:
            return FactEvent(
                event=event, fact=Fact(**{**told["fact"], "kind": FactKind(told["fact"]["kind"])})
            )
        if told["payment"] is not None:
            return PaymentChangedEvent(event=event, payment=told["payment"])
        return IgnoredEvent(event=event)

    async def check(self) -> datetime | None:
        """See Payments."""
        await self._call("check")
        return self._clock.now()

    async def close(self) -> None:
        """Nothing is held."""

    # ---------------------------------------------------------------- what happens at the provider

    def _second(self) -> int:
        return int(self._clock.now().timestamp())

    def pay(self, ref: ProviderRef, *, email: str | None, status: str = CheckoutStatus.PAID) -> None:
        """The customer pays (or, with status "unpaid", a debit begins; "failed": it bounced)."""
        held = self.sessions[ref]
        self.sessions[ref] = replace(
            held, status=CheckoutStatus(status), email=held.email or email, payment=f"pi_{ref[8:]}"
        )

    def refund_now(self, payment: str, amount: int, request: str) -> Fact | ProviderSaid:
        """A refund is made, or why it is not."""
        paid = next((s.total for s in self.sessions.values() if s.payment == payment), None)
        refunds = [f for f in self.facts.values() if f.payment == payment and f.kind is FactKind.REFUND]
        given = sum(f.amount for f in refunds if f.status not in ("failed", "canceled"))
        if self.refund_fault == "failed":
            return PaymentsFailed("told to fail")
        if paid is None:
            return PaymentsRefused("no such payment")
        if amount > paid - given:
            return PaymentsRefused(f"{amount} is more than the {paid - given} that are left")
        fact = Fact(
            f"re_{len(self.facts)}",
            FactKind.REFUND,
            payment,
            self._second(),
            self.refund_status,
            amount,
            request,
        )
        self.facts[fact.object_id] = fact
        self.told_at[fact.object_id] = self._clock.now()
        return PaymentsFailed("told to fail, but did it") if self.refund_fault == "failed but done" else fact

    def forget_keys(self) -> None:
        """A day passes: what was answered under the keys of refunds is forgotten."""
        self._refund_answers.clear()

    def tell(
        self,
        ref: ProviderRef,
        kind: FactKind,
        status: str,
        *,
        amount: int,
        name: str = "1",
        answer_by: int = 0,
    ) -> Fact:
        """Something happens to a session's payment: a refund or dispute is made, or gets another status."""
        payment = self.sessions[ref].payment
        object_id = f"{kind.value}_{name}_{ref[8:]}"
        fact = Fact(
            object_id=object_id,
            kind=kind,
            payment=payment,
            as_of=self._second(),
            status=status,
            amount=amount,
            answer_by=answer_by,
        )
        self.facts[object_id] = fact
        self.told_at.setdefault(object_id, self._clock.now())
        return fact

    def expire(self, ref: ProviderRef) -> None:
        """It was not paid in time."""
        self.sessions[ref] = replace(self.sessions[ref], status=CheckoutStatus.EXPIRED)

    def invent(self, reading: ProviderCheckout) -> None:
        """A session that this shop did not start."""
        self.sessions[reading.ref] = reading
        self.made_at[reading.ref] = self._clock.now()

    def delivery(
        self, ref: ProviderRef, *, event: str = "evt_1", kind: str = "checkout.session.completed"
    ) -> Delivery:
        """The event about a session as it stands now."""
        return self.sign(event=event, kind=kind, reading=replace(self.sessions[ref], as_of=self._second()))

    def fact_delivery(self, fact: Fact, *, event: str = "evt_f") -> Delivery:
        """The event about a refund or dispute, as it was when the fact was made."""
        fields = asdict(fact)
        fields["kind"] = fact.kind.value
        return self._signed(event, f"{fact.kind.value}.updated", fact.object_id, fact=fields)

    def payment_delivery(self, payment: str, *, event: str = "evt_p") -> Delivery:
        """The event that says only that something was refunded of a payment."""
        return self._signed(event, "charge.refunded", payment, payment=payment)

    def sign(self, *, event: str, kind: str, reading: ProviderCheckout | None) -> Delivery:
        """An event about a session (or, with None, about something else), signed."""
        fields = None if reading is None else asdict(reading)
        return self._signed(event, kind, "" if reading is None else reading.ref, reading=fields)

    def _signed(
        self,
        event: str,
        kind: str,
        ref: str,
        *,
        reading: dict[str, object] | None = None,
        fact: dict[str, object] | None = None,
        payment: str | None = None,
    ) -> Delivery:
        told = {
            "id": event, "type": kind, "ref": ref, "reading": reading, "fact": fact,
            "payment": payment,
        }  # fmt: skip
        body = json.dumps(told).encode()
        return Delivery(body=body, signature=_sign(body))


def _sign(body: bytes) -> str:
    return hmac.digest(_SECRET, body, "sha256").hex()
