"""Every link of the back office leads somewhere: followed from its first page, for each role."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from testkit.office import Member
from testkit.servers import Shopper, ShopServer, a_shop

AT_MOST = 200
"""Pages that are opened; more are pages of the same kind."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    """A shop with a sale, an address that bounced nothing, and one member of each role."""
    with a_shop(tmp_path_factory.mktemp("links")) as running:
        Shopper(running).buy_and_pay("anna@example.com")
        Shopper(running).buy_and_pay("ben@example.com")
        running.sandbox.wait_for_mail("ben@example.com")
        yield running


def links_of(page: str) -> set[str]:
    """The addresses within the back office that a page links to."""
    found = (html.unescape(href) for href in re.findall(r'<a [^>]*?href="([^"]+)"', page))
    return {href for href in found if href.startswith("/admin")}


def kind_of(path: str) -> str:
    """Pages that differ only in ids are of one kind."""
    return re.sub(r"[0-9a-f]{12,}|cs_[A-Za-z0-9_]+|access[:%][^/?]*", "*", urlsplit(path).path)


@pytest.mark.parametrize("role", ["owner", "support", "viewer"])
def test_every_link_leads_somewhere(shop: ShopServer, role: str) -> None:
    member = Member(shop)
    member.join(role, f"{role}@example.com")
    waiting, seen, broken = ["/admin"], {"/admin"}, list[tuple[str, str, int]]()
    came_from = {"/admin": ""}
    while waiting and len(seen) <= AT_MOST:
        path = waiting.pop(0)
        answer = member.get(path)
        if answer.status_code not in (200, 303):
            broken.append((came_from[path], path, answer.status_code))
            continue
        for link in sorted(links_of(answer.text) if "html" in answer.headers.get("content-type", "") else ()):
            if kind_of(link) not in seen:
                seen.add(kind_of(link))
                came_from[link] = path
                waiting.append(link)
    assert broken == []
    assert {"/admin/sales/*", "/admin/customers/*", "/admin/emails"} <= {kind_of(one) for one in seen}


def test_the_internal_note_stands_on_the_page_of_its_sale_for_everybody(shop: ShopServer) -> None:
    [order, *_] = (sale["id"] for sale in shop.export()["purchase"])
    shop.cli("note", order, "Asked by phone <b>twice</b>\nand was kind")
    member = Member(shop)
    member.join("viewer", "reader@example.com")
    page = member.get(f"/admin/sales/{order}").text
    assert "Asked by phone &lt;b&gt;twice&lt;" in page
    assert "and was kind" in page
