"""Every table is moved, and it is written down here what a restore, an export, a deletion and the clock do with it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import pytest
from contracts.every_field import AUDIT, MAIL, PURCHASE, QUARANTINED, REFUND_REQUEST, USER, WITHDRAWAL
from contracts.samples import ANNA, NOW

from adapters.memory.tables import Tables
from adapters.postgres import scrubbing
from adapters.sql import forgetting
from adapters.sql.record import micros
from adapters.sql.schema import MIGRATIONS
from adapters.sql.transaction import TABLES, SqlTransaction
from adapters.sqlite import copies
from domain.address_change import ChangeKind
from domain.audit_chain import AuditLink, Checkpoint
from domain.transaction import Transaction
from domain.usecases.export_records import ExportRecords

NOT: Final = ""


class Row(NamedTuple):
    """What becomes of a table's rows; "" where nothing does, and then `why` says why that is right, if it is not plain."""

    restore: str = "kept"
    """In a backup that is restored. (A backup holds the whole database, and is one file.)"""
    export: str = NOT
    """The `kind` of its lines."""
    erased: str = NOT
    """When a person deletes their account."""
    pruned: str = NOT
    """When it is of no more use."""
    why: str = NOT


HANDLED: Final = {
    "shop": Row(why="one row: the id and the address"),
    "cursors": Row(restore="looks back a month", why="one row for each list of the provider"),
    "users": Row(export="user", erased="deleted"),
    "sessions": Row(restore="ended", erased="deleted", pruned="a week after they ended"),
    "checkouts": Row(erased="without address", pruned="a week after they expired, if unpaid"),
    "purchases": Row(export="purchase", erased="without address"),
    "facts": Row(export="purchase", why="they name payments, nobody"),
    "magic_links": Row(erased="deleted", pruned="a week after they ended"),
    "outbox": Row(restore="outcome unknown", export="mail", erased="deleted", pruned="some after a week"),
    "limits": Row(pruned="after a day", why="keyed hashes"),
    "events": Row(pruned="after 90 days", why="they name objects of the provider"),
    "quarantine": Row(export="quarantine", pruned="those of other programs", why="names payments"),
    "payments_due": Row(why="deleted once the payment was read; names payments"),
    "refund_requests": Row(export="refund_request", erased="without reason", pruned="after two years"),
    "withdrawals": Row(export="withdrawal", erased="without name and address", pruned="some after three years"),
    "sale_notes": Row(export="note", erased="deleted"),
    "uploads": Row(erased="its file is forgotten", pruned="after 30 days", why="names a file, columns and products"),
    "upload_pieces": Row(erased="deleted", pruned="after 24 hours", why="a copy of what the merchant has"),
    "licences": Row(export="purchase", why="the merchant's keys; given ones stand in the purchase"),
    "licence_line": Row(erased="deleted", why="deleted once a key was given"),
    "downloads": Row(erased="deleted", why="kept as long as the purchase"),
    "moves": Row(erased="deleted", pruned="a week after they can be undone"),
    "erasures": Row(why="it is what says that somebody was erased"),
    "erased_addresses": Row(why="keyed hashes: they say that somebody was erased"),
    "problems": Row(pruned="after 30 days", why="names no customer"),
    "audit": Row(export="audit", pruned="after two years", why="names nobody by address"),
    "audit_reasons": Row(export="audit", erased="deleted", pruned="with their line"),
    "audit_checkpoint": Row(pruned="replaced by the next", why="one row"),
    "refused_sign_ins": Row(pruned="after their hour", why="keyed hashes"),
    "day_sums": Row(why="sums: they name nobody"),
    "sums_touched": Row(why="moments; deleted once that day was counted"),
    "sums_closed": Row(why="one row"),
    "staff": Row(why="people who work here, not customers; disabled ones stay for the audit log"),
    "staff_links": Row(restore="ended", pruned="a week after they expired", why="staff"),
    "passkeys": Row(why="staff"),
    "staff_sessions": Row(restore="ended", pruned="a week after they began", why="staff"),
}  # fmt: skip
"""A new table gets a row here, and the code that does what it says."""


