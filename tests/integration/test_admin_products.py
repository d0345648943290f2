"""Products in the back office over HTTP: what was sold of each, what the catalogue says, and one product."""

from __future__ import annotations

import csv
import html
import io
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.going_live import STARTED_LIVE
from testkit.every_sale import HOSTILE, PAPERWORK, fill
from testkit.office import Member, form_on
from testkit.servers import BOOK, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, Member]]:
    """A shop with sales of every kind, and somebody who may only look."""
    with a_shop(tmp_path_factory.mktemp("products")) as running:
        fill(running)
        viewer = Member(running)
        viewer.join("viewer", "viewer@example.com")
        yield running, viewer


def text_of(page: httpx.Response) -> str:
    main = page.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def rows_of(page: httpx.Response) -> list[str]:
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        " ".join(html.unescape(re.sub(r"<[^>]*>", " ", row)).split())
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]


def test_the_list_says_what_was_sold_of_each(office: tuple[ShopServer, Member]) -> None:
    page = office[1].get("/admin/products")
    [_, paperwork, book] = rows_of(page)
    assert paperwork.startswith("Small Shop Paperwork On sale $24.00 1 ¥1,200 – – 6")
    assert re.match(r"The Last Cloakroom On sale \$9\.00 16 \$\d+\.\d\d KWD 12\.340 – – 2", book)
    assert "not-sold-any-more: customers own it, but it is not in the catalogue" in text_of(page)
    assert "3 products, by name" in page.text
    assert f'<a href="/admin/sales?product={BOOK}">16</a>' in page.text
    listed = office[1].get(f"/admin/sales?product={BOOK}")
    assert "Sales, The Last Cloakroom: 16" in html.unescape(listed.text)


def test_the_list_is_sorted_by_what_was_sold(office: tuple[ShopServer, Member]) -> None:
    page = office[1].get("/admin/products?sort=sold")
    assert rows_of(page)[0].startswith("The Last Cloakroom")
    assert page.text.count("aria-sort=") == 1
    assert 'aria-sort="descending"><a href="/admin/products?sort=sold-up">Sold' in page.text
    assert "3 products<" in page.text


def test_one_product_shows_its_year_its_files_and_its_owners(office: tuple[ShopServer, Member]) -> None:
    shop, viewer = office
    page = viewer.get(f"/admin/products/{BOOK}")
    said = text_of(page)
    assert page.text.count('<svg role="img"') == 3, "net in two currencies, and sales"
    assert re.search(r"\$\d+\.\d\d net in twelve months; the best month was", said)
    assert "KWD 12.340 net in twelve months" in said
    assert page.text.count('<tr><th scope="row">') == 36, "twelve months in each of the tables"
    assert re.search(r"the-last-cloakroom\.epub .* SHA-256 [0-9a-f]{64}", said)
    assert f'href="{shop.url}/products/{BOOK}"' in page.text
    assert f'href="/admin/sales?product={BOOK}"' in page.text
    assert f'href="/admin/customers?bought={BOOK}"' in page.text
    owners = viewer.get(f"/admin/customers?bought={BOOK}")
    number = re.search(r"bought “The Last Cloakroom”: (\d+)", html.unescape(owners.text))
    assert number is not None
    assert f"Owners {number[1]} " in said
    table = list(csv.DictReader(io.StringIO(viewer.get(f"/admin/products/{BOOK}/figures.csv").text)))
    assert sum(int(row["sales"]) for row in table) == 14
    assert {row["net"] for row in table if row["currency"] == "KWD"} == {"12.340"}


def test_the_cover_is_shown_to_staff_alone(office: tuple[ShopServer, Member]) -> None:
    shop, viewer = office
    answer = viewer.get(f"/admin/products/{BOOK}/cover")
    assert answer.headers["content-type"].startswith("image/")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert viewer.get("/admin/products/nothing/cover").status_code == 404
    assert Member(shop).get(f"/admin/products/{BOOK}/cover").status_code == 303


@pytest.mark.parametrize("wanted", ["not-sold-any-more", "%00", "..%2Fshop.toml", "x" * 300, "'"])
def test_what_the_catalogue_does_not_have_is_a_page_that_says_so(
    office: tuple[ShopServer, Member], wanted: str
) -> None:
    page = office[1].get(f"/admin/products/{wanted}")
    assert page.status_code == 404
    assert "<script>alert" not in page.text
    if wanted == "not-sold-any-more":
        assert 'href="/admin/sales?product=not-sold-any-more"' in page.text
        assert HOSTILE in html.unescape(office[1].get("/admin/sales?product=not-sold-any-more").text)


