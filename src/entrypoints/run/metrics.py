"""Metrics as plain numbers; they are rendered as Prometheus text only on request.

No label contains a token, an id or an address: requests are named by their route.
"""

from __future__ import annotations

import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from domain.ports import InvalidWebhook, StoreFigures
from domain.records import Backlog
from domain.usecases.claim_outcome import ClaimOutcome, name_of
from domain.usecases.handle_payment_webhook import HandlePaymentWebhook, Outcome, PaymentWebhookHandled
from entrypoints.run.access_line import AccessLine
from entrypoints.run.timers import Round

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of durations, in seconds."""
_MOST_EVENT_TYPES: Final = 200
_METHODS: Final = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True, slots=True)
class Metrics:
    """All counters of this process since its start."""

    requests: dict[tuple[str, str, int], list[float]] = field(default_factory=dict)
    """By method, route and status: counts up to each bound, count above the last, and total seconds."""
    claims: Counter[str] = field(default_factory=Counter)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    rounds: Counter[tuple[str, str]] = field(default_factory=Counter)

    def noting(self, *others: Callable[[AccessLine], None]) -> Callable[[AccessLine], None]:
        """Return a callback that counts each answered request and calls the others; it does the minimum, for speed."""
        series, width = self.requests, len(BOUNDS) + 2

        def note(line: AccessLine) -> None:
            method = line.method
            key = (method if method in _METHODS else "other", line.route, line.status)
            found = series.get(key)
            if found is None:
                found = series[key] = [0] * width
            seconds = line.seconds
            found[bisect_left(BOUNDS, seconds)] += 1
            found[-1] += seconds
            for tell in others:
                tell(line)

        return note

    def claim(self, outcome: ClaimOutcome) -> None:
        """Count a committed claim."""
        self.claims[name_of(outcome)] += 1

    def mail(self, state: str) -> None:
        """Count an attempt to hand over a mail, by outcome."""
        self.mails[state] += 1

    def round(self, done: Round) -> None:
        """Count a finished round of a timer."""
        self.rounds[done.name, "failed" if done.problem else "done"] += 1

    def event(self, kind: str, outcome: str) -> None:
        """Count a delivery of the payment provider. The number of types is capped, although the provider sets them."""
        if len(self.events) > _MOST_EVENT_TYPES:
            kind = "other"
        self.events[kind, outcome] += 1


@dataclass(frozen=True, slots=True)
class CountedEvents:
    """Counts deliveries by type and outcome."""

    hear: HandlePaymentWebhook
    meter: Metrics

    async def __call__(self, body: bytes, signature: str) -> PaymentWebhookHandled[Outcome] | InvalidWebhook:
        """See HandlePaymentWebhook."""
        heard = await self.hear(body, signature)
        if isinstance(heard, InvalidWebhook):
            self.meter.event("other", "refused")
        else:
            self.meter.event(heard.type if heard.was_followed else "other", heard.name)
        return heard


def as_text(meter: Metrics, *, backlog: Backlog | None, store: StoreFigures, now: datetime) -> bytes:
    """All metrics in Prometheus' text format, 0.0.4. `backlog` is None while the store does not answer."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - not needed at start

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(list(_families(meter, backlog, store, now))))
    return generate_latest(registry)


class _Collected:
    """The collector that the library queries."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _families(meter: Metrics, backlog: Backlog | None, store: StoreFigures, now: datetime) -> Any:
    from prometheus_client import core  # noqa: PLC0415 - as above

    yield _requests(meter)
    claims = {(outcome,): number for outcome, number in meter.claims.items()}
    mails = {(state,): number for state, number in meter.mails.items()}
    for name, words, labels, counts in (
        ("coatcheck_claims", "Claims of checkouts, by outcome.", ["outcome"], claims),
        ("coatcheck_events", "Deliveries of Stripe's, by type and outcome.", ["type", "outcome"], dict(meter.events)),
        ("coatcheck_mails", "Mails handed over, by what they are then.", ["state"], mails),
        ("coatcheck_rounds", "Rounds of the timers.", ["timer", "outcome"], dict(meter.rounds)),
    ):  # fmt: skip
        family = core.CounterMetricFamily(name, words, labels=labels)
        for key, number in sorted(counts.items()):
            family.add_metric(list(key), number)
        yield family
    if store.commits is not None:
        yield core.CounterMetricFamily(
            "coatcheck_store_commits", "Transactions committed.", value=store.commits
        )
    if store.waiting is not None:
        yield core.GaugeMetricFamily(
            "coatcheck_store_queue", "Works that wait for the store.", value=store.waiting
        )
    yield core.GaugeMetricFamily(
        "coatcheck_store_up", "Whether the store answers.", value=backlog is not None
    )
    if backlog is not None:
        yield from _waiting(backlog, now)
    build = core.GaugeMetricFamily("coatcheck_build_info", "What runs.", labels=["version", "python"])
    build.add_metric([version("coatcheck"), platform.python_version()], 1)
    yield build


def _requests(meter: Metrics) -> Any:
    from prometheus_client import core  # noqa: PLC0415 - as above

    family = core.HistogramMetricFamily(
        "coatcheck_request_seconds", "Requests answered, by route.", labels=["method", "route", "status"]
    )
    for (method, route, status), counts in sorted(meter.requests.items()):
        buckets, so_far = [], 0.0
        for bound, number in zip((*map(str, BOUNDS), "+Inf"), counts, strict=False):
            so_far += number
            buckets.append((bound, so_far))
        family.add_metric([method, route, str(status)], buckets, sum_value=counts[-1])
    return family


def _waiting(backlog: Backlog, now: datetime) -> Any:
    from prometheus_client import core  # noqa: PLC0415 - as above

    mails = core.GaugeMetricFamily(
        "coatcheck_mails_waiting", "Mails in the outbox, by state.", labels=["state"]
    )
    mails.add_metric(["queued"], backlog.queued)
    mails.add_metric(["stuck"], backlog.stuck)
    yield mails
    since = backlog.oldest_queued_at
    age = 0.0 if since is None else max(0.0, (now - since).total_seconds())
    yield core.GaugeMetricFamily(
        "coatcheck_oldest_mail_seconds", "How long the oldest queued mail waits.", value=age
    )
    yield core.GaugeMetricFamily(
        "coatcheck_quarantine_open", "Payments that wait for the merchant.", value=backlog.quarantined
    )
