"""What the merchant wrote in other languages than the shop's first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.product import CatalogueEdition, Page, Product


def in_language(edition: CatalogueEdition, language: str) -> CatalogueEdition:
    """The edition with the texts of a language; the same object for the shop's first one."""
    if language == edition.shop.language or language not in edition.shop.languages:
        return edition
    tagline = dict(edition.shop.taglines).get(language, edition.shop.tagline)
    return replace(
        edition,
        shop=replace(edition.shop, tagline=tagline),
        products={pid: _product_in(product, language) for pid, product in edition.products.items()},
        pages={slug: _page_in(page, language) for slug, page in edition.pages.items()},
    )


def root_of(language: str, languages: Sequence[str]) -> str:
    """What the paths of public pages begin with in one of the shop's languages: "" or `/de`."""
    return "" if language == languages[0] else f"/{language}"


def _product_in(product: Product, language: str) -> Product:
    found = next((texts for texts in product.texts if texts.language == language), None)
    if found is None:
        return product
    return replace(
        product,
        name=found.name or product.name,
        summary=found.summary or product.summary,
        description_html=found.description_html or product.description_html,
        content_html=found.content_html or product.content_html,
    )


def _page_in(page: Page, language: str) -> Page:
    found = next((text for text in page.texts if text.language == language), None)
    return page if found is None else replace(page, title=found.title, html=found.html)