def test_mistakes_stock_and_keys_are_shown_where_they_are(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        viewer = Member(shop)
        viewer.join("viewer", "viewer@example.com")
        folder = shop.folder / "catalogue" / PAPERWORK
        toml = folder / "product.toml"
        kept = toml.read_text()
        toml.write_text(kept + '\nnonsense = "<script>alert(1)</script>"\n')
        wait_until(lambda: "Held back by a mistake" in text_of(viewer.get("/admin/products")))
        row = next(row for row in rows_of(viewer.get("/admin/products")) if "Small Shop" in row)
        assert f"catalogue/{PAPERWORK}/product.toml" in row
        one = viewer.get(f"/admin/products/{PAPERWORK}")
        assert "Its files have mistakes" in text_of(one)
        assert "<script>alert" not in one.text
        (folder / "licences.txt").write_text("AAAA\nBBBB\nCCCC\n")
        head, rest = kept.split("\n", 1)
        toml.write_text(f'stock = 5\nlicence_keys = "list"\n{head}\n{rest}')
        wait_until(
            lambda: (
                "5 of 5 3"
                in next(row for row in rows_of(viewer.get("/admin/products")) if "Small Shop" in row)
            )
        )
        said = text_of(viewer.get(f"/admin/products/{PAPERWORK}"))
        assert "5 of 5 left" in said
        assert "3 keys are left." in said


def test_what_was_sold_leads_to_as_many_once_the_shop_has_gone_live(
    office: tuple[ShopServer, Member],
) -> None:
    """The last test of this shop: its test purchases count no more, and the list of all sales still has them."""
    shop, viewer = office
    with sqlite3.connect(shop.data / "coatcheck.db") as database:
        database.execute("INSERT INTO cursors (name, at) VALUES (?, ?)", (STARTED_LIVE, 0))
    for path in ("/admin/products", f"/admin/products/{BOOK}"):
        led = re.search(rf'<a href="(/admin/sales\?product={BOOK}[^"]*)">(\d+)</a>', viewer.get(path).text)
        assert led is not None
        assert int(led[2]) == 3, "a free order, a grant and an imported sale"
        listed = html.unescape(viewer.get(html.unescape(led[1])).text)
        assert "Sales, The Last Cloakroom, without test purchases: 3<" in listed
    assert "Sales, The Last Cloakroom: 16<" in html.unescape(viewer.get(f"/admin/sales?product={BOOK}").text)
    months = re.findall(r'Sales</dt><dd>(<a href="[^"]*">)?(\d+)', viewer.get("/admin").text)
    assert [(bool(at), number) for at, number in months] == [
        (True, "0"),
        (True, "0"),
        (False, "1"),
        (False, "1"),
    ]


# ------------------------------------------------------------------ announcing a new version


def sent_as_tests(shop: ShopServer, address: str) -> list[dict[str, Any]]:
    return [mail for mail in shop.sandbox.mails_to(address) if mail["subject"].startswith("A new version")]


def test_a_new_version_is_counted_tried_and_announced_once(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        owner, at = Member(shop), f"/admin/products/{BOOK}"
        owner.join()
        assert "Nobody is left to email" in owner.get(f"{at}/announce").text
        for name in ("anna", "ben"):
            Shopper(shop).buy_and_pay(f"{name}@buyers.example")
            shop.sandbox.wait_for_mail(f"{name}@buyers.example")
        assert f'href="{at}/announce"' in owner.get(at).text
        page = owner.get(f"{at}/announce")
        said = text_of(page)
        assert "2 owners are emailed." in said
        assert "Subject: A new version: The Last Cloakroom" in said
        assert "the-last-cloakroom.epub" in said
        for _ in range(2):
            tried = owner.post(f"{at}/announce/test", page)
            assert tried.headers["location"] == f"{at}/announce?done=tried"
        assert "A test is on its way to you." in owner.get(tried.headers["location"]).text
        wait_until(lambda: sent_as_tests(shop, "anna@example.com"))
        [test] = sent_as_tests(shop, "anna@example.com")
        assert f"{shop.url}/account" in test["text"]
        assert shop.mails_queued_for("anna@buyers.example") == 1, "the access email"
        stale = owner.http.post(f"{at}/announce", data=form_on(page, f"{at}/announce") | {"seen": "another"})
        assert (stale.status_code, "The files of the product changed." in stale.text) == (409, True)
        for _ in range(2):
            done = owner.post(f"{at}/announce", page)
            assert done.headers["location"] == f"{at}?done=announced"
        for name in ("anna", "ben"):
            shop.sandbox.wait_for_mail(f"{name}@buyers.example", number=2)
            assert shop.mails_queued_for(f"{name}@buyers.example") == 2
        again = owner.get(f"{at}/announce").text
        assert "Nobody is left to email" in again
        lines = [one["action"] for one in shop.export()["audit"] if one["object"] == BOOK]
        assert lines == ["try-announcement", "announce"]
        counted = shop.cli("announce", BOOK, "--dry-run").stdout
        assert counted.startswith("0 owners would be notified; 2 were notified before, 0 skipped")
        assert "Subject: A new version: The Last Cloakroom" in counted
        assert "is queued" in shop.cli("announce", BOOK, "--test", "me@example.com").stdout
        shop.sandbox.wait_for_mail("me@example.com")
