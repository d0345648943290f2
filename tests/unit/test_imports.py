"""What the rows of other shops' files become: presets, mapping, and every reason to refuse a row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.csv_rows import Record, Records, delimiter_of
from domain.import_plan import PRESETS, Field, Plan, folded, guess, is_source, plan_of
from domain.imports import Layout, MissingColumns, Reason, Refused, Row, checkout_id, read_row
from domain.purchase import began_at, order_number
from domain.values import ProductId
from entrypoints.testing import BOOK, PHOTOS, a_product, an_edition
from testkit.importing import GUMROAD, OWN, STRIPE, a_plan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EDITION = an_edition()
Found = dict[int, Reason | tuple[str, str, int, str, str]]


def records_of(path: Path) -> list[Record]:
    lines = path.read_bytes().decode().splitlines(keepends=True)
    return list(Records(delimiter_of(lines[0])).feed(lines))


def found_in(path: Path, plan: Plan) -> Found:
    header, *rest = records_of(path)
    layout = Layout.of(plan, header.cells)
    found: Found = {}
    for record in rest:
        if layout.is_totals(record):
            continue
        one = read_row(record, layout, edition=EDITION, now=NOW)
        found[record.line] = (
            one.reason
            if isinstance(one, Refused)
            else (
                one.owner.canonical, one.product.id, one.paid.amount, one.paid.currency,
                "" if one.at is None else f"{one.at:%Y-%m-%d %H:%M}",
            )
        )  # fmt: skip
    return found


def one_row(plan: Plan, **cells: str) -> Row | Refused:
    header = ("external_id", "address", "product", "currency", "paid", "at", "licence_key")
    given = {"external_id": "1", "address": "anna@example.com", "product": "book", "paid": "9"} | cells
    record = Record(2, tuple(given.get(name, "") for name in header))
    return read_row(record, Layout.of(plan, header), edition=EDITION, now=NOW)


def reason_of(plan: Plan | None = None, **cells: str) -> Reason | None:
    found = one_row(plan or a_plan(), **cells)
    return found.reason if isinstance(found, Refused) else None


def test_gumroads_sales() -> None:
    """The giftee owns a present; what was refunded, lost or is no product here gives nothing; totals are no sale."""
    assert found_in(GUMROAD, a_plan("gumroad")) == {
        2: ("ada@example.com", BOOK, 900, "usd", "2023-05-03 14:22"),
        4: ("carl@example.com", BOOK, 900, "usd", "2023-06-01 08:00"),
        5: Reason.REFUNDED,
        6: ("emil@example.com", BOOK, 550, "usd", "2023-06-03 08:00"),
        7: Reason.CHARGED_BACK,
        8: ("gina@example.com", BOOK, 900, "usd", "2023-06-05 08:00"),
        9: Reason.UNKNOWN_PRODUCT,
        10: Reason.NO_ADDRESS,
        11: ("ada@example.com", BOOK, 900, "usd", "2023-05-03 14:22"),
        12: ("ina@example.com", PHOTOS, 0, "usd", "2023-06-08 08:00"),
    }


def test_nothing_is_kept_of_who_paid_for_a_present() -> None:
    header, *rest = records_of(GUMROAD)
    layout = Layout.of(a_plan("gumroad"), header.cells)
    present = next(one for one in rest if layout.cell(one, Field.GIFTEE))
    row = read_row(present, layout, edition=EDITION, now=NOW)
    assert isinstance(row, Row)
    assert not row.bought_by_owner
    assert "ben@example.com" not in repr(row)


def test_stripes_payments() -> None:
    assert found_in(STRIPE, a_plan("stripe")) == {
        2: ("kim@example.com", BOOK, 900, "usd", "2024-02-01 10:00"),
        3: ("leo@example.com", BOOK, 123450, "usd", "2024-02-02 10:00"),
        4: Reason.REFUNDED,
        5: ("ned@example.com", BOOK, 900, "usd", "2024-02-04 10:00"),
        6: Reason.NOT_PAID,
        7: ("pia@example.com", PHOTOS, 900, "jpy", "2024-02-06 10:00"),
        8: Reason.NO_ADDRESS,
        9: Reason.NO_PAYMENT,
        10: Reason.TEST,
    }


def test_a_stripe_payment_keeps_its_intent_and_is_read_again_if_something_was_refunded() -> None:
    header, *rest = records_of(STRIPE)
    layout = Layout.of(a_plan("stripe"), header.cells)
    rows = [read_row(one, layout, edition=EDITION, now=NOW) for one in rest]
    kept = {row.owner.canonical: (row.payment, row.wants_recheck) for row in rows if isinstance(row, Row)}
    assert kept == {
        "kim@example.com": ("pi_3Ohand0000000000000001", False),
        "leo@example.com": ("pi_3Ohand0000000000000002", False),
        "ned@example.com": ("pi_3Ohand0000000000000004", True),
        "pia@example.com": ("pi_3Ohand0000000000000006", False),
    }


def test_a_payment_marked_as_a_sale_of_this_shop_is_the_reconcilers_business() -> None:
    header, first, *_ = records_of(STRIPE)
    layout = Layout.of(a_plan("stripe"), header.cells)
    for shop, expected in (("shop-1", Reason.OURS), ("shop-2", None)):
        marked = Record(first.line, (*first.cells[:-1], shop))
        found = read_row(marked, layout, edition=EDITION, now=NOW)
        assert (found.reason if isinstance(found, Refused) else None) is expected


def test_our_own_format() -> None:
    assert found_in(OWN, a_plan("own")) == {
        2: ("tom@example.com", BOOK, 900, "usd", "2022-01-05 09:30"),
        3: ("uma@example.com", PHOTOS, 1250, "eur", "2022-01-06 00:00"),
        4: Reason.BAD_AMOUNT,
        5: Reason.BAD_DATE,
        6: Reason.UNKNOWN_CURRENCY,
        7: Reason.BAD_AMOUNT,
        8: Reason.TOO_MANY_CELLS,
        9: Reason.NO_ID,
    }


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({}, None),
        ({"external_id": "x" * 501}, Reason.NO_ID),
        ({"address": "anna@"}, Reason.NO_ADDRESS),
        ({"address": "anna@example.com\nBcc: x@y.example"}, Reason.NO_ADDRESS),
        ({"address": "x" * 2000 + "@example.com"}, Reason.NO_ADDRESS),
        ({"product": ""}, Reason.UNKNOWN_PRODUCT),
        ({"product": "../../etc/passwd"}, Reason.UNKNOWN_PRODUCT),
        ({"product": "THE  BOOK"}, None),
        ({"currency": "EURO"}, Reason.UNKNOWN_CURRENCY),
        ({"currency": "USD"}, None),
        ({"paid": ""}, Reason.BAD_AMOUNT),
        ({"paid": "=1+1"}, Reason.BAD_AMOUNT),
        ({"paid": "1" * 40}, Reason.BAD_AMOUNT),
        ({"paid": "0"}, None),
        ({"paid": "0.30"}, None),
        ({"paid": "$9.00"}, None),
        ({"at": "yesterday"}, Reason.BAD_DATE),
        ({"at": "2026-03-03"}, Reason.BAD_DATE),
        ({"at": "1970-01-01"}, Reason.BAD_DATE),
        ({"at": "9999-12-31T23:59:59-23:00"}, Reason.BAD_DATE),
        ({"at": "2025-12-31 23:59:59 +0100"}, None),
        ({"licence_key": "k" * 201}, Reason.BAD_KEY),
        ({"licence_key": "two\nlines"}, Reason.BAD_KEY),
        ({"licence_key": "\u202eright to left"}, Reason.BAD_KEY),
    ],
)
def test_what_a_cell_may_hold(cells: dict[str, str], reason: Reason | None) -> None:
    assert reason_of(**cells) is reason


def test_a_sale_of_tomorrow_in_another_time_zone_was_now() -> None:
    row = one_row(a_plan(), at="2026-03-02T01:00:00")
    assert isinstance(row, Row)
    assert row.at == NOW


def test_a_mark_that_keeps_spreadsheets_from_calculating_is_taken_off() -> None:
    marked = one_row(a_plan(), address="'+anna@example.com", licence_key="'=KEY")
    assert isinstance(marked, Row)
    assert (marked.owner.canonical, marked.licence_key) == ("+anna@example.com", "=KEY")
    quoted = one_row(a_plan(), licence_key="'KEY'")
    assert isinstance(quoted, Row)
    assert quoted.licence_key == "'KEY'"


def test_products_go_by_what_the_merchant_says_then_by_id_then_by_name() -> None:
    twins = an_edition(
        a_product(BOOK),
        a_product(PHOTOS),
        a_product(
            ProductId("other"),
        ),
    )
    assert reason_of(a_plan(products={"book": ProductId("nothing")})) is Reason.UNKNOWN_PRODUCT
    row = one_row(a_plan(products={"Prints": PHOTOS}), product="Prints")
    assert isinstance(row, Row)
    assert row.product.id == PHOTOS
    always = one_row(a_plan(fixed={Field.PRODUCT: "photos"}), product="book")
    assert isinstance(always, Row)
    assert always.product.id == PHOTOS
    assert folded(" The\tBook ") == "the book"
    assert twins.products[BOOK].name == "The book"


def test_without_a_column_of_prices_nothing_was_paid() -> None:
    row = one_row(a_plan(columns={Field.PAID: ()}))
    assert isinstance(row, Row)
    assert (row.paid.amount, row.paid.currency) == (0, "usd")


def test_an_id_depends_on_shop_source_and_their_id_alone_and_holds_no_time() -> None:
    one = checkout_id(shop="shop-1", source="own", external_id="17")
    assert one == "fef8d1b2ae8e4d1f7b2cf5d6d5be4ec9"[:0] + one
    assert len(one) == 32
    others = {
        checkout_id(shop=shop, source=source, external_id=named)
        for shop, source, named in (
            ("shop-2", "own", "17"), ("shop-1", "gumroad", "17"), ("shop-1", "own", "18"), ("shop-1", "ow", "n17"),
            ("shop-1", "own", "\x1f17"), ("shop-1", "own", "\ud800"),
        )
    }  # fmt: skip
    assert len(others | {one}) == 7
    assert began_at(order_number(one)) is None


def test_a_missing_column_is_named() -> None:
    with pytest.raises(MissingColumns) as raised:
        Layout.of(a_plan("gumroad"), ("Purchase ID", "Purchase Email", "Sale Price ($)"))
    assert raised.value.headings == ("Item Name",)
    with pytest.raises(MissingColumns) as raised:
        Layout.of(a_plan("own"), ("x", "y"))
    assert raised.value.headings == ("external_id", "address", "product")


def test_of_two_columns_of_one_name_the_first_counts() -> None:
    """A shop's customers name further columns of Gumroad's file: what they asked at the checkout."""
    header = ("external_id", "address", "product", "paid", "Address")
    record = Record(2, ("1", "anna@example.com", "book", "9", "thief@example.com"))
    row = read_row(record, Layout.of(a_plan(), header), edition=EDITION, now=NOW)
    assert isinstance(row, Row)
    assert row.owner.canonical == "anna@example.com"


@pytest.mark.parametrize(("path", "preset"), [(GUMROAD, "gumroad"), (STRIPE, "stripe"), (OWN, "own")])
def test_a_file_is_known_by_its_header(path: Path, preset: str) -> None:
    assert guess(records_of(path)[0].cells) == preset
    assert guess([cell.upper() for cell in records_of(path)[0].cells]) == preset
    assert guess(("a", "b")) is None


@pytest.mark.parametrize(
    ("text", "fine"), [("lemon-2", True), ("", False), ("Lemon", False), ("-x", False), ("x" * 41, False)]
)
def test_what_another_shop_can_be_called(text: str, fine: bool) -> None:
    assert is_source(text) is fine


def test_what_the_merchant_says_goes_before_the_preset() -> None:
    more: dict[str, Any] = {"columns": {Field.CURRENCY: ("Cur",), Field.LICENCE_KEY: ()}}
    plan = plan_of(PRESETS["gumroad"], source="old-shop", **more)
    assert plan.source == "old-shop"
    assert plan.columns[Field.CURRENCY] == ("Cur",)
    assert Field.CURRENCY not in plan.fixed
    assert Field.LICENCE_KEY not in plan.columns
    assert plan.columns[Field.GIFTEE] == ("Giftee Email",)
    assert plan_of(PRESETS["own"], fixed={Field.PRODUCT: ""}).fixed == {}
