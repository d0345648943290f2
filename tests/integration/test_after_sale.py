"""After the sale, over real HTTP: refunds, disputes, late money and mails that come back, as Stripe and Resend tell them."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.session import Visitor
from domain.usecases.checkout_outcomes import RedirectToPayment
from domain.values import ProductId
from entrypoints.container import Container
from entrypoints.environment import read_environment
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.sandbox.stripe.deliveries import sign
from entrypoints.settings import settle
from entrypoints.testing import HandClock
from testkit.servers import BOOK, PAPERWORK, WEBHOOK_SECRET, Shopper, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.engines

CONTENT = "Ottilie"


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def sold(shop: ShopServer, email: str, product: str = BOOK) -> tuple[Shopper, str]:
    buyer = Shopper(shop)
    return buyer, buyer.buy_and_pay(email, product)


def deliver(shop: ShopServer, event: dict[str, Any]) -> httpx.Response:
    return httpx.post(
        f"{shop.url}/webhook",
        content=event["body"].encode(),
        headers={"stripe-signature": event["signature"]},
    )


def signed_now(event: dict[str, Any]) -> dict[str, Any]:
    """Stripe signs each delivery anew; one that is five minutes old is not believed."""
    return {**event, "signature": sign(event["body"].encode(), WEBHOOK_SECRET)}


# ------------------------------------------------------------------ refunds and disputes


def test_a_refund_closes_and_says_since_when_and_the_buyer_is_told(shop: ShopServer) -> None:
    email = address()
    anna, cs = sold(shop, email)
    shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", amount=400)
    assert CONTENT in anna.get(f"/view/{BOOK}").text
    assert "keep your access" in shop.sandbox.wait_for_mail(email, number=2)["text"]
    shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", copies=3)
    closed = anna.get(f"/view/{BOOK}")
    assert (closed.status_code, CONTENT in closed.text) == (403, False)
    assert f"was refunded on {datetime.now(UTC).day} " in closed.text
    assert anna.get(f"/files/{BOOK}/the-last-cloakroom.txt").status_code == 403
    assert "Refunded" in anna.get("/library").text
    assert "no longer have access" in shop.sandbox.wait_for_mail(email, number=3)["text"]
    assert "Buy" in anna.get(f"/products/{BOOK}").text, "it can be bought again"
    assert shop.mails_queued_for(email) == 3, "told once each, however often Stripe says it"


def test_a_refund_that_fails_gives_access_back(shop: ShopServer) -> None:
    email = address()
    anna, cs = sold(shop, email)
    refund = shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", status="pending")["refund"]["id"]
    assert anna.get(f"/view/{BOOK}").status_code == 403
    assert shop.sandbox.wait_for_mail(email, number=2)["subject"].startswith("Your refund")
    shop.sandbox.post(f"/_sandbox/refunds/{refund}/settle", status="failed")
    assert CONTENT in anna.get(f"/view/{BOOK}").text
    assert shop.sandbox.wait_for_mail(email, number=3)["subject"].startswith("You have access again")


@pytest.mark.parametrize(("ends", "status"), [("won", 200), ("lost", 403)])
def test_a_dispute_suspends_until_it_ends(shop: ShopServer, ends: str, status: int) -> None:
    anna, cs = sold(shop, address())
    dispute = shop.sandbox.post(f"/_sandbox/sessions/{cs}/dispute")["dispute"]["id"]
    assert "in dispute since" in anna.get(f"/view/{BOOK}").text
    shop.sandbox.post(f"/_sandbox/disputes/{dispute}/close", status=ends, copies=2)
    assert anna.get(f"/view/{BOOK}").status_code == status


def test_an_inquiry_closes_nothing_and_a_dispute_lost_over_a_part_shows_the_sum(shop: ShopServer) -> None:
    anna, cs = sold(shop, address())
    shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", amount=100)
    inquiry = shop.sandbox.post(
        f"/_sandbox/sessions/{cs}/dispute", status="warning_needs_response", amount=300
    )["dispute"]["id"]
    assert CONTENT in anna.get(f"/view/{BOOK}").text
    shop.sandbox.post(f"/_sandbox/disputes/{inquiry}/update", status="needs_response")
    assert "in dispute since" in anna.get(f"/view/{BOOK}").text
    shop.sandbox.post(f"/_sandbox/disputes/{inquiry}/close", status="lost", copies=2)
    assert CONTENT in anna.get(f"/view/{BOOK}").text
    library = anna.get("/library").text
    assert "$9.00 · $1.00 refunded · $3.00 taken back by your bank" in library
    receipt = anna.get(re.search(r'href="(/orders/[^"]+)"', library)[1]).text  # type: ignore[index]
    assert re.search(r"Taken back by your bank</td><td[^>]*>−\$3\.00", receipt)
    assert re.search(r"Paid in all</th><td[^>]*>\$5\.00", receipt)


def test_news_out_of_order_and_twice_ends_the_same(shop: ShopServer) -> None:
    """The refund first, the sale last, everything twice."""
    email = address()
    anna = Shopper(shop)
    cs = anna.buy()
    paid = shop.sandbox.pay(cs, email=email)
    events = shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", copies=0)["events"]
    for event in [*reversed(events), *events, paid, paid]:
        assert deliver(shop, event).status_code == 200
    assert anna.get(f"/view/{BOOK}").status_code == 403
    shop.sandbox.wait_for_mail(email, number=2)
    subjects = sorted(mail["subject"] for mail in shop.sandbox.mails_to(email))
    assert subjects == ["Your purchase: The Last Cloakroom", "Your refund: The Last Cloakroom"]


def test_refunds_of_foreign_payments_are_taken_and_wait(shop: ShopServer) -> None:
    """Another app of the same Stripe account; the reconciler asks about it after ten minutes."""
    body = json.dumps(
        {
            "id": f"evt_{uuid.uuid4().hex}", "object": "event", "type": "refund.created", "created": int(time.time()),
            "data": {"object": {"id": f"re_{uuid.uuid4().hex}", "object": "refund", "amount": 5, "status": "succeeded",
                                "payment_intent": "pi_ofanotherapp"}},
        }
    ).encode()  # fmt: skip
    answer = deliver(shop, {"body": body.decode(), "signature": shop.sandbox.signature(body)})
    assert (answer.status_code, answer.text) == (200, "waits for its sale")


@pytest.mark.parametrize(
    ("thing", "status"),
    [
        ({"id": "re_1", "amount": -1, "status": "succeeded", "payment_intent": "pi_1"}, 400),
        ({"id": "re_1", "amount": 10**30, "status": "succeeded", "payment_intent": "pi_1"}, 400),
        ({"id": "re_1"}, 400),
        ({"id": "re_1", "amount": 5, "status": "a new word", "payment_intent": None}, 200),
        ({"id": "re_1", "amount": 5, "status": None, "payment_intent": "../../etc"}, 200),
        ({"id": "x" * 5000, "amount": 5, "status": "y" * 5000, "payment_intent": None}, 200),
    ],
)
def test_a_refund_that_cannot_be_read_is_4xx_and_a_strange_one_is_kept(
    shop: ShopServer, thing: dict[str, Any], status: int
) -> None:
    body = json.dumps(
        {"id": f"evt_{uuid.uuid4().hex}", "object": "event", "type": "refund.updated", "created": int(time.time()),
         "data": {"object": thing}}
    ).encode()  # fmt: skip
    answer = deliver(shop, {"body": body.decode(), "signature": shop.sandbox.signature(body)})
    assert answer.status_code == status


def test_a_debit_that_bounces_is_mailed_and_opens_nothing(shop: ShopServer) -> None:
    email = address()
    anna = Shopper(shop)
    cs = anna.buy()
    shop.sandbox.pay(cs, email=email, delayed=True, copies=1)
    shop.sandbox.post(f"/_sandbox/sessions/{cs}/bank", succeeds=False, copies=2)
    assert "did not go through" in shop.sandbox.wait_for_mail(email)["subject"]
    page = anna.get(f"/view/{BOOK}", params={"session_id": cs})
    assert "did not go through" in page.text
    assert anna.get(f"/view/{BOOK}").status_code == 403
    assert email not in [user["email"] for user in shop.export()["user"]]


def test_a_refund_that_only_the_charge_tells_of_is_read_from_stripe(own_shop: ShopServer) -> None:
    anna, cs = sold(own_shop, address())
    events = own_shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", copies=0)["events"]
    [charge] = [event for event in events if event["type"] == "charge.refunded"]
    assert deliver(own_shop, charge).text == "to be read"
    done = own_shop.cli("reconcile", check=False)
    # The server asks, too, every fifteen seconds: then there is nothing left to repair.
    assert (done.returncode, "noted" in done.stdout) in ((1, True), (0, False))
    assert anna.get(f"/view/{BOOK}").status_code == 403


# ------------------------------------------------------------------ codes


def test_a_code_over_everything_and_one_over_a_part_are_sales(own_shop: ShopServer) -> None:
    own_shop.settle('[payment]\npromotion_codes = true\ntax = "exclusive"\ninvoices = true\n')
    for code, paid, lines in (
        ("TENOFF", "$8.91", ["$9.00", "Discount −$0.90", "Tax: VAT 10% (DE) $0.81", "Paid $8.91"]),
        ("GIFT", "$0.00", ["$9.00", "Discount −$9.00", "Paid $0.00"]),
        (None, "$9.90", ["$9.00", "Tax: VAT 10% (DE) $0.90", "Paid $9.90"]),
    ):
        email = address()
        anna = Shopper(own_shop)
        cs = anna.buy()
        told = {"promotion_code": code} if code else {}
        own_shop.sandbox.pay(cs, email=email, copies=1, address={"country": "DE"}, **told)
        page = anna.get(f"/view/{BOOK}")
        assert CONTENT in page.text, code
        order = page.text.partition("/orders/")[2][:32]
        own_shop.sandbox.wait_for_mail(email)
        assert anna.post(anna.link_from(email)).status_code == 303
        receipt = anna.get(f"/orders/{order}")
        assert paid in receipt.text
        table = html.unescape(
            re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", receipt.text.partition("<tbody>")[2]))
        )
        for line in lines:
            assert line in table, table
        assert ("Visa ending in 4242" in receipt.text) == (paid != "$0.00")
        assert "Invoice with taxes" in receipt.text
        own_shop.sandbox.behave(stripe="401")
        away = anna.get(f"/orders/{order}/invoice")
        assert away.status_code == 503
        assert "The invoice cannot be fetched right now" in away.text
        assert "charged" not in away.text
        own_shop.sandbox.behave(stripe="")
        invoice = anna.get(f"/orders/{order}/invoice")
        assert (invoice.status_code, invoice.headers["location"].startswith(own_shop.sandbox.url)) == (
            303,
            True,
        )
    exported = own_shop.cli("export", "--list", "sales", "--format", "jsonl").stdout
    rows = [json.loads(line) for line in exported.splitlines()]
    assert [(row["tax_country"], row["invoice"][:3]) for row in rows] == [("DE", "in_")] * 3
    assert [row["tax_rate"] for row in rows] == ["10", None, "10"]
    assert all("tax_number" not in row for row in rows), "it names somebody"


# ------------------------------------------------------------------ mails that come back


def test_an_access_email_that_bounces_is_told_to_the_browser_that_paid(shop: ShopServer) -> None:
    email = address()
    anna, _ = sold(shop, email)
    [mail] = [m for m in shop.sandbox.mails if email in m["fields"]["to"]]
    assert shop.sandbox.post(f"/_sandbox/mails/{mail['id']}/report", type="email.delivered", copies=2)
    assert "was sent" in anna.get(f"/view/{BOOK}").text
    shop.sandbox.post(f"/_sandbox/mails/{mail['id']}/report", type="email.bounced")
    page = anna.get(f"/view/{BOOK}").text
    assert "Your access email bounced" in page
    assert "Correct it" in page
    assert "access email bounced" in anna.get("/library").text
    status = shop.cli("status", check=False)
    assert status.returncode == 1
    assert "access email bounced" in status.stdout
    assert "is waiting for you" not in status.stdout
    [row] = [m for m in shop.export()["mail"] if m["to"] == email]
    order = row["id"].removeprefix("access:")[:16]
    [line] = [line for line in status.stdout.splitlines() if row["id"] in line]
    assert line.endswith(f": order {order} (The Last Cloakroom)")
    told, words = shop.sandbox.mails_to, f"order {order} (The Last Cloakroom)"
    wait_until(lambda: any(words in mail["text"] for mail in told("help@cloakroom.example")))
    [row] = [m for m in shop.export()["mail"] if m["to"] == email]
    assert (row["state"], row["delivery"]) == ("sent", "bounced")


@pytest.mark.parametrize("change", ["signature", "timestamp", "body", "none"])
def test_a_report_is_believed_only_if_resend_signed_it_now(shop: ShopServer, change: str) -> None:
    email = address()
    sold(shop, email)
    [mail] = [m for m in shop.sandbox.mails if email in m["fields"]["to"]]
    told = shop.sandbox.post(f"/_sandbox/mails/{mail['id']}/report", type="email.bounced", copies=0)
    headers, body = dict(told["headers"]), told["body"]
    if change == "signature":
        headers["svix-signature"] = "v1,AAAA"
    elif change == "timestamp":
        headers["svix-timestamp"] = str(int(time.time()) - 1000)
    elif change == "body":
        body = body.replace("bounced", "delivered")
    else:
        headers = {}
    assert httpx.post(f"{shop.url}/mail-events", content=body.encode(), headers=headers).status_code == 400
    for junk in (b"", b"\xff", b"[" * 50_000, b"null"):
        assert httpx.post(f"{shop.url}/mail-events", content=junk, headers=told["headers"]).status_code == 400
    assert httpx.post(f"{shop.url}/mail-events", content=b"x" * 2_000_000).status_code == 413
    assert httpx.post(
        f"{shop.url}/mail-events", content=told["body"].encode(), headers=told["headers"]
    ).text == "bounced"  # fmt: skip


# ------------------------------------------------------------------ the sale nobody told us of


async def _sell_unheard(shop: ShopServer, number: int) -> list[str]:
    """Checkouts begun beside the server, with a clock of our own, since strangers begin at most 14 a second."""
    settings = settle(read_environment(shop.environment, dotenv=None))
    clock = HandClock()
    clock.time = datetime.now(UTC)
    container = Container(settings=settings, clock=clock)
    await open_shop(container)
    refs: list[str] = []
    try:
        for n in range(number):
            clock.time += timedelta(milliseconds=80)
            visitor = Visitor(token_hash=None, network=f"10.{n & 255}.{n >> 8}.9", label="b", device=None)
            started = await container.start_checkout()(visitor, ProductId(PAPERWORK), again=False)
            assert isinstance(started, RedirectToPayment)
            refs.append(started.url.rpartition("/")[2])
    finally:
        await close_shop(container)
    return refs


@pytest.mark.long
@pytest.mark.storm
def test_one_sweep_books_and_mails_500_sales_that_nobody_told_of(own_shop: ShopServer) -> None:
    refs = asyncio.run(_sell_unheard(own_shop, 500))
    paid = [own_shop.sandbox.pay(cs, email=f"buyer{n}@example.com") for n, cs in enumerate(refs)]
    swept = own_shop.cli("reconcile", check=False)
    assert (swept.returncode, "sales that were missing: 500\n" in swept.stdout) == (1, True)
    for n in range(500):
        own_shop.sandbox.wait_for_mail(f"buyer{n}@example.com", within=90)
    before = own_shop.export()
    assert {p["checkout_session"] for p in before["purchase"]} == set(refs)
    assert len(before["user"]) == 500
    mails = own_shop.sandbox.mails
    assert sorted(m["fields"]["to"][0] for m in mails) == sorted(f"buyer{n}@example.com" for n in range(500))
    assert {m["handed"] for m in mails} == {1}
    for event in paid:
        assert deliver(own_shop, signed_now(event)).text == "known"
    assert own_shop.cli("reconcile").returncode == 0
    after = own_shop.export()
    assert (after["purchase"], after["user"]) == (before["purchase"], before["user"])
    assert len(own_shop.sandbox.mails) == 500


def test_yen_are_written_alike_on_pages_receipt_stand_in_and_in_the_email(bazaar: ShopServer) -> None:
    anna, email = Shopper(bazaar), "yen@example.com"
    anna.http.cookies.set("currency", "jpy")
    pages = [anna.get("/").text, anna.get("/products/abroad").text]
    cs = anna.post("/buy/abroad", {"currency": "jpy"}).headers["location"].rpartition("/")[2]
    assert "1,200 JPY" in bazaar.sandbox.http.get(f"/c/pay/{cs}").text
    bazaar.sandbox.pay(cs, email=email, copies=1)
    anna.get("/view/abroad", params={"session_id": cs})
    access_email = bazaar.sandbox.wait_for_mail(email)
    anna.post(access_email["text"].partition(bazaar.url)[2].split()[0])
    view = anna.get("/view/abroad").text
    order = view.partition("/orders/")[2].partition('"')[0]
    pages += [
        view,
        anna.get(f"/orders/{order}").text,
        anna.get("/library").text,
        access_email["text"],
        access_email["html"],
    ]
    for page in pages:
        assert "¥1,200" in page
        assert not re.search(r"¥1,200\.[0-9]", page)
