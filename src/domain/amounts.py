"""From what a person wrote as a price to money that can be charged. Whatever has two meanings has none."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto
from typing import Final

from domain.currencies import CURRENCIES, Currency
from domain.values import CURRENCY_SIGNS, Money


class AmountProblem(Enum):
    """Why what was written as a price cannot be charged."""

    NOT_A_NUMBER = auto()
    AMBIGUOUS = auto()
    """`1,000` is a thousand to some and one to others."""
    OTHER_CURRENCY = auto()
    """It names a currency, and not the one that the price is in."""
    UNKNOWN_CURRENCY = auto()
    """The payment provider does not charge this currency."""
    NOT_OFFERED = auto()
    """The product is not sold in this currency (any more)."""
    TOO_FINE = auto()
    """Finer than the payment provider charges in this currency."""
    BELOW_PRICE = auto()
    """Less than the merchant takes."""
    BELOW_SMALLEST_CHARGE = auto()
    """Less than the payment provider charges, and not nothing."""
    ABOVE_GREATEST_CHARGE = auto()
    """More than the payment provider charges at once."""


_WRITTEN: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?")
_TYPED: Final = re.compile(r"([^0-9]*)([0-9](?:[0-9.,' ]*[0-9])?)([^0-9]*)")
_NO_CENTS: Final = re.compile(r"^[.,][-\u2013\u2014]{1,2}")
"""`12,-` and `12.--`: no cents."""
_SPACED: Final = re.compile(r"[1-9][0-9]{0,2}(?:([' ])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]+)?")
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")
_LONE_POINT: Final = re.compile(r"(?<![^\W\d_])\.")
"""A point that ends no abbreviation, such as `Fr.`."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_APOSTROPHES: Final = str.maketrans({"\u2019": "'", "\u066c": "'"})
_DOLLARS: Final = """
ars aud bbd bmd bnd brl bsd bzd cad clp cop fjd gyd hkd jmd kyd lrd mxn nad nio nzd sbd sgd srd ttd twd usd uyu xcd
"""
"""Currencies that are written with a "$", with or without letters before it."""
_SHARED_SIGNS: Final = {
    "£": frozenset({"gbp", "egp", "fkp", "gip", "lbp", "shp"}),
    "¥": frozenset({"jpy", "cny"}),
}
_OF_CURRENCIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Sc"})
_LONGEST: Final = 60


def charge_problem(price: Money) -> AmountProblem | None:
    """Why the payment provider would refuse this amount; None if it can be charged, or is 0."""
    rules = CURRENCIES.get(price.currency)
    if rules is None:
        return AmountProblem.UNKNOWN_CURRENCY
    if not price.amount:
        return None
    if price.amount % rules.step:
        return AmountProblem.TOO_FINE
    if price.amount < rules.least:
        return AmountProblem.BELOW_SMALLEST_CHARGE
    return AmountProblem.ABOVE_GREATEST_CHARGE if price.amount > rules.most else None


def least_charge(currency: str) -> Money:
    """The smallest amount that can be charged in a known currency."""
    return Money(CURRENCIES[currency].least, currency)


def greatest_charge(currency: str) -> Money:
    """The greatest amount that can be charged in a known currency."""
    return Money(CURRENCIES[currency].most, currency)


def example_amount(currency: str) -> Money:
    """An amount that can be charged, to show how one is written: ten units, or the smallest charge."""
    rules = CURRENCIES[currency]
    return Money(max(10 * 10**rules.digits, rules.least), currency)


def written_price(text: str, *, currency: str) -> Money | AmountProblem:
    """A price in a catalogue: digits and one decimal point, `19.99`."""
    rules = CURRENCIES.get(currency)
    if rules is None:
        return AmountProblem.UNKNOWN_CURRENCY
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return AmountProblem.NOT_A_NUMBER
    if len(found[2] or "") > rules.digits:
        return AmountProblem.TOO_FINE
    return _money(found[0], rules)


