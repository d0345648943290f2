"""The buyer's desk over real HTTP: orders, receipts, addresses, news, one's data, and being erased."""

from __future__ import annotations

import html
import json
import re
import shutil
import uuid

import httpx
import pytest

from testkit.engines import everything_in, files_of
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer
from testkit.waiting import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.long]


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def order_in(page: str) -> str:
    found = re.search(r"/orders/([0-9a-f]{32})", page)
    assert found is not None
    return found[1]


def a_buyer(shop: ShopServer, email: str, product: str = BOOK) -> tuple[Shopper, str]:
    """Somebody who paid; the id of their order."""
    buyer = Shopper(shop)
    buyer.buy_and_pay(email, product)
    return buyer, order_in(buyer.get(f"/view/{product}").text)


def signed_in(shop: ShopServer, email: str, product: str = BOOK) -> tuple[Shopper, str]:
    buyer, order = a_buyer(shop, email, product)
    assert buyer.post(buyer.link_from(email)).status_code == 303
    return buyer, order


def new_link(shop: ShopServer, email: str, number: int) -> str:
    text = shop.sandbox.wait_for_mail(email, number=number)["text"]
    return "/login/" + text.partition("/login/")[2].split()[0]


# ------------------------------------------------------------------ orders


def test_a_receipt_is_for_its_buyer_who_sees_the_address_that_was_given_at_the_payment(
    shop: ShopServer,
) -> None:
    email = address()
    anna, order = a_buyer(shop, email)
    page = anna.get(f"/orders/{order}")
    assert page.status_code == 200
    assert "$9.00" in page.text
    assert email in page.text, "it can still be corrected in the browser that paid"
    assert anna.post(anna.link_from(email)).status_code == 303
    assert email in anna.get(f"/orders/{order}").text
    stranger = Shopper(shop)
    assert stranger.get(f"/orders/{order}").status_code == 404
    for path in (f"/orders/{order}/access-link", f"/orders/{order}/address"):
        assert stranger.post(path, {"email": "eve@example.com"}).status_code in (404, 409)
    assert anna.get(f"/orders/{order}/invoice").status_code == 404, "this shop makes no invoices"
    for junk in ("nothing", "..%2f", "%00", "x" * 300):
        assert anna.get(f"/orders/{junk}").status_code == 404


def test_an_access_email_is_mailed_again_to_its_owner(shop: ShopServer) -> None:
    email = address()
    anna, order = a_buyer(shop, email)
    assert "on its way" in anna.post(f"/orders/{order}/access-link").text
    link = new_link(shop, email, 2)
    assert Shopper(shop).post(link).status_code == 303
    for _ in range(2):
        anna.post(f"/orders/{order}/access-link")
    assert anna.post(f"/orders/{order}/access-link").status_code == 429


def typed_again(browser: Shopper, path: str, *, back: str) -> None:
    """What cannot be an address is in the field again, with what is wrong, a form and a way back."""
    answer = browser.post(path, {"email": "anna@nowhere <script>"})
    assert answer.status_code == 400
    page = html.unescape(answer.text)
    assert "An email address has no spaces" in page
    assert 'value="anna@nowhere <script>"' in page
    assert f'action="{path}"' in page
    assert f'<a href="{back}">' in page
    assert "<script>" not in answer.text.replace("<script src", "")


def test_a_mistyped_address_is_corrected_by_the_browser_that_paid(shop: ShopServer) -> None:
    wrong, right = address(), address()
    anna, order = a_buyer(shop, wrong)
    assert "Correct it" in anna.get(f"/view/{BOOK}").text
    typed_again(anna, f"/orders/{order}/address", back=f"/orders/{order}")
    assert "Check your email" in anna.post(f"/orders/{order}/address", {"email": right}).text
    assert "Correct it" not in anna.get(f"/view/{BOOK}").text, "once"
    assert "Check your email" in anna.post(f"/orders/{order}/address", {"email": right}).text, (
        "a double click"
    )
    assert anna.post(f"/orders/{order}/address", {"email": address()}).status_code == 409
    link, undo = new_link(shop, right, 1), new_link(shop, wrong, 2)
    assert "Is this your order?" in anna.get(link).text
    assert anna.post(link).status_code == 303
    assert right in anna.get("/library").text
    old = Shopper(shop)
    assert "Undo the correction" in old.get(undo).text
    assert old.post(undo).status_code == 303
    assert "The Last Cloakroom" in old.get("/library").text
    assert "order" not in Shopper(shop).get("/library").text


