"""Refused sign-ins to the back office, counted by network and hour until the hour is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.tables import Record
from domain.audit_chain import SignInRefusals


class RefusedSignIns(Record):
    def count(self, network: str, hour: datetime) -> None:
        self._t.refused_sign_ins[hour, network] = self._t.refused_sign_ins.get((hour, network), 0) + 1

    def take_before(self, hour: datetime, *, limit: int) -> Sequence[SignInRefusals]:
        over = sorted(key for key in self._t.refused_sign_ins if key[0] < hour)[:limit]
        return [SignInRefusals(key[1], key[0], self._t.refused_sign_ins.pop(key)) for key in over]
