"""The race of redirects, webhooks, reconciler and mail workers on a real engine: real commits, real threads.

Each actor is served by one of several nodes on one database. Where it gives way, it waits for a moment that chance
decides, or dies. What the engine's own threads make of it differs from run to run; the truths must hold in all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from domain.fact import FactKind
from domain.ports import Store, StoreUnavailable
from domain.transaction import ReadTransaction, Transaction
from domain.usecases.export_records import ExportRecords, Record
from domain.usecases.handle_payment_webhook import PaymentWebhookHandled
from domain.values import ProviderRef
from entrypoints.testing import BOOK, Browser, Shop
from testkit.races import ANNA, Begin, Cast, judge
from testkit.stepping import gather

T = TypeVar("T")

_DEATHS = 3
"""At most, in one race."""


class Died(BaseException):
    """As `kill -9` does: nothing after this await happens."""


@dataclass
class Chance:
    """How long who gives way waits, and whether they come back."""

    random: Random
    deadly: bool = False
    calm: bool = False
    """Nobody waits or dies any more."""
    deaths: int = 0

    async def pause(self, place: str) -> None:
        if self.calm:
            return
        if self.deadly and self.deaths < _DEATHS and self.random.random() < 0.08:
            self.deaths += 1
            raise Died(place)
        await asyncio.sleep(self.random.choice((0, 0, 0.0005, 0.002, 0.006)))


class GivesWay:
    """A store that gives way before its work and after the commit, before anybody hears of it."""

    def __init__(self, store: Store, pause: Callable[[str], Awaitable[None]]) -> None:
        self._store = store
        self._pause = pause

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        await self._pause("transact")
        answer = await self._store.transact(work)
        await self._pause("committed")
        return answer

    async def read(self, work: Callable[[ReadTransaction], T]) -> T:
        answer = await self._store.read(work)
        await self._pause("read")
        return answer

    async def scrub(self) -> None:
        await self._store.scrub()


@dataclass
class Seen:
    """What a bench saw."""

    races: int = 0
    deaths: int = 0
    refused: int = 0
    """How often a store was busy."""
    heard: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        first = self.heard["checkout.session.completed booked"]
        return (
            f"{self.races} races, {self.deaths} deaths, {self.refused} times busy; {first} sales booked first by a webhook, "
            f"{self.heard['checkout.session.completed known']} webhooks came later"
        )


async def race_on(stores: Sequence[Store], cast: Cast, *, seed: int, deadly: bool, seen: Seen) -> None:
    """Play one cast, let the world calm down, and judge the store. The stores are nodes on one empty database."""
    entropy = Chance(Random(seed))
    nodes = nodes_of(stores, entropy)
    actors: list[Callable[[], Any]] = []

    def on_stage(begin: Begin, *, retried: bool) -> None:
        actors.append(lambda: play(begin, seen=seen, retried=retried))

    for number in range(cast.sales):
        browser = await a_buyer(nodes[0])
        _cast_a_sale(cast, entropy.random.choice(nodes), browser, number, on_stage, seen, entropy, nodes)
    for _ in range(cast.workers):
        on_stage(entropy.random.choice(nodes).mail_round, retried=False)
    for _ in range(cast.reconcilers):
        on_stage(entropy.random.choice(nodes).reconcile, retried=True)
    if cast.refunds:
        on_stage(entropy.random.choice(nodes).recheck_payments, retried=False)
    entropy.random.shuffle(actors)
    entropy.deadly = deadly
    await asyncio.gather(*(actor() for actor in actors))
    entropy.calm = True
    seen.races += 1
    seen.deaths += entropy.deaths
    judge(await calmed_down(nodes[-1]), nodes[0], sales=cast.sales, refunded=cast.refunds > 0)


def nodes_of(stores: Sequence[Store], entropy: Chance) -> list[Shop]:
    """One world around them: the same clock, provider, mailboxes and chance."""
    nodes = [Shop(pause=entropy.pause, given_store=GivesWay(store, entropy.pause)) for store in stores]
    for node in nodes[1:]:
        node.clock, node.payments, node.mailer, node.randomness = (
            nodes[0].clock, nodes[0].payments, nodes[0].mailer, nodes[0].randomness,
        )  # fmt: skip
    return nodes


async def a_buyer(shop: Shop) -> tuple[Browser, ProviderRef]:
    """Somebody who paid, of which the shop has not heard yet."""
    browser = Browser(shop)
    started = await shop.start_checkout(browser.visitor, BOOK, again=False)
    browser.token = started.new_token  # type: ignore[union-attr]
    ref = ProviderRef(started.url.rpartition("/")[2])  # type: ignore[union-attr]
    shop.payments.pay(ref, email=ANNA)
    return browser, ref


def _cast_a_sale(
    cast: Cast,
    shop: Shop,
    bought: tuple[Browser, ProviderRef],
    number: int,
    on_stage: Callable[..., None],
    seen: Seen,
    entropy: Chance,
    nodes: Sequence[Shop],
) -> None:
    browser, ref = bought
    delivery = shop.payments.delivery(ref, event=f"evt_{number}")

    def at_any(tell: Callable[[Shop], Any]) -> Begin:
        node = entropy.random.choice(nodes)
        return lambda: tell(node)

    async def hear(node: Shop, body: bytes, signature: str) -> None:
        heard = await node.hear(body, signature)
        assert isinstance(heard, PaymentWebhookHandled)
        seen.heard[f"{heard.type} {heard.name}"] += 1

    for _ in range(cast.redirects):
        on_stage(at_any(lambda node: node.come_back(browser.visitor, BOOK, ref)), retried=False)
    for _ in range(cast.webhooks):
        on_stage(at_any(lambda node: hear(node, delivery.body, delivery.signature)), retried=True)
    if cast.refunds:
        total = shop.payments.sessions[ref].total
        told = shop.payments.fact_delivery(
            shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=total), event=f"evt_refund_{number}"
        )
        for _ in range(cast.refunds):
            on_stage(at_any(lambda node: hear(node, told.body, told.signature)), retried=True)


async def play(begin: Begin, *, seen: Seen, retried: bool) -> None:
    """Once; who is retried begins anew after a death or a 503, as Stripe does."""
    while True:
        try:
            await begin()
            return
        except Died:
            pass
        except StoreUnavailable:
            seen.refused += 1
        if not retried:
            return


async def calmed_down(shop: Shop) -> list[Record]:
    """Every record, once leases have run out, the reconciler has swept and the mail has left."""
    records: list[Record] = []
    for _ in range(6):
        shop.clock.tick(minutes=2)
        await shop.reconcile()
        await shop.recheck_payments()
        while await shop.mail_round():
            pass
        before, records = records, await gather(ExportRecords(store=shop.store)())
        if before == records:
            break
    return records
