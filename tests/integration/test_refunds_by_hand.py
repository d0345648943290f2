"""Refunds by hand over real processes: what the commands do, and that kill -9 neither doubles nor loses one."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.staff import Actor
from domain.usecases.refund_outcomes import RefundAsked
from entrypoints.container import Container
from entrypoints.run.opening import close_shop, open_shop
from entrypoints.settings import load_settings
from testkit.servers import BOOK, Shopper, ShopServer, a_shop
from testkit.stripe_schema import ask_raw
from testkit.waiting import wait_until

pytestmark = pytest.mark.engines


def an_order(shop: ShopServer, email: str) -> tuple[Shopper, str]:
    buyer = Shopper(shop)
    buyer.buy_and_pay(email, BOOK)
    shop.sandbox.wait_for_mail(email)
    [order] = [one for one in shop.export()["purchase"] if one["email"] == email]
    return buyer, order["id"]


def refunds_at_stripe(shop: ShopServer, order: str) -> list[dict[str, Any]]:
    [sale] = [one for one in shop.export()["purchase"] if one["id"] == order]
    found: list[dict[str, Any]] = []
    while True:
        after = f"&starting_after={found[-1]['id']}" if found else ""
        path = f"/v1/refunds?payment_intent={sale['payment_intent']}&limit=100{after}"
        page = ask_raw(shop.sandbox, "GET", path)
        found += page["data"]
        if not page["has_more"]:
            return found


def states(shop: ShopServer) -> list[str]:
    return [one["state"] for one in shop.export()["refund_request"]]


def test_the_commands_refund_close_and_open_again(shop: ShopServer) -> None:
    email = f"{uuid.uuid4().hex[:10]}@example.com"
    buyer, order = an_order(shop, email)
    number = order[:16]
    done = shop.cli("refund", number, "1.50", "--reason", "a chapter is missing")
    assert "A refund of $1.50 for order" in done.stdout
    mail = shop.sandbox.wait_for_mail(email, number=2)
    assert mail["subject"].startswith("Your refund")
    [made] = refunds_at_stripe(shop, order)
    [request] = [one for one in shop.export()["refund_request"] if one["order"] == order]
    assert (made["amount"], made["metadata"]["coatcheck_refund"]) == (150, request["id"])
    assert buyer.get(f"/view/{BOOK}").status_code == 200
    again = shop.cli("refund", number, "1000", "--reason", "x", check=False)
    assert again.returncode == 1
    assert "can be refunded of order" in again.stderr
    shop.cli("revoke", number, "--reason", "stolen")
    closed = buyer.get(f"/view/{BOOK}")
    assert closed.status_code == 403
    assert "The seller closed this purchase on" in closed.text
    assert "The seller closed this purchase on" in buyer.get(f"/orders/{order}").text
    assert shop.sandbox.wait_for_mail(email, number=3)["subject"].startswith("Your access to")
    shop.cli("reopen", number, "--reason", "it was not", "--quietly")
    assert buyer.get(f"/view/{BOOK}").status_code == 200
    history = shop.cli("customer", number).stdout
    for line in ("made at Stripe", f"Order {number} reopened by hand.", "Refund of $1.50"):
        assert line in history
    log = shop.cli("audit").stdout
    assert f"refund {order}  done: a chapter is missing" in log


def request_refund(shop: ShopServer, order: str, amount: str, form: str) -> None:
    """As `coatcheck refund` does beside the server, without starting a program."""

    async def ask() -> object:
        container = Container(settings=load_settings(shop.environment, dotenv=None))
        await open_shop(container)
        try:
            return await container.request_refund()(
                order, amount, actor=Actor.on_host("test"), form=form, reason="a test"
            )
        finally:
            await close_shop(container)

    with ThreadPoolExecutor(1) as beside:
        found = beside.submit(asyncio.run, ask()).result()
    assert isinstance(found, RefundAsked), found


def calls(shop: ShopServer) -> int:
    return shop.sandbox.get("/_sandbox/calls").count("POST /v1/refunds")


def kill_between_request_and_answer(
    shop: ShopServer, order: str, rounds: int, entropy: random.Random
) -> None:
    """Each round: a request, perhaps a fault or no webhook, and a kill about when the call reaches Stripe."""
    for number in range(rounds):
        fault, copies = entropy.choice(["", "", "lost", "lost-before", "500-done"]), entropy.choice([0, 0, 1])
        shop.sandbox.behave(refund=fault, copies=copies)
        before = calls(shop)
        request_refund(shop, order, "0.01", f"form {number}")
        if entropy.random() < 0.8:
            wait_until(lambda before=before: calls(shop) > before)
        time.sleep(entropy.choice([0, 0, 0.003, 0.02]))  # when the kill falls is what is random here
        shop.process.kill()
        shop.sandbox.behave(refund="")
        shop.start()


def end_leases(shop: ShopServer) -> None:
    """Put two minutes behind what a dead node had taken up; on SQLite, the one process does that at its start."""
    url = shop.more.get("DATABASE_URL")
    if url is not None:
        with psycopg.connect(url) as connection:
            connection.execute(
                "UPDATE refund_requests SET due_at = due_at - 120000000 WHERE state = 'requested'"
            )


def survives(shop: ShopServer, rounds: int) -> str:
    """So many kills, and what came of them; each request is one refund at Stripe, one fact here and one email."""
    email = "anna@example.com"
    _, order = an_order(shop, email)
    kill_between_request_and_answer(shop, order, rounds, random.Random(rounds))
    end_leases(shop)
    wait_until(lambda: states(shop) == ["done"] * rounds, within=400)
    asked = calls(shop)
    assert asked > rounds, "some were sent more than once"
    made = refunds_at_stripe(shop, order)
    assert len(made) == rounds, "none twice, none lost"
    requests = shop.export()["refund_request"]
    named = sorted(one["metadata"]["coatcheck_refund"] for one in made)
    assert named == sorted(one["id"] for one in requests)
    assert sum(one["amount"] for one in made) == rounds
    [sale] = shop.export()["purchase"]
    told = {fact["object"] for fact in sale["facts"] if fact["kind"] == "refund"}
    assert told == {one["id"] for one in made}
    assert shop.mails_queued_for(email) == 1 + rounds, "one email each, and the access email"
    again = sum(one["tries"] > 1 for one in requests)
    return f"{rounds} kills: {len(made)} refunds from {asked} calls, {again} requests were taken up more than once"


def test_kill_9_between_request_and_answer_neither_doubles_nor_loses_a_refund(own_shop: ShopServer) -> None:
    survives(own_shop, 6)


@pytest.mark.long
def test_a_hundred_kills_between_request_and_answer_neither_double_nor_lose_a_refund(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_shop(tmp_path) as shop:
        said = survives(shop, 100)
    with capsys.disabled():
        print(f"\n  {said}")
