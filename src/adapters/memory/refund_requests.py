"""Refund requests: what the merchant asked for, how often it was sent, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record, page
from domain.refund import SETTLES, UNSEEN, RefundRequest, RefundState
from domain.values import CheckoutId


class RefundRequests(Record):
    def get(self, request: str) -> RefundRequest | None:
        return self._t.refund_requests.get(request)

    def of_purchase(self, checkout: CheckoutId) -> Sequence[RefundRequest]:
        return [one for one in self._in_order() if one.checkout == checkout]

    def waiting(self, *, before: datetime) -> Sequence[RefundRequest]:
        return [
            one
            for one in self._in_order()
            if one.state in UNSEEN or (one.state is RefundState.REQUESTED and one.at <= before)
        ]

    def page_after(self, request: str, *, limit: int) -> Sequence[RefundRequest]:
        return page(self._t.refund_requests.items(), request, limit)

    def add(self, request: RefundRequest) -> bool:
        return self._t.refund_requests.setdefault(request.id, request) is request

    def lease(self, *, now: datetime, until: datetime) -> RefundRequest | None:
        waiting = (
            one for one in self._in_order() if one.state is RefundState.REQUESTED and one.due_at <= now
        )
        due = min(waiting, key=lambda one: (one.due_at, one.id), default=None)
        if due is None:
            return None
        leased = self._t.refund_requests[due.id] = replace(due, due_at=until, tries=due.tries + 1)
        return leased

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        held = [
            one
            for one in self._in_order()
            if one.state is RefundState.REQUESTED and not one.failed and now < one.due_at <= until
        ]
        for one in held:
            self._t.refund_requests[one.id] = replace(one, due_at=now)
        return len(held)

    def follow_up(self, held: RefundRequest, *, by: RefundRequest) -> bool:
        now = self._t.refund_requests.get(held.id)
        if now is None or now.state is not RefundState.REQUESTED:
            return False
        if (now.due_at, now.tries) != (held.due_at, held.tries):
            return False
        self._t.refund_requests[held.id] = replace(
            now, due_at=by.due_at, keyed_at=by.keyed_at, state=by.state, attempt=by.attempt, failed=by.failed,
            problem=by.problem, settled_at=by.settled_at,
        )  # fmt: skip
        return True

    def settle(self, request: str, *, state: RefundState, at: datetime) -> bool:
        held = self._t.refund_requests.get(request)
        if held is None or held.state not in SETTLES[state]:
            return False
        self._t.refund_requests[request] = replace(held, state=state, problem="", settled_at=at)
        return True

    def dismiss(self, request: str) -> bool:
        held = self._t.refund_requests.get(request)
        if held is None or held.state not in UNSEEN:
            return False
        self._t.refund_requests[request] = replace(held, state=RefundState.DISMISSED)
        return True

    def _in_order(self) -> list[RefundRequest]:
        return sorted(self._t.refund_requests.values(), key=lambda one: one.id)
