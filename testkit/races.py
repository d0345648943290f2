"""The bench of the race: redirects, webhooks, reconciler and mail worker through every await, with crashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from adapters.memory.transaction import MemoryTransaction
from domain.access import Holding
from domain.fact import FactKind
from domain.mail import Mail, MailKind, MailState
from domain.purchase import PurchaseState
from domain.records import User
from domain.usecases.export_records import Record
from entrypoints.testing import BASE_URL, BOOK, Browser, Shop
from testkit.stepping import Actor, Stage, pause, run

ANNA = "anna@example.com"


@dataclass(frozen=True)
class Cast:
    """Who takes part: how many of each, and how many sales."""

    sales: int = 1
    redirects: int = 1
    webhooks: int = 1
    reconcilers: int = 0
    workers: int = 1
    refunds: int = 0
    """How often the webhook of a sale's full refund is told; with any, a worker reads payments, too."""


@dataclass
class Tally:
    """What a bench saw: different schedules, and who was first."""

    schedules: set[tuple[str, ...]] = field(default_factory=set)
    first: Counter[str] = field(default_factory=Counter)

    def note(self, trace: list[str], first: str) -> None:
        self.schedules.add(tuple(trace))
        self.first[first] += 1

    def share(self, side: str) -> float:
        total = self.first["redirect"] + self.first["webhook"]
        return self.first[side] / total if total else 0.0

    def __str__(self) -> str:
        return (
            f"{sum(self.first.values())} runs, {len(self.schedules)} different schedules; first: redirect "
            f"{self.share('redirect'):.0%}, webhook {self.share('webhook'):.0%} of those two; "
            f"reconciler {self.first['reconciler']}"
        )


Begin = Callable[[], Coroutine[Any, Any, Any]]
Sides = Callable[[Shop, Browser, str, int], tuple[Begin, Begin]]
"""Makes redirect and webhook of a sale; the tutorial's are put in here to see that the bench catches them."""


def ours(shop: Shop, browser: Browser, ref: str, number: int) -> tuple[Begin, Begin]:
    """The shop's own redirect and webhook."""
    delivery = shop.payments.delivery(ref, event=f"evt_{number}")  # type: ignore[arg-type]

    async def redirect() -> None:
        await shop.come_back(browser.visitor, BOOK, ref)

    async def webhook() -> None:
        await shop.hear(delivery.body, delivery.signature)

    return redirect, webhook


def race(
    cast: Cast,
    *,
    choose: Callable[[list[str]], int],
    crash: Callable[[], bool],
    tally: Tally,
    sides: Sides = ours,
) -> Shop:
    """Play one schedule, let the world calm down, and hold the truths against the store and the mailbox."""
    shop = Shop(pause=pause)
    sales = []
    for number in range(cast.sales):
        browser = Browser(shop)
        ref = browser.buy()
        shop.payments.pay(ref, email=ANNA)
        sales.append((browser, ref, number))
    first: list[str] = []
    actors = [actor for sale in sales for actor in _actors_of(shop, cast, sides, sale, first)]
    actors += [Actor(f"worker{n}", shop.mail_round, retried=False) for n in range(cast.workers)]
    actors += [Actor(f"reconciler{n}", _noting(shop, "reconciler", shop.reconcile, first), retried=True)
               for n in range(cast.reconcilers)]  # fmt: skip
    if cast.refunds:
        actors.append(Actor("payments", shop.recheck_payments, retried=False))
    stage = Stage(choose=choose, crash=crash)
    stage.play(actors)
    tally.note(stage.trace, first[0] if first else "nobody")
    calm_down(shop)
    hold_the_truths(shop, sales=cast.sales, refunded=cast.refunds > 0)
    return shop


def biased(entropy: Random) -> Callable[[list[str]], int]:
    """Chooses with a favourite, drawn anew for each schedule: the redirect has more steps than the webhook, so that
    it would seldom be first among equals."""
    favourite = entropy.choice(["redirect", "redirect", "webhook", "worker", "reconciler", "nobody"])

    def choose(names: list[str]) -> int:
        favoured = [at for at, name in enumerate(names) if name.startswith(favourite)]
        return (
            entropy.choice(favoured)
            if favoured and entropy.random() < 0.85
            else entropy.randrange(len(names))
        )

    return choose


