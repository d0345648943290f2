"""Every table of the books, column by column, for books that are moved from one engine to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.sql import rows


class Table:
    """A table: its name, its columns, and the key by which its rows are put in order."""

    __slots__ = ("columns", "key", "name")

    def __init__(self, name: str, columns: str, *, key: str) -> None:
        self.name = name
        self.columns = tuple(columns.split(", "))
        self.key = tuple(key.split(", "))

    @property
    def select(self) -> str:
        """All rows in the order of the key. Text is in the order of its bytes, on every engine."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name} ORDER BY {', '.join(self.key)}"  # noqa: S608 - constants


# Users before purchases, which refer to them. The shop's id is moved by itself: its table has a column that an engine
# calls otherwise.
TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        Table("users", rows.USER, key="id"),
        Table("sessions", rows.SESSION, key="id"),
        Table("checkouts", f"{rows.CHECKOUT}, asked_at", key="id"),
        Table("purchases", rows.PURCHASE, key="checkout_id"),
        Table("facts", rows.FACT, key="object_id"),
        Table("magic_links", rows.LINK, key="id"),
        Table("outbox", rows.MAIL, key="key"),
        Table("limits", "bucket, at, ref", key="bucket, at, ref"),
        Table("events", "id, type, object_id, created, outcome, at", key="id"),
        Table("quarantine", rows.QUARANTINE, key="ref"),
        Table("cursors", "name, at", key="name"),
        Table("payments_due", "payment, since, due_at, tries", key="payment"),
        Table("licences", "pid, key, position, checkout_id", key="pid, key"),
        Table("licence_line", "pid, checkout_id", key="pid, checkout_id"),
        Table("downloads", rows.DOWNLOAD, key="checkout_id, pid, name"),
        Table("moves", rows.MOVE, key="id"),
        Table("erasures", "checkout_id, at", key="checkout_id"),
        Table("erased_addresses", "tag, at", key="tag"),
    )
}
