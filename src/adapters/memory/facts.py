"""Facts: what the payment provider said about one of its objects last."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.memory.tables import Record
from domain.dispute import needs_answer
from domain.fact import ACTIONABLE, Fact, FactKind, newer


class Facts(Record):
    def get(self, object_id: str) -> Fact | None:
        return self._t.facts.get(object_id)

    def of_payment(self, payment: str) -> Sequence[Fact]:
        return [
            fact
            for fact in self._t.facts.values()
            if fact.payment == payment and fact.kind is not FactKind.SESSION
        ]

    def newest(self, *, limit: int) -> Sequence[Fact]:
        found = [fact for fact in self._t.facts.values() if fact.kind is not FactKind.SESSION]
        return sorted(found, key=lambda fact: (fact.as_of, fact.object_id), reverse=True)[:limit]

    def fraud_warnings(self, *, after: Fact | None = None, limit: int) -> Sequence[Fact]:
        warnings = [
            fact
            for fact in self._t.facts.values()
            if fact.kind is FactKind.WARNING and fact.status == ACTIONABLE
        ]
        behind = [one for one in warnings if after is None or _newest_first(one) > _newest_first(after)]
        return sorted(behind, key=_newest_first)[:limit]

    def to_answer(self, *, since: int, limit: int) -> Sequence[Fact]:
        found = [fact for fact in self._t.facts.values() if needs_answer(fact) and fact.as_of >= since]
        return sorted(found, key=lambda one: (not one.answer_by, one.answer_by, one.as_of, one.object_id))[
            :limit
        ]

    def record(self, fact: Fact) -> Fact:
        kept = newer(self._t.facts.get(fact.object_id), fact)
        self._t.facts[fact.object_id] = kept
        return kept


def _newest_first(fact: Fact) -> tuple[int, str]:
    return -fact.as_of, fact.object_id
