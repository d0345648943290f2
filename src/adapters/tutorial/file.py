"""The tutorial's SQLite file: tables users, magic_links and purchases. It is only read."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from domain.usecases.imported_sale import OldSale

_COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "users": frozenset({"id", "email"}),
    "magic_links": frozenset({"email", "token"}),
    "purchases": frozenset({"id", "user_id", "prod_id", "sess_id", "amt"}),
}
_SALES: Final = (
    "SELECT p.id, u.email, p.prod_id, p.sess_id, p.amt FROM purchases p LEFT JOIN users u ON u.id = p.user_id "
    "ORDER BY p.id"
)
_OWNERLESS: Final = (
    "SELECT count(*) FROM users WHERE id NOT IN (SELECT user_id FROM purchases WHERE user_id IS NOT NULL)"
)

# In instructions of SQLite's machine, as for every database that came from elsewhere (adapters.sqlite.foreign).
_STEPS_AT_LEAST: Final = 200_000_000
_STEPS_A_BYTE: Final = 200
_STEPS_AT_ONCE: Final = 1_000_000


class UnreadableFile(Exception):
    """The tutorial's file cannot be read; the message says why."""


def is_tutorial(path: Path) -> bool:
    """Whether the file is a database that has the tutorial's tables, and not a shop's."""
    if not path.is_file():
        return False
    try:
        with _opened(path) as connection:
            names = {
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type <> 'index'")
            }
            return "shop" not in names and all(
                columns <= {row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})")}
                for table, columns in _COLUMNS.items()
            )
    except sqlite3.Error:
        return False


class TutorialFile:
    """The file at one path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def count(self) -> int:
        """How many sales are in it. Raises UnreadableFile."""
        return self._number("SELECT count(*) FROM purchases")

    def users_without_sales(self) -> int:
        """How many users never bought. Raises UnreadableFile."""
        return self._number(_OWNERLESS)

    def sales(self) -> Iterator[OldSale]:
        """Every row of `purchases`, as it stands, of one moment. Raises UnreadableFile."""
        with self._in_words(), self._checked() as connection:
            for row, email, product, ref, amount in connection.execute(_SALES):
                yield OldSale(
                    row=str(row),
                    email=_text(email),
                    product=_text(product),
                    ref=_text(ref),
                    amount=amount if isinstance(amount, int) else None,
                )

    def _number(self, statement: str) -> int:
        with self._in_words(), self._checked() as connection:
            return int(connection.execute(statement).fetchone()[0])

    @contextlib.contextmanager
    def _checked(self) -> Iterator[sqlite3.Connection]:
        """Open for reading plain tables: what a view or a computed column gives has perhaps no end."""
        with _opened(self.path) as connection:
            things = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
            for kind, name, sql in things:
                if kind in ("view", "trigger") or str(sql).upper().startswith("CREATE VIRTUAL"):
                    raise UnreadableFile(
                        f"{self.path} holds the {kind} {name!r}, which the tutorial does not create: "
                        "drop it in a copy of the file, and move that copy"
                    )
            for table in _COLUMNS:
                if any(row[6] for row in connection.execute(f"PRAGMA table_xinfo({table})")):
                    raise UnreadableFile(f"{self.path}: the table {table} has computed columns")
            yield connection

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise UnreadableFile(f"{self.path} cannot be read: {error}") from error


def _text(value: Any) -> str:
    """Its columns take anything: what is no text is no address, no product and no session either."""
    return value if isinstance(value, str) else ""


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    ) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        turns = itertools.count()
        most = (_STEPS_AT_LEAST + _STEPS_A_BYTE * path.stat().st_size) // _STEPS_AT_ONCE
        connection.set_progress_handler(lambda: next(turns) > most, _STEPS_AT_ONCE)
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        yield connection
