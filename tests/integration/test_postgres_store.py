"""The store on PostgreSQL: the contract, the same answers as memory, and its own promises under faults."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import psycopg
import pytest
from contracts import samples
from contracts.histories import HISTORIES, Op, gives_the_fakes_answers
from contracts.store import StoreContract
from hypothesis import given, settings

from adapters.postgres.errors import UnfitDatabase
from adapters.postgres.migrating import check_uniqueness, migrate
from adapters.postgres.session import connect, conninfo, prepare_session
from adapters.postgres.store import CONNECTIONS, PostgresStore
from adapters.sql.schema import MIGRATIONS, UNIQUE, Migration
from domain.ports import Store, StoreBusy, StoreUnavailable
from domain.purchase import Checkout
from domain.transaction import Transaction
from domain.values import CheckoutId, Digest, EmailAddress, UserId
from entrypoints.testing import Browser, Shop
from testkit.cutting import CuttingProxy
from testkit.postgres import PostgresServer, a_postgres
from testkit.servers import ROOT, clean_environment, free_port
from testkit.waiting import wait_until

T = TypeVar("T")


class TestPostgresStore(StoreContract):
    @pytest.fixture(autouse=True)
    def opened(self, postgres: PostgresServer) -> Iterator[None]:
        self._server, self._stores, self._databases = postgres, [], []
        self.store = self.open_store()
        yield
        for store in self._stores:
            store.close()
        for database in self._databases:
            postgres.drop(database)

    def open_store(self) -> Store:
        self._databases.append(self._server.new_database())
        store = PostgresStore.open(self._server.url(self._databases[-1]))
        self._stores.append(store)
        return store

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def together(self, *works: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        async def all_at_once() -> list[T | BaseException]:
            return await asyncio.gather(*(work() for work in works), return_exceptions=True)

        return asyncio.run(all_at_once())


@settings(max_examples=60)
@given(HISTORIES)
def test_postgres_and_memory_give_the_same_answers(emptied: PostgresStore, history: list[Op]) -> None:
    """Any history of works: each answer, and everything that stands in the store afterwards."""
    asyncio.run(emptied.transact(empty))
    with asyncio.Runner() as runner:
        gives_the_fakes_answers(emptied, history, run=runner.run)


def empty(tx: Transaction) -> None:
    """Cheaper than a database for each example."""
    for table in ("purchases", *UNIQUE, "cursors", "payments_due", "licence_line"):
        tx.users._sql(f"DELETE FROM {table}")  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def emptied(postgres: PostgresServer) -> Iterator[PostgresStore]:
    store = PostgresStore.open(postgres.url(postgres.new_database()))
    yield store
    store.close()


# ------------------------------------------------------------------ promises of its own


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    database = postgres.new_database()
    yield postgres.url(database)
    postgres.drop(database)


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
    assert store.repeated > 0, "or nobody was in anybody's way"


def test_works_that_wait_for_each_other_are_untied(store: PostgresStore) -> None:
    """A deadlock (40P01): the server ends one of the two, and it is run again."""
    both_hold_one, runs = threading.Barrier(2), [0, 0]
    mailboxes = [EmailAddress("anna@example.com"), EmailAddress("ben@example.com")]

    def touching(me: int) -> Callable[[Transaction], None]:
        def work(tx: Transaction) -> None:
            runs[me] += 1
            first, second = mailboxes if me == 0 else reversed(mailboxes)
            tx.users._sql(
                "UPDATE users SET wants_release_emails = wants_release_emails WHERE email = ?",
                (first.canonical,),
            )  # type: ignore[attr-defined]
            if runs[me] == 1:
                both_hold_one.wait(10)
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
    assert sorted(runs) == [1, 2]


def test_who_is_in_others_way_again_and_again_is_let_through_alone(store: PostgresStore, url: str) -> None:
    """A slow work that always loses to quick ones comes through, while those wait for it."""
    other = PostgresStore.open(url)
    runs: list[int] = []

    def slow(tx: Transaction) -> int:
        runs.append(len(tx.outbox.page_after("", limit=999)))
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


# ------------------------------------------------------------------ opening


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off")],
)
def test_a_server_that_could_lose_a_sale_is_refused_by_the_settings_name(setting: str, value: str) -> None:
    with a_postgres(**{setting: value}) as server:
        with pytest.raises(UnfitDatabase, match=f"{setting} is {value}.*set {setting} = on"):
            PostgresStore.open(server.url("postgres"))
        assert server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_local_commits_are_enough_without_standbys_and_not_with_them() -> None:
    with a_postgres(synchronous_commit="local") as server:
        PostgresStore.open(server.url("postgres")).close()
        server.execute("ALTER SYSTEM SET synchronous_standby_names = 'other'")
        server.execute("SELECT pg_reload_conf()")
        wait_until(lambda: server.execute("SHOW synchronous_standby_names") == [("other",)])
        with pytest.raises(UnfitDatabase, match="synchronous_commit is local"):
            PostgresStore.open(server.url("postgres"))


def _queue(key: str, tx: Transaction) -> bool:
    return tx.outbox.queue(samples.a_mail(key))


def test_a_commit_that_no_standby_confirmed_is_not_acknowledged() -> None:
    """The wait for a standby that is gone is cancelled (by an administrator, or after eight seconds): it may be lost yet."""
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with a_postgres() as server:
        store = PostgresStore.open(server.url("postgres"))
        try:
            server.execute("ALTER SYSTEM SET synchronous_standby_names = 'gone'")
            server.execute("SELECT pg_reload_conf()")
            with ThreadPoolExecutor(1) as aside:
                waiting: list[tuple[Any, ...]] = []
                for number in itertools.count():  # until the server has heard of it
                    work = partial(_queue, f"mail{number}")
                    selling = aside.submit(lambda work=work: asyncio.run(store.transact(work)))
                    while not waiting and not selling.done():
                        waiting = server.execute(waits)
                    if waiting:
                        break
                server.execute(f"SELECT pg_cancel_backend({waiting[0][0]})")
                with pytest.raises(StoreUnavailable, match="no standby confirmed it"):
                    selling.result(20)
        finally:
            store.close()


def test_a_database_that_takes_no_writes_is_refused(url: str) -> None:
    with pytest.raises(UnfitDatabase, match="target_session_attrs=read-write"):
        PostgresStore.open(f"{url}&options=-c%20default_transaction_read_only%3Don")


def test_of_several_hosts_the_one_that_answers_is_taken(url: str, postgres: PostgresServer) -> None:
    dead = f"127.0.0.1:{free_port()}"
    several = url.replace(f"127.0.0.1:{postgres.port}", f"{dead},127.0.0.1:{postgres.port}")
    store = PostgresStore.open(f"{several}&target_session_attrs=read-write")
    asyncio.run(store.ready())
    store.close()


def test_a_lost_unique_index_is_found_at_the_start(url: str, postgres: PostgresServer) -> None:
    PostgresStore.open(url).close()
    name = url.partition("?")[0].rpartition("/")[2]
    postgres.execute("DROP INDEX users_email", database=name)
    postgres.execute("ALTER TABLE facts DROP CONSTRAINT facts_pkey", database=name)
    with pytest.raises(UnfitDatabase, match=r"users \(email\), facts \(object_id\)"):
        PostgresStore.open(url)


def test_a_database_of_a_newer_release_is_refused(url: str, postgres: PostgresServer) -> None:
    PostgresStore.open(url).close()
    name = url.partition("?")[0].rpartition("/")[2]
    postgres.execute("INSERT INTO migrations (number, name) VALUES (99, 'of later')", database=name)
    with pytest.raises(UnfitDatabase, match=r"another release of Coatcheck \(of later\): install that"):
        PostgresStore.open(url)


def test_several_who_migrate_at_once_do_it_once(url: str) -> None:
    scripts: list[str] = []

    def one(_: int) -> None:
        with connect(conninfo(url)) as connection:
            prepare_session(connection)
            migrate(
                connection, tuple(FactOutcome(made.name, made.script, scripts=scripts) for made in MIGRATIONS)
            )
            check_uniqueness(connection)

    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(one, range(6)))
    assert scripts == [made.name for made in MIGRATIONS]


@dataclass(frozen=True)
class FactOutcome(Migration):
    scripts: list[str] = field(default_factory=list)

    def on_postgres(self) -> list[str]:
        self.scripts.append(self.name)
        time.sleep(0.05)  # so that those who do not keep each other out meet
        return super().on_postgres()


def test_processes_that_start_at_once_on_an_empty_database_all_open(url: str) -> None:
    code = "import sys; from adapters.postgres.store import PostgresStore; PostgresStore.open(sys.argv[1]).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", code, url], env=clean_environment(), stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in started:
        _, words = process.communicate(timeout=60)
        assert (process.returncode, words) == (0, b"")


@pytest.fixture
def owned(postgres: PostgresServer) -> Iterator[tuple[PostgresStore, str]]:
    """A shop whose user owns its database and nothing else; and the address of somebody who may look into it."""
    database = postgres.new_database()
    for statement in (
        "DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN PASSWORD 'plain'", f"ALTER DATABASE {database} OWNER TO plain",
    ):  # fmt: skip
        postgres.execute(statement)
    opened = PostgresStore.open(f"postgresql://plain:plain@127.0.0.1:{postgres.port}/{database}")
    yield opened, postgres.url(database)
    opened.close()
    postgres.drop(database)
    postgres.execute("DROP ROLE plain")


def test_old_rows_that_another_program_still_sees_are_not_called_gone(
    owned: tuple[PostgresStore, str],
) -> None:
    """A dump by a superuser, of whose doings the shop's own user is told little."""
    store, url = owned
    with psycopg.connect(url) as dump:
        dump.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        dump.execute("SELECT 1 FROM shop")
        with pytest.raises(StoreUnavailable, match="reads an older state"):
            asyncio.run(store.scrub())
    asyncio.run(store.scrub())


