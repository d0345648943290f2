"""Exports from the back office and on the command line: streamed, noted, and in nobody's way."""

from __future__ import annotations

import csv
import html
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from domain.export import COLUMNS, ExportKind
from testkit.office import Member
from testkit.servers import Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

MANY = 60_000


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, Member, Member]]:
    with a_shop(tmp_path_factory.mktemp("exports")) as running:
        owner, viewer = Member(running), Member(running)
        owner.join("owner", "owner@example.com")
        viewer.join("viewer", "viewer@example.com")
        Shopper(running).buy_and_pay("=anna@example.com")
        yield running, owner, viewer


def export(member: Member, *columns: str, **fields: str) -> httpx.Response:
    page = member.get("/admin/exports")
    assert page.status_code == 200
    return member.http.post("/admin/exports", data={"column": list(columns), "kind": "sales", **fields})


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_viewer_exports_sales_without_addresses_and_an_owner_with_them(
    staffed: tuple[ShopServer, Member, Member],
) -> None:
    shop, owner, viewer = staffed
    answer = export(viewer, "order", "paid", "state")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="sales-20')
    assert "no-store" in answer.headers["cache-control"]
    assert "content-encoding" not in answer.headers
    assert rows(answer.text)[0] == ["order", "paid", "state"]
    assert rows(answer.text)[1][2] == "open"
    assert 'value="address"' not in viewer.get("/admin/exports").text
    refused = export(viewer, "order", "address")
    assert (refused.status_code, "@example.com" in refused.text) == (403, False)
    owner.prove()
    assert rows(export(owner, "address").text)[1] == ["'=anna@example.com"], "no formula"
    [line] = export(owner, "address", format="jsonl").text.splitlines()
    assert json.loads(line) == {"address": "=anna@example.com"}
    told = [(line["action"], line["object"], line["result"]) for line in shop.export()["audit"]]
    assert told.count(("export-with-addresses", "sales", "done")) == 2
    assert told.count(("export-with-addresses", "sales", "refused")) == 1


def test_the_form_comes_back_with_what_was_wrong_and_after_a_passkey(
    staffed: tuple[ShopServer, Member, Member],
) -> None:
    shop, owner, _ = staffed
    answer = export(owner, "order", **{"from": "2026-03-02", "to": "2026-03-01", "timezone": "Europe/Berlin"})
    assert answer.status_code == 422
    assert "the first must not be after the last" in answer.text
    assert 'value="2026-03-02"' in answer.text
    assert 'value="Europe/Berlin"' in html.unescape(answer.text)
    assert "time zone is not known" in export(owner, "order", timezone="Mars/Base").text
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        database.execute("UPDATE staff_sessions SET proved_at = proved_at - ?", (5 * 60_000_000,))
    database.close()
    away = export(owner, "order", "address", state="open")
    assert away.status_code == 303
    back = owner.prove(httpx.URL(away.headers["location"]).params["to"])
    form = owner.get(back.headers["location"])
    assert 'value="address" checked' in form.text
    assert '<option value="open" selected' in form.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("kind=sales&from=9999-12-31&to=9999-12-31", "application/x-www-form-urlencoded", 200),
        ("kind=sales&from=0001-01-01", "application/x-www-form-urlencoded", 200),
        ("&".join(f"column=c{number}" for number in range(61)), "application/x-www-form-urlencoded", 400),
        ("kind=sales&column=%ff", "application/x-www-form-urlencoded", 400),
        ("kind=sales", "text/plain", 400),
        ("kind=sales", "", 400),
    ],
)
def test_what_is_no_form_of_ours_is_refused_and_breaks_nothing(
    staffed: tuple[ShopServer, Member, Member], body: str, kind: str, status: int
) -> None:
    _, owner, _ = staffed
    answer = owner.http.post("/admin/exports", content=body, headers={"content-type": kind} if kind else {})
    assert answer.status_code == status
    if status == 400 and kind.endswith("urlencoded"):
        assert owner.get(f"/admin/exports?{body}").status_code == 400


@pytest.mark.parametrize("kind", ["customers", "downloads", "emails", "audit"])
def test_each_list_has_its_form_and_its_file(staffed: tuple[ShopServer, Member, Member], kind: str) -> None:
    _, _, viewer = staffed
    form = viewer.http.get("/admin/exports", params={"kind": kind})
    assert f'href="/admin/exports?kind={kind}" aria-current="page"' in form.text
    answer = viewer.http.post("/admin/exports", data={"kind": kind})
    assert answer.status_code == 200
    assert len(rows(answer.text)[0]) > 3


