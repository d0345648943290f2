"""A product's page for people with a preview link. It sells nothing, and no cache and no search engine keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from litestar import route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.usecases.preview_product import Preview, PreviewProduct
from entrypoints.http.page import PERSONAL, AnyRequest, PageFrame
from entrypoints.http.product_context import product_context
from entrypoints.http.responses import Header, RawResponse
from entrypoints.http.shop import PAGE, ShopPages

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_NOT_INDEXED: Final[Header] = ("x-robots-tag", "noindex")


@dataclass(frozen=True, slots=True)
class PreviewPages:
    """GET and HEAD of /preview."""

    frame: PageFrame
    shop: ShopPages
    preview_product: PreviewProduct

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route("/preview/{token:str}", http_method=PAGE, status_code=200)(self.page),
            route("/preview/{token:str}/{name:str}", http_method=PAGE, status_code=200)(self.picture),
        ]

    async def page(self, request: AnyRequest, token: FromPath[str]) -> RawResponse:
        """The product as it will be seen, without Buy, under a line that says who sees it."""
        preview = self._shown(token)
        edition = self.frame.catalogue.current()
        pictures_at, product = f"/preview/{token}/", preview.product
        about = product.description_html
        for name in (product.cover or "", *(picture.name for picture in product.pictures)):
            public = f"/covers/{product.id}/{quote(name)}"
            about = about.replace(f'src="{public}"', f'src="{pictures_at}{quote(name)}"')
        product = replace(product, description_html=about)
        currency = self.frame.currency(request, edition)
        context = product_context(
            product, edition, currency, now=self.preview_product.clock.now(), waiting=frozenset()
        )
        return self.frame.html(
            request,
            "product.html",
            headers=(PERSONAL, _NOT_INDEXED),
            noindex=True,
            owned=False,
            sold_out=False,
            preview=preview,
            pictures_at=pictures_at,
            **{**context, "opens": preview.opens, "sample": None},
        )

    async def picture(self, token: FromPath[str], name: FromPath[str]) -> RawResponse:
        """Its pictures: those of a draft have no other address for guests."""
        product = self._shown(token).product
        if not product.shows(name):
            raise NotFoundException
        return self.shop.picture((product.id, name), PERSONAL, _NOT_INDEXED)

    def _shown(self, token: str) -> Preview:
        preview = self.preview_product(token)
        if preview is None:
            raise NotFoundException
        return preview
