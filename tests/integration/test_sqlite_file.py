"""The store's own promises on an SQLite file: durability, queues, disks that fail, and other processes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contracts import samples

from adapters.sqlite.connections import AlreadyServed, NotDurable, open_reader
from adapters.sqlite.copies import SqliteCopies
from adapters.sqlite.store import SqliteStore
from domain.fact import Fact, FactKind
from domain.mail import MailState
from domain.ports import StoreBusy, StoreUnavailable
from domain.session import Session
from domain.transaction import ReadTransaction, Transaction
from domain.values import Digest, SessionId
from testkit.waiting import wait_until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


def test_it_promises_durability_and_keeps_others_out(path: Path) -> None:
    store = SqliteStore.open(path, serving=True)
    try:
        pragmas = {p: store._write_connection.execute(f"PRAGMA {p}").fetchone()[0]
                   for p in ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(AlreadyServed, match="stop it first"):
            SqliteStore.open(path, serving=True)
    finally:
        store.close()
    SqliteStore.open(path, serving=True).close()


def test_a_lost_unique_index_is_found_at_the_start(path: Path) -> None:
    SqliteStore.open(path, serving=True).close()
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX users_email")
    connection.close()
    with pytest.raises(NotDurable, match=r"users \(email\)"):
        SqliteStore.open(path, serving=True)


def test_readers_cannot_write(path: Path) -> None:
    SqliteStore.open(path, serving=True).close()
    reader = open_reader(path)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM users")
    reader.close()


def test_those_who_wait_are_committed_together(path: Path) -> None:
    async def main() -> int:
        store = SqliteStore.open(path, serving=True)
        try:
            before = store.figures().commits
            await asyncio.gather(
                *(
                    store.transact(lambda tx, n=n: tx.outbox.queue(samples.a_mail(f"m{n}")))
                    for n in range(200)
                )
            )
            return store.figures().commits - before
        finally:
            store.close()

    assert asyncio.run(main()) <= 20


async def _begun(store: SqliteStore) -> None:
    """Until what waited has begun."""
    while store.figures().waiting or not store._writer.under_way:  # noqa: ASYNC110 - the store has no event to wait for
        await asyncio.sleep(0)


def test_cancelling_a_caller_neither_withdraws_its_work_nor_harms_the_writer(path: Path) -> None:
    """A lock that somebody else holds keeps the work waiting in the middle of being done."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    async def main() -> list[bool]:
        store = SqliteStore.open(path, serving=True)
        try:
            other.execute("BEGIN IMMEDIATE")
            task = asyncio.create_task(store.transact(lambda tx: tx.outbox.queue(samples.a_mail("slow"))))
            await _begun(store)
            task.cancel()
            await asyncio.sleep(0)
            other.execute("ROLLBACK")
            again = await store.transact(lambda tx: tx.outbox.queue(samples.a_mail("slow")))
            return [task.cancelled(), again]
        finally:
            store.close()

    try:
        assert asyncio.run(main()) == [True, False], "it was cancelled, and its mail stands"
    finally:
        other.close()


