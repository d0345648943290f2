"""Which mails exist, what they say, and the key that makes each go out once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final

from domain.keys import Key
from domain.mail_layout import Block, Button, Code, Note, Paragraph, lay_out
from domain.product import ShopInfo
from domain.purchase import Purchase
from domain.values import EmailAddress, LinkId

LINK_SLOT: Final = "{{coatcheck:link}}"
CODE_SLOT: Final = "{{coatcheck:code}}"
_ORDER_SLOT: Final = "{{coatcheck:order}}"

UNKNOWN_OUTCOME_LIMIT: Final = timedelta(hours=23)
"""Providers forget an idempotency key after 24 h (https://resend.com/docs/dashboard/emails/idempotency-keys)."""
TRIED_LONG_ENOUGH: Final = timedelta(days=3)
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(hours=1)


class MailKind(Enum):
    """Why a mail exists."""

    TICKET = "ticket"
    LOGIN = "login"
    NOTICE = "notice"


class MailState(Enum):
    """How far a mail got."""

    QUEUED = "queued"
    SENT = "sent"
    STUCK = "stuck"
    """Waits for the merchant: refused for good, or its outcome is unknown for too long to try again."""
    DROPPED = "dropped"
    """Was not to be sent after all: nobody with that address has bought here, or it was queued anew."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole message as rendered when it was queued. Slots stand where link and code will go."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One row of the outbox. `key` is unique: it is what makes a mail go out once."""

    key: str
    kind: MailKind
    to: EmailAddress
    letter: Letter
    link: LinkId | None
    key_name: str | None
    """Which of the shop's secrets fills the slots; None for a mail without slots."""
    queued_at: datetime
    due_at: datetime
    state: MailState = MailState.QUEUED
    attempts: int = 0
    unknown_since: datetime | None = None
    """Since when an attempt may have got through without our hearing of it."""
    sent_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is handed to a mailer: the same bytes under the same `idempotency_key` at every try."""

    to: EmailAddress
    subject: str
    text: str
    html: str
    idempotency_key: str


def pause_before_retry(attempts: int) -> timedelta:
    """How long to wait after this many failed tries: 5 s doubling to an hour."""
    doublings = min(max(attempts - 1, 0), 16)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def fill(mail: Mail, *, key: Key | None, base_url: str, shop: str) -> Envelope:
    """Put link and code where their slots are. Pure: the same mail and key give the same bytes."""
    text, html = mail.letter.text, mail.letter.html
    if mail.link is not None and key is not None:
        url = f"{base_url}/login/{key.token_of(mail.link)}"
        code = key.code_of(mail.link)
        spaced = f"{code[:4]}-{code[4:]}"
        text = text.replace(LINK_SLOT, url).replace(CODE_SLOT, spaced)
        html = html.replace(LINK_SLOT, url).replace(CODE_SLOT, spaced)
    return Envelope(
        to=mail.to,
        subject=mail.letter.subject,
        text=text,
        html=html,
        idempotency_key=f"{shop}/{mail.key}",
    )


def ticket_letter(purchase: Purchase, *, shop: ShopInfo) -> Letter:
    """The ticket: what was bought, and the link that brings the buyer back. Never a code."""
    letter = _ticket(purchase.product_name, str(purchase.paid), shop)
    order = purchase.checkout[:12]
    return Letter(
        subject=letter.subject,
        text=letter.text.replace(_ORDER_SLOT, order),
        html=letter.html.replace(_ORDER_SLOT, order),
    )


@lru_cache(maxsize=256)
def _ticket(product_name: str, paid: str, shop: ShopInfo) -> Letter:
    """Alike for every buyer of a product but for the order's number, so it is laid out once."""
    blocks: tuple[Block, ...] = (
        Paragraph(f"Thank you for buying {product_name} ({paid})."),
        Paragraph("This is your ticket. It opens what you bought, on any device:"),
        Button(label=f"Open {product_name}", url=LINK_SLOT),
        Note(
            "The button works once, for 24 hours. After that, or on another device, ask for a new one at the shop "
            "with this e-mail address. There is no password."
        ),
        Note(f"Order {_ORDER_SLOT}."),
    )
    return _letter(f"Your ticket: {product_name}", blocks, shop=shop)


def login_letter(*, shop: ShopInfo) -> Letter:
    """The mail somebody asked for at the door: link and code, what they do, and whom to tell them: nobody."""
    blocks: tuple[Block, ...] = (
        Paragraph(f"Somebody, we hope you, asked to come in to {shop.name} with this e-mail address."),
        Button(label="Come in", url=LINK_SLOT),
        Paragraph("Or type this code on the page where you asked:"),
        Code(CODE_SLOT),
        Note(
            "Link and code sign you in and open everything you bought here. They work once, for 15 minutes; the code "
            "only in the browser that asked."
        ),
        Note("Never read the code to anyone. We will never ask you for it. If you did not ask, do nothing."),
    )
    return _letter(f"Come in to {shop.name}", blocks, shop=shop)


def notice_letter(*, subject: str, lines: tuple[str, ...], shop: ShopInfo) -> Letter:
    """A word to the merchant: the first of its kind that waits for them."""
    return _letter(subject, tuple(Paragraph(line) for line in lines), shop=shop)


def _letter(subject: str, blocks: tuple[Block, ...], *, shop: ShopInfo) -> Letter:
    text, html = lay_out(blocks, title=subject, shop=shop.name, support=shop.support.canonical)
    return Letter(subject=subject, text=text, html=html)
