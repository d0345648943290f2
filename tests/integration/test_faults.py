"""The world breaks: Stripe, the mail service, the disk. What was paid is kept, and everything works again by itself."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import ssl
import threading
import time
from pathlib import Path

import httpx
import pytest

from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

pytestmark = pytest.mark.long


@pytest.mark.parametrize("fault", ["down", "hang", "409"])
def test_stripe_away_at_buy_and_at_return(own_shop: ShopServer, fault: str) -> None:
    """A page that says so, the rest of the shop unhurt meanwhile; the return page settles later by itself."""
    anna = Shopper(own_shop)
    cs = anna.buy()
    own_shop.sandbox.pay(cs, email="anna@example.com")
    own_shop.sandbox.behave(stripe=fault)
    answers: dict[str, httpx.Response] = {}

    def ask(name: str, shopper: Shopper, method: str, path: str) -> None:
        answers[name] = shopper.http.request(method, path)

    slow = [
        threading.Thread(target=ask, args=("buy", Shopper(own_shop), "POST", f"/buy/{PHOTOS}")),
        threading.Thread(target=ask, args=("return", anna, "GET", f"/view/{BOOK}?session_id={cs}")),
    ]
    for thread in slow:
        thread.start()
    other, pages = Shopper(own_shop), 0
    while any(thread.is_alive() for thread in slow):
        assert other.get("/").status_code == 200
        pages += 1
        time.sleep(0.05)
    assert pages > 3 or fault != "hang", "the others wait for Stripe, too"
    bought, returned = answers["buy"], answers["return"]
    assert bought.status_code == 503
    assert "Nothing was charged" in bought.text
    assert bought.headers["retry-after"]
    assert returned.status_code == 200
    assert "being confirmed" in returned.text
    own_shop.sandbox.behave(stripe="")
    wait_until(lambda: anna.get(f"/view/{BOOK}", params={"session_id": cs}).status_code == 303)
    own_shop.sandbox.wait_for_mail("anna@example.com")


@pytest.mark.parametrize("fault", ["400", "401", "403"])
def test_stripe_refuses_at_buy_and_at_return(own_shop: ShopServer, fault: str) -> None:
    """A key that was rolled or restricted: what is paid is being confirmed, and the merchant gets Stripe's words."""
    anna = Shopper(own_shop)
    cs = anna.buy()
    own_shop.sandbox.pay(cs, email="anna@example.com")
    own_shop.sandbox.behave(stripe=fault)
    returned = anna.get(f"/view/{BOOK}", params={"session_id": cs})
    assert returned.status_code == 200
    assert "being confirmed" in returned.text
    refused = Shopper(own_shop).http.post(f"/buy/{PHOTOS}")
    assert refused.status_code == 502
    assert "Nothing was charged" in refused.text
    for page in (returned.text, refused.text):
        assert not {"notified", "told"} & set(page.split())
    report = own_shop.cli("status", check=False)
    assert report.returncode == 1
    assert f"Payment pages for {PHOTOS} are refused" in report.stdout
    assert "Payments cannot be looked up" in report.stdout
    assert "Told to refuse." in report.stdout
    own_shop.sandbox.wait_for_mail("help@cloakroom.example", number=2)
    own_shop.sandbox.behave(stripe="")
    wait_until(lambda: anna.get(f"/view/{BOOK}", params={"session_id": cs}).status_code == 303)


@pytest.mark.parametrize("fault", ["down", "hang"])
def test_mail_away_holds_up_no_sale_and_leaves_when_it_is_back(own_shop: ShopServer, fault: str) -> None:
    own_shop.sandbox.behave(mail=fault)
    anna = Shopper(own_shop)
    cs = anna.buy()
    own_shop.sandbox.pay(cs, email="anna@example.com", copies=1)
    assert anna.get(f"/view/{BOOK}", params={"session_id": cs}).status_code == 303
    wait_until(lambda: own_shop.export()["mail"][0]["attempts"] > 0)
    own_shop.sandbox.behave(mail="")
    own_shop.sandbox.wait_for_mail("anna@example.com", within=120)
    assert len(own_shop.sandbox.mails_to("anna@example.com")) == 1


