"""Statements of withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment
from domain.values import CheckoutId, EmailAddress
from domain.withdrawal import Withdrawal, WithdrawalState

_READ: Final = """id, name, contract, email, checkout_id, received_at, proved_at, state, decided_at, decided_by, reason,
  request"""
COLUMNS: Final = f"{_READ}, reported"
_ADD: Final = f"{insert('withdrawals', COLUMNS)} ON CONFLICT (id) DO NOTHING"
_GET: Final = f"SELECT {_READ} FROM withdrawals WHERE id = ?"
_OF_PURCHASE: Final = f"SELECT {_READ} FROM withdrawals WHERE checkout_id = ? ORDER BY id"
_OF_ADDRESS: Final = f"SELECT {_READ} FROM withdrawals WHERE email = ? ORDER BY id"
_OPEN: Final = f"""SELECT {_READ} FROM withdrawals WHERE state = 'open' AND checkout_id IS NOT NULL
  ORDER BY id LIMIT ?"""
_AFTER: Final = f"SELECT {_READ} FROM withdrawals WHERE id > ? ORDER BY id LIMIT ?"
_BEFORE: Final = {
    matched: f"""SELECT {_READ} FROM withdrawals WHERE checkout_id IS {"NOT NULL" if matched else "NULL"}
  AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?"""
    for matched in (True, False)
}
_PROVE: Final = """UPDATE withdrawals SET proved_at = ?
  WHERE checkout_id = ? AND state = 'open' AND proved_at IS NULL"""
_DECIDE: Final = """UPDATE withdrawals SET state = ?, decided_at = ?, decided_by = ?, reason = ?, request = ?
  WHERE id = ? AND state = 'open'"""
_UNREPORTED: Final = "SELECT count(checkout_id), count(*) FROM withdrawals WHERE reported = 0"
_REPORT: Final = "UPDATE withdrawals SET reported = 1 WHERE reported = 0"
FORGET: Final = "UPDATE withdrawals SET name = '', contract = '', email = NULL"
"""What is kept of an erased person's: that there was one, when, and what came of it."""


class Withdrawals(Record):
    tables: ClassVar = [Table("withdrawals", COLUMNS, key="id")]

    def get(self, withdrawal: str) -> Withdrawal | None:
        return self._one(_from_row, _GET, (withdrawal,))

    def of_purchase(self, checkout: CheckoutId) -> Sequence[Withdrawal]:
        return self._all(_from_row, _OF_PURCHASE, (checkout,))

    def of_address(self, mailbox: EmailAddress) -> Sequence[Withdrawal]:
        return self._all(_from_row, _OF_ADDRESS, (mailbox.canonical,))

    def open(self, *, limit: int) -> Sequence[Withdrawal]:
        return self._all(_from_row, _OPEN, (limit,))

    def page_after(self, withdrawal: str, *, limit: int) -> Sequence[Withdrawal]:
        return self._all(_from_row, _AFTER, (withdrawal, limit))

    def page_before(self, withdrawal: str, *, matched: bool, limit: int) -> Sequence[Withdrawal]:
        return self._all(_from_row, _BEFORE[matched], (withdrawal, withdrawal, limit))

    def add(self, withdrawal: Withdrawal) -> bool:
        return self._changed(_ADD, (*_to_row(withdrawal), 0))

    def prove(self, checkout: CheckoutId, *, at: datetime) -> int:
        return self._sql(_PROVE, (micros(at), checkout)).rowcount

    def decide(self, decided: Withdrawal) -> bool:
        values = (
            decided.state.value, maybe(micros, decided.decided_at), decided.decided_by, decided.reason,
            decided.request, decided.id,
        )  # fmt: skip
        return self._changed(_DECIDE, values)

    def take_unreported(self) -> tuple[int, int]:
        matched, number = self._sql(_UNREPORTED).fetchone()
        if number:
            self._sql(_REPORT)
        return matched, number - matched


def _from_row(row: Row) -> Withdrawal:
    return Withdrawal(
        id=row[0], name=row[1], contract=row[2], email=maybe(EmailAddress, row[3]), checkout=row[4],
        received_at=moment(row[5]), proved_at=maybe(moment, row[6]), state=WithdrawalState(row[7]),
        decided_at=maybe(moment, row[8]), decided_by=row[9], reason=row[10], request=row[11],
    )  # fmt: skip


def _to_row(one: Withdrawal) -> Row:
    return (
        one.id, one.name, one.contract, None if one.email is None else one.email.canonical, one.checkout,
        micros(one.received_at), maybe(micros, one.proved_at), one.state.value, maybe(micros, one.decided_at),
        one.decided_by, one.reason, one.request,
    )  # fmt: skip
