"""Refund requests: what the merchant asked for, how often it was sent, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Final

from adapters.sql.dialect import ANY_OF, LOCKED, texts
from adapters.sql.record import Record, Row, Table, insert, maybe, micros, moment
from domain.refund import SETTLES, RefundCause, RefundRequest, RefundState
from domain.values import CheckoutId, Money

COLUMNS: Final = """id, payment, checkout_id, amount, currency, reason, asked_by, at, due_at, keyed_at, state, cause,
  tells, tries, attempt, failed, problem, settled_at"""
_ADD: Final = f"{insert('refund_requests', COLUMNS)} ON CONFLICT (id) DO NOTHING"
_BY_ID: Final = f"SELECT {COLUMNS} FROM refund_requests WHERE id = ?"
_OF_PURCHASE: Final = f"SELECT {COLUMNS} FROM refund_requests WHERE checkout_id = ? ORDER BY id"
_WAITING: Final = f"""SELECT {COLUMNS} FROM refund_requests WHERE state = 'requested' AND at <= ?
  UNION ALL SELECT {COLUMNS} FROM refund_requests WHERE state IN ('refused', 'failed') ORDER BY id"""
_PAGE: Final = f"SELECT {COLUMNS} FROM refund_requests WHERE id > ? ORDER BY id LIMIT ?"
_DUE: Final = f"""SELECT {COLUMNS} FROM refund_requests WHERE state = 'requested' AND due_at <= ?
  ORDER BY due_at, id LIMIT 1 {LOCKED}"""
_LEASE: Final = "UPDATE refund_requests SET due_at = ?, tries = tries + 1 WHERE id = ?"
_FREE: Final = """UPDATE refund_requests SET due_at = :now
  WHERE state = 'requested' AND failed = 0 AND due_at > :now AND due_at <= :until"""
_FOLLOW_UP: Final = """UPDATE refund_requests
  SET due_at = ?, keyed_at = ?, state = ?, attempt = ?, failed = ?, problem = ?, settled_at = ?
  WHERE id = ? AND state = 'requested' AND due_at = ? AND tries = ?"""
_SETTLE: Final = f"""UPDATE refund_requests SET state = ?, problem = '', settled_at = ?
  WHERE id = ? AND state {ANY_OF}"""
_DISMISS: Final = """UPDATE refund_requests SET state = 'dismissed'
  WHERE id = ? AND state IN ('refused', 'failed')"""


class RefundRequests(Record):
    tables: ClassVar = [Table("refund_requests", COLUMNS, key="id")]

    def get(self, request: str) -> RefundRequest | None:
        return self._one(_from_row, _BY_ID, (request,))

    def of_purchase(self, checkout: CheckoutId) -> Sequence[RefundRequest]:
        return self._all(_from_row, _OF_PURCHASE, (checkout,))

    def waiting(self, *, before: datetime) -> Sequence[RefundRequest]:
        return self._all(_from_row, _WAITING, (micros(before),))

    def page_after(self, request: str, *, limit: int) -> Sequence[RefundRequest]:
        return self._all(_from_row, _PAGE, (request, limit))

    def add(self, request: RefundRequest) -> bool:
        return self._changed(_ADD, _to_row(request))

    def lease(self, *, now: datetime, until: datetime) -> RefundRequest | None:
        due = self._one(_from_row, _DUE, (micros(now),))
        if due is None:
            return None
        self._sql(_LEASE, (micros(until), due.id))
        return replace(due, due_at=until, tries=due.tries + 1)

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        return self._sql(_FREE, {"now": micros(now), "until": micros(until)}).rowcount

    def follow_up(self, held: RefundRequest, *, by: RefundRequest) -> bool:
        values = (
            micros(by.due_at), micros(by.keyed_at), by.state.value, by.attempt, int(by.failed), by.problem,
            maybe(micros, by.settled_at), held.id, micros(held.due_at), held.tries,
        )  # fmt: skip
        return self._changed(_FOLLOW_UP, values)

    def settle(self, request: str, *, state: RefundState, at: datetime) -> bool:
        before = texts(one.value for one in SETTLES[state])
        return self._changed(_SETTLE, (state.value, micros(at), request, before))

    def dismiss(self, request: str) -> bool:
        return self._changed(_DISMISS, (request,))


def _from_row(row: Row) -> RefundRequest:
    return RefundRequest(
        id=row[0], payment=row[1], checkout=row[2], amount=Money(row[3], row[4]), reason=row[5], by=row[6],
        at=moment(row[7]), due_at=moment(row[8]), keyed_at=moment(row[9]), state=RefundState(row[10]),
        cause=RefundCause(row[11]), tells=bool(row[12]), tries=row[13], attempt=row[14], failed=bool(row[15]),
        problem=row[16], settled_at=maybe(moment, row[17]),
    )  # fmt: skip


def _to_row(one: RefundRequest) -> Row:
    return (
        one.id, one.payment, one.checkout, one.amount.amount, one.amount.currency, one.reason, one.by, micros(one.at),
        micros(one.due_at), micros(one.keyed_at), one.state.value, one.cause.value, int(one.tells), one.tries,
        one.attempt, int(one.failed), one.problem, maybe(micros, one.settled_at),
    )  # fmt: skip
