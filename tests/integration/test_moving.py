"""A shop on SQLite is moved to PostgreSQL: all of it, once, or nothing; and nothing of it is lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.store import PostgresStore
from adapters.sql.transaction import TABLES
from adapters.sqlite.copying import ShopFile
from entrypoints.maintenance.copy_store import CannotMove, Row, move
from testkit.bazaar import stock_a_bazaar
from testkit.engines import everything_in
from testkit.moving import a_shop_file, by_the_tests, carry, moved, raw, refused, sql
from testkit.office import Member, upload
from testkit.postgres import PostgresServer
from testkit.servers import ROOT, Shopper, ShopServer, a_shop, clean_environment

pytestmark = pytest.mark.long

OWN = {"shop", "migrations", "moved_in", "_sqlite_migrations", "sqlite_stat1"}
"""Tables that are not moved row by row."""


@pytest.fixture
def target(postgres: PostgresServer) -> Iterator[str]:
    name = postgres.new_database()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A shop's database in which a little was sold."""
    path = tmp_path / "coatcheck.db"
    a_shop_file(path, sales=3)
    return path


# ------------------------------------------------------------------ a whole shop


def a_full_life(shop: ShopServer) -> Shopper:
    """One of everything that leaves a row; Anna, who is signed in."""
    box = shop.sandbox
    anna, ben, carol, dora = (Shopper(shop) for _ in range(4))
    sale = anna.buy_and_pay("anna@example.com", "the-lot")
    assert anna.post(anna.link_from("anna@example.com")).status_code == 303
    anna.buy_and_pay("anna@example.com", "keyed")
    box.post(f"/_sandbox/sessions/{sale}/refund", amount=100)
    box.post(f"/_sandbox/sessions/{ben.buy_and_pay('ben@example.com', 'keyed')}/refund")
    box.post(
        f"/_sandbox/sessions/{carol.buy_and_pay('carol@example.com', 'abroad')}/dispute",
        status="needs_response",
    )
    dora.buy_and_pay("dora@example.com", "keyed")
    assert dora.post(dora.link_from("dora@example.com")).status_code == 303
    assert dora.post("/account/erase", {"sure": "yes"}).status_code in (200, 303)
    assert anna.post("/account/email", {"email": "anna@new.example"}).status_code == 200
    box.pay(Shopper(shop).buy("abroad"), email="eve@example.com", copies=1, change={"currency": "jpy"})
    Shopper(shop).post("/buy/a-gift", {"email": "frida@example.com"})
    Shopper(shop).post("/request-login", {"email": "carol@example.com"})
    shop.cli("grant", "abroad", "hal@example.com", "--reason", "a review")
    order = next(p["id"] for p in shop.export()["purchase"] if p["checkout_session"] == sale)
    shop.cli("refund", order, "1.00", "--reason", "they asked")
    owner = Member(shop)
    owner.join()
    upload(owner, b"external_id,address,product\n1,ida@example.com,nothing\n")
    shop.cli("note", order, "a reviewer")
    Member(shop).join()
    Shopper(shop).post("/admin/sign-in", {"challenge": "no challenge", "answer": "{}"})
    box.wait_for_mail("carol@example.com", number=2)
    box.wait_for_mail("anna@new.example")
    box.wait_for_mail("help@bazaar.example")
    box.behave(mail="down")
    box.pay(Shopper(shop).buy("keyed"), email="gil@example.com", copies=1)
    return anna


