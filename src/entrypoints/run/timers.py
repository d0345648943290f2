"""The timers: deliver mail, follow the catalogue, reconcile, prune. A failing timer never stops the shop."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Final, NamedTuple

from domain.limits import turn_of
from domain.mail import Mail
from domain.ports import (
    Catalogue,
    Clock,
    Goods,
    PaymentsRefused,
    PaymentsUnreachable,
    Store,
    StoreUnavailable,
)
from domain.usecases.deliver_mail import DeliverMail
from domain.usecases.lease_mail import RENEW_EVERY, LeaseMail
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile import Reconcile
from domain.usecases.retry_quarantine import RetryQuarantine
from domain.usecases.supply_licences import SupplyLicences
from entrypoints.run.logs import log

_LOOK_FOR_MAIL: Final = timedelta(seconds=0.5)
_LOOK_AT_CATALOGUE: Final = timedelta(seconds=1)
_READ_PAYMENTS: Final = timedelta(seconds=15)
_RETRY_QUARANTINE: Final = timedelta(minutes=1)
_SWEEP: Final = timedelta(minutes=10)
_PRUNE: Final = timedelta(minutes=10)
_PRUNE_AT_ONCE: Final = 500
_PRUNE_GOODS: Final = timedelta(hours=6)
_SCRUB: Final = timedelta(minutes=30)
# Few at a time: mail can wait a second, shoppers' requests in the same process cannot.
_MAILS_AT_ONCE: Final = 2
# At most some twenty a second: carriers have rate limits (Resend: a few requests a second), and a burst of
# sales must not wait for its mails.
_BETWEEN_MAILS: Final = 0.1


class Round(NamedTuple):
    """One round of a timer, begun at a Unix time; `problem` is the kind of its error, or ""."""

    name: str
    began: float
    seconds: float
    problem: str


def _nobody_counts(_: str) -> None:
    """Mails are not counted."""


def _nobody_watches(_: Round) -> None:
    """Rounds are not watched."""


@dataclass(frozen=True, slots=True)
class Worker:
    """All work that runs without a request. Run it beside the server; cancel it to stop it."""

    lease_mail: LeaseMail
    deliver_mail: DeliverMail
    reconcile: Reconcile
    retry: RetryQuarantine
    recheck_payments: RecheckPayments
    supply_licences: SupplyLicences
    store: Store
    clock: Clock
    catalogue: Catalogue
    goods: Goods
    scrub_what_waits: Callable[[], Awaitable[None]]
    alone: bool = True
    """Whether no other node uses the same database; otherwise nodes take turns at work needed only once."""
    note_mail: Callable[[str], None] = _nobody_counts
    note_round: Callable[[Round], None] = _nobody_watches

    async def run(self) -> None:
        """Run every timer until cancelled."""
        if self.alone:
            await _once(self.take_back_leases, "mail")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(_LOOK_FOR_MAIL, self.deliver_due, "mail"))
            group.create_task(self._every(_LOOK_AT_CATALOGUE, self.catalogue.refresh, "catalogue"))
            group.create_task(self.follow_editions())
            group.create_task(self._in_turn(_READ_PAYMENTS, self.read_due_payments, "payments"))
            group.create_task(self._in_turn(_RETRY_QUARANTINE, self.retry_quarantine, "quarantine"))
            group.create_task(self._in_turn(_SWEEP, self.sweep, "reconcile"))
            group.create_task(self._in_turn(_PRUNE, self.prune, "prune"))
            group.create_task(self._in_turn(_SCRUB, self.scrub_what_waits, "scrub"))
            group.create_task(self._every(_PRUNE_GOODS, self.tidy_goods, "goods"))

    async def _every(self, pause: timedelta, work: Callable[[], Awaitable[None]], name: str) -> None:
        while True:
            began, at = time.time(), time.perf_counter()
            problem = await _once(work, name)
            self.note_round(Round(name, began, time.perf_counter() - at, problem))
            await asyncio.sleep(pause.total_seconds())

    async def _in_turn(self, pause: timedelta, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Like `_every`, but on one node at a time. Two at once would be harmless, but do all work twice."""

        async def if_it_is_ours() -> None:
            if self.alone or await self.our_turn(name, pause=pause):
                await work()

        await self._every(pause, if_it_is_ours, name)

    async def our_turn(self, name: str, *, pause: timedelta) -> bool:
        """Take this timer's turn; False if another node took it within `pause`. Raises StoreUnavailable."""
        now, turn = self.clock.now(), turn_of(name, pause=pause)
        taken = await self.store.transact(
            lambda tx: tx.limits.acquire(turn.kind, turn, now=now, ref=token_hex(8))
        )
        return taken is None

    async def deliver_due(self) -> None:
        """Hand over all due mails, a few at a time."""
        while mails := await self.lease_mail():
            waiting = list(mails)
            holding = asyncio.create_task(self._hold(mails))
            try:
                await asyncio.gather(*(self._carry(waiting) for _ in range(_MAILS_AT_ONCE)))
            finally:
                holding.cancel()

    async def _hold(self, mails: Sequence[Mail]) -> None:
        """Renew the leases of mails being sent: the carrier may take longer than a lease lasts."""
        while mails:
            await asyncio.sleep(RENEW_EVERY.total_seconds())
            try:
                mails = await self.lease_mail.renew(mails)
            except StoreUnavailable:
                log.warning("leases of mails could not be renewed")

    async def take_back_leases(self) -> None:
        """Take back the leases of mails that an earlier process was sending when it died."""
        held = await self.lease_mail.take_back()
        if held:
            log.info("mails taken back from a process that died", extra={"fields": {"count": held}})

    async def _carry(self, waiting: list[Mail]) -> None:
        while waiting:
            self.note_mail((await self.deliver_mail(waiting.pop(0))).value)
            await asyncio.sleep(_BETWEEN_MAILS)

    async def follow_editions(self) -> None:
        """Stock the lists of licence keys at the start and whenever the catalogue changes."""
        known = ""
        while True:
            known = await self.follow_edition(known)
            await asyncio.sleep(_LOOK_AT_CATALOGUE.total_seconds())

    async def follow_edition(self, known: str) -> str:
        """Return the version whose lists are stocked; `known` if stocking must be retried."""
        version = self.catalogue.current().version
        if version == known:
            return known
        problem = await _once(self._stock_licences, "licences")
        return known if problem else version

    async def _stock_licences(self) -> None:
        served = await self.supply_licences()
        if served:
            log.info("licence keys sent to those who waited", extra={"fields": {"count": served}})

    async def read_due_payments(self) -> None:
        """Query payments whose facts have no sale or are not final."""
        read = await self.recheck_payments()
        told = Counter(result.value for _, result in read)
        if told:
            log.info("payments read", extra={"fields": dict(told)})

    async def retry_quarantine(self) -> None:
        """Retry the entries in quarantine."""
        booked = await self.retry()
        if booked:
            log.warning("quarantine settled", extra={"fields": {"booked": booked}})

    async def sweep(self) -> None:
        """Claim sales that neither redirect nor webhook reported."""
        found = await self.reconcile()
        if found.booked or found.noted:
            fields = {"sales": len(found.booked), "facts": len(found.noted)}
            log.warning("found what no webhook told of", extra={"fields": fields})

    async def prune(self) -> None:
        """Delete outdated rows, in transactions of bounded size."""
        now = self.clock.now()
        thrown_out = _PRUNE_AT_ONCE
        while thrown_out >= _PRUNE_AT_ONCE:
            thrown_out = await self.store.transact(lambda tx: tx.retention.prune(now=now))

    async def tidy_goods(self) -> None:
        """Delete contents that the catalogue has not named for long."""
        await self.goods.prune(self.catalogue.current().contents, now=self.clock.now())


async def _once(work: Callable[[], Awaitable[None]], name: str) -> str:
    """Run it once; an error is logged, not raised. Return the kind of the error, or ""."""
    try:
        await work()
    except (StoreUnavailable, PaymentsUnreachable, PaymentsRefused) as error:
        log.warning(f"{name} waits", extra={"fields": {"error": type(error).__name__}})
        return type(error).__name__
    except Exception as error:
        log.error(f"{name} failed", exc_info=error)
        return type(error).__name__
    return ""
