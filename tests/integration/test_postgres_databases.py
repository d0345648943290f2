"""A PostgreSQL database: which ones are refused, migrations, scrubbing, and several processes at once."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
import pytest
from contracts import samples

from adapters.postgres import UnfitDatabase
from adapters.postgres.migrating import check_uniqueness, migrate
from adapters.postgres.session import connect, conninfo, prepare_session
from adapters.postgres.store import PostgresStore
from adapters.sql.schema import MIGRATIONS, Migration
from domain.ports import StoreUnavailable
from domain.transaction import Transaction
from testkit.postgres import PostgresServer, a_postgres
from testkit.servers import ROOT, clean_environment, free_port
from testkit.waiting import wait_until

pytestmark = pytest.mark.long


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
    with pytest.raises(UnfitDatabase, match=r"a newer release of Coatcheck \(of later\): install that"):
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
