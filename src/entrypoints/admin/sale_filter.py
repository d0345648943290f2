"""What the address of the list of sales asks for: parsed, and said in words again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Final
from urllib.parse import urlencode

from domain.amounts import AmountProblem, example_amount, typed_amount
from domain.currencies import CURRENCIES
from domain.local_time import day_of
from domain.product import CatalogueEdition
from domain.purchase import Source
from domain.sale_list import COUNTED_TO, AddressState, SaleCount, SaleFilter, SaleMark, SaleOrder, SaleState
from domain.usecases.list_sales import days
from domain.values import CheckoutId, Money, ProductId, decimal_text, is_product_id
from entrypoints.admin.sale_words import ADDRESSES, AWAITING, SOURCES, STATES, day_range, slug
from entrypoints.export_table import SALE_FILTERS
from entrypoints.http.sentences import N_, _

AT: Final = "/admin/sales"
_MARK: Final = re.compile(r"([0-9]{1,18})-([0-9A-Za-z_-]{1,64})")
_LONGEST: Final = 1000
_YEARS: Final = range(2000, 3000)
_SORTS: Final = {
    "newest": SaleOrder.NEWEST, "oldest": SaleOrder.OLDEST, "largest": SaleOrder.LARGEST,
    "smallest": SaleOrder.SMALLEST,
}  # fmt: skip
_STATES: Final = {slug(state): state for state in SaleState}
_ADDRESSES: Final = {slug(state): state for state in AddressState}
_SOURCES: Final = {source.value: source for source in Source}
_AND_STATE: Final[Mapping[SaleState, str]] = {
    SaleState.OPEN: N_("open"),
    SaleState.PARTLY_REFUNDED: N_("partly refunded"),
    SaleState.REFUNDED: N_("refunded"),
    SaleState.DISPUTED: N_("disputed"),
    SaleState.SUSPENDED: N_("on hold"),
    SaleState.CHARGED_BACK: N_("charged back"),
    SaleState.REVOKED: N_("revoked"),
}
_AND_SOURCE: Final[Mapping[Source, str]] = {
    Source.SALE: N_("sold here"),
    Source.FREE: N_("free orders"),
    Source.GRANT: N_("free copies"),
    Source.IMPORT: N_("imported"),
}
_AND_ADDRESS: Final[Mapping[AddressState, str]] = {
    AddressState.UNVERIFIED: N_("address not verified"),
    AddressState.BOUNCED: N_("access email bounced"),
    AddressState.NONE: N_("without an address"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for."""

    wanted: SaleFilter
    typed: Mapping[str, str]
    """The fields of the form, as they were typed; "" for what is open."""
    order: SaleOrder = SaleOrder.NEWEST
    awaiting: bool = False
    """Payments that are under way are wanted, which are no sales yet."""
    days: tuple[date | None, date | None] = (None, None)
    after: SaleMark | None = None
    before: SaleMark | None = None
    mistakes: Sequence[str] = field(default=())
    """What could not be understood, and is not filtered by."""
    partial: bool = False
    """Only some of the customers that the text names are listed."""

    @property
    def text(self) -> str:
        """The beginning of an address, or a domain."""
        return self.typed["text"]

    @property
    def sort(self) -> str:
        """The name of the order in addresses; "" for the newest first."""
        sort = next(name for name, order in _SORTS.items() if order is self.order)
        return "" if sort == "newest" else sort

    @property
    def filtered(self) -> bool:
        """Whether anything is narrowed down."""
        return any(self.typed[name] for name in SALE_FILTERS)

    @property
    def export(self) -> str:
        """The address of the form that exports these sales; "" for a list that no export has."""
        if self.partial or self.awaiting:
            return ""
        return f"/admin/exports?{urlencode({'kind': 'sales', **{k: v for k, v in self.typed.items() if v}})}"

    def at(self, path: str = AT, **changes: str) -> str:
        """The address of this list with other fields."""
        fields = {**self.typed, "sort": self.sort, **changes}
        query = urlencode({name: value for name, value in fields.items() if value})
        return f"{path}?{query}" if query else path


def asked(query: Mapping[str, str], *, zone: tzinfo, currency: str) -> Asked:
    """What a query asks for. `currency`: that of an amount which is given without one."""
    typed = {name: query.get(name, "")[:_LONGEST].replace("\0", "").strip() for name in SALE_FILTERS}
    mistakes: list[str] = []
    first, last = (_day(typed[name], mistakes) for name in ("from", "to"))
    if (typed["least"] or typed["most"]) and not typed["currency"]:
        typed["currency"] = currency
    typed["currency"] = typed["currency"].lower() if typed["currency"].lower() in CURRENCIES else ""
    for name, known in (
        ("state", {**_STATES, AWAITING: None}),
        ("source", _SOURCES),
        ("address", _ADDRESSES),
    ):
        typed[name] = typed[name] if typed[name] in known else ""
    typed["product"] = typed["product"] if is_product_id(typed["product"]) else ""
    typed["tests"] = typed["tests"] if typed["tests"] == "no" else ""
    typed["opened"] = typed["opened"] if typed["opened"] in ("yes", "no") else ""
    least, most = (_amount(typed[name], typed["currency"], mistakes) for name in ("least", "most"))
    begin, end = days(first, last, zone)
    wanted = SaleFilter(
        state=_STATES.get(typed["state"]), product=ProductId(typed["product"]) if typed["product"] else None,
        source=_SOURCES.get(typed["source"]), booked_from=begin, booked_before=end,
        currency=typed["currency"] or None, least=least, most=most,
        opened={"yes": True, "no": False}.get(typed["opened"]), address=_ADDRESSES.get(typed["address"]),
        promotion=typed["promotion"] or None, counted=typed["tests"] == "no",
    )  # fmt: skip
    return Asked(
        wanted, typed, order=_SORTS.get(query.get("sort", ""), SaleOrder.NEWEST),
        awaiting=typed["state"] == AWAITING, days=(first, last), after=_mark(query.get("after", "")),
        before=_mark(query.get("before", "")), mistakes=mistakes,
    )  # fmt: skip


