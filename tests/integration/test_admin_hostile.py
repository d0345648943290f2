"""Whatever a customer can fill in is text in the back office: bought with hostile strings, and every page looked at."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest

from testkit.every_sale import HOSTILE, HOSTILE_ADDRESS
from testkit.office import Member
from testkit.servers import BOOK, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

AT_MOST = 200
ADDRESS = HOSTILE_ADDRESS.canonical
CANNOT_BE_EMAILED = f'"{HOSTILE}"@evil.example'
RAW = ("<script>alert", "<img src=x", "49&amp;&#x27;$", "49&amp;&#39;$")
"""What would show that a text became a tag, or was evaluated as a template."""
TYPED = (HOSTILE, f"<img src=x onerror=alert(1)>{ADDRESS}", "%00\r\nx: y", "javascript:alert(1)")
ASKED = (
    "/admin/search?q={}", "/admin/sales?text={}", "/admin/sales?promotion={}", "/admin/sales?from={}&least={}",
    "/admin/sales?product={}&state={}&sort={}&after={}", "/admin/customers?text={}&product={}", "/admin/todo?only={}",
    "/admin/emails?state={}&to={}", "/admin?days={}&done={}", "/admin/audit?before={}&who={}&action={}", "/admin/stripe?done={}",
)  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("hostile")) as running:
        anna, ben, carl = (Shopper(running) for _ in range(3))
        for one in (anna, ben, carl):
            one.http.headers["user-agent"] = f"Mozilla/5.0 {HOSTILE}"
            one.http.headers["referer"] = f"https://evil.example/{HOSTILE}"
        details = {
            "email": ADDRESS, "name": HOSTILE, "phone": HOSTILE, "tax_ids": [{"type": "eu_vat", "value": HOSTILE}],
            "address": {"country": "<b", "city": HOSTILE, "line1": HOSTILE},
        }  # fmt: skip
        taxed = {"automatic_tax": {"enabled": True}, "invoice": f"in_{HOSTILE}", "customer_details": details}
        running.sandbox.pay(anna.buy(), email=ADDRESS, copies=1, change=taxed)
        anna.get(f"/view/{BOOK}")
        running.sandbox.wait_for_mail(ADDRESS)
        assert anna.post(anna.link_from(ADDRESS)).status_code == 303
        running.sandbox.pay(ben.buy(), email=CANNOT_BE_EMAILED, copies=1)
        order = ben.get(f"/view/{BOOK}").text.partition("/orders/")[2][:32]
        assert ben.post(f"/orders/{order}/address", {"email": f"x{ADDRESS}"}).status_code in (200, 303)
        ben.post("/request-login", {"email": f"y{ADDRESS}"})
        foreign = {"metadata": {"pid": HOSTILE, "shop": HOSTILE}, "client_reference_id": HOSTILE}
        running.sandbox.pay(carl.buy(), email="carl@example.com", copies=1, change=foreign)
        yield running


def links_of(page: str) -> set[str]:
    found = (html.unescape(href) for href in re.findall(r'<a [^>]*?href="([^"]+)"', page))
    return {href for href in found if href.startswith("/admin")}


def kind_of(path: str) -> str:
    return re.sub(r"[0-9a-f]{12,}|cs_[A-Za-z0-9_]+|access[:%][^/?]*", "*", urlsplit(path).path)


def as_text(path: str, page: str) -> None:
    """Nothing that was typed is a tag, an attribute or a template."""
    for raw in RAW:
        assert raw not in page, f"{path}: {page[max(0, page.find(raw) - 200) :][:400]}"
    assert not re.search(r'href="\s*javascript:', page), path


def test_every_page_shows_what_customers_filled_in_as_text(shop: ShopServer) -> None:
    owner = Member(shop)
    owner.join("owner", "owner@example.com")
    wait_until(lambda: len(shop.export()["purchase"]) >= 2)
    sold = {sale["email"]: sale for sale in shop.export()["purchase"]}
    assert (sold[ADDRESS]["tax_number"], sold[ADDRESS]["invoice"]) == (" ".join(HOSTILE.split())[:60], "")
    assert sold[ADDRESS]["tax_country"] == ""
    waiting, seen, shown = ["/admin"], {"/admin"}, 0
    while waiting and len(seen) <= AT_MOST:
        path = waiting.pop(0)
        answer = owner.get(path)
        assert answer.status_code in (200, 303), path
        if "html" not in answer.headers.get("content-type", ""):
            continue
        as_text(path, answer.text)
        shown += ADDRESS in html.unescape(answer.text.replace("<wbr>", ""))
        for link in sorted(links_of(answer.text)):
            if kind_of(link) not in seen:
                seen.add(kind_of(link))
                waiting.append(link)
    assert shown >= 5, "it was looked for where it is"
    for sale in sold.values():
        as_text(sale["id"], owner.get(f"/admin/sales/{sale['id']}").text)
    assert HOSTILE[:60] in html.unescape(owner.get(f"/admin/sales/{sold[ADDRESS]['id']}").text)


@pytest.mark.parametrize("typed", TYPED)
def test_what_is_asked_for_in_an_address_is_text_too(shop: ShopServer, typed: str) -> None:
    viewer = Member(shop)
    viewer.join("viewer", f"viewer{TYPED.index(typed)}@example.com")
    for at in ASKED:
        path = at.replace("{}", quote(typed))
        answer = viewer.get(path)
        while answer.is_redirect:
            answer = viewer.get(answer.headers["location"])
        assert answer.status_code == 200, path
        as_text(path, answer.text)
