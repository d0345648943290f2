"""Rechecks: payments that the provider is to be asked about again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record
from domain.records import PaymentDue


class Rechecks(Record):
    def due(self, now: datetime, *, limit: int) -> Sequence[PaymentDue]:
        due = [(at, entry) for at, entry in self._t.due.values() if at <= now]
        return [entry for _, entry in sorted(due, key=lambda one: (one[0], one[1].payment))][:limit]

    def schedule(self, payment: str, *, at: datetime, due_at: datetime) -> None:
        held = self._t.due.get(payment)
        entry = PaymentDue(payment=payment, since=at, tries=0) if held is None else held[1]
        self._t.due[payment] = (due_at if held is None else min(held[0], due_at), entry)

    def postpone(self, payment: str, *, due_at: datetime) -> None:
        held = self._t.due.get(payment)
        if held is not None:
            self._t.due[payment] = (due_at, replace(held[1], tries=held[1].tries + 1))

    def cancel(self, payment: str) -> None:
        self._t.due.pop(payment, None)
