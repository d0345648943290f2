"""The ledger for the accountant: a line for each sale, refund and lost dispute, and what a spreadsheet makes of it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Holding
from domain.fact import Fact, FactKind
from domain.ledger import LedgerKind, LedgerLine, ledger_lines
from domain.purchase import Purchase, Source
from domain.sales_sum import SalesSum
from domain.usecases.list_ledger import ListLedger
from domain.values import CheckoutId, EmailAddress, Money, ProductId, ProviderRef
from entrypoints.ledger_csv import COLUMNS, WITH_ADDRESSES, csv_row, ledger_cells
from entrypoints.testing import BOOK, Browser, Shop
from testkit.stepping import run

NINE = Money(900, "usd")
SOLD = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BACK = datetime(2026, 4, 2, 8, 30, tzinfo=UTC)


def a_purchase(paid: Money = NINE, **more: object) -> Purchase:
    purchase = Purchase(
        checkout=CheckoutId("019ca9d1c400aaaabbbb"), provider_ref=ProviderRef("cs_test_1"), payment="pi_1", user=None,
        mailbox=None, paid_email=EmailAddress("=cmd@example.com"), product=ProductId("book"), product_name="The Book",
        paid=paid, livemode=True, session=None, booked_at=SOLD, source=Source.SALE,
    )  # fmt: skip
    return replace(purchase, **more)  # type: ignore[arg-type]


def a_fact(
    name: str = "re_1", kind: FactKind = FactKind.REFUND, status: str = "succeeded", amount: int = 400
) -> Fact:
    return Fact(name, kind, "pi_1", as_of=int(BACK.timestamp()), status=status, amount=amount)


def listed(shop: Shop, first: date | None = None, last: date | None = None) -> list[LedgerLine]:
    async def every() -> list[LedgerLine]:
        return [line async for line in ListLedger(shop.store)(first=first, last=last)]

    return run(every())


def sold(shop: Shop, email: str = "anna@example.com") -> Purchase:
    Browser(shop, network=f"192.0.2.{len(shop.memory.tables.purchases)}").buy_and_pay(email)
    return list(shop.memory.tables.purchases.values())[-1]


def take_back(shop: Shop, purchase: Purchase, at: datetime) -> None:
    fact = Fact(
        "re_1", FactKind.REFUND, purchase.payment, as_of=int(at.timestamp()), status="succeeded", amount=400
    )
    run(shop.store.transact(lambda tx: tx.facts.record(fact)))


# ------------------------------------------------------------------ lines


def test_a_refund_has_a_line_of_its_own_on_its_own_day_below_zero() -> None:
    purchase = a_purchase()
    sale, refund = ledger_lines(Holding(purchase, (a_fact(),)))
    assert sale == LedgerLine(SOLD, LedgerKind.SALE, "paid", purchase, 900)
    assert refund == LedgerLine(BACK, LedgerKind.REFUND, "succeeded", purchase, -400, "re_1")


@pytest.mark.parametrize(
    ("kind", "status", "lines"),
    [(FactKind.DISPUTE, "lost", 2), (FactKind.DISPUTE, "needs_response", 1), (FactKind.DISPUTE, "won", 1),
     (FactKind.REFUND, "failed", 1), (FactKind.REFUND, "pending", 2), (FactKind.SESSION, "paid", 1)],
)  # fmt: skip
def test_only_what_went_back_has_a_line(kind: FactKind, status: str, lines: int) -> None:
    assert len(ledger_lines(Holding(a_purchase(), (a_fact("x", kind, status),)))) == lines


FACTS = st.builds(
    a_fact,
    st.sampled_from(["re_1", "re_2", "dp_1", "dp_2"]),
    st.sampled_from([FactKind.REFUND, FactKind.DISPUTE]),
    st.sampled_from(["pending", "succeeded", "lost", "won", "failed"]),
    st.integers(0, 1200),
)


@given(st.lists(FACTS, max_size=4, unique_by=lambda fact: fact.object_id), st.integers(0, 1000))
def test_the_lines_of_a_purchase_sum_to_its_net_in_coatcheck_sales(facts: list[Fact], paid: int) -> None:
    held = Holding(a_purchase(Money(paid, "usd")), tuple(facts))
    lines = ledger_lines(held)
    net = SalesSum("", "usd").with_sale(held)
    assert sum(line.amount for line in lines) == net.net
    assert -sum(line.amount for line in lines if line.kind is LedgerKind.REFUND) == net.refunded
    assert -sum(line.amount for line in lines if line.kind is LedgerKind.DISPUTE) == net.lost


def test_a_free_order_is_a_sale_of_nothing() -> None:
    [line] = ledger_lines(Holding(a_purchase(Money(0, "usd")), ()))
    assert (line.status, line.amount) == ("free", 0)


def test_a_grant_is_a_line_of_its_own_kind_and_of_nothing() -> None:
    granted = a_purchase(Money(0, "usd"), source=Source.GRANT)
    [line] = ledger_lines(Holding(granted, ()))
    assert (line.status, line.amount) == ("granted", 0)
    assert ledger_cells(line, with_address=False)[-1] == "grant"
    assert ledger_cells(ledger_lines(Holding(a_purchase(), ()))[0], with_address=False)[-1] == "sale"


# ------------------------------------------------------------------ the shop's


@pytest.mark.parametrize(
    ("first", "last", "kinds"),
    [(None, None, ["sale", "refund"]), (date(2026, 3, 1), date(2026, 3, 1), ["sale"]), (date(2026, 3, 2), None, ["refund"]),
     (None, date(2026, 2, 28), []), (date(2026, 4, 2), date(2026, 4, 2), ["refund"]), (date(2026, 4, 3), None, [])],
)  # fmt: skip
def test_each_line_counts_by_its_own_day_and_both_days_of_a_span_are_within_it(
    first: date | None, last: date | None, kinds: list[str]
) -> None:
    shop = Shop()
    take_back(shop, sold(shop), BACK)
    assert [line.kind.value for line in listed(shop, first, last)] == kinds


def test_test_purchases_are_listed_until_the_shop_has_gone_live() -> None:
    shop = Shop()
    sold(shop)
    assert len(listed(shop)) == 1
    shop.payments.livemode = True
    run(shop.go_live())
    assert listed(shop) == []


def test_more_than_a_page_is_read_and_no_purchase_twice() -> None:
    shop = Shop()
    one = sold(shop)
    for number in range(1200):
        row = replace(one, checkout=CheckoutId(f"{number:032x}"), provider_ref=None, payment=None)
        shop.memory.tables.purchases[row.checkout] = row
    found = [line.purchase.checkout for line in listed(shop)]
    assert (len(found), len(set(found))) == (1201, 1201)


# ------------------------------------------------------------------ CSV


def cells(line: LedgerLine, *, with_address: bool = False) -> dict[str, str]:
    row = csv_row(ledger_cells(line, with_address=with_address)).decode()
    [read] = csv.reader(io.StringIO(row, newline=""))
    return dict(zip(WITH_ADDRESSES if with_address else COLUMNS, read, strict=True))


def test_a_row_has_what_an_accountant_needs_and_no_personal_data() -> None:
    _, refund = ledger_lines(Holding(a_purchase(), (a_fact(),)))
    assert cells(refund) == {
        "date": "2026-04-02T08:30:00Z", "kind": "refund", "status": "succeeded", "order": "019ca9d1c400aaaa",
        "product": "book", "product_name": "The Book", "currency": "USD", "amount": "-4.00",
        "stripe_session": "cs_test_1", "stripe_payment": "pi_1", "stripe_object": "re_1", "mode": "live",
        "source": "sale",
    }  # fmt: skip
    assert cells(refund, with_address=True)["paid_address"] == "'=cmd@example.com"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(900, "usd", "9.00"), (900, "jpy", "900"), (1234, "kwd", "1.234"), (-900, "jpy", "-900"), (-1234, "kwd", "-1.234"),
     (-123456789, "eur", "-1234567.89")],
)  # fmt: skip
def test_an_amount_has_the_digits_of_its_currency_and_stays_a_number(
    amount: int, currency: str, text: str
) -> None:
    line = LedgerLine(SOLD, LedgerKind.SALE, "paid", a_purchase(Money(1, currency)), amount)
    assert cells(line)["amount"] == text
    assert float(text) == float(cells(line)["amount"])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_name_is_a_formula_to_a_spreadsheet(start: str) -> None:
    name = f'{start}HYPERLINK("http://example.com")'
    [line] = ledger_lines(Holding(a_purchase(product_name=name, provider_ref=None), ()))
    assert cells(line)["product_name"] == f"'{name}"


@pytest.mark.parametrize("between", [";", "\t", "\n", "\r\n"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_no_part_of_a_name_is_a_formula_to_a_spreadsheet_that_separates_cells_otherwise(
    between: str, start: str
) -> None:
    """In half of Europe, spreadsheets take a semicolon for what separates cells, and a quotation mark for text."""
    [line] = ledger_lines(Holding(a_purchase(product_name=f"a{between}{start}cmd()", provider_ref=None), ()))
    assert cells(line)["product_name"] == f"a{between}'{start}cmd()"


@given(st.text().filter(lambda text: "\0" not in text))
def test_a_name_of_any_characters_stays_one_cell_of_one_row(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    [line] = ledger_lines(Holding(a_purchase(product_name=name), ()))
    assert cells(line)["product_name"].replace("'", "") == name.replace("'", "")


def test_a_record_ends_as_rfc_4180_says() -> None:
    assert csv_row(("a", 'b "c", d')) == b'a,"b ""c"", d"\r\n'


def test_a_sale_of_the_shop_is_written_with_its_order_number() -> None:
    shop = Shop()
    purchase = sold(shop)
    [line] = listed(shop)
    row = cells(line)
    assert (row["order"], row["product"], row["mode"]) == (purchase.checkout[:16], BOOK, "test")
