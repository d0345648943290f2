"""Weeks of a shop's past, written into its database for the pages of the back office to show."""

from __future__ import annotations

import asyncio
import contextlib
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.sqlite.store import SqliteStore
from domain import outbox_keys
from domain.claim import RejectReason
from domain.emails import AccessLink, AccountDeleted
from domain.fact import Fact, FactKind
from domain.mail import Delivery, Letter, Mail, MailKind, MailState, Urgency
from domain.purchase import BookedBy, Checkout, Purchase, Source
from domain.records import EventRecord, ProblemKind
from domain.transaction import Transaction
from domain.values import CheckoutId, EmailAddress, Money, ProductId, ProviderRef, UserId, sortable_id

DAYS = 40
REFUNDED, DISPUTED, BOUNCED, STUCK, UNKNOWN = 3, 8, 13, 21, 34
"""The sales, counted from the newest, of which something is to be told."""
HOSTILE = '<b>"Ünï" & co</b>'


def fill(folder: Path, *, sales: int = 60, seed: int = 7) -> list[CheckoutId]:
    """Sales over 40 days up to now and what came of some of them, for a shop that is served; the newest first."""
    chance, now = random.Random(seed), datetime.now(UTC)
    made = [_sale(n, chance, now) for n in range(sales)]
    store = SqliteStore.open(folder / "coatcheck.db", serving=False)
    with (
        contextlib.closing(store),
        ThreadPoolExecutor(1) as beside,
    ):  # Playwright has a loop of its own in this thread
        beside.submit(lambda: asyncio.run(store.transact(lambda tx: _write(tx, made, now)))).result()
    return [purchase.checkout for _checkout, purchase in made]


def write_to(folder: Path, address: str, *, number: int) -> None:
    """So many emails to an address, in the outbox of a shop that is served; those that are there already stay."""
    store, at = SqliteStore.open(folder / "coatcheck.db", serving=False), datetime.now(UTC)

    def queue(tx: Transaction) -> None:
        for n in range(number):
            key = f"notice:bench:{n}"
            mail = Mail(
                key=key, kind=MailKind.NOTICE, to=EmailAddress(address), email=AccountDeleted(), link=None,
                key_name=None, queued_at=at, due_at=at + timedelta(days=1), urgency=Urgency.RELEASE,
            )  # fmt: skip
            tx.outbox.queue(mail)

    with contextlib.closing(store), ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(store.transact(queue))).result()


def _sale(n: int, chance: random.Random, now: datetime) -> tuple[Checkout, Purchase]:
    at = now - timedelta(hours=3 + n * 16, minutes=chance.randrange(60))
    row = CheckoutId(sortable_id(now=at, entropy=chance.randbytes(10)))
    ref, price = ProviderRef(f"cs_test_{n}"), Money(900 + 500 * (n % 3), "eur" if n % 7 == 6 else "usd")
    mailbox = EmailAddress(f"buyer{n}@example.com")
    product = ProductId("the-last-cloakroom" if n % 3 else "small-shop-paperwork")
    name = HOSTILE if n == 5 else f"Book {n % 3}"
    checkout = Checkout(
        id=row, product=product, product_name=name, price=price, session=None, mailbox=None, livemode=True,
        started_at=at - timedelta(minutes=4), provider_ref=ref, expires_at=at + timedelta(days=1),
    )  # fmt: skip
    return checkout, Purchase(
        checkout=row, provider_ref=ref, payment=f"pi_{n}", user=UserId(f"{row}u"), mailbox=mailbox, paid_email=mailbox,
        product=product, product_name=name, paid=price, livemode=True, session=None, booked_at=at,
        source=Source.SALE, booked_by=BookedBy.WEBHOOK, opened_at=None if n % 5 == 4 else at + timedelta(minutes=2),
    )  # fmt: skip


def _write(tx: Transaction, made: list[tuple[Checkout, Purchase]], now: datetime) -> None:
    for n, (checkout, purchase) in enumerate(made):
        mailbox = purchase.mailbox
        assert mailbox is not None
        tx.checkouts.add(checkout)
        tx.checkouts.add(
            replace(checkout, id=CheckoutId(f"{checkout.id}x"), provider_ref=ProviderRef(f"cs_test_{n}x"))
        )
        user = tx.users.get_or_add(mailbox, new_id=UserId(f"{purchase.checkout}u"), now=purchase.booked_at)
        tx.purchases.book(replace(purchase, user=user))
        if purchase.opened_at is not None:
            tx.downloads.mark_opened(purchase.checkout, at=purchase.opened_at)
        event = EventRecord(id=f"evt_{n}", type="checkout.session.completed", object_id=f"cs_test_{n}")
        tx.events.log(event, outcome="booked", at=purchase.booked_at + timedelta(seconds=2))
        _email(tx, n, purchase, mailbox)
    _told(tx, made, now)


def _email(tx: Transaction, n: int, purchase: Purchase, mailbox: EmailAddress) -> None:
    key, at = outbox_keys.access(purchase.checkout), purchase.booked_at
    email = AccessLink(product_name=purchase.product_name, paid=purchase.paid, order=purchase.checkout[:16])
    tx.outbox.queue(
        Mail(
            key=key, kind=MailKind.ACCESS, to=mailbox, email=email, link=None, key_name=None, queued_at=at, due_at=at,
            urgency=Urgency.PAYMENT,
        )
    )  # fmt: skip
    subject = f"Your access to {purchase.product_name}"
    text = "Hello,\n\nOpen it: {{coatcheck:link}}\nCode: {{coatcheck:code}}\n"
    tx.outbox.keep_letter(key, Letter(subject=subject, text=text, html="<p>{{coatcheck:link}}</p>"))
    if n in (STUCK, UNKNOWN):
        unknown = at if n == UNKNOWN else None
        problem = "the domain example.com is not verified" if n == STUCK else "outcome_unknown"
        tx.outbox.settle(key, state=MailState.STUCK, at=at, problem=problem, unknown_since=unknown)
    else:
        tx.outbox.settle(key, state=MailState.SENT, at=at + timedelta(seconds=1))
        tx.outbox.record_delivery(key, Delivery.BOUNCED if n == BOUNCED else Delivery.DELIVERED)


def _told(tx: Transaction, made: list[tuple[Checkout, Purchase]], now: datetime) -> None:
    def second(n: int) -> int:
        return int((made[n][1].booked_at + timedelta(hours=2)).timestamp())

    paid = made[REFUNDED][1].paid.amount
    tx.facts.record(Fact("re_1", FactKind.REFUND, f"pi_{REFUNDED}", second(REFUNDED), "succeeded", paid))
    tx.facts.record(Fact("du_1", FactKind.DISPUTE, f"pi_{DISPUTED}", second(DISPUTED), "needs_response", 900))
    hours = timedelta(hours=1)
    tx.quarantine.add("cs_test_odd", RejectReason.WRONG_AMOUNT, at=now - 30 * hours, retry_at=None)
    tx.quarantine.add("pi_foreign", RejectReason.UNREADABLE_PAYMENT, at=now - 5 * hours, retry_at=None)
    tx.problems.report(
        ProblemKind.CHECKOUT_REFUSED,
        "the-last-cloakroom",
        detail="Your account cannot make charges",
        at=now - 9 * hours,
    )
