"""Magic links: proofs of an address that can be used once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment
from domain.frozen import maker
from domain.magic_link import LinkPurpose, MagicLink
from domain.values import CheckoutId, Digest, EmailAddress, LinkId, SessionId

COLUMNS: Final = """id, key, purpose, mailbox, asked_by, pid, made_at, sent_at, used_at, superseded, code_tries,
  checkout_id, move_id, used_with"""
_ADD: Final = insert("magic_links", COLUMNS)
_BY_ID: Final = f"SELECT {COLUMNS} FROM magic_links WHERE id = ?"
_WITH_CODE: Final = f"""SELECT {COLUMNS} FROM magic_links WHERE asked_by = ?
  ORDER BY made_at DESC, superseded, id"""
_USED_WITH: Final = f"SELECT {COLUMNS} FROM magic_links WHERE used_with = ? ORDER BY used_at DESC, id LIMIT 1"
_USED_FOR: Final = f"""SELECT {COLUMNS} FROM magic_links WHERE used_at IS NOT NULL AND id IN
  (SELECT id FROM magic_links WHERE checkout_id = ? UNION SELECT id FROM magic_links WHERE mailbox = ?)
  ORDER BY used_at, id"""
_SUPERSEDE: Final = """UPDATE magic_links SET superseded = 1
  WHERE asked_by = ? AND mailbox = ? AND used_at IS NULL AND purpose = 'login'"""
_SPEND: Final = "UPDATE magic_links SET used_at = ?, used_with = ? WHERE id = ? AND used_at IS NULL"
_COUNT_TRY: Final = f"UPDATE magic_links SET code_tries = code_tries + 1 WHERE id {ANY_OF} AND code_tries < ?"
_make = maker(MagicLink)


class MagicLinks(Record):
    tables: ClassVar = [Table("magic_links", COLUMNS, key="id")]

    def get(self, link: LinkId) -> MagicLink | None:
        return self._one(_from_row, _BY_ID, (link,))

    def with_code(self, asked_by: SessionId) -> Sequence[MagicLink]:
        return self._all(_from_row, _WITH_CODE, (asked_by,))

    def used_with(self, cookie: Digest) -> MagicLink | None:
        return self._one(_from_row, _USED_WITH, (cookie,))

    def used_for(self, checkout: CheckoutId | None, mailbox: EmailAddress | None) -> Sequence[MagicLink]:
        return self._all(_from_row, _USED_FOR, (checkout, None if mailbox is None else mailbox.canonical))

    def add(self, link: MagicLink) -> None:
        self._sql(_ADD, _to_row(link))

    def consume(self, link: LinkId, *, at: datetime, used_with: Digest | None = None) -> bool:
        return self._changed(_SPEND, (micros(at), used_with, link))

    def supersede(self, mailbox: EmailAddress, *, asked_by: SessionId) -> None:
        self._sql(_SUPERSEDE, (asked_by, mailbox.canonical))

    def count_code_attempt(self, links: Sequence[LinkId], *, most: int) -> bool:
        return self._changed(_COUNT_TRY, (texts(links), most))


def _from_row(row: Row) -> MagicLink:
    return _make(
        id=row[0], key=row[1], purpose=LinkPurpose(row[2]), mailbox=EmailAddress(row[3]), asked_by=row[4],
        product=row[5], made_at=moment(row[6]), sent_at=maybe(moment, row[7]), used_at=maybe(moment, row[8]),
        superseded=bool(row[9]), code_tries=row[10], checkout=row[11], move=row[12], used_with=row[13],
    )  # fmt: skip


def _to_row(link: MagicLink) -> Row:
    return (
        link.id, link.key, link.purpose._value_, link.mailbox.canonical, link.asked_by, link.product,
        micros(link.made_at), link.sent_at and micros(link.sent_at), link.used_at and micros(link.used_at),
        int(link.superseded),
        link.code_tries, link.checkout, link.move, link.used_with,
    )  # fmt: skip
