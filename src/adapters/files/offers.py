"""What a product costs, contains and comes with, and what the payment page asks for, from TOML."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from adapters.files.reading import Reader, line_of_key
from domain.amounts import AmountProblem, written_price
from domain.currencies import CURRENCIES
from domain.product import FraudTerms, Licences, PaymentTerms, Product, Status, Tax
from domain.values import Money, ProductId, decimal_text, is_product_id

_LONGEST_KEY: Final = 200
_MOST_KEYS: Final = 100_000
_LARGEST_LIST: Final = 5_000_000
_PROBLEMS_SHOWN: Final = 20
_MOST_PRICES: Final = 200
_MOST_CODES: Final = 20
_CODE: Final = re.compile("[A-Za-z0-9-]{1,50}")
_LONGEST_CONTENTS: Final = 450
"""Characters that a bundle's list may have: it travels in Stripe's metadata, whose values end at 500."""


class PaymentTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[payment] in shop.toml."""

    promotion_codes: bool = False
    code_links: list[str] = []
    tax: Literal["off", "inclusive", "exclusive"] = "off"
    invoices: bool = False
    methods: list[str] = []
    billing_address: Literal["auto", "required"] = "auto"
    tax_ids: bool = False


class FraudTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[fraud] in shop.toml."""

    warnings: Literal["notify", "refund"] = "notify"
    refund_up_to: str | None = None


def fraud_terms(reader: Reader, path: Path, text: str, table: FraudTable, *, currency: str) -> FraudTerms:
    """The terms that the table sets. An unreadable limit is reported, and the shop then refunds nothing by itself."""
    if table.warnings == "notify":
        return FraudTerms()
    if table.refund_up_to is None:
        words = 'warnings = "refund" needs a limit: write it like refund_up_to = "50.00"'
        reader.complain(path, words, line=line_of_key(text, "warnings"))
        return FraudTerms()
    return FraudTerms(
        refund_up_to=_money(reader, path, text, table.refund_up_to, currency, key="refund_up_to")
    )


def payment_terms(reader: Reader, path: Path, text: str, table: PaymentTable) -> PaymentTerms:
    """Its meaning; names of payment methods are Stripe's business. Codes that cannot be Stripe's are left out."""
    line, listed = line_of_key(text, "code_links"), list(dict.fromkeys(table.code_links))
    for code in listed:
        if not _CODE.fullmatch(code):
            words = f"code_links has {code!r}: a promotion code is letters (a to z), digits and hyphens"
            reader.complain(path, words, line=line)
    if len(listed) > _MOST_CODES:
        reader.complain(path, f"code_links has more than {_MOST_CODES} codes", line=line)
    return PaymentTerms(
        promotion_codes=table.promotion_codes,
        code_links=tuple(code for code in listed[:_MOST_CODES] if _CODE.fullmatch(code)),
        tax=Tax(table.tax),
        invoices=table.invoices,
        methods=tuple(table.methods),
        billing_address=table.billing_address == "required",
        tax_ids=table.tax_ids,
    )


class Prices(msgspec.Struct, frozen=True):
    """What a product costs."""

    price: Money
    others: tuple[Money, ...]
    suggested: Money | None


def read_prices(
    reader: Reader,
    path: Path,
    text: str,
    *,
    price: str,
    others: Mapping[str, str],
    suggested: str | None,
    currency: str,
) -> Prices | None:
    """Every price of a product; None, and problems noted, if one of them cannot be charged."""
    before = len(reader.problems)
    own = _money(reader, path, text, price, currency, key="price")
    found: list[Money] = []
    if len(others) > _MOST_PRICES:
        reader.complain(path, f"has more than {_MOST_PRICES} prices", line=line_of_key(text, "prices"))
        return None
    for other, amount in others.items():
        if other.lower() == currency:
            reader.complain(
                path,
                f"{other} is the shop's own currency: its price is `price`",
                line=line_of_key(text, other),
            )
            continue
        money = _money(reader, path, text, amount, other.lower(), key=other)
        if money is not None:
            found.append(money)
    hint = None if suggested is None else _money(reader, path, text, suggested, currency, key="suggested")
    if own is not None and hint is not None and hint < own:
        reader.complain(
            path, "suggested is below price, the least you take", line=line_of_key(text, "suggested")
        )
    if own is None or len(reader.problems) > before:
        return None
    return Prices(price=own, others=tuple(sorted(found, key=lambda money: money.currency)), suggested=hint)


def _money(reader: Reader, path: Path, text: str, amount: str, currency: str, *, key: str) -> Money | None:
    money = written_price(amount, currency=currency)
    if isinstance(money, Money):
        return money
    reader.complain(path, price_words(money, amount, currency), line=line_of_key(text, key))
    return None


def price_words(problem: AmountProblem, amount: str, currency: str) -> str:
    """Why an amount cannot be charged in a currency, to the merchant."""
    code = currency.upper()
    match problem:
        case AmountProblem.UNKNOWN_CURRENCY:
            return f"{currency!r} is no currency that Stripe charges: https://docs.stripe.com/currencies"
        case AmountProblem.TOO_FINE:
            step = decimal_text(CURRENCIES[currency].step, currency)
            return f"Stripe charges {code} in steps of {step}, so {amount!r} cannot be charged"
        case AmountProblem.BELOW_SMALLEST_CHARGE:
            least = decimal_text(CURRENCIES[currency].least, currency)
            return f"{amount} {code} is below Stripe's smallest charge, {least} {code}"
        case AmountProblem.ABOVE_GREATEST_CHARGE:
            most = decimal_text(CURRENCIES[currency].most, currency)
            return f"{amount} {code} is above Stripe's greatest charge, {most} {code}"
        case _:
            return f"a price is written like 19.99 (digits, one point, no sign), not {amount!r}"


def read_licences(reader: Reader, folder: Path, text: str, *, kind: str | None) -> Licences | None:
    """Where a product's licence keys come from; None if it has none, or if their list is not as it must be."""
    listed = folder / "licences.txt"
    if kind is None:
        if os.path.lexists(listed):
            reader.complain(
                listed,
                'is there, but product.toml does not say licence_keys = "list": add that, or move it away',
            )
        return None
    if kind == "generate":
        return Licences(listed=None)
    if not os.path.lexists(listed):
        reader.complain(
            folder / "product.toml",
            'licence_keys is "list", but licences.txt is missing: it holds a key a line',
            line=line_of_key(text, "licence_keys"),
        )
        return None
    content = reader.text(listed, at_most=_LARGEST_LIST)
    return None if content is None else _keys(reader, listed, content)


