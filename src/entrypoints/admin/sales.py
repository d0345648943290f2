"""The list of sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from litestar import route

from domain.ports import Clock
from domain.product import CatalogueEdition
from domain.purchase import Checkout, order_number
from domain.sale_list import SaleMark, SaleOrder, SaleRow, SaleState
from domain.usecases.list_sales import ListSales, SalesPage, TooManyToSort
from domain.values import Money
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.sale_filter import AT, Asked, asked, caption, choices, mark_text, product_options
from entrypoints.admin.sale_words import erased_words, short_moment, slug, state_name
from entrypoints.http.page import PERSONAL, AnyRequest, see_other
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _, ngettext
from entrypoints.http.shop import PAGE
from entrypoints.sale_names import SaleNames

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

VIEWS: Final[Sequence[tuple[Mapping[str, str], str]]] = (
    ({}, N_("All")),
    ({"state": "awaiting-payment"}, N_("Awaiting payment")),
    ({"state": "refunded"}, N_("Refunded")),
    ({"state": "disputed"}, N_("Disputed")),
    ({"state": "open", "opened": "no"}, N_("Never opened")),
    ({"address": "bounced"}, N_("Bounced")),
)
"""Filters that are asked for every day, with their names."""


@dataclass(frozen=True, slots=True)
class SalesPages:
    """sales, and how many are new."""

    frame: AdminFrame
    list_sales: ListSales
    names: SaleNames
    clock: Clock
    livemode: bool
    """Whether the shop takes real money: then test purchases are marked."""
    shop_url: str

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [
            route(AT, http_method=PAGE, status_code=200)(self.sales),
            route(f"{AT}/new", http_method=PAGE, status_code=200)(self.new),
        ]

    async def sales(self, request: AnyRequest) -> RawResponse:
        """A page of the list, narrowed down and sorted as the address says."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        edition = self.frame.catalogue.current()
        wanted = await self._asked(request, edition)
        if isinstance(wanted, RawResponse):
            return wanted
        shown = (
            await self._awaiting(wanted, edition) if wanted.awaiting else await self._page(wanted, edition)
        )
        products = await self._products(wanted, edition)
        return self.frame.html(
            request, "sales.html", here=here, asked=wanted, typed=wanted.typed, choices=choices(), products=products,
            currencies=[("", _("Any")), *((code, code.upper()) for code in edition.currencies)],
            views=_views(wanted), zone=edition.shop.timezone, shop_url=self.shop_url, marks_tests=self.livemode,
            codes=edition.shop.payment.promotion_codes or bool(edition.shop.payment.code_links), **shown,
        )  # fmt: skip

    async def new(self, request: AnyRequest) -> RawResponse:
        """How many sales came after the first of a list, in words; nothing if none did. Asked by a timer."""
        here = await self.frame.here(request, polls=True)
        if isinstance(here, RawResponse):
            return here
        wanted = await self._asked(request, self.frame.catalogue.current())
        if isinstance(wanted, RawResponse):
            return wanted
        found = await self.list_sales(wanted.wanted, order=SaleOrder.OLDEST, after=wanted.after)
        if not isinstance(found, SalesPage):
            raise AssertionError("a list by time is never too long to sort")
        number, last = len(found.rows), found.rows[-1].held.purchase.checkout if found.rows else ""
        headers = [("etag", f'"{number}-{last}"'), PERSONAL]
        if request.headers.get("if-none-match") == headers[0][1]:
            return RawResponse(status=304, headers=headers, media_type="text/plain")
        words = ngettext("%(number)d new sale", "%(number)d new sales", number) if number else ""
        if found.after is not None:
            words = _("More than %(number)d new sales", number=number)
        return RawResponse(words.encode(), headers=headers, media_type="text/plain")

    # ------------------------------------------------------------------ what is asked for

    async def _asked(self, request: AnyRequest, edition: CatalogueEdition) -> Asked | RawResponse:
        """What the address asks for; what names a single sale, or nothing, is searched for instead."""
        wanted = asked(request.query_params, zone=edition.shop.zone, currency=edition.shop.currency)
        named = await self.names(wanted.wanted, text=wanted.text)
        if named is None:
            return see_other("/admin/search?" + urlencode({"q": wanted.text}))
        first = _("Only the first 20 customers whose address begins like this are listed.")
        mistakes = [*wanted.mistakes, first] if named.more else wanted.mistakes
        return replace(wanted, wanted=named.wanted, mistakes=mistakes, partial=named.more)

    async def _products(self, wanted: Asked, edition: CatalogueEdition) -> list[tuple[str, str]]:
        """What was ever sold, and what the catalogue has: id and name."""
        sold = await self.list_sales.products()
        return [("", _("Any")), *product_options(sold, edition, chosen=wanted.wanted.product)]

    # ------------------------------------------------------------------ what is shown

    async def _page(self, wanted: Asked, edition: CatalogueEdition) -> dict[str, Any]:
        found = await self.list_sales(
            wanted.wanted, order=wanted.order, after=wanted.after, before=wanted.before
        )
        if isinstance(found, TooManyToSort):
            unsorted = _(
                "A list is sorted by amount only if it has at most 10,000 sales. Narrow it down first."
            )
            wanted = replace(wanted, order=SaleOrder.NEWEST, mistakes=[*wanted.mistakes, unsorted])
            found = await self.list_sales(wanted.wanted)
            if isinstance(found, TooManyToSort):
                raise AssertionError("a list by time is never too long to sort")
        count = await self.list_sales.count(wanted.wanted)
        now, zone = self.clock.now(), edition.shop.zone
        product = wanted.wanted.product
        first_page = wanted.order is SaleOrder.NEWEST and wanted.after is None and wanted.before is None
        mark = mark_text(SaleMark.of(found.rows[0].held.purchase, SaleOrder.NEWEST)) if found.rows else ""
        return {
            "caption": caption(
                wanted, count, product_name="" if product is None else edition.name_of(product), zone=zone, now=now
            ),
            "columns": _columns(wanted, edition),
            "rows": [row_of(row, zone=zone, now=now, livemode=self.livemode) for row in found.rows],
            "mistakes": wanted.mistakes,
            "newer": "" if found.before is None else wanted.at(before=mark_text(found.before)),
            "older": "" if found.after is None else wanted.at(after=mark_text(found.after)),
            "searched_to": None if found.searched_to is None else short_moment(found.searched_to, zone, now=now),
            "in_time": wanted.order is SaleOrder.NEWEST,
            "poll": wanted.at(f"{AT}/new", after=mark) if first_page else "",
            "fresh": wanted.at(),
            "export": wanted.export,
        }  # fmt: skip

    async def _awaiting(self, wanted: Asked, edition: CatalogueEdition) -> dict[str, Any]:
        found = await self.list_sales.pending()
        now, zone = self.clock.now(), edition.shop.zone
        number = _("more than %(number)d", number=len(found) - 1) if len(found) >= _MOST else str(len(found))
        return {
            "caption": _("Payments that are on their way, newest first: %(number)s", number=number),
            "columns": [
                {"name": name, "at": "", "sorted": "", "rest": rest, "number": name == _("Price")}
                for name, rest in (
                    (_("Started"), True), (_("Customer"), False), (_("Product"), True), (_("State"), False),
                    (_("Price"), False), (_("Order"), True),
                )
            ],
            "rows": [_under_way(one, zone=zone, now=now) for one in found],
            "mistakes": (
                [_("Payments that are on their way are not filtered by anything else.")]
                if any(wanted.typed[name] for name in wanted.typed if name != "state")
                else []
            ),
            "newer": "", "older": "", "in_time": True, "searched_to": None, "poll": "", "fresh": "",
            "export": "",
        }  # fmt: skip


