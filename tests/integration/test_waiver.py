"""The waiver over the wire: bought with the boxes and without, bounced, and known to a shop whose database was lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testkit.servers import BOOK, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until
from testkit.waivers import TEXT

LAW = '\n[law]\nwaiver = "boxes"\nwithout_waiver = "wait"\n'
BOTH = {"waiver_text": TEXT.hash, "waiver_wants": "yes", "waiver_knows": "yes"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    with a_shop(tmp_path) as running:
        running.settle(LAW)
        yield running


def bought(shop: ShopServer, shopper: Shopper, email: str, **form: str) -> str:
    answer = shopper.post(f"/buy/{BOOK}", form)
    assert answer.status_code == 303, answer.text
    ref = answer.headers["location"].rpartition("/")[2]
    shop.sandbox.pay(ref, email=email, copies=1)
    shop.sandbox.wait_for_mail(email)
    return ref


def purchases(shop: ShopServer) -> dict[str, Any]:
    return {one["email"]: one for one in shop.export()["purchase"]}


@pytest.mark.long
def test_it_is_bought_with_the_boxes_and_without_and_a_restored_shop_still_knows_which(
    shop: ShopServer,
) -> None:
    anna, ben = Shopper(shop), Shopper(shop)
    refused = anna.post(f"/buy/{BOOK}", {"waiver_text": TEXT.hash, "waiver_knows": "yes"})
    assert refused.status_code == 422
    assert 'id="waiver_wants-problem"' in refused.text
    shop.cli("backup", str(shop.folder / "backups"))
    bought(shop, anna, "anna@example.com", **BOTH)
    page = ben.get(f"/products/{BOOK}").text
    day = page.partition('name="wait" value="')[2].partition('"')[0]
    bought(shop, ben, "ben@example.com", wait=day)
    before = purchases(shop)
    waiver = before["anna@example.com"]["waiver"]
    assert (waiver["text"], waiver["language"]) == (TEXT.hash, "en")
    assert before["ben@example.com"]["waiver"] is None
    assert before["ben@example.com"]["opens_at"] is not None
    [letter] = shop.sandbox.mails_to("anna@example.com")
    assert all(sentence in letter["text"] and sentence in letter["html"] for sentence in TEXT.sentences)
    shop.process.kill()
    for path in (shop.folder / "data").glob("coatcheck.db*"):
        path.unlink()
    shop.cli("restore", str(shop.folder / "backups"))
    assert shop.cli("reconcile", check=False).returncode == 1, "it had to repair"
    after = purchases(shop)
    for email, kept in before.items():
        assert [after[email][name] for name in ("id", "waiver", "opens_at")] == [
            kept[name] for name in ("id", "waiver", "opens_at")
        ]


@pytest.mark.long
def test_an_email_that_bounced_confirms_nothing_and_a_copy_that_arrives_does(shop: ShopServer) -> None:
    anna = Shopper(shop)
    ref = bought(shop, anna, "anna@example.com", **BOTH)
    assert anna.get(f"/view/{BOOK}", params={"session_id": ref}).status_code == 303
    assert anna.get(f"/view/{BOOK}").status_code == 200
    assert "the right is lost" in shop.cli("customer", "anna@example.com").stdout
    [mail] = [mail for mail in shop.sandbox.mails if mail["fields"]["to"] == ["anna@example.com"]]
    shop.sandbox.post(f"/_sandbox/mails/{mail['id']}/report", type="email.bounced")
    wait_until(lambda: "the right stays" in shop.cli("customer", "anna@example.com").stdout)
    status = shop.cli("status", check=False)
    assert status.returncode == 1
    assert "1 purchase whose waiver of the right of withdrawal is not confirmed" in status.stdout
    [purchase] = shop.export()["purchase"]
    shop.cli("resend", purchase["id"])
    shop.sandbox.wait_for_mail("anna@example.com", number=2)
    wait_until(lambda: "the right is lost" in shop.cli("customer", "anna@example.com").stdout)
    assert "not confirmed" not in shop.cli("status", check=False).stdout
