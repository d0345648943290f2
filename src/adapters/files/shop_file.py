"""shop.toml and what belongs to it: from files to the domain's values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from adapters.files.admin import AdminTable, support_refunds
from adapters.files.email_templates import CheckEmails, read_emails
from adapters.files.front import (
    SectionTable,
    lines_of,
    lines_problem,
    read_links,
    read_order,
    read_sections,
)
from adapters.files.languages import CheckLanguage, read_languages, read_taglines
from adapters.files.last_good import ShopForm
from adapters.files.law import LawTable, law_terms
from adapters.files.looking import last_change
from adapters.files.offers import FraudTable, PaymentTable, fraud_terms, payment_terms
from adapters.files.pictures import LARGEST_LOGO, read_picture
from adapters.files.reading import Reader, line_of_key
from domain.colour import Colour
from domain.currencies import CURRENCIES
from domain.local_time import zone_named
from domain.ports import SOURCE
from domain.product import SaleNotices, ShopInfo
from domain.values import EmailAddress, InvalidEmail, is_product_id, line_problem, name_problem

LARGEST_THEME: Final = 100_000
_LONGEST_SELLER: Final = 500
_LONGEST_FOOTER: Final = 1000


class _ShopFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    currency: str
    support: str
    tagline: str = ""
    id: str | None = None
    payment: PaymentTable = PaymentTable()
    accent: str = ""
    order: list[str] = []
    sections: list[SectionTable] = []
    seller: str = ""
    footer: str = ""
    links: dict[str, str] = {}
    logo: str | None = None
    timezone: str = "UTC"
    sale_notices: str = SaleNotices.OFF
    admin: AdminTable = AdminTable()
    fraud: FraudTable = FraudTable()
    languages: tuple[str, ...] = (SOURCE,)
    taglines: dict[str, str] = {}
    law: LawTable = LawTable()


def read_shop(
    reader: Reader, last: ShopForm | None, *, check_emails: CheckEmails, check_language: CheckLanguage
) -> ShopForm | None:
    """shop.toml, theme.css, the email templates and the logo; the id of the ShopInfo is still to be given.

    While tagline, accent, seller, footer, timezone, languages, sale_notices, support_refunds, theme.css, logo or an
    email template cannot be used, which is noted, it is the `last` good one: none of them says what anything costs or
    whose it is. None if shop.toml is broken.
    """
    path = reader.root / "shop.toml"
    missing = "is missing: it holds name, currency and support (an email address)"
    found = reader.toml(path, _ShopFile, missing=missing)
    if found is None:
        return None
    shop, text = found
    ok = True
    currency = shop.currency.lower()
    if currency not in CURRENCIES:
        words = f'currency is {shop.currency!r}, which Stripe does not charge: write it like "usd"'
        reader.complain(path, words, line=line_of_key(text, "currency"))
        ok = False
    ok &= check_name(reader, path, text, name=shop.name)
    if shop.id is not None and not is_product_id(shop.id):
        reader.complain(
            path, "id is lower-case letters, digits and hyphens, at most 64", line=line_of_key(text, "id")
        )
        ok = False
    try:
        support = EmailAddress.parse(shop.support)
    except InvalidEmail as error:
        reader.complain(path, f"support is {shop.support!r}: {error}", line=line_of_key(text, "support"))
        return None
    if not ok:
        return None
    logo, picture = _logo(reader, path, text, shop.logo, last)
    held = (
        ShopInfo(id="", name="", tagline="", support=support, currency=currency)
        if last is None
        else last.shop
    )

    def or_last(key: str, value: str, problem: str | None) -> str:
        if problem is None:
            return value
        reader.complain(path, f"{key} {problem}", line=line_of_key(text, key))
        return str(getattr(held, key))

    languages = read_languages(reader, path, text, shop.languages, check_language, held.languages)
    reader.languages = languages[1:]
    accent, seller, footer = shop.accent.strip(), lines_of(shop.seller), lines_of(shop.footer)
    info = ShopInfo(
        id="",
        name=shop.name.strip(),
        tagline=or_last("tagline", shop.tagline.strip(), line_problem(shop.tagline)),
        support=support,
        currency=currency,
        payment=payment_terms(reader, path, text, shop.payment),
        accent=or_last("accent", accent, _accent_problem(accent)),
        theme=_theme(reader, held.theme),
        order=read_order(reader, path, text, shop.order),
        seller=or_last("seller", "\n".join(seller), lines_problem(seller, longest=_LONGEST_SELLER)),
        sections=read_sections(reader, path, text, shop.sections),
        footer=or_last("footer", "\n".join(footer), lines_problem(footer, longest=_LONGEST_FOOTER)),
        links=read_links(reader, path, text, shop.links),
        logo=logo,
        sale_notices=SaleNotices(
            or_last("sale_notices", shop.sale_notices, _notices_problem(shop.sale_notices))
        ),
        fraud=fraud_terms(reader, path, text, shop.fraud, currency=currency),
        law=law_terms(reader, path, text, shop.law),
        timezone=or_last("timezone", shop.timezone, _timezone_problem(shop.timezone)),
        support_refunds=support_refunds(
            reader, path, text, shop.admin, currency=currency, last=held.support_refunds
        ),
        changed=last_change(path),
        emails=read_emails(reader, check_emails, held.emails),
        languages=languages,
        taglines=read_taglines(reader, path, text, shop.taglines),
    )
    return ShopForm(shop=info, declared_id=shop.id, logo=picture)


def _accent_problem(accent: str) -> str | None:
    return f'is {accent!r}: write a colour as "#24483e"' if accent and Colour.parse(accent) is None else None


def _timezone_problem(name: str) -> str | None:
    known = zone_named(name) is not None
    words = f'is {name!r}, which this machine does not know: write a name such as "Europe/Berlin", or install tzdata'
    return None if known else words


def _notices_problem(notices: str) -> str | None:
    known = ", ".join(f'"{one}"' for one in SaleNotices)
    return None if notices in tuple(SaleNotices) else f"is one of {known}, not {notices!r}"


def _logo(
    reader: Reader, path: Path, text: str, name: str | None, last: ShopForm | None
) -> tuple[str, bytes | None]:
    """Its file's name and its bytes."""
    if name is None:
        return "", None
    picture = read_picture(reader, path, text, name, key="logo", at_most=LARGEST_LOGO)
    if picture is not None:
        return name, picture
    return ("", None) if last is None else (last.shop.logo, last.logo)


def _theme(reader: Reader, last: str) -> str:
    """The merchant's own style sheet, or the last good one while it cannot be read."""
    path = reader.root / "theme.css"
    if not os.path.lexists(path):
        return ""
    text = reader.text(path, at_most=LARGEST_THEME)
    return last if text is None else text


def check_name(reader: Reader, path: Path, text: str, *, name: str) -> bool:
    """Whether it can stand in the subject of a mail; otherwise a problem is noted."""
    problem = name_problem(name)
    if problem is not None:
        reader.complain(path, f"name {problem}", line=line_of_key(text, "name"))
    return problem is None