def test_a_shop_with_everything_in_it_goes_on_where_it_stood(tmp_path: Path, target: str) -> None:
    """The same records line by line, nobody logged out, links work, and the mail that waited leaves once."""
    stock_a_bazaar(tmp_path / "catalogue")
    with a_shop(tmp_path) as shop:
        anna = a_full_life(shop)
        source = tmp_path / "data" / "coatcheck.db"
        assert "stop it first" in refused(source, target)
        assert sql(target, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []
        shop.process.stop()
        before, exported = raw(source), shop.cli("export").stdout.splitlines()
        kinds = {
            table for table in TABLES if sqlite3.connect(source).execute(f"SELECT 1 FROM {table}").fetchone()
        }
        assert kinds >= set(TABLES) - {
            "licences",
            "licence_line",
            "downloads",
            "cursors",
            "payments_due",
            "problems",
            "day_sums",  # of days that are over
            "sums_closed",
            "audit_checkpoint",  # of lines two years old
            "withdrawals",  # this catalogue has no form of withdrawal
        }
        said = moved(source, target)
        assert "Nobody is signed out" in said
        assert "DATABASE_URL" in said
        assert "password" not in said.replace("with its user and password", "")
        assert raw(source) == before
        shop.more["DATABASE_URL"] = shop.environment["DATABASE_URL"] = target
        after = shop.cli("export").stdout.splitlines()
        assert [line for line in after if '"action":"move"' not in line] == exported
        [line] = [line for line in shop.export()["audit"] if line["action"] == "move"]
        assert (line["actor"].partition(":")[0], line["result"]) == ("cli", "done")
        [waiting] = [mail for mail in shop.export()["mail"] if mail["to"] == "gil@example.com"]
        assert waiting["state"] == "queued"
        shop.sandbox.behave(mail="")
        shop.start()
        assert "anna@example.com" in anna.get("/account").text
        assert "Keyed" in anna.get("/library").text
        assert anna.post(anna.link_from("anna@new.example")).status_code == 303, (
            "a link that was sent before works"
        )
        shop.sandbox.wait_for_mail("gil@example.com", within=60)
        sent = [mail for mail in shop.sandbox.mails if "gil@example.com" in mail["fields"]["to"]]
        [(shop_id,)] = sql(target, "SELECT id FROM shop")
        assert [mail["key"] for mail in sent] == [f"{shop_id}/{waiting['id']}"]
        assert "in use" in refused(source, target)
        shop.process.stop()
        assert "gil@example.com" in everything_in(shop)
        assert "rows that do not come from the source" in refused(source, target), (
            "it has been served there since"
        )


# ------------------------------------------------------------------ every row of every table


def test_every_column_of_every_table_is_moved(file: Path, target: str) -> None:
    """A column that a later migration adds must be named in the record's module, too."""
    PostgresStore.open(target).close()
    with contextlib.closing(sqlite3.connect(file)) as db:
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} - OWN
        here = {name: {row[1] for row in db.execute(f"PRAGMA table_info({name})")} for name in names}
    there: dict[str, set[str]] = {}
    for table, column in sql(
        target,
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'",
    ):
        if table not in OWN:
            there.setdefault(str(table), set()).add(str(column))
    assert {name: set(table.columns) for name, table in TABLES.items()} == here == there


def test_texts_keep_every_character_that_the_engine_can_hold(file: Path, target: str) -> None:
    """NUL alone cannot be held; the store writes the same in its place."""
    odd = '\\N \\. tab\t quote" é \U0001f9e5 \r\n end'
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE purchases SET product_name = ?", (odd,))
        db.execute("UPDATE outbox SET text = ?", ("a\0b",))
    assert carry(file, target)
    assert {row[0] for row in sql(target, "SELECT product_name FROM purchases")} == {odd}
    assert {row[0] for row in sql(target, "SELECT text FROM outbox")} == {"a\N{REPLACEMENT CHARACTER}b"}
    assert not carry(file, target)


# ------------------------------------------------------------------ again, and again


def test_a_second_run_finds_nothing_left_to_do(file: Path, target: str) -> None:
    assert "3 sales, 3 buyers" in moved(file, target)
    assert "Nothing is left to do: all 12 rows" in moved(file, target)
    assert sql(target, "SELECT count(*) FROM purchases") == [(3,)]


