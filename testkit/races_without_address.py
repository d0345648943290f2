"""The race of a sale whose address cannot be emailed: who names which address, and whose link is used first."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from domain.fact import FactKind
from domain.mail import MailKind
from domain.usecases.change_outcomes import ConfirmOwner
from domain.usecases.link_outcomes import SignedIn
from domain.values import CheckoutId, EmailAddress, ProviderRef
from entrypoints.testing import BASE_URL, BOOK, Browser, Shop
from testkit import by_hand
from testkit.stepping import Actor, Stage, pause, run

ANNA, BEN, CARL = "anna@example.com", "ben@example.com", "carl@example.com"
_PATIENCE = 12
"""How often somebody looks for a mail before they give up."""


@dataclass
class Scene:
    """A browser that paid with an address that cannot be emailed, and everybody who may act on it."""

    shop: Shop
    payer: Browser
    ref: ProviderRef
    order: CheckoutId
    used: list[str] = field(default_factory=list)
    """The addresses whose links signed somebody in, in order."""
    lost: set[str] = field(default_factory=set)
    """The addresses whose links were submitted, and the answer never came: a crash, perhaps after the commit."""

    def link_to(self, address: str) -> str | None:
        """The link that the first mail about the order carries to an address."""
        for letter in self.shop.letters_to(address):
            if letter.subject.startswith("Is this your purchase?"):
                return letter.text.partition(f"{BASE_URL}/login/")[2].split()[0]
        return None

    async def use(self, browser: Browser, address: str) -> None:
        """Wait for the mail to an address, and press its button in a browser."""
        for _ in range(_PATIENCE):
            token = self.link_to(address)
            if token is not None:
                try:
                    came = await self.shop.redeem.by_link(browser.visitor, token)
                except GeneratorExit:
                    self.lost.add(address)
                    raise
                if isinstance(came, SignedIn):
                    browser.token = came.token
                    self.used.append(address)
                return
            await pause("waits for a mail")

    async def name(self, address: str) -> None:
        """Name an address in the browser that paid, once it opens there, and use the link there."""
        for _ in range(_PATIENCE):
            asked = await self.shop.change_address.correct(self.payer.visitor, self.order, address)
            if asked == ConfirmOwner():
                await self.use(self.payer, address)
                return


Begin = Callable[[], Coroutine[Any, Any, Any]]


def race(
    *,
    choose: Callable[[list[str]], int],
    crash: Callable[[], bool],
    refunds: int = 0,
    name: Callable[[Scene, str], Coroutine[Any, Any, None]] = Scene.name,
) -> Scene:
    """Play one schedule, and hold the truths against what the shop then knows, sends and opens."""
    shop = Shop(pause=pause)
    payer, reader, carl = (
        Browser(shop),
        Browser(shop, network="192.0.2.2"),
        Browser(shop, network="192.0.2.3"),
    )
    ref = payer.buy()
    [order] = shop.memory.tables.checkouts
    shop.payments.pay(ref, email="a..b@docomo.ne.jp")
    scene = Scene(shop, payer, ref, order)
    delivery = shop.payments.delivery(ref)

    def refund() -> Coroutine[Any, Any, Any]:
        told = shop.payments.fact_delivery(shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=400))
        return shop.hear(told.body, told.signature)

    async def merchant() -> None:
        await shop.send_owner_link(order, CARL, actor=by_hand.CLI, form="f1")
        await scene.use(carl, CARL)

    actors = [
        Actor("redirect", lambda: shop.come_back(payer.visitor, BOOK, ref), retried=False),
        *(
            Actor(f"webhook{n}", lambda: shop.hear(delivery.body, delivery.signature), retried=True)
            for n in "12"
        ),
        Actor("payer names anna", lambda: name(scene, ANNA), retried=True),
        Actor("payer names ben", lambda: name(scene, BEN), retried=True),
        Actor("anna reads her mail elsewhere", lambda: scene.use(reader, ANNA), retried=False),
        Actor("merchant", merchant, retried=False),
        *(Actor(f"worker{n}", lambda: _work(shop), retried=True) for n in "12"),
        *(Actor(f"refund{n}", refund, retried=True) for n in range(refunds)),
    ]
    Stage(choose=choose, crash=crash).play(actors)
    run(shop.reconcile())
    shop.clock.tick(minutes=2)
    shop.deliver_mail()
    hold_the_truths(scene, reader, carl, refunded=refunds > 0)
    return scene


async def _work(shop: Shop) -> None:
    for _ in range(4):
        await shop.mail_round()
        await pause("idles")


def hold_the_truths(scene: Scene, reader: Browser, carl: Browser, *, refunded: bool) -> None:
    """One purchase; no owner but one whose link was used; one access email, to that owner; nobody else sees anything."""
    tables = scene.shop.memory.tables
    [purchase] = tables.purchases.values()
    owner = None if purchase.mailbox is None else purchase.mailbox.canonical
    assert not tables.quarantined
    assert owner in {*scene.used, *scene.lost, *(() if scene.used else (None,))}, f"{owner}: {scene.used}"
    assert set(scene.used) <= {owner}, f"{owner} owns it; links used: {scene.used}"
    assert [user.mailbox for user in tables.users.values()] == ([EmailAddress(owner)] if owner else [])
    kinds = [
        (mail.kind, mail.to.canonical) for mail in tables.outbox.values() if mail.kind is not MailKind.ORDER
    ]
    expected = [] if owner is None else [(MailKind.ACCESS, owner), *[(MailKind.UPDATE, owner)] * refunded]
    assert sorted(kinds, key=str) == sorted(expected, key=str), f"{kinds} is not {expected}"
    assert reader.owned == frozenset(), "the link works in the browser that paid alone"
    if not scene.lost:  # else a browser may have missed its new cookie
        assert carl.owned == ({BOOK} if owner == CARL else frozenset())
        assert scene.payer.owned == {BOOK}, (
            "the browser that paid opens it, by its checkout or by its address"
        )
