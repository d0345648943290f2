"""Which email arrives first, and that a process that dies keeps none: over real HTTP, with a shop that is killed."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from testkit.bazaar import stock_a_bazaar
from testkit.servers import BOOK, Shopper, ShopServer, a_shop
from testkit.waiting import wait_until

ANNA = "anna@example.com"
FLOOD = 60


def sell_while_mail_hangs(shop: ShopServer, product: str) -> None:
    cs = Shopper(shop).buy(product)
    shop.sandbox.pay(cs, email=ANNA, copies=1)  # and its webhook is answered


def tries_of_the_mail(shop: ShopServer) -> list[int]:
    """How often each mail in the outbox was leased; read beside the server, since its command line takes seconds."""
    with contextlib.closing(sqlite3.connect(shop.data / "coatcheck.db")) as database:
        return [row[0] for row in database.execute("SELECT attempts FROM outbox")]


@pytest.mark.long
def test_the_email_of_a_purchase_arrives_before_a_flood_that_was_there_first(
    tmp_path: Path, in_database: Callable[[], dict[str, str]]
) -> None:
    """Free orders and sign-ins by strangers wait in the outbox; then something is sold. Its email is the first that
    arrives once the mail service answers again and the shop was started anew, but for those on their way already."""
    stock_a_bazaar(tmp_path / "catalogue")
    with a_shop(tmp_path, **in_database()) as shop:
        shop.sandbox.behave(mail="hang")
        for number in range(FLOOD):
            stranger = Shopper(shop)
            if number % 2:
                answer = stranger.post("/buy/a-gift", {"email": f"flood{number}@example.com"})
            else:
                answer = stranger.post("/request-login", {"email": f"flood{number}@example.com"})
            assert answer.status_code == 200
        sell_while_mail_hangs(shop, "keyed")
        shop.process.kill()
        shop.sandbox.behave(mail="")
        shop.start()
        wait_until(lambda: len(shop.sandbox.mails) >= FLOOD // 2)
        order = [mail["fields"]["to"] for mail in shop.sandbox.mails]
        place = next(n for n, to in enumerate(order) if ANNA in to)
        assert place < 4, order[: place + 1]


def test_an_email_that_was_being_sent_at_kill_9_leaves_as_soon_as_the_shop_is_started(tmp_path: Path) -> None:
    """On SQLite, which one process serves: whatever lease it finds is that of a dead process."""
    with a_shop(tmp_path) as shop:
        shop.sandbox.behave(mail="hang")
        sell_while_mail_hangs(shop, BOOK)
        wait_until(lambda: tries_of_the_mail(shop) == [1])
        shop.process.kill()
        shop.sandbox.behave(mail="")
        shop.start()
        shop.sandbox.wait_for_mail(ANNA)
        assert len(shop.sandbox.mails) == 1
