"""Under another address than the database's, no timer claims, pays or sends anything."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from domain.ports import StoreUnavailable
from domain.usecases.own_address import OwnAddress
from domain.values import CheckoutId
from entrypoints.run.address_watch import AddressWatch
from entrypoints.run.timers import Round, Worker
from entrypoints.testing import BASE_URL, Shop
from testkit.stepping import run

ALWAYS = {
    "outbox.take_back_leases", "outbox.renew_leases", "outbox.close", "send_refunds.take_back", "code_links.refresh",
    "goods.prune", "scrub_what_waits", "sum_days.close", "link_audit",
}  # fmt: skip
"""What changes nothing outside the database, and books nothing."""
AT_HOME = {
    "outbox.deliver_due", "send_refunds", "reconcile", "retry", "recheck_payments", "supply_licences",
    "supply_licences.serve", "review_catalogue.notify", "send_sales_digest", "expire_duplicates",
    "run_uploads", "act_on_fraud_warnings", "report_withdrawals", "shared_limits.look",
}  # fmt: skip
TIMERS = {
    "address", "mail", "leases", "duplicates", "refunds", "catalogue", "code links", "payments", "quarantine",
    "reconcile", "licences", "sales", "sums", "prune", "scrub", "goods",
    "audit", "uploads", "fraud", "withdrawals", "shared limits",
}  # fmt: skip


class Noted:
    """Stands for a part of the worker: notes what is called, and fails as a store does that cannot be reached."""

    def __init__(self, name: str, calls: set[str]) -> None:
        self._name, self._calls = name, calls

    def __getattr__(self, name: str) -> Noted:
        return Noted(f"{self._name}.{name}", self._calls)

    async def __call__(self, *_: object, **__: object) -> None:
        self._calls.add(self._name)
        if self._name != "outbox.close":
            raise StoreUnavailable("the line broke")


def test_under_another_address_only_the_timers_run_that_neither_claim_nor_send() -> None:
    shop = Shop()
    run(shop.store.transact(lambda tx: tx.shop.open(shop.edition.shop.id)))
    run(shop.store.transact(lambda tx: tx.shop.confirm_address("https://elsewhere.example")))
    address = AddressWatch(
        OwnAddress(store=shop.store, catalogue=shop.catalogue, base_url=BASE_URL), go_live=shop.go_live
    )
    run(address.look())
    assert asyncio.run(_calls(shop, address)) == ALWAYS
    run(address.confirm())
    assert asyncio.run(_calls(shop, address)) == ALWAYS | AT_HOME


async def _calls(shop: Shop, address: AddressWatch) -> set[str]:
    """What every timer calls in its first round."""
    calls: set[str] = set()
    rounds: set[str] = set()
    all_ran = asyncio.Event()

    def note(one: Round) -> None:
        rounds.add(one.name)
        if rounds >= TIMERS:
            all_ran.set()

    def part(name: str) -> Any:
        return Noted(name, calls)

    worker = Worker(
        outbox=part("outbox"),
        send_refunds=part("send_refunds"),
        reconcile=part("reconcile"),
        retry=part("retry"),
        recheck_payments=part("recheck_payments"),
        supply_licences=part("supply_licences"),
        review_catalogue=part("review_catalogue"),
        send_sales_digest=part("send_sales_digest"),
        sum_days=part("sum_days"),
        run_uploads=part("run_uploads"),
        link_audit=part("link_audit"),
        act_on_fraud_warnings=part("act_on_fraud_warnings"),
        report_withdrawals=part("report_withdrawals"),
        store=shop.store,
        clock=shop.clock,
        catalogue=shop.catalogue,
        goods=part("goods"),
        code_links=part("code_links"),
        scrub_what_waits=part("scrub_what_waits"),
        expire_duplicates=part("expire_duplicates"),
        shared_limits=part("shared_limits"),
        address=address,
        paid=deque([CheckoutId("c1")]),
        note_round=note,
    )
    running = asyncio.create_task(worker.run())
    await all_ran.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert rounds == TIMERS, "a new timer: does it act under another address?"
    return calls
