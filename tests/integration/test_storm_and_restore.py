"""A backup in the middle of a storm of sales, two hundred more, and the machine is lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from bench.drills.audit import audit, until_no_mail_waits
from testkit.servers import ShopServer, a_shop
from testkit.storm import Sale, Storm
from testkit.waiting import wait_until

pytestmark = [pytest.mark.storm, pytest.mark.long]


def test_a_backup_under_load_and_two_hundred_more_sales(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After restore and reconcile no sale is lost, and every access email is at its mailbox once: the email provider knew the keys."""
    before, since, mailboxes = 150, 200, 120
    backups = tmp_path / "backups"

    async def selling(shop: ShopServer) -> list[Sale]:
        storm = Storm(shop, random.Random(3))
        sales = [storm.a_sale(number, mailboxes=mailboxes) for number in range(before + since)]
        first = asyncio.create_task(storm.all_sales(sales[:before], storm.race))
        await asyncio.to_thread(wait_until, lambda: sum(sale.acknowledged for sale in sales) > 20)
        under_load = await asyncio.to_thread(shop.cli, "backup", str(backups))
        assert not first.done(), "the backup was to be made under load"
        assert "contents" in under_load.stdout
        await first
        await storm.all_sales(sales[before:], storm.race)
        await until_no_mail_waits(shop, within=90)
        assert not {status for status in storm.answers if status >= 500}
        await storm.close()
        return sales

    with a_shop(tmp_path) as shop:
        sales = asyncio.run(selling(shop))
        told = {mail["key"]: mail["fields"] for mail in shop.sandbox.mails}
        shop.process.kill()
        for path in (shop.folder / "data").glob("coatcheck.db*"):
            path.unlink()
        assert "Every file is what it was" in shop.cli("restore", "--check", str(backups)).stdout
        shop.cli("restore", str(backups))
        held = len(shop.export()["purchase"])
        repaired = shop.cli("reconcile", check=False)
        assert repaired.returncode == 1
        assert shop.cli("reconcile").returncode == 0
        shop.start()
        asyncio.run(until_no_mail_waits(shop, within=90))
        found = audit(shop, acknowledged={sale.cs for sale in sales if sale.acknowledged})
        assert not found.broken
        assert (found.sales, found.access_emails, found.users) == (before + since, before + since, mailboxes)
        missing = len(sales) - held
        assert missing >= since
        assert repaired.stdout.count("  booked cs_") == missing
        mails = [mail for mail in shop.sandbox.mails if "access:" in mail["key"]]
        arrived = Counter(mail["key"].partition("access:")[2] for mail in mails)
        assert set(arrived.values()) == {1}, "one access email a sale, under one key"
        assert {mail["key"]: mail["fields"] for mail in shop.sandbox.mails} == told, (
            "and the same to the byte"
        )
        handed = sum(mail["handed"] - 1 for mail in mails)
        assert handed >= since, "they were handed over again, and the email provider knew them"
        assert shop.cli("status").returncode == 0
    with capsys.disabled():
        print(
            f"\n  restore: {held} sales in the backup, {missing} brought back, {handed} mails known to the email provider"
        )
