"""POST /webhook to a durable claim with its access email queued: against the peer, the floor, and with a long past."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.sql.retention import Retention
from adapters.sqlite.connections import open_writer
from bench.speed.figures import Figure, Goal, alternating
from bench.speed.load import fire
from bench.speed.sales import deliveries
from bench.speed.stage import Stage, Subject
from testkit.servers import ROOT, WEBHOOK_SECRET, Process, clean_environment, free_port

# The peer looks sales up in a table without an index, so it slows down with every sale: it is spared most of them.
_PEER_SALES = 400
_DAYS = (2, 100)
"""After the first, the body of the email is gone; after the second, all that is not kept for ever."""
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
            "webhook", _WHAT, "/s", ours, peers, against="the peer", goal=8, judged=Goal.TIMES, engine=name
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


def floor(stage: Stage) -> Iterator[Figure]:
    """On SQLite: the share that the shop reaches of a bare handler that verifies and writes six rows."""
    subject = stage.shop
    with _bare_handler(stage) as (url, database):

        def bare() -> float:
            sales, before = subject.till.draw(stage.wish.sales), _rows(database)
            rate = fire(url, deliveries(sales), folder=stage.folder)
            # wrk repeats the last one until it has heard its answer, and the handler knows no repetitions.
            assert _rows(database) - before >= len(sales)
            return rate

        ours, floors = alternating(stage.wish.runs, _claims(stage, subject), bare)
    yield Figure(
        "floor", "webhook, of a bare handler with six inserts", "/s", ours, floors, against="the floor", goal=0.6,
        judged=Goal.TIMES, engine="sqlite",
    )  # fmt: skip


@contextlib.contextmanager
def _bare_handler(stage: Stage) -> Iterator[tuple[str, Path]]:
    """Its address, and its database."""
    database, port = stage.folder / "floor.db", free_port()
    url = f"http://127.0.0.1:{port}"
    command = [stage.python, "-m", "bench.speed.floor", str(port), str(database), WEBHOOK_SECRET]
    environment = clean_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}")
    environment.pop("PYTHONWARNINGS", None)
    bare = Process(command, stage.folder, environment, stage.folder / "floor.log")
    bare.start(f"{url}/")
    try:
        yield url, database
    finally:
        bare.kill()


def _rows(database: Path) -> int:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30)) as db:
        return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


def bytes_a_sale(stage: Stage) -> Iterator[Figure]:
    """What a sale takes in the file after its email is sent, some time later; free pages do not count."""
    subject = stage.shop
    before = [_packed(stage, subject, days=days) for days in _DAYS]
    sales = subject.till.draw(stage.wish.sales)
    subject.till.tell(sales, subject.shop.url)
    subject.settle()
    for days, empty in zip(_DAYS, before, strict=True):
        each = (_packed(stage, subject, days=days) - empty) / len(sales)
        yield Figure(
            "bytes-sale", f"bytes of the database a sale, {days} days after its email was sent", "B", [each],
            goal=1500, judged=Goal.AT_MOST, engine="sqlite",
        )  # fmt: skip


def _packed(stage: Stage, subject: Subject, *, days: int) -> int:
    """The size of a copy without free pages, so many days later, when what is kept for less is gone."""
    copy, packed = stage.folder / "copy.db", stage.folder / "packed.db"
    for path in (copy, packed):
        path.unlink(missing_ok=True)
    with closing(sqlite3.connect(subject.engine.url.removeprefix("sqlite:///"), timeout=30)) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    with closing(open_writer(copy, checkpoints=True)) as db:
        while Retention(db.execute).prune(now=datetime.now(UTC) + timedelta(days=days)):
            pass
        db.execute("VACUUM INTO ?", (str(packed),))
    return packed.stat().st_size


def _claims(stage: Stage, subject: Subject) -> Callable[[], float]:
    """One run: so many events, answered; then each must be a purchase with an access email."""

    def measure() -> float:
        before = subject.engine.counts()
        sales = subject.till.draw(stage.wish.sales)
        rate = subject.till.tell(sales, subject.shop.url)
        subject.settle()
        after = subject.engine.counts()
        for counted in ("purchases", "access_emails"):
            made = after[counted] - before[counted]
            assert made == len(sales), f"{made} {counted} of {len(sales)} sales"
        return rate

    return measure


def _peers(stage: Stage, subject: Subject) -> Callable[[], float]:
    def measure() -> float:
        sales = subject.till.draw(_PEER_SALES)
        return fire(stage.peer.url, deliveries(sales), folder=stage.folder)

    return measure
