"""A thousand races through the server with a second process beside it; and six hundred sales under kill -9."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
from pathlib import Path

import pytest

from support.servers import ShopServer, a_shop
from support.storm import Sale, Storm, hold_the_books, until_every_ticket_arrived

pytestmark = pytest.mark.storm


def test_a_thousand_sales_each_racing_redirect_and_webhooks_with_a_second_process_writing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 lost, 0 doubled, one user a mailbox, one mail a purchase, no answer of 500 or more."""
    sales_number, mailboxes = 1000, 300

    async def main(shop: ShopServer) -> tuple[Storm, list[Sale], int]:
        storm = Storm(shop, random.Random(1))
        sales = [storm.a_sale(number, mailboxes=mailboxes) for number in range(sales_number)]
        over = asyncio.Event()

        async def beside() -> int:
            """`coatcheck reconcile` writes the same claims, from another process, all the while."""
            rounds = 0
            while not over.is_set():
                for command in (["reconcile"], ["status"], ["export"]):
                    done = await asyncio.to_thread(shop.cli, *command, check=False)
                    assert done.returncode == 0, done.stderr
                rounds += 1
            return rounds

        neighbour = asyncio.create_task(beside())
        await storm.all_sales(sales, storm.race)
        over.set()
        rounds = await neighbour
        await until_every_ticket_arrived(shop, sales_number, within=60)
        await storm.close()
        return storm, sales, rounds

    with a_shop(tmp_path) as shop:
        storm, sales, rounds = asyncio.run(main(shop))
        hold_the_books(shop, sales, mailboxes=mailboxes)
        assert rounds >= 3
        assert not {status for status in storm.answers if status >= 500}
        assert not [line for line in shop.log_lines if line["level"] == "error"]
    with capsys.disabled():
        print(
            f"\n  storm: {sales_number} sales, answers {dict(storm.answers)}, {rounds} rounds of the second process"
        )


def test_six_hundred_sales_under_fifty_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every acknowledged sale is there at once; after Stripe's retries every paid one; every ticket arrives once."""
    sales_number, kills_number, mailboxes = 600, 50, 200

    async def main(shop: ShopServer) -> tuple[list[Sale], int]:
        chance = random.Random(2)
        storm = Storm(shop, chance, patient=True)
        sales = [storm.a_sale(number, mailboxes=mailboxes) for number in range(sales_number)]
        selling, within_a_request, over = [], 0, asyncio.Event()
        stripe = [asyncio.create_task(storm.tell_again(sales, until=over)) for _ in range(3)]
        for batch in range(kills_number):
            some = sales[batch * sales_number // kills_number : (batch + 1) * sales_number // kills_number]
            selling.append(asyncio.create_task(storm.all_sales(some, storm.race)))
            await asyncio.sleep(chance.uniform(0.02, 0.7))
            within_a_request += storm.under_way > 0
            acknowledged = [sale for sale in sales if sale.acknowledged]
            await asyncio.to_thread(_kill_all_of_it, shop)
            books, _ = await asyncio.gather(asyncio.to_thread(shop.export), asyncio.to_thread(shop.start))
            booked = {p["checkout_session"] for p in books["purchase"]}
            lost = [sale.cs for sale in acknowledged if sale.cs not in booked]
            assert not lost, f"acknowledged, and lost: {lost}"
        over.set()
        await asyncio.gather(*selling, *stripe)
        await until_every_ticket_arrived(shop, sales_number, within=180)
        await storm.close()
        return sales, within_a_request

    with a_shop(tmp_path) as shop:
        sales, within_a_request = asyncio.run(main(shop))
        hold_the_books(shop, sales, mailboxes=mailboxes)
    with capsys.disabled():
        print(
            f"\n  kill -9: {kills_number} kills, {within_a_request} of them within a request, {sales_number} sales"
        )
    assert within_a_request >= 30


def _kill_all_of_it(shop: ShopServer) -> None:
    """kill -9, and then make sure: the port is closed, and no child of it lives."""
    assert shop.process.child is not None
    group = shop.process.child.pid
    shop.process.kill()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", shop.port)) != 0, "somebody still listens"
    alive = subprocess.run(
        ["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True, check=False
    )
    living = [pid for pid in alive.stdout.split() if pid != str(os.getpid())]
    assert not living, f"children live on: {living}"
