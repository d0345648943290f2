"""The command line beside a running shop."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from entrypoints import cli
from entrypoints.cli_output import reconciled_lines, status_lines
from entrypoints.testing import an_edition
from testkit.pages_in_memory import Town
from testkit.servers import BOOK, SESSION_SECRET, WEBHOOK_SECRET, Shopper, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.engines


@pytest.mark.parametrize("command", ["", *cli.main.commands])
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
    assert "Sales   1 to 1 buyer; taken: $9.00, net of refunds and lost disputes" in status.stdout
    assert "Nothing is waiting for you." in status.stdout
    sold = own_shop.cli("sales", "--week", "--by", "product").stdout.splitlines()
    assert sold[1].split() == [BOOK, "1", "$9.00", "$0.00", "$0.00", "$9.00"]
    assert own_shop.cli("sales", "--to", "2020-01-01").stdout == "Nothing was sold in that time.\n"
    assert own_shop.cli("sums").stdout == "All days that are over are summed.\n"
    assert own_shop.cli("sums", "--check").stdout == "Every closed day was counted again, and none differs.\n"
    both = own_shop.cli("sales", "--week", "--month", check=False)
    assert (both.returncode, "choose one of them" in both.stderr) == (2, True)
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


def done_by_hand(shop: ShopServer) -> list[str]:
    return [f"{line['action']} {line['object']}" for line in shop.export().get("audit", [])]


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
    without = own_shop.cli("status", "--dismiss", cs, check=False)
    assert (without.returncode, "give a --reason" in without.stdout) == (1, True)
    assert done_by_hand(own_shop) == []
    assert "Dismissed." in own_shop.cli("status", "--dismiss", cs, "--reason", "not ours").stdout
    assert done_by_hand(own_shop) == [f"dismiss-payment {cs}"]
    assert "no email with that key" in own_shop.cli("status", "--send-again", "nothing").stdout


def test_payments_of_other_programs_are_counted_apart_by_status_and_reconcile(tmp_path: Path) -> None:
    """Several programs share a Stripe account: what the others sell is a number, and needs nobody."""
    town = Town(tmp_path, an_edition(), lambda where, html: None)

    async def story() -> None:
        ref = await town.started(town.client())
        town.shop.payments.pay(ref, email="anna@example.com")
        theirs = replace(town.shop.payments.sessions[ref], reference=None, product=None, shop=None, seal=None)
        town.shop.payments.invent(theirs)
        town.shop.memory.tables.checkouts.clear()
        await town.started(town.client())  # a shop without a checkout asks for nothing
        found = await town.shop.reconcile()
        assert (found.all_well, reconciled_lines(found)[1:]) == (
            True,
            ["  1 from other programs on the same Stripe account"],
        )
        report = await status_lines(town.container, dismiss=None, send_again=None, send_refused=False)
        said = "Ignored 1 payment from other programs on the same Stripe account, in the last 90 days"
        assert said in report.lines
        assert (report.all_well, report.lines[-1]) == (True, "Nothing is waiting for you.")

    asyncio.run(story())


def test_what_was_refused_is_sent_again_by_one_command(own_shop: ShopServer) -> None:
    """The key of the mail service was wrong for a while."""
    own_shop.process.stop()
    own_shop.process.environment = {**own_shop.environment, "RESEND_API_KEY": "wrong"}
    own_shop.start()
    for name in ("anna", "ben"):
        own_shop.sandbox.pay(Shopper(own_shop).buy(), email=f"{name}@example.com", copies=1)
    wait_until(lambda: [m["state"] for m in own_shop.export()["mail"]] == ["stuck"] * 3)
    refused = [mail["id"] for mail in own_shop.export()["mail"]]
    waiting = own_shop.cli("status", check=False)
    assert waiting.returncode == 1
    assert (
        "\n\n3 emails refused (send all of them again: coatcheck status --send-refused):\n" in waiting.stdout
    )
    assert "Resend said no (401 missing_api_key)" in waiting.stdout
    own_shop.process.stop()
    own_shop.process.environment = own_shop.environment
    own_shop.start()
    done = own_shop.cli("status", "--send-refused")
    assert "3 emails queued again; sent while the shop is served.\n" in done.stdout
    assert "Nothing is waiting for you." in done.stdout
    assert sorted(done_by_hand(own_shop)) == sorted(f"send-again {key}" for key in refused)
    for name in ("anna@example.com", "ben@example.com", "help@cloakroom.example"):
        own_shop.sandbox.wait_for_mail(name)


def test_sales_whose_address_cannot_be_emailed_are_listed_and_get_one_by_a_link(own_shop: ShopServer) -> None:
    """As Stripe reports them: an address that no mail server takes, an empty one, and none at all."""
    buyers = []
    for details in ({"email": "a..b@docomo.ne.jp"}, {"email": ""}, None):
        buyer = Shopper(own_shop)
        cs = buyer.buy()
        own_shop.sandbox.pay(cs, email="x@example.com", copies=1, change={"customer_details": details})
        back = buyer.get(f"/view/{BOOK}", params={"session_id": cs})
        assert (back.status_code, buyer.get(f"/view/{BOOK}").status_code) == (303, 200), details
        buyers.append(buyer)
    sold = own_shop.export()["purchase"]
    assert [(one["email"], one["without_address"]) for one in sold] == [(None, True)] * 3
    assert own_shop.export().get("mail", []) == []
    waiting = own_shop.cli("status", check=False)
    assert waiting.returncode == 1
    assert (
        "3 purchases have no address yet, because the one given at the payment cannot be emailed."
        in waiting.stdout
    )
    order = sold[0]["id"]
    refused = own_shop.cli("send-link", order, "a..b@docomo.ne.jp", check=False)
    assert (refused.returncode, "not an address that can be emailed" in refused.stderr) == (2, True)
    assert own_shop.cli("send-link", "ffff", "ben@example.com", check=False).returncode == 2
    sent = own_shop.cli("send-link", order[:12], "ben@example.com")
    assert "until then nothing changes" in sent.stdout
    assert done_by_hand(own_shop) == [f"send-link {order}"], "what was refused is no line"
    assert own_shop.export()["purchase"][0]["email"] is None
    own_shop.sandbox.wait_for_mail("ben@example.com")
    assert Shopper(own_shop).post(buyers[0].link_from("ben@example.com")).status_code == 303
    assert [one["email"] for one in own_shop.export()["purchase"]] == ["ben@example.com", None, None]
    assert "Your purchase" in own_shop.sandbox.wait_for_mail("ben@example.com", number=2)["subject"]


def test_an_access_email_can_be_sent_again(own_shop: ShopServer) -> None:
    Shopper(own_shop).buy_and_pay("anna@example.com")
    [mail] = own_shop.export()["mail"]
    assert "Queued again" in own_shop.cli("status", "--send-again", mail["id"]).stdout
    assert done_by_hand(own_shop) == [f"send-again {mail['id']}"]
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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--columns", "nope"), "columns cannot be 'nope'; choose among order, started_at, "),
        (("--only", "state=nope"), "state cannot be 'nope'; choose among open, "),
        (("--only", "nope=1"), "--only cannot be 'nope'; choose among text, state, product, "),
        (("--only", "tests=maybe"), "tests cannot be 'maybe'; choose among no"),
        (("--only", "opened=maybe"), "opened cannot be 'maybe'; choose among yes, no"),
        (("--timezone", "Mars"), "timezone cannot be 'Mars'; write it like Europe/Berlin"),
    ],
)
def test_a_choice_of_an_export_that_means_nothing_is_refused_with_those_there_are(
    shop: ShopServer, options: tuple[str, ...], said: str
) -> None:
    done = shop.cli("export", "--list", "sales", *options, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"coatcheck: {said}"), done.stderr
