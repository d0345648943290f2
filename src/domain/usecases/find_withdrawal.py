"""Find one withdrawal."""

from __future__ import annotations

from domain.frozen import frozen
from domain.ports import Store
from domain.withdrawal import Withdrawal


@frozen
class FindWithdrawal:
    """For the file of its acknowledgement."""

    store: Store

    async def __call__(self, withdrawal: str) -> Withdrawal | None:
        """None if there is no such withdrawal. Raises StoreUnavailable."""
        return await self.store.read(lambda tx: tx.withdrawals.get(withdrawal))
