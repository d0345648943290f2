"""A thousand races through the server with a second process beside it. Storms under kill -9: see test_drills."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from bench.drills.audit import audit, until_no_mail_waits
from testkit.servers import ShopServer, a_shop
from testkit.storm import Sale, Storm

pytestmark = [pytest.mark.storm, pytest.mark.long]
_BETWEEN_ROUNDS = 2.0


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
            """`coatcheck reconcile` writes the same claims, from another process, all the while, and leaves the server some of the machine."""
            rounds = 0
            while not over.is_set():
                for command in (["reconcile"], ["status"], ["export"]):
                    done = await asyncio.to_thread(shop.cli, *command, check=False)
                    # It may come before redirect and webhook: then it books, and says so by its status.
                    booked = "\n  booked " in done.stdout
                    assert done.returncode == int(booked), done.stdout + done.stderr
                rounds += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), _BETWEEN_ROUNDS)
            return rounds

        neighbour = asyncio.create_task(beside())
        await storm.all_sales(sales, storm.race)
        over.set()
        rounds = await neighbour
        await until_no_mail_waits(shop, within=300)
        await storm.close()
        return storm, sales, rounds

    with a_shop(tmp_path) as shop:
        storm, sales, rounds = asyncio.run(main(shop))
        found = audit(shop, acknowledged={sale.cs for sale in sales if sale.acknowledged})
        assert not found.broken
        assert (found.sales, found.access_emails, found.users) == (sales_number, sales_number, mailboxes)
        assert rounds >= 3
        assert not {status for status in storm.answers if status >= 500}
        assert not [line for line in shop.log_lines if line["level"] == "error"]
    with capsys.disabled():
        print(
            f"\n  storm: {sales_number} sales, answers {dict(storm.answers)}, {rounds} rounds of the second process"
        )
