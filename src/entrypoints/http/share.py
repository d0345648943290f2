"""The pictures of the shop and its products that social networks show with a link: PNGs, since they show no SVG."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from litestar import route
from litestar.exceptions import NotFoundException, ServiceUnavailableException
from litestar.params import FromPath

from domain.colour import READABLE, Colour
from domain.ports.sharing import ShareCard, SharePainter, SharePicture
from domain.product import CatalogueEdition, Product
from domain.values import ProductId
from entrypoints.http.caching import PUBLIC, kept_as
from entrypoints.http.page import AnyRequest, PageFrame
from entrypoints.http.prepared import Prepared
from entrypoints.http.responses import RawResponse
from entrypoints.http.shop import PAGE
from entrypoints.style_sheets import root_colours

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_ACCENT: Final = "#24483e"
"""--act in shop.css, in its light form."""
_SUFFIX: Final = ".png"
_SHOP: Final = "_shop.png"
"""The shop's own picture. No product's id begins like that (`is_product_id`)."""
_MOST_BYTES: Final = 16_000_000
_MOST_WAITING: Final = 32
_TRY_AGAIN: Final = 600.0
"""Seconds after which a picture that lacks its cover is drawn again: the machine may have been busy."""
_Key = tuple[str, ProductId | None]
"""The version of the catalogue, and the product; None for the shop."""


class SharePages:
    """Draws each picture when it is first requested, and keeps the latest in memory."""

    def __init__(
        self,
        *,
        frame: PageFrame,
        painter: SharePainter,
        at_most: int = _MOST_BYTES,
        again_after: float = _TRY_AGAIN,
    ) -> None:
        """`at_most`: the bytes of pictures that are kept. `again_after`: the seconds until one that lacks its cover is
        drawn again."""
        self._front = frame
        self._painter = painter
        self._drawn: OrderedDict[_Key, SharePicture | None] = OrderedDict()
        self._bytes, self._at_most, self._again_after = 0, at_most, again_after
        self._being_drawn: dict[_Key, asyncio.Task[SharePicture | None]] = {}

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [route("/share/{name:str}", http_method=PAGE, status_code=200)(self.picture)]

    async def picture(self, request: AnyRequest, name: FromPath[str]) -> RawResponse:
        """`/share/<product>.png` or `/share/_shop.png`; under `?v=` of this very version it may be kept for ever."""
        edition = self._front.catalogue.current()
        product = None
        if name != _SHOP:
            product = edition.products.get(ProductId(name.removesuffix(_SUFFIX)))
            if product is None or not product.public or not name.endswith(_SUFFIX):
                raise NotFoundException
        found = await self.drawn(edition, product)
        if found is None:
            raise NotFoundException
        # Drawing may succeed another time: then nobody should keep this one.
        kept = kept_as(request, edition.version[:8]) if found.whole else PUBLIC
        return Prepared(found.png, "image/png", headers=[kept])

    async def drawn(self, edition: CatalogueEdition, product: Product | None) -> SharePicture | None:
        """Drawn once for all who wait for it, even if the first of them disconnects. `product`: None for the shop.

        Raises ServiceUnavailableException if too many others are waited for; what is kept is there in any case.
        """
        key = (edition.version, None if product is None else product.id)
        if key in self._drawn:
            self._drawn.move_to_end(key)
            return self._drawn[key]
        task = self._being_drawn.get(key)
        if task is None:
            if len(self._being_drawn) >= _MOST_WAITING:
                raise ServiceUnavailableException
            task = asyncio.create_task(self._draw(key, self._card(edition, product)))
            self._being_drawn[key] = task
        return await asyncio.shield(task)

    def _card(self, edition: CatalogueEdition, product: Product | None) -> ShareCard:
        shop, catalogue = edition.shop, self._front.catalogue
        if product is None:
            card = ShareCard(
                name=shop.name, below=shop.tagline, accent=_ACCENT, cover=catalogue.logo(), of_shop=True
            )
        else:
            cover = catalogue.cover(product.id)
            card = ShareCard(name=product.name, below=shop.name, accent=_ACCENT, cover=cover)
        return _in_colours_of(card, *self._front.pages.style_sheets(shop))

    async def _draw(self, key: _Key, card: ShareCard) -> SharePicture | None:
        try:
            found = self._drawn[key] = await self._painter.paint(card)
        finally:
            del self._being_drawn[key]
        self._bytes += _size(found)
        if found is None or not found.whole:
            asyncio.get_running_loop().call_later(self._again_after, self._forget, key)
        while self._bytes > self._at_most:
            self._bytes -= _size(self._drawn.popitem(last=False)[1])
        return found

    def _forget(self, key: _Key) -> None:
        """Draw it again when it is next requested."""
        self._bytes -= _size(self._drawn.pop(key, None))


def _in_colours_of(card: ShareCard, ours: str, theme: str) -> ShareCard:
    """In the colours of the pages; in ours, if the theme's are not in hexadecimal or cannot be read on its paper."""
    light, _ = root_colours(ours, theme)
    accent, paper, ink, soft = (Colour.parse(light[name]) for name in ("--act", "--paper", "--ink", "--soft"))
    if accent is not None:
        card = replace(card, accent=str(accent))
    if paper is None or ink is None or soft is None:
        return card
    if min(ink.contrast(paper), soft.contrast(paper)) < READABLE:
        return card
    return replace(card, paper=str(paper), ink=str(ink), soft=str(soft))


def _size(picture: SharePicture | None) -> int:
    return 0 if picture is None else len(picture.png)
