"""The page of one product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from litestar import route
from litestar.params import FromPath

from domain.day_sums import DaySum, by_currency
from domain.local_time import day_of
from domain.product import CatalogueEdition
from domain.usecases.list_products import ListProducts, ProductShown, first_of_year
from domain.usecases.staff_access import SignedInStaff
from domain.values import ProductId, is_product_id, money_text
from entrypoints.admin.charts import Chart, by_day
from entrypoints.admin.customers import AT as CUSTOMERS
from entrypoints.admin.figures import csv_of
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.products import AT, prices_of, product_row, state_of, stock_of
from entrypoints.admin.sale_filter import AT as SALES
from entrypoints.admin.sale_filter import number_words
from entrypoints.admin.sale_words import short_moment
from entrypoints.http.page import PERSONAL, AnyRequest, filesize
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _, ngettext
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class ProductPages:
    """product."""

    frame: AdminFrame
    list_products: ListProducts
    folder: Path
    shop_url: str

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(f"{AT}/{{pid:str}}", http_method=PAGE, status_code=200)(self.product),
            route(f"{AT}/{{pid:str}}/figures.csv", http_method=PAGE, status_code=200)(self.figures),
        ]

    async def product(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """All about one product."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found = await self._found(pid)
        if found is None:
            return self._unknown(request, here, pid)
        shown = self._shown(found, self.frame.catalogue.current())
        return self.frame.html(request, "product.html", here=here, **shown)

    async def figures(self, request: AnyRequest, pid: FromPath[str]) -> RawResponse:
        """The sums of its days, as CSV."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        found = await self._found(pid)
        if found is None:
            return self._unknown(request, here, pid)
        named = ("content-disposition", f'attachment; filename="{found.row.product.id}.csv"')
        return RawResponse(csv_of(found.days), media_type="text/csv", headers=[PERSONAL, named])

    async def _found(self, pid: str) -> ProductShown | None:
        return await self.list_products.show(ProductId(pid)) if is_product_id(pid) else None

    def _unknown(self, request: AnyRequest, here: SignedInStaff, pid: str) -> RawResponse:
        """What was sold and is in the catalogue in no form still has its sales."""
        sold = f"{SALES}?{urlencode({'product': pid})}" if is_product_id(pid) else AT
        return self.frame.notice(
            request, here, _("There is no such product"),
            _("The catalogue does not have it, and no good form of it is kept. If it was ever sold, its sales are "
              "still listed."), status=404, back=sold,
        )  # fmt: skip

    def _shown(self, found: ProductShown, edition: CatalogueEdition) -> dict[str, Any]:
        row, zone = found.row, edition.shop.zone
        product = row.product
        state, tone = state_of(row, zone=zone, now=found.now)
        changed = None if product.changed is None else short_moment(product.changed, zone, now=found.now)
        shown = product_row(row, zone=zone, now=found.now)
        return {
            "product": product, "at": f"{AT}/{product.id}", "state": state, "tone": tone, "cover": shown["cover"],
            "prices": prices_of(product), "charts": charts(found, edition),
            "csv": f"{AT}/{product.id}/figures.csv", "sold": shown["sold"], "recent": shown["recent"],
            "sales_at": shown["sales_at"],
            "owners_at": f"{CUSTOMERS}?{urlencode({'bought': product.id})}", "owners": number_words(found.owners),
            "stock": stock_of(row), "keys": _keys(found), "changed": changed or _("not known"),
            "files": [(one.name, one.title, filesize(one.size), one.sha256) for one in product.files],
            "contains": [(f"{AT}/{pid}", edition.name_of(pid)) for pid in product.contains],
            "buy_link": f"{self.shop_url}/products/{product.id}" if product.public else "",
            "edited_in": str(self.folder / product.id / "product.toml"), "mistakes": list(row.mistakes),
        }  # fmt: skip


def _keys(found: ProductShown) -> str:
    """How it stands with its licence keys, in a sentence; "" for a product without keys."""
    row = found.row
    if row.product.licences is None:
        return ""
    if row.keys_free is None:
        return _("Every purchase gets a key that the shop generates.")
    left = ngettext("%(number)d key is left.", "%(number)d keys are left.", row.keys_free)
    if not row.keys_waiting:
        return left
    waiting = ngettext(
        "%(number)d purchase waits for one.", "%(number)d purchases wait for one.", row.keys_waiting
    )
    return f"{left} {waiting}"


# ------------------------------------------------------------------ charts


def charts(found: ProductShown, edition: CatalogueEdition) -> list[Chart]:
    """Net of each month in each currency (the shop's first), and sales of each month; the twelve months up to today."""
    home, today = edition.shop.currency, day_of(found.now, edition.shop.zone)
    months = _months(first_of_year(today), today)
    sums = by_currency(found.days)
    currencies = sorted(
        (c for c, one in sums.items() if one.gross or one.refunded), key=lambda c: (c != home, c)
    )
    return [
        *(_net_chart(found.days, months, currency) for currency in currencies or [home]),
        _sales_chart(found.days, months),
    ]


def _net_chart(days: Sequence[DaySum], months: Sequence[date], currency: str) -> Chart:
    values = _by_month(
        [one for one in days if one.currency == currency], months, lambda one: one.gross - one.refunded
    )

    def words(amount: int) -> str:
        return money_text(amount, currency)

    total = _("%(net)s net in twelve months", net=words(sum(amount for _at, amount in values)))
    best = max(values, key=lambda one: one[1])
    more = _("; the best month was %(month)s with %(best)s.", month=_month(best[0]), best=words(best[1]))
    return by_day(
        name=f"net-{currency}", title=_("Net per month, %(currency)s", currency=currency.upper()),
        finding=total + (more if best[1] > 0 else "."), values=values, words=words,
        beside=lambda amount: words(amount).removesuffix(".00").removesuffix(".000"), day=_month,
        head=(_("Month"), _("Net")),
    )  # fmt: skip


def _sales_chart(days: Sequence[DaySum], months: Sequence[date]) -> Chart:
    values = _by_month(days, months, lambda one: one.sales)

    def words(number: int) -> str:
        return ngettext("%(number)d sale", "%(number)d sales", number)

    best = max(values, key=lambda one: one[1])
    total = _("%(sales)s in twelve months", sales=words(sum(number for _at, number in values)))
    more = _("; the best month was %(month)s with %(best)s.", month=_month(best[0]), best=best[1])
    return by_day(
        name="sales-per-month", title=_("Sales per month"), finding=total + (more if best[1] else "."), values=values,
        words=words, beside=lambda number: f"{number:,}", day=_month, head=(_("Month"), _("Sales")),
    )  # fmt: skip


def _months(first: date, last: date) -> list[date]:
    found = [first]
    while (found[-1].year, found[-1].month) < (last.year, last.month):
        year, month = divmod(found[-1].year * 12 + found[-1].month, 12)
        found.append(date(year, month + 1, 1))
    return found


def _by_month(
    days: Sequence[DaySum], months: Sequence[date], value: Callable[[DaySum], int]
) -> list[tuple[date, int]]:
    sums: defaultdict[date, int] = defaultdict(int)
    for one in days:
        sums[one.day.replace(day=1)] += value(one)
    return [(month, sums[month]) for month in months]


def _month(at: date) -> str:
    return f"{at:%b %Y}"
