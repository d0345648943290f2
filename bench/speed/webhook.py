"""POST /webhook to a durable claim with its ticket queued: against the peer, and with a long past in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.speed.figures import Figure, Goal, alternating
from bench.speed.load import fire
from bench.speed.sales import deliveries
from bench.speed.stage import Stage, Subject

# The peer looks sales up in a table without an index, so it slows down with every sale: it is spared most of them.
_PEER_SALES = 400
_WHAT = "webhook to durable claim, 64 at a time"


def webhook(stage: Stage) -> Iterator[Figure]:
    """Every event is of a checkout of its own, of a browser of its own, paid by a mailbox of its own."""
    for name in stage.wish.engines:
        found = stage.subject(name)
        if isinstance(found, str):
            yield Figure("webhook", _WHAT, "/s", engine=name, note=found)
            continue
        ours, peers = alternating(stage.wish.runs, _claims(stage, found), _peers(stage, found))
        yield Figure(
            "webhook", _WHAT, "/s", ours, peers, against="the peer", goal=12, judged=Goal.TIMES, engine=name
        )


def webhook_full(stage: Stage) -> Iterator[Figure]:
    """The same with a long past, against the same with none."""
    what = f"the same, {stage.wish.past:,} purchases in the store"
    for name in stage.wish.engines:
        empty = stage.subject(name)
        full = empty if isinstance(empty, str) else stage.subject(name, past=stage.wish.past)
        if isinstance(empty, str) or isinstance(full, str):
            yield Figure("webhook-full", what, "/s", engine=name, note=str(full))
            continue
        # The first run of each only fills its caches: books as large are never cold in a shop that sells.
        measures = (_claims(stage, full), _claims(stage, empty))
        alternating(1, *measures)
        of_full, of_empty = alternating(stage.wish.runs, *measures)
        yield Figure(
            "webhook-full", what, "/s", of_full, of_empty, against="the empty one", goal=0.9, judged=Goal.TIMES,
            engine=name,
        )  # fmt: skip


def _claims(stage: Stage, subject: Subject) -> Callable[[], float]:
    """One run: so many events, answered; then each must be a purchase with a ticket."""

    def measure() -> float:
        before = subject.engine.counts()
        sales = subject.till.draw(stage.wish.sales)
        rate = subject.till.tell(sales, subject.shop.url)
        subject.settle()
        after = subject.engine.counts()
        for counted in ("purchases", "tickets"):
            made = after[counted] - before[counted]
            assert made == len(sales), f"{made} {counted} of {len(sales)} sales"
        return rate

    return measure


def _peers(stage: Stage, subject: Subject) -> Callable[[], float]:
    def measure() -> float:
        sales = subject.till.draw(_PEER_SALES)
        return fire(stage.peer.url, deliveries(sales), folder=stage.folder)

    return measure
