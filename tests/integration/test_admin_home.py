"""The first page of the back office over HTTP: what it shows, to whom, and what its drawings say."""

from __future__ import annotations

import csv
import html
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import httpx
import pytest

from testkit import past
from testkit.office import Member
from testkit.servers import BOOK, ShopServer, a_shop


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ShopServer, Member, list[str]]]:
    """A shop with a past, and its owner."""
    with a_shop(tmp_path_factory.mktemp("filled")) as shop:
        orders = past.fill(shop.data)
        anna = Member(shop)
        anna.join()
        yield shop, anna, list(orders)


def drawings(page: httpx.Response) -> list[ET.Element]:
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page.text, re.DOTALL)]


def test_a_new_shop_says_what_to_do_first_and_where_to_buy(shop: ShopServer) -> None:
    anna = Member(shop)
    anna.join("owner", "first-days@example.com")
    page = anna.get("/admin")
    assert page.status_code == 200
    assert "The first days" in page.text
    assert "Make a backup every day" in page.text


def test_what_waits_is_listed_with_links_and_counted_in_the_navigation(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, _orders = filled
    page = anna.get("/admin")
    assert "2 payments are in quarantine." in page.text
    assert '<a href="/admin/todo?only=quarantined">' in page.text
    assert "1 dispute needs an answer." in page.text
    counted = re.search(r'<a href="/admin/todo">To do \((\d+)\)</a>', html.unescape(page.text))
    assert counted is not None
    assert int(counted[1]) >= 7
    assert f"To do ({counted[1]})" in anna.get("/admin/account").text


def test_figures_are_of_four_periods_and_say_as_of_when(filled: tuple[ShopServer, Member, list[str]]) -> None:
    _shop, anna, _orders = filled
    page = anna.get("/admin")
    assert re.findall(r"<h3>(.*?)</h3>", page.text) == ["Today", "7 days", "30 days", "12 months"]
    assert re.search(r"As of \d\d:\d\d:\d\d UTC\.", page.text)
    assert "up from" in page.text
    assert "Gross, EUR" in page.text


def test_each_chart_is_an_image_with_a_title_a_finding_and_a_title_for_each_bar(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, _orders = filled
    page = anna.get("/admin?days=365")
    found = drawings(page)
    assert len(found) == 4
    for one in found:
        assert one.get("role") == "img"
        named = (one.get("aria-labelledby") or "").split()
        assert [child.get("id") for child in one[:2]] == named
        assert len(one[1].text or "") > 20
        bars = one.findall("rect")
        assert 0 < len(bars) <= 366
        assert all(bar[0].tag.endswith("title") and bar[0].text for bar in bars)
        assert len(one.findall("line")) == 3
    assert "style=" not in page.text
    assert page.text.count("<tbody>") == 4


def test_the_range_of_the_charts_is_an_address_and_anything_else_is_ninety_days(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, _orders = filled
    for asked, days in (("30", 30), ("365", 365), ("366", 90), ("-1", 90), ("x" * 500, 90)):
        page = anna.http.get("/admin", params={"days": asked})
        assert f"net in {days} days" in page.text


def test_sales_and_news_are_linked_and_hostile_names_are_text(
    filled: tuple[ShopServer, Member, list[str]],
) -> None:
    _shop, anna, orders = filled
    page = anna.get("/admin")
    newest = page.text.partition('id="newest"')[2].partition("</section>")[0]
    assert re.findall(r'href="/admin/sales/([0-9a-f]+)"', newest) == orders[:10]
    assert past.HOSTILE not in page.text
    assert past.HOSTILE in html.unescape(newest)
    assert "Refund of $9.00: refunded" in page.text
    assert "Dispute over $9.00: waits for your answer" in page.text


def test_the_figures_come_as_csv_and_name_nobody(filled: tuple[ShopServer, Member, list[str]]) -> None:
    _shop, anna, _orders = filled
    answer = anna.get("/admin/figures.csv?days=365")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sum(int(row["sales"]) for row in rows) == 60
    assert {row["currency"] for row in rows} == {"USD", "EUR"}
    assert "@" not in answer.text


def test_figures_lead_to_lists_of_as_many(filled: tuple[ShopServer, Member, list[str]]) -> None:
    shop, anna, _orders = filled  # the last test here: it adds a purchase
    shop.cli("grant", BOOK, "given@example.com", "--reason", "A prize.")
    given = re.findall(r'Given for free</dt><dd><a href="([^"]*)">(\d+)</a>', anna.get("/admin").text)
    assert len(given) == 4, "one for each period"
    for name, words in (("Sales", "sold here"), ("Free orders", "free orders")):
        led = re.findall(rf'{name}</dt><dd><a href="([^"]*)">(\d+)</a>', anna.get("/admin").text)
        assert len(led) == 4
        for at, number in led:
            page = html.unescape(anna.get(html.unescape(at)).text)
            listed = re.search(rf'<caption id="caption">Sales, {words}, .*: (\d+)</caption>', page)
            assert number == (listed[1] if listed else "0")
            assert listed or "No sale matches" in page
        assert int(led[-1][1]) == (60 if name == "Sales" else 0)
    for at, number in given:
        listed = html.unescape(anna.get(html.unescape(at)).text)
        assert re.search(rf'<caption id="caption">Sales, free copies, .*: {number}</caption>', listed)
    assert int(given[-1][1]) >= 1
