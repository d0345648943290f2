"""What the stand-in remembers: sessions, payments, events, mails, and how it was told to behave."""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import dataclass, field
from typing import Any, Final

_ALPHABET: Final = string.ascii_letters + string.digits
Json = dict[str, Any]


def fresh_id(prefix: str, *, length: int = 24) -> str:
    """An id as Stripe's look: a prefix and random letters and digits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def now() -> int:
    """The present second, Unix time."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Manners:
    """How events are delivered: copies (0 drops them), seconds of delay, and whether the browser waits for it."""

    copies: int = 1
    delay: float = 0.0
    before_redirect: bool = True


@dataclass(slots=True)
class SentMail:
    """One mail that was accepted under its key; `handed` counts how often it was handed over."""

    id: str
    key: str
    fields: Json
    at: float
    handed: int = 1


@dataclass(slots=True)
class Attempt:
    """One try to deliver an event, for the page that shows them."""

    event: str
    type: str
    status: str
    at: float


@dataclass(slots=True)
class World:
    """Everything. One event loop, so no locks."""

    own_url: str
    webhook_url: str
    webhook_secret: str
    shop_url: str
    sessions: dict[str, Json] = field(default_factory=dict)
    lines: dict[str, list[Json]] = field(default_factory=dict)
    """The line items of a session: name, description, amount, quantity, currency."""
    intent_metadata: dict[str, Json] = field(default_factory=dict)
    """What a session's payment intent will carry, once there is one."""
    intents: dict[str, Json] = field(default_factory=dict)
    products: dict[str, Json] = field(default_factory=dict)
    prices: dict[str, Json] = field(default_factory=dict)
    methods: dict[str, Json] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[str, int, Json]] = field(default_factory=dict)
    """What was answered under an idempotency key: the request, the status, the body."""
    mails: dict[str, SentMail] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    manners: Manners = field(default_factory=Manners)
    stripe_fault: str = ""
    """"" works, "down" answers 503, "hang" never answers in time."""
    mail_fault: str = ""
    calls: list[str] = field(default_factory=list)
    """Method and path of the last requests to the Stripe side."""
