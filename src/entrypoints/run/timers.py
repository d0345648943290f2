"""The timers: deliver mail, follow the catalogue, reconcile, prune. A failing timer never stops the shop."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex
from typing import Final, NamedTuple

from domain.limits import turn_of
from domain.ports import (
    Catalogue,
    Clock,
    Goods,
    PaymentsRefused,
    PaymentsUnreachable,
    Store,
    StoreUnavailable,
)
from domain.usecases.act_on_fraud_warnings import ActOnFraudWarnings
from domain.usecases.code_links import CodeLinks
from domain.usecases.expire_duplicates import ExpireDuplicates
from domain.usecases.lease_mail import RENEW_EVERY
from domain.usecases.link_audit import LinkAudit
from domain.usecases.recheck_payments import RecheckPayments
from domain.usecases.reconcile import Reconcile
from domain.usecases.report_withdrawals import ReportWithdrawals
from domain.usecases.retry_quarantine import RetryQuarantine
from domain.usecases.review_catalogue import ReviewCatalogue
from domain.usecases.run_uploads import RunUploads
from domain.usecases.send_refunds import SendRefunds
from domain.usecases.send_sales_digest import SendSalesDigest
from domain.usecases.sum_days import SumDays
from domain.usecases.supply_licences import SupplyLicences
from domain.values import CheckoutId
from entrypoints.run.address_watch import AddressWatch
from entrypoints.run.logs import log
from entrypoints.run.outbox_worker import OutboxWorker
from entrypoints.run.shared_limits_watch import SharedLimitsWatch

_LOOK_FOR_MAIL: Final = timedelta(seconds=0.5)
_LOOK_AT_CATALOGUE: Final = timedelta(seconds=1)
_LOOK_AT_PAID: Final = timedelta(seconds=1)
_LOOK_AT_ADDRESS: Final = timedelta(seconds=1)
_LOOK_AT_LIMITS: Final = timedelta(seconds=1)
_LOOK_AT_CODES: Final = timedelta(seconds=5)
_LOOK_FOR_REFUNDS: Final = timedelta(seconds=1)
_LOOK_FOR_UPLOADS: Final = timedelta(seconds=3)
_READ_PAYMENTS: Final = timedelta(seconds=15)
_RETRY_QUARANTINE: Final = timedelta(minutes=1)
_SWEEP: Final = timedelta(minutes=10)
_SERVE_LICENCES: Final = timedelta(minutes=10)
_REPORT_SALES: Final = timedelta(minutes=10)
_SUM_DAYS: Final = timedelta(minutes=10)
_LINK_AUDIT: Final = timedelta(minutes=1)
_PRUNE: Final = timedelta(minutes=10)
_PRUNE_AT_ONCE: Final = 500
_PRUNE_GOODS: Final = timedelta(hours=6)
_REPORT_WITHDRAWALS: Final = timedelta(minutes=1)
_SCRUB: Final = timedelta(minutes=30)


class Round(NamedTuple):
    """One round of a timer, begun at a Unix time; `problem` is the kind of its error, or ""."""

    name: str
    began: float
    seconds: float
    problem: str


def _nobody_watches(_: Round) -> None:
    """Rounds are not watched."""


@dataclass(frozen=True, slots=True)
class Worker:
    """All work that runs without a request. Run it beside the server; cancel it to stop it."""

    outbox: OutboxWorker
    send_refunds: SendRefunds
    act_on_fraud_warnings: ActOnFraudWarnings
    report_withdrawals: ReportWithdrawals
    reconcile: Reconcile
    retry: RetryQuarantine
    recheck_payments: RecheckPayments
    supply_licences: SupplyLicences
    review_catalogue: ReviewCatalogue
    send_sales_digest: SendSalesDigest
    sum_days: SumDays
    run_uploads: RunUploads
    link_audit: LinkAudit
    store: Store
    clock: Clock
    catalogue: Catalogue
    goods: Goods
    code_links: CodeLinks
    scrub_what_waits: Callable[[], Awaitable[None]]
    expire_duplicates: ExpireDuplicates
    address: AddressWatch
    """Under another address than the database's, no timer claims or sends anything."""
    shared_limits: SharedLimitsWatch
    paid: deque[CheckoutId] = field(default_factory=deque)
    """What was paid lately in this process (`entrypoints.run.paid_lately`)."""
    alone: bool = True
    """Whether no other node uses the same database; otherwise nodes take turns at work needed only once."""
    note_round: Callable[[Round], None] = _nobody_watches

    async def run(self) -> None:
        """Run every timer until cancelled."""
        if self.alone:
            await _once(self.outbox.take_back_leases, "mail")
            await _once(self._take_refunds_back, "refunds")
        try:
            await self._run_timers()
        finally:
            await self.outbox.close()

    async def _run_timers(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(_LOOK_AT_ADDRESS, self.address.look, "address"))
            group.create_task(self._every(_LOOK_FOR_MAIL, self._acting(self.outbox.deliver_due), "mail"))
            group.create_task(self._every(RENEW_EVERY, self.outbox.renew_leases, "leases"))
            group.create_task(
                self._every(_LOOK_AT_PAID, self._acting(self.expire_what_was_paid), "duplicates")
            )
            group.create_task(
                self._every(_LOOK_FOR_REFUNDS, self._acting(self.send_what_is_refunded), "refunds")
            )
            group.create_task(self._every(_LOOK_FOR_UPLOADS, self._acting(self.work_on_uploads), "uploads"))
            group.create_task(self._every(_LOOK_AT_CATALOGUE, self.catalogue.refresh, "catalogue"))
            group.create_task(
                self._every(_LOOK_AT_LIMITS, self._acting(self.shared_limits.look), "shared limits")
            )
            group.create_task(self._every(_LOOK_AT_CODES, self.code_links.refresh, "code links"))
            group.create_task(self.follow_editions())
            group.create_task(self._in_turn(_READ_PAYMENTS, self._acting(self.read_due_payments), "payments"))
            group.create_task(self._in_turn(_READ_PAYMENTS, self._acting(self.act_on_warnings), "fraud"))
            group.create_task(
                self._in_turn(_REPORT_WITHDRAWALS, self._acting(self.act_on_withdrawals), "withdrawals")
            )
            group.create_task(
                self._in_turn(_RETRY_QUARANTINE, self._acting(self.retry_quarantine), "quarantine")
            )
            group.create_task(self._in_turn(_SWEEP, self._acting(self.sweep), "reconcile"))
            group.create_task(self._in_turn(_SERVE_LICENCES, self._acting(self.serve_licences), "licences"))
            group.create_task(self._in_turn(_REPORT_SALES, self._acting(self.send_sales_digest), "sales"))
            group.create_task(self._in_turn(_SUM_DAYS, self._close_days, "sums"))
            group.create_task(self._in_turn(_LINK_AUDIT, self._link_lines, "audit"))
            group.create_task(self._in_turn(_PRUNE, self.prune, "prune"))
            group.create_task(self._in_turn(_SCRUB, self.scrub_what_waits, "scrub"))
            group.create_task(self._every(_PRUNE_GOODS, self.tidy_goods, "goods"))

    async def _every(self, pause: timedelta, work: Callable[[], Awaitable[None]], name: str) -> None:
        while True:
            began, at = time.time(), time.perf_counter()
            problem = await _once(work, name)
            self.note_round(Round(name, began, time.perf_counter() - at, problem))
            await asyncio.sleep(pause.total_seconds())

    def _acting(self, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Work that claims or sends."""

        async def if_this_is_our_address() -> None:
            if self.address.elsewhere is None:
                await work()

        return if_this_is_our_address

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

    async def follow_editions(self) -> None:
        """Stock the lists of licence keys and report mistakes, at the start and whenever the catalogue changes."""
        known = ""
        while True:
            known = await self.follow_edition(known)
            await asyncio.sleep(_LOOK_AT_CATALOGUE.total_seconds())

    async def follow_edition(self, known: str) -> str:
        """Return the version that is followed; `known` if that must be retried."""
        version = self.catalogue.current().version
        if version == known or self.address.elsewhere is not None:
            return known
        works = ((self._stock_licences, "licences"), (self.review_catalogue.notify, "catalogue"))
        problems = [await _once(work, name) for work, name in works]
        return known if any(problems) else version

    async def _close_days(self) -> None:
        """Until a round finds nothing to do: after a change of the time zone there are years of days."""
        while await self.sum_days.close():
            pass

    async def _link_lines(self) -> None:
        await self.link_audit()

    async def _stock_licences(self) -> None:
        _log_served(await self.supply_licences())

    async def serve_licences(self) -> None:
        """Give keys to purchases in line that became live again since the lists were stocked."""
        _log_served(await self.supply_licences.serve())

    async def read_due_payments(self) -> None:
        """Query payments whose facts have no sale or are not final."""
        read = await self.recheck_payments()
        told = Counter(result.value for _, result in read)
        if told:
            log.info("payments read", extra={"fields": dict(told)})

    async def _take_refunds_back(self) -> None:
        await self.send_refunds.take_back()

    async def send_what_is_refunded(self) -> None:
        """Send the refunds that were asked for to the payment provider. Each is leased, so every node may look."""
        if sent := await self.send_refunds():
            log.info("refunds sent", extra={"fields": {"count": sent}})

    async def work_on_uploads(self) -> None:
        """Check and import the files that the merchant uploaded. Each is leased, so every node may look."""
        if count := await self.run_uploads():
            log.info("files worked on", extra={"fields": {"count": count}})

    async def act_on_warnings(self) -> None:
        """Email the merchant about fraud warnings, or refund them."""
        if asked := await self.act_on_fraud_warnings():
            log.warning("refunds asked for after fraud warnings", extra={"fields": {"count": asked}})

    async def act_on_withdrawals(self) -> None:
        """Email the merchant about withdrawals, and accept those that shop.toml lets be accepted."""
        if accepted := await self.report_withdrawals():
            log.info("withdrawals accepted", extra={"fields": {"count": accepted}})

    async def retry_quarantine(self) -> None:
        """Retry the entries in quarantine."""
        booked = await self.retry()
        if booked:
            log.warning("quarantine settled", extra={"fields": {"booked": booked}})

    async def expire_what_was_paid(self) -> None:
        """Expire the other payment pages of browsers that paid a moment ago."""
        while self.paid:
            await self.expire_duplicates(self.paid.popleft())

    async def sweep(self) -> None:
        """Claim sales that neither redirect nor webhook reported."""
        found = await self.reconcile()
        for name in found.unlisted:
            log.warning("a list of the payment provider cannot be read", extra={"fields": {"list": name}})
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
        """Delete contents that the catalogue has not named for long, and what was kept of products nobody owns."""
        owned = await self.store.read(lambda tx: tx.purchases.products_owned())
        await self.catalogue.forget(owned=frozenset(owned), now=self.clock.now())
        await self.goods.prune(self.catalogue.current().contents, now=self.clock.now())


def _log_served(served: int) -> None:
    if served:
        log.info("licence keys sent to those who waited", extra={"fields": {"count": served}})


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
