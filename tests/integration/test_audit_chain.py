"""Whoever changes a line of the audit log past the shop is found out: one byte in any column, on either engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from adapters.postgres.store import PostgresStore
from adapters.sql.dialect import for_psycopg
from adapters.sql.transaction import TABLES
from adapters.sqlite.store import SqliteStore
from domain.audit import AuditAction, ByHand
from domain.keys import Keyring
from domain.ports import Store
from domain.staff import Actor
from domain.usecases.check_audit import AuditCheck, CheckAudit
from domain.usecases.link_audit import LinkAudit
from entrypoints.testing import Shop
from testkit.postgres import PostgresServer
from testkit.servers import BOOK, ShopServer
from testkit.waiting import wait_until

pytestmark = pytest.mark.long

KEYS: Final = Keyring.of(("a secret of more than thirty-two characters",))
CHANGES: Final = {
    "audit.id": "id = 'x' || substr(id, 2)", "audit.form": "form = form || 'x'", "audit.at": "at = at + 1",
    "audit.actor": "actor = 'cli:eve'", "audit.action": "action = 'restore'", "audit.object_id": "object_id = 'c9'",
    "audit.result": "result = 'refused'", "audit.reason_hash": "reason_hash = 'x' || substr(reason_hash, 2)",
    "audit.times": "times = 2", "audit.sequence": "sequence = 9",
    "audit.signature": "signature = substr(signature, 1, 9) || 'x' || substr(signature, 11)",
    "audit_reasons.reason": "reason = reason || '.'", "audit_reasons.salt": "salt = 'x' || substr(salt, 2)",
    "audit_checkpoint.sequence": "sequence = sequence + 1",
    "audit_checkpoint.link_signature": "link_signature = 'x' || substr(link_signature, 2)",
    "audit_checkpoint.at": "at = at + 1", "audit_checkpoint.signature": "signature = signature || 'x'",
}  # fmt: skip
"""For each column what changes it in one row; of a line, the second of three."""
NOT_SIGNED: Final = {"audit_reasons.line_id", "audit_checkpoint.single"}
"""Keys of rows whose other columns are compared."""


class Database:
    """One with three lines and a checkpoint before them, which statements reach past the shop."""

    def __init__(self, store: Store) -> None:
        self.store = store
        asyncio.run(self._fill())

    async def _fill(self) -> None:
        shop = Shop()
        link = LinkAudit(store=self.store, keyring=KEYS, clock=shop.clock, randomness=shop.randomness)
        for number in range(6):
            asked = ByHand.asked(
                Actor.on_host("ada"), form=f"f{number}", now=shop.clock.now(),
                entropy=shop.randomness.token(26),
            )  # fmt: skip
            line = asked.line(AuditAction.REVOKE, f"c{number}", reason=f"why {number}")
            await self.store.transact(lambda tx, line=line: tx.audit.append(line))
            shop.clock.tick(seconds=60)
            if number == 2:
                await link()
                shop.clock.tick(seconds=731 * 24 * 3600)
        await link()

    def check(self) -> AuditCheck:
        return asyncio.run(CheckAudit(store=self.store, keyring=KEYS)())

    def execute(self, statement: str) -> None:
        raise NotImplementedError

    def value(self, query: str) -> Any:
        """The one value that a query finds."""
        raise NotImplementedError

    def try_to(self, statement: str) -> bool:
        """Execute it, unless the schema itself does not allow what would then be stored."""
        try:
            self.execute(statement)
        except (sqlite3.IntegrityError, psycopg.IntegrityError):
            return False
        return True


class OnSqlite(Database):
    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(SqliteStore.open(path, serving=True))

    def execute(self, statement: str) -> None:
        with sqlite3.connect(self._path) as connection:
            connection.execute(statement)
        connection.close()

    def value(self, query: str) -> Any:
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(query).fetchone()[0]


class OnPostgres(Database):
    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__(PostgresStore.open(url))

    def execute(self, statement: str) -> None:
        with psycopg.connect(self._url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(for_psycopg(statement).encode())

    def value(self, query: str) -> Any:
        with psycopg.connect(self._url) as connection:
            [value] = connection.execute(query.encode()).fetchone() or [None]
            return value


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        made: Database = OnSqlite(tmp_path / "shop.db")
        yield made
        made.store.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.new_database()
    made = OnPostgres(server.url(name))
    yield made
    made.store.close()
    server.drop(name)


def test_each_column_of_a_line_its_reason_and_the_checkpoint_is_signed(database: Database) -> None:
    columns = {
        f"{table}.{column}"
        for table in ("audit", "audit_reasons", "audit_checkpoint")
        for column in TABLES[table].columns
    }
    assert columns == {*CHANGES} | NOT_SIGNED
    found = database.check()
    assert (found.lines, found.is_whole) == (3, True)
    for name, change in CHANGES.items():
        table = name.partition(".")[0]
        row = {
            "audit": "WHERE sequence = 5",
            "audit_reasons": "WHERE line_id = (SELECT id FROM audit WHERE sequence = 5)",
            "audit_checkpoint": "",
        }[table]
        database.execute(f"CREATE TABLE held AS SELECT * FROM {table}")
        database.execute(f"UPDATE {table} SET {change} {row}")
        assert not database.check().is_whole, name
        database.execute(f"DELETE FROM {table}")
        database.execute(f"INSERT INTO {table} SELECT * FROM held")
        database.execute("DROP TABLE held")
        assert database.check().is_whole, name


COPY: Final = "CREATE TABLE held AS SELECT * FROM {}"


def rows_of(table: str) -> str:
    """The one row that is changed, as a condition."""
    of_line = "line_id = (SELECT id FROM audit WHERE sequence = 5)"
    return {"audit": "sequence = 5", "audit_reasons": of_line, "audit_checkpoint": "1 = 1"}[table]


def bytes_of(database: Database, table: str, column: str) -> Iterator[str]:
    """For every byte of a value, a statement's expression that changes that byte alone."""
    value = database.value(f"SELECT {column} FROM {table} WHERE {rows_of(table)}")
    if isinstance(value, int):
        yield from (f"{value ^ 1 << bit}" for bit in range(63))
        return
    for at, held in enumerate(value):
        yield f"'{value[:at]}{'z' if held != 'z' else 'y'}{value[at + 1 :]}'"
    yield f"'ß{value[1:]}'"
    yield f"'{value[:-1]}ß'"


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_one_changed_byte_wherever_it_is_shows(tmp_path: Path, name: str) -> None:
    """Of a line in the middle, its reason, and the checkpoint: also where the value is none that the shop writes."""
    database = OnSqlite(tmp_path / "shop.db")
    table, _, column = name.partition(".")
    database.execute(COPY.format(table))
    for changed in bytes_of(database, table, column):
        if database.try_to(f"UPDATE {table} SET {column} = {changed} WHERE {rows_of(table)}"):
            assert not database.check().is_whole, f"{name} = {changed}"
            database.execute(f"DELETE FROM {table}")
            database.execute(f"INSERT INTO {table} SELECT * FROM held")
    assert database.check().is_whole
    database.store.close()  # type: ignore[attr-defined]  # both engines have it


