"""The race of several payment pages in one browser: some are paid, in any order, while the others are being expired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from domain.fact import CheckoutStatus
from domain.usecases.checkout_outcomes import RedirectToPayment
from domain.values import ProviderRef
from entrypoints.run.paid_lately import PaidLately
from entrypoints.testing import BOOK, PHOTOS, Browser, Shop
from testkit.stepping import Actor, Stage, pause, run

ANNA = "anna@example.com"
_PATIENCE = 8


@dataclass
class Tabs:
    """A browser with several payment pages of one product, one of another product, and somebody else's browser."""

    shop: Shop
    browser: Browser
    pages: list[ProviderRef]
    others: list[ProviderRef]
    paid: set[ProviderRef] = field(default_factory=set)
    """What the customer paid; a bank debit counts once its bank was asked."""
    presents: list[ProviderRef] = field(default_factory=list)
    """Bought once more, on purpose."""

    async def pay(self, ref: ProviderRef, *, debit: bool) -> None:
        """Pay a page, if it can still be paid; Stripe reports it until it is heard."""
        await pause("fills in the form")
        if self.shop.payments.sessions[ref].status is CheckoutStatus.OPEN:
            status = CheckoutStatus.UNPAID if debit else CheckoutStatus.PAID
            self.shop.payments.pay(ref, email=ANNA, status=status)
            self.paid.add(ref)
            await pause("paid")
        if ref in self.paid:
            await self._report(ref, "completed")
        if ref in self.paid and debit:
            self.shop.payments.pay(ref, email=ANNA)
            await pause("the bank pays")
            await self._report(ref, "async_payment_succeeded")

    async def _report(self, ref: ProviderRef, what: str) -> None:
        told = self.shop.payments.delivery(ref, event=f"evt_{what}_{ref}", kind=f"checkout.session.{what}")
        await self.shop.hear(told.body, told.signature)

    async def buy_a_present(self) -> None:
        """Once it is owned, and a while later, buy it again and say yes."""
        for _ in range(_PATIENCE):
            if self.shop.memory.tables.purchases and not self.presents:
                self.shop.clock.tick(minutes=2)
                started = await self.shop.start_checkout(self.browser.visitor, BOOK, again=True)
                assert isinstance(started, RedirectToPayment)
                self.presents.append(ProviderRef(started.url.rpartition("/")[2]))
                return
            await pause("looks whether it is hers")


Expire = Callable[[Shop, Any], Coroutine[Any, Any, Any]]


async def ours(shop: Shop, paid: Any) -> None:
    """The shop's own way."""
    await shop.expire_duplicates(paid)


def race(
    *, choose: Callable[[list[str]], int], crash: Callable[[], bool], debits: int, expire: Expire = ours
) -> Tabs:
    """Play one schedule, let the reconciler sweep, and hold the truths."""
    shop = Shop(pause=pause)
    lately = PaidLately(lambda outcome: None)
    shop.claim = type(shop.claim)(
        **{name: getattr(shop.claim, name) for name in shop.claim.__slots__} | {"observe": lately.note}
    )
    anna, ben = Browser(shop), Browser(shop, network="192.0.2.9")
    pages = []
    for _ in range(3):
        pages.append(anna.buy())
        shop.clock.tick(minutes=2)  # it is no double click
    tabs = Tabs(shop, anna, pages, [anna.buy(PHOTOS), ben.buy()])

    async def worker() -> None:
        for _ in range(_PATIENCE):
            while lately.waiting:
                await expire(shop, lately.waiting.popleft())
            await pause("idles")

    actors = [
        *(
            Actor(f"pays {at}", lambda ref=ref, at=at: tabs.pay(ref, debit=at < debits), retried=True)  # type: ignore[misc]
            for at, ref in enumerate(tabs.pages[:2])
        ),
        Actor("worker", worker, retried=True),
        Actor("reconciler", shop.reconcile, retried=True),
        Actor("buys a present", tabs.buy_a_present, retried=False),
    ]
    Stage(choose=choose, crash=crash).play(actors)
    for _ in range(3):
        run(shop.reconcile())
        run(shop.recheck_payments())
        shop.clock.tick(seconds=6)
    hold_the_truths(tabs)
    return tabs


def hold_the_truths(tabs: Tabs) -> None:
    """What was paid is booked, once, and stays paid; what was not ends; what is none of its business stays open."""
    shop = tabs.shop
    statuses = {ref: held.status for ref, held in shop.payments.sessions.items()}
    booked = [purchase.provider_ref for purchase in shop.memory.tables.purchases.values()]
    assert sorted(booked, key=str) == sorted(tabs.paid), f"booked {booked}, paid {tabs.paid}"
    assert {statuses[ref] for ref in tabs.paid} <= {CheckoutStatus.PAID}
    rest = {statuses[ref] for ref in tabs.pages if ref not in tabs.paid}
    assert rest == {CheckoutStatus.EXPIRED if tabs.paid else CheckoutStatus.OPEN}
    assert {statuses[ref] for ref in tabs.others} == {CheckoutStatus.OPEN}
    assert {statuses[ref] for ref in tabs.presents} <= {CheckoutStatus.OPEN}, (
        "what is bought on purpose can be paid"
    )