def _actors_of(
    shop: Shop, cast: Cast, sides: Sides, sale: tuple[Browser, str, int], first: list[str]
) -> list[Actor]:
    browser, ref, number = sale
    redirect, webhook = sides(shop, browser, ref, number)
    actors = [
        Actor(f"redirect{number}.{n}", _noting(shop, "redirect", redirect, first), retried=False)
        for n in range(cast.redirects)
    ]
    # Stripe tells again until it hears a 2xx; a shopper who closes the browser does not come again.
    actors += [
        Actor(f"webhook{number}.{n}", _noting(shop, "webhook", webhook, first), retried=True)
        for n in range(cast.webhooks)
    ]
    if cast.refunds:
        actors += _refunds_of(shop, cast, ref, number)
    return actors


def _refunds_of(shop: Shop, cast: Cast, ref: str, number: int) -> list[Actor]:
    """The webhooks of a refund of the whole payment, which may overtake the sale itself."""
    total = shop.payments.sessions[ref].total  # type: ignore[index]
    fact = shop.payments.tell(ref, FactKind.REFUND, "succeeded", amount=total)  # type: ignore[arg-type]
    delivery = shop.payments.fact_delivery(fact, event=f"evt_refund_{number}")

    async def refund() -> None:
        await shop.hear(delivery.body, delivery.signature)

    return [Actor(f"refund{number}.{n}", refund, retried=True) for n in range(cast.refunds)]


def _noting(shop: Shop, side: str, begin: Begin, first: list[str]) -> Begin:
    """Note who booked first: whoever runs when the first purchase appears."""

    async def noted() -> None:
        work = begin()
        while True:
            before = len(shop.memory.tables.purchases)
            try:
                place = work.send(None)
            except StopIteration:
                if not before and shop.memory.tables.purchases:
                    first.append(side)
                return
            if not before and shop.memory.tables.purchases:
                first.append(side)
            try:
                await pause(place)
            except GeneratorExit:
                work.close()
                raise

    return noted


def calm_down(shop: Shop) -> None:
    """Leases run out, what was told again is heard, the reconciler sweeps, the mail leaves: until all is still."""
    for _ in range(6):
        before = shop.memory.tables.copy()
        shop.clock.tick(minutes=2)
        run(shop.reconcile())
        run(shop.recheck_payments())
        shop.deliver_mail()
        before.cursors = shop.memory.tables.cursors
        if before == shop.memory.tables:
            return


def hold_the_truths(shop: Shop, *, sales: int, refunded: bool = False) -> None:
    """See `judge`, of a shop in memory."""
    tables = shop.memory.tables
    held = [MemoryTransaction(tables).purchases.with_facts(checkout) for checkout in tables.purchases]
    records: list[Any] = [*tables.users.values(), *held, *tables.outbox.values()]
    judge(records, shop, sales=sales, refunded=refunded)


def judge(records: Sequence[Record], shop: Shop, *, sales: int, refunded: bool) -> None:
    """One purchase a checkout, one user a mailbox, one access email a purchase in the outbox and in the mailbox.

    And where all was refunded: every purchase is closed, and its buyer was told once.
    """
    held = [record for record in records if isinstance(record, Holding)]
    assert len(held) == sales, f"{len(held)} purchases of {sales} sales"
    assert len({one.purchase.provider_ref for one in held}) == sales
    users = [record for record in records if isinstance(record, User)]
    assert [user.mailbox.canonical for user in users] == [ANNA]
    assert {one.purchase.user for one in held} == {user.id for user in users}
    access_emails = [
        record for record in records if isinstance(record, Mail) and record.kind is MailKind.ACCESS
    ]
    assert len(access_emails) == sales, f"{len(access_emails)} access emails queued of {sales} sales"
    assert {mail.state for mail in access_emails} == {MailState.SENT}
    letters = shop.letters_to(ANNA)
    told = [mail for mail in letters if mail.subject.startswith("Your refund")]
    assert len(told) == (sales if refunded else 0), f"{len(told)} mails about refunds of {sales} sales"
    states = {one.standing.state for one in held}
    assert states == {PurchaseState.REFUNDED if refunded else PurchaseState.LIVE}
    arrived = [mail for mail in letters if mail.subject.startswith("Your purchase")]
    assert len(arrived) == sales, f"{len(arrived)} access emails in the mailbox of {sales} sales"
    links = {mail.text.partition(f"{BASE_URL}/login/")[2].split()[0] for mail in arrived}
    assert len(links) == sales
