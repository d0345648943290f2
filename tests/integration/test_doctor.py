"""`coatcheck doctor` and `coatcheck stripe-setup`: what is wrong in the world, and what to do about it."""

from __future__ import annotations

import asyncio
import sqlite3
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.resend.mailer import ResendMailer
from adapters.smtp.mailer import SmtpMailer
from adapters.stripe.account import API_VERSION
from adapters.stripe.wire import FOLLOWED
from domain.going_live import STARTED_LIVE
from domain.product import Status
from entrypoints.maintenance.checks.machine import disk_finding
from entrypoints.maintenance.checks.stripe import _prices, clock_finding
from entrypoints.testing import a_product, an_edition
from testkit.forwarding import a_proxy
from testkit.scripted_smtp import Script, a_server_with
from testkit.servers import BOOK, Shopper, ShopServer, a_shop, free_port, wait_until
from testkit.stripe_schema import ask_raw, form, holds

pytestmark = pytest.mark.long

PUBLIC = "https://shop.example.com"
HOOK = f"{PUBLIC}/webhook"
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def public_shop(own_shop: ShopServer) -> ShopServer:
    """Its command line believes in a public address; nobody needs to reach it."""
    own_shop.process.stop()
    own_shop.environment |= {"BASE_URL": PUBLIC, "TEST_MODE": "1"}
    return own_shop


def findings(shop: ShopServer) -> dict[str, tuple[str, str]]:
    """By what each is about: its mark and its words."""
    found = {}
    for line in shop.cli("doctor", check=False).stdout.splitlines():
        about, _, words = line[5:].partition(": ")
        found[about] = (line[:4].strip(), words)
    return found


def endpoints(shop: ShopServer) -> list[dict[str, Any]]:
    listed = ask_raw(shop.sandbox, "GET", "/v1/webhook_endpoints")["data"]
    return [endpoint for endpoint in listed if endpoint["url"] == HOOK]


def test_stripe_setup_registers_one_endpoint_with_what_is_followed_and_tells_its_secret(
    public_shop: ShopServer,
) -> None:
    assert "run `coatcheck stripe-setup`" in findings(public_shop)["webhook"][1]
    del public_shop.environment["STRIPE_WEBHOOK_SECRET"]
    said = public_shop.cli("stripe-setup").stdout
    [endpoint] = endpoints(public_shop)
    holds("webhook_endpoint", endpoint)
    assert set(endpoint["enabled_events"]) == FOLLOWED
    assert endpoint["api_version"] == API_VERSION
    secret = said.partition("STRIPE_WEBHOOK_SECRET=")[2].split()[0]
    assert secret.startswith("whsec_")
    public_shop.environment["STRIPE_WEBHOOK_SECRET"] = secret
    again = public_shop.cli("stripe-setup").stdout
    assert "already." in again
    assert secret not in again
    assert len(endpoints(public_shop)) == 1
    assert findings(public_shop)["webhook"][0] == "ok"


def test_stripe_setup_brings_an_endpoint_up_to_date(public_shop: ShopServer) -> None:
    old = {"url": HOOK, "enabled_events": ["checkout.session.completed", "invoice.paid"]}
    made = ask_raw(public_shop.sandbox, "POST", "/v1/webhook_endpoints", form(old))
    ask_raw(public_shop.sandbox, "POST", f"/v1/webhook_endpoints/{made['id']}", {"disabled": "true"})
    mark, words = findings(public_shop)["webhook"]
    assert (mark, "disabled" in words) == ("!!", True)
    ask_raw(public_shop.sandbox, "POST", f"/v1/webhook_endpoints/{made['id']}", {"disabled": "false"})
    assert "is not told of charge.dispute.closed" in findings(public_shop)["webhook"][1]
    assert "brought up to date" in public_shop.cli("stripe-setup").stdout
    [endpoint] = endpoints(public_shop)
    assert (endpoint["id"], set(endpoint["enabled_events"])) == (made["id"], FOLLOWED)


def test_an_endpoint_of_another_version_is_named(public_shop: ShopServer) -> None:
    old = {"url": HOOK, "enabled_events": sorted(FOLLOWED), "api_version": "2020-08-27"}
    ask_raw(public_shop.sandbox, "POST", "/v1/webhook_endpoints", form(old))
    mark, words = findings(public_shop)["webhook"]
    assert (mark, "2020-08-27" in words) == ("!!", True)
    assert "2020-08-27" in public_shop.cli("stripe-setup").stdout
    assert len(endpoints(public_shop)) == 1