def test_the_command_line_exports_the_same(staffed: tuple[ShopServer, Member, Member]) -> None:
    shop, _, viewer = staffed
    page = export(viewer, "order", "booked_at", "paid", timezone="Asia/Tokyo").text
    said = shop.cli(
        "export", "--list", "sales", "--format", "csv", "--columns", "paid,order,booked_at", "--timezone", "Asia/Tokyo"
    ).stdout  # fmt: skip
    assert rows(said) == rows(page)
    assert shop.cli("export", "--list", "sales", "--only", "state=refunded").stdout == ""
    anna = shop.cli(
        "export", "--list", "sales", "--only", "text==anna", "--only", "least=1", "--columns", "order"
    ).stdout
    assert len(anna.splitlines()) == 1
    assert shop.cli("export", "--list", "sales", "--only", "text=@elsewhere.example").stdout == ""
    unknown = shop.cli("export", "--list", "sales", "--only", "text=nobody", check=False)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "write the beginning of an address" in unknown.stderr
    for wrong in (
        ["--list", "sales", "--columns", "colour"], ["--list", "sales", "--only", "colour=red"],
        ["--list", "sales", "--columns", "address"], ["--columns", "order"], ["--list", "audit", "--to", "2026-01-01"],
        ["--list", "sales", "--from", "2026-02-01", "--to", "2026-01-01"], ["--list", "sales", "--timezone", "Mars/Base"],
    ):  # fmt: skip
        refused = shop.cli("export", *wrong, check=False)
        assert (refused.returncode, refused.stdout) == (2, ""), wrong
    assert (
        "with-addresses" in shop.cli("export", "--list", "sales", "--columns", "address", check=False).stderr
    )
    assert "=anna@example.com" in shop.cli("export", "--list", "customers", "--with-addresses").stdout


def sell_many(database: Path) -> None:
    """So many purchases of nobody, beside the one that there is."""
    with closing(sqlite3.connect(database)) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(purchases)")]
        taken = {"checkout_id": "printf('%032x', n)", "payment": "NULL", "provider_ref": "NULL", "user_id": "NULL",
                 "mailbox": "NULL", "session_id": "NULL", "paid_email": "NULL"}  # fmt: skip
        picked = ", ".join(taken.get(name, name) for name in columns)
        connection.execute(
            f"""WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY})
            INSERT INTO purchases SELECT {picked} FROM purchases, numbers WHERE user_id IS NOT NULL"""
        )


def test_the_file_of_somebody_who_is_disabled_meanwhile_breaks_off(tmp_path: Path) -> None:
    """It is larger than what lies between the shop and a client that does not read on."""
    with a_shop(tmp_path) as shop:
        owner, other = Member(shop), Member(shop)
        owner.join("owner", "owner@example.com")
        other.join("owner", "other@example.com")
        Shopper(shop).buy_and_pay("anna@example.com")
        sell_many(shop.data / "coatcheck.db")
        data = {"kind": "sales", "column": list(COLUMNS[ExportKind.SALES])}
        with owner.http.stream("POST", "/admin/exports", data=data, timeout=60) as answer:
            assert answer.status_code == 200
            parts = answer.iter_bytes()
            next(parts)
            shop.cli("staff", "disable", "owner@example.com")
            with pytest.raises(httpx.RemoteProtocolError):
                b"".join(parts)
        told = [(line["action"], line["object"], line["result"]) for line in shop.export()["audit"]]
        assert [line for line in told if line[0].startswith("export")] == [
            ("export-with-addresses", "sales", "done"),
            ("export-with-addresses", "sales", "refused"),
        ]


def test_whoever_reads_slowly_holds_up_neither_a_sale_nor_a_deletion(tmp_path: Path) -> None:
    """The file is half read; meanwhile somebody buys and deletes their account, and the WAL is emptied."""
    with a_shop(tmp_path) as shop:
        owner, anna = Member(shop), Shopper(shop)
        owner.join("owner", "owner@example.com")
        anna.buy_and_pay("anna@example.com")
        shop.sandbox.wait_for_mail("anna@example.com")
        assert anna.post(anna.link_from("anna@example.com")).status_code == 303
        database = shop.data / "coatcheck.db"
        sell_many(database)
        owner.prove()
        data = {
            "kind": "sales",
            "format": "jsonl",
            "column": ["order", "product", "paid", "stripe_session", "address"],
        }
        with owner.http.stream("POST", "/admin/exports", data=data, timeout=60) as answer:
            assert answer.status_code == 200
            parts = answer.iter_bytes()
            lines = next(parts)
            Shopper(shop).buy_and_pay("ben@example.com")
            assert anna.post("/account/erase", {"sure": "yes"}).status_code in (200, 303)
            wait_until(lambda: b"anna@example.com" not in database.read_bytes())
            wal = database.with_name(database.name + "-wal")
            assert not wal.exists() or b"anna@example.com" not in wal.read_bytes()
            lines += b"".join(parts)
        assert lines.count(b"\n") == MANY + 1, "as of its first row: without the sale that came meanwhile"
