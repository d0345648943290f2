"""What a merchant answers a customer with: `coatcheck customer`, `resend` and `export --format csv`."""

from __future__ import annotations

import csv
import io

import pytest

from testkit.servers import BOOK, Shopper, ShopServer

pytestmark = pytest.mark.engines

ANNA = "anna@example.com"


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


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--format", "csv", "--from", "2026-13-01"], "--from is a date such as 2026-11-01, not '2026-13-01'"),
     (["--format", "csv", "--to", "yesterday"], "--to is a date such as 2026-11-01, not 'yesterday'"),
     (["--format", "csv", "--from", "2026-11-02", "--to", "2026-11-01"], "--from 2026-11-02 is after --to 2026-11-01"),
     (["--from", "2026-11-02"], "--from, --to and --with-addresses require --format csv"),
     (["--with-addresses"], "--from, --to and --with-addresses require --format csv")],
)  # fmt: skip
def test_a_span_that_is_none_is_refused_in_one_sentence(
    shop: ShopServer, options: list[str], said: str
) -> None:
    refused = shop.cli("export", *options, check=False)
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"coatcheck: {said}\n")
