"""Values that cannot be wrong once made: money, e-mail addresses, ids and digests."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Final, NewType

import idna

from domain.currencies import CURRENCIES, currency_digits

CheckoutId = NewType("CheckoutId", str)
"""Our own id of one attempt to buy (`sortable_id`). Stripe gets it as `client_reference_id`."""

ProviderRef = NewType("ProviderRef", str)
"""The payment provider's id of a checkout (`cs_test_…`, `cs_live_…`)."""

ProductId = NewType("ProductId", str)
SessionId = NewType("SessionId", str)
LinkId = NewType("LinkId", str)
UserId = NewType("UserId", str)
ChangeId = NewType("ChangeId", str)
Digest = NewType("Digest", str)
"""A SHA-256 in hex: how a secret that a browser carries is stored."""

_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_PROVIDER_REF: Final = re.compile(r"cs_(?:test|live)_[A-Za-z0-9]{1,200}")

CURRENCY_SIGNS: Final = {
    "aud": "A$", "brl": "R$", "cad": "CA$", "cny": "CN¥", "eur": "€", "gbp": "£", "hkd": "HK$", "ils": "₪", "inr": "₹",
    "jpy": "¥", "krw": "₩", "mxn": "MX$", "nzd": "NZ$", "php": "₱", "twd": "NT$", "usd": "$", "vnd": "₫",
}  # fmt: skip
"""The signs that CLDR gives to currencies in English; of every other its ISO code is written."""
_PAYMENT: Final = re.compile(r"pi_[A-Za-z0-9_]{1,200}")
_NOT_IN_A_LINE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LONGEST_NAME: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
LARGEST_AMOUNT: Final = 999_999_999_999
"""Twelve digits: Stripe's upper bound of any amount. https://docs.stripe.com/currencies#maximum-charge-amounts"""


def sortable_id(*, now: datetime, entropy: bytes) -> str:
    """An id that sorts by time: 48 bits of milliseconds, then ten random bytes, in hex (as UUIDv7, RFC 9562 §5.7).

    Rows made together then lie together, which is most of the speed of a busy table. No secret: it opens nothing.
    """
    milliseconds = (now - _EPOCH) // _MILLISECOND
    return f"{milliseconds:012x}{entropy[:10].hex()}"


def digest_of(secret: bytes) -> Digest:
    """SHA-256 of a high-entropy secret, in hex. Not for passwords; there are none."""
    return Digest(hashlib.sha256(secret).hexdigest())


def is_product_id(text: str) -> bool:
    """Whether `text` is a slug: lower-case letters, digits and inner hyphens, at most 64."""
    return _SLUG.fullmatch(text) is not None


def line_problem(text: str) -> str | None:
    """Why a text may not stand in one line, such as a name or the subject of a mail; None if it may.

    It has no control characters or line separators, and no `=?`: that begins an encoded word (RFC 2047 §2), which
    mail programs, and some versions of Python (CVE-2024-6923), decode to whatever is in it.
    """
    if any(unicodedata.category(char) in _NOT_IN_A_LINE for char in text):
        return "has a control character or a line break in it: write it in one line"
    return 'has "=?" in it: write it without' if "=?" in text else None


def name_problem(text: str) -> str | None:
    """Why a text cannot be the name of a shop or a product, which stands in the subject of emails; None if it can."""
    if not text.strip() or len(text) > _LONGEST_NAME:
        return "is empty or too long"
    return line_problem(text)


def as_line(text: str) -> str:
    """A text without what `line_problem` names: spaces stand for it."""
    clean = "".join(" " if unicodedata.category(char) in _NOT_IN_A_LINE else char for char in text)
    return clean.replace("=?", "= ?")


def is_provider_ref(text: str) -> bool:
    """Whether `text` has the form of a Checkout Session id; anything else never reaches Stripe's URL."""
    return _PROVIDER_REF.fullmatch(text) is not None


def is_payment(text: str) -> bool:
    """Whether `text` has the form of a payment intent's id."""
    return _PAYMENT.fullmatch(text) is not None


def decimal_text(amount: int, currency: str, *, grouped: bool = False) -> str:
    """Minor units as a plain number, `1200.00`, `1200` yen, `1.234` dinars; grouped for people: `1,200.00`.

    Kronur and Ugandan shillings are written whole, unless there is something behind the point.
    """
    digits = currency_digits(currency)
    rules = CURRENCIES.get(currency)
    if digits and rules is not None and rules.whole and amount % rules.step == 0:
        amount, digits = amount // rules.step, 0
    return f"{Decimal(amount).scaleb(-digits):{',' if grouped else ''}.{digits}f}"