def test_two_endpoints_of_one_address_are_named(public_shop: ShopServer) -> None:
    for _ in range(2):
        told = {"url": HOOK, "enabled_events": sorted(FOLLOWED)}
        ask_raw(public_shop.sandbox, "POST", "/v1/webhook_endpoints", form(told))
    mark, words = findings(public_shop)["webhook"]
    assert (mark, "arrives twice" in words) == ("!!", True)


def test_on_loopback_stripe_setup_names_stripes_own_tool(shop: ShopServer) -> None:
    said = shop.cli("stripe-setup").stdout
    assert f"stripe listen --forward-to {shop.url}/webhook --events charge.dispute.closed," in said
    for event in FOLLOWED:
        assert event in said


def test_codes_that_take_everything_off_are_a_warning_and_no_fault(own_shop: ShopServer) -> None:
    assert findings(own_shop)["codes"] == ("ok", "no promotion codes are taken (shop.toml)")
    toml = own_shop.catalogue / "shop.toml"
    toml.write_text(toml.read_text() + "\n[payment]\npromotion_codes = true\n")
    done = own_shop.cli("doctor")
    [line] = [line for line in done.stdout.splitlines() if "codes: " in line]
    assert line.startswith("  !  codes: GIFT: whoever types it pays nothing")
    assert "TENOFF" not in line


def test_an_account_with_many_codes_is_read_to_its_end(own_shop: ShopServer) -> None:
    toml = own_shop.catalogue / "shop.toml"
    toml.write_text(toml.read_text() + "\n[payment]\npromotion_codes = true\n")
    coupon = ask_raw(own_shop.sandbox, "POST", "/v1/coupons", {"percent_off": "20"})["id"]
    for number in range(101):
        told = {"promotion": {"type": "coupon", "coupon": coupon}, "code": f"CODE{number}"}
        ask_raw(own_shop.sandbox, "POST", "/v1/promotion_codes", form(told))
    assert findings(own_shop)["codes"][1].startswith("GIFT:")


def test_a_damaged_content_is_named_by_its_file(own_shop: ShopServer) -> None:
    assert "each with the SHA-256" in findings(own_shop)["goods"][1]
    content = next((own_shop.folder / "data" / "goods").glob("[0-9a-f][0-9a-f]/*"))
    content.chmod(0o600)
    content.write_bytes(b"?" * content.stat().st_size)
    mark, words = findings(own_shop)["goods"]
    assert (mark, "1 damaged: delete" in words, content.name in words) == ("!!", True, True)
    content.unlink()
    assert findings(own_shop)["goods"][0] == "ok", "copied from the catalogue again"


def test_a_product_that_costs_too_much_to_read_is_named_and_the_others_are_on_sale(
    own_shop: ShopServer,
) -> None:
    toml = own_shop.catalogue / "the-last-cloakroom" / "product.toml"
    toml.write_text(toml.read_text() + "files = " + "[" * 20_000)
    mark, words = findings(own_shop)["catalogue"]
    assert (mark, "the-last-cloakroom/product.toml" in words) == ("!!", True), words
    assert own_shop.cli("doctor", check=False).stderr == "", "a mistake is a finding, and said once"


def test_a_price_that_is_lacking_in_a_currency_is_named(own_shop: ShopServer) -> None:
    assert findings(own_shop)["prices"][0] == "ok"
    toml = own_shop.catalogue / "the-last-cloakroom" / "product.toml"
    toml.write_text(toml.read_text().replace('price = "9.00"', 'price = "9.00"\nprices = { eur = "8.00" }'))
    mark, words = findings(own_shop)["prices"]
    assert (mark, "EUR" in words) == ("!", True), words


def test_a_shop_that_refuses_every_page_is_not_well(own_shop: ShopServer) -> None:
    """Whatever reaches it, has another Host header; health checks are answered under any."""
    own_shop.environment["BASE_URL"] = elsewhere = f"http://127.0.0.1:{own_shop.port}"
    done = own_shop.cli("doctor", check=False)
    assert f" !!  {elsewhere}: the shop answers, but refuses every page" in done.stdout, done.stdout