def test_a_full_queue_refuses_before_it_began(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    async def main() -> tuple[int, int]:
        store = SqliteStore.open(path, serving=True)
        try:
            other.execute("BEGIN IMMEDIATE")
            blocker = asyncio.create_task(store.transact(lambda _: None))
            await _begun(store)
            works = [
                store.transact(lambda tx, n=n: tx.outbox.queue(samples.a_mail(f"m{n:03}")))
                for n in range(300)
            ]
            waiting = asyncio.gather(*works, return_exceptions=True)
            await asyncio.sleep(0)
            other.execute("ROLLBACK")
            answers = await waiting
            await blocker
            refused = sum(isinstance(a, StoreBusy) for a in answers)
            written = await store.read(lambda tx: len(tx.outbox.page_after("", limit=999)))
            return refused, written
        finally:
            store.close()

    try:
        assert asyncio.run(main()) == (300 - 256, 256)
    finally:
        other.close()


def test_a_work_that_takes_long_does_not_keep_the_loop_from_others(path: Path) -> None:
    """After five milliseconds the rest of a group is left for the next: requests come in between."""
    store = SqliteStore.open(path, serving=True)

    def slow(tx: Transaction) -> bool:
        until = time.monotonic() + 0.02
        while time.monotonic() < until:
            pass
        return tx.outbox.queue(samples.a_mail(f"m{len(tx.outbox.page_after('', limit=999))}"))

    async def main() -> int:
        before = store.figures().commits
        assert await asyncio.gather(*(store.transact(slow) for _ in range(10))) == [True] * 10
        return store.figures().commits - before

    try:
        assert asyncio.run(main()) == 10
    finally:
        store.close()


def test_a_loop_that_is_gone_leaves_the_turn_to_others(path: Path) -> None:
    """Its callers wait no more, so whoever comes next, in whatever loop, begins; and closing finishes what waits."""
    store = SqliteStore.open(path, serving=True)
    lost = asyncio.new_event_loop()

    async def ask() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await store.transact(lambda tx: tx.outbox.queue(samples.a_mail("lost")))

    async def see() -> tuple[bool, bool]:
        fresh = await store.transact(lambda tx: tx.outbox.queue(samples.a_mail("fresh")))
        return fresh, await store.transact(lambda tx: tx.outbox.queue(samples.a_mail("lost")))

    try:
        task = lost.create_task(ask())
        lost.call_soon(lost.stop)
        lost.run_forever()  # one turn: the work waits, and nobody has begun it
        assert store.figures().waiting == 1
        lost.close()
        task._log_destroy_pending = False  # its loop was closed under it on purpose
        assert asyncio.run(asyncio.wait_for(see(), 10)) == (True, False), "both stand"
    finally:
        store.close()


def test_many_loops_share_one_writer(path: Path) -> None:
    store = SqliteStore.open(path, serving=True)
    wrote: list[int] = []

    async def queue(number: int) -> bool:
        while True:
            try:
                return await store.transact(lambda tx: tx.outbox.queue(samples.a_mail(f"m{number}")))
            except StoreBusy:  # a slow disk: whoever is told so tries again
                continue

    def a_program(program: int) -> None:
        async def main() -> int:
            return sum(await asyncio.gather(*map(queue, range(30))))

        wrote.append(asyncio.run(main()))

    programs = [threading.Thread(target=a_program, args=(n,)) for n in range(8)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    store.close()
    assert len(wrote) == 8
    assert sum(wrote) == 30, "each mail was queued by exactly one of them"


def test_nobody_waits_for_a_disk_that_hangs(path: Path) -> None:
    """Who has not begun is told after five seconds, though nothing comes to an end; then all goes on."""
    store = SqliteStore.open(path, serving=True)
    begun, over = threading.Event(), threading.Event()

    async def main() -> bool:
        hanging = asyncio.create_task(store._writer.between(lambda _: begun.set() or over.wait(120)))
        await asyncio.to_thread(begun.wait)
        with pytest.raises(StoreBusy, match="waited more than 5.0 s"):
            await store.transact(lambda tx: tx.outbox.queue(samples.a_mail()))
        assert not hanging.done()
        over.set()
        await hanging
        return await store.transact(lambda tx: tx.outbox.queue(samples.a_mail()))

    try:
        queued = asyncio.run(main())
    finally:
        over.set()
        store.close()
    assert queued is True, "and the first one was not done"


def test_a_lock_held_by_another_program_is_busy_and_passes(path: Path) -> None:
    store = SqliteStore.open(path, serving=True)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreBusy):
            asyncio.run(store.transact(lambda tx: tx.outbox.queue(samples.a_mail())))
        other.execute("ROLLBACK")
        assert asyncio.run(store.transact(lambda tx: tx.outbox.queue(samples.a_mail()))) is True
    finally:
        other.close()
        store.close()


def test_a_full_disk_leaves_nothing_half_written_and_works_again_by_itself(path: Path) -> None:
    """max_page_count gives SQLITE_FULL, which ends the whole transaction: each work is run again alone, once."""
    store = SqliteStore.open(path, serving=True)
    pages = store._write_connection.execute("PRAGMA page_count").fetchone()[0]
    big = samples.a_mail("big")
    huge = replace(big, problem="x" * 2_000_000)

    async def crowd() -> list[Any]:
        small = [
            store.transact(lambda tx, n=n: tx.outbox.queue(samples.a_mail(f"small{n}"))) for n in range(5)
        ]
        return await asyncio.gather(
            store.transact(lambda tx: tx.outbox.queue(huge)), *small, return_exceptions=True
        )

    try:
        store._write_connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        answers = asyncio.run(crowd())
        assert isinstance(answers[0], StoreUnavailable)
        assert answers[1:] == [True] * 5
        store._write_connection.execute("PRAGMA max_page_count = 1000000")
        assert asyncio.run(store.transact(lambda tx: tx.outbox.queue(huge))) is True
    finally:
        store.close()


def test_a_disk_that_failed_has_failed_until_a_write_succeeds(path: Path) -> None:
    """Works that write nothing, such as the mail worker's look, say nothing of the disk."""
    store = SqliteStore.open(path, serving=True)
    pages = store._write_connection.execute("PRAGMA page_count").fetchone()[0]
    mail = samples.a_mail("big")
    huge = replace(mail, problem="x" * 2_000_000)
    try:
        store._write_connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(StoreUnavailable):
            asyncio.run(
                store.transact(lambda tx: (tx.outbox.queue(mail), tx.outbox.queue(replace(huge, key="huge"))))
            )
        asyncio.run(store.transact(lambda tx: tx.outbox.lease(now=samples.NOW, until=samples.NOW, limit=9)))
        assert store._writer.failing
        asyncio.run(store.ready())
        assert not store._writer.failing, "it wrote a row to see whether it can"
    finally:
        store.close()


def test_a_backup_is_a_whole_shop_and_holds_no_secret(path: Path, tmp_path: Path) -> None:
    store = SqliteStore.open(path, serving=True)
    asyncio.run(store.transact(lambda tx: tx.outbox.queue(samples.a_mail())))
    copy = tmp_path / "copy.db"
    SqliteCopies(path).snapshot(copy)
    store.close()
    restored = SqliteStore.open(copy, serving=True)
    assert asyncio.run(restored.read(lambda tx: tx.outbox.get("m1"))) == samples.a_mail()
    restored.close()


def test_a_commit_of_another_process_is_seen_soon_and_one_of_our_own_at_once(path: Path) -> None:
    server, neighbour = SqliteStore.open(path, serving=True), SqliteStore.open(path, serving=False)

    def session() -> Session | None:
        return asyncio.run(server.read(lambda tx: tx.sessions.by_token(Digest("t1"))))

    try:
        assert session() is None
        asyncio.run(neighbour.transact(lambda tx: tx.sessions.add(samples.a_session())))
        wait_until(lambda: session() == samples.a_session())
        asyncio.run(server.transact(lambda tx: tx.sessions.end(SessionId("s1"))))
        assert session() is None
    finally:
        server.close()
        neighbour.close()


def test_a_mail_is_as_it_was_last_settled(path: Path) -> None:
    """What became of an access email stands on its buyer's pages: a remembered mail must not outlive a commit."""
    server, neighbour = SqliteStore.open(path, serving=True), SqliteStore.open(path, serving=False)

    def state() -> MailState | None:
        mail = asyncio.run(server.read(lambda tx: tx.outbox.get("m1")))
        return None if mail is None else mail.state

    try:
        assert state() is None
        asyncio.run(server.transact(lambda tx: tx.outbox.queue(samples.a_mail())))
        assert state() is MailState.QUEUED
        asyncio.run(server.transact(lambda tx: tx.outbox.settle("m1", state=MailState.STUCK, at=samples.NOW)))
        assert state() is MailState.STUCK
        asyncio.run(
            neighbour.transact(lambda tx: tx.outbox.settle("m1", state=MailState.SENT, at=samples.NOW))
        )
        wait_until(lambda: state() is MailState.SENT)
    finally:
        server.close()
        neighbour.close()


def test_a_payment_under_way_is_shown_until_it_is_settled(path: Path) -> None:
    """It keeps its customer from paying twice: what is remembered of it must not outlive a commit."""
    server, neighbour = SqliteStore.open(path, serving=True), SqliteStore.open(path, serving=False)
    checkout = samples.a_checkout("c1", ref="cs_test_1")

    def pending() -> list[str]:
        assert checkout.session is not None
        session = checkout.session
        return [c.id for c in asyncio.run(server.read(lambda tx: tx.open_payments.pending_in(session, None)))]

    def heard(status: str, as_of: int) -> Fact:
        return Fact("cs_test_1", FactKind.SESSION, None, as_of=as_of, status=status, amount=900)

    try:
        assert pending() == []
        asyncio.run(server.transact(lambda tx: tx.checkouts.add(checkout)))
        asyncio.run(server.transact(lambda tx: tx.facts.record(heard("unpaid", 1))))
        assert pending() == ["c1"]
        asyncio.run(neighbour.transact(lambda tx: tx.facts.record(heard("failed", 2))))
        wait_until(lambda: pending() == [])
    finally:
        server.close()
        neighbour.close()


def test_no_read_ever_sees_two_states(path: Path) -> None:
    """What is remembered and what is looked up afresh are of one state, whoever commits in between."""
    server, neighbour = SqliteStore.open(path, serving=True), SqliteStore.open(path, serving=False)
    seen: list[tuple[bool, bool]] = []

    def look(tx: ReadTransaction) -> tuple[bool, bool]:
        pair = (tx.sessions.by_token(Digest("t1")) is not None, tx.outbox.get("m1") is not None)
        seen.append(pair)
        return pair

    def both(tx: Transaction) -> None:
        tx.sessions.add(samples.a_session())
        tx.outbox.queue(samples.a_mail())

    async def main() -> tuple[bool, bool]:
        await server.read(lambda tx: tx.sessions.by_token(Digest("t1")))  # remembered: there is none
        await neighbour.transact(both)
        return await server.read(look)  # at once, so that what is remembered is not yet doubted

    try:
        assert asyncio.run(main()) == (True, True)
        assert (False, True) not in seen
    finally:
        server.close()
        neighbour.close()
