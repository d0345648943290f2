"""The past that benchmarks begin with is one that the shop can read: nobody would notice before the next `make bench`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adapters.sqlite.store import SqliteStore
from bench.speed.engines import Sqlite
from bench.speed.past import fill_with_past
from domain.transaction import ReadTransaction
from domain.values import CheckoutId

SALES = 3000


def test_a_year_of_sales_is_laid_into_an_empty_store(tmp_path: Path) -> None:
    engine = Sqlite(tmp_path)
    fill_with_past(engine, SALES)
    counts = engine.counts()
    assert counts["purchases"] == counts["access_emails"] == SALES
    store = SqliteStore.open(engine.path, serving=True)

    def read(tx: ReadTransaction) -> tuple[int, int]:
        bought = tx.purchases.page_after(CheckoutId(""), limit=SALES)
        newest = bought[-1]
        checkout = tx.checkouts.get(newest.purchase.checkout)
        assert checkout is not None
        assert checkout.provider_ref == newest.purchase.provider_ref
        assert newest.purchase.session is not None
        assert tx.sessions.get(newest.purchase.session) is not None
        assert newest.purchase.paid_email is not None
        emails = tx.outbox.to_address(newest.purchase.paid_email)
        return sum(len(held.facts) for held in bought), len(emails)

    facts, emails = asyncio.run(store.read(read))
    store.close()
    assert facts == SALES
    assert emails >= 1
