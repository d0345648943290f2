"""The race of refunds: two people who refund the same sale, workers, webhooks, the reconciler, faults and crashes.

Whoever comes first and whoever dies: never more is refunded than was paid, no request is refunded twice or forgotten,
and each refund is emailed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from domain.purchase import FactKind, PurchaseState
from domain.refund import RefundState
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
        self._faults = list(self.cast.faults)
        self._calls = 0
        provider = self.shop.payments
        made = provider.refund

        async def refund(payment: str, amount: int, *, key: str, request: str, cause: object) -> object:
            self._calls += 1
            provider.refund_fault = self._faults.pop(0) if self._faults else ""
            key = key if self.honest else f"{key} {self._calls}"
            return await made(payment, amount, key=key, request=request, cause=cause)  # type: ignore[arg-type]

        self.send = replace(self.shop.send_refunds, payments=_Instead(provider, refund))  # type: ignore[arg-type]

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
        made = [fact for fact in self.shop.payments.facts.values() if fact.kind is FactKind.REFUND]
        assert sum(fact.amount for fact in made) <= PRICE, f"{made} of {PRICE}"
        named = [fact.request for fact in made]
        assert len(named) == len(set(named)), f"refunded twice: {named}"
        requests = self.shop.memory.tables.refund_requests
        asked = {found.request.id for found in self.answers.values() if isinstance(found, RefundAsked)}
        assert asked == requests.keys(), "a form is a request, or was refused"
        done = {one.id for one in requests.values() if one.state is RefundState.DONE}
        assert done == set(named), f"{requests.values()} and {made}"
        assert done == requests.keys(), "none is lost, and none is open"
        for refused in self.answers.values():
            if isinstance(refused, NotRefunded):
                assert refused.why in (WhyNotRefunded.NOTHING_LEFT, WhyNotRefunded.TOO_MUCH)
        kept = {f.object_id for f in self.shop.memory.tables.facts.values() if f.kind is FactKind.REFUND}
        assert kept == {fact.object_id for fact in made}
        letters = [mail for mail in self.shop.letters_to(ANNA) if mail.subject.startswith("Your refund")]
        assert len(letters) == len(made), f"{len(letters)} emails about {len(made)} refunds"
        assert len(
            [line for line in self.shop.memory.tables.audit.values() if line.form != "revoked"]
        ) == len(requests)
        held = run(self.shop.store.read(lambda tx: tx.purchases.with_facts(self.order)))
        assert held is not None
        revoked = any(line.form == "revoked" for line in self.shop.memory.tables.audit.values())
        expected = PurchaseState.REVOKED if revoked or (self.cast.closes and made) else PurchaseState.LIVE
        total = sum(fact.amount for fact in made)
        assert held.standing.state is (PurchaseState.REFUNDED if total == PRICE else expected)


class _Instead:
    """A provider of which one method is another."""

    def __init__(self, provider: object, refund: object) -> None:
        self._provider = provider
        self.refund = refund

    def __getattr__(self, name: str) -> object:
        return getattr(self._provider, name)
