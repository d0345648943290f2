"""After staff deleted a customer's data, no row of any table names them, whatever was written about them before."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from testkit.acting import submit
from testkit.bazaar import stock_a_bazaar
from testkit.engines import every_row
from testkit.office import Member, form_on, upload
from testkit.servers import Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.long]

ADDRESS: Final = "quentin.zebrowski@lantern-mail.example"
WANTED: Final = "q.zebrowski@lantern-mail.example"
"""Where they asked to be moved to, and never confirmed it."""
PARTS: Final = ("zebrowski", "lantern-mail", "quentin")
WHY: Final = {"reason": f"Quentin Zebrowski ({ADDRESS}) rang about it"}
NOTE: Final = f"Zebrowski prefers letters to {ADDRESS}"
FAREWELL: Final = "farewell:"
"""The key of the last email: its row goes a day after it was sent (`contracts/by_hand.py`)."""


@pytest.fixture
def shop(tmp_path: Path, in_database: Callable[[], dict[str, str]]) -> Iterator[ShopServer]:
    stock_a_bazaar(tmp_path / "catalogue")
    with a_shop(tmp_path, **in_database()) as running:
        yield running


def the_order(shop: ShopServer, ref: str) -> str:
    [order] = [one["id"] for one in shop.export()["purchase"] if one["checkout_session"] == ref]
    return str(order)


def a_customer(shop: ShopServer) -> tuple[str, str, str]:
    """They bought two things, signed in twice and mistyped a code; and paid a third time, in another currency."""
    buyer = Shopper(shop)
    first = the_order(shop, buyer.buy_and_pay(ADDRESS, "abroad"))
    assert buyer.post(buyer.link_from(ADDRESS)).status_code == 303
    keyed = the_order(shop, buyer.buy_and_pay(ADDRESS, "keyed"))
    buyer.get("/view/keyed")
    wrong = buyer.buy("abroad")
    shop.sandbox.pay(wrong, email=ADDRESS, copies=1, change={"currency": "eur"})
    wait_until(lambda: any(one["id"] == wrong for one in shop.export()["quarantine"]))
    elsewhere = Shopper(shop)
    elsewhere.post("/request-login", {"email": ADDRESS})
    elsewhere.post("/login", {"code": "00000000"})
    return first, keyed, wrong


def what_staff_do(owner: Member, first: str, keyed: str, wrong: str) -> None:
    """Everything that keeps a text, an address or an id."""
    shop = owner.shop

    def act(path: str, **fields: str) -> None:
        answer = submit(owner, path, **fields)
        assert answer.status_code == 303, (path, answer.status_code, answer.text)

    [user] = [one["id"] for one in shop.export()["user"] if one["email"] == ADDRESS]
    sale, customer = f"/admin/sales/{first}", f"/admin/customers/{user}"
    act(f"{sale}/note", text=NOTE)
    act(f"{sale}/refund", amount="1.00", tell="yes", **WHY)
    wait_until(lambda: [one["state"] for one in shop.export()["refund_request"]] == ["done"])
    act(f"{sale}/revoke", tell="yes", **WHY)
    act(f"{sale}/restore", tell="yes", **WHY)
    act(f"{sale}/resend")
    act(f"/admin/sales/{keyed}/key", product="keyed", **WHY)
    act("/admin/grant", product="your-price", email=ADDRESS, **WHY)
    act(f"/admin/stripe/{wrong}/dismiss", **WHY)
    act(f"{customer}/address", email=WANTED, **WHY)
    act(f"{customer}/sign-out")
    owner.http.get("/admin/search", params={"q": ADDRESS})
    page = owner.get(f"{customer}/data")
    assert ADDRESS in owner.post(f"{customer}/data", page).text
    row = f"external_id,address,product\n1,{ADDRESS},abroad\n"
    assert upload(owner, row.encode()).status_code == 200


def ids_of_person(shop: ShopServer) -> set[str]:
    """Their user, sessions, cookies and links: what would still say that two rows are about one person."""
    found = {one["id"] for one in shop.export()["user"] if one["email"] == ADDRESS}
    for table, row in every_row(shop):
        if table == "sessions" and ADDRESS in row:
            found |= {value for value in row if isinstance(value, str) and len(value) >= 32}
        if table == "magic_links" and ADDRESS in row:
            found.add(row[0])
    return found


def hashes_of(text: str) -> set[str]:
    """Plain hashes of an address, as anybody could make them to look for it."""
    made = {hashlib.new(name, text.encode()) for name in ("md5", "sha1", "sha256", "sha512")}
    return {one.hexdigest() for one in made} | {base64.b64encode(one.digest()).decode() for one in made}


def test_a_dump_of_the_whole_database_names_nobody_who_was_deleted(shop: ShopServer) -> None:
    owner = Member(shop)
    owner.join()
    first, keyed, wrong = a_customer(shop)
    what_staff_do(owner, first, keyed, wrong)
    named_in = {table for table, row in every_row(shop) if any(part in str(row).lower() for part in PARTS)}
    assert named_in >= {
        "users",
        "purchases",
        "sale_notes",
        "audit_reasons",
        "refund_requests",
        "outbox",
        "moves",
    }
    ids = ids_of_person(shop)
    assert len(ids) > 3

    [user] = [one["id"] for one in shop.export()["user"] if one["email"] == ADDRESS]
    path = f"/admin/customers/{user}/erase"
    owner.prove()
    page = owner.get(path)
    assert owner.http.post(path, data=form_on(page, path) | WHY).status_code == 303
    wait_until(lambda: "Your data was deleted" in [one["subject"] for one in shop.sandbox.mails_to(ADDRESS)])

    left = [(table, row) for table, row in every_row(shop) if not str(row[0]).startswith(FAREWELL)]
    texts = [(table, str(row)) for table, row in left]
    gone = {*PARTS, "rang about it", "prefers letters", *hashes_of(ADDRESS), *hashes_of(WANTED)}
    assert [(table, word) for table, text in texts for word in gone if word in text.lower()] == []
    counted = "limits"  # counters of a day, under keyed hashes
    assert [(table, one) for table, text in texts for one in ids if one in text and table != counted] == []
    assert not [
        table for table, _ in left if table in ("upload_pieces", "sale_notes", "audit_reasons", "moves")
    ]
    assert [table for table, row in left if ADDRESS.encode().hex() in str(row)] == []
    kept = {one["id"]: one["amount"] for one in shop.export()["purchase"]}
    assert (kept[first], kept[keyed]) == (900, 2000), "the sales stay"
    assert shop.cli("audit", "--check").returncode == 0, "and so does the log, whole"
