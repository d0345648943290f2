"""The store's own promises on PostgreSQL under faults: lines that break, works in each other's way, full queues."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from contracts import samples

from adapters.postgres.store import CONNECTIONS, PostgresStore
from domain.ports import StoreBusy, StoreUnavailable
from domain.purchase import Checkout
from domain.transaction import Transaction
from domain.values import CheckoutId, Digest, EmailAddress, UserId
from entrypoints.testing import Browser, Shop
from testkit.cutting import CuttingProxy
from testkit.postgres import PostgresServer


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    opened = PostgresStore.open(url)
    yield opened
    opened.close()


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CuttingProxy]:
    line = CuttingProxy(postgres.port)
    yield line
    line.close()


@pytest.fixture
def far_store(url: str, postgres: PostgresServer, proxy: CuttingProxy) -> Iterator[PostgresStore]:
    """A store behind a line that can be cut."""
    opened = PostgresStore.open(url.replace(f":{postgres.port}/", f":{proxy.port}/"))
    yield opened
    opened.close()


A_MAILS_WORD = samples.ANNA.canonical
"""On the line whenever a mail is queued; the statement is not, once it is prepared."""


def counted(runs: list[int]) -> Callable[[Transaction], bool]:
    def work(tx: Transaction) -> bool:
        runs.append(1)
        return tx.outbox.queue(samples.a_mail())

    return work


@pytest.mark.long
def test_a_line_that_breaks_before_the_commit_is_tried_again_on_another(
    far_store: PostgresStore, proxy: CuttingProxy
) -> None:
    for word in ("BEGIN", A_MAILS_WORD):
        runs: list[int] = []
        asyncio.run(far_store.transact(lambda tx: tx.users._sql("DELETE FROM outbox")))  # type: ignore[attr-defined]
        proxy.cut(word, before=True)
        assert asyncio.run(far_store.transact(counted(runs))) is True
        assert proxy.cuts == 1
        assert len(runs) in {1, 2}, "BEGIN goes out with the first statement that waits for an answer"


def test_a_claim_takes_at_most_seven_round_trips(far_store: PostgresStore, proxy: CuttingProxy) -> None:
    """Counted on the line, of a webhook that books a sale."""
    shop = Shop()
    hear = replace(shop.hear, store=far_store)
    for number in range(3):
        ref = Browser(shop).buy()
        shop.payments.pay(ref, email=f"buyer{number}@example.com")
        checkout = next(c for c in shop.memory.tables.checkouts.values() if c.provider_ref == ref)
        asyncio.run(far_store.transact(partial(_add_checkout, checkout=checkout)))
        delivery = shop.payments.delivery(ref, event=f"evt_{number}", kind="checkout.session.completed")
        proxy.waits = 0
        heard = asyncio.run(hear(delivery.body, delivery.signature))
        assert getattr(heard, "name", heard) == "booked"
        assert 3 <= proxy.waits <= 7


def _add_checkout(tx: Transaction, *, checkout: Checkout) -> bool:
    return tx.checkouts.add(checkout)


@pytest.mark.parametrize("done", [False, True])
def test_a_line_that_breaks_at_the_commit_is_unknown_and_not_run_again(
    far_store: PostgresStore, proxy: CuttingProxy, store: PostgresStore, *, done: bool
) -> None:
    """Whether the server got the COMMIT or not: nobody on this side can know."""
    runs: list[int] = []
    proxy.cut("COMMIT", before=not done)
    with pytest.raises(StoreUnavailable, match="unknown") as raised:
        asyncio.run(far_store.transact(counted(runs)))
    assert not isinstance(raised.value, StoreBusy), "which would say that it was not done"
    assert (proxy.cuts, len(runs)) == (1, 1)
    assert asyncio.run(store.read(lambda tx: tx.outbox.get("m1") is not None)) is done
    assert asyncio.run(far_store.transact(lambda tx: tx.outbox.queue(samples.a_mail()))) is not done


@pytest.mark.long
def test_lines_that_break_again_and_again_end_in_a_refusal(
    far_store: PostgresStore, proxy: CuttingProxy
) -> None:
    proxy.cut(A_MAILS_WORD, before=True, times=999)
    with pytest.raises(StoreUnavailable):
        asyncio.run(far_store.transact(lambda tx: tx.outbox.queue(samples.a_mail())))
    assert 1 < proxy.cuts < 999, "it tried again, and gave up"
    proxy.cuts_left = 0
    assert asyncio.run(far_store.transact(lambda tx: tx.outbox.queue(samples.a_mail()))) is True


def test_works_in_each_others_way_are_run_again_until_each_was_alone(store: PostgresStore) -> None:
    """Write skew: each counts what the other writes. SERIALIZABLE lets one of two through, the other sees it."""

    def one_more(number: int) -> Callable[[Transaction], int]:
        def work(tx: Transaction) -> int:
            held = len(tx.outbox.page_after("", limit=99))
            tx.outbox.queue(samples.a_mail(f"m{number:02}"))
            return held

        return work

    async def crowd() -> list[int]:
        return await asyncio.gather(*(store.transact(one_more(n)) for n in range(40)))

    assert sorted(asyncio.run(crowd())) == list(range(40)), "as if one had come after the other"
    assert store._transactions.repeated > 0, "or nobody was in anybody's way"


def test_works_that_wait_for_each_other_are_untied(store: PostgresStore) -> None:
    """A deadlock (40P01): the server ends one of the two, and it is run again."""
    both_hold_one, runs = threading.Barrier(2), [0, 0]
    mailboxes = [EmailAddress("anna@example.com"), EmailAddress("ben@example.com")]

    def touching(me: int) -> Callable[[Transaction], None]:
        def work(tx: Transaction) -> None:
            runs[me] += 1
            first, second = mailboxes if me == 0 else reversed(mailboxes)
            tx.users._sql(
                "UPDATE users SET wants_release_emails = wants_release_emails WHERE email = ? RETURNING 1",
                (first.canonical,),
            ).fetchone()  # type: ignore[attr-defined]  # its answer: now the row is locked
            if runs[me] == 1:
                both_hold_one.wait(60)
            tx.users._sql(
                "UPDATE users SET wants_release_emails = wants_release_emails WHERE email = ?",
                (second.canonical,),
            )  # type: ignore[attr-defined]

        return work

    async def main() -> None:
        for number, mailbox in enumerate(mailboxes):
            await store.transact(
                lambda tx, m=mailbox, n=number: tx.users.get_or_add(
                    m, new_id=UserId(f"u{n}"), now=samples.NOW
                )
            )
        await asyncio.gather(store.transact(touching(0)), store.transact(touching(1)))

    asyncio.run(main())
    assert max(runs) > 1, "one of the two was ended, or they never waited for each other"


def test_who_is_in_others_way_again_and_again_is_let_through_alone(store: PostgresStore, url: str) -> None:
    """A slow work that always loses to quick ones comes through, while those wait for it."""
    other = PostgresStore.open(url)
    runs: list[int] = []
    overtaken = threading.Event()

    def slow(tx: Transaction) -> int:
        runs.append(len(tx.outbox.page_after("", limit=999)))
        if len(runs) == 1:
            overtaken.clear()
            assert overtaken.wait(10)
        time.sleep(0.1)
        tx.outbox.queue(samples.a_mail("slow"))
        return runs[-1]

    async def main() -> int:
        over = asyncio.Event()

        async def disturb() -> None:
            number = 0
            while not over.is_set():
                number += 1
                await other.transact(
                    lambda tx, n=number: (
                        tx.outbox.page_after("", limit=999),
                        tx.outbox.queue(samples.a_mail(f"m{n:04}")),
                    )
                )
                overtaken.set()

        disturbing = asyncio.create_task(disturb())
        try:
            return await store.transact(slow)
        finally:
            over.set()
            await disturbing

    try:
        assert asyncio.run(main()) >= 0
    finally:
        other.close()
    assert 1 < len(runs) <= 5, "and within the tries of one who goes together with others"


def test_two_leasers_at_once_neither_share_a_mail_nor_wait(store: PostgresStore) -> None:
    """The first holds its rows while the second leases; without SKIP LOCKED it would wait for the first."""
    for n in range(4):
        asyncio.run(store.transact(lambda tx, n=n: tx.outbox.queue(samples.a_mail(f"m{n}"))))
    held, go = threading.Event(), threading.Event()
    first_runs: list[list[str]] = []
    released: list[bool] = []

    def lease(tx: Transaction) -> list[str]:
        until = samples.NOW + samples.MINUTE
        return [m.key for m in tx.outbox.lease(now=samples.NOW, until=until, limit=2)]

    def slow(tx: Transaction) -> list[str]:
        first_runs.append(lease(tx))
        held.set()
        released.append(go.wait(30))
        return first_runs[-1]

    async def main() -> tuple[list[str], list[str]]:
        first = asyncio.create_task(store.transact(slow))
        await asyncio.to_thread(held.wait, 30)
        second = await store.transact(lease)
        go.set()
        return await first, second

    first, second = asyncio.run(main())
    assert first_runs[0] == ["m0", "m1"]
    assert second == ["m2", "m3"]
    assert set(first).isdisjoint(second)
    assert released[0], "the second did not wait for the first"


def test_twenty_leasers_share_out_what_is_due(store: PostgresStore) -> None:
    async def main() -> list[list[str]]:
        await asyncio.gather(
            *(store.transact(lambda tx, n=n: tx.outbox.queue(samples.a_mail(f"m{n:02}"))) for n in range(40))
        )

        def lease(tx: Transaction) -> list[str]:
            until = samples.NOW + samples.MINUTE
            return [m.key for m in tx.outbox.lease(now=samples.NOW, until=until, limit=2)]

        return await asyncio.gather(*(store.transact(lease) for _ in range(20)))

    leased = [key for keys in asyncio.run(main()) for key in keys]
    assert sorted(leased) == [f"m{n:02}" for n in range(40)]


def test_cancelling_a_caller_neither_withdraws_its_work_nor_harms_others(store: PostgresStore) -> None:
    async def main() -> tuple[bool, bool]:
        began, go, ended = threading.Event(), threading.Event(), threading.Event()

        def slow(tx: Transaction) -> bool:
            began.set()
            go.wait(5)
            try:
                return tx.outbox.queue(samples.a_mail("slow"))
            finally:
                ended.set()

        task = asyncio.create_task(store.transact(slow))
        await asyncio.to_thread(began.wait, 5)
        task.cancel()
        await asyncio.wait({task})
        go.set()
        await asyncio.to_thread(ended.wait, 5)
        return task.cancelled(), await store.transact(lambda tx: tx.outbox.queue(samples.a_mail("slow")))

    assert asyncio.run(main()) == (True, False), "it was cancelled, and its mail stands"


async def all_busy_until(store: PostgresStore, go: threading.Event) -> list[asyncio.Task[bool]]:
    """Every connection is within a transaction."""
    begun = threading.Barrier(CONNECTIONS + 1)

    def work(_: Transaction) -> bool:
        begun.wait(60)
        return go.wait(60)

    blockers = [asyncio.create_task(store.transact(work)) for _ in range(CONNECTIONS)]
    await asyncio.to_thread(begun.wait, 60)
    return blockers


def test_a_full_queue_refuses_before_it_began(store: PostgresStore) -> None:
    async def main() -> tuple[int, int]:
        go = threading.Event()
        blockers = await all_busy_until(store, go)
        works = [
            store.transact(lambda tx, n=n: tx.outbox.queue(samples.a_mail(f"m{n:03}"))) for n in range(300)
        ]
        waiting = asyncio.gather(*works, return_exceptions=True)
        await asyncio.sleep(0)  # each of them has queued or was refused
        go.set()
        answers = await waiting
        await asyncio.gather(*blockers)
        refused = sum(isinstance(a, StoreBusy) for a in answers)
        return refused, await store.read(lambda tx: len(tx.outbox.page_after("", limit=999)))

    assert asyncio.run(main()) == (300 - 256, 256)


@pytest.mark.long
def test_a_caller_whose_turn_does_not_come_is_told_after_five_seconds_and_nothing_is_done(
    store: PostgresStore,
) -> None:
    async def main() -> tuple[BaseException, bool]:
        go = threading.Event()
        blockers = await all_busy_until(store, go)
        [answer] = await asyncio.gather(
            store.transact(lambda tx: tx.outbox.queue(samples.a_mail())), return_exceptions=True
        )
        assert not any(blocker.done() for blocker in blockers)
        go.set()
        await asyncio.gather(*blockers)
        assert isinstance(answer, BaseException)
        return answer, await store.read(lambda tx: tx.outbox.get("m1") is None)

    answer, undone = asyncio.run(main())
    assert isinstance(answer, StoreBusy)
    assert "more than 5.0 s" in str(answer)
    assert undone


def test_a_text_with_nul_is_looked_up_and_not_found(store: PostgresStore) -> None:
    """PostgreSQL has no NUL in its texts; a path can have one."""
    assert asyncio.run(store.read(lambda tx: tx.purchases.get(CheckoutId("a\0b")))) is None
    nul = replace(samples.a_session(), label="Fire\0fox")
    asyncio.run(store.transact(lambda tx: tx.sessions.add(nul)))
    kept = asyncio.run(store.read(lambda tx: tx.sessions.by_token(Digest("t1"))))
    assert kept is not None
    assert kept.label == "Fire\N{REPLACEMENT CHARACTER}fox"


def test_no_mail_can_be_given_an_urgency_that_none_has(
    url: str, store: PostgresStore, postgres: PostgresServer
) -> None:
    asyncio.run(store.transact(lambda tx: tx.outbox.queue(samples.a_mail("m1"))))
    name = url.partition("?")[0].rpartition("/")[2]
    with pytest.raises(psycopg.errors.CheckViolation):
        postgres.execute("UPDATE outbox SET urgency = 9", database=name)


def test_addresses_are_in_no_statistics(url: str, store: PostgresStore, postgres: PostgresServer) -> None:
    """The server samples columns for its planner, and an erasure would not reach what it sampled."""

    def fill(tx: Transaction) -> None:
        for n in range(300):
            mailbox = EmailAddress(f"buyer{n}@example.com")
            tx.sessions.add(samples.a_session(f"s{n}", mailbox=mailbox, token=f"t{n}"))
            tx.users.get_or_add(mailbox, new_id=UserId(f"u{n}"), now=samples.NOW)
            tx.outbox.queue(replace(samples.a_mail(f"m{n}"), to=mailbox))

    asyncio.run(store.transact(fill))
    name = url.partition("?")[0].rpartition("/")[2]
    postgres.execute("ANALYZE", database=name)
    sampled = postgres.execute("SELECT s::text FROM pg_stats s WHERE schemaname = 'public'", database=name)
    assert sampled
    assert "@example.com" not in str(sampled)
