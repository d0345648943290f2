"""Withdrawing over HTTP: the form, the statement, the acknowledgement; what a stranger cannot do by it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from testkit.office import Member
from testkit.servers import BOOK, Shopper, ShopServer, a_shop, wait_until

HERE, CONFIRM = "Withdraw from contract here", "Confirm withdrawal"
"""The words of the law, typed from it: Directive (EU) 2023/2673, article 1."""


pytestmark = pytest.mark.long


def switch_on(shop: ShopServer, table: str = "withdrawal = true") -> None:
    """As a merchant does, while the shop runs."""
    path = shop.catalogue / "shop.toml"
    path.write_text(f"{path.read_text()}\n[law]\n{table}\n")
    wait_until(lambda: Shopper(shop).get("/withdraw").status_code == 200)


def mail_about(shop: ShopServer, address: str, subject: str) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        return [mail for mail in shop.sandbox.mails_to(address) if subject in mail["subject"]]

    wait_until(lambda: bool(found()))
    return found()[0]


@pytest.fixture(scope="module")
def selling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with a_shop(tmp_path_factory.mktemp("law")) as running:
        switch_on(running)
        yield running


def fields_on(page: httpx.Response) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {name: html.unescape(value) for name, value in found}


def order_of(shop: ShopServer, email: str) -> str:
    return next(str(p["id"]) for p in shop.export()["purchase"] if p["email"] == email)


def stated(shopper: Shopper, **fields: str) -> httpx.Response:
    return shopper.post("/withdraw", {"name": "Anna A.", "email": "anna@example.com", **fields})


def withdrawals(shop: ShopServer) -> list[dict[str, object]]:
    return shop.export().get("withdrawal", [])


def test_without_the_switch_there_is_no_such_page(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        guest = Shopper(shop)
        assert guest.get("/withdraw").status_code == 404
        assert guest.post("/withdraw", {}).status_code == 404
        assert guest.post("/withdraw/confirm", {}).status_code == 404
        assert "/withdraw" not in guest.get("/").text


def test_every_page_the_receipt_and_the_purchase_email_lead_there_in_the_words_of_the_law(
    selling: ShopServer,
) -> None:
    guest = Shopper(selling)
    for path in ("/", f"/products/{BOOK}", "/request-login", "/no-such-page", "/withdraw"):
        assert f'<a href="/withdraw">{HERE}</a>' in guest.get(path).text, path
    buyer = Shopper(selling)
    buyer.buy_and_pay("led@example.com")
    receipt = buyer.get(f"/orders/{order_of(selling, 'led@example.com')}")
    assert f'<a class="button second" href="/withdraw">{HERE}</a>' in receipt.text
    mail = selling.sandbox.wait_for_mail("led@example.com")
    assert f"{HERE}: {selling.url}/withdraw" in mail["text"]


def test_a_buyer_chooses_states_confirms_twice_and_saves_the_acknowledgement(selling: ShopServer) -> None:
    buyer = Shopper(selling)
    buyer.buy_and_pay("anna@example.com")
    order = order_of(selling, "anna@example.com")
    form = buyer.get("/withdraw")
    assert "Bought in the last 14 days" in form.text
    assert f'name="order" value="{order}"' in form.text
    statement = stated(buyer, order=order)
    assert statement.status_code == 200
    assert "I, <b>Anna A.</b>, withdraw from my contract with" in statement.text
    assert f"<button>{CONFIRM}</button>" in statement.text
    assert withdrawals(selling) == [], "nothing is stored yet"
    fields = fields_on(statement)
    done = buyer.post("/withdraw/confirm", fields)
    assert done.status_code == 200
    at = re.search(r"<b>(\d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC)</b>", done.text)
    assert at is not None, "with date, time and seconds"
    again = buyer.post("/withdraw/confirm", fields)
    assert at[1] in again.text
    [held] = withdrawals(selling)
    assert (held["order"], held["state"], held["confirmed_at"] is not None) == (order, "open", True)
    mail = mail_about(selling, "anna@example.com", "We received your withdrawal")
    assert "It does not decide about it" in mail["text"]
    assert "accept" not in mail["text"].lower()
    saved = re.search(r'href="(/withdraw/[^"]+)" download', done.text)
    assert saved is not None
    file = buyer.get(html.unescape(saved[1]))
    assert file.headers["content-disposition"].startswith("attachment")
    assert f"Received: {at[1]}" in file.text
    assert buyer.get(html.unescape(saved[1])[:-3] + "000").status_code == 404
    assert buyer.get(f"/view/{BOOK}").status_code == 200, "it is open still"


def test_what_is_missing_is_named_and_what_was_typed_stays(selling: ShopServer) -> None:
    guest = Shopper(selling)
    page = guest.post("/withdraw", {"name": " ", "contract": "x" * 201, "email": "no address"})
    assert page.status_code == 422
    assert page.text.count('aria-invalid="true"') == 3
    assert "Please write your name" in page.text
    assert 'value="no address"' in page.text


def test_a_stranger_learns_nothing_about_an_order_and_closes_nothing(selling: ShopServer) -> None:
    victim, stranger = Shopper(selling), Shopper(selling)
    victim.buy_and_pay("victim@example.com")
    order = order_of(selling, "victim@example.com")
    pages = []
    for contract in (order[:16], "0123456789abcdef"):
        statement = stated(stranger, contract=contract, email="mallory@example.com", name="M")
        done = stranger.post("/withdraw/confirm", fields_on(statement))
        pages.append(re.sub(r"[0-9a-f]{16,}|\d\d:\d\d:\d\d|/withdraw/[^\"]*", "", done.text))
    assert pages[0] == pages[1], "the same, whether there is such an order or not"
    chosen = stated(stranger, order=order, contract="", email="mallory@example.com")
    assert chosen.status_code == 422, "it is not theirs to choose"
    asked = mail_about(selling, "victim@example.com", "Did you withdraw")
    assert "nothing happens" in asked["text"]
    assert victim.get(f"/view/{BOOK}").status_code == 200
    link = re.search(r"/login/\S+", asked["text"])
    assert link is not None
    seen = Shopper(selling).get(link[0])
    assert "Did you withdraw from your purchase?" in seen.text
    assert all(held["confirmed_at"] is None for held in withdrawals(selling) if held["order"] == order)
    confirmed = Shopper(selling).post(link[0], {})
    assert confirmed.status_code == 303
    assert all(held["confirmed_at"] for held in withdrawals(selling) if held["order"] == order)


def test_a_statement_that_was_changed_on_its_way_is_not_received(selling: ShopServer) -> None:
    guest = Shopper(selling)
    fields = fields_on(stated(guest, contract="a book"))
    before = len(withdrawals(selling))
    for name, value in (
        ("email", "other@example.com"),
        ("contract", "another"),
        ("signature", "x"),
        ("at", "1"),
    ):
        answer = guest.post("/withdraw/confirm", {**fields, name: value})
        assert answer.status_code == 409, name
        assert "Nothing was received" in answer.text
    assert guest.post("/withdraw/confirm", {}).status_code == 409
    assert len(withdrawals(selling)) == before


def test_hostile_text_is_only_text(selling: ShopServer) -> None:
    guest = Shopper(selling)
    statement = stated(
        guest, contract='<script>alert("x")</script>', name="<b>&amp;</b> https://evil.example"
    )
    assert "<script>alert" not in statement.text
    done = guest.post("/withdraw/confirm", fields_on(statement))
    assert "<script>alert" not in done.text
    assert 'href="https://evil.example' not in done.text


# ------------------------------------------------------------------ the back office


def confirmed(shop: ShopServer, email: str) -> str:
    """A purchase that was bought and withdrawn from by one browser; its order."""
    buyer = Shopper(shop)
    buyer.buy_and_pay(email)
    order = order_of(shop, email)
    buyer.post("/withdraw/confirm", fields_on(stated(buyer, order=order, email=email)))
    return order


def id_of(shop: ShopServer, order: str) -> str:
    return next(str(one["id"]) for one in withdrawals(shop) if one["order"] == order)


def test_staff_accept_and_the_money_goes_back_once(selling: ShopServer) -> None:
    order = confirmed(selling, "accepted@example.com")
    ada = Member(selling)
    ada.join("owner", "ada@example.com")
    assert "Withdrawal from order" in html.unescape(ada.get("/admin/todo").text)
    listed = ada.get("/admin/withdrawals")
    assert "14 days left; confirmed by the customer" in re.sub(r"\s+", " ", listed.text)
    path = f"/admin/withdrawals/{id_of(selling, order)}/accept"
    assert path in listed.text
    ada.prove()
    page = ada.get(path)
    assert "Stripe is asked to refund $9.00." in page.text
    for _ in range(2):
        assert ada.post(path, page).headers["location"] == "/admin/withdrawals?done=withdrawal-accepted"
    wait_until(
        lambda: [r["state"] for r in selling.export()["refund_request"] if r["order"] == order] == ["done"]
    )
    mail = mail_about(selling, "accepted@example.com", "Your withdrawal is accepted")
    assert "We are refunding $9.00" in mail["text"]
    late = ada.http.post(path, data={"form": "f" * 32}, headers=ada.elsewhere())
    assert (late.status_code, "It was decided before." in late.text) == (409, True)


def test_staff_refuse_with_a_reason_that_the_customer_reads(selling: ShopServer) -> None:
    order = confirmed(selling, "refused@example.com")
    ben = Member(selling)
    ben.join("support", "ben@example.com")
    path = f"/admin/withdrawals/{id_of(selling, order)}/refuse"
    page = ben.get(path)
    assert ben.post(path, page, reason="").status_code == 400
    assert ben.post(path, page, reason="It came too late.").status_code == 303
    mail = mail_about(selling, "refused@example.com", "About your withdrawal")
    assert "It came too late." in mail["text"]
    viewer = Member(selling)
    viewer.join("viewer", "cara@example.com")
    assert "/refuse" not in viewer.get("/admin/withdrawals").text
    assert viewer.get(path).headers["location"] == "/admin?done=not-yours"


def test_the_command_line_lists_and_decides(selling: ShopServer) -> None:
    order = confirmed(selling, "by-hand@example.com")
    said = selling.cli("withdrawals").stdout
    assert f"{id_of(selling, order)}  received" in said
    assert f"order {order[:16]}, 14 days left, confirmed by the customer" in said
    assert "to accept or refuse (coatcheck withdrawals):" in selling.cli("status", check=False).stdout
    nothing = selling.cli("withdrawals", "--refuse", id_of(selling, order), check=False)
    assert (nothing.returncode, "--reason is needed" in nothing.stderr) == (1, True)
    done = selling.cli("withdrawals", "--accept", id_of(selling, order))
    assert done.stdout == "accepted; $9.00 is being refunded; the customer is emailed\n"
    again = selling.cli("withdrawals", "--accept", id_of(selling, order), check=False)
    assert (again.returncode, "it was decided before" in again.stderr) == (1, True)
