"""The texts of a product and of a page in one of the shop's other languages, as the merchant wrote them."""

from __future__ import annotations

from domain.frozen import frozen


@frozen
class ProductTexts:
    """Of a product, in one language; "" where the text of the first language stands in. HTML is sanitised."""

    language: str
    name: str = ""
    summary: str = ""
    description_html: str = ""
    content_html: str = ""


@frozen
class PageText:
    """One of the merchant's own pages, in one language."""

    language: str
    title: str
    html: str
