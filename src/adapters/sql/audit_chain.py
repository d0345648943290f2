"""The chain of the audit log: the columns of a line that say its place in it, and the checkpoint before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from adapters.sql.audit import LINES, from_row, time_of
from adapters.sql.record import Record, Row, Table, micros
from domain.audit import AuditLine
from domain.audit_chain import AuditLink, Checkpoint, LinkedLine

_UNLINKED: Final = f"{LINES} WHERE sequence IS NULL ORDER BY id LIMIT ?"
_COUNT: Final = "SELECT count(*) FROM audit WHERE sequence IS NULL"
_AFTER: Final = f"{LINES} WHERE sequence > ? ORDER BY sequence LIMIT ?"
_NEWEST: Final = (
    "SELECT sequence, signature FROM audit WHERE sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1"
)
_CHECKPOINT: Final = "SELECT sequence, link_signature, at, signature FROM audit_checkpoint"
_LINK: Final = "UPDATE audit SET sequence = ?, signature = ? WHERE id = ? AND sequence IS NULL"
_KEEP: Final = """INSERT INTO audit_checkpoint (single, sequence, link_signature, at, signature) VALUES (1,?,?,?,?)
  ON CONFLICT (single) DO UPDATE SET sequence = excluded.sequence, link_signature = excluded.link_signature,
    at = excluded.at, signature = excluded.signature"""


class AuditChain(Record):
    tables: ClassVar = [
        Table("audit_checkpoint", "single, sequence, link_signature, at, signature", key="single")
    ]

    def unlinked(self, *, limit: int) -> Sequence[AuditLine]:
        return self._all(from_row, _UNLINKED, (limit,))

    def count_unlinked(self) -> int:
        return int(self._value(_COUNT))

    def newest(self) -> AuditLink | None:
        link = self._one(lambda row: AuditLink(*row), _NEWEST)
        if link is not None:
            return link
        checkpoint = self.checkpoint()
        return None if checkpoint is None else checkpoint.link

    def after(self, sequence: int, *, limit: int) -> Sequence[LinkedLine]:
        return self._all(_linked, _AFTER, (sequence, limit))

    def checkpoint(self) -> Checkpoint | None:
        return self._one(_checkpoint, _CHECKPOINT)

    def link(self, line: str, link: AuditLink) -> bool:
        return self._changed(_LINK, (link.sequence, link.signature, line))

    def prune(self, checkpoint: Checkpoint) -> int:
        link = checkpoint.link
        self._sql(_KEEP, (link.sequence, link.signature, micros(checkpoint.at), checkpoint.signature))
        return self._sql("DELETE FROM audit WHERE sequence <= ?", (link.sequence,)).rowcount


def _linked(row: Row) -> LinkedLine:
    return LinkedLine(line=from_row(row), link=AuditLink(row[10], row[11]))


def _checkpoint(row: Row) -> Checkpoint:
    return Checkpoint(link=AuditLink(row[0], row[1]), at=time_of(row[2]), signature=row[3])