class Watched:
    """An empty database, which notes the tables that are written, and those that are read."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("PRAGMA foreign_keys = ON")
        for migration in MIGRATIONS:
            for statement in migration.on_sqlite():
                self.connection.execute(statement)
        self.tx: Transaction = SqlTransaction(self.connection.execute)
        self.written: set[str] = set()
        self.read_from: set[str] = set()

    def watch(self) -> None:
        self.connection.set_authorizer(self._note)

    def _note(self, action: int, table: str | None, *_: Any) -> int:
        if action in (sqlite3.SQLITE_DELETE, sqlite3.SQLITE_UPDATE) and table:
            self.written.add(table)
        if action == sqlite3.SQLITE_READ and table:
            self.read_from.add(table)
        return sqlite3.SQLITE_OK

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return work(self.tx)


@pytest.fixture
def database() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.connection.close()


def declared(column: str) -> set[str]:
    return {table for table, row in HANDLED.items() if getattr(row, column)}


@pytest.mark.parametrize("table", sorted({*HANDLED, *TABLES}))
def test_a_table_has_a_row_here_is_moved_and_somebody_thought_of_what_it_does_not_do(table: str) -> None:
    assert table in HANDLED, "a new table: write down what becomes of its rows, and see to it"
    assert table in TABLES or table == "shop", "`coatcheck move` leaves it behind"
    row = HANDLED[table]
    assert row.why or (row.erased and (row.export or row.pruned))


def test_no_table_of_the_schema_is_forgotten(database: Watched) -> None:
    found = database.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    assert {name for (name,) in found} == {*HANDLED}
    assert len(Tables.__slots__) >= len(HANDLED) - 5, "the fake has several of them in one"


def test_a_restore_ends_what_is_said_to_end_here() -> None:
    assert {table for table, row in HANDLED.items() if row.restore == "ended"} == {*copies._ENDED}


def test_a_deletion_takes_from_the_tables_that_are_named_here(database: Watched) -> None:
    database.watch()
    database.tx.erasures.erase_order(PURCHASE.checkout, at=NOW)
    database.tx.erasures.forget(ANNA)
    database.tx.users.drop_without_purchases(ANNA)
    move = ("m1", ChangeKind.CHANGE.value, "anna@example.com", micros(NOW))
    forgetting.forget_former(database.connection.execute, move)
    assert database.written == declared("erased")


def test_postgresql_scrubs_every_table_that_a_deletion_takes_something_from() -> None:
    assert {*scrubbing.PERSONAL} == declared("erased")


def test_what_is_of_no_more_use_goes_from_the_tables_that_are_named_here(database: Watched) -> None:
    database.tx.refused_sign_ins.count("n1", NOW)
    database.watch()
    database.tx.retention.prune(now=NOW)
    database.tx.audit_chain.prune(Checkpoint(AuditLink(1, "k.aa"), at=NOW, signature="k.bb"))
    database.tx.refused_sign_ins.take_before(NOW.replace(year=2099), limit=1)
    assert database.written == declared("pruned")


def test_an_export_reads_the_tables_that_are_named_here(database: Watched) -> None:
    tx = database.tx
    tx.users.get_or_add(ANNA, new_id=USER.id, now=NOW)
    tx.purchases.book(PURCHASE)
    tx.outbox.queue(MAIL)
    tx.audit.append(AUDIT)
    tx.refund_requests.add(REFUND_REQUEST)
    tx.withdrawals.add(WITHDRAWAL)
    tx.quarantine.add(QUARANTINED.ref, QUARANTINED.reason, at=NOW, retry_at=None)
    database.watch()

    async def read() -> list[object]:
        return [record async for record in ExportRecords(store=database)()]  # type: ignore[arg-type]  # it only reads

    assert len(asyncio.run(read())) == 7
    others = {"erasures", "licences"}
    assert database.read_from - others == declared("export") - others
