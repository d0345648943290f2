"""The command line beside a running shop."""

from __future__ import annotations

import json
import sqlite3

import pytest

from testkit.servers import BOOK, SESSION_SECRET, WEBHOOK_SECRET, Shopper, ShopServer

pytestmark = pytest.mark.engines


@pytest.mark.parametrize(
    "command",
    [
        "",
        "demo",
        "serve",
        "doctor",
        "status",
        "export",
        "reconcile",
        "backup",
        "restore",
        "move",
        "stripe-setup",
        "announce",
    ],
)
def test_help_reads_well(shop: ShopServer, command: str) -> None:
    text = shop.cli(*([command] if command else []), "--help").stdout
    assert "Usage:" in text
    if command == "serve":
        for name in (
            "BASE_URL",
            "SESSION_SECRET",
            "TRUSTED_PROXIES",
            "DATA_DIR",
            "GOODS_URL",
            "AWS_REGION",
            "METRICS_TOKEN",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ):
            assert name in text


@pytest.mark.long
def test_status_export_backup_and_reconcile(own_shop: ShopServer, engine: str) -> None:
    anna = Shopper(own_shop)
    cs = anna.buy_and_pay("anna@example.com")
    status = own_shop.cli("status")
    assert "Sales   1 to 1 buyers; taken: $9.00" in status.stdout
    assert "Nothing is waiting for you." in status.stdout
    exported = own_shop.export()
    assert [u["email"] for u in exported["user"]] == ["anna@example.com"]
    [purchase] = exported["purchase"]
    assert (purchase["checkout_session"], purchase["amount"], purchase["state"]) == (cs, 900, "live")
    assert [(m["to"], m["state"]) for m in exported["mail"]] == [("anna@example.com", "sent")]
    missed = Shopper(own_shop).buy()
    own_shop.sandbox.pay(missed, email="ben@example.com")  # neither webhook nor redirect
    repaired = own_shop.cli("reconcile", check=False)
    assert (repaired.returncode, f"booked {missed}" in repaired.stdout) == (1, True)
    assert own_shop.cli("reconcile").returncode == 0, "nothing is left to repair"
    own_shop.sandbox.wait_for_mail("ben@example.com")
    copy = own_shop.folder / "copy.db"
    if engine == "postgres":
        refused = own_shop.cli("backup", str(copy), check=False)
        assert (refused.returncode, "pg_dump" in refused.stderr, copy.exists()) == (2, True, False)
        return
    own_shop.cli("backup", str(copy))
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM purchases").fetchone() == (2,)
    raw = copy.read_bytes()
    for secret in (
        SESSION_SECRET,
        WEBHOOK_SECRET,
        anna.http.cookies["session"],
        anna.link_from("anna@example.com")[7:],
    ):
        assert secret.encode() not in raw
    assert own_shop.cli("backup", str(copy), check=False).returncode == 2


def test_status_exits_1_while_something_waits_and_lets_it_be_settled(own_shop: ShopServer) -> None:
    cs = Shopper(own_shop).buy()
    own_shop.sandbox.pay(cs, email="anna@example.com", copies=1, change={"currency": "eur"})
    waiting = own_shop.cli("status", check=False)
    assert waiting.returncode == 1
    assert cs in waiting.stdout
    assert "Its currency is not the one that was asked." in waiting.stdout
    assert (
        own_shop.sandbox.wait_for_mail("help@cloakroom.example")["subject"] == "A payment is waiting for you"
    )
    assert "Dismissed." in own_shop.cli("status", "--dismiss", cs).stdout
    assert "no email with that key" in own_shop.cli("status", "--send-again", "nothing").stdout


def test_an_access_email_can_be_sent_again(own_shop: ShopServer) -> None:
    Shopper(own_shop).buy_and_pay("anna@example.com")
    [mail] = own_shop.export()["mail"]
    assert "Queued again" in own_shop.cli("status", "--send-again", mail["id"]).stdout
    own_shop.sandbox.wait_for_mail("anna@example.com", number=2)
    assert Shopper(own_shop).post(Shopper(own_shop).link_from("anna@example.com")).status_code == 303


def test_the_doctor_finds_everything_well_and_says_what_to_do_where_not(own_shop: ShopServer) -> None:
    well = own_shop.cli("doctor")
    assert "!!" not in well.stdout
    for about in ("settings", "catalogue", "database", "goods", "Stripe", "webhook", "mail", own_shop.url):
        assert about in well.stdout
    own_shop.environment["STRIPE_SECRET_KEY"] = "rk_test_revoked1"
    own_shop.sandbox.behave(stripe="down", mail="down")
    ill = own_shop.cli("doctor", check=False)
    assert ill.returncode == 1
    assert ill.stdout.count("!!") == 2
    own_shop.environment["BASE_URL"] = ""
    broken = own_shop.cli("doctor", check=False)
    assert "BASE_URL is not set" in broken.stdout
    assert own_shop.cli("serve", check=False).returncode == 2


def test_a_host_that_is_none_is_refused_and_a_name_is_resolved(own_shop: ShopServer) -> None:
    own_shop.process.stop()
    refused = own_shop.cli("serve", "--host", "999.1.1.1", check=False)
    assert (refused.returncode, "no such address" in refused.stderr) == (2, True)
    own_shop.process.command += ["--host", "localhost"]
    own_shop.start()


def test_a_port_that_is_taken_is_named(own_shop: ShopServer) -> None:
    own_shop.process.stop()
    taken = own_shop.cli("serve", "--port", str(own_shop.sandbox.port), check=False)
    assert (taken.returncode, "choose another port" in taken.stderr) == (2, True)


def test_a_shop_id_of_another_database_is_refused(own_shop: ShopServer) -> None:
    toml = own_shop.catalogue / "shop.toml"
    toml.write_text(toml.read_text() + 'id = "another"\n')
    done = own_shop.cli("export", check=False)
    assert done.returncode == 2
    assert "another" in done.stderr


def test_export_is_json_lines_with_a_kind(shop: ShopServer) -> None:
    Shopper(shop).buy_and_pay("export@example.com", BOOK)
    lines = [json.loads(line) for line in shop.cli("export").stdout.splitlines()]
    assert {line["kind"] for line in lines} >= {"user", "purchase", "mail"}
