"""A catalogue with a product of every kind, and what of its pages no translation changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from domain.law import LawTerms
from domain.product import CatalogueEdition, Licences, Status
from domain.values import Money, ProductId
from entrypoints.testing import an_edition
from entrypoints.testing.fakes import a_product

# What a shop or its customer wrote, and what is formatted by other means than sentences.
GIVEN = (
    r"A Shop|Of tests|Terms|Be kind\.|It\b|it\.txt|\bTXT\b|USD|EUR|GB",
    r"(All about|The secret of) the \w+\.|About it\.|The (book|photos|gift|wish|rare|gone|old|quiet|later|secret|set)",
    r"[\w.•]+@[\w.]+",
    r"\d+ (January|February|March|April|May|June|July|August|September|October|November|December) \d+(, \d\d:\d\d(:\d\d)? UTC)?",
    # An id: of an order, a checksum, a code, a request.
    r"\b[0-9a-f]{8,64}\b|[0-9A-Z]{4}-[0-9A-Z]{4}|KEY-\d|XXXX-XXXX|sha256sum",
    # The name of a browser, as it is stored.
    r"Firefox on Linux",
)


def the_edition() -> CatalogueEdition:
    edition = an_edition(
        a_product(ProductId("book"), other_prices=(Money(800, "eur"),)),
        a_product(ProductId("photos"), price=1400, licences=Licences(listed=("KEY-1",))),
        a_product(ProductId("gift"), price=0),
        a_product(ProductId("wish"), price=200, pay_what_you_want=True),
        a_product(ProductId("rare"), stock=0),
        a_product(ProductId("gone"), held_back=True),
        a_product(ProductId("old"), status=Status.RETIRED, stock=3),
        a_product(ProductId("quiet"), status=Status.UNLISTED),
        a_product(ProductId("later"), available_from=datetime(2026, 12, 24, 18, 0, tzinfo=UTC)),
        a_product(ProductId("secret"), status=Status.DRAFT),
        a_product(ProductId("set"), contains=(ProductId("book"), ProductId("photos"))),
    )
    return replace(edition, shop=replace(edition.shop, law=LawTerms(withdrawal=True)))
