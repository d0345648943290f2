"""Exported tables: what they hold, who may have them, and how they are written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.audit import AuditResult
from domain.export import ADDRESSES, COLUMNS, ROWS_AT_ONCE, Export, ExportKind, Value
from domain.going_live import STARTED_LIVE
from domain.local_time import zone_named
from domain.purchase import Source
from domain.rights import NotAllowed, Verdict
from domain.sale_list import SaleFilter, SaleState
from domain.staff import Actor, Role, StaffId
from domain.usecases.export_list import ExportEnded
from domain.values import Money, ProductId
from entrypoints.export_table import BadChoice, Format, export_of, format_of, written
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from entrypoints.testing.office import Colleague, Office
from testkit import by_hand
from testkit.by_hand import log
from testkit.stepping import run

ANNA, BEN = "anna@example.com", "ben@example.com"
OWNER = Actor("staff:o1", role=Role.OWNER, fresh=True, staff=StaffId("o1"))
CSV = Format(as_csv=True, zone=UTC)
JSON = Format(as_csv=False, zone=UTC)


def table(
    office: Office, kind: ExportKind, *columns: str, sales: SaleFilter | None = None, actor: Actor = OWNER
) -> list[dict[str, Value]]:
    wanted = Export.of(kind, frozenset(columns), sales=sales or SaleFilter())

    async def read() -> list[dict[str, Value]]:
        pages = await office.export(wanted, actor=actor, form=office.form())
        assert not isinstance(pages, NotAllowed)
        return [dict(zip(wanted.columns, row, strict=True)) async for page in pages for row in page]

    return run(read())


def file(rows: Sequence[Sequence[Value]], columns: Sequence[str], form: Format) -> bytes:
    async def pages() -> AsyncIterator[Sequence[Sequence[Value]]]:
        yield rows

    async def all_of_it() -> bytes:
        return b"".join([part async for part in written(pages(), columns, form)])

    return run(all_of_it())


@pytest.fixture
def office() -> Office:
    shop = Shop()
    for address, product in ((ANNA, BOOK), (BEN, PHOTOS), (ANNA, PHOTOS)):
        Browser(shop).buy_and_pay(address, product)
        shop.clock.tick(seconds=3600)
    return Office(shop)


# ------------------------------------------------------------------ what they hold


def test_a_sale_has_what_is_known_of_it(office: Office) -> None:
    shop = office.shop
    order = sorted(shop.memory.tables.purchases)[0]
    by_hand.refund(shop, order, "3.00")
    run(shop.send_refunds())
    row = table(office, ExportKind.SALES, *COLUMNS[ExportKind.SALES])[-1]
    sold = shop.memory.tables.purchases[order]
    assert row == {
        "order": order[:16], "started_at": shop.memory.tables.checkouts[order].started_at, "booked_at": sold.booked_at,
        "source": "sale", "product_id": "book", "product": "The book", "contents": "", "currency": "USD",
        "paid": Money(900, "usd"), "refunded": Money(300, "usd"), "net": Money(600, "usd"), "tax": Money(0, "usd"), "tax_rate": None,
        "tax_country": "", "tax_number": "", "invoice": "", "discount": Money(0, "usd"), "state": "partly-refunded", "state_since": None, "opened_at": None,
        "address": ANNA, "address_at_payment": ANNA, "stripe_session": sold.provider_ref,
        "stripe_payment": sold.payment, "promotion_code": "",
    }  # fmt: skip


def test_sales_are_narrowed_down_as_in_the_list(office: Office) -> None:
    booked = [sold.booked_at for sold in office.shop.memory.tables.purchases.values()]
    for wanted, count in (
        (SaleFilter(), 3),
        (SaleFilter(product=PHOTOS), 2),
        (SaleFilter(booked_from=booked[1]), 2),
        (SaleFilter(booked_before=booked[1]), 1),
        (SaleFilter(state=SaleState.REFUNDED), 0),
        (SaleFilter(source=Source.GRANT), 0),
    ):
        assert len(table(office, ExportKind.SALES, "order", sales=wanted)) == count


def test_customers_downloads_emails_and_audit_lines(office: Office) -> None:
    shop = office.shop
    order = sorted(shop.memory.tables.purchases)[0]
    now, window = shop.clock.now(), shop.clock.now() - shop.clock.now()
    run(shop.store.transact(lambda tx: tx.downloads.count(order, BOOK, "it.txt", now=now, window=window)))
    customers = table(office, ExportKind.CUSTOMERS, *COLUMNS[ExportKind.CUSTOMERS])
    assert [(row["address"], row["purchases"], row["spent"]) for row in customers] == [
        (BEN, 1, "14.00 USD"),
        (ANNA, 2, "23.00 USD"),
    ]
    assert table(office, ExportKind.DOWNLOADS) == [
        {
            "order": order[:16], "product_id": "book", "file": "it.txt", "times": 1, "first_at": now,
            "last_at": now,
        }
    ]  # fmt: skip
    mails = table(office, ExportKind.EMAILS, "order", "to", "state", "kind")
    assert {"order": order[:16], "to": ANNA, "state": "sent", "kind": "access"} in mails
    lines = table(office, ExportKind.AUDIT)
    assert [(line["action"], line["object"]) for line in lines][:2] == [
        ("export", "audit"),
        ("export-with-addresses", "emails"),
    ]


def test_test_purchases_are_not_spent_money_once_the_shop_has_gone_live(office: Office) -> None:
    def spent() -> list[Value]:
        return [row["spent"] for row in table(office, ExportKind.CUSTOMERS, "spent")]

    assert spent() == ["14.00 USD", "23.00 USD"]
    run(
        office.shop.store.transact(
            lambda tx: tx.shop.advance_cursor(STARTED_LIVE, to=office.shop.clock.now())
        )
    )
    assert spent() == ["", ""]


def test_what_is_sold_meanwhile_is_not_in_it(office: Office) -> None:
    """More than one page: it goes on from where it was, and what came in front of that stays there."""
    shop = office.shop
    [sold, *_] = shop.memory.tables.purchases.values()
    for number in range(2 * ROWS_AT_ONCE):
        row = replace(sold, checkout=f"{number:032x}", provider_ref=f"cs_{number}", payment=f"pi_{number}")
        shop.memory.tables.purchases[row.checkout] = row
    wanted = Export.of(ExportKind.SALES, frozenset({"order"}), sales=SaleFilter())

    async def read() -> tuple[int, int]:
        pages = await office.export(wanted, actor=OWNER, form="f1")
        assert not isinstance(pages, NotAllowed)
        sizes = []
        async for page in pages:
            sizes.append(len(page))
            assert len(page) <= ROWS_AT_ONCE
            late = replace(sold, checkout=f"late{len(sizes)}", booked_at=shop.clock.now())
            shop.memory.tables.purchases[late.checkout] = late
        return sum(sizes), len(sizes)

    assert run(read()) == (2 * ROWS_AT_ONCE + 3, 3)


def test_whoever_is_erased_is_in_no_later_page_and_nowhere_by_address(office: Office) -> None:
    shop = office.shop
    order = sorted(shop.memory.tables.purchases)[1]
    run(shop.store.transact(lambda tx: tx.erasures.erase_order(order, at=shop.clock.now())))
    rows = table(office, ExportKind.SALES, "order", "address", "address_at_payment")
    assert {"order": order[:16], "address": None, "address_at_payment": None} in rows


# ------------------------------------------------------------------ who may


@pytest.mark.parametrize("kind", list(ExportKind))
@pytest.mark.parametrize(
    ("role", "fresh", "with_addresses", "without"),
    [
        (Role.OWNER, True, None, None),
        (Role.OWNER, False, Verdict.PROVE_AGAIN, None),
        (Role.SUPPORT, True, Verdict.WRONG_ROLE, None),
        (Role.VIEWER, True, Verdict.WRONG_ROLE, None),
        (Role.VIEWER, False, Verdict.WRONG_ROLE, None),
    ],
)
def test_addresses_are_for_owners_with_a_fresh_passkey(
    kind: ExportKind, role: Role, fresh: bool, with_addresses: Verdict | None, without: Verdict | None
) -> None:
    office = Office()
    actor = Actor("staff:s1", role=role, fresh=fresh, staff=StaffId("s1"))

    def ask(wanted: Export, form: str) -> object:
        found = run(office.export(wanted, actor=actor, form=form))
        return found.verdict if isinstance(found, NotAllowed) else None

    every = Export.of(kind, frozenset(COLUMNS[kind]), sales=SaleFilter())
    assert ask(Export.of(kind, frozenset(), sales=SaleFilter()), "f1") is without
    named = bool(ADDRESSES & {*COLUMNS[kind]})
    assert named == (kind in (ExportKind.SALES, ExportKind.CUSTOMERS, ExportKind.EMAILS))
    assert ask(every, "f2") is (with_addresses if named else without)
    lines = [(line.action.value, line.result, line.object_id) for line in log(office.shop)]
    assert ("export", AuditResult.DONE, kind.value) in lines
    if named:
        result = AuditResult.REFUSED if with_addresses else AuditResult.DONE
        assert ("export-with-addresses", result, kind.value) in lines


def sign_out(office: Office, member: Colleague) -> None:
    run(office.sign_out(member.visitor))


def disable(office: Office, member: Colleague) -> None:
    staff = member.actor.staff
    assert staff is not None
    run(office.manage.disable(staff, actor=by_hand.CLI, form="f8"))


def lose_the_right(office: Office, member: Colleague) -> None:
    staff = member.actor.staff
    assert staff is not None
    run(office.manage.set_role(staff, Role.VIEWER, actor=by_hand.CLI, form="f8"))


def sleep_in(office: Office, _: Colleague) -> None:
    office.shop.clock.tick(seconds=3600)


def let_the_passkey_get_old(office: Office, _: Colleague) -> None:
    office.shop.clock.tick(seconds=600)


def sign_the_others_out(office: Office, member: Colleague) -> None:
    run(office.sign_out.others(member.visitor, form="f8"))


async def next_of(pages: AsyncGenerator[int, None]) -> int:
    return await anext(pages)


@pytest.mark.parametrize("kind", [ExportKind.SALES, ExportKind.EMAILS])
@pytest.mark.parametrize(
    ("happens", "ends"),
    [
        (sign_out, True), (disable, True), (lose_the_right, True), (sleep_in, True),
        (let_the_passkey_get_old, False), (sign_the_others_out, False),
    ],
)  # fmt: skip
def test_an_export_goes_on_only_while_its_member_may(
    office: Office, kind: ExportKind, happens: Callable[[Office, Colleague], None], ends: bool
) -> None:
    tables = office.shop.memory.tables
    [sold, *_], [mail, *_] = tables.purchases.values(), tables.outbox.values()
    for number in range(2 * ROWS_AT_ONCE):
        row = replace(sold, checkout=f"{number:032x}", provider_ref=f"cs_{number}", payment=f"pi_{number}")
        tables.purchases[row.checkout] = row
        tables.outbox[f"m{number}"] = replace(mail, key=f"m{number}")
    office.member("boss@example.com")
    member = office.member("owner@example.com")
    actor, wanted = member.actor, Export.of(kind, frozenset(COLUMNS[kind]), sales=SaleFilter())

    async def read() -> AsyncGenerator[int, None]:
        pages = await office.export(wanted, actor=actor, form="f1")
        assert not isinstance(pages, NotAllowed)
        async for page in pages:
            yield len(page)

    pages = read()
    assert run(next_of(pages)) == ROWS_AT_ONCE
    happens(office, member)
    if ends:
        with pytest.raises(ExportEnded):
            run(next_of(pages))
    else:
        assert run(next_of(pages)) == ROWS_AT_ONCE
        assert run(next_of(pages)) > 0
    run(pages.aclose())
    lines = [line for line in log(office.shop) if line.action.value == "export-with-addresses"]
    results = {AuditResult.DONE} | ({AuditResult.REFUSED} if ends else set())
    assert {line.result for line in lines} == results
    assert len(lines) == len(results)
    assert {(line.object_id, line.actor) for line in lines} == {(kind.value, actor.name)}


# ------------------------------------------------------------------ how they are written


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@sum", "'@sum"), ("\tx", "'\tx"), ("a=b", "a=b"),
        ('say "it", twice', 'say "it", twice'), ("two\nlines", "two\nlines"), ("", ""),
    ],
)  # fmt: skip
def test_no_text_becomes_a_formula_and_every_text_comes_back(typed: str, cell: str) -> None:
    raw = file([[typed, Money(300, "usd"), 3]], ("text", "money", "number"), CSV)
    assert raw.startswith(b"text,money,number\r\n")
    assert raw.endswith(b"\r\n")
    [_, row] = csv.reader(io.StringIO(raw.decode(), newline=""))
    assert row == [cell, "3.00", "3"]
    [line] = file([[typed, Money(300, "usd"), 3]], ("text", "money", "number"), JSON).splitlines()
    assert json.loads(line) == {"text": typed, "money": 300, "number": 3}


def test_times_are_in_the_chosen_zone() -> None:
    zone = zone_named("Europe/Berlin")
    assert zone is not None
    at = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert b"2026-07-02T01:30:00+02:00" in file([[at]], ("at",), Format(as_csv=True, zone=zone))
    assert json.loads(file([[at], [None]], ("at",), Format(as_csv=False, zone=zone)).splitlines()[0]) == {
        "at": "2026-07-02T01:30:00+02:00"
    }


def test_a_byte_order_mark_if_it_is_wanted_and_the_head_of_an_empty_table() -> None:
    assert file([], ("a", "b"), CSV) == b"a,b\r\n"
    assert file([], ("a",), replace(CSV, bom=True)) == b"\xef\xbb\xbfa\r\n"
    assert file([], ("a",), replace(JSON, bom=True)) == b""


def test_columns_keep_their_order_and_without_a_choice_name_nobody() -> None:
    chosen = Export.of(ExportKind.SALES, frozenset({"paid", "order"}), sales=SaleFilter())
    assert chosen.columns == ("order", "paid")
    assert not any(Export.of(kind, frozenset(), sales=SaleFilter()).has_addresses for kind in ExportKind)


def test_what_was_chosen_is_read() -> None:
    chosen = {
        "from": "2026-03-01", "to": "2026-03-31", "state": "partly-refunded", "product": "book", "source": "grant",
        "currency": "EUR", "opened": "no", "address": "bounced",
    }  # fmt: skip
    found = export_of(ExportKind.SALES, chosen, ["order"], zone=UTC, currency="usd").sales
    assert (found.booked_from, found.booked_before) == (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 4, 1, tzinfo=UTC),
    )
    assert (found.state, found.product, found.source) == (
        SaleState.PARTLY_REFUNDED,
        ProductId("book"),
        Source.GRANT,
    )
    assert (found.currency, found.opened) == ("eur", False)
    amounts = export_of(ExportKind.SALES, {"least": "9", "most": "12.50"}, [], zone=UTC, currency="usd").sales
    assert (amounts.currency, amounts.least, amounts.most) == ("usd", 900, 1250), "in the shop's currency"
    yen = export_of(ExportKind.SALES, {"least": "9", "currency": "JPY"}, [], zone=UTC, currency="usd").sales
    assert (yen.currency, yen.least, yen.most) == ("jpy", 9, None)
    assert format_of({"format": "jsonl", "timezone": "Europe/Berlin"}, zone=UTC).zone != UTC


@pytest.mark.parametrize(("zone", "first"), [("UTC", datetime(1, 1, 1, tzinfo=UTC)), ("Europe/Berlin", None)])
def test_a_range_may_end_where_the_calendar_does(zone: str, first: datetime | None) -> None:
    there = zone_named(zone)
    assert there is not None
    chosen = {"from": "0001-01-01", "to": "9999-12-31"}
    found = export_of(ExportKind.SALES, chosen, [], zone=there, currency="usd").sales
    assert (found.booked_from, found.booked_before) == (first, None)


@pytest.mark.parametrize(
    "chosen",
    [
        {"from": "yesterday"}, {"to": "2026-02-30"}, {"from": "2026-02-02", "to": "2026-02-01"}, {"state": "OPEN"},
        {"source": "x"}, {"opened": "perhaps"}, {"address": "x"}, {"format": "xlsx"}, {"timezone": "Mars/Base"},
        {"least": "1,000"}, {"most": "9.999"}, {"currency": "euro"},
        {"tests": "yes"},
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_by_name(chosen: dict[str, Any]) -> None:
    def read() -> None:
        export_of(ExportKind.SALES, chosen, [], zone=UTC, currency="usd")
        format_of(chosen, zone=UTC)

    with pytest.raises(BadChoice) as refused:
        read()
    assert refused.value.field in chosen


def test_a_column_of_another_list_is_refused() -> None:
    with pytest.raises(BadChoice):
        export_of(ExportKind.AUDIT, {}, ["address"], zone=UTC, currency="usd")