def test_what_was_moved_and_never_served_is_replaced_when_the_source_went_on(file: Path, target: str) -> None:
    moved(file, target)
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM outbox WHERE key LIKE '%2'")
        db.execute("UPDATE purchases SET amount = 800 WHERE checkout_id LIKE '%1'")
    assert "3 sales, 3 buyers, 11 rows" in moved(file, target)
    assert sql(target, "SELECT sum(amount)::int FROM purchases") == [(2600,)]


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("purchases", "UPDATE purchases SET amount = 901 WHERE checkout_id LIKE '%1'"),
        ("users", "UPDATE users SET email = 'eve@example.com' WHERE id LIKE '%2'"),
        ("facts", "DELETE FROM facts WHERE object_id LIKE '%1'"),
        ("erasures", "INSERT INTO erasures (checkout_id, at) VALUES ('x', 1)"),
    ],
)
def test_a_row_that_was_changed_on_the_target_is_found_and_nothing_overwritten(
    file: Path, target: str, table: str, change: str
) -> None:
    moved(file, target)
    sql(target, change)
    before = [sql(target, t.select) for t in TABLES.values()]
    assert f"(in {table})" in refused(file, target)
    assert [sql(target, t.select) for t in TABLES.values()] == before


def test_a_row_that_changes_while_it_is_written_is_found_by_its_hash_and_nothing_stays(
    file: Path, target: str
) -> None:
    """The negative control: as many rows as there should be, one of them another."""
    PostgresStore.open(target).close()
    sql(target, "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.checkout_id LIKE '%1' THEN NEW.amount := 1; END IF; RETURN NEW; END $$")  # fmt: skip
    sql(target, "CREATE TRIGGER spoil BEFORE INSERT ON purchases FOR EACH ROW EXECUTE FUNCTION spoil()")
    assert "purchases: 3 rows were written, and 3 read back that are not the same" in refused(file, target)
    assert sql(target, "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM shop)") == [(0, 0)]
    sql(target, "DROP TRIGGER spoil ON purchases")
    moved(file, target)


