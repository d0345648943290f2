"""Stripe's test cards, and the checks of its page. https://docs.stripe.com/testing"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

_DECLINED: Final = "4000000000000002"
_THREE_D_SECURE: Final = frozenset({"4000000000003220", "4000002500003155"})
_BRANDS: Final = (("5", "mastercard"), ("37", "amex"), ("6", "discover"))
_SHORTEST, _LONGEST = 12, 19


class CardAnswer(Enum):
    """The answer of the card's bank."""

    PAYS = auto()
    DECLINES = auto()
    ASKS = auto()


def bank_of(number: str) -> CardAnswer:
    """The answer of a test card's bank."""
    digits = re.sub(r"\D", "", number)
    if digits == _DECLINED:
        return CardAnswer.DECLINES
    return CardAnswer.ASKS if digits in _THREE_D_SECURE else CardAnswer.PAYS


def brand_of(number: str) -> str:
    """The brand of a test card, as Stripe's API names it."""
    return next((brand for start, brand in _BRANDS if number.startswith(start)), "visa")


def card_problems(number: str, expiry: str, cvc: str) -> dict[str, str]:
    """The errors of the fields, in Stripe's wording; empty if valid."""
    problems: dict[str, str] = {}
    digits = re.sub(r"[ -]", "", number)
    if not digits.isdecimal() or not _SHORTEST <= len(digits) <= _LONGEST:
        problems["number"] = "Your card number is incomplete."
    elif not _luhn(digits):
        problems["number"] = "Your card number is invalid."
    elif not digits.startswith(("4000", "4242", "5555", "3782", "6011")):
        problems["number"] = (
            "Your card was declined. Your request was in test mode, but used a non test card."
        )
    month = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{2}|\d{4})\s*", expiry)
    if month is None or not 1 <= int(month[1]) <= 12:
        problems["expiry"] = "Your card's expiration date is incomplete."
    elif _is_past(int(month[1]), int(month[2])):
        problems["expiry"] = "Your card's expiration date is in the past."
    if not re.fullmatch(r"\d{3,4}", cvc.strip()):
        problems["cvc"] = "Your card's security code is incomplete."
    return problems


def _is_past(month: int, year: int) -> bool:
    today = datetime.now(UTC)
    full = year if year > 99 else 2000 + year
    return (full, month) < (today.year, today.month)


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
