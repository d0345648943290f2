"""The page of one sale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from litestar import route
from litestar.params import FromPath

from domain.ports import Clock
from domain.product import CatalogueEdition
from domain.purchase import Purchase, order_number
from domain.staff import Role
from domain.usecases.find_sales import FindSales, OneSale
from domain.usecases.list_staff import ListStaff
from domain.usecases.show_sale import SaleShown, ShowSale
from domain.usecases.staff_access import SignedInStaff
from domain.values import CheckoutId
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.sale_filter import AT
from entrypoints.admin.sale_links import actions, address_of, may
from entrypoints.admin.sale_panels import panels
from entrypoints.admin.sale_parts import contents, ids, keys, money, movements, other
from entrypoints.admin.sale_words import SOURCES, erased_words, is_closed, short_moment, slug, state_sentence
from entrypoints.admin.timeline_words import lines_of
from entrypoints.admin.waiver_parts import waiver_rows
from entrypoints.http.page import AnyRequest, see_other
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import _
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_AT_ONCE: Final = 20
"""Files of a product, other purchases and lines of the timeline that are shown before the rest is folded."""


def _limited(purchase: Purchase, edition: CatalogueEdition) -> bool:
    """Whether support refunds anything in this currency."""
    return any(limit.currency == purchase.paid.currency for limit in edition.shop.support_refunds)


@dataclass(frozen=True, slots=True)
class SalePages:
    """sale."""

    frame: AdminFrame
    show: ShowSale
    find: FindSales
    list_staff: ListStaff
    clock: Clock
    livemode: bool

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [route(f"{AT}/{{order:str}}", http_method=PAGE, status_code=200)(self.sale)]

    async def sale(self, request: AnyRequest, order: FromPath[str]) -> RawResponse:
        """All about one sale. A shorter order number leads to it."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        sale = await self.show(CheckoutId(order))
        if sale is None:
            return await self._other(request, here, order)
        rows = await self.list_staff()
        names = {f"staff:{row.member.id}": row.member.email.canonical for row in rows}
        return self.frame.html(request, "sale.html", here=here, **self._shown(sale, here, names))

    async def _other(self, request: AnyRequest, here: SignedInStaff, order: str) -> RawResponse:
        found = await self.find(order)
        if isinstance(found, OneSale):
            return see_other(f"{AT}/{found.held.purchase.checkout}")
        return self.frame.notice(
            request, here, _("There is no such sale"),
            _("Search for it by the customer's address, or by an id of Stripe's."), status=404, back=AT,
        )  # fmt: skip

    def _shown(self, sale: SaleShown, here: SignedInStaff, names: Mapping[str, str]) -> dict[str, Any]:
        edition = self.frame.catalogue.current()
        zone, purchase, actor = edition.shop.zone, sale.held.purchase, self.frame.actor(here)
        at, opens_by, user = f"{AT}/{purchase.checkout}", sale.reason.opens_by, sale.user
        note = sale.note
        lines = lines_of(sale.timeline, names=names, sales=[purchase], zone=zone, now=sale.now)
        proved = None if user is None else user.proved_at
        return {
            "at": at, "sale": sale, "purchase": purchase, "user": user, "order": order_number(purchase.checkout),
            "tone": slug(sale.reason.state), "closed": is_closed(sale),
            "sentence": state_sentence(sale, zone), "source": _(SOURCES[purchase.source]),
            "opens_by": "" if opens_by is None else f"{AT}/{opens_by.purchase.checkout}",
            "test": self.livemode and purchase.livemode is False,
            "verified": "" if proved is None else short_moment(proved, zone, now=sale.now),
            "booked": short_moment(purchase.booked_at, zone, now=sale.now),
            "panels": panels(sale, edition, at), "actions": [
                (address_of(name, sale), label)
                for name, label in actions(sale, actor, livemode=self.livemode)
                if name != "refund" or actor.role is Role.OWNER or _limited(purchase, edition)
            ],
            "erased": "" if sale.erased_at is None else erased_words(sale.erased_at, zone, now=sale.now),
            "noted_by": "" if note is None else names.get(note.written_by, note.written_by),
            "noted_at": "" if note is None else short_moment(note.written_at, zone, now=sale.now),
            "may_note": may(actor, "note") and not sale.erased,
            "contents": contents(sale, edition, zone), "at_once": _AT_ONCE,
            "keys": keys(sale, edition, masked=here.member.role is Role.VIEWER), "money": money(sale),
            "movements": movements(sale, zone), "ids": ids(sale), "waiver": waiver_rows(sale, edition.shop.law, zone),
            "others": [other(held, sale, zone) for held in sale.others[:_AT_ONCE]],
            "more_others": max(0, len(sale.others) - _AT_ONCE),
            "lines": lines[:_AT_ONCE], "older_lines": lines[_AT_ONCE:], "zone": edition.shop.timezone,
        }  # fmt: skip