def test_killed_in_the_middle_nothing_is_there_and_the_next_run_moves_all_of_it(
    file: Path, target: str
) -> None:
    """Halfway, since another transaction lets it write no facts."""
    PostgresStore.open(target).close()
    with psycopg.connect(target.replace("=tests", "=holder")) as holder:
        holder.execute("LOCK TABLE facts IN SHARE MODE")
        child = subprocess.Popen(
            [sys.executable, "-m", "entrypoints.cli", "move", f"sqlite:///{file}", target],
            env=clean_environment(), cwd=file.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        waits = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY facts%' AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 60
        while not sql(target.replace("=tests", "=holder"), waits):
            assert child.poll() is None
            assert time.monotonic() < deadline
        child.send_signal(signal.SIGKILL)
        child.wait(60)
    assert sql(target.replace("=tests", "=holder"), "SELECT count(*) FROM users") == [(0,)]
    assert "3 sales, 3 buyers" in moved(file, target)
    assert sql(target, "SELECT count(*) FROM purchases") == [(3,)]


def test_two_at_once_move_it_once(file: Path, target: str) -> None:
    command = [sys.executable, "-m", "entrypoints.cli", "move", f"sqlite:///{file}", target]
    two = [
        subprocess.Popen(command, env=clean_environment(), cwd=file.parent, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]  # fmt: skip
    told = [child.communicate(timeout=60)[1] for child in two]
    assert sorted(child.returncode for child in two) in ([0, 0], [0, 2])
    assert all(not said or "stop it first" in said for said in told)
    assert sql(target, "SELECT count(*) FROM purchases") == [(3,)]


# ------------------------------------------------------------------ one sentence each


def test_what_cannot_be_moved_is_refused_in_a_sentence(tmp_path: Path, file: Path, target: str) -> None:
    assert "there is no such file" in refused(tmp_path / "none.db", target)
    assert not list(tmp_path.glob("none*"))
    (tmp_path / "text.db").write_text("no database at all, but a text of some length" * 50)
    assert "cannot be read" in refused(tmp_path / "text.db", target)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE cats (name TEXT)")
    assert "neither a shop's database nor the tutorial's" in refused(tmp_path / "other.db", target)
    assert "postgresql://" in refused(file, f"sqlite:///{tmp_path}/elsewhere.db")
    assert "TARGET is written like" in refused(file, "mysql://somewhere/shop")
    assert "cannot open the database" in refused(file, "postgresql://nobody:x@127.0.0.1:1/shop")
    assert sql(target, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_schema_of_another_release_is_refused(file: Path, target: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE _sqlite_migrations SET name = '0001_of_tomorrow' WHERE name LIKE '0001%'")
    assert "newer Coatcheck" in refused(file, target)
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM _sqlite_migrations")
    assert "older Coatcheck" in refused(file, target)


def test_another_shop_and_another_program_are_left_alone(tmp_path: Path, file: Path, target: str) -> None:
    store = PostgresStore.open(target)
    asyncio.run(store.transact(lambda tx: tx.shop.open("another-shop")))
    assert "is in use" in refused(file, target), "a node is connected"
    store.close()
    assert "belongs to another shop (another-shop; this one is shop-of-the-tests)" in refused(file, target)


def test_a_node_that_starts_in_the_moment_before_the_move_begins_is_found(file: Path, target: str) -> None:
    """Its connection has another name, and its shop's id is not committed yet when the move looks first."""
    PostgresStore.open(target).close()
    with psycopg.connect(target.replace("application_name=tests", "application_name=somebody")) as node:
        node.execute("INSERT INTO shop (single, id) VALUES (1, 'of-the-node')")
        with ThreadPoolExecutor(1) as aside:
            moving = aside.submit(refused, file, target)
            while not sql(target, "SELECT 1 FROM pg_locks WHERE relation = 'shop'::regclass AND NOT granted"):
                assert not moving.done(), moving.result()
            node.commit()
            assert "belongs to another shop (of-the-node" in moving.result(60)
    assert sql(target, "SELECT id FROM shop") == [("of-the-node",)]
    sql(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE users (cat text)")
    assert "another program (users)" in refused(file, target)


def test_a_full_disk_is_told_and_nothing_stays(file: Path, target: str) -> None:
    """As PostgreSQL words it (53100), raised by a trigger in its place."""
    PostgresStore.open(target).close()
    sql(target, "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$")  # fmt: skip
    sql(target, "CREATE TRIGGER full_disk BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION full_disk()")
    assert "disk is full: nothing was moved" in refused(file, target)
    assert sql(target, "SELECT count(*) FROM users") == [(0,)]


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, file: Path, target: str) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError('not here')")
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "move", f"sqlite:///{file}", target],
        env=clean_environment(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT / 'src'}"), cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, 'pip install "coatcheck[postgres]"' in done.stderr) == (2, True)


def test_a_target_that_differs_in_memory_is_refused_before_it_is_kept(file: Path) -> None:
    """Whatever the engine: what is read back decides."""

    class Forgetful:
        is_empty, note = True, None

        def __init__(self) -> None:
            self.held: dict[str, list[Row]] = {}
            self.kept = False

        def rows(self, table: str) -> Iterator[Row]:
            yield from self.held[table][: 2 if table == "facts" else None]

        def put(self, table: str, rows: Iterable[Row]) -> None:
            self.held[table] = list(rows)

        def clear(self) -> None:
            raise AssertionError("it is empty")

        def keep(self, note: str) -> None:
            self.kept = True

    place = Forgetful()
    with (
        ShopFile(file).opened() as opened,
        pytest.raises(CannotMove, match="facts: 3 rows were written, and 2"),
    ):
        move(opened, place, lambda _: None, asked=by_the_tests())
    assert not place.kept


def test_progress_is_shown_at_a_terminal(file: Path, target: str) -> None:
    terminal, ours = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "move", f"sqlite:///{file}", target], env=clean_environment(),
        cwd=file.parent, stdout=subprocess.DEVNULL, stderr=ours, timeout=60, check=True,
    )  # fmt: skip
    os.close(ours)
    shown = os.read(terminal, 65536)
    os.close(terminal)
    assert b"Moving" in shown
    assert b"100%" in shown
