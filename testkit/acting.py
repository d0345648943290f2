"""Actions of the back office over HTTP: a sale to act on, and its form, filled in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import httpx

from testkit.office import Member, form_on
from testkit.servers import Shopper, ShopServer


@dataclass(frozen=True)
class Sold:
    """One sale, with its customer."""

    shop: ShopServer
    buyer: Shopper
    email: str
    order: str
    ref: str
    """Stripe's id of the session."""

    @property
    def user(self) -> str:
        [found] = [one["id"] for one in self.shop.export()["user"] if one["email"] == self.email]
        return str(found)

    @property
    def sale(self) -> dict[str, object]:
        """As it is exported."""
        [found] = [one for one in self.shop.export()["purchase"] if one["id"] == self.order]
        return found

    def at(self, action: str) -> str:
        return f"/admin/sales/{self.order}/{action}"

    def at_customer(self, action: str) -> str:
        return f"/admin/customers/{self.user}/{action}"


def sold(shop: ShopServer, product: str, *, verified: bool = False) -> Sold:
    """Bought just now by somebody new."""
    email = f"{uuid.uuid4().hex[:10]}@example.com"
    buyer = Shopper(shop)
    ref = buyer.buy_and_pay(email, product)
    shop.sandbox.wait_for_mail(email)
    if verified:
        assert buyer.post(buyer.link_from(email)).status_code == 303
    [order] = [one["id"] for one in shop.export()["purchase"] if one["checkout_session"] == ref]
    return Sold(shop, buyer, email, order, ref)


def submit(member: Member, path: str, page: httpx.Response | None = None, **fields: str) -> httpx.Response:
    """Open the page of an action, and send its form with these fields; or that of a page that was opened before."""
    member.prove()
    page = page or member.get(path)
    assert page.status_code == 200, (page.status_code, page.headers, page.text)
    return member.http.post(path, data=form_on(page, path) | fields)


def lines_about(shop: ShopServer, order: str) -> list[tuple[str, str]]:
    """Action and result of each audit line about a sale."""
    return [(one["action"], one["result"]) for one in shop.export()["audit"] if one["object"] == order]
