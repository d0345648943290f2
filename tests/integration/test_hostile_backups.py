"""Backups, databases and lists that somebody else wrote: refused in a sentence, without reading or running more of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from contracts import samples
from contracts.samples import ANNA, BEN, NOW

from adapters.files.vault import FolderVault
from adapters.sqlite.copies import BadCopy
from adapters.sqlite.copying import NotMovable, ShopFile
from adapters.tutorial.file import TutorialFile, UnreadableFile, is_tutorial
from domain.records import ErasedAddress
from domain.usecases.erase_again import ErasedAgain
from domain.values import CheckoutId, UserId
from entrypoints.cli import Refusal
from entrypoints.maintenance.backup import Kept, NoBackup, erasures_in, fetch, is_sound, manifest_of
from entrypoints.maintenance.erasures import Erasures
from entrypoints.maintenance.restore import look_at
from entrypoints.safe_output import say, shown
from testkit.backups import KEYRING, Place

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    with made.opened() as do:
        do(lambda tx: tx.shop.open("shop-of-the-tests"))
        do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u1"), now=NOW))
        do(lambda tx: tx.checkouts.add(samples.a_checkout("c1")))
        do(lambda tx: tx.purchases.book(samples.a_purchase("c1")))
    return made


# ---------------------------------------------------------------------- whose it is after a restore


def test_a_deletion_under_a_former_address_costs_nobody_else_an_order_at_any_restore(place: Place) -> None:
    """Anna's address becomes Ben's; then somebody orders something under the old one, and has it deleted."""
    before = place.back_up()
    with place.opened() as do:
        user = do(lambda tx: tx.users.get_or_add(BEN, new_id=UserId("u2"), now=NOW))
        do(lambda tx: tx.purchases.transfer(tx.checkouts.of_address(ANNA), old=ANNA, mailbox=BEN, user=user))
        do(lambda tx: tx.users.drop_without_purchases(ANNA))
    after = place.back_up()
    with place.opened() as do:
        do(lambda tx: tx.users.get_or_add(ANNA, new_id=UserId("u3"), now=NOW))
        do(lambda tx: tx.purchases.book(replace(samples.a_purchase("c2", user="u3"), provider_ref=None)))
        erased = ErasedAddress(tag=KEYRING.signing.erasure_of(ANNA), at=NOW)
        do(lambda tx: tx.erasures.note_address(erased))
        do(lambda tx: tx.erasures.erase(ANNA, at=NOW))
    place.back_up()
    [listed] = place.backups.glob("erasures/*.txt")
    assert "anna" not in listed.read_text()
    for name, owner in ((after, BEN), (before, ANNA)):
        assert place.restore(name) == ErasedAgain(orders=1, unknown=0)
        with place.opened() as do:
            assert [
                h.purchase.checkout for h in do(lambda tx, owner=owner: tx.purchases.of_address(owner))
            ] == ["c1"]
            assert do(lambda tx: tx.erasures.is_erased(CheckoutId("c2")))


# ---------------------------------------------------------------------- manifests and lists


def rewritten(place: Place, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    path = place.backups / name / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.chmod(0o600)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["database"].update(sha256="../../dev/zero"),
        lambda m: m.update(goods=[{"sha256": "../../../../dev/zero", "size": 1}]),
        lambda m: m["database"].update(sha256=m["database"]["sha256"].upper()),
        lambda m: m["database"].update(sha256=m["database"]["sha256"] + "\n"),
        lambda m: m["database"].update(size=-1),
        lambda m: m["database"].update(size=2**60),
        lambda m: m.update(shop="\x1b]0;mine\x07"),
        lambda m: m.update(coatcheck="1.0\x1b[2J"),
        lambda m: m.update(goods_elsewhere="s3://a\nb"),
        lambda m: m.update(schema=["0001\x1b[2J"]),
        lambda m: m.update(moment="2026-03-01T12:00:00"),
    ],
)
def test_a_manifest_that_says_what_no_backup_says_is_refused(
    place: Place, change: Callable[[dict[str, Any]], object]
) -> None:
    name = place.back_up()
    rewritten(place, name, change)
    with pytest.raises(NoBackup, match="manifest"):
        manifest_of(place.vault, name)
    assert {path.name for path in place.backups.parent.iterdir()} <= {
        "backups", "coatcheck.db", "coatcheck.db-wal", "coatcheck.db-shm", "coatcheck.db.lock",
    }  # fmt: skip


class Endless:
    """A place whose files have the size that is asked for, and no end."""

    place = "endless"

    def __init__(self, size: int) -> None:
        self._size, self.given = size, 0

    def size(self, name: str) -> int:
        return self._size

    def read(self, name: str, *, most: int) -> Iterator[bytes]:
        while self.given < most:
            self.given += 1
            yield b"\0"


def test_no_more_is_read_than_the_manifest_says(tmp_path: Path) -> None:
    kept = Kept(sha256="0" * 64, size=1000)
    endless: Any = Endless(1000)
    with pytest.raises(NoBackup, match="damaged"):
        fetch(endless, "goods/x", tmp_path / "x", kept=kept, done=lambda _: None)
    assert endless.given == 1001
    endless = Endless(1000)
    assert not is_sound(endless, "goods/x", kept=kept, done=lambda _: None)
    assert endless.given == 1001
    (tmp_path / "long").write_bytes(b"x" * 5000)
    with pytest.raises(NoBackup, match="damaged"):
        fetch(FolderVault(tmp_path), "long", tmp_path / "y", kept=kept, done=lambda _: None)
    assert (tmp_path / "y").stat().st_size == 1001


@pytest.mark.parametrize("name", ["../outside", "/dev/zero", "a/../../outside", "a//b", ".", "a\0b"])
def test_a_name_leads_nowhere_outside_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("x")
    vault = FolderVault(tmp_path / "backups")
    for use in (vault.size, lambda name: list(vault.read(name, most=9))):
        with pytest.raises(OSError, match="no name of a file"):
            use(name)  # type: ignore[operator]
    with pytest.raises(OSError, match="no name of a file"):
        vault.put(name, tmp_path / "outside", sha256="0" * 64)


def test_devices_pipes_and_links_are_no_files_of_a_backup(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    vault = FolderVault(tmp_path)
    for name in ("link", "pipe"):
        assert vault.size(name) is None
        with pytest.raises(OSError, match="link|pipe"):
            list(vault.read(name, most=9))


@pytest.mark.parametrize(
    "line",
    [
        "two words",
        "../x",
        "address k.1 2026-03-01T12:00:00Z",
        "\x1b[2J",
        "address " + "a" * 8 + "." + "b" * 64,
    ],
)
def test_a_line_that_is_no_erasure_is_refused_by_its_number(place: Place, line: str) -> None:
    (place.backups / "erasures").mkdir(parents=True)
    (place.backups / "erasures" / "x.txt").write_text(f"c1\n{line}\n")
    with pytest.raises(NoBackup, match=r"line 2: .*") as refused:
        erasures_in(place.vault)
    assert "\x1b" not in str(refused.value)


def test_the_list_of_an_earlier_release_is_read(place: Place) -> None:
    (place.backups / "erasures").mkdir(parents=True)
    (place.backups / "erasures" / "x.txt").write_text("c1\nc2\n")
    assert erasures_in(place.vault) == Erasures(orders=(CheckoutId("c1"), CheckoutId("c2")))


# ---------------------------------------------------------------------- databases

SPOILT = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON purchases BEGIN UPDATE purchases SET mailbox = 'thief@example.com'; END",
    "a view": f"CREATE VIEW v AS {ENDLESS} i FROM n",
    "a view in the place of a table": (
        "PRAGMA legacy_alter_table = ON; ALTER TABLE shop RENAME TO shop_was; "
        f"CREATE VIEW shop AS {ENDLESS} 'x' || i AS id FROM n WHERE i < 0"
    ),
    "the list of migrations as a view": (
        f"DROP TABLE _sqlite_migrations; CREATE VIEW _sqlite_migrations AS {ENDLESS} i AS id, 'coatcheck' AS "
        "migration_set, 'x' AS name, 'x' AS applied_at FROM n"
    ),
    "a virtual table": "CREATE VIRTUAL TABLE f USING fts5(x)",
    "another index": "CREATE INDEX i ON purchases (abs(amount))",
    "another table": "CREATE TABLE cats (name TEXT)",
    "a missing index": "DROP INDEX users_email",
    "another column": "ALTER TABLE users ADD COLUMN twice TEXT GENERATED ALWAYS AS (email || email)",
    "a check": (
        "DROP TABLE cursors; "
        "CREATE TABLE cursors (name TEXT PRIMARY KEY, at INTEGER NOT NULL CHECK (at < random())) STRICT"
    ),
}


@pytest.mark.parametrize("statement", SPOILT.values(), ids=SPOILT.keys())
def test_a_database_with_anything_that_we_did_not_make_is_neither_restored_nor_moved(
    place: Place, statement: str
) -> None:
    place.spoil(statement)
    with (
        pytest.raises(NotMovable, match="was changed by another program|neither a shop's"),
        ShopFile(place.database).opened(),
    ):
        pytest.fail("it was opened")
    copy = place.database.with_name("copy.db")
    place.copies.snapshot(copy)
    with pytest.raises(BadCopy, match="was changed by another program"):
        place.copies.look_into(copy)


def test_a_database_with_an_urgency_that_no_mail_has_is_neither_restored_nor_moved(place: Place) -> None:
    place.spoil(
        "PRAGMA ignore_check_constraints = ON; "
        "INSERT INTO outbox (key, kind, mailbox, template, language, parameters, queued_at, due_at, state, attempts, problem, urgency) "
        "VALUES ('m1', 'release', 'anna@example.com', 'sign_in', 'en', '{}', 1, 1, 'queued', 0, '', 9)"
    )
    with pytest.raises(NotMovable, match="unknown urgency"), ShopFile(place.database).opened():
        pytest.fail("it was opened")
    copy = place.database.with_name("copy.db")
    place.copies.snapshot(copy)
    with pytest.raises(BadCopy, match="damaged: an email has an unknown urgency"):
        place.copies.look_into(copy)


def test_a_backup_with_a_trigger_is_not_restored_and_leaves_nothing(place: Place) -> None:
    name = place.back_up()
    copy = place.backups / name / "coatcheck.db"
    copy.chmod(0o600)
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        connection.execute(SPOILT["a trigger"])
    kept = {
        "sha256": hashlib.sha256(copy.read_bytes()).hexdigest(),
        "size": copy.stat().st_size,
    }
    rewritten(place, name, lambda m: m.update(database=kept))
    for attempt in (
        lambda: place.restore(name),
        lambda: look_at(place.vault, place.copies, name, done=lambda _: None),
    ):
        with pytest.raises(BadCopy, match="trigger"):
            attempt()
    assert not place.database.exists()


def test_an_analysed_database_is_ours(place: Place) -> None:
    place.spoil("ANALYZE")
    assert place.restore(place.back_up()) == ErasedAgain(orders=0, unknown=0)


TUTORIAL = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE magic_links (email TEXT, token TEXT); "


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE VIEW purchases AS {ENDLESS} i AS id, 1 AS user_id, 'p' AS prod_id, 's' AS sess_id, 1 AS amt FROM n",
        "CREATE TABLE purchases (id INTEGER PRIMARY KEY, user_id, prod_id, sess_id, amt AS (user_id + 1))",
        (
            "CREATE TABLE purchases (id INTEGER PRIMARY KEY, user_id, prod_id, sess_id, amt); "
            "CREATE TRIGGER t AFTER INSERT ON purchases BEGIN SELECT 1; END"
        ),
        "CREATE VIRTUAL TABLE purchases USING fts5(id, user_id, prod_id, sess_id, amt)",
    ],
    ids=["view", "computed", "trigger", "virtual"],
)
def test_of_the_tutorials_file_plain_tables_are_read_and_nothing_else(tmp_path: Path, statement: str) -> None:
    file = tmp_path / "seed.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(TUTORIAL + statement)
    assert is_tutorial(file)
    for read in (TutorialFile.count, TutorialFile.users_without_sales, lambda old: list(old.sales())):
        with pytest.raises(UnreadableFile):
            read(TutorialFile(file))


@pytest.mark.long
def test_a_tutorials_file_whose_reading_takes_steps_without_end_is_given_up(tmp_path: Path) -> None:
    """Text against numbers: SQLite makes no index for them, and compares 15,000 rows with 15,000."""
    file = tmp_path / "seed.db"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 15000)"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(
            "CREATE TABLE users (id TEXT, email TEXT); CREATE TABLE magic_links (email TEXT, token TEXT); "
            "CREATE TABLE purchases (id INTEGER PRIMARY KEY, user_id INTEGER, prod_id, sess_id, amt); "
            f"INSERT INTO users {numbers} SELECT 'x', '' FROM n; "
            f"INSERT INTO purchases {numbers} SELECT i, i, '', '', 0 FROM n"
        )
    assert is_tutorial(file)
    with pytest.raises(UnreadableFile, match="interrupted"):
        list(TutorialFile(file).sales())


# ---------------------------------------------------------------------- the terminal


def test_what_is_printed_cannot_steer_the_terminal() -> None:
    assert shown("9,00\N{NO-BREAK SPACE}€ for Zoë 本") == "9,00\N{NO-BREAK SPACE}€ for Zoë 本"
    assert shown("a\x1b]0;x\x07b\x9bc\u202ed\re\nf") == r"a\x1b]0;x\x07b\x9bc\u202ed\re\nf"

    @click.command()
    @click.argument("how")
    def command(how: str) -> None:
        if how == "says":
            say("of a bucket: \x1b[2J", mark=click.style("ok", fg="green"))
        else:
            raise Refusal("of a file: \x1b[2J")

    for how in ("says", "refuses"):
        answer = CliRunner().invoke(command, [how])
        assert r"\x1b[2J" in answer.output
        assert "\x1b[2J" not in answer.output


def test_a_shops_own_database_is_movable_and_another_releases_is_named_as_such(place: Place) -> None:
    with ShopFile(place.database).opened() as opened:
        assert opened.count("erased_addresses") == 0
        assert [row[0] for row in opened.rows("purchases")] == ["c1"]
    for change, words in (
        (
            "UPDATE _sqlite_migrations SET name = '0001_of_tomorrow' WHERE name LIKE '0001%'",
            "newer Coatcheck",
        ),
        ("DELETE FROM _sqlite_migrations", "older Coatcheck"),
    ):
        place.spoil(change)
        with pytest.raises(NotMovable, match=words), ShopFile(place.database).opened():
            pytest.fail("it was opened")
