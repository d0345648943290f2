"""The list of customers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from litestar import route

from domain.customer_list import CustomerFilter, CustomerOrder, CustomerRow
from domain.local_time import day_of
from domain.ports import Clock
from domain.purchase import PurchaseState
from domain.sale_list import LOOKED_AT, SaleCount, SaleState, sale_state
from domain.usecases.list_customers import CustomersPage, ListCustomers
from domain.values import Money, ProductId, is_product_id
from entrypoints.admin.frame import AdminFrame
from entrypoints.admin.sale_filter import number_words
from entrypoints.admin.sale_words import short_day, slug, state_name
from entrypoints.http.page import AnyRequest
from entrypoints.http.responses import RawResponse
from entrypoints.http.sentences import N_, _, ngettext
from entrypoints.http.shop import PAGE

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

AT: Final = "/admin/customers"
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_ADDRESS: Final = re.compile(r"[!-~]{1,254}")
_SORTS: Final = {
    "": CustomerOrder.NEWEST, "oldest": CustomerOrder.OLDEST, "a-z": CustomerOrder.A_TO_Z,
    "z-a": CustomerOrder.Z_TO_A,
}  # fmt: skip
_CAPTIONS: Final = {
    CustomerOrder.NEWEST: N_("Customers, newest first"),
    CustomerOrder.OLDEST: N_("Customers, oldest first"),
    CustomerOrder.A_TO_Z: N_("Customers, by address"),
    CustomerOrder.Z_TO_A: N_("Customers, by address from Z to A"),
}


@dataclass(frozen=True, slots=True)
class AskedCustomers:
    """What an address asks for."""

    typed: Mapping[str, str]
    """The fields of the form; "" for what is open."""
    after: str | None
    before: str | None
    order: CustomerOrder = CustomerOrder.NEWEST

    @property
    def wanted(self) -> CustomerFilter:
        """The filter."""
        return CustomerFilter(
            bought=ProductId(self.typed["bought"]) if self.typed["bought"] else None,
            did_not_buy=ProductId(self.typed["without"]) if self.typed["without"] else None,
            never_opened=self.typed["opened"] == "never",
        )

    @property
    def sort(self) -> str:
        """The name of the order in addresses; "" for the newest first."""
        return next(name for name, order in _SORTS.items() if order is self.order)

    @property
    def filtered(self) -> bool:
        """Whether anything is narrowed down."""
        return any(self.typed.values())

    def at(self, **marks: str) -> str:
        """The address of this list, from another place on, or in another order (`sort`)."""
        fields = {**self.typed, "sort": self.sort, **marks}
        query = urlencode({name: value for name, value in fields.items() if value})
        return f"{AT}?{query}" if query else AT


def asked_customers(query: Mapping[str, str]) -> AskedCustomers:
    """What a query asks for; what it cannot mean is left open."""
    typed = {name: query.get(name, "") for name in ("bought", "without", "opened")}
    for name in ("bought", "without"):
        typed[name] = typed[name] if is_product_id(typed[name]) else ""
    typed["opened"] = "never" if typed["opened"] == "never" else ""
    order = _SORTS.get(query.get("sort", ""), CustomerOrder.NEWEST)
    after, before = (_mark(query.get(name, ""), order) for name in ("after", "before"))
    return AskedCustomers(typed, after=after, before=before, order=order)


def _mark(text: str, order: CustomerOrder) -> str | None:
    return text if (_ADDRESS if order.by_address else _ID).fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class CustomersPages:
    """customers."""

    frame: AdminFrame
    list_customers: ListCustomers
    clock: Clock
    livemode: bool
    """Whether the shop takes real money: then test purchases are not counted."""
    shop_url: str

    def routes(self) -> list[HTTPRouteHandler]:
        """The handlers of this family."""
        return [route(AT, http_method=PAGE, status_code=200)(self.customers)]

    async def customers(self, request: AnyRequest) -> RawResponse:
        """A page of the list, narrowed down as the address says."""
        here = await self.frame.here(request)
        if isinstance(here, RawResponse):
            return here
        asked = asked_customers(request.query_params)
        found = await self.list_customers(
            asked.wanted, order=asked.order, after=asked.after, before=asked.before
        )
        count = await self.list_customers.count(asked.wanted)
        products = await self._products(asked)
        edition, now = self.frame.catalogue.current(), self.clock.now()
        rows = [
            customer_row(row, zone=edition.shop.zone, now=now, livemode=self.livemode) for row in found.rows
        ]
        return self.frame.html(
            request, "customers.html", here=here, asked=asked, typed=asked.typed, rows=rows, columns=_columns(asked),
            products=[("", _("Any")), *sorted(products.items(), key=lambda one: (one[1].casefold(), one[0]))],
            openings=[("", _("Any")), ("never", _("Opened nothing yet"))], caption=_caption(asked, count, products),
            newer="" if found.before is None else asked.at(before=found.before),
            older="" if found.after is None else asked.at(after=found.after),
            stopped=_stopped(found), in_time=asked.order is CustomerOrder.NEWEST,
            shop_url=self.shop_url, zone=edition.shop.timezone,
        )  # fmt: skip

    async def _products(self, asked: AskedCustomers) -> dict[str, str]:
        """What was ever bought, and what the catalogue has: id and name."""
        names = {str(product): name for product, name in await self.list_customers.products()}
        names |= {str(product.id): product.name for product in self.frame.catalogue.current().present}
        for name in ("bought", "without"):
            if asked.typed[name]:
                names.setdefault(asked.typed[name], asked.typed[name])
        return names


def _stopped(found: CustomersPage) -> str:
    if not found.stopped:
        return ""
    return _(
        "Only some of the customers were looked at: %(number)s at a time. There may be more that match.",
        number=f"{LOOKED_AT:,}",
    )


def _columns(asked: AskedCustomers) -> list[dict[str, object]]:
    """Sorted by what an index has in order; nothing else is cheap for any number of customers."""
    order = asked.order
    by_address = asked.at(sort="z-a" if order is CustomerOrder.A_TO_Z else "a-z")
    by_time = asked.at(sort="oldest" if order is CustomerOrder.NEWEST else "")
    direction = "descending" if order.falls else "ascending"
    named = (
        (_("Customer"), False, by_address, order.by_address), (_("Since"), True, by_time, not order.by_address),
        (_("Purchases"), True, "", False), (_("State"), False, "", False), (_("Spent"), False, "", False),
        (_("Last seen"), True, "", False),
    )  # fmt: skip
    return [
        {
            "name": name, "at": at, "sorted": direction if is_sorted else "", "rest": rest,
            "number": name in (_("Purchases"), _("Spent")),
        }
        for name, rest, at, is_sorted in named
    ]  # fmt: skip


def _caption(asked: AskedCustomers, count: SaleCount, products: Mapping[str, str]) -> str:
    """What is shown: "Customers, bought “Paperwork”, opened nothing yet: 12"."""
    parts = [_(_CAPTIONS[asked.order])]
    if asked.typed["bought"]:
        parts.append(_("bought “%(product)s”", product=products[asked.typed["bought"]]))
    if asked.typed["without"]:
        parts.append(_("did not buy “%(product)s”", product=products[asked.typed["without"]]))
    if asked.typed["opened"]:
        parts.append(_("opened nothing yet"))
    return f"{', '.join(parts)}: {number_words(count)}"


# ------------------------------------------------------------------ one row


def customer_row(row: CustomerRow, *, zone: tzinfo, now: datetime, livemode: bool) -> dict[str, object]:
    """What the columns of one customer show."""
    today, state, tone = day_of(now, zone), *state_of(row, livemode=livemode)
    return {
        "at": f"{AT}/{row.user.id}",
        "customer": row.user.mailbox.canonical,
        "unverified": row.user.proved_at is None,
        "since": short_day(day_of(row.user.since, zone), today=today),
        "purchases": len(row.holdings),
        "bought": ngettext("%(number)d purchase", "%(number)d purchases", len(row.holdings)),
        "state": state,
        "tone": tone,
        "spent": [str(Money(amount, currency)) for currency, amount in row.spent(livemode=livemode)],
        "seen": "" if row.seen_at is None else short_day(day_of(row.seen_at, zone), today=today),
    }


def state_of(row: CustomerRow, *, livemode: bool) -> tuple[str, str]:
    """What a customer's purchases add up to, in two or three words, and the class of its mark."""
    counted = [h for h in row.holdings if not livemode or h.purchase.livemode is not False]
    if not counted:
        return (_("Test"), "test") if row.holdings else (_("No purchases"), "none")
    live = [held for held in counted if held.standing.state is PurchaseState.LIVE]
    if len(live) < len(counted):
        states = {sale_state(held) for held in counted}
        if live:
            return _("%(open)s of %(all)s open", open=len(live), all=len(counted)), "part"
        only = states.pop() if len(states) == 1 else None
        return (state_name(only), slug(only)) if only is not None else (_("Closed"), "refunded")
    if all(held.purchase.opened_at is None for held in live):
        return _("Never opened"), "unopened"
    return state_name(SaleState.OPEN), "open"