def test_a_table_that_another_program_holds_is_vacuumed_and_tried_again_and_nobody_waits_behind(
    owned: tuple[PostgresStore, str],
) -> None:
    store, url = owned
    with psycopg.connect(url) as dump:
        dump.execute("LOCK TABLE users IN ACCESS SHARE MODE")

        async def main() -> int:
            scrubbing = asyncio.create_task(store.scrub())
            looked = 0
            while not scrubbing.done():
                await store.read(lambda tx: tx.users.page_after("", limit=9))
                looked += 1
            with pytest.raises(StoreUnavailable, match="another program holds users"):
                await scrubbing
            return looked

        assert asyncio.run(main()) > 20
    asyncio.run(store.scrub())


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


# ------------------------------------------------------------------ the race, for real


def test_processes_that_claim_the_same_sales_at_once_book_each_once(
    url: str, postgres: PostgresServer
) -> None:
    """Four processes, each with its own threads, all told of the same forty sales in an order of their own."""
    PostgresStore.open(url).close()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "testkit.claiming", url, str(seed)],
            env={**clean_environment(), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"},
            stdout=subprocess.PIPE,
        )
        for seed in range(4)
    ]
    first = sum(int(process.communicate(timeout=100)[0]) for process in started)
    assert [process.returncode for process in started] == [0] * 4
    assert first == 40, "each sale was booked first by exactly one"
    name = url.partition("?")[0].rpartition("/")[2]
    counts = postgres.execute(
        "SELECT (SELECT count(*) FROM purchases), (SELECT count(*) FROM users), (SELECT count(*) FROM outbox)",
        database=name,
    )
    assert counts == [(40, 8, 40)], "of eight mailboxes"
