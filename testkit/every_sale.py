"""Sales of every kind, written into a shop's database: what the pages of the back office have to show."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.emails import AccessLink
from domain.fact import Fact, FactKind
from domain.mail import Delivery, Mail, MailKind, MailState
from domain.purchase import BookedBy, Breakdown, Checkout, LicenceKey, Purchase, Source
from domain.transaction import Transaction
from domain.values import CheckoutId, EmailAddress, Money, ProductId, ProviderRef, SessionId, UserId
from entrypoints.container import Container
from entrypoints.settings import load_settings
from testkit.servers import BOOK, ShopServer

HOSTILE: Final = "<script>alert(1)</script>\"'&{{7*7}}"
HOSTILE_ADDRESS: Final = EmailAddress("{{7*7}}&'$%_|`@evil.example")
PAPERWORK: Final = "small-shop-paperwork"
KEY: Final = "AAAA-BBBB-CCCC-1234"


def order(number: int) -> CheckoutId:
    """The id of the sale of that number; they differ in their first twelve characters."""
    return CheckoutId(f"019c{number:08x}{'a0b1c2d3e4f5a6b7c8d9'}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A sale, the facts about it, and what else is to be written."""

    purchase: Purchase
    facts: tuple[Fact, ...] = ()
    verified: bool = True
    delivery: Delivery | None = Delivery.DELIVERED


def sold(number: int, mailbox: EmailAddress | str | None, at: datetime, **changes: Any) -> Purchase:
    address = EmailAddress(mailbox) if isinstance(mailbox, str) else mailbox
    plain = Purchase(
        checkout=order(number), provider_ref=ProviderRef(f"cs_test_every{number}"), payment=f"pi_every{number}",
        user=None if address is None else UserId(f"u{number:04}"), mailbox=address, paid_email=address,
        product=ProductId(BOOK), product_name="The Last Cloakroom", paid=Money(900, "usd"), livemode=False,
        session=None, booked_at=at, source=Source.SALE, booked_by=BookedBy.WEBHOOK, opened_at=at + timedelta(minutes=3),
    )  # fmt: skip
    return replace(plain, **changes)


def a_refund(sale: Purchase, amount: int, *, status: str = "succeeded", ref: str = "re_") -> Fact:
    as_of = int(sale.booked_at.timestamp()) + 86_400
    return Fact(f"{ref}{sale.checkout[4:12]}", FactKind.REFUND, sale.payment, as_of, status, amount)


def a_dispute(sale: Purchase, status: str) -> Fact:
    as_of = int(sale.booked_at.timestamp()) + 172_800
    return Fact(f"du_{sale.checkout[4:12]}", FactKind.DISPUTE, sale.payment, as_of, status, sale.paid.amount)


def kinds(now: datetime) -> dict[str, Kind]:
    """Each by a name; the newest last."""
    day = timedelta(days=1)
    part, full = sold(2, "part@example.com", now - 20 * day), sold(3, "full@example.com", now - 19 * day)
    asked, lost = sold(4, "asked@example.com", now - 18 * day), sold(5, "lost@example.com", now - 17 * day)
    revoked = sold(6, "revoked@example.com", now - 16 * day)
    unopened = sold(7, "unopened@example.com", now - 15 * day, opened_at=None)
    nobody, bounced = sold(8, None, now - 14 * day, opened_at=None), sold(9, "gone@bounce.example", now - 13 * day, opened_at=None)  # fmt: skip
    no_payment = {"payment": None, "provider_ref": None, "livemode": None, "booked_by": None}
    yen = sold(13, "yen@example.com", now - 9 * day, paid=Money(1200, "jpy"), product=ProductId(PAPERWORK), product_name="Small-Shop Paperwork")  # fmt: skip
    dinar = sold(14, "dinar@example.com", now - 8 * day, paid=Money(12340, "kwd"))
    keyed = sold(
        15, "keyed@example.com", now - 7 * day, licences=(LicenceKey(ProductId(BOOK), KEY),), paid=Money(1071, "usd"),
        breakdown=Breakdown(discount=100, tax=171, tax_on_top=True), paid_email=EmailAddress("another@example.com"),
    )  # fmt: skip
    hostile = sold(
        16, HOSTILE_ADDRESS, now - 6 * day, product_name=HOSTILE, licences=(LicenceKey(ProductId(BOOK), HOSTILE),),
        product=ProductId("not-sold-any-more"), paid_email=EmailAddress("x'&{{1}}@evil.example"),
    )  # fmt: skip
    again = sold(17, "full@example.com", now - 5 * day)
    return {
        "plain": Kind(sold(1, "plain@example.com", now - 21 * day)),
        "part": Kind(part, (a_refund(part, 300),)),
        "full": Kind(full, (a_refund(full, 900), a_refund(full, 100, status="failed", ref="re_failed"))),
        "asked": Kind(asked, (a_dispute(asked, "needs_response"),)),
        "lost": Kind(lost, (a_dispute(lost, "lost"),)),
        "revoked": Kind(revoked, (Fact(f"merchant:{revoked.checkout}", FactKind.MERCHANT, None, int(now.timestamp()) - 86_400, "revoked", 0),)),
        "unopened": Kind(unopened, verified=False),
        "nobody": Kind(nobody, delivery=None),
        "bounced": Kind(bounced, verified=False, delivery=Delivery.BOUNCED),
        "free": Kind(sold(10, "free@example.com", now - 12 * day, paid=Money(0, "usd"), source=Source.FREE, **no_payment)),
        "grant": Kind(sold(11, "press@example.com", now - 11 * day, paid=Money(0, "usd"), source=Source.GRANT, **no_payment)),
        "import": Kind(sold(12, "old@example.com", now - 10 * day, source=Source.IMPORT, **no_payment)),
        "yen": Kind(yen), "dinar": Kind(dinar), "keyed": Kind(keyed), "hostile": Kind(hostile), "again": Kind(again),
    }  # fmt: skip


