"""The search field of every page: straight to a single hit, else what was found by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from litestar import route

from domain.access import Holding
from domain.ports import Clock
from domain.sale_list import SaleRow
from domain.usecases.find_sales import (
    AtDomain,
    FindSales,
    NothingFound,
    OneCustomer,
    OneSale,
    SeveralFound,
)
from domain.usecases.staff_access import SignedInStaff
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.sale_filter import AT
from entrypoints.admin.sale_words import dashboard
from entrypoints.admin.sales import row_of
from entrypoints.http.page import AnyRequest, see_other
from entrypoints.http.responses import RawResponse
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_SHOWN: Final = 200
"""Characters of a search that its page repeats."""


@dataclass(frozen=True, slots=True)
class SearchPages:
    """search."""

    frame: AdminFrame
    find: FindSales
    clock: Clock
    livemode: bool

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [route("/admin/search", http_method=PAGE, status_code=200)(self.search)]

    async def search(self, request: AnyRequest) -> RawResponse:
        """Where a text leads, or what it finds."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        typed = request.query_params.get("q", "").strip()
        match await self.find(typed):
            case OneSale(held):
                return see_other(f"{AT}/{held.purchase.checkout}")
            case OneCustomer(user):
                return see_other(f"/admin/customers/{user.id}")
            case AtDomain(domain):
                return see_other(f"{AT}?" + urlencode({"text": f"@{domain}"}))
            case SeveralFound() as found:
                return self._page(request, here, typed, found=found)
            case NothingFound() as nothing:
                return self._page(request, here, typed, nothing=nothing)

    def _page(
        self,
        request: AnyRequest,
        here: SignedInStaff,
        typed: str,
        *,
        found: SeveralFound | None = None,
        nothing: NothingFound | None = None,
    ) -> RawResponse:
        shown = typed if len(typed) <= _SHOWN else f"{typed[:_SHOWN]}…"
        sales: Sequence[Holding] = () if found is None else found.sales
        zone, now = self.frame.catalogue.current().shop.zone, self.clock.now()
        return self.frame.html(
            request, "search.html", here=here, typed=shown, nothing=nothing,
            users=() if found is None else found.users,
            products=() if found is None else found.products,
            others=found is not None and found.more,
            sales=[
                row_of(SaleRow(held, verified=True, bounced=False), zone=zone, now=now, livemode=self.livemode)
                for held in sales
            ],
            sales_at=f"{AT}?" + urlencode({"text": typed[:_SHOWN]}),
            in_stripe=dashboard(typed[:_SHOWN], livemode=self.livemode),
        )  # fmt: skip
