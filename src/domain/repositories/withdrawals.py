"""Statements of withdrawal. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.values import CheckoutId, EmailAddress
from domain.withdrawal import Withdrawal


class ReadWithdrawals(Protocol):
    """Statements of withdrawal. Reading only."""

    def get(self, withdrawal: str) -> Withdrawal | None:
        """The one of that id."""

    def of_purchase(self, checkout: CheckoutId) -> Sequence[Withdrawal]:
        """Those about one purchase, in order of id."""

    def of_address(self, mailbox: EmailAddress) -> Sequence[Withdrawal]:
        """Those whose acknowledgement went to an address, in order of id."""

    def open(self, *, limit: int) -> Sequence[Withdrawal]:
        """The undecided ones about a purchase, in order of id: the one that is due first comes first."""

    def page_after(self, withdrawal: str, *, limit: int) -> Sequence[Withdrawal]:
        """All in order of id, after `withdrawal`."""

    def page_before(self, withdrawal: str, *, matched: bool, limit: int) -> Sequence[Withdrawal]:
        """The newest first, before `withdrawal` ("": from the newest on): about a purchase, or about none."""


class Withdrawals(ReadWithdrawals, Protocol):
    """Statements of withdrawal."""

    def add(self, withdrawal: Withdrawal) -> bool:
        """Write one unless there is one of that id; whether we wrote."""

    def prove(self, checkout: CheckoutId, *, at: datetime) -> int:
        """Note of each undecided one about a purchase that it is its holder's; of how many that was not known yet."""

    def decide(self, decided: Withdrawal) -> bool:
        """Write state, decided_at, decided_by, reason and request, if it is undecided; whether it was."""

    def take_unreported(self) -> tuple[int, int]:
        """How many came since this was last asked: about a purchase, and about none."""
