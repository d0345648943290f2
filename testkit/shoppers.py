"""What tests do in browsers over real HTTP, and what they ask of the pages and of the log of a shop."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx

from testkit.servers import BOOK, Shopper, ShopServer


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def masked(email: str) -> str:
    return f"{email[0]}•••@{email.partition('@')[2]}"


def paid(shop: ShopServer, email: str, product: str = BOOK) -> tuple[Shopper, str]:
    """A browser that paid as a guest, and the id of its order."""
    buyer = Shopper(shop)
    buyer.buy_and_pay(email, product)
    found = re.search(r"/orders/([0-9a-f]{32})", buyer.get(f"/view/{product}").text)
    assert found is not None
    return buyer, found[1]


def press(browser: Shopper, link: str) -> httpx.Response:
    """Open the page of a link and press its button."""
    assert browser.get(link).status_code == 200
    return browser.post(link)


def signed_in(shop: ShopServer, email: str, product: str = BOOK) -> tuple[Shopper, str]:
    buyer, order = paid(shop, email, product)
    assert press(buyer, buyer.link_from(email)).status_code == 303
    return buyer, order


def letter(shop: ShopServer, email: str, number: int) -> tuple[str, str]:
    """The link and the code of the mail with that number to an address."""
    text = shop.sandbox.wait_for_mail(email, number=number)["text"]
    # On a line of its own: the link's token may well have something like it inside.
    code = re.search(r"(?m)^\s+([0-9A-Z]{4}-[0-9A-Z]{4})\s*$", text)
    return "/login/" + text.partition("/login/")[2].split()[0], "" if code is None else code[1]


def account_of(browser: Shopper) -> str | None:
    """Whose account is open in a browser."""
    found = re.search(r"signed in as <b>([^<]+)</b>", browser.get("/account").text)
    return None if found is None else found[1]


def cookie_in(answer: httpx.Response, name: str) -> str | None:
    """The whole `Set-Cookie` of that name."""
    found = [value for value in answer.headers.get_list("set-cookie") if value.startswith(f"{name}=")]
    return found[0] if found else None


def post_with(shop: ShopServer, path: str, data: dict[str, str], **cookies: str) -> httpx.Response:
    """A submit with exactly these cookies."""
    held = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return httpx.post(f"{shop.url}{path}", data=data, headers={"cookie": held})


def said(shop: ShopServer, what: str) -> list[dict[str, Any]]:
    return [line for line in shop.log_lines if line["message"] == what]
