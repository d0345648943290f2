"""What a test asks of a shop's database, whichever engine keeps it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from testkit.postgres import PostgresServer
from testkit.servers import ShopServer


def everything_in(shop: ShopServer) -> str:
    """Every row of every table, as text."""
    url = shop.more.get("DATABASE_URL")
    if url is None:
        database = sqlite3.connect(shop.folder / "data" / "coatcheck.db")
        try:
            return "\n".join(database.iterdump())
        finally:
            database.close()
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return "\n".join(
            str(row)
            for (table,) in tables
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        )


def every_row(shop: ShopServer) -> list[tuple[str, tuple[Any, ...]]]:
    """Every row of every table, with the table's name."""
    url = shop.more.get("DATABASE_URL")
    if url is None:
        path = shop.folder / "data" / "coatcheck.db"
        with contextlib.closing(sqlite3.connect(path)) as database:
            names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            return [(name, row) for (name,) in names for row in database.execute(f'SELECT * FROM "{name}"')]
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return [
            (name, row)
            for (name,) in names
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))
        ]


def files_of(shop: ShopServer, server: PostgresServer | None) -> list[Path]:
    """Every file of the shop and of its database, as it stands on the disk. (Write-ahead logs are the server's.)"""
    folders = [shop.folder]
    if server is not None:
        server.execute("CHECKPOINT")
        database = shop.more["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
        [(oid,)] = server.execute(f"SELECT oid FROM pg_database WHERE datname = '{database}'")
        folders.append(server.folder / "data" / "base" / str(oid))
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def age_sign_ins(shop: ShopServer, *, minutes: int) -> None:
    """Put every session's verification further into the past: a running shop cannot be given another clock."""
    _age(shop, "sessions", minutes)


def age_checkouts(shop: ShopServer, *, minutes: int) -> None:
    """Put the beginning of every checkout further into the past."""
    _age(shop, "checkouts", minutes)


def _age(shop: ShopServer, table: str, minutes: int) -> None:
    statement = f"UPDATE {table} SET started_at = started_at - {minutes * 60_000_000}"
    url = shop.more.get("DATABASE_URL")
    if url is None:
        with contextlib.closing(sqlite3.connect(shop.folder / "data" / "coatcheck.db")) as database, database:
            database.execute(statement)
        return
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL(statement))  # type: ignore[arg-type]