def typed_amount(text: str, *, currency: str, charged: bool = True) -> Money | AmountProblem:
    """An amount as people type it: `12`, `12.50`, `12,50`, `1 200`, `1.200,00`, `€ 12,-`, `12 USD`.

    `charged`: False for a refund, which may be smaller than any charge.

    One separator before exactly three digits is ambiguous, unless the currency leaves it one meaning: none of its
    amounts has a fraction, or it has three decimal digits and they are written as the shop writes them (`1.500`).
    """
    rules = CURRENCIES.get(currency)
    if rules is None:
        return AmountProblem.UNKNOWN_CURRENCY
    line = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).strip()
    found = _TYPED.fullmatch(line) if len(line) <= _LONGEST else None
    if found is None or not _may_surround(found[1], found[3]):
        return AmountProblem.NOT_A_NUMBER
    if _names_another(f"{found[1]} {found[3]}", currency):
        return AmountProblem.OTHER_CURRENCY
    number = _plain_number(found[2], rules)
    return number if isinstance(number, AmountProblem) else _money(number, rules, charged=charged)


def _money(number: str, rules: Currency, *, charged: bool = True) -> Money | AmountProblem:
    """`number` is digits and at most one decimal point."""
    whole, _, fraction = number.partition(".")
    cents = fraction.rstrip("0")
    if len(cents) > rules.digits:
        return AmountProblem.TOO_FINE
    minor = int(whole + cents.ljust(rules.digits, "0"))
    if minor > rules.most:
        return AmountProblem.ABOVE_GREATEST_CHARGE
    price = Money(minor, rules.code)
    problem = charge_problem(price)
    if problem is AmountProblem.BELOW_SMALLEST_CHARGE and not charged:
        problem = None
    return problem or price


def _plain_number(number: str, rules: Currency) -> str | AmountProblem:
    """Digits and at most one decimal point."""
    if "'" in number or " " in number:
        spaced = _SPACED.fullmatch(number)
        if spaced is None:
            return AmountProblem.NOT_A_NUMBER
        return number.replace("'", "").replace(" ", "").replace(",", ".")
    points, commas = number.count("."), number.count(",")
    if not points and not commas:
        return number
    if points and commas:
        mark = max(".", ",", key=number.rfind)
        whole, _, fraction = number.rpartition(mark)
        if number.count(mark) > 1 or not _GROUPED.fullmatch(whole):
            return AmountProblem.NOT_A_NUMBER
        return f"{_ungrouped(whole)}.{fraction}"
    if points + commas > 1:
        return _ungrouped(number) if _GROUPED.fullmatch(number) else AmountProblem.NOT_A_NUMBER
    if not _GROUPED.fullmatch(number) or (rules.digits == 3 and points):
        return number.replace(",", ".")
    return _ungrouped(number) if rules.whole else AmountProblem.AMBIGUOUS


def _ungrouped(number: str) -> str:
    return number.replace(".", "").replace(",", "")


def _may_surround(before: str, after: str) -> bool:
    """Whether the text around the digits can be a currency: no minus, no point that belongs to the number."""
    after = _NO_CENTS.sub("", after)
    if before[-1:] == "." or _LONE_POINT.search(before) or _LONE_POINT.search(after):
        return False
    return all(char in " ." or unicodedata.category(char) in _OF_CURRENCIES for char in before + after)


def _names_another(around: str, currency: str) -> bool:
    """Whether a sign or code of another currency stands beside the number."""
    words = {word.lower() for word in _WORD.findall(around)}
    signs = {char for char in around if unicodedata.category(char) == "Sc"}
    if words & (CURRENCIES.keys() - {currency}):
        return True
    return any(not _is_sign_of(sign, around, currency) for sign in signs)


def _is_sign_of(sign: str, around: str, currency: str) -> bool:
    if sign == "$":
        prefix = around.partition("$")[0].rpartition(" ")[2].lower()
        own = CURRENCY_SIGNS.get(currency, "$").rstrip("$").lower()
        return currency in _DOLLARS.split() and prefix in {"", own, currency, currency[:2], currency[:1]}
    if sign in _SHARED_SIGNS:
        return currency in _SHARED_SIGNS[sign]
    owners = {code for code, known in CURRENCY_SIGNS.items() if known == sign}
    return not owners or currency in owners
