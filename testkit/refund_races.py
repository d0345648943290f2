"""The race of refunds: two people who refund the same sale, workers, webhooks, the reconciler, faults and crashes.

Whoever comes first and whoever dies: never more is refunded than was paid, no request is refunded twice or forgotten,
and each refund is emailed once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from adapters.memory.payments import MemoryPayments
from domain.access import Holding
from domain.audit import AuditLine
from domain.fact import Fact, FactKind
from domain.ports import Payments
from domain.purchase import PurchaseState
from domain.refund import RefundCause, RefundRequest, RefundState
from domain.usecases.refund_outcomes import AskingForRefund, NotRefunded, RefundAsked, WhyNotRefunded
from entrypoints.testing import Browser, Shop
from testkit.by_hand import CLI
from testkit.races import Begin, calm_down
from testkit.stepping import Actor, Stage, pause, run

ANNA = "anna@example.com"
PRICE = 900
FAULTS = ("", "failed", "failed but done", "lost")


@dataclass(frozen=True)
class RefundCast:
    """What happens at once."""

    amounts: tuple[str, ...] = ("", "")
    """What each of the merchant's people refunds; "" is all that is left."""
    closes: bool = False
    submits: int = 1
    """How often each form is submitted."""
    workers: int = 2
    webhooks: int = 1
    reconcilers: int = 0
    revocations: int = 0
    faults: tuple[str, ...] = ()
    """What the provider does to the first calls, one each."""
    mailers: int = 1


@dataclass
class RefundRace:
    """One sale, and everybody who has to do with its money."""

    cast: RefundCast
    honest: bool = True
    """False is the negative control: every call to the provider under a key of its own."""
    answers: dict[str, AskingForRefund] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shop = Shop(pause=pause)
        self.ref = Browser(self.shop).buy_and_pay(ANNA)
        [self.order] = self.shop.memory.tables.purchases
        provider = faulty(self.shop.payments, self.cast.faults, honest=self.honest)
        self.send = replace(self.shop.send_refunds, payments=provider)

    def play(self, *, choose: Callable[[list[str]], int], crash: Callable[[], bool]) -> None:
        """Play one schedule, let the world calm down, and judge it."""
        stage = Stage(choose=choose, crash=crash)
        stage.play(self._actors())
        for form, typed in self._forms():  # whoever saw no answer submits the same form again
            self.answers[form] = run(self._request(form, typed))
        for _ in range(12):
            self.shop.clock.tick(minutes=31)
            run(self.send())
        calm_down(self.shop)
        self.judge()

    def _forms(self) -> list[tuple[str, str]]:
        return [(f"form {number}", typed) for number, typed in enumerate(self.cast.amounts)]

    def _actors(self) -> list[Actor]:
        cast = self.cast
        some: list[tuple[str, Begin, int, bool]] = [
            (form, lambda form=form, typed=typed: self._request(form, typed), cast.submits, False)  # type: ignore[misc]
            for form, typed in self._forms()
        ]
        some += [
            ("worker", self._work, cast.workers, True),
            ("webhook", self._hear, cast.webhooks, True),
            ("reconciler", self.shop.reconcile, cast.reconcilers, True),
            ("revocation", self._revoke, cast.revocations, False),
            ("mailer", self.shop.mail_round, cast.mailers, False),
        ]
        return [
            Actor(f"{name}.{number}", begin, retried=retried)
            for name, begin, times, retried in some
            for number in range(times)
        ]

    async def _request(self, form: str, typed: str) -> AskingForRefund:
        asked = await self.shop.request_refund(
            self.order, typed, actor=CLI, form=form, reason="too late", close=self.cast.closes
        )
        self.answers[form] = asked
        return asked

    async def _work(self) -> None:
        for _ in range(2):
            await self.send()
            await pause("worker rests")
            self.shop.clock.tick(minutes=2)

    async def _hear(self) -> None:
        """The webhooks of every refund that the provider has made so far."""
        for _ in range(2):
            for fact in list(self.shop.payments.facts.values()):
                told = self.shop.payments.fact_delivery(fact, event=f"evt_{fact.object_id}")
                await self.shop.hear(told.body, told.signature)
            await pause("webhook rests")

    async def _revoke(self) -> None:
        await self.shop.revoke(self.order, actor=CLI, form="revoked", reason="x", tell=False)

    def judge(self) -> None:
        """Hold the truths against the provider, the store and the mailbox."""
        held = run(self.shop.store.read(lambda tx: tx.purchases.with_facts(self.order)))
        assert held is not None
        tables = self.shop.memory.tables
        judge_refunds(
            self.cast, self.answers, held, list(tables.refund_requests.values()), list(tables.audit.values()), self.shop
        )  # fmt: skip


def judge_refunds(
    played: RefundCast,
    answers: Mapping[str, AskingForRefund],
    held: Holding,
    requests: Sequence[RefundRequest],
    log: Sequence[AuditLine],
    shop: Shop,
) -> None:
    """Hold what a store has against the provider and the mailbox of a shop."""
    made = [fact for fact in shop.payments.facts.values() if fact.kind is FactKind.REFUND]
    assert sum(fact.amount for fact in made) <= PRICE, f"{made} of {PRICE}"
    named = [fact.request for fact in made]
    assert len(named) == len(set(named)), f"refunded twice: {named}"
    asked = {found.request.id for found in answers.values() if isinstance(found, RefundAsked)}
    assert asked == {one.id for one in requests}, "a form is a request, or was refused"
    done = {one.id for one in requests if one.state is RefundState.DONE}
    assert done == set(named), f"{requests} and {made}"
    assert len(done) == len(requests), "none is lost, and none is open"
    for refused in answers.values():
        if isinstance(refused, NotRefunded):
            assert refused.why in (WhyNotRefunded.NOTHING_LEFT, WhyNotRefunded.TOO_MUCH)
    kept = {fact.object_id for fact in held.facts if fact.kind is FactKind.REFUND}
    assert kept == {fact.object_id for fact in made}
    letters = [mail for mail in shop.letters_to(ANNA) if mail.subject.startswith("Your refund")]
    assert len(letters) == len(made), f"{len(letters)} emails about {len(made)} refunds"
    assert len([line for line in log if line.form != "revoked"]) == len(requests)
    revoked = any(line.form == "revoked" for line in log)
    expected = PurchaseState.REVOKED if revoked or (played.closes and made) else PurchaseState.LIVE
    total = sum(fact.amount for fact in made)
    assert held.standing.state is (PurchaseState.REFUNDED if total == PRICE else expected)


def faulty(provider: MemoryPayments, faults: Sequence[str], *, honest: bool = True) -> Payments:
    """The provider, which does these things to the first calls; not `honest`: each call has a key of its own."""
    left, made, calls = list(faults), provider.refund, itertools.count()

    async def refund(payment: str, amount: int, *, key: str, request: str, cause: RefundCause) -> Fact:
        provider.refund_fault = left.pop(0) if left else ""
        key = key if honest else f"{key} {next(calls)}"
        return await made(payment, amount, key=key, request=request, cause=cause)

    return cast("Payments", _Instead(provider, refund))


class _Instead:
    """A provider of which one method is another."""

    def __init__(self, provider: object, refund: object) -> None:
        self._provider = provider
        self.refund = refund

    def __getattr__(self, name: str) -> object:
        return getattr(self._provider, name)