def _keys(reader: Reader, path: Path, content: str) -> Licences | None:
    keys: dict[str, int] = {}
    before = len(reader.problems)
    for number, raw in enumerate(content.splitlines(), start=1):
        key = raw.strip()
        if not key or key.startswith("#"):
            continue
        if len(key) > _LONGEST_KEY or not key.isprintable():
            reader.complain(path, f"a key has at most {_LONGEST_KEY} printable characters", line=number)
        elif key in keys:
            reader.complain(path, f"this key stands on line {keys[key]} already", line=number)
        keys.setdefault(key, number)
        if len(keys) > _MOST_KEYS:
            reader.complain(path, f"has more than {_MOST_KEYS:,} keys: take out those that were given away")
        if len(keys) > _MOST_KEYS or len(reader.problems) - before == _PROBLEMS_SHOWN:
            return None
    return Licences(listed=tuple(keys))


def check_bundle(reader: Reader, bundle: Product, products: Mapping[ProductId, Product]) -> None:
    """Note what cannot be in a bundle, of all that its list names."""
    path = reader.root / bundle.id / "product.toml"
    problems: list[str] = []
    if len(" ".join(bundle.contains)) > _LONGEST_CONTENTS:
        problems.append(f"contains is too long: {_LONGEST_CONTENTS} characters in all")
    for item in bundle.contains:
        inner = products.get(item)
        if not is_product_id(item) or inner is None or item == bundle.id:
            problems.append(f"contains {item!r}, which is no other product of this shop")
        elif inner.contains:
            problems.append(f"contains {item!r}, which is a bundle itself: name what is in it")
        elif inner.status is Status.DRAFT:
            problems.append(
                f'contains {item!r}, which is a draft: set its status to "unlisted" or "on_sale" first'
            )
    if problems:
        line = line_of_key(reader.text(path) or "", "contains")
        for problem in problems:
            reader.complain(path, problem, line=line)
