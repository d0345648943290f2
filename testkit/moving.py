"""A shop on SQLite that is moved to PostgreSQL: its file, the command, and what both databases hold."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes, token_hex

import psycopg
from click.testing import CliRunner, Result

from adapters.postgres.copying import PostgresTarget
from adapters.sqlite.copying import ShopFile
from adapters.sqlite.store import SqliteStore
from domain.audit import ByHand
from domain.staff import Actor
from entrypoints.cli import main
from entrypoints.maintenance.copy_store import is_moved, move


def a_shop_file(path: Path, *, sales: int, letter: str = "<p>Thank you</p>") -> None:
    """With users, purchases, facts and mails, one of each for every sale."""
    store = SqliteStore.open(path, serving=True)
    asyncio.run(store.transact(lambda tx: tx.shop.open("shop-of-the-tests")))
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        ids = [f"{n:032x}" for n in range(sales)]
        db.executemany("INSERT INTO users (id, email, since) VALUES (?,?,1)",
                       ((i, f"buyer-{i}@example.com") for i in ids))  # fmt: skip
        db.executemany(
            "INSERT INTO purchases (checkout_id, provider_ref, payment, user_id, mailbox, pid, product_name, amount, "
            "currency, livemode, booked_at) VALUES (?1, 'cs_test_'||?1, 'pi_'||?1, ?1, 'buyer-'||?1||'@example.com', "
            "'book', 'Das Büchlein', 900, 'usd', 0, 2)", ((i,) for i in ids),
        )  # fmt: skip
        db.executemany(
            "INSERT INTO facts (object_id, kind, payment, as_of, status, amount) "
            "VALUES ('cs_test_'||?1, 'session', 'pi_'||?1, 3, 'paid', 900)", ((i,) for i in ids),
        )  # fmt: skip
        db.executemany(
            "INSERT INTO outbox (key, kind, mailbox, template, language, parameters, subject, text, html, queued_at, due_at, state, attempts, problem) "
            "VALUES ('access:'||?1, 'access', 'buyer-'||?1||'@example.com', 'sign_in', 'en', '{}', 'S', 'tab\t\\back\nline', ?2, 4, 5, "
            "'sent', 1, '')", ((i, letter) for i in ids),
        )  # fmt: skip


def run_move(source: Path, target: str, *more: str) -> Result:
    return CliRunner().invoke(main, ["move", f"sqlite:///{source}", target, *more])


def moved(source: Path, target: str) -> str:
    done = run_move(source, target)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    return done.stdout


def refused(source: Path, target: str, *more: str) -> str:
    done = run_move(source, target, *more)
    assert done.exit_code == 2, done.output
    assert done.stderr.count("\n") == 1, "one sentence"
    return done.stderr


def sql(target: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(target, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def raw(source: Path) -> dict[str, str]:
    """The bytes of a database; a log beside it that holds nothing is none."""
    files = (source, source.with_name(source.name + "-wal"))
    held = {path.name: path.read_bytes() for path in files if path.exists()}
    return {name: hashlib.sha256(content).hexdigest() for name, content in held.items() if content}


def by_the_tests() -> ByHand:
    """A move, for the audit log."""
    now = datetime.now(UTC)
    return ByHand.asked(Actor.on_host("tests"), form=token_hex(16), now=now, entropy=token_bytes(26))


def carry(path: Path, target: str) -> bool:
    """Move in this process; whether anything was left to do."""
    with ShopFile(path).opened() as opened, PostgresTarget(target).opened(opened.shop) as there:
        if is_moved(opened, there, lambda _: None):
            return False
        move(opened, there, lambda _: None, asked=by_the_tests())
        return True
