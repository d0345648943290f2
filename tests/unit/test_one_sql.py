"""Statements are written once: PostgreSQL's form says the same, and every record is in every store."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import adapters.memory
import adapters.sql
from adapters.sql.books import TABLES, SqlBooks
from adapters.sql.dialect import ANY_OF, LISTED, LOCKED, for_psycopg, postgres_schema, texts
from adapters.sql.record import Record
from adapters.sql.schema import MIGRATIONS, UNIQUE
from domain.books import Books


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


def test_each_promise_of_the_port_is_kept_by_exactly_one_record() -> None:
    """In memory, too: so that the two are cut alike."""
    promised = {name for name in dir(Books) if not name.startswith("_")}
    for package in (adapters.sql, adapters.memory):
        books = importlib.import_module(f"{package.__name__}.books")
        all_of_it = books.SqlBooks if package is adapters.sql else books.MemoryBooks
        kept = [
            name
            for record in all_of_it.__bases__
            for name in vars(record)
            if not name.startswith("_") and name != "tables"
        ]
        assert sorted(kept) == sorted(promised)


def test_no_record_needs_another() -> None:
    for record in SqlBooks.__bases__:
        assert record.__bases__ == (Record,)
