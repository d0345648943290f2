"""Facts: what the payment provider said about one of its objects last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from adapters.sql.dialect import ANY_OF
from adapters.sql.record import Record, Row, Table, insert
from domain.decision import decided_on
from domain.dispute import TO_ANSWER, UNANSWERABLE
from domain.fact import ACTIONABLE, Fact, FactKind, newer

COLUMNS: Final = "object_id, kind, payment, as_of, status, amount, request, answer_by"
ABOUT_ONE: Final = f"""SELECT {COLUMNS} FROM facts WHERE object_id = ?
  UNION ALL SELECT {COLUMNS} FROM facts WHERE payment = ? AND kind <> 'session'
  UNION ALL SELECT {COLUMNS} FROM facts WHERE object_id = ?"""
"""Those about a checkout session, about a payment, and the merchant's decision."""
ABOUT: Final = f"""SELECT {COLUMNS} FROM facts WHERE object_id {ANY_OF}
  UNION ALL SELECT {COLUMNS} FROM facts WHERE payment {ANY_OF} AND kind <> 'session'"""
"""Those about several objects, and about several payments; for one, a list takes SQLite longer."""
LOOKED_FOR: Final = "(kind <> 'session' OR status = 'unpaid')"
"""What the index `facts_looked_for` has, in its own words: SQLite compares them."""
_NEWEST: Final = f"""SELECT {COLUMNS} FROM facts INDEXED BY facts_looked_for WHERE {LOOKED_FOR} AND kind = ?
  ORDER BY as_of DESC, object_id DESC LIMIT ?"""
_NEW: Final = f"{insert('facts', COLUMNS)} ON CONFLICT (object_id) DO NOTHING"
_RENEW: Final = """UPDATE facts SET kind = ?, payment = ?, as_of = ?, status = ?, amount = ?, request = ?, answer_by = ?
  WHERE object_id = ?"""
_TELL: Final = """UPDATE purchases SET told = ? WHERE payment = ? AND coalesce(told, 0) < ?"""
_TELL_OF_DECISION: Final = "UPDATE purchases SET told = 2 WHERE checkout_id = ? AND coalesce(told, 0) < 2"
_BY_OBJECT: Final = f"SELECT {COLUMNS} FROM facts WHERE object_id = ?"
_BY_PAYMENT: Final = f"SELECT {COLUMNS} FROM facts WHERE payment = ? AND kind <> 'session'"
_WARNINGS: Final = f"""SELECT {COLUMNS} FROM facts INDEXED BY facts_looked_for WHERE {LOOKED_FOR}
  AND kind = 'warning' AND status = '{ACTIONABLE}' AND as_of <= ? AND (as_of < ? OR object_id > ?)
  ORDER BY as_of DESC, object_id LIMIT ?"""
_TO_ANSWER: Final = f"""SELECT {COLUMNS} FROM facts INDEXED BY facts_looked_for WHERE {LOOKED_FOR}
  AND kind = 'dispute' AND as_of >= ? AND status IN ('{"', '".join(TO_ANSWER)}')
  AND coalesce(answer_by, 0) <> {UNANSWERABLE} ORDER BY answer_by IS NULL, answer_by, as_of, object_id LIMIT ?"""
_LATER: Final = 2**62
"""A second after all others."""
_KINDS: Final = {kind.value: kind for kind in FactKind}


class Facts(Record):
    tables: ClassVar = [Table("facts", COLUMNS, key="object_id")]

    def get(self, object_id: str) -> Fact | None:
        return self._one(from_row, _BY_OBJECT, (object_id,))

    def of_payment(self, payment: str) -> Sequence[Fact]:
        return self._all(from_row, _BY_PAYMENT, (payment,))

    def newest(self, *, limit: int) -> Sequence[Fact]:
        kinds = [kind.value for kind in FactKind if kind is not FactKind.SESSION]
        found = [fact for kind in kinds for fact in self._all(from_row, _NEWEST, (kind, limit))]
        return sorted(found, key=lambda fact: (fact.as_of, fact.object_id), reverse=True)[:limit]

    def fraud_warnings(self, *, after: Fact | None = None, limit: int) -> Sequence[Fact]:
        at, name = (_LATER, "") if after is None else (after.as_of, after.object_id)
        return self._all(from_row, _WARNINGS, (at, at, name, limit))

    def to_answer(self, *, since: int, limit: int) -> Sequence[Fact]:
        return self._all(from_row, _TO_ANSWER, (since, limit))

    def record(self, fact: Fact) -> Fact:
        """One statement for what is new; the domain compares what is not."""
        row = _to_row(fact)
        if fact.kind is not FactKind.SESSION:
            self._tell(fact)
        if self._changed(_NEW, row):
            return fact
        kept = newer(self.get(fact.object_id), fact)
        if kept is fact:
            self._sql(_RENEW, (*row[1:], row[0]))
        return kept

    def _tell(self, fact: Fact) -> None:
        told = told_by((fact,))
        if fact.payment is not None and told is not None:
            self._sql(_TELL, (told, fact.payment, told))
        elif fact.kind is FactKind.MERCHANT:
            self._sql(_TELL_OF_DECISION, (decided_on(fact.object_id),))


def told_by(known: Sequence[Fact]) -> int | None:
    """`told` of the purchase that these facts are about: see the schema."""
    kinds = {fact.kind for fact in known} - {FactKind.SESSION, FactKind.WARNING}
    if not kinds:
        return None
    return 1 if kinds == {FactKind.REFUND} else 2


def from_row(row: Row) -> Fact:
    kind = _KINDS[row[1]]
    return Fact(
        object_id=row[0], kind=kind, payment=row[2], as_of=row[3], status=row[4], amount=row[5],
        request=row[6] or "", answer_by=row[7] or 0,
    )  # fmt: skip


def _to_row(fact: Fact) -> Row:
    return (
        fact.object_id, fact.kind._value_, fact.payment, fact.as_of, fact.status, fact.amount, fact.request or None,
        fact.answer_by or None,
    )  # fmt: skip