def test_a_certificate_that_is_not_accepted_is_named(tmp_path: Path) -> None:
    with a_shop(tmp_path, tls_host="localhost") as shop:
        mark, words = findings(shop)[shop.url]
        assert (mark, "certificate is not accepted (self" in words) == ("!!", True), words
        shop.environment["SSL_CERT_FILE"] = str(shop.folder / "localhost.pem")
        assert findings(shop)[shop.url] == ("ok", "the shop answers")


def test_a_proxy_behind_which_all_visitors_share_the_limits_of_one_is_reported(tmp_path: Path) -> None:
    shop = ShopServer(tmp_path, warm=True)
    port, adds = free_port(), {"x-forwarded-for": "203.0.113.9"}
    shop.environment["BASE_URL"] = url = f"http://localhost:{port}"
    shop.environment["TRUSTED_PROXIES"] = ""
    shop.sandbox.start()
    with a_proxy(port, to=shop.port, adds=adds):
        shop.start()
        try:
            mark, words = findings(shop)["proxy"]
            assert (mark, "TRUSTED_PROXIES does not name it" in words) == ("!!", True), words
            wait_until(lambda: shop.cli("status", check=False).returncode == 1, pause=0.5)
            said = shop.cli("status", check=False).stdout
            mark, words = findings(shop)["proxy"]
            assert words.endswith(
                "share the rate limits of one: set TRUSTED_PROXIES=127.0.0.1, and start the shop again"
            )
            assert words[1:] in said, "doctor and status say the same"
            [logged] = [line["message"] for line in shop.log_lines if "TRUSTED_PROXIES" in line["message"]]
            assert "TRUSTED_PROXIES=127.0.0.1" in logged
            held = adds.pop("x-forwarded-for")
            assert findings(shop)["proxy"][1] == words, "its own request shows nothing, and its visitors' did"
            adds["x-forwarded-for"] = held
            shop.process.stop()
            shop.environment["TRUSTED_PROXIES"] = "127.0.0.1"
            shop.start()
            wait_until(lambda: shop.cli("status", check=False).returncode == 0, pause=0.5)
            assert "proxy" not in findings(shop)
            assert findings(shop)[url][0] == "ok"
            adds["x-forwarded-for"] = "unknown"
            assert "cannot be read" in findings(shop)["proxy"][1]
            del adds["x-forwarded-for"]
            assert "proxy" not in findings(shop), "perhaps there is none"
            adds["x-real-ip"] = "203.0.113.9"
            assert "sends no X-Forwarded-For" in findings(shop)["proxy"][1]
            shop.process.stop()
            shop.start()
            assert "sends no X-Forwarded-For" in findings(shop)["proxy"][1]
            wait_until(lambda: shop.cli("status", check=False).returncode == 1, pause=0.5)
            adds["x-forwarded-for"] = "203.0.113.9"
            assert "proxy" not in findings(shop), (
                "the proxy is mended, and nobody has to start the shop again"
            )
            assert shop.cli("status").returncode == 0
        finally:
            shop.process.stop()
            shop.sandbox.stop()


@pytest.mark.parametrize(
    ("sender", "fine", "words"),
    [
        ("tickets@cloakroom.example", True, "is verified"),
        ("tickets@elsewhere.example", False, "Resend does not know elsewhere.example: add it"),
    ],
)
def test_the_senders_domain_is_looked_up_at_resend(
    shop: ShopServer, sender: str, fine: bool, words: str
) -> None:
    Shopper(shop).buy_and_pay("sender@example.com")

    async def main() -> tuple[bool, str]:
        mailer = ResendMailer(api_key="re_1", sender=f"Shop <{sender}>", api_url=shop.sandbox.url)
        try:
            return await mailer.sender_found()
        finally:
            await mailer.close()

    found = asyncio.run(main())
    assert (found[0], words in found[1]) == (fine, True), found


