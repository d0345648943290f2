"""Which mails exist, how far each got, and the key that makes it go out once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum, IntEnum, StrEnum
from typing import Final

from domain.emails import AccessLink, Email
from domain.frozen import frozen
from domain.keys import Key
from domain.values import Digest, EmailAddress, LinkId, UserId, as_line

LINK_SLOT: Final = "{{coatcheck:link}}"
CODE_SLOT: Final = "{{coatcheck:code}}"
OPT_OUT_SLOT: Final = re.compile(r"\{\{coatcheck:no-more:([0-9a-f]+)\}\}")

BODY_KEPT: Final = timedelta(hours=25)
"""How long a rendered body is kept once its email is settled: an hour longer than providers keep idempotency keys."""
UNKNOWN_OUTCOME_LIMIT: Final = timedelta(hours=23)
"""Providers forget an idempotency key after 24 h (https://resend.com/docs/dashboard/emails/idempotency-keys)."""
NOTED_FOR: Final = timedelta(days=7)
"""How long the merchant is shown that an email was sent under a key that had been used before."""
TRIED_LONG_ENOUGH: Final = timedelta(days=3)
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(hours=1)


class MailKind(Enum):
    """Why a mail exists."""

    ACCESS = "access"
    LOGIN = "login"
    ORDER = "order"
    """Asks for the proof of a mailbox that an order is to belong to: a free one, or a paid one without an address."""
    UPDATE = "update"
    """What became of a purchase: refunded, open again, not paid after all."""
    ADDRESS = "address"
    """About whose address is whose: a proof asked of the new one, a word to the old one."""
    RELEASE = "release"
    """A new version, to owners who did not opt out."""
    FAREWELL = "farewell"
    """The last word to somebody whose data was deleted. The row goes once it was sent, and after a week in any case."""
    WITHDRAWAL = "withdrawal"
    """About a withdrawal: received, is it yours, accepted, refused."""
    NOTICE = "notice"
    """A word to the merchant."""


class Urgency(IntEnum):
    """Which emails leave first. Within one urgency the longest due leaves first."""

    PAYMENT = 0
    """Caused by a payment: whatever else the outbox holds, it does not wait behind it."""
    KNOWN = 1
    """Asked for by a browser that has proved something, or addressed to the merchant."""
    STRANGER = 2
    """Asked for by a browser that has proved nothing: anybody can cause any number of these."""
    RELEASE = 3
    """No reader is waiting for it."""


_URGENCIES: Final = {
    MailKind.ACCESS: Urgency.PAYMENT,
    MailKind.UPDATE: Urgency.PAYMENT,
    MailKind.ADDRESS: Urgency.KNOWN,
    MailKind.FAREWELL: Urgency.KNOWN,
    MailKind.NOTICE: Urgency.KNOWN,
    MailKind.LOGIN: Urgency.STRANGER,
    MailKind.ORDER: Urgency.STRANGER,
    MailKind.WITHDRAWAL: Urgency.STRANGER,
    MailKind.RELEASE: Urgency.RELEASE,
}


def urgency_of(kind: MailKind) -> Urgency:
    """How urgent an email of this kind is, unless the use case that queues it knows better."""
    return _URGENCIES[kind]


class MailState(Enum):
    """How far a mail got."""

    QUEUED = "queued"
    SENT = "sent"
    STUCK = "stuck"
    """Waits for the merchant: refused permanently, or its outcome is unknown for too long to try again."""
    DROPPED = "dropped"
    """Not sent on purpose: no customer has the address, or the email was queued again."""


class MailProblem(StrEnum):
    """Why the shop dropped an email or left it to the merchant, as `Mail.problem` stores it."""

    NO_CUSTOMER = "no_customer"
    """A sign-in email to an address that bought nothing."""
    UNSUBSCRIBED = "unsubscribed"
    QUEUED_AGAIN = "queued_again"
    """Under the next key (`domain.outbox_keys.anew`)."""
    TOO_LATE = "too_late"
    """A week has passed, and its link confirms or undoes something; or the purchase belongs to another address."""
    ANOTHER_SHOP = "another_shop"
    """This database is a copy, and the shop it was copied from sends the email."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """Nothing was heard of it: the process that sent it died. Its idempotency key has expired."""
    BOUNCE_DISMISSED = "bounce_dismissed"
    """Sent, and bounced; the merchant knows."""
    NO_ANSWER = "no_answer"
    """The mailer did not come back within the longest time that is waited for one."""
    KEY_USED = "key_used"
    """Sent: the email provider had accepted an email under this key before, with another body."""


class Delivery(Enum):
    """What the email provider reported of a mail after it took it. A later one in this list outweighs an earlier one,
    in whatever order they arrive."""

    ACCEPTED = "accepted"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINED = "complained"
    """Its reader called it spam."""
    BOUNCED = "bounced"
    """The mailbox does not exist, or does not take our mail."""

    def outweighs(self, held: Delivery | None) -> bool:
        """Whether this replaces the status reported before."""
        order = tuple(Delivery)
        return held is None or order.index(self) > order.index(held)


@frozen
class Letter:
    """A message as rendered before the first attempt. Slots stand where link and code will go."""

    subject: str
    text: str
    html: str

    @property
    def body_sha256(self) -> Digest:
        """Of text and HTML, with a NUL between them; kept when the body is deleted."""
        return Digest(hashlib.sha256(f"{self.text}\0{self.html}".encode()).hexdigest())


@frozen
class Mail:
    """One row of the outbox. `key` is unique: it is what makes a mail go out once."""

    key: str
    kind: MailKind
    to: EmailAddress
    email: Email
    """What it says."""
    link: LinkId | None
    key_name: str | None
    """Which of the shop's secrets fills the slots; None for a mail without slots."""
    queued_at: datetime
    due_at: datetime
    state: MailState = MailState.QUEUED
    attempts: int = 0
    unknown_since: datetime | None = None
    """Since when an attempt may have got through without our hearing of it."""
    problem: str = ""
    """A `MailProblem`, or what the email provider said."""
    delivery: Delivery | None = None
    urgency: Urgency = Urgency.KNOWN
    language: str = ""
    """What it is rendered in; "" for the shop's own language."""
    letter: Letter | None = None
    """As rendered; None before that. Text and HTML are "" again `BODY_KEPT` after it was sent or dropped,
    unless it repeats a waiver."""
    body_sha256: Digest | None = None
    """Of the letter, whether or not its body is still there."""
    settled_at: datetime | None = None
    """When it was sent or dropped."""

    @property
    def repeats_waiver(self) -> bool:
        """Whether it confirms a waiver: then its body is kept as long as the purchase."""
        return isinstance(self.email, AccessLink) and self.email.waiver is not None

    @property
    def may_have_been_sent(self) -> bool:
        """Stuck with an unknown outcome: sent again, it may arrive twice. Other stuck emails were certainly refused."""
        return self.state is MailState.STUCK and self.unknown_since is not None

    @property
    def sent_at(self) -> datetime | None:
        """When the provider took it."""
        return self.settled_at if self.state is MailState.SENT else None


@frozen
class Envelope:
    """What is handed to a mailer: the same bytes under the same `idempotency_key` at every try."""

    to: EmailAddress
    subject: str
    text: str
    html: str
    idempotency_key: str
    written_at: datetime = field(compare=False)
    """When it was queued: the same at every try. Carriers that recognise a key do not look at it."""
    no_more_url: str = ""
    """Where a reader can say "no more of these" with one click (RFC 8058); "" for mail they asked for."""


def pause_before_retry(attempts: int) -> timedelta:
    """How long to wait after this many failed tries: 5 s doubling to an hour."""
    doublings = min(max(attempts - 1, 0), 16)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def opt_out_slot(user: UserId) -> str:
    """The placeholder for the URL of a user's unsubscribe page."""
    return f"{{{{coatcheck:no-more:{user}}}}}"


def fill(mail: Mail, letter: Letter, *, key: Key | None, base_url: str, shop: str) -> Envelope:
    """Put links and code where their slots are. Pure: the same mail and key give the same bytes.

    The subject becomes one line, whatever the names in it were when it was stored: email providers make a header of it.
    """
    text, html, no_more = letter.text, letter.html, ""
    if mail.link is not None and key is not None:
        url = f"{base_url}/login/{key.token_of(mail.link)}"
        code = key.code_of(mail.link)
        spaced = f"{code[:4]}-{code[4:]}"
        text = text.replace(LINK_SLOT, url).replace(CODE_SLOT, spaced)
        html = html.replace(LINK_SLOT, url).replace(CODE_SLOT, spaced)
    slot = OPT_OUT_SLOT.search(text) if mail.kind is MailKind.RELEASE else None
    if slot is not None and key is not None:
        no_more = f"{base_url}/no-more/{key.opt_out_of(UserId(slot[1]))}"
        text, html = text.replace(slot[0], no_more), html.replace(slot[0], no_more)
    return Envelope(
        to=mail.to,
        subject=as_line(letter.subject),
        text=text,
        html=html,
        idempotency_key=f"{shop}/{mail.key}",
        written_at=mail.queued_at,
        no_more_url=no_more,
    )