def test_the_shop_starts_and_is_ready_while_stripe_and_mail_are_away(tmp_path: Path) -> None:
    shop = ShopServer(tmp_path)
    shop.start()  # nobody started the stand-in
    try:
        assert Shopper(shop).get("/readyz").status_code == 200
        assert Shopper(shop).post(f"/buy/{BOOK}").status_code == 503
    finally:
        shop.process.stop()
        for client in shop.clients:
            client.close()


def test_a_locked_database_is_503_with_retry_after_and_passes(own_shop: ShopServer) -> None:
    anna = Shopper(own_shop)
    cs = anna.buy()
    event = own_shop.sandbox.pay(cs, email="anna@example.com")
    headers = {"stripe-signature": event["signature"]}
    locker = sqlite3.connect(own_shop.folder / "data" / "coatcheck.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        for answer in (
            httpx.post(f"{own_shop.url}/webhook", content=event["body"], headers=headers, timeout=60),
            anna.post("/request-login", {"email": "anna@example.com"}),
        ):
            assert answer.status_code == 503
        assert (anna.get("/readyz").status_code, anna.get("/readyz").text) == (200, "busy\n")
        assert Shopper(own_shop).get("/").status_code == 200, "reading goes on"
        assert anna.post("/request-login", {"email": "a@example.com"}).headers["retry-after"]
    finally:
        locker.execute("ROLLBACK")
        locker.close()
    assert httpx.post(f"{own_shop.url}/webhook", content=event["body"], headers=headers).text == "booked"
    assert Shopper(own_shop).get("/readyz").status_code == 200


def test_a_full_disk_is_503_and_loses_nothing(tmp_path: Path) -> None:
    """A small file system of its own, where the test may make one; else the limit of a file's size does it."""
    import resource

    with a_shop(tmp_path) as shop:
        anna = Shopper(shop)
        cs = anna.buy()
        event = shop.sandbox.pay(cs, email="anna@example.com")
        headers = {"stripe-signature": event["signature"]}
        assert shop.process.child is not None
        pid = shop.process.child.pid
        wal = (shop.folder / "data" / "coatcheck.db-wal").stat().st_size
        free, _ = resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal, resource.RLIM_INFINITY))
        answer = httpx.post(f"{shop.url}/webhook", content=event["body"], headers=headers, timeout=60)
        assert answer.status_code == 503
        assert Shopper(shop).get("/").status_code == 200
        assert httpx.get(f"{shop.url}/readyz").status_code == 503, "it cannot sell"
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (free, resource.RLIM_INFINITY))
        assert httpx.get(f"{shop.url}/readyz").status_code == 200
        assert httpx.post(f"{shop.url}/webhook", content=event["body"], headers=headers).text == "booked"
        shop.sandbox.wait_for_mail("anna@example.com")


def test_sigterm_says_not_ready_for_five_seconds_while_serving_then_drains(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        shopper = Shopper(shop)
        assert shop.process.child is not None
        shop.process.child.send_signal(signal.SIGTERM)
        began = time.monotonic()
        wait_until(lambda: shopper.get("/readyz").status_code == 503)
        served = 0
        with contextlib.suppress(httpx.TransportError):
            while shopper.get("/").status_code == 200:
                served += 1
        assert served > 1
        assert shop.process.child.wait(60) == 0
        assert time.monotonic() - began > 5, "a slow machine makes it more, never less"
        shop.start()


def test_a_second_server_on_the_same_database_is_refused(own_shop: ShopServer) -> None:
    done = own_shop.cli("serve", "--port", "1", check=False)
    assert done.returncode == 2
    assert "another process serves" in done.stderr


def test_the_shop_speaks_tls_from_1_2_on(tmp_path: Path) -> None:
    with a_shop(tmp_path, tls_host="localhost") as shop:
        context = ssl.create_default_context(cafile=str(tmp_path / "localhost.pem"))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with httpx.Client(verify=context, base_url=shop.url) as client:
            page = client.get("/")
            assert page.status_code == 200
            assert page.headers["strict-transport-security"].startswith("max-age=63072000")
            cookie = client.post("/request-login", data={"email": "a@example.com"}).headers["set-cookie"]
            assert cookie.startswith("__Host-session=")
            assert cookie.endswith("; Secure")
