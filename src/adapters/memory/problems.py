"""Problems: what does not work until the merchant mends it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.purchases import is_without_owner
from adapters.memory.tables import Record
from domain.records import Problem, ProblemKind
from domain.values import CheckoutId, ProductId


class Problems(Record):
    def open(self) -> Sequence[Problem]:
        return sorted(self._t.problems.values(), key=lambda p: (p.first_at, p.kind.value, p.subject))

    def orders_without_owner(self) -> Sequence[CheckoutId]:
        return sorted(p.checkout for p in self._t.purchases.values() if is_without_owner(self._t, p))

    def licence_lines(self) -> Sequence[tuple[ProductId, CheckoutId, int]]:
        waiting: defaultdict[ProductId, list[CheckoutId]] = defaultdict(list)
        for product, checkout in self._t.in_line:
            waiting[product].append(checkout)
        return [(product, min(those), len(those)) for product, those in sorted(waiting.items())]

    def report(self, kind: ProblemKind, subject: str, *, detail: str, at: datetime) -> bool:
        held = self._t.problems.get((kind, subject))
        if held is None:
            self._t.problems[kind, subject] = Problem(
                kind=kind, subject=subject, detail=detail, first_at=at, last_at=at
            )
            return True
        self._t.problems[kind, subject] = replace(held, detail=detail, last_at=max(held.last_at, at))
        return False

    def resolve(self, kind: ProblemKind, subject: str) -> bool:
        held = self._t.problems.get((kind, subject))
        if held is None:
            return False
        for key, problem in list(self._t.problems.items()):
            if problem.kind is kind and problem.detail == held.detail:
                del self._t.problems[key]
        return True
