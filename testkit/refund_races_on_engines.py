"""The race of refunds on a real engine: people at several nodes refund one sale, and anybody may die."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from domain.access import Holding
from domain.audit import AuditLine
from domain.ports import Store
from domain.refund import RefundRequest
from domain.transaction import ReadTransaction
from domain.usecases.refund_outcomes import AskingForRefund
from domain.usecases.send_refunds import SendRefunds
from domain.values import CheckoutId
from entrypoints.testing import Shop
from testkit.by_hand import CLI
from testkit.engine_races import Chance, Seen, a_buyer, calmed_down, nodes_of, play
from testkit.refund_races import RefundCast, faulty, judge_refunds


async def race_refunds_on(
    stores: Sequence[Store], cast: RefundCast, *, seed: int, deadly: bool, seen: Seen, honest: bool = True
) -> None:
    """Play one cast, let the world calm down, and judge the store. The stores are nodes on one empty database."""
    entropy = Chance(Random(seed), calm=True)
    nodes = nodes_of(stores, entropy)
    race = _Race(nodes, cast, faulty(nodes[0].payments, cast.faults, honest=honest), entropy.random)
    await race.sell()
    entropy.calm, entropy.deadly = False, deadly
    await asyncio.gather(*(play(begin, seen=seen, retried=retried) for begin, retried in race.actors()))
    entropy.calm = True
    seen.races += 1
    seen.deaths += entropy.deaths
    await race.settle()
    race.judge(*await nodes[-1].store.read(race.found))


class _Race:
    """One sale, and everybody who has to do with its money, each at a node."""

    def __init__(self, nodes: Sequence[Shop], cast: RefundCast, provider: Any, entropy: Random) -> None:
        self.nodes, self.cast, self._random = nodes, cast, entropy
        self.answers: dict[str, AskingForRefund] = {}
        self._senders: list[SendRefunds] = [replace(node.send_refunds, payments=provider) for node in nodes]

    async def sell(self) -> None:
        shop = self.nodes[0]
        _, ref = await a_buyer(shop)
        told = shop.payments.delivery(ref, event="evt_sale")
        await shop.hear(told.body, told.signature)
        [held] = await shop.store.read(lambda tx: tx.purchases.page_after("", limit=2))
        self.order: CheckoutId = held.purchase.checkout

    def actors(self) -> list[tuple[Callable[[], Any], bool]]:
        """Each with whether they begin anew after a death."""
        cast, forms = self.cast, range(len(self.cast.amounts))
        made: list[tuple[Callable[[], Any], bool]] = [
            (lambda number=number: self._request(number), False)  # type: ignore[misc]
            for number in forms
            for _ in range(cast.submits)
        ]
        made += [(self._work, True) for _ in range(cast.workers)]
        made += [(self._hear, True) for _ in range(cast.webhooks)]
        made += [(self._any().reconcile, True) for _ in range(cast.reconcilers)]
        made += [(self._any().mail_round, False) for _ in range(cast.mailers)]
        made += [(self._revoke, False) for _ in range(cast.revocations)]
        self._random.shuffle(made)
        return made

    def _any(self) -> Shop:
        return self._random.choice(self.nodes)

    async def _request(self, number: int) -> None:
        form = f"form {number}"
        self.answers[form] = await self._any().request_refund(
            self.order, self.cast.amounts[number], actor=CLI, form=form, reason="too late", close=self.cast.closes
        )  # fmt: skip

    async def _work(self) -> None:
        for _ in range(2):
            await self._random.choice(self._senders)()
            self.nodes[0].clock.tick(minutes=2)

    async def _hear(self) -> None:
        payments = self.nodes[0].payments
        for fact in list(payments.facts.values()):
            told = payments.fact_delivery(fact, event=f"evt_{fact.object_id}")
            await self._any().hear(told.body, told.signature)

    async def _revoke(self) -> None:
        await self._any().revoke(self.order, actor=CLI, form="revoked", reason="x", tell=False)

    async def settle(self) -> None:
        """Whoever saw no answer submits the same form again; then leases run out, and what waits is sent."""
        for number in range(len(self.cast.amounts)):
            await self._request(number)
        for _ in range(12):
            self.nodes[0].clock.tick(minutes=31)
            await self._senders[-1]()
        await calmed_down(self.nodes[-1])

    def found(
        self, tx: ReadTransaction
    ) -> tuple[Holding | None, Sequence[RefundRequest], Sequence[AuditLine]]:
        return (
            tx.purchases.with_facts(self.order), tx.refund_requests.of_purchase(self.order),
            tx.audit.page_after("", limit=99),
        )  # fmt: skip

    def judge(
        self, held: Holding | None, requests: Sequence[RefundRequest], log: Sequence[AuditLine]
    ) -> None:
        assert held is not None
        judge_refunds(self.cast, self.answers, held, requests, log, self.nodes[0])
