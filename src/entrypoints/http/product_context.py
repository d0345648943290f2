"""What a product's page says, the same for all visitors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final

from domain.product import CatalogueEdition, GoodsFile, Product, Tax
from domain.usecases.code_links import CodeLinks
from domain.values import Money, ProductId
from domain.waiver import NO_BOXES, Boxes, WaiverMissing
from entrypoints.http.page import amount_words, filesize
from entrypoints.http.sentences import _
from entrypoints.http.waiver_form import waiver_form

_REFUND_PAGES: Final = ("refunds", "refund-policy", "refund", "returns")


@dataclass(frozen=True, slots=True)
class Carried:
    """The promotion code that a link to a product brings along, and what there is `left` to pay with it."""

    code: str = ""
    left: Money | None = None
    ignored: bool = False
    """Whether there was one that is not good here."""
    elsewhere: str = ""
    """The ignored one, if it is one that links may carry: it may be good in another currency."""

    @property
    def key(self) -> str:
        """Distinguishes the pages that are shown for it."""
        if self.left is None:
            return f"?{self.elsewhere}" if self.ignored else ""
        return f"?{self.code}={self.left.amount}"


NO_CODE: Final = Carried()


def carried_by(typed: str | None, product: Product, currency: str, *, code_links: CodeLinks) -> Carried:
    """What a link or a form with this code carries; `typed`: None for none."""
    if typed is None:
        return NO_CODE
    found = code_links.reduced(typed, product, product.price_in(currency))
    if found is not None:
        return Carried(code=found[0].code, left=found[1])
    known = code_links.find(typed)
    return Carried(ignored=True, elsewhere=known.code if known else "")


def product_context(
    product: Product,
    edition: CatalogueEdition,
    currency: str,
    *,
    now: datetime,
    waiting: frozenset[ProductId],
    carried: Carried = NO_CODE,
    boxes: Boxes = NO_BOXES,
    missing: WaiverMissing | None = None,
) -> dict[str, Any]:
    """The context of a product's page that is the same for all visitors. `waiting`: those whose sale is to begin.

    `boxes`, `missing`: see `waiver_form`.
    """
    price = product.price_in(currency)
    contents = [
        item for pid in product.contains if (item := edition.products.get(pid)) is not None and item.public
    ]
    suggested = product.suggested if product.suggested is not None and price == product.price else price
    return {
        "product": product,
        "price": price,
        "carried": carried,
        "typed": amount_words(suggested),
        "error": "",
        "contents": contents,
        "saving": None if waiting.intersection(product.contains) else _saving(product, contents, price),
        "opens": product.available_from if product.id in waiting else None,
        "currencies": tuple(found.currency for found in product.prices),
        "currency": price.currency,
        "chosen": currency,
        "sample": product.file(product.sample) if product.sample and product.public else None,
        "waiver": waiver_form(edition.shop, now, product, price, boxes, missing),
        "assurances": _assurances(product, edition, price),
    }


def format_of(file: GoodsFile) -> str:
    """As "PDF", by its name; "" if that has no extension."""
    return PurePosixPath(file.name).suffix[1:].upper()


def _assurances(product: Product, edition: CatalogueEdition, price: Money) -> list[tuple[str, str]]:
    """What a buyer wants to know before paying, each with the address of the page that says more, or ""."""
    said: list[tuple[str, str]] = []
    if price.amount and edition.shop.payment.tax is Tax.INCLUSIVE:
        said.append((_("Price includes tax"), ""))
    kinds = sorted({kind for file in product.files if (kind := format_of(file))})
    if kinds:
        size = filesize(sum(file.size for file in product.files))
        said.append((_("%(kinds)s, %(size)s", kinds=", ".join(kinds), size=size), ""))
    if price.amount:
        methods = edition.shop.payment.methods
        if not methods or "card" in methods:
            said.append((_("Visa, Mastercard, American Express"), ""))
        said.append((_("Secure payment with Stripe"), ""))
    policy = next((page for slug in _REFUND_PAGES if (page := edition.pages.get(slug)) is not None), None)
    if policy is not None:
        said.append((policy.title, f"/pages/{policy.slug}"))
    return said


def _saving(product: Product, contents: Sequence[Product], price: Money) -> Money | None:
    """What a bundle costs less than its products one by one; None if they are not all on sale at a fixed price."""
    alone = [item.price_in(price.currency) for item in contents]
    fixed = all(
        item.on_sale and not item.pay_what_you_want and (cost.currency == price.currency or not cost.amount)
        for item, cost in zip(contents, alone, strict=True)
    )
    if product.pay_what_you_want or len(contents) != len(product.contains) or not fixed:
        return None
    saved = sum(cost.amount for cost in alone) - price.amount
    return Money(saved, price.currency) if saved > 0 else None
