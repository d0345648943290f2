"""Statements are written once: PostgreSQL's form says the same, and every record is in every store."""

from __future__ import annotations

import importlib
import pkgutil
import re
import typing
from typing import Any

import pytest

import adapters.sql
from adapters.memory.tables import Tables
from adapters.memory.transaction import MemoryTransaction
from adapters.sql.dialect import ANY_OF, LISTED, LOCKED, for_psycopg, postgres_schema, texts
from adapters.sql.record import Record
from adapters.sql.schema import MIGRATIONS, UNIQUE
from adapters.sql.transaction import RECORDS, TABLES, SqlTransaction
from domain.transaction import Transaction

REPOSITORIES = (
    "address_changes", "audit", "audit_chain", "checkouts", "customer_lists", "day_sums", "downloads", "erasures", "events", "exports", "facts", "licences", "limits", "links", "notes", "open_payments", "outbox", "passkeys", "problems", "purchases", "quarantine", "rechecks", "refund_requests", "refused_sign_ins", "retention", "sale_lists", "searches", "sessions", "shop", "staff", "staff_sessions", "uploads", "users", "waivers", "withdrawals",
)  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT 1 FROM users WHERE id = ?", "SELECT 1 FROM users WHERE id = %s"),
        ("UPDATE t SET a = :at WHERE a < :at", "UPDATE t SET a = %(at)s WHERE a < %(at)s"),
        ("SELECT 1 WHERE ? LIKE '% ' || :pid", "SELECT 1 WHERE %s LIKE '%% ' || %(pid)s"),
        (f"SELECT 1 {LOCKED}", "SELECT 1 FOR UPDATE SKIP LOCKED"),
        (
            f"DELETE FROM t WHERE a {ANY_OF}",
            "DELETE FROM t WHERE a = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(%s AS jsonb))))",
        ),
    ],
)
def test_a_statement_becomes_psycopgs(ours: str, theirs: str) -> None:
    assert for_psycopg(ours) == theirs


def test_no_statement_keeps_anything_of_sqlites() -> None:
    found = 0
    for module in pkgutil.iter_modules(adapters.sql.__path__, "adapters.sql."):
        for value in vars(importlib.import_module(module.name)).values():
            for statement in value if isinstance(value, tuple) else (value,):
                if isinstance(statement, str) and re.match(r"(SELECT|INSERT|UPDATE|DELETE) ", statement):
                    found += 1
                    assert not re.search(r"\?|:[a-z]|json_each|/\*", for_psycopg(statement)), statement
                    assert statement.count("?") + len(re.findall(r":[a-z_]+", statement)) == len(
                        re.findall(r"%(?:s|\()", for_psycopg(statement))
                    ), statement
    assert found > 90


def test_a_list_is_one_value_on_both() -> None:
    assert texts(["a b", 'c"']) == r'["a b", "c\""]'
    assert "place" in for_psycopg(f"SELECT value, place FROM {LISTED}")


def test_the_schema_becomes_postgres() -> None:
    made = postgres_schema("CREATE TABLE t (a TEXT PRIMARY KEY, b INTEGER)\n  STRICT, WITHOUT ROWID")
    assert made == 'CREATE TABLE t (a text COLLATE "C" PRIMARY KEY, b BIGINT)'
    for migration in MIGRATIONS:
        assert not re.search("STRICT|ROWID|INTEGER|TEXT", " ".join(migration.on_postgres()))


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_every_table_of_the_schema_is_some_records_and_is_moved() -> None:
    made = set(re.findall(r"CREATE TABLE (\w+)", " ".join(migration.script for migration in MIGRATIONS)))
    assert made == {*TABLES, "shop"}
    assert set(UNIQUE) <= made


def _nobody(statement: str, values: object = (), /) -> Any:
    raise AssertionError(f"nobody runs {statement}")


def test_each_repository_of_a_transaction_is_one_record_in_sql_and_in_memory() -> None:
    for transaction in (SqlTransaction(_nobody), MemoryTransaction(Tables())):
        for name in REPOSITORIES:
            protocol = typing.get_type_hints(getattr(Transaction, name).fget)["return"]
            promised = {method for method in dir(protocol) if not method.startswith("_")}
            record = type(getattr(transaction, name))
            kept = {method for method in vars(record) if not method.startswith("_")} - {"tables"}
            assert kept == promised, f"{record.__module__} keeps other promises than {protocol.__name__}"
            assert len(promised) <= 12


def test_every_repository_is_listed_here() -> None:
    assert {name for name in dir(Transaction) if not name.startswith("_")} == set(REPOSITORIES)


def test_no_record_needs_another() -> None:
    for record in RECORDS:
        assert record.__bases__ == (Record,)
