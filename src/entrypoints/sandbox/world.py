"""The stand-in's state: sessions, payments, events, mails, and its configured behaviour."""

from __future__ import annotations

import base64
import secrets
import string
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

_ALPHABET: Final = string.ascii_letters + string.digits
_SHELVES: Final = {
    "payment_intent": "intents", "latest_charge": "charges", "charge": "charges", "invoice": "invoices",
    "coupon": "coupons", "promotion_code": "codes", "customer": "customers",
}  # fmt: skip
MAIL_WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(b"the stand-in's mail webhooks").decode()
"""The default signing secret of mail webhooks; a shop that receives them is configured with it."""
Json = dict[str, Any]
_moment: float | None = None


def fresh_id(prefix: str, *, length: int = 24) -> str:
    """An id in Stripe's format: a prefix and random letters and digits."""
    return prefix + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(length))


def now() -> int:
    """The present second, Unix time."""
    return int(moment())


def moment() -> float:
    """The same, with its fraction."""
    return time.time() if _moment is None else _moment


def stand_still_at(second: float | None) -> None:
    """From now on it is this moment, in the whole process, until it is called with None: see `demo_history`."""
    global _moment  # noqa: PLW0603 - the time is everybody's
    _moment = second


@dataclass(frozen=True, slots=True)
class Manners:
    """How events are delivered: copies (0 drops them), seconds of delay, and whether the browser waits for it."""

    copies: int = 1
    delay: float = 0.0
    before_redirect: bool = True


@dataclass(slots=True)
class SentMail:
    """One accepted mail, under its key; `handed` counts its submissions."""

    id: str
    key: str
    fields: Json
    at: float
    handed: int = 1


@dataclass(slots=True)
class Attempt:
    """One attempt to deliver an event, for the page that lists them."""

    event: str
    type: str
    status: str
    at: float


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A webhook that is still to be answered. `to`: an endpoint's id, or the mail webhook; `due`: Unix time."""

    id: str
    type: str
    body: str
    to: str
    due: float


@dataclass(slots=True)
class World:
    """All state. One event loop, so no locks. `kept.py` says what of it outlasts a restart."""

    own_url: str
    """The base of the API, the mailbox and the controls."""
    webhook_url: str
    webhook_secret: str
    shop_url: str
    mail_webhook_secret: str = MAIL_WEBHOOK_SECRET
    """Empty: no mail webhook is ever sent."""
    mail_webhook_url: str = ""
    pay_url: str = ""
    """The base of the pages that customers are sent to; usually the same."""
    sessions: dict[str, Json] = field(default_factory=dict)
    lines: dict[str, list[Json]] = field(default_factory=dict)
    """The line items of a session: name, description, amount, quantity, currency, tax_behavior, tax_code."""
    taxes: dict[str, list[Json]] = field(default_factory=dict)
    """The taxes of a session, which are shown only where `total_details.breakdown` is expanded."""
    intent_metadata: dict[str, Json] = field(default_factory=dict)
    """The metadata for a session's future payment intent."""
    paid_by: dict[str, str] = field(default_factory=dict)
    """The session of a payment intent; one created without a session has none."""
    intents: dict[str, Json] = field(default_factory=dict)
    charges: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    disputes: dict[str, Json] = field(default_factory=dict)
    warnings: dict[str, Json] = field(default_factory=dict)
    """Early fraud warnings."""
    invoices: dict[str, Json] = field(default_factory=dict)
    coupons: dict[str, Json] = field(default_factory=dict)
    codes: dict[str, Json] = field(default_factory=dict)
    """Promotion codes, by id."""
    customers: dict[str, Json] = field(default_factory=dict)
    products: dict[str, Json] = field(default_factory=dict)
    prices: dict[str, Json] = field(default_factory=dict)
    methods: dict[str, Json] = field(default_factory=dict)
    bounces: dict[str, bool] = field(default_factory=dict)
    """Whether the bank of a payment method declines."""
    events: dict[str, Json] = field(default_factory=dict)
    endpoints: dict[str, Json] = field(default_factory=dict)
    """Webhook endpoints created over the API, beside the one at `webhook_url`."""
    endpoint_secrets: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, Json]] = field(default_factory=dict)
    """Answers by path and idempotency key: request, status and body."""
    mails: dict[str, SentMail] = field(default_factory=dict)
    """By idempotency key."""
    mails_by_id: dict[str, SentMail] = field(default_factory=dict)
    reports: dict[str, list[str]] = field(default_factory=dict)
    """The reports sent for a mail: the types of its webhooks."""
    attempts: list[Attempt] = field(default_factory=list)
    undelivered: dict[str, Undelivered] = field(default_factory=dict)
    """The deliveries under way, by a number of their own."""
    manners: Manners = field(default_factory=Manners)
    stripe_fault: str = ""
    """One of `faults.FAULTS`; empty: no fault."""
    refund_fault: str = ""
    """One of `faults.REFUND_FAULTS`."""
    mail_fault: str = ""
    """One of `faults.MAIL_FAULTS`."""
    permissions: frozenset[str] | None = None
    """What the key may do, if it is a restricted one: `checkout_session_write`, `charge_read`; None: everything."""
    business_name: bool = True
    """Whether the account has the business name that Checkout requires."""
    head_office: bool = True
    """Whether the account has the head office address that Stripe Tax requires."""
    calls: list[str] = field(default_factory=list)
    """Method and path of the last requests to the Stripe API."""

    def __post_init__(self) -> None:
        self.pay_url = self.pay_url or self.own_url
        self.mail_webhook_url = self.mail_webhook_url or f"{self.shop_url}/mail-events"

    @property
    def path(self) -> str:
        """The path of `own_url`; usually none."""
        return urlsplit(self.own_url).path

    def shelf_of(self, name: str) -> dict[str, Json] | None:
        """The objects whose ids a field of that name holds; None if it holds no ids."""
        shelf = _SHELVES.get(name)
        return None if shelf is None else getattr(self, shelf)
