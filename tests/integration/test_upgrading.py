"""A database of an older release is migrated, and copied aside before; one of a newer release is refused by name."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.sql.schema import MIGRATIONS, Migration
from adapters.sqlite.connections import NotDurable, open_reader
from adapters.sqlite.copies import SqliteCopies
from adapters.sqlite.foreign import things_in
from adapters.sqlite.snapshots import CannotCopyAside, copies_aside, copy_aside
from adapters.sqlite.store import SqliteStore
from testkit.servers import ShopServer

NEXT = Migration("9999_colours", "ALTER TABLE users ADD COLUMN colour TEXT; UPDATE users SET colour = 'red'")
BROKEN = Migration(
    "9999_colours", "ALTER TABLE users ADD COLUMN colour TEXT; UPDATE nobody SET colour = 'red'"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A shop's database of this release, with one user whose row is still in the write-ahead log."""
    path = tmp_path / "coatcheck.db"
    store = SqliteStore.open(path, serving=False)
    asyncio.run(store.transact(lambda tx: tx.shop.open("a-shop")))
    store.close()
    add_user(path, "anna")
    return path


def add_user(path: Path, name: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO users (id, email, since) VALUES (?1, ?1 || '@example.com', 1)", (name,))


def users_in(path: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM users ORDER BY id").fetchall()


def upgrade(path: Path, *steps: Migration, serving: bool = True) -> None:
    SqliteStore.open(path, serving=serving, steps=(*MIGRATIONS, *steps)).close()


def test_before_a_migration_the_database_is_copied_aside_as_it_was(path: Path) -> None:
    before, users = things(path), users_in(path)
    upgrade(path, NEXT)
    assert [user[-1] for user in users_in(path)] == ["red"]
    [copy] = copies_aside(path)
    assert copy.name == "coatcheck.db.before-9999_colours"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not list(path.parent.glob("*before*-wal")), "a file by itself"
    assert copy.read_bytes()[18:20] == b"\1\1", (
        "and opened without a write-ahead log (sqlite.org/fileformat.html)"
    )
    assert (things(copy), users_in(copy)) == (before, users)
    assert SqliteCopies(path).look_into(copy).users == 1
    path.unlink()
    copy.rename(path)
    SqliteStore.open(path, serving=True).close()  # back to the release of before


def things(path: Path) -> set[tuple[str, str, str, str]]:
    with contextlib.closing(open_reader(path)) as connection:
        return things_in(connection)


def test_without_a_pending_migration_or_without_a_database_nothing_is_copied(path: Path) -> None:
    upgrade(path)
    assert copies_aside(path) == []
    fresh = path.with_name("fresh.db")
    upgrade(fresh, NEXT)
    assert copies_aside(fresh) == []


def test_a_migration_that_fails_changes_nothing_and_its_copy_is_replaced_by_the_next_try(path: Path) -> None:
    """The server is restarted every second then: the disk must not fill."""
    before = things(path)
    for _ in range(3):
        with pytest.raises(sqlite3.OperationalError):
            open_broken(path)
    assert things(path) == before
    add_user(path, "ben")
    (path.parent / "coatcheck.db.before-9999_colours.part").write_bytes(
        b"half a copy of a process that was killed"
    )
    upgrade(path, NEXT)
    [copy] = copies_aside(path)
    assert [user[0] for user in users_in(copy)] == ["anna", "ben"]
    assert [user[-1] for user in users_in(path)] == ["red", "red"]


def test_of_two_migrations_of_which_the_second_fails_neither_stays(path: Path) -> None:
    before = things(path)
    with pytest.raises(sqlite3.OperationalError):
        open_broken(path, Migration("9998_shapes", "ALTER TABLE users ADD COLUMN shape TEXT"))
    assert things(path) == before


def open_broken(path: Path, *earlier: Migration) -> None:
    from adapters.sqlite.connections import open_writer

    open_writer(path, checkpoints=True, steps=(*MIGRATIONS, *earlier, BROKEN)).close()


def test_without_room_for_the_copy_nothing_is_migrated(path: Path) -> None:
    with contextlib.closing(open_reader(path)) as reader:
        with pytest.raises(CannotCopyAside, match=r"needs \d+ MB, and 7 MB are free in .* make room"):
            copy_aside(reader, path, before="9999_colours", free=lambda folder: 7_999_999)
        assert copies_aside(path) == []
        assert copy_aside(reader, path, before="9999_colours").exists()


def test_a_copy_that_cannot_be_written_stops_the_migration(path: Path) -> None:
    """As on a full disk; the message says that nothing was changed."""
    before = things(path)
    (path.parent / "coatcheck.db.before-9999_colours.part").mkdir()
    with pytest.raises(NotDurable, match=r"could not be copied aside .*\(nothing was changed\)"):
        upgrade(path, NEXT)
    assert things(path) == before


def test_of_several_processes_that_start_at_once_one_copies_and_migrates(path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: upgrade(path, NEXT, serving=False), range(4)))
    [copy] = copies_aside(path)
    assert len(users_in(copy)[0]) + 1 == len(users_in(path)[0])


def test_copies_are_deleted_after_a_month_and_once_somebody_was_erased(path: Path) -> None:
    """A copy holds those who were erased since it was made."""
    upgrade(path, NEXT)
    [copy] = copies_aside(path)
    store = SqliteStore.open(path, serving=True, steps=(*MIGRATIONS, NEXT))
    assert copies_aside(path) == [copy]
    asyncio.run(store.scrub())
    store.close()
    assert copies_aside(path) == []
    for age, left in ((29, 1), (31, 0)):
        copy.write_bytes(b"a copy")
        os.utime(copy, (time.time() - age * 86_400,) * 2)
        upgrade(path, NEXT)
        assert len(copies_aside(path)) == left


def test_a_database_of_a_newer_release_is_refused_by_name(path: Path) -> None:
    upgrade(path, NEXT)
    with pytest.raises(NotDurable, match=r"a newer release of Coatcheck \(9999_colours\): install that"):
        SqliteStore.open(path, serving=True)


def test_a_database_of_a_newer_release_stops_every_command_and_is_left_as_it_is(own_shop: ShopServer) -> None:
    own_shop.process.stop()
    database = own_shop.data / "coatcheck.db"
    upgrade(database, NEXT)
    before = things(database)
    for command in ("serve", "status", "doctor", "reconcile", "export"):
        done = own_shop.cli(command, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == (1 if command == "doctor" else 2), command
        assert "a newer release of Coatcheck (9999_colours): install that release" in said, command
        assert "Traceback" not in said
    assert things(database) == before