def counted_at(gone_live: bool, **fields: str) -> str:
    """The address of the list of what a figure counts. `gone_live`: then figures leave test purchases out."""
    return f"{AT}?{urlencode({**fields, 'tests': 'no'} if gone_live else fields)}"


def mark_text(mark: SaleMark) -> str:
    """A place in a list, as an address names it."""
    return f"{mark.value}-{mark.checkout}"


def _mark(text: str) -> SaleMark | None:
    found = _MARK.fullmatch(text)
    return None if found is None else SaleMark(value=int(found[1]), checkout=CheckoutId(found[2]))


def _day(text: str, mistakes: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.year not in _YEARS:
        mistakes.append(_("“%(typed)s” is not a date; write it as 2026-06-30.", typed=text[:40]))
        return None
    return day


def _amount(text: str, currency: str, mistakes: list[str]) -> int | None:
    if not text or not currency:
        return None
    amount = typed_amount(text, currency=currency, charged=False)
    if isinstance(amount, AmountProblem):
        example = decimal_text(example_amount(currency).amount, currency)
        mistakes.append(
            _("“%(typed)s” is not an amount in %(currency)s; write it as %(example)s.", typed=text[:40],
              currency=currency.upper(), example=example)
        )  # fmt: skip
        return None
    return amount.amount


# ------------------------------------------------------------------ in words


def choices() -> dict[str, list[tuple[str, str]]]:
    """The options of the form that are always the same: value and name."""
    anything = ("", _("Any"))
    states = [(slug(state), _(name)) for state, name in STATES.items()]
    states.insert(1, (AWAITING, _("Awaiting payment")))
    return {
        "states": [anything, *states],
        "sources": [anything, *((source.value, _(name)) for source, name in SOURCES.items())],
        "addresses": [anything, *((slug(state), _(name)) for state, name in ADDRESSES.items())],
        "tests": [("", _("Included")), ("no", _("Left out"))],
        "openings": [anything, ("yes", _("Yes")), ("no", _("Never"))],
    }


def product_options(
    sold: Sequence[tuple[ProductId, str]], edition: CatalogueEdition, *, chosen: ProductId | None
) -> list[tuple[str, str]]:
    """Ids and names of what was ever sold and of what the catalogue has, and what is chosen although it is neither."""
    names = dict(sold) | {product.id: product.name for product in edition.present}
    if chosen is not None:
        names.setdefault(chosen, chosen)
    return sorted(names.items(), key=lambda one: (one[1].casefold(), one[0]))


def caption(asked: Asked, count: SaleCount, *, product_name: str, zone: tzinfo, now: datetime) -> str:
    """What is shown: "Sales, refunded, 1 to 30 June: 214"."""
    what = ", ".join([_("Sales"), *_parts(asked, product_name=product_name, zone=zone, now=now)])
    return f"{what}: {number_words(count)}"


def number_words(count: SaleCount) -> str:
    """`214`, `more than 10,000`, or `at least 300` where not all were looked at."""
    if count.number > COUNTED_TO:
        return _("more than %(number)s", number=f"{COUNTED_TO:,}")
    return f"{count.number:,}" if count.complete else _("at least %(number)s", number=f"{count.number:,}")


def _parts(asked: Asked, *, product_name: str, zone: tzinfo, now: datetime) -> list[str]:
    wanted = asked.wanted
    parts = [
        product_name,
        _(_AND_STATE[wanted.state]) if wanted.state is not None else "",
        _(_AND_SOURCE[wanted.source]) if wanted.source is not None else "",
        day_range(*asked.days, today=day_of(now, zone)),
        _amounts(wanted),
        {None: "", True: _("opened"), False: _("never opened")}[wanted.opened],
        _(_AND_ADDRESS[wanted.address]) if wanted.address is not None else "",
        _("code %(code)s", code=asked.typed["promotion"]) if wanted.promotion is not None else "",
        _("without test purchases") if wanted.counted else "",
        _whose(asked),
    ]
    return [part for part in parts if part]


def _whose(asked: Asked) -> str:
    if not asked.text:
        return ""
    if asked.wanted.domain is not None:
        return _("addresses at %(domain)s", domain=asked.wanted.domain)
    return _("addresses that begin with “%(text)s”", text=asked.text)


def _amounts(wanted: SaleFilter) -> str:
    if wanted.currency is None:
        return ""
    code, least, most = wanted.currency, wanted.least, wanted.most
    if least is None and most is None:
        return _("in %(currency)s", currency=code.upper())
    if least is None:
        return _("up to %(most)s", most=Money(most or 0, code))
    if most is None:
        return _("from %(least)s", least=Money(least, code))
    return _("%(least)s to %(most)s", least=Money(least, code), most=Money(most, code))
