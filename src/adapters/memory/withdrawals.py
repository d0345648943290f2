"""Statements of withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.tables import Record, page
from domain.values import CheckoutId, EmailAddress
from domain.withdrawal import Withdrawal, WithdrawalState


class Withdrawals(Record):
    def get(self, withdrawal: str) -> Withdrawal | None:
        return self._t.withdrawals.get(withdrawal)

    def of_purchase(self, checkout: CheckoutId) -> Sequence[Withdrawal]:
        return [one for one in self._in_order() if one.checkout == checkout]

    def of_address(self, mailbox: EmailAddress) -> Sequence[Withdrawal]:
        return [one for one in self._in_order() if one.email == mailbox]

    def open(self, *, limit: int) -> Sequence[Withdrawal]:
        return [
            one for one in self._in_order() if one.state is WithdrawalState.OPEN and one.checkout is not None
        ][:limit]

    def page_after(self, withdrawal: str, *, limit: int) -> Sequence[Withdrawal]:
        return page(self._t.withdrawals.items(), withdrawal, limit)

    def page_before(self, withdrawal: str, *, matched: bool, limit: int) -> Sequence[Withdrawal]:
        return [
            one
            for one in self._in_order()[::-1]
            if (one.checkout is not None) is matched and (not withdrawal or one.id < withdrawal)
        ][:limit]

    def add(self, withdrawal: Withdrawal) -> bool:
        if withdrawal.id in self._t.withdrawals:
            return False
        self._t.withdrawals[withdrawal.id] = withdrawal
        self._t.unreported_withdrawals[withdrawal.id] = None
        return True

    def prove(self, checkout: CheckoutId, *, at: datetime) -> int:
        news = [
            one
            for one in self.of_purchase(checkout)
            if one.state is WithdrawalState.OPEN and one.proved_at is None
        ]
        for one in news:
            self._t.withdrawals[one.id] = replace(one, proved_at=at)
        return len(news)

    def decide(self, decided: Withdrawal) -> bool:
        held = self._t.withdrawals.get(decided.id)
        if held is None or held.state is not WithdrawalState.OPEN:
            return False
        self._t.withdrawals[decided.id] = replace(
            held, state=decided.state, decided_at=decided.decided_at, decided_by=decided.decided_by,
            reason=decided.reason, request=decided.request,
        )  # fmt: skip
        return True

    def take_unreported(self) -> tuple[int, int]:
        news = [self._t.withdrawals[one] for one in self._t.unreported_withdrawals]
        self._t.unreported_withdrawals = {}
        matched = sum(one.checkout is not None for one in news)
        return matched, len(news) - matched

    def _in_order(self) -> list[Withdrawal]:
        return sorted(self._t.withdrawals.values(), key=lambda one: one.id)
