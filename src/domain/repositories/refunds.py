"""Refunds that the merchant asked for. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.refund import RefundRequest, RefundState
from domain.values import CheckoutId


class ReadRefundRequests(Protocol):
    """Refunds that the merchant asked for. Reading only."""

    def get(self, request: str) -> RefundRequest | None:
        """The request of that id."""

    def of_purchase(self, checkout: CheckoutId) -> Sequence[RefundRequest]:
        """The requests about one purchase, in order of id."""

    def waiting(self, *, before: datetime) -> Sequence[RefundRequest]:
        """Those that need the merchant, in order of id: without an answer since `before`, refused, or failed."""

    def page_after(self, request: str, *, limit: int) -> Sequence[RefundRequest]:
        """Requests in order of id, after `request`."""


class RefundRequests(ReadRefundRequests, Protocol):
    """Refunds that the merchant asked for."""

    def add(self, request: RefundRequest) -> bool:
        """Write a request unless there is one of that id; whether we wrote."""

    def lease(self, *, now: datetime, until: datetime) -> RefundRequest | None:
        """Take the open request that is longest due, for us alone until its `due_at`, and count a try.

        As it is then; None if none is due.
        """

    def free_leases(self, *, now: datetime, until: datetime) -> int:
        """Make due what is leased, or waits, until `until` at the latest; how many. Not what has to wait: `failed`."""

    def follow_up(self, held: RefundRequest, *, by: RefundRequest) -> bool:
        """Write what came of a try, and free the lease. `held`: as it was leased.

        False, and nothing written, if it was settled meanwhile, or the lease ended and another worker took it up.
        """

    def settle(self, request: str, *, state: RefundState, at: datetime) -> bool:
        """The provider made a refund of it: done, or failed since, whoever holds its lease (`SETTLES`).

        Whether that was new.
        """

    def dismiss(self, request: str) -> bool:
        """Take a refused or failed request off the merchant's list; whether it was on it."""
