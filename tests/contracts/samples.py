"""Things to write into a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain.address_change import AddressChange, ChangeKind
from domain.emails import AccessLink, LicenceLine, WaiverLine
from domain.limits import Limit
from domain.magic_link import LinkPurpose, MagicLink
from domain.mail import Mail, MailKind, Urgency
from domain.purchase import Checkout, LicenceKey, Purchase, Source
from domain.session import Session
from domain.values import (
    ChangeId,
    CheckoutId,
    Digest,
    EmailAddress,
    LinkId,
    Money,
    ProductId,
    ProviderRef,
    SessionId,
    UserId,
)

T = TypeVar("T")

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
ANNA, BEN = EmailAddress("anna@example.com"), EmailAddress("ben@example.com")
BOOK = ProductId("book")
TWO = Limit(kind="two", most=2, window=MINUTE)


def a_session(
    row: str = "s1", *, mailbox: EmailAddress | None = None, token: str = "t1", at: datetime = NOW
) -> Session:
    return Session(
        id=SessionId(row),
        token_hash=Digest(token),
        mailbox=mailbox,
        started_at=at,
        seen_at=at,
        label="Firefox",
    )


def a_checkout(
    row: str = "c1",
    *,
    ref: str | None = "cs_test_1",
    at: datetime = NOW,
    session: str = "s1",
    mailbox: EmailAddress | None = ANNA,
) -> Checkout:
    return Checkout(
        id=CheckoutId(row), product=BOOK, product_name="The book", price=Money(900, "usd"), session=SessionId(session),
        mailbox=mailbox, livemode=False, started_at=at, provider_ref=ProviderRef(ref) if ref else None,
        expires_at=at + DAY if ref else None,
    )  # fmt: skip


def a_purchase(
    row: str = "c1",
    *,
    user: str | None = "u1",
    session: str | None = "s1",
    mailbox: EmailAddress | None = ANNA,
    product: str = "book",
    contents: tuple[str, ...] = (),
    livemode: bool | None = False,
    licences: tuple[LicenceKey, ...] = (),
) -> Purchase:
    return Purchase(
        checkout=CheckoutId(row), provider_ref=ProviderRef(f"cs_test_{row}"), payment=f"pi_{row}", user=None if user is None else UserId(user),
        mailbox=mailbox, paid_email=None, product=ProductId(product), product_name="The book", paid=Money(900, "usd"), livemode=livemode,
        session=SessionId(session) if session else None, booked_at=NOW, source=Source.SALE, contents=tuple(ProductId(c) for c in contents),
        licences=licences,
    )  # fmt: skip


def a_link(
    row: str = "ab" * 16,
    *,
    purpose: LinkPurpose = LinkPurpose.LOGIN,
    at: datetime = NOW,
    mailbox: EmailAddress = ANNA,
    move: str | None = None,
    checkout: str | None = None,
    asked_by: str | None = None,
) -> MagicLink:
    asked = SessionId(asked_by or "s1") if asked_by or purpose is LinkPurpose.LOGIN else None
    return MagicLink(
        id=LinkId(row), key="k", purpose=purpose, mailbox=mailbox, asked_by=asked, product=BOOK, made_at=at,
        move=None if move is None else ChangeId(move), checkout=None if checkout is None else CheckoutId(checkout),
    )  # fmt: skip


def a_mail(
    key: str = "m1",
    *,
    due: datetime = NOW,
    kind: MailKind = MailKind.ACCESS,
    link: str | None = None,
    urgency: Urgency = Urgency.PAYMENT,
    to: EmailAddress = ANNA,
    waiver: WaiverLine | None = None,
) -> Mail:
    return Mail(
        key=key, kind=kind, to=to, email=AccessLink(product_name="Hé", paid=Money(900, "usd"), order="c1", licences=(LicenceLine(key="k", of="it"),), product=ProductId("book"), price=Money(800, "usd"), discount=Money(50, "usd"), tax=Money(150, "usd"), tax_on_top=True, granted=True, waiver=waiver, opens_at="2026-03-15T00:00:00+00:00"),
        link=LinkId(link) if link else None, key_name="k" if link else None, queued_at=NOW, due_at=due,
        urgency=urgency,
    )  # fmt: skip


def a_move(
    row: str = "m1",
    *,
    old: EmailAddress = ANNA,
    new: EmailAddress = BEN,
    at: datetime = NOW,
    checkouts: tuple[str, ...] = ("c1",),
    kind: ChangeKind = ChangeKind.CORRECTION,
) -> AddressChange:
    return AddressChange(
        id=ChangeId(row), kind=kind, old=old, new=new, asked_by=SessionId("s1"), asked_at=at,
        checkouts=tuple(CheckoutId(c) for c in checkouts),
    )  # fmt: skip
