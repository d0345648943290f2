"""Refused sign-ins to the back office, counted by network and hour until the hour is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, micros, moment
from domain.audit_chain import SignInRefusals

_COUNT: Final = """INSERT INTO refused_sign_ins (network, hour, times) VALUES (?,?,1)
  ON CONFLICT (network, hour) DO UPDATE SET times = refused_sign_ins.times + 1"""
_BEFORE: Final = (
    "SELECT network, hour, times FROM refused_sign_ins WHERE hour < ? ORDER BY hour, network LIMIT ?"
)
_DROP: Final = "DELETE FROM refused_sign_ins WHERE network = ? AND hour = ?"


class RefusedSignIns(Record):
    tables: ClassVar = [Table("refused_sign_ins", "network, hour, times", key="network, hour")]

    def count(self, network: str, hour: datetime) -> None:
        self._sql(_COUNT, (network, micros(hour)))

    def take_before(self, hour: datetime, *, limit: int) -> Sequence[SignInRefusals]:
        found = self._all(_from_row, _BEFORE, (micros(hour), limit))
        for one in found:
            self._sql(_DROP, (one.network, micros(one.hour)))
        return found


def _from_row(row: Row) -> SignInRefusals:
    return SignInRefusals(network=row[0], hour=moment(row[1]), times=row[2])
