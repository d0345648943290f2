"""The list of products."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litestar import route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from domain.local_time import day_of
from domain.ports import Catalogue
from domain.product import Product, Saleability, Status, is_sold_out, offered
from domain.usecases.list_products import ListProducts, ProductRow
from domain.values import ProductId, money_text
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.product_order import ProductOrder
from entrypoints.admin.sale_filter import counted_at
from entrypoints.admin.sale_words import short_day, short_moment
from entrypoints.catalogue_lines import lacking_lines
from entrypoints.http.page import PERSONAL, AnyRequest, filesize, price_words
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _, ngettext
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

AT: Final = "/admin/products"
_NO_SCRIPT: Final = ("content-security-policy", "default-src 'none'; sandbox")


@dataclass(frozen=True, slots=True)
class ProductsPages:
    """products, and their covers."""

    frame: AdminFrame
    list_products: ListProducts
    catalogue: Catalogue
    folder: Path
    """Where the files of the catalogue are: pages say what to edit."""

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(AT, http_method=PAGE, status_code=200)(self.products),
            route(f"{AT}/{{pid:str}}/cover", http_method=PAGE, status_code=200)(self.cover),
        ]

    async def products(self, request: AnyRequest) -> RawResponse:
        """Every product, and what the catalogue has to say."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found, shop = await self.list_products(), self.frame.catalogue.current().shop
        order = ProductOrder.asked(request.query_params.get("sort", ""))
        said = {mistake for row in found.rows for mistake in row.mistakes}
        others = [one for one in (*found.review.problems, *found.warnings) if one not in said]
        present = sum(row.product.present for row in found.rows)
        caption = ngettext("%(number)d product", "%(number)d products", present)
        if order == ProductOrder():
            caption = ngettext("%(number)d product, by name", "%(number)d products, by name", present)
        return self.frame.html(
            request, "products.html", here=here, columns=order.columns(AT), caption=caption, folder=str(self.folder),
            rows=[product_row(row, zone=shop.zone, now=found.now) for row in order.arranged(found.rows, shop)],
            problems=[*others, *lacking_lines(gone=found.review.gone, lost=found.review.lost)],
        )  # fmt: skip

    async def cover(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """The cover of a product, of a draft, too."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found = self.catalogue.cover(ProductId(pid))
        if found is None:
            raise NotFoundException
        return RawResponse(found[0], media_type=found[1], headers=[PERSONAL, _NO_SCRIPT])


# ------------------------------------------------------------------ one row


def product_row(row: ProductRow, *, zone: tzinfo, now: datetime) -> dict[str, object]:
    """What the columns of one product show."""
    product, today = row.product, day_of(now, zone)
    state, tone = state_of(row, zone=zone, now=now)
    size = sum(file.size for file in product.files)
    return {
        "at": f"{AT}/{product.id}",
        "id": product.id,
        "name": product.name,
        "cover": f"{AT}/{product.id}/cover" if product.cover and product.present else "",
        "state": state,
        "tone": tone,
        "prices": prices_of(product),
        "sold": f"{row.sold:,}",
        "sales_at": counted_at(row.gone_live, product=product.id),
        "recent": [money_text(amount, currency) for currency, amount in row.recent],
        "stock": stock_of(row),
        "keys": keys_of(row),
        "keys_out": row.keys_waiting > 0 or row.keys_free == 0,
        "files": len(product.files),
        "size": filesize(size) if product.files else "",
        "changed": "" if product.changed is None else short_day(day_of(product.changed, zone), today=today),
        "mistakes": list(row.mistakes),
    }


def prices_of(product: Product) -> list[str]:
    """Its price in each currency."""
    return [price_words(price, product) for price in product.prices]


def state_of(row: ProductRow, *, zone: tzinfo, now: datetime) -> tuple[str, str]:
    """Whether it is sold, in a few words, and the class of its mark."""
    product = row.product
    if not product.present:
        return _("Not in the catalogue"), "gone"
    if product.held_back:
        return _("Held back by a mistake"), "disputed"
    if product.status is Status.DRAFT:
        return _("Draft"), "draft"
    if is_sold_out(product, sold=row.sold) and product.on_sale:
        return _("Sold out"), "part"
    match offered(product, now=now):
        case Saleability.RETIRED:
            return _("Retired"), "retired"
        case Saleability.NOT_YET if product.available_from is not None:
            return _("From %(moment)s", moment=short_moment(product.available_from, zone, now=now)), "waits"
        case _:
            unlisted = product.status is Status.UNLISTED
            return (_("Unlisted"), "open") if unlisted else (_("On sale"), "open")


def stock_of(row: ProductRow) -> str:
    """How many copies are left; "" without a limit."""
    stock = row.product.stock
    return "" if stock is None else _("%(left)s of %(all)s", left=max(0, stock - row.sold), all=stock)


def keys_of(row: ProductRow) -> str:
    """How many licence keys are left, or how many purchases wait for one; "" for a product without keys."""
    if row.keys_waiting:
        return ngettext("%(number)d waits", "%(number)d wait", row.keys_waiting)
    if row.keys_free is not None:
        return f"{row.keys_free:,}"
    return "" if row.product.licences is None else _("generated")
