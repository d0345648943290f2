"""The lists and searches that are timed, each as the pages ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from adapters.sql.record import micros
from bench.lists.past import COMMON, NOW, RARE, SPAN, Past
from domain.purchase import Source
from domain.sale_list import PAGE, AddressState, SaleFilter, SaleMark, SaleOrder, SaleState
from domain.transaction import ReadTransaction
from domain.usecases.find_sales import search
from domain.usecases.list_todo import Mistakes, todo_list
from domain.values import CheckoutId, ProductId
from entrypoints.testing.fakes import an_edition

Search = Callable[[ReadTransaction], object]


def searches(past: Past) -> Mapping[str, Search]:
    """By name. Each answers something short about what it found."""
    day = timedelta(days=1)
    wanted = {
        "all": SaleFilter(),
        **{state.name.lower(): SaleFilter(state=state) for state in SaleState},
        **{f"from {source.name.lower()}": SaleFilter(source=source) for source in Source},
        "product, common": SaleFilter(product=ProductId("product-0")),
        "product, rare": SaleFilter(product=ProductId("product-19")),
        "product, common, as figures count": SaleFilter(product=ProductId("product-0"), counted=True),
        "sold here, as figures count": SaleFilter(source=Source.SALE, counted=True),
        "imported in a year": SaleFilter(source=Source.IMPORT, booked_from=NOW - 365 * day),
        "product, none": SaleFilter(product=ProductId("nothing")),
        "a month long ago": SaleFilter(booked_from=NOW - SPAN / 2, booked_before=NOW - SPAN / 2 + 30 * day),
        "currency, rare": SaleFilter(currency="jpy"),
        "currency, none": SaleFilter(currency="kwd"),
        "amount": SaleFilter(least=2000, most=2400),
        "amount, none": SaleFilter(least=900_000),
        "opened": SaleFilter(opened=True),
        "never opened": SaleFilter(opened=False),
        "domain, common": SaleFilter(domain="gmail.com"),
        "domain, rare": SaleFilter(domain="firm3.example"),
        **{f"address {one.name.lower()}": SaleFilter(address=one) for one in AddressState},
        "promotion, common": SaleFilter(promotion=COMMON),
        "promotion, rare": SaleFilter(promotion=RARE),
        "promotion, none": SaleFilter(promotion="promo_none"),
        "refunded, of a rare product": SaleFilter(state=SaleState.REFUNDED, product=ProductId("product-19")),
        "disputed, never opened": SaleFilter(state=SaleState.DISPUTED, opened=False),
        "refunded, in a month": SaleFilter(
            state=SaleState.REFUNDED, booked_from=NOW - 60 * day, booked_before=NOW - 30 * day
        ),
        "granted, never opened, of a product": SaleFilter(
            source=Source.GRANT, opened=False, product=ProductId("product-3")
        ),
    }
    found: dict[str, Search] = {}
    for name, one in wanted.items():
        found[f"{name}: page"] = _page(one, SaleOrder.NEWEST, None)
        found[f"{name}: count"] = _count(one)
    middle = past.number // 2
    mark = SaleMark(micros(past.at[middle]), CheckoutId(past.checkouts[middle]))
    found["all, from the middle: page"] = _page(SaleFilter(), SaleOrder.NEWEST, mark)
    found["all, oldest first: page"] = _page(SaleFilter(), SaleOrder.OLDEST, None)
    found["a rare promotion, by amount: page"] = _page(SaleFilter(promotion=RARE), SaleOrder.LARGEST, None)
    some = past.number // 3
    address = past.addresses[past.buyers[some]]
    refunded = next(n for n in range(some, past.number) if past.kind(n) == "refund")
    typed_by_name = {
        "an address": address,
        "an unknown address": f"nobody{address}",
        "a name at another domain": f"{address.partition('@')[0]}@x.test",
        "a domain": "@firm3.example",
        "an order number": past.checkouts[some][:16],
        "an order of 12": past.checkouts[some][:12],
        "cs_": past.refs[some],
        "pi_": past.payments[some],
        "re_": f"re_3{past.payments[refunded][4:]}",
        "evt_": "evt_1",
        "a licence key": "AAAA-BBBB-CCCC",
        "a beginning": address[:3],
        "a product": "Product 1",
        "hostile": "%_'\"" * 100,
        "a page of Stripe": f"https://dashboard.stripe.com/payments/{past.payments[some]}",
    }
    for name, typed in typed_by_name.items():
        found[f"search: {name}"] = _find(typed)
    found["home: what waits"] = lambda tx: len(todo_list(tx, an_edition(), Mistakes(()), NOW).rows)
    found["home: a day that is not closed"] = lambda tx: len(tx.day_sums.count(NOW.date(), NOW - day, NOW))
    found["home: two years of closed days"] = lambda tx: len(
        tx.day_sums.totals(NOW.date() - 730 * day, NOW.date())
    )
    found["home: the newest refunds and disputes"] = lambda tx: len(tx.facts.newest(limit=50))
    found["payments under way"] = lambda tx: len(tx.sale_lists.pending(limit=PAGE))
    return found


def _page(wanted: SaleFilter, order: SaleOrder, after: SaleMark | None) -> Search:
    def look(tx: ReadTransaction) -> object:
        page = tx.sale_lists.rows(wanted, order=order, after=after, limit=PAGE)
        return f"{len(page.rows)} rows" + ("" if page.looked_to is None else ", more")

    return look


def _find(typed: str) -> Search:
    def find(tx: ReadTransaction) -> object:
        return type(search(tx, typed)).__name__

    return find


def _count(wanted: SaleFilter) -> Search:
    def count(tx: ReadTransaction) -> object:
        found = tx.sale_lists.count(wanted)
        return f"{found.number}{'' if found.complete else ' or more'}"

    return count