def test_the_doctor_names_a_mail_server_that_would_get_the_password_in_clear_text(
    own_shop: ShopServer,
) -> None:
    """And how the sender is written in emails: the name as one name, the domain in ASCII."""
    script = Script(offers=("AUTH PLAIN",))
    own_shop.environment |= {"RESEND_API_KEY": "", "EMAIL_FROM": "Shop: Tickets <Kasse@bücher.example>"}
    with a_server_with(script, host="0.0.0.0") as port:
        own_shop.environment["SMTP_URL"] = f"smtp://user:secret@0.0.0.0:{port}"
        mark, words = findings(own_shop)["mail"]
        assert (mark, script.heard[1:]) == ("!!", [])
        assert words.endswith(". Check SMTP_URL"), "the one that is set"
        assert words.startswith(
            f"0.0.0.0 offers no TLS on port {port}, so user and password would be sent in clear text: have SMTP_URL "
        )
        own_shop.environment["SMTP_URL"] = f"smtp://user:secret@127.0.0.1:{port}"
        found = findings(own_shop)
    assert found["mail"] == (
        "ok",
        'the mail server can be used; emails come from "Shop: Tickets" <Kasse@xn--bcher-kva.example>',
    )
    assert found["sender"][1].startswith(
        "SMTP cannot say whether xn--bcher-kva.example may send through 127.0.0.1"
    )


def test_smtp_says_what_it_cannot_know() -> None:
    mailer = SmtpMailer(url="smtp://mail.example.com", sender="tickets@shop.example")
    fine, words = asyncio.run(mailer.sender_found())
    assert fine
    assert words.startswith("SMTP cannot say whether shop.example may send through mail.example.com")


@pytest.mark.parametrize(
    ("off", "fine", "words"),
    [(0, True, ""), (29, True, ""), (-29, True, ""), (31, False, "31 s slow"), (-90, False, "89 s fast")],
)
def test_a_clock_that_is_off_is_named_with_what_sets_it(off: int, fine: bool, words: str) -> None:
    found = clock_finding(NOON + timedelta(seconds=off), before=NOON, after=NOON)
    assert (found.fine, words in found.words) == (fine, True)
    assert fine or "timedatectl" in found.words


@pytest.mark.parametrize(
    ("price", "why"), [(49, "below smallest charge"), (100_000_000, "above greatest charge")]
)
def test_a_price_that_stripe_does_not_charge_is_named(price: int, why: str) -> None:
    found = _prices(an_edition(a_product(price=price)))
    assert (found.fine, f"({why})" in found.words, "book/product.toml" in found.words) == (False, True, True)
    assert _prices(an_edition(a_product(price=50))).fine
    assert _prices(an_edition(a_product(price=price, status=Status.RETIRED))).fine, "nobody can buy it"


def test_the_disk_is_measured_where_the_books_are(tmp_path: Path) -> None:
    found = disk_finding(tmp_path)
    assert "GB are free where" in found.words
    assert str(tmp_path) in found.words


# ------------------------------------------------------------------ whether anybody can buy


def trials(shop: ShopServer) -> list[dict[str, Any]]:
    """The sessions that `doctor` made."""
    return [s for s in shop.sandbox.get("/_sandbox/sessions") if s["metadata"] == {"coatcheck": "doctor"}]


def payment_table(shop: ShopServer, lines: str) -> None:
    """Have shop.toml ask for this of the payment page; the running shop notices by itself."""
    toml = shop.catalogue / "shop.toml"
    toml.write_text(
        toml.read_text().partition("\n[payment]")[0] + (f"\n[payment]\n{lines}\n" if lines else "")
    )


def test_a_payment_page_is_opened_in_every_currency_and_closed_unnoticed(own_shop: ShopServer) -> None:
    toml = own_shop.catalogue / BOOK / "product.toml"
    toml.write_text(toml.read_text() + '\n[prices]\neur = "8.00"\nkwd = "3.500"\n')
    payment_table(own_shop, "promotion_codes = true")
    # What docs/reference.md asks of a restricted key.
    own_shop.sandbox.behave(permissions=[
        "checkout_session_write", "payment_intent_read", "charge_read", "dispute_read", "invoice_read", "coupon_read",
        "promotion_code_read", "webhook_read", "radar_early_fraud_warning_read",
    ])  # fmt: skip
    found = findings(own_shop)
    assert found["checkout"] == ("ok", "a payment page opens in USD, EUR, KWD")
    assert found["Stripe"] == ("ok", "the key is good")
    assert found["refunding"][0] == "!"
    assert "give the key Charges and Refunds *write*" in found["refunding"][1]
    assert found["codes"][1].startswith("GIFT: ")
    assert sorted((s["currency"], s["status"]) for s in trials(own_shop)) == [
        ("eur", "expired"), ("kwd", "expired"), ("usd", "expired"),
    ]  # fmt: skip
    told = [a for a in own_shop.sandbox.get("/_sandbox/attempts") if a["type"] == "checkout.session.expired"]
    assert [a["status"] for a in told] == ["200"] * 3
    status = own_shop.cli("status")
    assert status.returncode == 0
    assert "quarantine" not in status.stdout
    assert "Ignored" not in status.stdout


