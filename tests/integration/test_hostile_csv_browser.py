"""Hostile files in a browser: each gives a sentence, nothing in it is executed, and nothing is half-done."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from testkit.browsing import Device, look_at
from testkit.importing import GUMROAD
from testkit.passkeys import come_in
from testkit.servers import BOOK, ShopServer, a_shop

pytestmark = pytest.mark.browser

HEADER = "external_id,address,product,currency,paid,at,licence_key\n"
ROW = f"{{}},{{}}@example.com,{BOOK},usd,9.00,2024-01-01,\n"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 71*1801 }}${71*1801}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[ShopServer, Device]]:
    """An owner's browser, in which no page may run anything."""
    with a_shop(tmp_path_factory.mktemp("hostile")) as shop:
        context = browser.new_context()
        one = Device(context, context.new_page())
        one.page.on("dialog", lambda dialog: one.complaints.append(dialog.message))
        come_in(shop, one)
        yield shop, one
        assert (one.complaints, one.foreign) == ([], [])
        context.close()


def upload(shop: ShopServer, page: Page, content: bytes, *, name: str = "sales.csv") -> None:
    page.goto(f"{shop.url}/admin/imports/new")
    file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.get_by_label("The file").set_input_files(file)
    page.get_by_role("button", name="Upload").click()


def check(page: Page) -> None:
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="What would be imported")).to_be_visible()


def figures(page: Page) -> dict[str, str]:
    """The counts of rows on the page of a file."""
    shown = page.locator("main dl").first.locator("div")
    return dict(
        zip(shown.locator("dt").all_inner_texts(), shown.locator("dd").all_inner_texts(), strict=True)
    )


def counted(shop: ShopServer, table: str) -> Any:
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (HEADER.encode() + b"1,M\xfcller@example.com,book\n", "The file is not encoded in UTF-8."),
        (HEADER.encode("utf-16-le"), "This is not a text file."),
        (f"{HEADER}1,a\0@example.com,book\n".encode(), "This is not a text file."),
        (b"PK\x03\x04" + bytes(1000), "This is not a text file."),
    ],
    ids=["empty", "latin-1", "utf-16 without a mark", "NUL", "a workbook"],
)
def test_what_cannot_be_read_is_said_and_leaves_nothing(
    desk: tuple[ShopServer, Device], content: bytes, said: str
) -> None:
    shop, one = desk
    before = [counted(shop, table) for table in ("uploads", "upload_pieces", "purchases")]
    upload(shop, one.page, content)
    expect(one.page.get_by_role("alert")).to_contain_text(said)
    assert [counted(shop, table) for table in ("uploads", "upload_pieces", "purchases")] == before


def test_a_missing_column_is_named_and_a_quotation_mark_that_never_closes_is_found(
    desk: tuple[ShopServer, Device],
) -> None:
    shop, one = desk
    page = one.page
    upload(shop, page, b"Nr,Kunde\n7,a@example.com\n")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("alert")).to_contain_text("The file has no column")
    upload(shop, page, HEADER.encode() + b'1,"a@example.com,book\n')
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("alert")).to_contain_text("A quotation mark is never closed")
    assert counted(shop, "purchases") == 0


def test_html_and_templates_are_only_text_and_duplicates_are_counted_once(
    desk: tuple[ShopServer, Device],
) -> None:
    shop, one = desk
    page = one.page
    hostile = f'7,c@example.com,"{SCRIPT}",usd,9.00,2024-01-01,"{SCRIPT}"\n'
    content = HEADER + ROW.format(1, "a") + ROW.format(1, "a") + ROW.format(2, "b") + hostile
    upload(shop, page, content.encode(), name=f"{SCRIPT}.csv")
    expect(page.locator("h1")).to_contain_text("{{ 71*1801 }}")
    look_at(page, "admin-import-hostile-columns", "light")
    check(page)
    assert figures(page) == {"Rows": "4", "New": "2", "Known already": "1", "Refused": "1"}
    expect(page.locator("main")).to_contain_text("A product that this shop does not have")
    look_at(page, "admin-import-hostile", "light")
    assert "127871" not in page.content()
    assert counted(shop, "purchases") == 0


def test_the_line_of_totals_is_no_sale(desk: tuple[ShopServer, Device]) -> None:
    shop, one = desk
    upload(shop, one.page, GUMROAD.read_bytes())
    check(one.page)
    assert figures(one.page)["Rows"] == "10"
    assert GUMROAD.read_text().rstrip().splitlines()[-1].startswith("Totals,")
    expect(one.page.locator("main")).not_to_contain_text("Totals")


def test_a_hundred_thousand_rows_are_checked_and_their_page_follows(desk: tuple[ShopServer, Device]) -> None:
    shop, one = desk
    page = one.page
    rows = "".join(ROW.format(n, f"p{n}") for n in range(99_998))
    upload(shop, page, (HEADER + rows + "x,nobody,,,,,\n" + ROW.format(1, "p1")).encode())
    expect(page.locator(".hint").first).to_contain_text("100,001 lines")
    check(page)
    assert figures(page) == {"Rows": "100,000", "New": "99,998", "Known already": "1", "Refused": "1"}
    expect(page.locator("main")).to_contain_text("100,000")
    page.get_by_role("button", name="Delete this file and its report").click()
    expect(page.locator("h1")).to_have_text("Imports")
    assert counted(shop, "purchases") == 0


def test_what_a_spreadsheet_would_run_is_exported_as_text(desk: tuple[ShopServer, Device]) -> None:
    """Formulas come in as what they are, and go out with an apostrophe in front."""
    shop, one = desk
    page = one.page
    addresses = ["=cmd", "+49", "-1+1"]
    rows = [ROW.format(f"={n}", name) for n, name in enumerate(addresses)]
    rows += [ROW.format("@SUM(1)", "@sum"), ROW.format("\t=1", "\t=tab")]
    upload(shop, page, (HEADER + "".join(rows)).encode())
    check(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    expect(page.get_by_text("Nobody was emailed.")).to_be_visible()
    told = figures(page)
    for kind in ("sales", "customers"):
        page.goto(f"{shop.url}/admin/exports?kind={kind}")
        page.locator('input[name="column"][value="address"]').check()
        with page.expect_download() as downloading:
            page.get_by_role("button", name="Export").click()
        file = Path(downloading.value.path())
        with file.open(newline="", encoding="utf-8") as lines:
            cells = [cell for row in csv.reader(lines) for cell in row]
        assert {f"'{name}@example.com" for name in addresses} <= set(cells), cells
        assert not [cell for cell in cells if re.match(r"[=+\-@\t]", cell)]
    assert told == {"Rows": "5", "Imported": "3", "Known already": "1", "Refused": "1"}, told