def test_two_lines_that_changed_places_show(database: Database) -> None:
    """Each with its own signature, or each with the other's."""
    for columns in (("sequence",), ("sequence", "signature")):
        database.execute(COPY.format("audit"))
        for column in columns:
            old = f"SELECT held.{column} FROM held WHERE held.sequence = {{}}"
            four, five = (f"(SELECT id FROM held WHERE sequence = {number})" for number in (4, 5))
            if column == "sequence":
                database.execute(f"UPDATE audit SET sequence = 99 WHERE id = {four}")
                database.execute(f"UPDATE audit SET sequence = 4 WHERE id = {five}")
                database.execute(f"UPDATE audit SET sequence = 5 WHERE id = {four}")
                continue
            database.execute(f"UPDATE audit SET {column} = ({old.format(5)}) WHERE id = {four}")
            database.execute(f"UPDATE audit SET {column} = ({old.format(4)}) WHERE id = {five}")
        assert not database.check().is_whole, columns
        database.execute("DELETE FROM audit")
        database.execute("INSERT INTO audit SELECT * FROM held")
        database.execute("DROP TABLE held")
        assert database.check().is_whole


def test_a_line_that_is_deleted_is_missed(database: Database) -> None:
    database.execute("DELETE FROM audit WHERE sequence = 5")
    broken = database.check().broken
    assert broken is not None
    assert (broken.flaw.value, broken.sequence) == ("missing", 5)


def test_doctor_the_command_line_and_a_backup_say_how_the_log_stands(
    own_shop: ShopServer, tmp_path: Path
) -> None:
    """One story: a grant, its link, a backup, and a line that somebody changed."""
    own_shop.process.stop()
    own_shop.cli("grant", BOOK, "anna@example.com", "--reason", "a review")
    assert ", 1 line not yet linked" in own_shop.cli("audit", "--check").stdout
    own_shop.start()  # it links what is new at once, and then every minute
    wait_until(lambda: "Newest link" in own_shop.cli("audit", "--check").stdout)
    said = own_shop.cli("audit", "--check").stdout
    assert "The audit log is whole: 1 line unbroken since " in said
    newest = said.split("Newest link: ")[1].strip()
    own_shop.cli("backup", str(tmp_path / "vault"))
    [manifest] = (tmp_path / "vault").glob("*/manifest.json")
    assert json.loads(manifest.read_text())["audit"] == newest
    assert "The link is in it." in own_shop.cli("audit", "--check", "--against", newest).stdout
    doctor = own_shop.cli("doctor", check=False).stdout
    assert "audit log: 1 line unbroken since " in doctor
    assert ", 0 lines not yet linked" in doctor
    with sqlite3.connect(own_shop.data / "coatcheck.db") as connection:
        connection.execute("UPDATE audit SET actor = 'cli:eve'")
    connection.close()
    refused = own_shop.cli("audit", "--check", check=False)
    assert refused.returncode == 1
    assert "line 1" in refused.stderr
    assert "is not as it was written" in refused.stderr
    assert "is not as it was written" in own_shop.cli("doctor", check=False).stdout