def test_an_address_is_changed_and_everything_moves(shop: ShopServer) -> None:
    old, new = address(), address()
    anna, order = signed_in(shop, old)
    assert old in anna.get("/account").text
    typed_again(anna, "/account/email", back="/account")
    assert "Check your email" in anna.post("/account/email", {"email": new}).text
    assert anna.post(new_link(shop, new, 1)).status_code == 303
    assert new in anna.get("/account").text
    assert new in anna.get(f"/orders/{order}").text
    assert "address is about to change" in shop.sandbox.wait_for_mail(old, number=2)["subject"]
    assert anna.post("/account/email", {"email": new}).text.count("address already") == 2


def test_the_account_is_for_those_who_proved_a_mailbox(shop: ShopServer) -> None:
    for browser in (Shopper(shop), a_buyer(shop, address())[0]):
        for path in ("/account", "/account/erase"):
            assert browser.get(path).headers["location"] == "/request-login"
        for path in ("/account/email", "/account/erase"):
            answer = browser.post(path, {"email": "x@example.com", "sure": "yes"})
            assert answer.headers["location"] == "/request-login"


# ------------------------------------------------------------------ news


def test_owners_are_told_of_a_new_version_and_can_say_no_with_one_click(own_shop: ShopServer) -> None:
    anna, ben = address(), address()
    signed_in(own_shop, anna)
    browser, _ = signed_in(own_shop, ben)
    assert browser.post("/account/news", {"wanted": "no"}).status_code == 303
    assert "You get no emails" in browser.get("/account").text
    done = own_shop.cli("announce", BOOK)
    assert "1" in done.stdout
    mail = own_shop.sandbox.wait_for_mail(anna, number=2)
    assert mail["subject"] == "A new version: The Last Cloakroom"
    url = mail["headers"]["List-Unsubscribe"].strip("<>")
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = url.removeprefix(own_shop.url)
    reader = Shopper(own_shop)
    assert "Unsubscribe?" in reader.get(path).text
    own_shop.cli("announce", BOOK)
    # RFC 8058: the mail program posts by itself, without cookies and without an Origin.
    clicked = reader.post(path, {"List-Unsubscribe": "One-Click"})
    assert clicked.status_code == 200
    assert reader.post(path[:-1] + ("0" if path[-1] != "0" else "1")).status_code == 404
    book = own_shop.catalogue / BOOK / "files" / "the-last-cloakroom.txt"
    book.write_text(book.read_text() + "\nThe second edition.\n")
    wait_until(lambda: "second edition" in browser.get(f"/files/{BOOK}/the-last-cloakroom.txt").text)
    own_shop.cli("announce", BOOK)
    assert own_shop.mails_queued_for(anna) == 2
    assert own_shop.mails_queued_for(ben) == 1


# ------------------------------------------------------------------ one's data, and its end


def test_ones_data_is_a_file(shop: ShopServer) -> None:
    email = address()
    anna, order = signed_in(shop, email)
    anna.get(f"/files/{BOOK}/the-last-cloakroom.txt")
    answer = anna.get("/account/data")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["cache-control"] == "no-store"
    data = json.loads(answer.content)
    assert data["email"] == email
    assert [p["id"] for p in data["purchases"]] == [order]
    assert [(d["file"], d["times"]) for d in data["downloads"]] == [("the-last-cloakroom.txt", 1)]
    assert [m["subject"] for m in data["mails"]] == ["Your purchase: The Last Cloakroom"]
    assert Shopper(shop).get("/account/data").headers["location"] == "/request-login"


def _sell(shop: ShopServer) -> None:
    """A sale to somebody else, without waiting for its mail."""
    buyer = Shopper(shop)
    shop.sandbox.pay(buyer.buy(PHOTOS), email=address(), copies=1)


