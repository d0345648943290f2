"""What a merchant answers a customer with: `coatcheck customer`, `resend` and `export --format csv`."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
from concurrent.futures import ThreadPoolExecutor

import pytest

from testkit.servers import BOOK, Shopper, ShopServer

pytestmark = pytest.mark.engines

ANNA = "anna@example.com"
USER = pwd.getpwuid(os.getuid()).pw_name


def rows(shop: ShopServer, *options: str) -> list[dict[str, str]]:
    text = shop.cli("export", "--format", "csv", *options).stdout
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_customer_who_writes_is_found_and_gets_the_link_again(own_shop: ShopServer) -> None:
    anna = Shopper(own_shop)
    cs = anna.buy_and_pay(ANNA)
    old = anna.link_from(ANNA)
    assert anna.get(f"/files/{BOOK}/the-last-cloakroom.txt").status_code == 200
    [order] = [one["id"] for one in own_shop.export()["purchase"]]
    number = order[:16]

    by_address = own_shop.cli("customer", "Anna@Example.com").stdout
    assert by_address.startswith(f"{ANNA}\n1 order, customer since ")
    assert f"Order {number}: The Last Cloakroom, $9.00. Open." in by_address
    assert f"Access email, order {number}: sent" in by_address
    assert f"the-last-cloakroom.txt of order {number} downloaded (once so far)." in by_address
    assert own_shop.cli("customer", f"#{number[:8].upper()}-{number[8:]}").stdout == by_address

    sent = own_shop.cli("resend", number)
    assert (
        f"The access email for order {number} (The Last Cloakroom) is queued for a•••@example.com."
        in sent.stdout
    )
    own_shop.sandbox.wait_for_mail(ANNA, number=2)
    link = anna.link_from(ANNA)
    assert link != old
    phone = Shopper(own_shop)
    assert phone.post(link).status_code == 303
    assert phone.get(f"/view/{BOOK}").status_code == 200
    seen = own_shop.cli("customer", order).stdout
    assert "last seen (signed in since" in seen
    [line] = own_shop.cli("audit").stdout.splitlines()
    assert line.endswith(f" UTC  cli:{USER}  resend {order}  done")
    for secret in (link[7:], old[7:], phone.http.cookies["session"], "/login/"):
        assert secret not in seen + sent.stdout + by_address

    own_shop.sandbox.post(f"/_sandbox/sessions/{cs}/refund", copies=1)
    refused = own_shop.cli("resend", ANNA, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"coatcheck: nothing was sent: order {number} (The Last Cloakroom) was refunded, so there is nothing to open\n"
    )
    assert f"Refund of $9.00, order {number}: succeeded." in own_shop.cli("customer", ANNA).stdout
    assert [(row["kind"], row["amount"], row["order"], row["stripe_session"]) for row in rows(own_shop)] == [
        ("sale", "9.00", number, cs),
        ("refund", "-9.00", number, cs),
    ]
    assert ANNA not in own_shop.cli("export", "--format", "csv").stdout
    assert [row["paid_address"] for row in rows(own_shop, "--with-addresses")] == [ANNA, ANNA]
    assert rows(own_shop, "--to", "2020-01-01") == []


def test_what_is_not_found_or_not_clear_exits_with_1_or_2(own_shop: ShopServer) -> None:
    for name in ("anna", "ben"):
        Shopper(own_shop).buy_and_pay(f"{name}@example.com")
    orders = sorted(one["id"] for one in own_shop.export()["purchase"])
    for command in ("customer", "resend"):
        several = own_shop.cli(command, orders[0][:4], check=False)
        assert several.returncode == 2
        assert [line[:16] for line in several.stdout.splitlines()] == [order[:16] for order in orders]
        assert "a•••@example.com" in several.stdout
        assert ANNA not in several.stdout
        assert "give more of the number" in several.stderr
        for wanted in ("ffff", "dora@example.com"):
            nothing = own_shop.cli(command, wanted, check=False)
            assert (nothing.returncode, nothing.stdout, nothing.stderr.count("\n")) == (1, "", 1), wanted
    assert own_shop.mails_queued_for(ANNA) == 1


def test_a_product_is_given_once_and_the_log_says_by_whom_and_why(own_shop: ShopServer) -> None:
    options = ("grant", BOOK, "Anna@Example.com", "--reason", "won the raffle")
    given = own_shop.cli(*options)
    [order] = [one["id"] for one in own_shop.export()["purchase"]]
    assert given.stdout == (
        f"Order {order[:16]}: The Last Cloakroom was given to a•••@example.com.\n"
        "The access email is queued. A running shop sends it within a second.\n"
    )
    own_shop.sandbox.wait_for_mail(ANNA)
    anna = Shopper(own_shop)
    assert anna.post(anna.link_from(ANNA)).status_code == 303
    assert anna.get(f"/files/{BOOK}/the-last-cloakroom.txt").status_code == 200
    assert "given to you" in anna.get("/library").text
    receipt = anna.get(f"/orders/{order}").text
    assert "Granted, nothing paid" in receipt
    assert "Given to" in receipt
    assert "Sold" not in receipt

    again = own_shop.cli(*options, check=False)
    assert (again.returncode, again.stdout) == (1, "")
    assert "a•••@example.com has it already, by order" in again.stderr
    assert own_shop.mails_queued_for(ANNA) == 1
    [line] = own_shop.cli("audit").stdout.splitlines()
    assert line.endswith(f" UTC  cli:{USER}  grant {order}  done: won the raffle")
    [told] = map(json.loads, own_shop.cli("audit", "--json").stdout.splitlines())
    assert told == own_shop.export()["audit"][0]
    assert (told["actor"], told["object"], told["reason"]) == (f"cli:{USER}", order, "won the raffle")
    assert [(row["status"], row["amount"], row["source"]) for row in rows(own_shop)] == [
        ("granted", "0.00", "grant")
    ]
    assert f"Order {order[:16]}: The Last Cloakroom, granted. Open." in own_shop.cli("customer", ANNA).stdout
    assert own_shop.cli("status").stdout.startswith("Sales   0 to 1 buyer; taken: $0.00")


def test_two_commands_at_once_give_one_person_one_copy(own_shop: ShopServer) -> None:
    def give(_: int) -> int:
        return own_shop.cli("grant", BOOK, ANNA, "--reason", "a review", check=False).returncode

    with ThreadPoolExecutor() as threads:
        assert sorted(threads.map(give, range(3))) == [0, 1, 1]
    exported = own_shop.export()
    assert (len(exported["purchase"]), len(exported["audit"])) == (1, 1)
    assert own_shop.mails_queued_for(ANNA) == 1


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [(["map", ANNA, "--reason", "x"], 1, "nothing was given: there is no product 'map' in the catalogue: a product is called like its folder there"),
     ([BOOK, "a..b@example.com", "--reason", "x"], 2,
      "that is not an address that can be emailed: the part before the @ has a character or a length that mail servers refuse"),
     ([BOOK, ANNA, "--reason", " "], 1, "nothing was given: --reason is empty, or longer than 500 characters")],
)  # fmt: skip
def test_what_cannot_be_given_is_refused_in_one_sentence(
    shop: ShopServer, options: list[str], code: int, said: str
) -> None:
    refused = shop.cli("grant", *options, check=False)
    assert (refused.returncode, refused.stdout, refused.stderr) == (code, "", f"coatcheck: {said}\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--format", "csv", "--from", "2026-13-01"], "--from is a date such as 2026-11-01, not '2026-13-01'"),
     (["--format", "csv", "--to", "yesterday"], "--to is a date such as 2026-11-01, not 'yesterday'"),
     (["--format", "csv", "--from", "2026-11-02", "--to", "2026-11-01"], "--from 2026-11-02 is after --to 2026-11-01"),
     (["--from", "2026-11-02"], "--from, --to and --with-addresses require --format csv or --list"),
     (["--with-addresses"], "--from, --to and --with-addresses require --format csv or --list")],
)  # fmt: skip
def test_a_span_that_is_none_is_refused_in_one_sentence(
    shop: ShopServer, options: list[str], said: str
) -> None:
    refused = shop.cli("export", *options, check=False)
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"coatcheck: {said}\n")