@lru_cache(maxsize=4096)
def money_text(amount: int, currency: str) -> str:
    """Minor units as people read them, here and at the stand-in: `$1,200.00`, `¥1,200`, `KWD 1.234`, `-€5.00`."""
    sign = CURRENCY_SIGNS.get(currency, f"{currency.upper()}\N{NO-BREAK SPACE}")
    return f"{'-' if amount < 0 else ''}{sign}{decimal_text(abs(amount), currency, grouped=True)}"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency in lower case, as Stripe counts it."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if not (0 <= self.amount <= LARGEST_AMOUNT):
            raise ValueError(f"an amount must be 0 to {LARGEST_AMOUNT} minor units, not {self.amount}")
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.islower():
            raise ValueError(f"a currency is three lower-case letters such as 'usd', not {self.currency!r}")

    def __str__(self) -> str:
        """`$19.99`: the one way an amount is written for people, on pages, in emails and on the command line."""
        return money_text(self.amount, self.currency)


class EmailProblem(Enum):
    """Why a text is no email address that we can mail."""

    EMPTY = "it is empty"
    TOO_LONG = "it is too long"
    HAS_SPACES = "it has spaces or line breaks in it"
    NOT_ONE_AT = "it does not have exactly one @, with something on both sides of it"
    LOCAL_PART_NOT_ASCII = "the part before the @ is not plain ASCII"
    LOCAL_PART_REFUSED = "the part before the @ has a character or a length that mail servers refuse"
    NO_DOMAIN = "the part after the @ is not a domain name"


class InvalidEmail(ValueError):
    """The text is no email address that we can mail."""

    def __init__(self, problem: EmailProblem) -> None:
        super().__init__(problem.value)
        self.problem: Final = problem


# What nearly everybody has: plain ASCII, no label in IDNA's reserved form ("--" in third place). NFKC and IDNA
# leave these as they are but for case, which the test suite checks against the long way.
_PLAIN: Final = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:(?![a-z0-9-]{2}--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
_ATEXT_DOT: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


@dataclass(frozen=True, slots=True, order=True)
class EmailAddress:
    """One canonical mailbox: NFKC, stripped, IDNA (UTS 46) domain, lower case; RFC 5321 lengths."""

    canonical: str

    def __str__(self) -> str:
        return self.canonical

    @classmethod
    def parse(cls, raw: str) -> EmailAddress:
        """The canonical form of a typed address.

        Raises InvalidEmail. Quoted local parts, comments, address literals and local parts that are not
        ASCII after NFKC are refused rather than guessed at (RFC 5321 §4.5.3.1 for the lengths).
        """
        lowered = raw.lower()
        if len(raw) <= 100 and raw.isascii() and _PLAIN.fullmatch(lowered) and raw.find("@") <= 64:
            return cls(canonical=lowered)
        if len(raw) > 1000:
            raise InvalidEmail(EmailProblem.TOO_LONG)
        text = unicodedata.normalize("NFKC", raw).strip()
        if not text:
            raise InvalidEmail(EmailProblem.EMPTY)
        if any(unicodedata.category(char)[0] in "CZ" for char in text):
            raise InvalidEmail(EmailProblem.HAS_SPACES)
        local, at, domain = text.rpartition("@")
        if not at or not local or not domain or "@" in local:
            raise InvalidEmail(EmailProblem.NOT_ONE_AT)
        if not local.isascii():
            raise InvalidEmail(EmailProblem.LOCAL_PART_NOT_ASCII)
        if len(local) > 64 or not _ATEXT_DOT.fullmatch(local):
            raise InvalidEmail(EmailProblem.LOCAL_PART_REFUSED)
        address = f"{local}@{_ascii_domain(domain)}".lower()
        if len(address) > 254:
            raise InvalidEmail(EmailProblem.TOO_LONG)
        return cls(canonical=address)


def _ascii_domain(domain: str) -> str:
    """The domain as it stands in DNS. UTS 46, non-transitional: `faß.de` is its own domain, not `fass.de`."""
    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidEmail(EmailProblem.NO_DOMAIN) from error
    labels = encoded.split(".")
    if len(labels) < 2 or not all(labels) or labels[-1].isdigit() or len(encoded) > 253:
        raise InvalidEmail(EmailProblem.NO_DOMAIN)
    return encoded


def mask(address: EmailAddress) -> str:
    """`b•••@x.com` for the owner of a session to recognise their mailbox; never shown to anyone else."""
    local, _, domain = address.canonical.partition("@")
    return f"{local[0]}•••@{domain}"