def test_after_erasing_no_row_and_no_byte_names_the_address(
    own_shop: ShopServer, engine: str, request: pytest.FixtureRequest
) -> None:
    """Among others, so that pages are split, moved and freed all the time; then the file is read as bytes."""
    server = None if engine == "sqlite" else request.getfixturevalue("postgres")

    def traces(text: str) -> list[str]:
        """The files that hold these bytes anywhere."""
        files = [path for path in files_of(own_shop, server) if "sandbox" not in path.name]
        return [path.name for path in files if text.encode() in path.read_bytes()]

    email, moved_to, ben = address(), address(), address()
    for _ in range(25):
        _sell(own_shop)
    anna, order = signed_in(own_shop, email)
    Shopper(own_shop).post("/request-login", {"email": email})
    anna.post("/account/email", {"email": moved_to})
    own_shop.sandbox.wait_for_mail(moved_to)
    others, _ = signed_in(own_shop, ben)
    for _ in range(25):
        _sell(own_shop)
    wrong = Shopper(own_shop).buy()
    own_shop.sandbox.pay(wrong, email=email, copies=1, change={"currency": "eur"})
    assert traces(email), "there is something to erase"
    assert anna.get("/account/erase").text.count("The Last Cloakroom") == 1
    assert anna.post("/account/erase", {}).status_code == 400
    done = anna.post("/account/erase", {"sure": "yes"})
    assert "Your account is deleted" in done.text
    assert "session=;" in done.headers["set-cookie"]
    assert anna.get("/library").headers["location"] == "/request-login"
    assert traces(email) == []
    assert traces(moved_to) == []
    assert email not in everything_in(own_shop)
    exported = own_shop.export()
    [purchase] = [p for p in exported["purchase"] if p["id"] == order]
    assert (purchase["email"], purchase["user"], purchase["amount"]) == (None, None, 900)
    assert ben in others.get("/library").text
    before = len(own_shop.sandbox.mails_to(email))
    own_shop.cli("reconcile", check=False)
    assert len(own_shop.sandbox.mails_to(email)) == before
    assert traces(email) == []


# ------------------------------------------------------------------ prices of every kind


def test_a_gift_is_taken_with_a_mail_and_then_without(bazaar: ShopServer) -> None:
    email = address()
    anna = Shopper(bazaar)
    calls = len(bazaar.sandbox.get("/_sandbox/calls"))
    assert "Get" in anna.get("/products/a-gift").text
    assert "is free" in anna.post("/buy/a-gift").text
    refused = anna.post("/buy/a-gift", {"email": "nobody"})
    assert (refused.status_code, 'role="alert"' in refused.text) == (400, True)
    assert "A Gift is yours" in anna.post("/buy/a-gift", {"email": email}).text
    link = new_link(bazaar, email, 1)
    assert "Confirm your order" in anna.get(link).text
    assert anna.post(link).headers["location"] == "/view/a-gift"
    page = anna.get("/view/a-gift")
    assert "Inside a-gift" in page.text
    assert "Yours since" in page.text
    assert anna.post("/buy/a-gift").text.count("You own A Gift already") == 1
    assert anna.post("/buy/a-gift", {"again": "yes"}).headers["location"] == "/view/a-gift"
    assert len(bazaar.sandbox.get("/_sandbox/calls")) == calls, "Stripe was asked nothing"
    assert "Free" in anna.get("/products/the-lot").text


def test_a_price_is_named_by_the_buyer(bazaar: ShopServer) -> None:
    anna = Shopper(bazaar)
    page = anna.get("/products/your-price").text
    assert 'value="12.00"' in page
    assert "from $5.00" in anna.get("/").text
    for amount, words in (("4", "The minimum is"), ("many", "digits"), ("<script>", "digits")):
        refused = anna.post("/buy/your-price", {"amount": amount})
        assert (refused.status_code, words in refused.text) == (400, True)
        assert "<script>&" not in refused.text
    paid = anna.post("/buy/your-price", {"amount": "7,50"})
    assert paid.status_code == 303
    cs = paid.headers["location"].rpartition("/")[2]
    [session] = [s for s in bazaar.sandbox.get("/_sandbox/sessions") if s["id"] == cs]
    assert session["amount_total"] == 750