def write(tx: Transaction, kind: Kind) -> None:
    """One sale with its checkout, its customer, its access email, and its facts."""
    sale = kind.purchase
    if sale.provider_ref is not None:
        tx.checkouts.add(
            Checkout(
                id=sale.checkout, product=sale.product, product_name=sale.product_name, price=sale.price,
                session=SessionId("s"), mailbox=None, livemode=sale.livemode,
                started_at=sale.booked_at - timedelta(minutes=2), provider_ref=sale.provider_ref,
                promotion="promo_every15" if sale.breakdown.discount else "",
            )
        )  # fmt: skip
    if sale.mailbox is not None and sale.user is not None:
        mailbox = sale.mailbox
        sale = replace(sale, user=tx.users.get_or_add(mailbox, new_id=sale.user, now=sale.booked_at))
        if kind.verified:
            tx.users.mark_verified(mailbox, at=sale.booked_at + timedelta(minutes=3))
    tx.purchases.book(sale)
    for fact in kind.facts:
        tx.facts.record(fact)
    if kind.delivery is not None and sale.mailbox is not None:
        key = f"access:{sale.checkout}"
        email = AccessLink(product_name=sale.product_name, paid=sale.paid, order=sale.checkout[:16])
        tx.outbox.queue(
            Mail(
                key=key, kind=MailKind.ACCESS, to=sale.mailbox, email=email, link=None, key_name=None,
                queued_at=sale.booked_at, due_at=sale.booked_at, state=MailState.SENT, settled_at=sale.booked_at,
            )
        )  # fmt: skip
        tx.outbox.record_delivery(key, kind.delivery)


def write_all(tx: Transaction, now: datetime, *, more: int = 0) -> None:
    """Every kind, and `more` plain sales that are older, each of a customer of its own."""
    every = kinds(now)
    for number in range(more):
        write(
            tx,
            Kind(
                sold(1000 + number, f"reader{number}@many.example", now - timedelta(days=30, minutes=number))
            ),
        )
    for kind in every.values():
        write(tx, kind)
    plain, hostile = every["plain"].purchase, every["hostile"].purchase
    for hour in range(1000):
        tx.downloads.count(
            plain.checkout, plain.product, "the-last-cloakroom.epub",
            now=plain.booked_at + timedelta(minutes=20 * hour), window=timedelta(minutes=10),
        )  # fmt: skip
    tx.downloads.count(
        hostile.checkout, hostile.product, HOSTILE, now=now - timedelta(days=5), window=timedelta(0)
    )
    erased = sold(18, "erased@example.com", now - timedelta(days=4))
    write(tx, Kind(erased))
    tx.erasures.erase(EmailAddress("erased@example.com"), at=now - timedelta(days=3))
    debit = Checkout(
        id=order(19), product=ProductId(BOOK), product_name="The Last Cloakroom", price=Money(900, "usd"),
        session=SessionId("s"), mailbox=EmailAddress("debit@example.com"), livemode=False,
        started_at=now - timedelta(hours=3), provider_ref=ProviderRef("cs_test_every19"),
    )  # fmt: skip
    tx.checkouts.add(debit)
    unpaid = Fact("cs_test_every19", FactKind.SESSION, None, int(now.timestamp()) - 9000, "unpaid", 900)
    tx.facts.record(unpaid)


def fill(shop: ShopServer, *, more: int = 0) -> datetime:
    """Write them into the database of a shop that runs; when that was, which the times of the sales count from."""
    now = datetime.now(UTC).replace(microsecond=0)
    settings = load_settings(shop.environment, dotenv=None)

    async def wrote() -> None:
        container = Container(settings=settings)
        store = container.store()
        try:
            await store.transact(lambda tx: write_all(tx, now, more=more))
        finally:
            await asyncio.to_thread(store.close)

    with ThreadPoolExecutor(1) as beside:  # Playwright's loop runs in this thread
        beside.submit(asyncio.run, wrote()).result()
    return now
