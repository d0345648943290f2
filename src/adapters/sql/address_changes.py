"""Moves: purchases and accounts that go from one address to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment, spaced
from domain.address_change import AddressChange, Before, ChangeKind
from domain.values import ChangeId, CheckoutId, EmailAddress

COLUMNS: Final = "id, kind, old, new, asked_by, asked_at, checkouts, done_at, undone_at, old_since, no_news"
STANDS: Final = "done_at IS NOT NULL AND undone_at IS NULL"
MOVED_FROM: Final = f"""SELECT DISTINCT old FROM moves WHERE new = :address AND old <> :address
  AND kind = 'change' AND {STANDS} AND NOT EXISTS (SELECT 1 FROM users WHERE email = moves.old) ORDER BY old"""
_ADD: Final = insert("moves", COLUMNS)
_BY_ID: Final = f"SELECT {COLUMNS} FROM moves WHERE id = ?"
_TO: Final = f"SELECT {COLUMNS} FROM moves WHERE new = ? AND {STANDS} ORDER BY done_at, id"
_FROM: Final = f"SELECT {COLUMNS} FROM moves WHERE old = ? AND {STANDS} ORDER BY done_at, id"
# Two seeks, one into each index; an OR would be one, too, in SQLite alone.
OF_ADDRESS: Final = f"""SELECT {COLUMNS} FROM moves WHERE old = :address
  UNION SELECT {COLUMNS} FROM moves WHERE new = :address ORDER BY asked_at, id"""
_CORRECTION: Final = f"""SELECT {COLUMNS} FROM moves WHERE kind = 'correction' AND checkouts = ?
  ORDER BY asked_at, id LIMIT 1"""
_SETTLE: Final = """UPDATE moves SET done_at = coalesce(:done, done_at), undone_at = :undone,
  checkouts = coalesce(:checkouts, checkouts), old_since = coalesce(:since, old_since),
  no_news = coalesce(:no_news, no_news)
  WHERE id = :id AND undone_at IS NULL AND (CAST(:done AS BIGINT) IS NULL OR done_at IS NULL)"""
_CANCEL: Final = """UPDATE moves SET undone_at = ? WHERE old = ? AND done_at IS NULL AND undone_at IS NULL
  AND kind = coalesce(?, kind)"""
_OLD_NO_NEWS: Final = 1
_NEW_NO_NEWS: Final = 2


class AddressChanges(Record):
    tables: ClassVar = [Table("moves", COLUMNS, key="id")]

    def get(self, move: ChangeId) -> AddressChange | None:
        return self._one(_from_row, _BY_ID, (move,))

    def done_to(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        return self._all(_from_row, _TO, (mailbox.canonical,))

    def done_from(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        return self._all(_from_row, _FROM, (mailbox.canonical,))

    def of_address(self, mailbox: EmailAddress) -> Sequence[AddressChange]:
        return self._all(_from_row, OF_ADDRESS, {"address": mailbox.canonical})

    def correction_of(self, checkout: CheckoutId) -> AddressChange | None:
        return self._one(_from_row, _CORRECTION, (checkout,))

    def former_addresses(self, mailbox: EmailAddress) -> Sequence[EmailAddress]:
        return [EmailAddress(row[0]) for row in self._sql(MOVED_FROM, {"address": mailbox.canonical})]

    def begin(self, move: AddressChange) -> None:
        self._sql(_ADD, _to_row(move))

    def settle(
        self,
        move: ChangeId,
        *,
        done_at: datetime | None = None,
        undone_at: datetime | None = None,
        checkouts: Sequence[CheckoutId] | None = None,
        before: Before | None = None,
    ) -> bool:
        since, no_news = _before_row(before)
        values = {
            "id": move, "done": maybe(micros, done_at), "undone": maybe(micros, undone_at), "since": since,
            "no_news": no_news, "checkouts": maybe(" ".join, checkouts),
        }  # fmt: skip
        return self._changed(_SETTLE, values)

    def cancel_pending(self, old: EmailAddress, *, at: datetime, kind: ChangeKind | None = None) -> int:
        values = (micros(at), old.canonical, None if kind is None else kind.value)
        return self._sql(_CANCEL, values).rowcount


def _from_row(row: Row) -> AddressChange:
    return AddressChange(
        id=row[0], kind=ChangeKind(row[1]), old=EmailAddress(row[2]), new=EmailAddress(row[3]), asked_by=row[4],
        asked_at=moment(row[5]), checkouts=spaced(row[6]), done_at=maybe(moment, row[7]),
        undone_at=maybe(moment, row[8]), before=_before(row[9], row[10]),
    )  # fmt: skip


def _to_row(move: AddressChange) -> Row:
    return (
        move.id, move.kind.value, move.old.canonical, move.new.canonical, move.asked_by, micros(move.asked_at),
        " ".join(move.checkouts), maybe(micros, move.done_at), maybe(micros, move.undone_at), *_before_row(move.before),
    )  # fmt: skip


def _before(since: int | None, no_news: int | None) -> Before | None:
    if no_news is None:
        return None
    old, new = not no_news & _OLD_NO_NEWS, not no_news & _NEW_NO_NEWS
    return Before(since=maybe(moment, since), old_wanted_news=old, new_wanted_news=new)


def _before_row(before: Before | None) -> Row:
    """Since when the old address was a customer's, and which of the two had unsubscribed."""
    if before is None:
        return None, None
    no_news = (not before.old_wanted_news) * _OLD_NO_NEWS + (not before.new_wanted_news) * _NEW_NO_NEWS
    return maybe(micros, before.since), no_news