def test_prices_are_shown_and_charged_in_the_chosen_currency(bazaar: ShopServer) -> None:
    anna = Shopper(bazaar)
    assert "$9.00" in anna.get("/products/abroad").text
    chosen = anna.post("/currency", {"currency": "eur", "back": "abroad"})
    assert chosen.headers["location"] == "/products/abroad"
    page = anna.get("/products/abroad").text
    assert "€8.50" in page
    assert 'name="currency" value="eur"' in page
    assert "€8.50" in anna.get("/").text
    assert "$20.00" in anna.get("/").text, "what has no price in it keeps the shop's own"
    assert "$9.00" in Shopper(bazaar).get("/").text, "and nobody else sees it"
    bought = anna.post("/buy/abroad", {"currency": "jpy"})
    cs = bought.headers["location"].rpartition("/")[2]
    [session] = [s for s in bazaar.sandbox.get("/_sandbox/sessions") if s["id"] == cs]
    assert (session["amount_total"], session["currency"]) == (1200, "jpy")
    for junk in ("xxx", "", "eur; Path=/x", "é"):
        answer = anna.post("/currency", {"currency": junk, "back": "//evil.example"})
        assert (answer.headers["location"], "set-cookie" in answer.headers) == ("/", False)


def test_a_bundle_opens_its_contents_and_brings_their_keys(bazaar: ShopServer) -> None:
    email = address()
    anna, order = a_buyer(bazaar, email, "the-lot")
    page = anna.get("/view/the-lot").text
    assert "In this bundle" in page
    assert "/view/keyed" in page
    key = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}", anna.get("/view/keyed").text)
    assert key is not None
    assert key[0] in anna.get(f"/orders/{order}").text
    assert key[0] in bazaar.sandbox.wait_for_mail(email)["text"]
    assert key[0] not in Shopper(bazaar).get("/view/keyed").text


def test_a_refunded_order_shows_its_licence_key_nowhere(bazaar: ShopServer) -> None:
    anna, order = a_buyer(bazaar, address(), "the-lot")
    key = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}", anna.get(f"/orders/{order}").text)
    assert key is not None
    [sale] = [record for record in bazaar.export()["purchase"] if record["id"] == order]
    bazaar.sandbox.post(f"/_sandbox/sessions/{sale['checkout_session']}/refund", amount=100, copies=1)
    assert "Refunded" in (page := wait_for(anna, f"/orders/{order}", "Refunded")).text
    assert key[0] in page.text, "a part of the money back closes nothing"
    bazaar.sandbox.post(f"/_sandbox/sessions/{sale['checkout_session']}/refund", copies=1)
    wait_for(anna, f"/orders/{order}", "Closed.")
    for path in (f"/orders/{order}", "/library", "/view/the-lot", "/view/keyed"):
        assert key[0] not in anna.get(path).text, path


def wait_for(shopper: Shopper, path: str, words: str) -> httpx.Response:
    """The page, once it says so."""
    wait_until(lambda: words in shopper.get(path).text)
    return shopper.get(path)


def test_a_product_taken_off_the_shelf_stays_with_its_owners(own_shop: ShopServer) -> None:
    anna, order = a_buyer(own_shop, address(), PHOTOS)
    toml = own_shop.catalogue / PHOTOS / "product.toml"
    toml.write_text(toml.read_text() + 'status = "retired"\n')
    wait_until(lambda: Shopper(own_shop).post(f"/buy/{PHOTOS}").status_code == 410)
    assert anna.get(f"/view/{PHOTOS}").status_code == 200
    assert anna.get(f"/files/{PHOTOS}/licence.txt").status_code == 200
    (own_shop.catalogue / PHOTOS).rename(own_shop.catalogue / f"_{PHOTOS}")
    wait_until(lambda: Shopper(own_shop).get(f"/products/{PHOTOS}").status_code == 404)
    assert anna.get(f"/view/{PHOTOS}").status_code == 200
    assert anna.get(f"/files/{PHOTOS}/licence.txt").status_code == 200
    told = own_shop.cli("status", check=False)
    words = (
        f"{PHOTOS}: customers own it, but its folder is not in the catalogue: they keep its last good form"
    )
    assert (told.returncode, words in told.stdout) == (1, True)
    own_shop.process.stop()
    shutil.rmtree(own_shop.data / "last-good")
    own_shop.start()
    gone, library = anna.get(f"/view/{PHOTOS}"), anna.get("/library").text
    assert (gone.status_code, f"/orders/{order}" in gone.text) == (410, True)
    assert ("Harbour" in library, "Not here right now" in library, f"/view/{PHOTOS}" in library) == (
        True,
        True,
        False,
    )
    words = f"{PHOTOS}: customers own it, but it is not in the catalogue, and no good form of it is kept"
    for command in ("doctor", "status"):
        told = own_shop.cli(command, check=False)
        assert (told.returncode, words in told.stdout) == (1, True)
