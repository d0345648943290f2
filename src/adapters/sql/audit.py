"""The audit log. Lines are only ever added; their reasons stand apart, so that they can go with the person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

from adapters.sql.dialect import ANY_OF, texts
from adapters.sql.record import Record, Row, Table, insert, micros, moment
from domain.audit import AuditAction, AuditLine, AuditResult

COLUMNS: Final = "id, form, at, actor, action, object_id, result, reason_hash, times"
_APPEND: Final = f"{insert('audit', COLUMNS)} ON CONFLICT (form) DO NOTHING"
_GIVE_REASON: Final = "INSERT INTO audit_reasons (line_id, reason, salt) VALUES (?,?,?)"
LINES: Final = f"""SELECT {COLUMNS}, coalesce(reason, ''), sequence, signature, coalesce(salt, '')
  FROM audit LEFT JOIN audit_reasons ON line_id = id"""
_BY_FORM: Final = f"{LINES} WHERE form = ?"
_ABOUT: Final = f"{LINES} WHERE object_id {ANY_OF} ORDER BY id"
_PAGE: Final = f"{LINES} WHERE id > ? ORDER BY id LIMIT ?"
_PAGE_BEFORE: Final = f"{LINES} WHERE id < ? ORDER BY id DESC LIMIT ?"
_ACTIONS: Final = {action.value: action for action in AuditAction}
_RESULTS: Final = {result.value: result for result in AuditResult}
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LAST: Final = "\x7f"
"""After every id: they are hexadecimal."""


class Audit(Record):
    tables: ClassVar = [
        Table("audit", f"{COLUMNS}, sequence, signature", key="id"),
        Table("audit_reasons", "line_id, reason, salt", key="line_id"),
    ]

    def by_form(self, form: str) -> AuditLine | None:
        return self._one(from_row, _BY_FORM, (form,))

    def page_after(self, line: str, *, limit: int) -> Sequence[AuditLine]:
        return self._all(from_row, _PAGE, (line, limit))

    def page_before(self, line: str, *, limit: int) -> Sequence[AuditLine]:
        return self._all(from_row, _PAGE_BEFORE, (line or _LAST, limit))

    def about(self, objects: Sequence[str]) -> Sequence[AuditLine]:
        return self._all(from_row, _ABOUT, (texts(objects),))

    def append(self, line: AuditLine) -> bool:
        values = (
            line.id, line.form, micros(line.at), line.actor, line.action.value, line.object_id, line.result.value,
            line.reason_hash, line.times,
        )  # fmt: skip
        if not self._changed(_APPEND, values):
            return False
        if line.reason:
            self._sql(_GIVE_REASON, (line.id, line.reason, line.salt))
        return True


def from_row(row: Row) -> AuditLine:
    """What was changed past the shop is read all the same: it must neither hide the log nor end its check."""
    return AuditLine(
        id=row[0], form=row[1], at=time_of(row[2]), actor=row[3], action=_ACTIONS.get(row[4], AuditAction.UNKNOWN),
        object_id=row[5], result=_RESULTS.get(row[6], AuditResult.UNKNOWN), reason_hash=row[7], times=row[8],
        reason=row[9], salt=row[12],
    )  # fmt: skip


def time_of(value: int) -> datetime:
    """As `moment`; what is no time, or none of this age, is the year 9999."""
    try:
        return min(moment(value), _NEVER)
    except OverflowError:
        return _NEVER