_MOST: Final = 50


def _views(wanted: Asked) -> list[tuple[str, str, bool]]:
    """Address, name, and whether it is the one that is shown."""
    typed = {name: value for name, value in wanted.typed.items() if value}
    return [(f"{AT}?{urlencode(view)}" if view else AT, _(name), typed == view) for view, name in VIEWS]


def _columns(wanted: Asked, edition: CatalogueEdition) -> list[dict[str, object]]:
    order = wanted.order
    directions = {
        SaleOrder.NEWEST: "descending", SaleOrder.OLDEST: "ascending", SaleOrder.LARGEST: "descending",
        SaleOrder.SMALLEST: "ascending",
    }  # fmt: skip
    # Amounts in several currencies do not compare.
    currency = wanted.typed["currency"] or (edition.shop.currency if len(edition.currencies) > 1 else "")
    by_time = wanted.at(sort="oldest" if order is SaleOrder.NEWEST else "")
    by_amount = wanted.at(sort="smallest" if order is SaleOrder.LARGEST else "largest", currency=currency)
    in_time, in_amount = (not order.by_amount, order.by_amount)

    def column(
        name: str, at: str = "", *, is_sorted: bool = False, rest: bool = True, number: bool = False
    ) -> dict[str, object]:
        is_by = directions[order] if is_sorted else ""
        return {"name": name, "at": at, "sorted": is_by, "rest": rest, "number": number}

    return [
        column(_("When"), by_time, is_sorted=in_time), column(_("Customer"), rest=False), column(_("Product")),
        column(_("State"), rest=False), column(_("Opened")),
        column(_("Paid"), by_amount, is_sorted=in_amount, rest=False, number=True),
        column(_("Refunded"), number=True), column(_("Order")),
    ]  # fmt: skip


def row_of(row: SaleRow, *, zone: tzinfo, now: datetime, livemode: bool) -> dict[str, object]:
    """What the columns of one sale show."""
    held, purchase = row.held, row.held.purchase
    opened = purchase.opened_at
    return {
        "at": f"{AT}/{purchase.checkout}",
        "when": short_moment(purchase.booked_at, zone, now=now),
        "customer": "" if purchase.mailbox is None else purchase.mailbox.canonical,
        "unverified": purchase.user is not None and not row.verified,
        "bounced": row.bounced,
        "erased": "" if row.erased_at is None else erased_words(row.erased_at, zone, now=now),
        "product": purchase.product_name,
        "state": state_name(row.state),
        "tone": slug(row.state),
        "opened": "" if opened is None else short_moment(opened, zone, now=now),
        "unopened": opened is None and row.state in (SaleState.OPEN, SaleState.PARTLY_REFUNDED),
        "paid": str(purchase.paid),
        "refunded": str(Money(held.refunded, purchase.paid.currency)) if held.refunded else "",
        "order": order_number(purchase.checkout),
        "test": livemode and purchase.livemode is False,
    }


def _under_way(begun: Checkout, *, zone: tzinfo, now: datetime) -> dict[str, object]:
    mailbox = begun.mailbox or begun.verified
    return {
        "when": short_moment(begun.started_at, zone, now=now),
        "customer": "" if mailbox is None else mailbox.canonical,
        "product": begun.product_name,
        "state": _("Awaiting payment"),
        "paid": str(begun.price),
        "order": order_number(begun.id),
    }