@pytest.mark.parametrize(
    ("account", "table", "product", "words"),
    [
        ({"business_name": False}, "", "", "(400): In order to use Checkout, you must set an account or business name"),
        ({"head_office": False}, 'tax = "inclusive"', "", "(400): You must have a valid head office address"),
        ({"permissions": ["checkout_session_read"]}, "", "", "Having the 'rak_checkout_session_write' permission would"),
        ({}, 'methods = ["card", "credit-card"]', "",
         "(400): it refuses “credit-card” in `methods` under [payment] of shop.toml: Invalid allowed_payment_method_"),
        ({}, 'tax = "exclusive"', 'tax_code = "txcd_12345678"', "(400): No such tax code: 'txcd_12345678'"),
    ],
)  # fmt: skip
def test_what_stripe_refuses_is_told_by_doctor_status_and_one_email(
    own_shop: ShopServer, account: dict[str, Any], table: str, product: str, words: str
) -> None:
    toml, merchant = own_shop.catalogue / BOOK / "product.toml", support_of(own_shop)
    payment_table(own_shop, table)
    if product:
        toml.write_text(f"{toml.read_text()}\n{product}\n")
    own_shop.sandbox.behave(**account)
    mark, said = findings(own_shop)["checkout"]
    assert mark == "!!"
    assert said.startswith("no payment page opens in USD: Stripe said no (40")
    assert words in said
    assert said.endswith(". Nobody can pay in USD until this is fixed")

    def a_stranger_buys() -> int:
        # Each time another browser: one that pressed Buy before is led to the page it was given.
        return Shopper(own_shop).post(f"/buy/{BOOK}").status_code

    wait_until(lambda: a_stranger_buys() == 502, pause=0.5)
    status = own_shop.cli("status", check=False)
    assert status.returncode == 1
    assert f"Payment pages for {BOOK} are refused (since " in status.stdout
    assert words in status.stdout
    mail = own_shop.sandbox.wait_for_mail(merchant)
    assert words in mail["text"]
    assert own_shop.mails_queued_for(merchant) == 1
    payment_table(own_shop, "")
    own_shop.sandbox.behave(permissions=None, business_name=True, head_office=True)
    assert findings(own_shop)["checkout"] == ("ok", "a payment page opens in USD")
    assert own_shop.cli("status").returncode == 0, (
        "what doctor saw work is over, although nobody has bought yet"
    )
    wait_until(lambda: a_stranger_buys() == 303, pause=0.5)


def test_a_test_key_after_going_live_is_named_with_what_it_means(own_shop: ShopServer) -> None:
    assert "test key" not in findings(own_shop)
    with sqlite3.connect(own_shop.data / "coatcheck.db") as database:
        database.execute("INSERT INTO cursors (name, at) VALUES (?, 1)", (STARTED_LIVE,))
    database.close()
    mark, said = findings(own_shop)["test key"]
    assert mark == "!"
    assert said.startswith(
        "this shop was live, and STRIPE_SECRET_KEY is a test key: what was bought stays open"
    )


def test_status_says_once_what_is_wrong_with_the_catalogue(own_shop: ShopServer) -> None:
    (own_shop.catalogue / BOOK / "product.toml").write_text("price = 9")
    told = own_shop.cli("status", check=False)
    assert told.stdout.count(f"{BOOK}/product.toml") == 1
    assert (told.returncode, told.stderr) == (1, "")


def support_of(shop: ShopServer) -> str:
    found = tomllib.loads((shop.catalogue / "shop.toml").read_text())
    return str(found["support"])
